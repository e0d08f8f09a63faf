// The public types of signal-wasm, written by hand. Every entry of the package ships them.

// `Symbol.dispose` is missing in the default library of most projects. Without this line their
// strict check would fail in this file.
/// <reference lib="esnext.disposable" />
/// <reference lib="es2018.asyncgenerator" />

/** Any value that JSON can hold. `onmessage` of the other pages receives what you `send`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json | undefined };

/**
 * How messages travel between the page and the server.
 *
 * - `'auto'`: `'relay'` if the server's first frame shows that it is our relay, else `'websocket'`.
 * - `'relay'`: our relay only. Messages are acknowledged, and a page that reconnects receives what
 *   it missed.
 * - `'websocket'`: each text frame is one `{"sender":…,"channel":…,"message":…}`, and the server
 *   sends it to every other page.
 * - `'socket.io'`: a server of Socket.IO 1 to 4. Each message is an event with that object as its
 *   argument.
 * - `'signalr'`: a hub of ASP.NET Core SignalR, JSON protocol. Its method takes that object as a
 *   string and sends it to everyone.
 * - `'signalr-classic'`: the same with a hub of ASP.NET SignalR 2 (`$.connection`).
 * - `'sse'`: an HTTP server that broadcasts. Server-sent events receive; POST requests send, one
 *   after the other. Our relay has it at `<space>/sse`.
 */
export type Protocol = 'auto' | 'relay' | 'websocket' | 'socket.io' | 'signalr' | 'signalr-classic' | 'sse';

/** Options of one message. */
export interface SendOptions {
  /**
   * Milliseconds after which the message is stale. If it is still unsent then, it is dropped and
   * `onerror` fires with `message-expired`. Default: `ttl` of the channel's config.
   */
  ttl?: number | undefined;
}

/**
 * A channel as the WebRTC libraries use it: a plain, extensible object. Libraries may add members
 * and replace `send`.
 */
export interface Handle<Out = unknown> {
  /**
   * Sends one value to every other page that has the channel open. You may call it immediately:
   * messages wait in the outbox until the connection is open, and are sent in order. It doesn't
   * need `this`, so `const { send } = handle` works.
   *
   * Listeners of `beforeunload`, `pagehide`, `visibilitychange` and `freeze` may call it to say
   * goodbye. What an open connection can't take then is dropped, and `onerror` fires with
   * `message-expired`, so that it doesn't arrive when the page is back.
   *
   * @throws {TypeError} `bad-message`: JSON can't hold the value (`undefined`, a function, a
   * BigInt, a cycle). `bad-option`: `ttl` isn't a number of milliseconds.
   * @throws {SignalingError} `message-too-large`, `channel-closed` or `signaling-closed`;
   * `outbox-full` with the option `outbox.overflow: 'throw'` only.
   */
  send(message: Out, options?: SendOptions): void;
  /**
   * The channel's name, exactly as it is sent to the server (see the option `channel` for messages
   * that are sent without one).
   */
  readonly channel: string;
  /**
   * Closes the channel: `onmessage` isn't called any more, and `send` throws `channel-closed`. You
   * may call it twice.
   */
  close(): void;
}

/** What a page or a library passes to `openSignalingChannel` and `openSocket`. */
export interface ChannelConfig<In = any> {
  /**
   * The channel's name. Default: `channel` of the object whose method was called, else the option
   * `channel`.
   */
  channel?: string | number | null | undefined;
  /**
   * Called, as a method of the config, with each message that another page sends on the channel.
   */
  onmessage?: ((message: In) => void) | null | undefined;
  /**
   * Called once, as a method of the config, when the channel is ready: `openDelay` milliseconds
   * after the call, and not before `openWhen` allows it. Not called if there is a `callback`.
   */
  onopen?: (() => void) | null | undefined;
  /** Called instead of `onopen`, with the handle. */
  callback?: ((handle: Handle) => void) | null | undefined;
  /**
   * The `ttl` of every message that is sent on the channel without one of its own, in
   * milliseconds. Default: messages never expire. It keeps announcements that a library repeats
   * from going out all at once after an outage.
   */
  ttl?: number | undefined;
}

/**
 * `openSignalingChannel` or `openSocket`: takes a config, or only the function that receives the
 * messages.
 *
 * A channel has one receiver. If the same channel is opened again, the last config receives its
 * messages, and the earlier one receives none any more, as with the shim. Both handles can send. One
 * `console.warn` reports a member of a config that is a misspelt `channel`, `onmessage`, `onopen`,
 * `callback` or `ttl`; other unknown members are ignored.
 */
