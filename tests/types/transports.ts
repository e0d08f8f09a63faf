// The ready transports: what they take, the real clients among it, and that they go where a
// transport is expected.

import { HubConnectionBuilder } from '@microsoft/signalr';
import { configure, type Transport } from 'signal-wasm';
import * as transports from 'signal-wasm/transports';
import { broadcastChannel, hubConnection, hubProxy, socketIo, websync, type ClassicHubProxy, type HubConnectionLike, type SocketIoClient, type WebSyncClient } from 'signal-wasm/transports';
import 'signal-wasm/global-transports';
import { io } from 'socket.io-client';
import { some, type Must, type Same } from './expect.js';

export type Names = Must<Same<keyof typeof transports, 'broadcastChannel' | 'hubConnection' | 'hubProxy' | 'socketIo' | 'websync'>>;
export type Global = Must<Same<typeof SignalWasm.transports, typeof transports>>;

// The clients themselves.
configure({ transport: socketIo(io('/')) });
configure({ transport: socketIo(io(), { event: 'signal' }) });
configure({ transport: hubConnection(new HubConnectionBuilder().withUrl('/hub').build()) });
configure({ transport: hubConnection(some<HubConnectionLike>(), { target: 'heard', method: 'Say' }) });
SignalWasm.configure({ transport: SignalWasm.transports.broadcastChannel() });

// And what looks like them: these two have no types of their own.
interface JQueryPromise {
  then(done: (connection: object) => void, failed?: (error: object) => void): JQueryPromise;
}
interface JQueryConnection {
  state: number;
  start(options?: object): JQueryPromise;
  stop(async?: boolean, notify?: boolean): JQueryConnection;
  stateChanged(handler: (change: { oldState: number; newState: number }) => void): JQueryConnection;
}
hubProxy(some<{ connection: JQueryConnection; on(name: string, handler: (...values: any[]) => void): object; invoke(name: string, ...values: any[]): JQueryPromise }>());
hubProxy(some<{ connection: JQueryConnection; client: { onMessageReceived?: (text: string) => void }; server: { send(text: string): JQueryPromise } }>());
hubProxy(some<any>(), { method: 'Say', target: undefined });
websync(some<any>());
websync(some<WebSyncClient>(), { channel: '/chat', userid: 5 });
websync({ connect() {}, join() {}, publish() {} }, { userid: 'Ada' });

const made: Transport[] = [broadcastChannel(), broadcastChannel('room'), broadcastChannel(undefined)];
made[0]?.open?.();
export type Made = Must<Same<ReturnType<typeof socketIo>, Transport>>;
export type Taken = [SocketIoClient, ClassicHubProxy];

// @ts-expect-error TS2345: the client itself, not its address
socketIo('http://localhost/');
// @ts-expect-error TS2739: a WebSocket is no Socket.IO client
socketIo(new WebSocket('ws://localhost/'));
// @ts-expect-error TS2554: a client is a must
socketIo();
// @ts-expect-error TS2322: an event is named
socketIo(some<SocketIoClient>(), { event: 5 });
// @ts-expect-error TS2353: unknown option
socketIo(some<SocketIoClient>(), { namespace: '/admin' });
// @ts-expect-error TS2740: a builder has to build first
hubConnection(new HubConnectionBuilder());
// @ts-expect-error TS2353: the hub is in the connection's address
hubConnection(some<HubConnectionLike>(), { hub: 'webRtcHub3' });
// @ts-expect-error TS2345: a proxy has a connection
hubProxy({ on() {}, invoke() {} });
// @ts-expect-error TS2322: a method is named
hubProxy(some<ClassicHubProxy>(), { method: true });
// @ts-expect-error TS2741: the client, connected or not, has these three methods
websync({ connect() {}, publish() {} });
// @ts-expect-error TS2322: a channel is text
websync(some<WebSyncClient>(), { channel: 7 });
// @ts-expect-error TS2345: a name is text
broadcastChannel(7);
// @ts-expect-error TS2345: the function makes a transport, it isn't one
configure(broadcastChannel);
// @ts-expect-error TS2339: there is none for that
transports.webTransport;
