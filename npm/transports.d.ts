// Types of `signal-wasm/transports`: ready transports for pages that have a signaling client
// already.

import type { Transport } from './signal_wasm.js';

/** The members of a `fm.websync.client` that {@link websync} uses. */
export interface WebSyncClient {
  connect(args: { onSuccess: () => void; onFailure: () => void; onStreamFailure: () => void }): unknown;
  join(args: { channel: string; userId: string | number; userNickname: string | number; onReceive: (event: { getData(): { text: string } }) => void }): unknown;
  publish(args: { channel: string; data: { username: string | number; text: string } }): unknown;
  disconnect?(args: object): unknown;
}

/** The members of a Socket.IO client that {@link socketIo} uses. */
export interface SocketIoClient {
  readonly connected: boolean;
  on(event: string, listener: (argument: any) => void): unknown;
  emit(event: string, argument: any): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

/**
 * The members of a hub proxy of jquery.signalR that {@link hubProxy} uses: `on` and `invoke`, or
 * `client` and `server`.
 */
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

/** The members of a `HubConnection` of @microsoft/signalr that {@link hubConnection} uses. */
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
 * WebSync. Connects the `fm.websync.client`, joins `channel`, and disconnects when the signaling
 * closes. Works together with pages that have the shim, on the same channel.
 *
 * @param options `channel`: default `'/chat'`. `userid`: this page's name in the channel, default a
 * random number.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 *
 * @example
 * const client = new fm.websync.client('https://example.org/websync.ashx');
 * const signaling = new Signaling({ transport: websync(client, { channel: '/chat' }) });
 */
export function websync(client: WebSyncClient, options?: { channel?: string | undefined; userid?: string | number | undefined }): Transport;

/**
 * Socket.IO. Takes a client object of version 1, 2, 3 or 4, for pages that have one already.
 * Without one, the option `protocol: 'socket.io'` needs no client library. Each message is an event
 * with the envelope as its only argument, as in the shim.
 *
 * The client reconnects as its own options say. `close()` disconnects it, so give the signaling a
 * socket of its own if the page uses its socket for other things too.
 *
 * @param options `event`: default `'message'`.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 *
 * @example
 * const socket = io('https://example.org/', { autoConnect: false });
 * const signaling = new Signaling({ transport: socketIo(socket) });
 */
export function socketIo(socket: SocketIoClient, options?: { event?: string | undefined }): Transport;

/**
 * ASP.NET SignalR 2. Takes a hub proxy: a generated one (`$.connection.webRtcHub3`), or the result
 * of `createHubProxy`. Call this before the connection is started, because a hub without a handler
 * is left out then. It starts the connection if that isn't started yet, and `close()` stops it.
 *
 * A message is accepted when the hub has handled it. One that the hub refuses is reported by
 * `onerror` (`message-refused`), and the connection goes on.
 *
 * @param options `target`: the client method that the hub calls, default `'onMessageReceived'`.
 * `method`: the hub method, default `'Send'`.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 *
 * @example
 * const signaling = new Signaling({ transport: hubProxy($.connection.webRtcHub3) });
 */
export function hubProxy(proxy: ClassicHubProxy, options?: { target?: string | undefined; method?: string | undefined }): Transport;

/**
 * ASP.NET Core SignalR. Takes a `HubConnection` of @microsoft/signalr. Starts it if it isn't
 * started yet, and `close()` stops it.
 *
 * A message is accepted when the hub has handled it. One that the hub refuses is reported by
 * `onerror` (`message-refused`), and the connection goes on.
 *
 * @param options `target`: the client method that the hub calls, default `'onMessageReceived'`.
 * `method`: the hub method, default `'Send'`.
 * @throws {TypeError} `bad-option` or `unknown-option`, naming the member and the value.
 *
 * @example
 * const connection = new HubConnectionBuilder().withUrl('/hub').build();
 * const signaling = new Signaling({ transport: hubConnection(connection) });
 */
export function hubConnection(connection: HubConnectionLike, options?: { target?: string | undefined; method?: string | undefined }): Transport;

/**
 * The tabs and frames of one browser and origin, without a server (`BroadcastChannel`).
 *
 * @param name The name of the `BroadcastChannel`; those with the same name receive each other's
 * messages. Default `'signal-wasm'`.
 * @throws {TypeError} `bad-option`, naming the value.
 *
 * @example
 * const signaling = new Signaling({ transport: broadcastChannel('my-app') });
 */
export function broadcastChannel(name?: string): Transport;
