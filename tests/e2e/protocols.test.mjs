// signal-wasm by every protocol: closed at any moment, with tokens and addresses, and on a server
// that speaks something else.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT, until } from '../support/deadline.mjs';
import {
  classicSignalRServer,
  files,
  firstError,
  join,
  leave,
  leaveFailing,
  seedServer,
  setUp,
  signalRServer,
  socketIoServer,
  sseServer,
  tearDown,
} from '../support/protocol-pages.mjs';

/* global SignalWasm, asked, signaling -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

describe('whatever the protocol', { concurrency: 3 }, () => {
  const SERVERS = {
    'socket.io': [() => socketIoServer(), 'auth', `{ token: 'x' }`],
    'signalr': [() => signalRServer(), 'accessToken', `'x'`],
    'signalr-classic': [() => classicSignalRServer(), 'accessToken', `'x'`],
    'sse': [() => sseServer(), 'accessToken', `'x'`],
  };
  for (const [protocol, [makeServer, option, value]] of Object.entries(SERVERS)) {
    test(
      `${protocol}: closed at any moment, a signaling stays closed, and the server is left`,
      TIMEOUT,
      async () => {
        const server = await makeServer();
        const ours = await join({ url: server.url, protocol });
        const late = await ours.evaluate(
          async ([url, protocol]) => {
            const late = [];
            for (let delay = 0; delay < 60; delay += 2) {
              const one = new SignalWasm.Signaling({
                url,
                protocol,
                onerror: ({ message }) => late.push(message),
              });
              one
                .openSocket({
                  channel: 'main',
                  // What one before it sent may come while it is open.
                  onmessage: (message) => one.state === 'closed' && late.push(message),
                })
                .send('early');
              // Moments of a handshake, whichever it has come to by then.
            if (delay) await new Promise((done) => setTimeout(done, delay));
              one.close();
              one.onstatechange = (state) => late.push(state);
            }
            signaling.close();
            return late;
          },
          [server.url, protocol],
        );
        assert.deepEqual(late, []);
        await until(() => server.connections() === 0);
        await leaveFailing(ours);
      },
    );

    test(`${protocol}: a provider of a token that fails is asked again`, TIMEOUT, async () => {
      const server = await makeServer();
      const ours =
        await join(`{ url: ${JSON.stringify(server.url)}, protocol: '${protocol}', ${option}: () => {
        asked += 1;
        if (asked === 1) throw new Error('no login yet');
        return asked === 2 ? Promise.reject(new Error('no network')) : new Promise((done) => setTimeout(done, 50, ${value}));
      } }`);
      const states = await ours.evaluate(() => window.states);
      assert.ok(
        states.some((line) => line.startsWith('waiting: ') && line.includes('no login yet')),
        states.join('\n'),
      );
      assert.ok(
        states.some((line) => line.startsWith('waiting: ') && line.includes('no network')),
        states.join('\n'),
      );
      assert.equal(await ours.evaluate(() => asked), 3);
      await leave(ours);
    });

    test(`${protocol}: an address with a query of its own`, TIMEOUT, async () => {
      const server = await makeServer();
      const ours = await join({ url: `${server.url}?mine=a%20b`, protocol, query: { yours: 1 } });
      const queries =
        protocol === 'socket.io'
          ? server.connected.map(({ query }) => query)
          : server.requests.map(({ url }) =>
              Object.fromEntries(new URL(url, 'http://x').searchParams),
            );
      assert.ok(queries.length > 0);
      for (const { mine, yours } of queries)
        assert.deepEqual({ mine, yours }, { mine: 'a b', yours: '1' });
      await leave(ours);
    });
  }
});

describe(
  'a server that speaks something else says what it is, and which option would fit',
  { concurrency: 3 },
  () => {
    // Where each server is, and what the page tries; the error must name what would do.
    const MISMATCHES = [
      [
        'Socket.IO 4 behind websocket',
        () => socketIoServer(),
        (server) => ({
          url: `${server.origin}/socket.io/?EIO=4&transport=websocket`,
          protocol: 'websocket',
        }),
        /Engine\.IO|Socket\.IO/,
        /'socket\.io'/,
      ],
      [
        'Socket.IO 2 behind websocket',
        () => socketIoServer({ version: 2 }),
        (server) => ({
          url: `${server.origin}/socket.io/?EIO=3&transport=websocket`,
          protocol: 'websocket',
        }),
        /Engine\.IO|Socket\.IO/,
        /'socket\.io'/,
      ],
      [
        'a plain WebSocket server behind socket.io',
        () => seedServer({ greeting: '{"sender":1,"channel":"main","message":1}' }),
        (server) => ({ url: server.url, protocol: 'socket.io' }),
        /Engine\.IO/,
        /'websocket'/,
      ],
      [
        'SignalR 2 behind signalr',
        () => classicSignalRServer(),
        (server) => ({ url: server.url, protocol: 'signalr' }),
        /SignalR 2/,
        /'signalr-classic'/,
      ],
      [
        'SignalR Core behind signalr-classic',
        () => signalRServer(),
        (server) => ({ url: server.url, protocol: 'signalr-classic' }),
        /HTTP status 405/,
        /option (url|protocol)/,
      ],
      [
        'Socket.IO 4 behind signalr',
        () => socketIoServer({ files: {} }),
        (server) => ({ url: `${server.origin}/socket.io/`, protocol: 'signalr' }),
        /HTTP status 400/,
        /option (url|protocol)/,
      ],
      [
        'files behind signalr',
        () => files,
        (server) => ({ url: `${server.origin}/hub`, protocol: 'signalr' }),
        /HTTP status 404/,
        /option url/,
      ],
      [
        'files behind signalr-classic',
        () => files,
        (server) => ({ url: `${server.origin}/signalr`, protocol: 'signalr-classic' }),
        /HTTP status 404/,
        /option url/,
      ],
    ];
    for (const [name, makeServer, options, met, way] of MISMATCHES) {
      test(name, TIMEOUT, async () => {
        const server = await makeServer();
        const ours = await join(options(server), { wait: false });
        const { message } = await firstError(ours);
        assert.match(message, met);
        assert.match(message, way);
        await leaveFailing(ours);
      });
    }
  },
);
