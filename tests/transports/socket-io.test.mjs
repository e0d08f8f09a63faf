// socketIo with real clients and servers of Socket.IO, of versions 4 and 2.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import { socketIo } from '../../npm/transports.js';
import { until } from '../support/deadline.mjs';
import { socketIoServer } from '../support/socket-io-server.mjs';
import { follow, frame } from './follow.mjs';

// Clients that share nothing and come back soon.
const ALONE = { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 50 };
// Where connections are cut: a client that polls, or is about to stop polling, has none at times,
// and misses nothing.
const NO_POLLING = { transports: ['websocket'] };

const PAIRS = [
  { name: 'client 4, server 4', io: io4, server: { version: 4 } },
  { name: 'client 2, server 2', io: io2, server: { version: 2 } },
  { name: 'client 2, server 4 with allowEIO3', io: io2, server: { version: 4, allowEIO3: true } },
];

for (const { name, io, server: options } of PAIRS) {
  describe(name, () => {
    /** A server, and as many clients as asked for, all put away when the test ends. */
    async function setUp(context, count, { server: more = {}, client: settings = {} } = {}) {
      const server = await socketIoServer({ ...options, ...more });
      const sockets = Array.from({ length: count }, () => io(server.url, { ...ALONE, ...settings }));
      context.after(async () => {
        for (const socket of sockets) socket.disconnect();
        await server.close();
      });
      return { server, sockets };
    }

    it('emits the object, as the shim does, and hears what the shim emits', async (context) => {
      const { server, sockets } = await setUp(context, 3);
      const [first, second] = sockets.slice(0, 2).map((socket) => follow(socketIo(socket), until));
      // The shim's own two lines.
      const old = sockets[2];
      const heard = [];
      old.on('message', (data) => heard.push(data));
      await Promise.all([first.up(), second.up(), until(() => old.connected)]);

      first.send(frame(1, { text: 'é 🙂 "' }));
      assert.deepEqual(await second.texts(1), [frame(1, { text: 'é 🙂 "' })]);
      await until(() => heard.length === 1);
      assert.deepEqual(heard, [{ sender: 1, channel: 'room', message: { text: 'é 🙂 "' } }]);
      old.emit('message', { sender: 2, channel: 'room', message: null });
      assert.deepEqual((await second.texts(2))[1], frame(2, null));
      assert.deepEqual(first.heard, [frame(2, null)]);
      assert.deepEqual(server.received[0], { namespace: '/', event: 'message', args: [{ sender: 1, channel: 'room', message: { text: 'é 🙂 "' } }] });
    });

    it('another event, and arguments that are no envelope', async (context) => {
      const { server, sockets } = await setUp(context, 1);
      const page = follow(socketIo(sockets[0], { event: 'signal' }), until);
      await page.up();
      page.send(frame(1, 'x'));
      await until(() => server.received.length === 1);
      assert.equal(server.received[0].event, 'signal');
      server.emit('message', ['not this event']);
      server.emit('signal', []);
      server.emit('signal', [null]);
      server.emit('signal', ['{"sender":2,"channel":"room","message":"as text"}']);
      server.emit('signal', [{ sender: 3, channel: 'room', message: 3 }, 'an offset']);
      assert.deepEqual(await page.texts(4), ['undefined', 'null', '{"sender":2,"channel":"room","message":"as text"}', frame(3, 3)]);
    });

    it('a socket that is connected already opens at once; opened several times it connects and hears once', async (context) => {
      const { server, sockets } = await setUp(context, 1);
      await until(() => sockets[0].connected);
      const page = follow(socketIo(sockets[0]), until);
      for (let times = 1; times <= 3; times += 1) {
        page.open();
        assert.equal(page.opened, times);
      }
      server.emit('message', [{ sender: 2, channel: 'room', message: 1 }]);
      server.emit('message', [{ sender: 2, channel: 'room', message: 2 }]);
      assert.deepEqual(await page.texts(2), [frame(2, 1), frame(2, 2)]);
      assert.equal(server.connected.length, 1);
    });

    it('a socket that isn’t to connect by itself is connected, and one that does is not connected twice', async (context) => {
      const { server, sockets } = await setUp(context, 1, { client: { autoConnect: false } });
      const page = follow(socketIo(sockets[0]), until);
      page.open();
      page.open();
      await until(() => page.opened > 0);
      assert.equal(server.connected.length, 1);
      assert.equal(server.connections(), 1);
    });

    it('tells a loss, and is up again when the client is', async (context) => {
      const { server, sockets } = await setUp(context, 1, { client: NO_POLLING });
      const page = follow(socketIo(sockets[0]), until);
      await page.up();
      server.drop();
      assert.match(await page.lost(1), /transport (close|error)/);
      // The client comes back by itself, before the library asks for it.
      await until(() => sockets[0].connected);
      assert.equal(page.opened, 1);
      page.open();
      assert.equal(page.opened, 2);
      server.drop();
      await page.lost(2);
      await page.up();
      await until(() => server.connections() === 1);
      server.emit('message', [{ sender: 2, channel: 'room', message: 'once' }]);
      server.emit('message', [{ sender: 2, channel: 'room', message: 'and on' }]);
      assert.deepEqual(await page.texts(2), [frame(2, 'once'), frame(2, 'and on')]);
    });

    it('sent away by the server, after which no client comes back by itself, it does when it is opened', async (context) => {
      const { server, sockets } = await setUp(context, 1);
      const page = follow(socketIo(sockets[0]), until);
      await page.up();
      await until(() => server.connections() === 1);
      server.disconnect();
      assert.match(await page.lost(1), /server disconnect/);
      await page.up();
      await until(() => server.connections() === 1);
    });

    it('a client that may not reconnect is made to by each open', async (context) => {
      const { server, sockets } = await setUp(context, 1, { client: { ...NO_POLLING, reconnection: false } });
      const page = follow(socketIo(sockets[0]), until);
      await page.up();
      for (const times of [1, 2]) {
        server.drop();
        await page.lost(times);
        await page.up();
      }
      assert.equal(server.connected.length, 3);
    });

    it('a server that isn’t there is reported, and found when it comes', async (context) => {
      const gone = await socketIoServer(options);
      await gone.close();
      const socket = io(gone.url, ALONE);
      const page = follow(socketIo(socket), until);
      page.open();
      assert.match(await page.lost(1), /\w/);
      const server = await socketIoServer({ ...options, port: gone.port });
      context.after(async () => {
        socket.disconnect();
        await server.close();
      });
      await until(async () => {
        const { length } = page.closed;
        page.open();
        await until(() => page.opened > 0 || page.closed.length > length);
        return page.opened > 0;
      });
    });

    it('a refusal is reported in the server’s words, and let in with the right token', async (context) => {
      const query = options.version === 2 ? { query: { token: 'wrong' } } : { auth: { token: 'wrong' } };
      const { server, sockets } = await setUp(context, 1, { server: { token: 'right' }, client: query });
      const page = follow(socketIo(sockets[0]), until);
      // To an old client a new server sends only what it has attached to the error.
      const refused = io === io2 && options.version === 4 ? /"wanted":"a token"/ : /not authorized/;
      page.open();
      assert.match(await page.lost(1), refused);
      page.open();
      assert.match(await page.lost(2), refused);
      server.token = options.version === 2 ? 'wrong' : sockets[0].auth?.token;
      await page.up();
      assert.equal(server.connections(), 1);
    });

    it('close disconnects and tells nothing; what comes later is not heard; opening again is fine', async (context) => {
      const { server, sockets } = await setUp(context, 1, { client: NO_POLLING });
      const page = follow(socketIo(sockets[0]), until);
      await page.up();
      page.close();
      page.close();
      await until(() => server.connections() === 0);
      assert.deepEqual(page.closed, []);
      await page.up();
      assert.equal(server.connections(), 1);
      assert.deepEqual(page.closed, []);
    });
  });
}
