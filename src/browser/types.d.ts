// The public types of signal-wasm, written by hand and shipped as they stand (docs and all) with every entry of the package.

// `Symbol.dispose` is younger than the default library of most projects; without this line their strict check fails in our file.
/// <reference lib="esnext.disposable" />

/** Anything that JSON can hold. What you `send` is what the other pages' `onmessage` gets. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json | undefined };

/**
 * How envelopes travel in frames.
 *
 * - `'auto'`: as with our own relay where the server is one, which its first frame tells; `'websocket'` elsewhere. Nothing is added to the address.
 * - `'relay'`: our own relay, and nothing else. What is sent is acknowledged, and a connection that comes back gets what it missed.
 * - `'websocket'`: each text frame is one `{"sender":…,"channel":…,"message":…}`, and the server hands it to every other page.
 * - `'socket.io'`: an event with that object as its argument. Servers of Socket.IO 1 to 4.
 * - `'signalr'`: a hub of ASP.NET Core SignalR, JSON protocol, whose method takes the envelope as a string and hands it to everyone.
 * - `'signalr-classic'`: the same with a hub of ASP.NET SignalR 2, the `$.connection` one.
 */
export type Protocol = 'auto' | 'relay' | 'websocket' | 'socket.io' | 'signalr' | 'signalr-classic';

/** What may be said of a message. */
export interface SendOptions {
  /**
   * Milliseconds after which the message is worth nothing, such as an ICE candidate: if no connection was handed it by then, it is
   * dropped, and `onerror` told (`message-expired`). Default: it waits for ever.
   */
  ttl?: number | undefined;
}

/**
 * The two ends of a channel as the WebRTC libraries use them: a plain, extensible object.
 * Libraries write members of their own on it and replace `send`; both are fine.
 */
export interface Handle<Out = unknown> {
  /**
   * Sends one value to every other page that has the channel open. Callable at once: what is sent before the connection is
   * open waits in the outbox and goes out in order. May be taken off the handle (`const { send } = handle`).
   *
   * @throws {TypeError} `bad-message`: JSON can't hold the value (`undefined`, a function, a BigInt, a cycle). `bad-option`: `ttl` is no number of milliseconds.
   * @throws {SignalingError} `message-too-large`, `outbox-full`, `channel-closed` or `signaling-closed`.
   */
  send(message: Out, options?: SendOptions): void;
  /** The channel's name, the very string that is used on the wire. */
  readonly channel: string;
  /** Closes the channel: no message of it is delivered from now on, and `send` throws `channel-closed`. Closing twice is fine. */
  close(): void;
}

/** What a page or library hands to `openSignalingChannel` and `openSocket`. */
export interface ChannelConfig<In = any> {
  /** The channel's name. Default: `this.channel` of the object that the function hangs on, else the option `channel`. */
  channel?: string | number | null | undefined;
  /** Called as a method of the config with each message that another page sent on the channel. */
  onmessage?: ((message: In) => void) | null | undefined;
  /** Readiness: called once, as a method of the config, `openDelay` milliseconds after the call. Not called if there is a `callback`. */
  onopen?: (() => void) | null | undefined;
  /** Readiness, instead of `onopen`, with the handle. */
  callback?: ((handle: Handle) => void) | null | undefined;
}

/** An open function of ours: takes a config, or just the function that is to get the messages. */
export type OpenChannel = <In = any, Out = unknown>(this: unknown, config: ChannelConfig<In> | ((message: In) => void)) => Handle<Out>;

/** `'idle'`: no channel was opened yet. `'waiting'`: the connection was lost, the next attempt has its time. `'closed'`: for good. */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** What goes with a change of state. */
export interface StateDetail {
  /** Why, in words. */
  readonly reason: string;
  /** In state `waiting`: milliseconds until the next attempt. */
  readonly retryIn?: number;
  /** The WebSocket close code that ended the connection, if it was one that ended it. */
  readonly code?: number;
}

/** Which frame went by, for `onframe`. `'control'` is the protocol's own: handshakes, heartbeats, acknowledgements, received or sent. */
export type FrameKind = 'sent' | 'delivered' | 'own' | 'foreign' | 'bad' | 'control';

/** How to reconnect: full-jitter exponential backoff. */
export interface Reconnect {
  /** The first attempt comes after a random time of up to this many milliseconds, each further one up to twice as late. Default 500. */
  base?: number | undefined;
  /** The longest wait, in milliseconds. Default 20000. */
  cap?: number | undefined;
  /** How many attempts in a row before the signaling is closed. Default `Infinity`. */
  attempts?: number | undefined;
}

/** Bounds of the outbox: the messages that the server hasn't taken. Through our relay a message is taken when it was acknowledged, else when the connection has it. */
export interface OutboxBounds {
  /** How many messages may wait. Default 1000. */
  messages?: number | undefined;
  /** How many bytes of JSON text may wait, two for each character, as memory has them. Default 8388608 (8 MiB). */
  bytes?: number | undefined;
}

