// Types of `signal-wasm/transports`: ready transports for signalings that a page has already.

import type { Transport } from './signal_wasm.js';

/** What {@link websync} uses of a `fm.websync.client`. */
export interface WebSyncClient {
  connect(args: { onSuccess: () => void; onFailure: () => void; onStreamFailure: () => void }): unknown;
  join(args: { channel: string; userId: string | number; userNickname: string | number; onReceive: (event: { getData(): { text: string } }) => void }): unknown;
  publish(args: { channel: string; data: { username: string | number; text: string } }): unknown;
  disconnect?(args: object): unknown;
}

/** What {@link socketIo} uses of a Socket.IO client. */
export interface SocketIoClient {
  readonly connected: boolean;
  on(event: string, listener: (argument: any) => void): unknown;
  emit(event: string, argument: any): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

/** What {@link hubProxy} uses of a hub proxy of jquery.signalR: `on` and `invoke`, or `client` and `server`. */
export type ClassicHubProxy = {
  readonly connection: {
    readonly state: number;
    start(): { then(done: () => void, failed: (error: any) => void): unknown };
    stop(): unknown;
    stateChanged(listener: (change: { newState: number }) => void): unknown;
  };
} & (
  | { on(event: string, listener: (text: string) => void): unknown; invoke(method: string, text: string): unknown }
  | { readonly client: object; readonly server: object }
);

/** What {@link hubConnection} uses of a `HubConnection` of @microsoft/signalr. */
export interface HubConnectionLike {
  readonly state: string;
  on(target: string, listener: (text: string) => void): void;
  invoke(method: string, text: string): Promise<unknown>;
  start(): Promise<void>;
  stop(): Promise<void>;
  onclose(listener: (error?: Error) => void): void;
  onreconnecting(listener: (error?: Error) => void): void;
  onreconnected(listener: () => void): void;
}

/**
 * WebSync: a `fm.websync.client`, which is connected, made to join `channel`, and disconnected when the signaling closes. Pages with the shim
 * on the same channel hear this page, and it them.
 *
 * @param options `channel`: default `'/chat'`. `userid`: who this page is to the chat, default a random number.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 */
export function websync(client: WebSyncClient, options?: { channel?: string | undefined; userid?: string | number | undefined }): Transport;

/**
 * Socket.IO: a client object of version 1, 2, 3 or 4, for pages that have one already; without one the option `protocol: 'socket.io'` needs no
 * client library. Each message is an event with the envelope as its one argument, as the shim emits it.
 *
 * The client reconnects by itself as it is set to. `close()` disconnects it, so give the signaling a socket of its own if the page uses its own for
 * other things too.
 *
 * @param options `event`: default `'message'`.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 */
export function socketIo(socket: SocketIoClient, options?: { event?: string | undefined }): Transport;

/**
 * ASP.NET SignalR 2: a hub proxy, generated (`$.connection.webRtcHub3`) or of `createHubProxy`. Make the transport before the connection is
 * started: hubs without a handler are left out then. It starts the connection if nobody has, and `close()` stops it.
 *
 * @param options `target`: the method that the hub calls, default `'onMessageReceived'`. `method`: the hub's own, default `'Send'`.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 */
export function hubProxy(proxy: ClassicHubProxy, options?: { target?: string | undefined; method?: string | undefined }): Transport;

/**
 * ASP.NET Core SignalR: a `HubConnection` of @microsoft/signalr. It is started if nobody has, and `close()` stops it.
 *
 * @param options `target`: the method that the hub calls, default `'onMessageReceived'`. `method`: the hub's own, default `'Send'`.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 */
export function hubConnection(connection: HubConnectionLike, options?: { target?: string | undefined; method?: string | undefined }): Transport;

/**
 * The tabs and frames of one browser and origin, without any server.
 *
 * @param name Who has the same name hears each other. Default `'signal-wasm'`.
 * @throws {TypeError} `bad-option`, naming the value.
 */
export function broadcastChannel(name?: string): Transport;
