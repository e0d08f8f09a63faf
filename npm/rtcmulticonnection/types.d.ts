// The messages that the pages of rooms exchange on their channel, as `readMessage` lets them in.

/** Who sends a message: a user, and the page that the user is on. */
interface Sender {
  v: 1;
  from: string;
  page: string;
}

/** A room's state, as its owner tells it. The sender is the owner. */
export interface RoomState {
  room: string;
  /** Tells this room from others that had, or have, the same name. */
  id: string;
  /** Rises with each owner. */
  term: number;
  /** Rises with each change under one owner. */
  version: number;
  /** When it was opened, by its first owner's clock: of two rooms of one name the older stays. */
  at: number;
  /** User and page of each, in the order in which they joined. */
  members: [string, string][];
  max: number;
  session?: unknown;
  extra?: unknown;
  identifier?: string | undefined;
  locked: boolean;
  autoClose: boolean;
}

/** What is sent, without its sender. `ask` ties an answer to its question. */
export type Content =
  /** This page is here, since then. */
  | { kind: 'hello'; since: number }
  /** The user id of that page is another's. */
  | { kind: 'taken'; to: string }
  | { kind: 'bye' }
  | { kind: 'beat'; id?: string; term?: number; version?: number }
  | { kind: 'ping'; to: string; ask: string }
  | { kind: 'pong'; ask: string; extra?: unknown; broadcasting?: boolean; viewers?: number }
  /** Who owns that room? Its owner answers with `room`. */
  | { kind: 'ask'; room: string }
  /** Who owns a public room? */
  | { kind: 'list'; identifier: string }
  /** Wants to open that room. The first claim wins, unless there is an owner. */
  | { kind: 'claim'; room: string; at: number }
  /** Wants to join. The owner answers with `room`, `challenge` or `refused`. */
  | { kind: 'join'; room: string; ask: string; proof?: string; check?: boolean }
  | { kind: 'challenge'; ask: string; nonce: string }
  | { kind: 'refused'; ask: string; reason: string }
  /** The password of a `join` that only checks is right. */
  | { kind: 'valid'; ask: string }
  | ({ kind: 'room' } & RoomState)
  | { kind: 'leave'; id: string }
  | { kind: 'closed'; id: string }
  /** The room's new key, masked with the old one; none: it has no password any more. */
  | { kind: 'lock'; id: string; nonce: string; key?: string }
  /** A message of RTCMultiConnection. */
  | { kind: 'message'; to: string[]; message?: unknown; extra?: unknown }
  /** The sender has disconnected from that user. */
  | { kind: 'part'; to: string }
  | { kind: 'extra'; extra?: unknown }
  | { kind: 'custom'; event: string; message?: unknown }
  /** Scalable broadcasts: a viewer asks the broadcaster for a page to receive from. */
  | { kind: 'view'; broadcast: string; streams?: unknown }
  /** The broadcaster's answer: the user who relays to the viewer. */
  | { kind: 'source'; to: string; broadcast: string; user: string; streams?: unknown }
  /** Whether the sender can relay what it receives. */
  | { kind: 'relay'; broadcast: string; can: boolean }
  /** The viewer's source has left. */
  | { kind: 'rejoin'; to: string; broadcast: string };

export type Message = Content & Sender;

/** What rooms ask for, in order. */
export type RoomsOutput =
  | { do: 'send'; message: unknown }
  | { do: 'event'; name: string; values: unknown[] }
  | { do: 'acknowledge'; acknowledge: Acknowledge; values: unknown[] }
  /** To learn when the server has all that was sent until now. */
  | { do: 'flush' };

/** What a socket does for them, in order. */
export type Output =
  | Exclude<RoomsOutput, { do: 'send' }>
  | { do: 'send'; channel: string; message: unknown }
  | { do: 'listen' | 'unlisten'; channel: string }
  /** The page is connected: somebody decides on its rooms. */
  | { do: 'connect' };

/**
 * What a page is in the relay's rooms: `unknown` without a connection; it has `asked` and has no
 * answer yet; it is a `user`, or `nobody` because its id is taken or the relay refuses it; the
 * relay is `absent`, an older one that has no such rooms.
 */
export type Standing = 'unknown' | 'asked' | 'user' | 'nobody' | 'absent';

/** The callback that a page gave to `emit`. */
export type Acknowledge = (...values: any[]) => void;

/** What the query of `io(address)` says of its page. */
export interface Profile {
  user: string;
  extra: unknown;
  messageEvent: string;
  customEvent: string;
  autoClose: boolean;
  max: number;
  /** Scalable broadcast: to how many others each page relays; 0 without it. */
  relays: number;
}

/**
 * The rooms of one page: what pages expect of a server. They have no clock and no I/O: `now` is in
 * milliseconds, and each call leaves what is to be done in `take()`.
 */
export interface Rooms {
  /**
   * The connection is up, for the first time or again. `isReliable`: the signaling sends again what
   * was lost with a connection.
   */
  connected(now: number, isReliable: boolean): void;
  /** The connection is down. */
  lost(): void;
  /** The page emits this. */
  request(now: number, name: string, values: unknown[], acknowledge: Acknowledge | undefined): void;
  /** Another page, or the server, sent this. */
  receive(now: number, value: unknown): void;
  /** Time has passed. */
  tick(now: number): void;
  /** The page leaves for good. */
  leave(now: number): void;
  /** Whether something waits for an answer, so that `tick` is urgent. */
  readonly isWaiting: boolean;
  /** What is to be done since the last call. */
  take(): RoomsOutput[];
}
