// The options of `configure` and `new Signaling`: every member, right and wrong.

import { configure, Signaling, type AllOptions, type Options, type Protocol, type Provided, type Transport } from 'signal-wasm';
import { some, type Must, type Same } from './expect.js';

configure();
configure({});
new Signaling();
export type Configured = Must<Same<ReturnType<typeof configure>, Signaling>>;

const all: Required<AllOptions> = {
  url: 'wss://example.org/',
  protocol: 'websocket',
  transport: { send: (text) => text.length, pipeline: true },
  subprotocols: ['chat', 'v2.chat'],
  path: '/socket.io/',
  namespace: '/admin',
  event: 'message',
  auth: { token: 'x' },
  query: { room: 'red', version: 2, debug: true },
  target: 'onMessageReceived',
  method: 'Send',
  accessToken: 'jwt',
  credentials: 'same-origin',
  headers: { 'X-Api-Key': 'key' },
  skipNegotiation: true,
  hub: 'webRtcHub3',
  channel: 'main-channel',
  openDelay: 0,
  openWhen: 'connected',
  maxMessage: 65536,
  outbox: { messages: 10, bytes: 1000, overflow: 'throw' },
  reconnect: { base: 100, cap: 1000, attempts: Infinity },
  connectTimeout: 30_000,
  serverTimeout: 60_000,
  keepAlive: 20_000,
  heartbeat: { interval: 20_000, timeout: 5_000, message: 'ping' },
  onstatechange: (state, detail) => state + detail.reason + detail.retryIn + detail.code,
  ongap: (channel) => channel.length,
  onerror: (error) => error.code,
  onframe: (kind, frame) => kind + (typeof frame === 'string' ? frame.length : frame.byteLength),
};
// The protocol decides which options there are.
const { url, channel: main, openDelay, openWhen, maxMessage, outbox, reconnect, connectTimeout, accessToken, onstatechange, ongap, onerror, onframe } = all;
const common = { url, channel: main, openDelay, openWhen, maxMessage, outbox, reconnect, connectTimeout, accessToken, onstatechange, ongap, onerror, onframe };
const { transport, subprotocols, heartbeat, path, namespace, event, auth, query, target, method, hub, skipNegotiation, serverTimeout, keepAlive, credentials, headers } = all;
const socket = { ...common, transport, subprotocols };
const http = { query, credentials, headers };
configure({ ...socket, heartbeat });
new Signaling({ ...socket, heartbeat, protocol: 'auto' });
configure({ ...socket, heartbeat, protocol: 'websocket' });
configure({ ...socket, protocol: 'relay' });
configure({ ...socket, protocol: 'socket.io', path, namespace, event, auth, query });
configure({ ...socket, ...http, protocol: 'signalr', target, method, skipNegotiation, serverTimeout, keepAlive });
configure({ ...socket, ...http, protocol: 'signalr-classic', target, method, hub });
configure({ ...common, ...http, protocol: 'sse' });
// @ts-expect-error TS2322: Socket.IO's
configure({ protocol: 'signalr', namespace: 'x' });
// @ts-expect-error TS2345: it isn't Socket.IO without a protocol either
configure({ namespace: 'x' });
// @ts-expect-error TS2322: SignalR's
configure({ protocol: 'socket.io', target: 'x' });
// @ts-expect-error TS2322: that of ASP.NET SignalR 2
configure({ protocol: 'signalr', hub: 'x' });
// @ts-expect-error TS2322: an event stream is the browser's own
new Signaling({ protocol: 'sse', transport: { send() {} } });
// @ts-expect-error TS2322: the relay has one of its own
configure({ protocol: 'relay', heartbeat: {} });
// @ts-expect-error TS2345: no protocol has all of them
configure(all);
for (const protocol of ['auto', 'relay', 'websocket', 'socket.io', 'signalr', 'signalr-classic', 'sse'] as const) configure({ protocol });
// What is asked for on each attempt: a value, or a function that gives it at once or later.
configure({ accessToken: () => 'jwt' });
configure({ accessToken: async () => (await fetch('/token')).text() });
configure({ accessToken: async () => null });
configure({ protocol: 'socket.io', auth: () => undefined });
configure({ protocol: 'socket.io', auth: () => ({ token: 'x' }) });
configure({ protocol: 'socket.io', auth: async () => ({ token: 'x', nested: { any: [1] } }) });
export type Providers = [Must<Same<NonNullable<Options['accessToken']>, Provided<string>>>, Must<Same<NonNullable<Options['auth']>, Provided<Record<string, unknown>>>>];
configure({ protocol: 'socket.io', query: {} });
configure({ subprotocols: [] });
configure({ subprotocols: ['chat'] as const });
// @ts-expect-error TS2322: a list, as only a list can be checked for duplicates
configure({ subprotocols: 'chat' });
configure({ url: new URL('/signal', location.href) });
configure({ url: () => '/signal' });
configure({ url: async () => new URL('/signal', location.href) });
for (const credentials of ['include', 'same-origin', 'omit'] as const) configure({ protocol: 'signalr', credentials });
// @ts-expect-error TS2820: not one of the three
configure({ protocol: 'signalr', credentials: 'same_origin' });
configure({ protocol: 'signalr', headers: {} });
// @ts-expect-error TS2322: the value of a header is a text
configure({ protocol: 'signalr', headers: { 'X-Count': 5 } });
// @ts-expect-error TS2322: an address is a must
configure({ url: () => null });
configure({ channel: null });
configure({ openWhen: 'timer' });
configure({ reconnect: false });
configure({ reconnect: {}, outbox: {} });
configure({ onstatechange: null, ongap: null, onerror: null, onframe: null });
// As they come from `{ url: settings.url }`, under exactOptionalPropertyTypes too.
configure({
  url: undefined,
  protocol: undefined,
  transport: undefined,
  subprotocols: undefined,
  path: undefined,
  namespace: undefined,
  event: undefined,
  auth: undefined,
  query: undefined,
  target: undefined,
  method: undefined,
  accessToken: undefined,
  credentials: undefined,
  headers: undefined,
  skipNegotiation: undefined,
  hub: undefined,
  channel: undefined,
  openDelay: undefined,
  openWhen: undefined,
  maxMessage: undefined,
  outbox: { messages: undefined, bytes: undefined, overflow: undefined },
  reconnect: { base: undefined, cap: undefined, attempts: undefined },
  onstatechange: undefined,
  onerror: undefined,
  onframe: undefined,
});
configure({ outbox: undefined, reconnect: undefined });
configure({ heartbeat: {} });
configure({ heartbeat: undefined, connectTimeout: undefined, serverTimeout: undefined, keepAlive: undefined });
// A handler may look at less than it is given.
configure({ onstatechange: (state) => state === 'open', onerror: () => {}, onframe: async () => {} });

