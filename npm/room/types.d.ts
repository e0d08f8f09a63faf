// The messages that the pages of a room send each other, as `read` lets them in.

interface Sender {
  v: 1;
  /** The id of the page. */
  from: string;
  /** Rises with each message of the page. */
  number: number;
}

/** What is sent, without its sender. */
export type Content =
  /** This page is here. Who knows it or not answers with `here`. `to`: only that page does. */
  | { kind: 'hello'; to?: string; nonce: string; data?: unknown }
  /** The answer, which repeats the nonce of the `hello`. */
  | { kind: 'here'; to: string; nonce: string; echo: string; data?: unknown }
  /** The answer to `here`, which repeats its nonce. */
  | { kind: 'ready'; to: string; echo: string; data?: unknown }
  /** A sign of life. */
  | { kind: 'beat'; to?: undefined }
  /** That page has been silent. It answers with `beat`. */
  | { kind: 'ping'; to: string }
  /** What the others see of the page has changed. */
  | { kind: 'update'; to?: undefined; data?: unknown }
  | { kind: 'message'; to?: string; topic?: string; message: unknown }
  /** The page leaves. */
  | { kind: 'bye'; to?: undefined };

export type Message = Content & Sender;

/** Another page in the room. */
export interface Seen {
  id: string;
  data: unknown;
}

export type RoomEvent =
  | { name: 'join' | 'update'; peer: Seen }
  | { name: 'leave'; peer: Seen; isLost: boolean }
  | { name: 'message'; peer: Seen; message: unknown; topic?: string; isPrivate: boolean }
  /** The room has as many pages as it may have, and others came. */
  | { name: 'full'; most: number };

/** What the state machine asks for, in order. */
export type Output = { do: 'send'; message: Message } | { do: 'event'; event: RoomEvent };
