// Types of `signal-wasm/react`: hooks for React 18 and 19.

import type { Options, SendOptions, Signaling } from './inline.js';
import type { Peer, Room, RoomMessageEvent } from './room.js';

/**
 * A signaling for as long as the component is there. It is made after the first rendering, so it is
 * `undefined` in that one, and on a server. Other hooks wait for it. It is closed when the component
 * is gone.
 *
 * The options may be made in each rendering. They are compared by content, and a new signaling
 * takes the place of the last only if that differs. Not compared are:
 *
 * - Functions. Handlers (`onstatechange`, …) and providers (`url`, `accessToken`, `auth` as a
 *   function) are always those of the last rendering. A function in place of a text is a difference.
 * - `transport`: the first one stays. Another `key` of the component makes it use another one.
 *
 * Each call has a signaling of its own. Components that are to share one get it by their properties
 * or a context. The module is that of `signal-wasm/inline`, so there is nothing to load. The other
 * hooks take signalings of all entries.
 *
 * StrictMode, Fast Refresh and a change of other state connect no second time. Wrong options are
 * thrown as by `new Signaling`, for an error boundary.
 *
 * @example
 * const [state, setState] = useState('idle');
 * const signaling = useSignaling({ url: 'wss://example.org/', onstatechange: setState });
 */
export declare function useSignaling(options?: Options): Signaling | undefined;

/**
 * A channel for as long as the component is there. It gives the function that sends to all other
 * pages, which is the same in each rendering. What it is given before there is a signaling waits, up
 * to 1000 messages. It throws as `send` of a handle does.
 *
 * `onMessage` is that of the last rendering. Several components may use the same channel: each
 * receives all messages, but not what another component of the page sends. No other part of the page
 * should open it.
 *
 * @example
 * const send = useChannel<string>(signaling, 'chat', (text) => setLines((lines) => [...lines, text]));
 */
export declare function useChannel<In = any, Out = In>(
  signaling: Signaling | undefined,
  channel: string | number,
  onMessage?: (message: In) => void,
): (message: Out, options?: SendOptions) => void;

/** Options of {@link useRoom}. */
export interface UseRoomOptions<Data = unknown, Message = unknown> {
  /** What the other pages see of this one. If the content changes, they see that. */
  data?: Data | undefined;
  /** Encrypts all messages, as in `joinRoom`. If it changes, the page leaves the room and joins that of the new one. */
  password?: string | undefined;
  /** Called with each message. It is the function of the last rendering. */
  onMessage?: ((event: RoomMessageEvent<Data, Message>) => void) | undefined;
}

/** What {@link useRoom} gives. */
export interface RoomView<Data = unknown, Message = unknown> {
  /** `'closed'`: the page couldn't join (see `error`), or the signaling is closed. */
  readonly state: 'joining' | 'joined' | 'closed';
  /** The room, once the page is in it: for all else that it can do, and for `new Call(room)`. */
  readonly room: Room<Data, Message> | undefined;
  /** This page in the room. */
  readonly self: { readonly id: string; readonly data: Data } | undefined;
  /** The other pages. A peer that shows other data is another object. */
  readonly peers: readonly Peer<Data, Message>[];
  /** The last error: that of joining, or of the event `error` of the room. */
  readonly error: (Error & { readonly code?: string }) | undefined;
  /**
   * Sends a message to all others. It is the same function in each rendering.
   *
   * @throws {TypeError} `bad-message`: JSON can't hold it.
   * @throws {Error} `not-joined`: there is no `room` yet. `room-left`: the signaling is closed.
   */
  readonly send: (message: Message) => void;
}

/**
 * A room for as long as the component is there, and what is in it. The page joins when there is a
 * signaling, and leaves when the component is gone.
 *
 * The options may be made in each rendering: `data` is compared by content. Several components may
 * use the same room; they are one page in it, which shows the data that was set last.
 *
 * @example
 * const { peers, send } = useRoom<{ name: string }, string>(signaling, 'lobby', {
 *   data: { name },
 *   onMessage: ({ peer, message }) => setLines((lines) => [...lines, `${peer.data.name}: ${message}`]),
 * });
 */
export declare function useRoom<Data = any, Message = any>(signaling: Signaling | undefined, name: string, options?: UseRoomOptions<Data, Message>): RoomView<Data, Message>;
