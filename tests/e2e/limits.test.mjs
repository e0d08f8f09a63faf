// Messages that are too large for a server: a real one of Socket.IO with its defaults, the scripted
// hub of ASP.NET Core SignalR, and a WebSocket server with a limit. Each is reported, and what was sent
// after it arrives.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { listen } from '../support/listen.mjs';
import { join, leave, leaveFailing, setUp, signalRServer, socketIoServer, tearDown } from '../support/protocol-pages.mjs';

/* global errors, handle, signaling, SignalWasm -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

/** What `send` throws for each message: its code, or nothing. */
const thrownBy = (page, source) =>
  page.evaluate((source) => {
    // eslint-disable-next-line no-new-func -- messages of the test, too large to be sent here
    const messages = new Function(`return ${source}`)();
    return messages.map((message) => {
      try {
        handle.send(message);
        return null;
      } catch (error) {
        return error.code;
      }
    });
  }, source);

const LARGE = "['漢'.repeat(400_000), 'x'.repeat(999_990), '😀'.repeat(340_000), 'next']";

describe('a Socket.IO server with its defaults', () => {
  const received = (server) => server.received.map(({ args: [{ message }] }) => message);

  test('what is over its limit is refused, and what follows arrives', TIMEOUT, async () => {
    const server = await socketIoServer();
    const page = await join({ url: server.url, protocol: 'socket.io', maxMessage: 5_000_000 });
    const code = 'message-too-large';
    assert.deepEqual(await thrownBy(page, LARGE), [code, code, code, null]);
    await page.evaluate(() => signaling.flushed());
    assert.deepEqual(received(server), ['next']);
    assert.equal(await page.evaluate(() => signaling.stats().connects), 1);
    await leave(page);
  });

  test('what was queued before its limit was known is reported, and what follows arrives', TIMEOUT, async () => {
    const server = await socketIoServer();
    const options = { url: server.url, protocol: 'socket.io', maxMessage: 5_000_000, outbox: { bytes: 50_000_000 } };
    const page = await join(options);
    const told = await page.evaluate(
      async ({ options, large }) => {
        const codes = [];
        const other = new SignalWasm.Signaling({ ...options, onerror: ({ code }) => codes.push(code) });
        const { send } = other.openSocket({ channel: 'main' });
        // eslint-disable-next-line no-new-func -- messages of the test, too large to be sent here
        new Function(`return ${large}`)().forEach((message) => send(message));
        await other.flushed();
        const { connects } = other.stats();
        other.close();
        return { codes, connects };
      },
      { options, large: LARGE },
    );
    assert.deepEqual(told, { codes: Array(3).fill('message-given-up'), connects: 1 });
    assert.deepEqual(received(server), ['next']);
    await leave(page);
  });
});

test('a hub of ASP.NET Core counts bytes after escaping; what is over its limit is reported', TIMEOUT, async () => {
  for (const message of ["'\"'.repeat(15_900)", "'€'.repeat(31_990)"]) {
    const server = await signalRServer();
    const limited = await join({ url: `${server.origin}/hub`, protocol: 'signalr', maxMessage: 32_768 });
    assert.deepEqual(await thrownBy(limited, `[${message}, 'next']`), ['message-too-large', null]);
    await limited.evaluate(() => signaling.flushed());
    const other = await join({ url: `${server.origin}/hub`, protocol: 'signalr' });
    assert.deepEqual(await thrownBy(other, `['before', ${message}, 'after']`), [null, null, null]);
    await other.evaluate(() => signaling.flushed());
    assert.deepEqual(server.received.map((text) => JSON.parse(text).message).sort(), ['after', 'before', 'next']);
    const [error, ...more] = await other.evaluate(() => errors.map(({ code }) => code));
    assert.deepEqual([error, more], ['message-given-up', []]);
    assert.equal(await other.evaluate(() => signaling.stats().connects), 2);
    await leave(limited, other);
  }
});

test('a WebSocket server that closes the connection over a message', TIMEOUT, async () => {
  const http = createServer();
  const received = [];
  new WebSocketServer({ server: http, maxPayload: 50_000 }).on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data) => received.push(JSON.parse(data).message));
  });
  const place = await listen(http);
  const page = await join({ url: place.origin.replace('http', 'ws'), protocol: 'websocket' });
  assert.deepEqual(await thrownBy(page, "['before', '漢'.repeat(40_000), 'after', 'end']"), [null, null, null, null]);
  await until(() => received.includes('end'));
  assert.deepEqual(received, ['before', 'after', 'end']);
  await page.evaluate(() => signaling.flushed());
  const told = await page.evaluate(() => errors.map(({ code }) => code));
  assert.ok(told.length > 0 && told.every((code) => code === 'message-given-up'), String(told));
  await leaveFailing(page);
  await place.close();
});