/**
 * A value, or a function that gives it, at once or later. It is asked on each attempt to connect, for as long as it takes; `undefined` and `null` stand for
 * nothing to say.
 */
export type Provided<T> = T | (() => T | null | undefined | PromiseLike<T | null | undefined>);

/**
 * What carries frames in place of the browser's WebSocket: an object of yours, for any signaling server. Ready ones are in
 * `signal-wasm/transports`.
 *
 * The library puts `onopen`, `onmessage` and `onclose` on the object before it calls `open`; call them when that happens. After `onclose` comes
 * another `open`, as the option `reconnect` has it.
 */
export interface Transport {
  /**
   * Begin to connect, and call `onopen` when done. Without this method the transport is open from the start. What it throws, or rejects with if it
   * is async, counts as a lost connection.
   */
  open?(): void | PromiseLike<void>;
  /** Hand one text to all the others. What it throws counts as a lost connection, and the text is sent again on the next one. */
  send(text: string): void;
  /** Let go of the connection: the signaling was closed, or takes the connection for lost. */
  close?(): void;
  /** Set by the library: the connection is there. */
  onopen?: () => void;
  /** Set by the library: another page's `send`. */
  onmessage?: (text: string) => void;
  /** Set by the library: the connection is gone, or couldn't be had, and why. */
  onclose?: (reason?: string) => void;
}

/** The options of `configure` and `new Signaling`. */
export interface Options {
  /**
   * The server: `ws:`, `wss:`, `http:`, `https:` or relative to the page. Default: the page's own origin, path `/`. A function, which may be async, is asked
   * on each attempt to connect: for a token in the address, or for another server. (An address from a function names no namespace of Socket.IO.)
   */
  url?: string | URL | (() => string | URL | PromiseLike<string | URL>) | undefined;
  /** How envelopes travel in frames. Default `'auto'`; `'websocket'` with a `transport`. */
  protocol?: Protocol | undefined;
  /** What carries frames instead of the browser's WebSocket. There is no `url` then. */
  transport?: Transport | undefined;
  /** Socket.IO: where on the server it is. Default `'/socket.io/'`. A path without the first slash goes on from the one in `url`. */
  path?: string | undefined;
  /** Socket.IO: the namespace. Default: the path in `url`, as with Socket.IO's own client; `'/'` if `path` has no first slash. */
  namespace?: string | undefined;
  /** Socket.IO: the event that carries envelopes. Default `'message'`. */
  event?: string | undefined;
  /** Socket.IO: what the server is to know of the client. Sent on connecting to the namespace; to servers of Socket.IO 1 and 2 as part of the query. */
  auth?: Provided<Record<string, unknown>> | undefined;
  /** Socket.IO and SignalR: members for the query of each address. */
  query?: Record<string, string | number | boolean> | undefined;
  /** SignalR: the method of ours that the hub calls with what others sent. Default `'onMessageReceived'`. */
  target?: string | undefined;
  /** SignalR: the hub's method that hands a string to everyone. Default `'Send'`. */
  method?: string | undefined;
  /** SignalR: the bearer token. */
  accessToken?: Provided<string> | undefined;
  /** SignalR: `true`: open the WebSocket at once, for servers that are asked to. Default `false`. */
  skipNegotiation?: boolean | undefined;
  /** Classic SignalR: the hub's name. Default `'webRtcHub3'`. */
  hub?: string | undefined;
  /** The channel that is used where neither the config nor `this` names one. Default `'main-channel'`; `null`: there is none, naming one is a must. */
  channel?: string | null | undefined;
  /** Milliseconds from the call to readiness. Default 1000 with `openWhen: 'timer'`, 0 with `'connected'`. */
  openDelay?: number | undefined;
  /** What readiness waits for: just the timer, as the shim does, or also the connection. Default `'timer'`. */
  openWhen?: 'timer' | 'connected' | undefined;
  /** The longest message taken, in characters of its JSON text. (A hub of ASP.NET Core takes 32 KiB unless told otherwise, and closes the connection for good.) Longer frames that are received are dropped. Default 1000000, which our relay and Socket.IO servers take. */
  maxMessage?: number | undefined;
  /** Bounds of the outbox. */
  outbox?: OutboxBounds | undefined;
  /** How to reconnect, or `false`: never. */
  reconnect?: Reconnect | false | undefined;
  /** Called after each change of state. A transport that is open at once is so within the first call that opens a channel. */
  onstatechange?: ((state: State, detail: StateDetail) => void) | null | undefined;
  /** Called with the name of a channel on which messages may have been missed: our relay no longer had what came while the connection was down, or was itself started anew. */
  ongap?: ((channel: string) => void) | null | undefined;
  /** Called with what went wrong outside a call of yours: a frame that isn't an envelope (the first only), a message that the server refused, a message that was dropped, a lost connection that is final. */
  onerror?: ((error: SignalingError) => void) | null | undefined;
  /** For inspectors: called with every frame that goes by. Costs time; leave it out otherwise. */
  onframe?: ((kind: FrameKind, frame: string) => void) | null | undefined;
}

