// hubConnection with the official client of ASP.NET Core SignalR: on a scripted server, which does
// what no test could make a real one do, and on our relay.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { hubConnection } from '../../npm/transports.js';
import { until } from '../support/deadline.mjs';
import { relay } from '../support/servers.mjs';
import { signalRServer } from '../support/signalr-server.mjs';
import { follow, frame } from './follow.mjs';

/** A server, and clients of it, all put away when the test ends. */
async function setUp(context, start, { automatic = false, ...options } = {}, count = 1) {
  const server = await start(options);
  const connections = Array.from({ length: count }, () => {
    const builder = new HubConnectionBuilder().withUrl(server.hub ?? server.url).configureLogging(LogLevel.None);
    return (automatic ? builder.withAutomaticReconnect([0, 20, 50, 100]) : builder).build();
  });
  context.after(async () => {
    await Promise.all(connections.map((connection) => connection.stop()));
    await server.close();
  });
  return { server, connections, pages: connections.map((connection) => follow(hubConnection(connection), until)) };
}

const scripted = (options) => signalRServer(options);
const ours = async () => {
  const server = await relay();
  return { ...server, hub: `${server.origin}/hub` };
};

describe('hubConnection on a scripted server', () => {
  it('starts the connection, calls the hub, and hears what the hub hands to all', async (context) => {
    const { server, pages: [first, second] } = await setUp(context, scripted, {}, 2);
    await Promise.all([first.up(), second.up()]);
    first.send(frame(1, { text: 'é 🙂 "' }));
    assert.deepEqual(await second.texts(1), [frame(1, { text: 'é 🙂 "' })]);
    assert.deepEqual(server.received, [frame(1, { text: 'é 🙂 "' })]);
    // The seed's hub calls the caller too; the library knows its own by `sender`.
    assert.deepEqual(await first.texts(1), [frame(1, { text: 'é 🙂 "' })]);
  });

  it('other names of method and target', async (context) => {
    const { server, connections: [connection] } = await setUp(context, scripted);
    const page = follow(hubConnection(connection, { target: 'heard', method: 'send' }), until);
    await page.up();
    page.send('x');
    await until(() => server.received.length === 1);
    server.call('heard', 'by another name');
    assert.deepEqual(await page.texts(1), ['by another name']);
  });

  it('opened several times it connects and hears once; a connection that is up opens at once', async (context) => {
    const { server, connections: [connection], pages: [page] } = await setUp(context, scripted);
    await connection.start();
    for (let times = 1; times <= 3; times += 1) {
      page.open();
      assert.equal(page.opened, times);
    }
    server.call('onMessageReceived', 'one');
    server.call('onMessageReceived', 'two');
    assert.deepEqual(await page.texts(2), ['one', 'two']);
    assert.equal(server.connections(), 1);
  });

  it('opened while the page itself is starting it, says that it is connecting, for the library to try again', async (context) => {
    const { connections: [connection], pages: [page] } = await setUp(context, scripted);
    const started = connection.start();
    page.open();
    assert.match(await page.lost(1), /connecting/);
    await started;
    await page.up();
  });

  it('reports a loss, and connects again', async (context) => {
    const { server, pages: [page] } = await setUp(context, scripted);
    for (const times of [1, 2]) {
      await page.up();
      server.drop();
      assert.match(await page.lost(times), /\w/);
      assert.throws(() => page.send('while it is down'), /down/);
    }
    await page.up();
    server.call('onMessageReceived', 'once');
    server.call('onMessageReceived', 'and on');
    assert.deepEqual(await page.texts(2), ['once', 'and on']);
  });

  it('leaves reconnecting to a client that does it', async (context) => {
    const { server, connections: [connection], pages: [page] } = await setUp(context, scripted, { automatic: true });
    await page.up();
    server.drop();
    await page.lost(1);
    page.open();
    await until(() => page.opened === 2);
    // And where the client is back before the library asks.
    server.drop();
    await page.lost(2);
    await until(() => connection.state === 'Connected');
    assert.equal(page.opened, 2);
    page.open();
    assert.equal(page.opened, 3);
    assert.equal(page.closed.length, 2);
  });

  it('tells a server that can’t be had, and one that refuses', async (context) => {
    const { server, pages: [page] } = await setUp(context, scripted);
    server.token = 'right';
    page.open();
    assert.match(await page.lost(1), /401/);
    server.token = undefined;
    await page.up();
  });

  it('what the hub refuses is refused, in the hub’s words, and the connection goes on', async (context) => {
    const { connections: [connection] } = await setUp(context, scripted);
    const transport = hubConnection(connection, { method: 'Refuse' });
    assert.equal(transport.pipeline, true);
    const page = follow(transport, until);
    await page.up();
    await assert.rejects(page.send(frame(1, 'x')), { code: 'message-refused', message: /the hub refused Refuse: .*not on this hub/ });
    assert.equal(connection.state, 'Connected');
    assert.deepEqual(page.closed, []);
  });

  it('a message is taken when the hub has handled it, and not if the connection is lost before', async (context) => {
    const { server, pages: [page] } = await setUp(context, scripted);
    await page.up();
    await page.send(frame(1, 'x'));
    assert.deepEqual(server.received, [frame(1, 'x')]);
    server.silent = true;
    const sent = page.send(frame(1, 'y'));
    await until(() => server.received.length === 2);
    server.drop();
    await assert.rejects(sent, ({ code }) => code !== 'message-refused');
  });

  it('close stops the connection and tells nothing; opening again is fine', async (context) => {
    const { server, pages: [page] } = await setUp(context, scripted);
    await page.up();
    page.close();
    page.close();
    await until(() => server.connections() === 0);
    await until(async () => {
      const { length } = page.closed;
      page.open();
      await until(() => page.opened === 2 || page.closed.length > length);
      return page.opened === 2;
    });
    assert.ok(page.closed.every((reason) => /disconnecting/.test(reason)), String(page.closed));
  });
});

describe('hubConnection on our relay', () => {
  it('carries text to the others, once, and not back', async (context) => {
    const { pages } = await setUp(context, ours, {}, 3);
    await Promise.all(pages.map((page) => page.up()));
    const [first, second, third] = pages;
    first.send(frame(1, 'one'));
    assert.deepEqual(await second.texts(1), [frame(1, 'one')]);
    second.send(frame(2, 'two'));
    assert.deepEqual(await first.texts(1), [frame(2, 'two')]);
    assert.deepEqual(await third.texts(2), [frame(1, 'one'), frame(2, 'two')]);
  });
});
