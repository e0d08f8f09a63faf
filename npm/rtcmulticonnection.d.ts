// Types of `signal-wasm/rtcmulticonnection`: RTCMultiConnection 3 over any signaling.

import type { Signaling } from './signal_wasm.js';

/** Options of {@link rtcMultiConnectionSocket}. */
export interface RtcMultiConnectionOptions {
  /**
   * The channel of the signaling on which the pages agree on their rooms. Pages with different
   * channels don't see each other's rooms, where the relay decides neither. Pages with Socket.IO's
   * own client are in the default's. Default `'rtcmulticonnection'`.
   */
  channel?: string | undefined;
  /**
   * How long a page waits for the answers of other pages, in milliseconds, from 50 to 60000. Opening
   * a room takes this long. `checkPresence` takes as long for a missing room, `join` twice as long.
   * It must be longer than a message takes to another page and back. Where the relay decides, no
   * page is asked. Default 500.
   */
  answerTimeout?: number | undefined;
}

/** The socket that RTCMultiConnection 3 uses as `connection.socket`. */
export interface RoomSocket {
  /** The user id that the socket was made with. */
  readonly id: string;
  /** Whether the signaling is connected. */
  readonly connected: boolean;
  readonly disconnected: boolean;
  /** Adds a listener of an event. @throws {TypeError} `bad-option`: it isn't a function. */
  on(event: string, listener: (...values: any[]) => void): this;
  /** Adds a listener that is called once. */
  once(event: string, listener: (...values: any[]) => void): this;
  /** Removes a listener, or all of an event. */
  off(event: string, listener?: (...values: any[]) => void): this;
  /**
   * Emits one of the events of rtcmulticonnection-server, or a custom event. If the last value is a
   * function, it gets the answer. Before the socket is connected, events wait.
   */
  emit(event: string, ...values: any[]): this;
  /** Leaves the room, and tells the others. */
  disconnect(): this;
  /** The same as `disconnect()`. */
  close(): this;
  /** Set by RTCMultiConnection. */
  resetProps?: () => void;
}

/** `io` as RTCMultiConnection 3 calls it. */
export interface RoomIo {
  /**
   * Makes a socket. Only the query of the address counts: the server is that of the signaling.
   */
  (address?: string, options?: unknown): RoomSocket;
  /** The same function. */
  readonly connect: (address?: string, options?: unknown) => RoomSocket;
}

/**
 * An `io` for RTCMultiConnection 3.7, whose pages then work over any signaling:
 * `window.io = rtcMultiConnectionSocket(signaling)`.
 *
 * If the server is our relay (`stats().relay`), it decides what rtcmulticonnection-server decides:
 * rooms, their owners, passwords, presence, lists of public rooms, scalable broadcasts. Such pages and pages with Socket.IO's own client are
 * in the same rooms. They speak with the relay on a channel whose name is a secret of the page;
 * `ongap` and `onframe` may show it.
 *
 * With other servers, and with the protocol `'websocket'`, the pages agree by themselves. Anybody who can send on the
 * server can then also pretend to be another page, so that passwords and limits keep out only those
 * who play by the rules. A password never travels there; whoever joins proves to know it.
 *
 * The two kinds don't see each other's rooms. The choice is made with each connection. A page's
 * room is restored when it changes, and when the relay has forgotten the page. If that isn't
 * possible, `closed-entire-session` fires.
 *
 * The socket fires `error` with what the signaling can't send.
 *
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 *
 * @example
 * window.io = rtcMultiConnectionSocket(new Signaling({ url: 'wss://example.org/' }));
 * const connection = new RTCMultiConnection();
 * connection.openOrJoin('my-room');
 */
export function rtcMultiConnectionSocket(signaling: Signaling, options?: RtcMultiConnectionOptions): RoomIo;