export type OpenChannel = <In = any, Out = unknown>(this: unknown, config: ChannelConfig<In> | ((message: In) => void)) => Handle<Out>;

/**
 * - `'idle'`: not connected, and it won't be by itself: no channel has been opened yet, or
 *   `disconnect()` was called.
 * - `'connecting'`: an attempt to connect is under way.
 * - `'open'`: connected.
 * - `'waiting'`: the connection was lost, and another attempt will follow.
 * - `'closed'`: closed for good.
 */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** Details of a change of state. */
export interface StateDetail {
  /** Why, in words. */
  readonly reason: string;
  /**
   * In the state `'waiting'`: milliseconds until the next attempt. Missing while the page is in the
   * back/forward cache.
   */
  readonly retryIn?: number;
  /** The WebSocket close code, if one ended the connection. */
  readonly code?: number;
}

/**
 * What a frame was, for `onframe`.
 *
 * - `'sent'`: a message of this page.
 * - `'delivered'`: received, for a channel that is open here.
 * - `'own'`: received, and sent by this page itself.
 * - `'foreign'`: received, for a channel that isn't open here.
 * - `'bad'`: received, and not an envelope.
 * - `'control'`: sent or received by the protocol itself, such as handshakes, heartbeats and
 *   acknowledgements.
 */
export type FrameKind = 'sent' | 'delivered' | 'own' | 'foreign' | 'bad' | 'control';

/**
 * How to reconnect: exponential backoff with full jitter. Each wait is a random time of up to
 * `base`, which doubles with each attempt up to `cap`.
 */
export interface Reconnect {
  /** The longest wait before the first attempt, in milliseconds. Default 500. */
  base?: number | undefined;
  /** The longest wait before any attempt, in milliseconds. Default 20000. */
  cap?: number | undefined;
  /** How many attempts in a row before the signaling is closed. Default `Infinity`. */
  attempts?: number | undefined;
}

/**
 * A heartbeat for plain servers, which have none of their own: a frame is sent regularly, and the
 * server must answer it with any frame, or return it. Without it a dead connection to such a server
 * shows only when the browser reports it, or when the network changes.
 */
export interface Heartbeat {
  /** The time between two frames, in milliseconds, at least 1000. Default 25000. */
  interval?: number | undefined;
  /**
   * How long the server may be silent after a frame, in milliseconds; any frame that it sends
   * counts. Then the connection is lost. Default 10000.
   */
  timeout?: number | undefined;
  /**
   * The frame. Default `'{"ping":1}'`, which pages ignore if the server sends it to them. Frames
   * from the server that aren't JSON, such as `'pong'`, count as answers and not as `bad`.
   */
  message?: string | undefined;
}

/**
 * Bounds of the outbox, which holds the messages that the server hasn't acknowledged (`'relay'` and
 * `'sse'`), or that the connection hasn't taken (other servers).
 */
export interface OutboxBounds {
  /** How many messages may wait. Default 1000. */
  messages?: number | undefined;
  /** How many bytes of JSON text may wait; each character counts two. Default 8388608 (8 MiB). */
  bytes?: number | undefined;
  /**
   * What happens to a message for which there is no room.
   *
   * - `'drop-oldest'`, the default: the oldest message that isn't in flight is dropped, and
   *   `onerror` fires with `outbox-full`. `send` doesn't throw, because it would stop the loops by
   *   which libraries repeat their announcements. If all that waits is in flight, or if the message
   *   is larger than the outbox, the new one is dropped.
   * - `'throw'`: `send` throws `outbox-full`.
   */
  overflow?: 'throw' | 'drop-oldest' | undefined;
}

/**
 * A value, or a function that returns it, which may be async. It is called on each attempt to
 * connect, and the attempt waits for it. `undefined` and `null` mean no value.
 */
export type Provided<T> = T | (() => T | null | undefined | PromiseLike<T | null | undefined>);

/**
 * Carries texts in place of the browser's WebSocket: an object of yours, for any signaling server.
 * `signal-wasm/transports` has ready ones.
 *
 * The library sets `onopen`, `onmessage` and `onclose` on the object before it calls `open`. Call
 * them when that happens. After `onclose` the library calls `open` again, as the option `reconnect`
 * says.
 */
