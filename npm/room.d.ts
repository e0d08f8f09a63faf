// Types of `signal-wasm/room`: who is there, and messages between them, over any signaling.

import type { Signaling } from './signal_wasm.js';

/** Options of {@link joinRoom}. */
export interface RoomOptions<Data = unknown> {
  /**
   * What the other pages see of this one, as {@link Peer.data}: a value of which the JSON text has up
   * to 16,384 characters.
   */
  data?: Data | undefined;
  /**
   * Encrypts everything that the pages send each other, from end to end: with AES-GCM, and a key
   * that is derived from the password and the room's name. No server reads it, makes it up, or
   * plays it again. Pages with another password, or none, don't see each other; they get the event
   * `error` with the code `wrong-password`. The room's name isn't encrypted, nor who sends how much
   * at what time. It needs a page that comes by HTTPS or from localhost.
   */
  password?: string | undefined;
  /** Leaves the room when it is aborted, or gives up joining it. */
  signal?: AbortSignal | undefined;
}

/** Another page in a room. */
export interface Peer<Data = unknown, Message = unknown> {
  /** 128 random bits, in hexadecimal. A page that joins again has another one. */
  readonly id: string;
  /** What the page shows. */
  readonly data: Data;
  /** Sends a message to this page alone. See {@link Room.send}. */
  send(message: Message): void;
}

/** The event `join` or `update` of a {@link Room}. */
export interface PeerEvent<Data = unknown, Message = unknown> extends Event {
  readonly peer: Peer<Data, Message>;
}

/** The event `leave` of a {@link Room}. */
export interface LeaveEvent<Data = unknown, Message = unknown> extends PeerEvent<Data, Message> {
  /** The page hasn't said that it leaves: its connection is gone. It may come back. */
  readonly isLost: boolean;
}

/** The event `message` of a {@link Room}. */
export interface RoomMessageEvent<Data = unknown, Message = unknown> extends Event {
  /** Who has sent it. */
  readonly peer: Peer<Data, Message>;
  readonly message: Message;
  /** Whether it was sent to this page alone. */
  readonly isPrivate: boolean;
}

/** The event `error` of a {@link Room}. */
export interface RoomErrorEvent extends Event {
  /**
   * Has a `code`: that of {@link Signaling} if a message can't be sent, `wrong-password`,
   * `room-full` (256 other pages are there), or `too-many-messages` (more than 1000 wait to be
   * decrypted, and one was dropped).
   */
  readonly error: Error & { readonly code?: string };
}

/** Messages of one kind in a room. See {@link Room.topic}. */
export interface Topic<Data = unknown, Content = unknown> extends EventTarget {
  /** Sends a message to all others, or to one. It throws as {@link Room.send} and {@link Room.to} do. */
  send(content: Content, to?: string): void;
  addEventListener(name: 'message', listener: (this: this, event: RoomMessageEvent<Data, Content>) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener(name: 'message', listener: (this: this, event: RoomMessageEvent<Data, Content>) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** The events of a {@link Room}. */
export interface RoomEvents<Data = unknown, Message = unknown> {
  /** A page has come. */
  join: PeerEvent<Data, Message>;
  /**
   * A page has left, or was lost: on our relay when it was without a connection for 5 s, on other
   * servers when it wasn't heard for about 40 s.
   */
  leave: LeaveEvent<Data, Message>;
  /** A page shows other data. */
  update: PeerEvent<Data, Message>;
  message: RoomMessageEvent<Data, Message>;
  error: RoomErrorEvent;
  /** The signaling is closed for good. */
  close: Event;
}

/**
 * A room: the pages that have joined it by the same name, over one server.
 *
 * The pages find each other by messages on the channel of that name, which no other part of the page
 * should use. Presence isn't secret, and without a password nothing else is: who can send on the
 * server can also pretend to be somebody.
 *
 * Messages of one page arrive in order, and none twice. Whether any can be lost depends on the
 * server, as for every channel.
 */
export interface Room<Data = unknown, Message = unknown> extends EventTarget {
  readonly name: string;
  /** This page. */
  readonly self: { readonly id: string; readonly data: Data };
  /** The other pages, by their ids. */
  readonly peers: ReadonlyMap<string, Peer<Data, Message>>;
  /**
   * Sends a message to all others. Without a connection it waits in the outbox of the signaling.
   *
   * @throws {TypeError} `bad-message`: JSON can't hold it.
   * @throws {Error} `room-left`.
   */
  send(message: Message): void;
  /**
   * The peer with that id, to send it a message: `room.to(id).send(message)`. The server gets it as
   * every other message.
   *
   * @throws {Error} `no-peer`: it isn't in the room (any more).
   */
  to(id: string): Peer<Data, Message>;
  /**
   * Messages of a kind of their own, which the event `message` of the room doesn't have. What others
   * send on a topic before this page asks for it is lost. `signal-wasm/call` uses the topic `call`.
   */
  topic<Content = unknown>(name: string): Topic<Data, Content>;
  /**
   * Shows the others other data.
   *
   * @throws {TypeError} `bad-option`: its JSON text is longer than 16,384 characters; `bad-message`.
   */
  setData(data: Data): void;
  /** Leaves the room, and tells the others. A page that is closed does so by itself. */
  leave(): void;
  /** The same, for `using`. Missing in browsers that have no `Symbol.dispose`. */
  [Symbol.dispose](): void;
  addEventListener<Name extends keyof RoomEvents>(name: Name, listener: (this: this, event: RoomEvents<Data, Message>[Name]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Name extends keyof RoomEvents>(name: Name, listener: (this: this, event: RoomEvents<Data, Message>[Name]) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/**
 * Joins a room. It resolves when the signaling is connected. Pages that are there already are in
 * `room.peers` by then, or come soon with the event `join`.
 *
 * @example
 * const room = await joinRoom(signaling, 'lobby', { data: { name: 'Ann' } });
 * room.addEventListener('join', ({ peer }) => peer.send(`Hello, ${peer.data.name}!`));
 * room.addEventListener('message', ({ peer, message }) => console.log(peer.data.name, message));
 *
 * @throws {TypeError} `bad-option`, `unknown-option` or `bad-message`, naming the member and the value.
 * @throws {Error} `no-webcrypto`, `signaling-closed`, or the reason of `signal`.
 */
export declare function joinRoom<Data = any, Message = any>(signaling: Signaling, name: string, options?: RoomOptions<Data>): Promise<Room<Data, Message>>;
