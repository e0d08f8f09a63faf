// signal-wasm on a scripted server of ASP.NET Core SignalR, beside the seed's page, and when things
// go wrong.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT, until } from '../support/deadline.mjs';
import {
  firstError,
  hears,
  join,
  leave,
  leaveFailing,
  old,
  send,
  setUp,
  signalRServer,
  start,
  tearDown,
  VALUES,
} from '../support/protocol-pages.mjs';
import { signalR } from './signalr.mjs';

/* global errors, signaling, states -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

describe('ASP.NET Core SignalR, the scripted server', { concurrency: 3 }, () => {
  const options = (server) => ({ url: server.url, protocol: 'signalr' });
  signalR('signalr', {
    makeServer: signalRServer,
    options,
    seedPage: (server) => old('seed-signalr-core', server.url),
    wrongMethod: /Unknown hub method 'Nope'/,
  });

  for (const size of [1, 7, 100]) {
    test(`records over frames of ${size} characters`, TIMEOUT, async () => {
      const server = await signalRServer();
      server.split = size;
      const ours = await join(options(server));
      const values = size === 1 ? VALUES.slice(0, -1) : VALUES;
      for (const message of values)
        server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message }));
      await hears(
        ours,
        values.map((value) => JSON.stringify(value)),
      );
      await send(ours, ['1', '2']);
      await until(() => server.received.length === 2);
      assert.deepEqual(await ours.evaluate(() => ({ bad: signaling.stats().bad, errors })), {
        bad: 0,
        errors: [],
      });
      await leave(ours);
    });
  }

  test('without negotiation, with a token', TIMEOUT, async () => {
    const server = await signalRServer({ token: 'right' });
    const ours = await join({ ...options(server), skipNegotiation: true, accessToken: 'right' });
    assert.deepEqual(
      server.requests.map(({ method, token }) => [method, token]),
      [['WebSocket', 'right']],
    );
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    await leave(ours);
  });

  test('a query of the page’s goes with each address', TIMEOUT, async () => {
    const server = await signalRServer();
    const ours = await join({ ...options(server), query: { room: 'a b&c' } });
    for (const { url } of server.requests)
      assert.equal(new URL(url, 'http://x').searchParams.get('room'), 'a b&c');
    assert.equal(server.requests.length, 2);
    await leave(ours);
  });

  test('what the server asks is answered', TIMEOUT, async () => {
    const server = await signalRServer();
    const ours = await join(options(server));
    const [answer] = await server.ask(
      'onMessageReceived',
      JSON.stringify({ sender: 5, channel: 'main', message: 1 }),
    );
    assert.deepEqual(Object.keys(answer).sort(), ['invocationId', 'result', 'type']);
    const [none] = await server.ask('somethingElse', 1);
    assert.equal(typeof none.error, 'string');
    await hears(ours, ['1']);
    await leave(ours);
  });

  test(
    'Close: with allowReconnect we come back, without it is final and worded',
    TIMEOUT,
    async () => {
      const server = await signalRServer();
      const ours = await join(options(server));
      server.dismiss({ error: 'away', allowReconnect: true });
      await ours.waitForFunction(() => signaling.stats().connects === 2);
      await until(() => server.connections() === 1);
      server.dismiss({ error: 'gone fishing' });
      const error = await firstError(ours);
      assert.equal(error.code, 'connection-failed');
      assert.match(error.message, /gone fishing/);
      assert.equal(await ours.evaluate(() => signaling.state), 'closed');
      await leave(ours);
    },
  );

  test('a refused handshake and an error of negotiation are worded', TIMEOUT, async () => {
    const server = await signalRServer();
    server.handshakeError = "The protocol 'json' is not supported.";
    const ours = await join(options(server), { wait: false });
    const error = await firstError(ours);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /The protocol 'json' is not supported/);
    server.handshakeError = undefined;
    server.negotiation = { body: { error: 'come back tomorrow' } };
    await start(ours, options(server));
    await ours.waitForFunction(() => states.some((line) => line.includes('come back tomorrow')));
    await leaveFailing(ours);
  });
});