export interface Transport {
  /**
   * Starts to connect. Call `onopen` when connected. Without this method the transport counts as
   * open from the start. If it throws or rejects, the connection counts as lost.
   */
  open?(): void | PromiseLike<void>;
  /**
   * Sends one text to all other pages.
   *
   * It may return a promise: the text is taken when that resolves, within 30 seconds, and not taken
   * when it rejects. Until then no other text is sent, unless `pipeline` is set. Any other result
   * is ignored, and the text is taken when `send` returns.
   *
   * If it throws or rejects, the connection counts as lost, and the text is sent again on the next
   * one; a message that fails twice is given up. But if the error's `code` is `'message-refused'`,
   * only this message is dropped, with the error's `message` as the reason for `onerror`
   * (`message-refused`), and the connection goes on.
   */
  send(text: string): unknown;
  /**
   * `true`: `send` may be called again while promises of earlier calls are pending, and the texts
   * arrive in order.
   */
  readonly pipeline?: boolean | undefined;
  /**
   * Disconnects. Called when the signaling is closed, or when the library takes the connection for
   * lost.
   */
  close?(): void;
  /** Set by the library. Call it when the connection is open. */
  onopen?: () => void;
  /** Set by the library. Call it with each text that another page sends. */
  onmessage?: (text: string) => void;
  /**
   * Set by the library. Call it, with the reason in words, when the connection is lost or can't be
   * made.
   */
  onclose?: (reason?: string) => void;
}

/**
 * Every option of `configure` and `new Signaling`. {@link Options} says which go with which
 * protocol.
 */