const chosen = some<Protocol>();
configure({ protocol: chosen });

// A transport of one's own: an object, or a class with more than that on it.
configure({ transport: { send() {} } });
const channel: Transport = {
  open() {
    this.onopen?.();
  },
  send: (text: string) => new BroadcastChannel('room').postMessage(text),
  close() {},
};
configure({ transport: channel });
class Courier implements Transport {
  readonly name = 'courier';
  onopen?: () => void;
  onmessage?: (text: string) => void;
  onclose?: (reason?: string) => void;
  send(text: string): void {
    this.onmessage?.(text);
    this.onclose?.();
    this.onclose?.('the wire was cut');
  }
}
configure({ transport: new Courier() });

// @ts-expect-error TS2345: options are an object
configure('wss://example.org/');
// @ts-expect-error TS2345: options are an object or left out
configure(null);
// @ts-expect-error TS2554: one object holds them all
configure('wss://example.org/', 'websocket');
// @ts-expect-error TS2353: unknown option
configure({ uri: 'wss://example.org/' });
// @ts-expect-error TS2353: unknown option, at the class too
new Signaling({ onopen() {} });
// @ts-expect-error TS2322: a URL is text or a URL object
configure({ url: 8888 });
// @ts-expect-error TS2322: null doesn't mean the default
configure({ url: null });
// @ts-expect-error TS2322: unknown protocol
configure({ protocol: 'webtransport' });
// @ts-expect-error TS2322: a protocol is one of ours, not any string
configure({ protocol: some<string>() });
// @ts-expect-error TS2322: a path is text
configure({ protocol: 'socket.io', path: new URL('/socket.io/', location.href) });
// @ts-expect-error TS2322: a namespace is text
configure({ protocol: 'socket.io', namespace: 1 });
// @ts-expect-error TS2322: one event
configure({ protocol: 'socket.io', event: ['message'] });
// @ts-expect-error TS2322: auth is an object or gives one
configure({ protocol: 'socket.io', auth: 'token' });
// @ts-expect-error TS2322: auth gives an object
configure({ protocol: 'socket.io', auth: () => 'token' });
// @ts-expect-error TS2322: a query is members, not the text of it
configure({ protocol: 'socket.io', query: '?room=red' });
// @ts-expect-error TS2322: its members are plain values
configure({ protocol: 'socket.io', query: { room: ['red'] } });
// @ts-expect-error TS2322: a method is named
configure({ protocol: 'signalr', method: () => 'Send' });
// @ts-expect-error TS2322: a target is named
configure({ protocol: 'signalr', target: null });
// @ts-expect-error TS2322: a token is text
configure({ accessToken: 5 });
// @ts-expect-error TS2322: a provider gives text
configure({ accessToken: async () => ({ token: 'jwt' }) });
// @ts-expect-error TS2322: yes or no
configure({ protocol: 'signalr', skipNegotiation: 'true' });
// @ts-expect-error TS2322: a hub is named
configure({ protocol: 'signalr-classic', hub: {} });
configure({ transport: { send: async (text) => void (await fetch('/send', { method: 'POST', body: text })) } });
// @ts-expect-error TS2322: yes or no
configure({ transport: { send() {}, pipeline: 2 } });
// @ts-expect-error TS2322: a transport is an object
configure({ transport: 'websocket' });
// @ts-expect-error TS2741: send is the one member that must be there
configure({ transport: { open() {} } });
// @ts-expect-error TS2322: what is sent is text
configure({ transport: { send: (bytes: Uint8Array) => bytes.length } });
// @ts-expect-error TS2353: unknown member
configure({ transport: { send() {}, connect() {} } });
// @ts-expect-error TS2322: the default channel is text or null
configure({ channel: 7 });
// @ts-expect-error TS2322: a delay is a number of milliseconds
configure({ openDelay: '1000' });
// @ts-expect-error TS2322: a delay isn't null
configure({ openDelay: null });
// @ts-expect-error TS2322: timer or connected
configure({ openWhen: 'open' });
// @ts-expect-error TS2322: a limit is a number
configure({ maxMessage: '64k' });
// @ts-expect-error TS2322: a limit isn't a BigInt
configure({ maxMessage: 65536n });
// @ts-expect-error TS2322: a frame is a text
configure({ heartbeat: { message: {} } });
// @ts-expect-error TS2559: a heartbeat has an interval
configure({ heartbeat: 1000 });
// @ts-expect-error TS2559: the outbox has two bounds, each with its name
configure({ outbox: 1000 });
// @ts-expect-error TS2353: unknown bound
configure({ outbox: { size: 1000 } });
// @ts-expect-error TS2322: a bound is a number
configure({ outbox: { messages: '1000' } });
// @ts-expect-error TS2322: throw or drop-oldest
configure({ outbox: { overflow: 'drop' } });
// @ts-expect-error TS2322: true says nothing that the default doesn't
configure({ reconnect: true });
// @ts-expect-error TS2353: unknown member
configure({ reconnect: { delay: 500 } });
// @ts-expect-error TS2322: times are numbers
configure({ reconnect: { base: '500ms' } });
// @ts-expect-error TS2322: a handler is a function
configure({ onerror: 'console.error' });
// @ts-expect-error TS2322: a state is text
configure({ onstatechange: (state: number) => state });
// @ts-expect-error TS2322: an error isn't text
configure({ onerror: (error: string) => error });
// @ts-expect-error TS2322: a handler of frames gets kind and frame
configure({ onframe: (kind: string, frame: string | ArrayBuffer, size: number) => kind + frame + size });
// @ts-expect-error TS2322: a frame may be binary
configure({ onframe: (kind: string, frame: string) => kind + frame });
