// signal-wasm on a scripted server of ASP.NET SignalR 2, beside the seed's page, and when things go
// wrong.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT, until } from '../support/deadline.mjs';
import {
  classicSignalRServer,
  FILES,
  firstError,
  hears,
  isOpen,
  join,
  leave,
  leaveFailing,
  old,
  send,
  setUp,
  tearDown,
} from '../support/protocol-pages.mjs';
import { signalR } from './signalr.mjs';

/* global signaling, states -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

describe('ASP.NET SignalR 2, the scripted server', { concurrency: 3 }, () => {
  const options = (server) => ({ url: server.url, protocol: 'signalr-classic' });
  const makeServer = (more) => classicSignalRServer({ files: FILES, ...more });
  signalR('signalr-classic', {
    makeServer,
    options,
    seedPage: (server) => old('seed-signalr-classic', '', server.origin),
    wrongMethod: /Nope/,
  });

  test('a reconnect goes on from the last message, and misses none', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    const envelope = (message) => JSON.stringify({ sender: 5, channel: 'main', message });
    server.call('onMessageReceived', envelope(1));
    await hears(ours, ['1']);
    server.requests.length = 0;
    await server.end();
    server.call('onMessageReceived', envelope(2));
    server.call('onMessageReceived', envelope(3));
    await hears(ours, ['1', '2', '3']);
    assert.deepEqual(
      server.requests.map(({ url }) => url.split('?')[0]),
      ['/signalr/reconnect'],
    );
    assert.match(
      new URL(server.requests[0].url, 'http://x').searchParams.get('messageId'),
      /^d-.*\|C,1\|/,
    );
    await leave(ours);
  });

  test('a server that has forgotten us is negotiated with again', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 1 }));
    await hears(ours, ['1']);
    server.forget();
    await ours.waitForFunction(() => signaling.stats().connects === 2);
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    await leaveFailing(ours);
  });

  test('silence beyond the keep-alive is a loss', TIMEOUT, async () => {
    const server = await makeServer({ keepAlive: 0.5 });
    const ours = await join(options(server));
    server.silent = true;
    await ours.waitForFunction(() => states.some((line) => /^waiting: .*silent/.test(line)));
    server.silent = false;
    await isOpen(ours);
    await leaveFailing(ours);
  });

  test('an unknown hub is named, with the option', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join({ ...options(server), hub: 'other' }, { wait: false });
    const error = await firstError(ours);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /other/);
    assert.match(error.message, /option hub/);
    await leaveFailing(ours);
  });

  test('close() aborts the connection on the server', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    await ours.evaluate(() => signaling.close());
    await until(() =>
      server.requests.some(
        ({ method, url }) => method === 'POST' && url.startsWith('/signalr/abort?'),
      ),
    );
    await leave(ours);
  });

  test('an error that the server ends the connection with is worded', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    server.raw('{"E":"the end of it"}');
    const error = await firstError(ours);
    assert.match(error.message, /the end of it/);
    await leaveFailing(ours);
  });
});