export interface AllOptions {
  /**
   * The server: `ws:`, `wss:`, `http:`, `https:` or relative to the page. Default: the page's
   * origin, path `/`. A function, which may be async, is called on each attempt to connect, for
   * example to put a fresh token into the address. (The path of such an address doesn't name a
   * Socket.IO namespace.)
   *
   * Relative addresses resolve as in `new WebSocket`: against `document.baseURI`, in a worker
   * against `self.location`. One that begins with a host, such as `'example.org/x'` or
   * `'localhost:8888'`, lacks its scheme, which is a `bad-url` error; a path that looks like that
   * is written `'./example.org/x'`.
   */
  url?: string | URL | (() => string | URL | PromiseLike<string | URL>) | undefined;
  /**
   * How messages travel between page and server. Default `'auto'`; `'websocket'` with a
   * `transport`.
   */
  protocol?: Protocol | undefined;
  /**
   * Carries texts in place of the browser's WebSocket. `url` isn't used then, and `protocol` can't
   * be `'sse'`.
   */
  transport?: Transport | undefined;
  /**
   * The subprotocols that each WebSocket offers: different names without spaces. The server must
   * choose one of them; browsers close the connection otherwise. Not used with a `transport` or
   * `'sse'`.
   */
  subprotocols?: readonly string[] | undefined;
  /**
   * Socket.IO: the path of the server's endpoint. Default `'/socket.io/'`. Without the first slash,
   * it is relative to the path in `url`. The last slash may be left out.
   */
  path?: string | undefined;
  /**
   * Socket.IO: the namespace, as the server names it. Default: the path in `url`, decoded
   * (`'/my room'`), as in Socket.IO's own client; `'/'` if `path` has no first slash.
   */
  namespace?: string | undefined;
  /** Socket.IO: the name of the event that carries messages. Default `'message'`. */
  event?: string | undefined;
  /**
   * Socket.IO: credentials, sent when the namespace is joined. Servers of Socket.IO 1 and 2 get
   * them in the query.
   */
  auth?: Provided<Record<string, unknown>> | undefined;
  /**
   * Socket.IO, SignalR and `'sse'`: members for the query of each address, also of those that a
   * SignalR hub redirects to.
   */
  query?: Record<string, string | number | boolean> | undefined;
  /**
   * SignalR: the client method that the hub calls with each message. Default `'onMessageReceived'`.
   * The hub may write ASCII letters of it as capitals or not.
   */
  target?: string | undefined;
  /** SignalR: the hub method that sends a string to everyone. Default `'Send'`. */
  method?: string | undefined;
  /**
   * The token that shows the server who the page's user is. A function, which may be async, is
   * called on each attempt to connect. If the server refuses the token and a function gives the same
   * again, it is tried five times more; the error is `authentication-refused`.
   *
   * With `'relay'`, the first frame has it, so that it isn't in the address, and a function is called
   * before it expires: the connection goes on with the new token. With `'auto'`, `'websocket'` and
   * `'sse'`, it is the query's `access_token`. Socket.IO's servers get it as `token` in `auth`. For
   * SignalR it is the bearer token; if a hub redirects to another origin, that gets the token which
   * the redirection brings, and never this one.
   */
  accessToken?: Provided<string> | undefined;
  /**
   * SignalR and `'sse'`: whether HTTP requests have cookies, as in `fetch`. Default `'include'`, as
   * in SignalR's own client: servers of other origins get theirs too, which cookie logins and
   * cookie affinity need. Such a server must then allow the page's origin by name (not with `*`)
   * and `Access-Control-Allow-Credentials: true`; for others, set `'same-origin'`. WebSockets
   * always have cookies, and with `'omit'` an event stream of the page's own origin has.
   */
  credentials?: 'include' | 'same-origin' | 'omit' | undefined;
  /**
   * SignalR and `'sse'`: headers for each HTTP request to the server that `url` names; if a hub
   * redirects to another origin, that doesn't get them. Browsers can't set headers of WebSockets
   * and of event streams. At another origin, they cause a CORS preflight.
   */
  headers?: Record<string, string> | undefined;
  /** ASP.NET Core SignalR: `true` opens the WebSocket without negotiation. Default `false`. */
  skipNegotiation?: boolean | undefined;
  /** Classic SignalR: the hub's name. Default `'webRtcHub3'`. */
  hub?: string | undefined;
  /**
   * The channel's name if neither the config nor `this` has one. Default `'main-channel'`. With
   * `null`, such a call throws `no-channel`.
   *
   * The channel also receives messages that have no channel. If this option isn't set, such a call
   * of `openSignalingChannel` also sends them without one, as the shim does, so that old pages of
   * libraries that name no channel (RTCMultiConnection 1.0) hear them.
   */
  channel?: string | null | undefined;
  /**
   * Milliseconds until a channel is ready. Default 1000 with `openWhen: 'timer'`, 0 with
   * `'connected'`. With `'connected'`, a channel whose first message comes earlier is ready then.
   */
  openDelay?: number | undefined;
  /**
   * What a channel's `onopen` or `callback` waits for: `'timer'`, for `openDelay` only, as the shim
   * does; `'connected'`, for the connection too. With `'connected'`, `onmessage` is never called
   * before it. Default `'timer'`.
   */
  openWhen?: 'timer' | 'connected' | undefined;
  /**
   * The longest frame with a message, in bytes: UTF-8, with the envelope and after the protocol's
   * escaping, which with SignalR makes two bytes of each quote. `send` throws `message-too-large`
   * for a longer one. Much longer received frames are dropped.
   *
   * Default 1000000, which our relay and Socket.IO servers accept by default. If a Socket.IO server
   * announces a lower limit, that is obeyed. A hub of ASP.NET Core accepts 32 KiB (32768) by
   * default. Over a longer message it closes the connection and allows reconnecting: the message is
   * reported by `onerror` (`message-given-up`), and those sent after it are sent again.
   */
  maxMessage?: number | undefined;
  /** Bounds of the outbox. */
  outbox?: OutboxBounds | undefined;
  /** How to reconnect; `false` means never. */
  reconnect?: Reconnect | false | undefined;
  /**
   * How long each step of connecting may take, in milliseconds: opening the WebSocket, a request, an
   * answer of the handshake. Default 10000. An attempt that ends while the browser is still opening
   * the WebSocket doesn't count for `reconnect.attempts`: Firefox holds a WebSocket back for up to a
   * minute after failures.
   */
  connectTimeout?: number | undefined;
  /**
   * ASP.NET Core SignalR: how long the hub may be silent, in milliseconds. Default 30000; it should
   * be twice the hub's `KeepAliveInterval`. (Socket.IO, ASP.NET SignalR 2 and our relay announce it.)
   */
  serverTimeout?: number | undefined;
  /**
   * ASP.NET Core SignalR: the time between two pings of the page, in milliseconds, at least 1000.
   * Default 15000; it should be half of the hub's `ClientTimeoutInterval`.
   */
  keepAlive?: number | undefined;
  /** `'websocket'`, and `'auto'` with a server that isn't our relay: a heartbeat. */
  heartbeat?: Heartbeat | undefined;
  /**
   * Called after each change of state. A transport that opens synchronously does so inside the
   * first call that opens a channel.
   */
  onstatechange?: ((state: State, detail: StateDetail) => void) | null | undefined;
  /**
   * Called with the name of a channel on which messages may have been missed: our relay was
   * restarted, or no longer has what was sent while the connection was down. Other servers don't
   * report this, except for `'sse'` servers that send events of the type `gap`.
   */
  ongap?: ((channel: string) => void) | null | undefined;
  /**
   * Called with errors outside your calls: a bad frame (the first only), a message that was refused
   * or dropped, a connection that is lost for good.
   */
  onerror?: ((error: SignalingError) => void) | null | undefined;
  /**
   * Called with each frame, for inspectors. It costs time on every frame. A received binary frame
   * that isn't UTF-8 text is an `ArrayBuffer`, as is the data that Socket.IO sends in binary.
   */
  onframe?: ((kind: FrameKind, frame: string | ArrayBuffer) => void) | null | undefined;
}

