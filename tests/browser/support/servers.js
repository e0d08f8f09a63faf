// The servers of each protocol, as far as a page sees them: what they say until envelopes may go,
// and how they frame envelopes.

import { requests, settled } from './fake_fetch.js';
import { sockets } from './fake_socket.js';

/** What ends a record of SignalR. */
export const END = '\x1e';

/** What a server of Socket.IO 4 greets with, and one of Socket.IO 2. */
export const GREETING_4 = '0{"sid":"s1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
export const GREETING_2 = '0{"sid":"s1","upgrades":[],"pingInterval":25000,"pingTimeout":5000}';

/** What SignalR servers answer to negotiate: ASP.NET Core's, and the classic one's. */
export const NEGOTIATED = {
  negotiateVersion: 1, connectionId: 'id', connectionToken: 'to/k+en=', availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
};
export const NEGOTIATED_CLASSIC = {
  Url: '/signalr', ConnectionToken: 'to/k+en=', ConnectionId: 'id', KeepAliveTimeout: 20, DisconnectTimeout: 30, ConnectionTimeout: 110,
  TryWebSockets: true, ProtocolVersion: '2.1', TransportConnectTimeout: 5, LongPollDelay: 0,
};

let cursors = 0;

/**
 * By protocol: `up` brings a connection from the first request to `open`; `wrap` is the frame with
 * that text for an envelope; `unwrap` its reverse.
 */
export const servers = {
  'websocket': {
    up: () => sockets.at(-1).accept(),
    wrap: (envelope) => envelope,
    unwrap: JSON.parse,
  },
  'socket.io': {
    up() {
      const socket = sockets.at(-1).accept();
      socket.deliver(GREETING_4, '40{"sid":"s2"}');
      return socket;
    },
    wrap: (envelope) => `42["message",${envelope}]`,
    unwrap: (frame) => JSON.parse(frame.replace(/^42/, ''))[1],
  },
  'signalr': {
    async up() {
      requests.at(-1).answer(NEGOTIATED);
      await settled();
      const socket = sockets.at(-1).accept();
      socket.deliver(`{}${END}`);
      return socket;
    },
    wrap: (envelope) => JSON.stringify({ type: 1, target: 'onMessageReceived', arguments: [envelope] }) + END,
    unwrap: (frame) => JSON.parse(JSON.parse(frame.replace(END, '')).arguments[0]),
  },
  'signalr-classic': {
    async up() {
      requests.at(-1).answer(NEGOTIATED_CLASSIC);
      await settled();
      const socket = sockets.at(-1).accept();
      socket.deliver('{"C":"d-1","S":1,"M":[]}');
      requests.at(-1).answer({ Response: 'started' });
      await settled();
      return socket;
    },
    wrap: (envelope) => JSON.stringify({ C: `d-${(cursors += 1)}`, M: [{ H: 'WebRtcHub3', M: 'onMessageReceived', A: [envelope] }] }),
    unwrap: (frame) => JSON.parse(JSON.parse(frame).A[0]),
  },
};