/** The codes of our errors; they are stable, the sentences are not. */
export type SignalingErrorCode =
  | 'bad-config'
  | 'bad-option'
  | 'unknown-option'
  | 'bad-url'
  | 'no-channel'
  | 'bad-message'
  | 'message-too-large'
  | 'outbox-full'
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

/** An error of ours. Wrong arguments are a `TypeError` with a `code`; all else has the name `SignalingError`. */
export interface SignalingError extends Error {
  readonly name: 'SignalingError' | 'TypeError';
  readonly code: SignalingErrorCode;
}

/** Counters since the signaling was made. */
export interface Stats {
  /** Messages handed to the connection. What is sent again after a lost connection counts again. */
  readonly sent: number;
  /** The length of all frames handed to the connection, and received: in UTF-16 code units, which are bytes as long as a text is ASCII. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Frames received, of whatever kind. Where a frame holds several messages, each counts. */
  readonly received: number;
  /** Received frames whose message went to a channel of this page. */
  readonly delivered: number;
  /** Received frames that this page had sent itself. */
  readonly own: number;
  /** Received frames for channels that this page hasn't open. */
  readonly foreign: number;
  /** Received frames that are no envelope: not JSON, not an object, binary, over `maxMessage`. */
  readonly bad: number;
  /** Received frames of the protocol itself: handshakes, heartbeats, acknowledgements, other events. */
  readonly control: number;
  /** Messages that were dropped, each told by `onerror`: past their `ttl`, or given up because they brought the connection down twice. */
  readonly dropped: number;
  /** How often `ongap` had something to tell. */
  readonly gaps: number;
  /** Messages that wait in the outbox, and their bytes. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Channels that are open. */
  readonly channels: number;
  /** How often a connection came up. */
  readonly connects: number;
  /** How often one came up after an earlier one was lost. */
  readonly reconnects: number;
  /** The last round trip to our relay and back, in milliseconds; `undefined` where the server measures none. */
  readonly roundTrip: number | undefined;
}

/**
 * One logical connection to a server. It connects when its first channel is opened, and it lives until `close()`, whether or not the
 * page keeps a reference to it, like a native WebSocket.
 */
export class Signaling {
  /** @throws {TypeError} `bad-option`, `unknown-option` or `bad-url`, naming the member and the value. */
  constructor(options?: Options);
  /** Sets `connection.openSignalingChannel`, for RTCMultiConnection 1 and 2, DataChannel.js and their like; returns the connection. */
  attach<C extends object>(connection: C): C & { openSignalingChannel: OpenChannel };
  /** Opens a channel, for the hook of that name. May hang on any object: `this.channel` is that object's. */
  readonly openSignalingChannel: OpenChannel;
  /** Opens a channel, for the hook of that name. */
  readonly openSocket: OpenChannel;
  /** Closes the connection and every channel for good. Closing twice is fine. */
  close(): void;
  /** Same as `close()`, so that `using signaling = new Signaling()` closes at the end of its block. */
  [Symbol.dispose](): void;
  /** The `sender` of this page's messages: 53 random bits. */
  readonly userid: number;
  /** Where the connection stands. */
  readonly state: State;
  /** A snapshot of the counters. */
  stats(): Stats;
  /**
   * Resolves when the server has taken all that was sent before this call. Rejects with `signaling-closed` if the signaling is closed before that; what was
   * dropped in between was told by `onerror`.
   */
  flushed(): Promise<void>;
  /** Resolves when the signaling is closed for good, with why. It never rejects. */
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
}

/**
 * Makes the default signaling, which `openSignalingChannel` and `openSocket` use, and returns it.
 * Call it before the first of them; without it they use the page's own origin and the defaults.
 *
 * @throws {TypeError} `bad-option`, `unknown-option` or `bad-url`, naming the member and the value.
 * @throws {SignalingError} `in-use`: a channel of the default signaling is open already.
 */
export function configure(options?: Options): Signaling;

/**
 * Opens a channel of the default signaling. Drop-in for the shim: `connection.openSignalingChannel = openSignalingChannel`.
 *
 * @throws {TypeError} `bad-config` or `no-channel`.
 */
export function openSignalingChannel<In = any, Out = unknown>(this: unknown, config: ChannelConfig<In> | ((message: In) => void)): Handle<Out>;

/**
 * Opens a channel of the default signaling. Drop-in for the shim: `var config = { openSocket: openSocket }`.
 *
 * @throws {TypeError} `bad-config` or `no-channel`.
 */
export function openSocket<In = any, Out = unknown>(this: unknown, config: ChannelConfig<In> | ((message: In) => void)): Handle<Out>;