/** The options of some protocols only. */
type SpecialOption =
  | 'transport'
  | 'subprotocols'
  | 'heartbeat'
  | 'path'
  | 'namespace'
  | 'event'
  | 'auth'
  | 'query'
  | 'target'
  | 'method'
  | 'hub'
  | 'skipNegotiation'
  | 'serverTimeout'
  | 'keepAlive'
  | 'credentials'
  | 'headers';

/** The options of all protocols, and these special ones. */
type OptionsWith<Special extends SpecialOption> = Omit<AllOptions, 'protocol' | Exclude<SpecialOption, Special>> & {
  [Other in Exclude<SpecialOption, Special>]?: undefined;
};

/**
 * The options of `configure` and `new Signaling`. `protocol` decides which others there are:
 * `{ protocol: 'signalr', namespace: '/x' }` doesn't compile.
 *
 * @example
 * const options: Options = { url: 'https://example.org/hub', protocol: 'signalr', accessToken: async () => token };
 */
export type Options =
  | ({ protocol?: 'auto' | 'websocket' | undefined } & OptionsWith<'transport' | 'subprotocols' | 'heartbeat'>)
  | ({ protocol: 'relay' } & OptionsWith<'transport' | 'subprotocols'>)
  | ({ protocol: 'socket.io' } & OptionsWith<'transport' | 'subprotocols' | 'path' | 'namespace' | 'event' | 'auth' | 'query'>)
  | ({ protocol: 'signalr' } & OptionsWith<
      'transport' | 'subprotocols' | 'query' | 'target' | 'method' | 'skipNegotiation' | 'serverTimeout' | 'keepAlive' | 'credentials' | 'headers'
    >)
  | ({ protocol: 'signalr-classic' } & OptionsWith<'transport' | 'subprotocols' | 'query' | 'target' | 'method' | 'hub' | 'credentials' | 'headers'>)
  | ({ protocol: 'sse' } & OptionsWith<'query' | 'credentials' | 'headers'>);

/** The codes of errors. They are stable; the sentences of the errors may change. */
export type SignalingErrorCode =
  | 'bad-config'
  | 'bad-option'
  | 'unknown-option'
  | 'bad-url'
  | 'no-channel'
  | 'bad-message'
  | 'message-too-large'
  | 'outbox-full'
  | 'buffer-full'
  | 'channel-closed'
  | 'signaling-closed'
  | 'in-use'
  | 'bad-frame'
  | 'connection-failed'
  | 'message-refused'
  | 'message-expired'
  | 'message-given-up'
  | 'authentication-refused'
  | 'no-randomness'
  | 'not-initialised';

/**
 * An error of this library. Wrong arguments are a `TypeError` with a `code`; all others have the
 * name `SignalingError`.
 */
export interface SignalingError extends Error {
  readonly name: 'SignalingError' | 'TypeError';
  readonly code: SignalingErrorCode;
}

