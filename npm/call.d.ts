// Types of `signal-wasm/call`: a call between the pages of a room.

import type { Peer, Room } from './room.js';

/** Options of {@link Call}. */
export interface CallOptions {
  /** What this page sends: its camera and microphone, its screen. Tracks can be added later, too. */
  stream?: MediaStream | undefined;
  /**
   * STUN and TURN servers. A function is called for each connection, and again when one looks for
   * other paths, so that credentials may be short-lived. If it fails, `error` is fired with the code
   * `ice-servers`, and the call goes on without. Default: none, which is enough in a local network.
   */
  iceServers?: RTCIceServer[] | (() => RTCIceServer[] | Promise<RTCIceServer[]>) | undefined;
  /** All else of the `RTCPeerConnection`s. */
  configuration?: Omit<RTCConfiguration, 'iceServers'> | undefined;
  /**
   * Data channels that each connection has from the start, by their labels. Each page gives the
   * same. They come with the event `datachannel`.
   */
  dataChannels?: Record<string, RTCDataChannelInit> | undefined;
  /** The topic of the room on which the pages set the call up. One room may have several calls. Default `'call'`. */
  topic?: string | undefined;
  /** Hangs up when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** Another page in the call. */
export interface CallPeer<Data = unknown> {
  /** Its id in the room. */
  readonly id: string;
  /** What it shows in the room. */
  readonly data: Data;
  /** It in the room. */
  readonly peer: Peer<Data>;
  /** The connection to it, once there is one. It is negotiated by the call; all else may be done with it. */
  readonly connection: RTCPeerConnection | undefined;
  /** The state of the connection. */
  readonly state: RTCPeerConnectionState;
}

/** Events of a {@link Call}, each with the peer. */
export interface CallEvents<Data = unknown> {
  /** A page has entered the call. */
  join: Event & { readonly peer: CallPeer<Data> };
  /** A page has left the call. */
  leave: Event & { readonly peer: CallPeer<Data> };
  /** A page sends a track. */
  track: Event & { readonly peer: CallPeer<Data>; readonly track: MediaStreamTrack; readonly streams: readonly MediaStream[]; readonly transceiver: RTCRtpTransceiver };
  /** There is a data channel: one of {@link CallOptions.dataChannels}, or one that the page there has made. */
  datachannel: Event & { readonly peer: CallPeer<Data>; readonly channel: RTCDataChannel };
  connectionstatechange: Event & { readonly peer: CallPeer<Data>; readonly state: RTCPeerConnectionState };
  /** Something failed; `peer` is missing if it doesn't concern one. The call goes on. */
  error: Event & { readonly peer?: CallPeer<Data>; readonly error: Error & { readonly code?: string } };
}

/**
 * A call between the pages of a room that have made one: each is connected with each other.
 *
 * Connections are negotiated by the pattern "perfect negotiation": any page may add and remove
 * tracks at any time. One that is interrupted looks for other paths (ICE restart), also when the
 * browser says that the network is back. A connection that is up stays up while the signaling is
 * down, and what was lost of its set-up is sent again.
 *
 * @example
 * const room = await joinRoom(signaling, 'lobby');
 * const call = new Call(room, { stream, iceServers });
 * call.addEventListener('track', ({ peer, streams }) => show(peer.id, streams[0]));
 * call.addEventListener('leave', ({ peer }) => hide(peer.id));
 */
export declare class Call<Data = any> extends EventTarget {
  /** Enters the call. @throws {TypeError} `bad-option` or `unknown-option`, naming the member. */
  constructor(room: Room<Data, any>, options?: CallOptions);
  /** The other pages, by their ids in the room. */
  readonly peers: ReadonlyMap<string, CallPeer<Data>>;
  /** Sends a track to all, also to those who come later. */
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): void;
  removeTrack(track: MediaStreamTrack): void;
  /** Sends another track in place of one, without negotiating. @throws {Error} `no-track`: the call doesn't send that one. */
  replaceTrack(track: MediaStreamTrack, other: MediaStreamTrack): Promise<void>;
  /** Looks for other paths to all. */
  restart(): void;
  /** Leaves the call. The room stays. */
  hangUp(): void;
  /** The same, for `using`. Missing in browsers that have no `Symbol.dispose`. */
  [Symbol.dispose](): void;
  addEventListener<Name extends keyof CallEvents>(name: Name, listener: (this: this, event: CallEvents<Data>[Name]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Name extends keyof CallEvents>(name: Name, listener: (this: this, event: CallEvents<Data>[Name]) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}