/** Counters since the signaling was created. */
export interface Stats {
  /** Messages passed to the connection. A message that is sent again counts again. */
  readonly sent: number;
  /**
   * Length of all frames passed to the connection, in UTF-16 code units (bytes, if a text is
   * ASCII).
   */
  readonly sentBytes: number;
  /** Length of all frames received, in UTF-16 code units (bytes, if a text is ASCII). */
  readonly receivedBytes: number;
  /** Frames received, of all kinds. If a frame holds several messages, each counts. */
  readonly received: number;
  /** Frames received for a channel that is open here. */
  readonly delivered: number;
  /** Frames received that this page itself had sent. */
  readonly own: number;
  /** Frames received for channels that aren't open here. */
  readonly foreign: number;
  /**
   * Frames received that aren't envelopes: not JSON, not an object, binary data that isn't UTF-8
   * text, or longer than `maxMessage` allows.
   */
  readonly bad: number;
  /**
   * Frames received that belong to the protocol itself: handshakes, heartbeats, acknowledgements,
   * other events.
   */
  readonly control: number;
  /**
   * Messages dropped, each reported by `onerror`: `message-expired`, `message-given-up` or
   * `outbox-full`.
   */
  readonly dropped: number;
  /** How often `ongap` fired. */
  readonly gaps: number;
  /** Messages waiting in the outbox. */
  readonly queued: number;
  /** Bytes of the messages in the outbox; each character counts two. */
  readonly queuedBytes: number;
  /** Open channels. */
  readonly channels: number;
  /** How often a connection was established. */
  readonly connects: number;
  /** How often a connection was established again after a loss. */
  readonly reconnects: number;
  /**
   * The last round trip to our relay, in milliseconds. `undefined` with servers that measure none.
   */
  readonly roundTrip: number | undefined;
  /**
   * The protocol spoken on the open connection. `undefined` without a connection, and as long as
   * `'auto'` waits for the server's first frame: then it is `'relay'`, or else `'websocket'`.
   */
  readonly protocol: Exclude<Protocol, 'auto'> | undefined;
  /**
   * Whether the server of the open connection is our relay, whatever the protocol. With `'sse'` this
   * is known with the first event, which comes just after the connection is open.
   */
  readonly relay: boolean;
}

/** An event `statechange` of a signaling. */
export interface StateChangeEvent extends Event, StateDetail {
  /** The new state. */
  readonly state: State;
}

/** An event `gap` of a signaling: messages on a channel may have been missed. */
export interface GapEvent extends Event {
  /** The channel's name. */
  readonly channel: string;
}

/** An event `error` of a signaling. */
export interface SignalingErrorEvent extends Event {
  /** What went wrong outside your calls. */
  readonly error: SignalingError;
}

/** An event `frame` of a signaling. */
export interface FrameEvent extends Event {
  /** What it was. */
  readonly kind: FrameKind;
  /** The frame: see {@link Options.onframe}. */
  readonly frame: string | ArrayBuffer;
}

/**
 * The events of a signaling. Each comes after the call of the handler of the same name
 * (`onstatechange`, …), which stays beside them.
 */
export interface SignalingEventMap {
  statechange: StateChangeEvent;
  gap: GapEvent;
  error: SignalingErrorEvent;
  frame: FrameEvent;
}

/** An option that ends an operation. */
export interface Abortable {
  /** When it is aborted, the promise rejects with its `reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of one message that the page waits for. */
export interface PublishOptions extends SendOptions, Abortable {}

/** Options of a channel. */
export interface ChannelOptions {
  /** When it is aborted, the channel is closed. */
  signal?: AbortSignal | undefined;
}

/** The events of a channel. */
export interface ChannelEventMap<In = unknown> {
  /** Another page has sent a message: `event.data`. */
  message: MessageEvent<In>;
  /** The channel was closed, or the signaling was. */
  close: Event;
}

/**
 * A channel with several listeners, as {@link Signaling.channel} opens it. `In` is what the other
 * pages send, which nobody checks for you.
 *
 * `for await (const message of channel)` takes one message after the other, and ends when the
 * channel is closed. Each loop has its own buffer, for what comes while the page handles a message:
 * 1000 messages. Beyond that the oldest is dropped, and the signaling's `onerror` and event `error`
 * say so (`buffer-full`).
 */
export interface Channel<In = unknown, Out = unknown> extends EventTarget, AsyncIterable<In> {
  /** The channel's name. */
  readonly name: string;
  /**
   * Calls `listener` with each message. Returns a function that ends that; `signal` and `once` do,
   * too.
   *
   * @example
   * const off = channel.on((message) => show(message));
   * off();
   */
  on(listener: (message: In) => void, options?: AddEventListenerOptions): () => void;
  /**
   * Sends a message, as {@link Handle.send} does, whose errors it throws. What happens to it later is
   * reported by `onerror` and the event `error` only.
   */
  send(message: Out, options?: SendOptions): void;
  /**
   * Sends a message. The promise resolves when the server has accepted it, as far as the server says
   * so; see {@link Signaling.flushed}. It waits as long as the page isn't connected.
   *
   * It rejects with the error of `send` (`bad-message`, `message-too-large`, …), or with that of
   * `onerror`, which fires too: `message-expired`, `message-refused`, `message-given-up`,
   * `outbox-full`. `signaling-closed`: the signaling was closed before. A `signal` that is aborted
   * takes the message back; one that is on its way may still arrive.
   *
   * @example
   * await channel.publish({ candidate }, { ttl: 5000, signal: AbortSignal.timeout(10_000) });
   */
  publish(message: Out, options?: PublishOptions): Promise<void>;
  /** Closes the channel, and ends all loops over it. You may call it twice. */
  close(): void;
  /** The same as `close()`. Missing in browsers that have no `Symbol.dispose`. */
  [Symbol.dispose](): void;
  /** Takes one message after the other. */
  [Symbol.asyncIterator](): AsyncGenerator<In, void, undefined>;
  addEventListener<Type extends keyof ChannelEventMap>(
    type: Type,
    listener: (this: Channel<In, Out>, event: ChannelEventMap<In>[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Type extends keyof ChannelEventMap>(
    type: Type,
    listener: (this: Channel<In, Out>, event: ChannelEventMap<In>[Type]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/**
 * One logical connection to a server. It connects when its first channel is opened, or by
 * `connect()`. Like a native WebSocket, it lives until `close()`, whether or not the page keeps a
 * reference to it.
 *
 * @example
 * const signaling = new Signaling({ url: 'wss://example.org/' });
 * signaling.addEventListener('statechange', ({ state, reason }) => console.log(state, reason));
 * const chat = signaling.channel('chat');
 * chat.on((message) => console.log(message));
 * await chat.publish('Hello!');
 */
export class Signaling extends EventTarget {
  /**
   * @throws {TypeError} `bad-option`, `unknown-option` or `bad-url`, naming the member and the
   * value.
   * @throws {SignalingError} `no-randomness`: the browser has no `crypto.getRandomValues`.
   */
  constructor(options?: Options);
  /**
   * Sets `connection.openSignalingChannel`, for RTCMultiConnection 1 and 2, DataChannel.js and
   * similar libraries, and returns the connection.
   *
   * @throws {TypeError} `bad-config`: the member can't be set.
   * @throws {SignalingError} `signaling-closed`.
   */
  attach<C extends object>(connection: C): C & { openSignalingChannel: OpenChannel };
  /** Opens a channel. Assign it to any object; that object's `channel` is the default name. */
  readonly openSignalingChannel: OpenChannel;
  /** Opens a channel. Assign it to the config object of a standalone experiment. */
  readonly openSocket: OpenChannel;
  /**
   * Opens a channel that may have several listeners, and may be opened several times: each opening
   * receives all messages, until it is closed itself. {@link Signaling.openSocket} of the same name
   * takes the messages over, as always, until that is closed.
   *
   * @throws {TypeError} `bad-config`: the name isn't a string or a number. `no-channel`: it is left
   * out, and the option `channel` is `null`.
   * @throws {SignalingError} `signaling-closed`. `connection-failed`: the browser refused to connect.
   *
   * @example
   * const moves = signaling.channel<Move>('game', { signal });
   * for await (const move of moves) await play(move);
   */
  channel<In = unknown, Out = unknown>(name?: string | number, options?: ChannelOptions): Channel<In, Out>;
  /**
   * Connects, before the first channel is opened or after `disconnect()`; in other states it changes
   * nothing. Returns the promise `connected`. A `signal` that is aborted ends the waiting, not the
   * attempts.
   */
  connect(options?: Abortable): Promise<void>;
  /**
   * Resolves when the signaling is connected. It never connects by itself, and a failed attempt
   * changes nothing, since others follow. If the connection is lost for good, it rejects with the
   * error that `onerror` is called with: `connection-failed` or `authentication-refused`. It rejects
   * with `signaling-closed` after `close()`. Neither is an unhandled rejection if no code waits for
   * it.
   *
   * @example
   * await signaling.connected;
   */
  readonly connected: Promise<void>;
  /**
   * Disconnects until `connect()` or `reconnect()` is called. The state is `'idle'` meanwhile, and no
   * timer, no change of the network and no other channel connects. Channels stay open, messages wait
   * in the outbox (a `ttl` goes on), and our relay keeps the session, so that what others send
   * arrives later.
   */
  disconnect(): void;
  /**
   * Tries at once, where the state is `'waiting'`. Where it is `'open'`, ends the connection and makes
   * another. Connects where it is `'idle'`; an attempt that is under way goes on.
   *
   * @throws {SignalingError} `signaling-closed`.
   */
  reconnect(): void;
  /**
   * Closes the connection and every channel for good. What waits in the outbox goes out first if the
   * connection is open; otherwise it is dropped. You may call it twice.
   */
  close(): void;
  /**
   * The same as `close()`, so that `using signaling = new Signaling()` closes it at the end of the
   * block. Missing in browsers that have no `Symbol.dispose`; call `close()` there.
   */
  [Symbol.dispose](): void;
  /**
   * The `sender` of this page's messages: 53 random bits.
   *
   * @throws {SignalingError} `not-initialised`, also from `stats()`: with the entries `inline` and
   * `global`, Chromium before 115 is still compiling the module.
   */
  readonly userid: number;
  /** The state of the connection. It is current inside every handler, too. */
  readonly state: State;
  /** A snapshot of the counters. */
  stats(): Stats;
  /**
   * Resolves when the server has accepted everything sent before this call, except for dropped
   * messages, which `onerror` reports. Only our relay, `'sse'` servers and SignalR hubs say so.
   * Other servers only say that they don't accept a message, by closing the connection: with them
   * it resolves when that hasn't happened for about a second. Rejects with `signaling-closed` if
   * the signaling is closed first.
   */
  flushed(options?: Abortable): Promise<void>;
  /** Resolves, with the reason, when the signaling is closed for good. It never rejects. */
  readonly closed: Promise<StateDetail>;
  /** See {@link Options.onstatechange}. */
  get onstatechange(): Options['onstatechange'];
  set onstatechange(handler: Options['onstatechange']);
  /** See {@link Options.ongap}. */
  get ongap(): Options['ongap'];
  set ongap(handler: Options['ongap']);
  /** See {@link Options.onerror}. */
  get onerror(): Options['onerror'];
  set onerror(handler: Options['onerror']);
  /** See {@link Options.onframe}. */
  get onframe(): Options['onframe'];
  set onframe(handler: Options['onframe']);
  /** Listeners of `frame` cost time on every frame, from the first one on. */
  addEventListener<Type extends keyof SignalingEventMap>(
    type: Type,
    listener: (this: Signaling, event: SignalingEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Type extends keyof SignalingEventMap>(
    type: Type,
    listener: (this: Signaling, event: SignalingEventMap[Type]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/**
 * Creates the default signaling, which `openSignalingChannel` and `openSocket` use, and returns it.
 * Call it before you open the first channel. Without it they use the page's origin and the default
 * options.
 *
 * A call that is repeated with the same options returns the same signaling, unless that is closed,
 * so a module may be loaded again (Fast Refresh) and an effect may run twice (StrictMode). Options
 * are the same if JSON writes them alike; functions and `transport` must be the very same ones. The
 * handlers `onstatechange`, `ongap`, `onerror` and `onframe` aren't compared: those of the latest
 * call count.
 *
 * @throws {TypeError} `bad-option`, `unknown-option` or `bad-url`, naming the member and the value.
 * @throws {SignalingError} `in-use`: the default signaling is connected already, with other options.
 * `no-randomness`: the browser has no `crypto.getRandomValues`.
 *
 * @example
 * configure({ url: 'wss://example.org/', protocol: 'socket.io' });
 */
export function configure(options?: Options): Signaling;

/**
 * Opens a channel of the default signaling. Drop-in for the shim:
 * `connection.openSignalingChannel = openSignalingChannel`.
 *
 * @throws {TypeError} `bad-config` or `no-channel`. `bad-url`: without `configure`, the page's
 * origin must be a server.
 * @throws {SignalingError} `signaling-closed`. `connection-failed`: the browser refused to connect.
 *
 * @example
 * connection.openSignalingChannel = openSignalingChannel;
 */
export function openSignalingChannel<In = any, Out = unknown>(this: unknown, config: ChannelConfig<In> | ((message: In) => void)): Handle<Out>;

/**
 * Opens a channel of the default signaling. Drop-in for the shim:
 * `var config = { openSocket: openSocket }`.
 *
 * @throws {TypeError} `bad-config` or `no-channel`. `bad-url`: without `configure`, the page's
 * origin must be a server.
 * @throws {SignalingError} `signaling-closed`. `connection-failed`: the browser refused to connect.
 *
 * @example
 * const { send } = openSocket({ channel: 'room', onmessage: (message) => console.log(message) });
 * send('hello');
 */
export function openSocket<In = any, Out = unknown>(this: unknown, config: ChannelConfig<In> | ((message: In) => void)): Handle<Out>;
