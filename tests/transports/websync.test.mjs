// websync on a stand-in for WebSync, which is no longer sold: the methods and arguments that the
// shim uses, and no others.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { websync } from '../../npm/transports.js';
import { follow, frame } from './follow.mjs';

const CONNECT = ['onFailure', 'onStreamFailure', 'onSuccess'];

/**
 * A server: clients that have joined a channel get what is published there, its publisher too, as
 * Bayeux has it.
 */
function webSyncServer() {
  const joined = new Set();
  const server = {
    down: false,
    clients: [],
    client() {
      let connection;
      const client = {
        calls: [],
        setAutoDisconnect() {},
        connect(args) {
          client.calls.push('connect');
          assert.deepEqual(Object.keys(args).sort().filter((name) => !CONNECT.includes(name)), []);
          assert.equal(connection, undefined, 'connected twice');
          const mine = (connection = { args });
          setImmediate(() => {
            if (connection !== mine) return;
            if (server.down) connection = undefined;
            (server.down ? args.onFailure : args.onSuccess)?.({});
          });
        },
        join(args) {
          client.calls.push('join');
          assert.deepEqual(Object.keys(args).sort(), ['channel', 'onReceive', 'userId', 'userNickname']);
          joined.add({ ...args, client, connection });
        },
        publish({ channel, data, ...rest }) {
          assert.deepEqual(rest, {});
          if (!connection) throw new Error('not connected');
          const sent = JSON.stringify(data);
          for (const member of joined) {
            if (member.channel === channel && member.client.connected()) setImmediate(() => member.onReceive({ getData: () => JSON.parse(sent) }));
          }
          server.published.push({ channel, data });
        },
        disconnect(args) {
          client.calls.push('disconnect');
          assert.deepEqual(args, {});
          connection = undefined;
          for (const member of joined) if (member.client === client) joined.delete(member);
        },
        connected: () => connection !== undefined,
        // The stream breaks, and the client doesn't forget what it has joined.
        breakStream: () => connection.args.onStreamFailure({}),
      };
      server.clients.push(client);
      return client;
    },
    published: [],
  };
  return server;
}

/**
 * What the pages of the WebRTC Experiments do with a client (© 2013 Muaz Khan, MIT licence), as far
 * as it is about signaling.
 */
function seedPage(client) {
    const channels = {};
    const username = Math.round(Math.random() * 60535) + 5000;

    client.setAutoDisconnect({
        synchronous: true
    });

    client.connect({
        onSuccess: function () {
            client.join({
                channel: '/chat',
                userId: username,
                userNickname: username,
                onReceive: function (event) {
                    const message = JSON.parse(event.getData().text);
                    if (channels[message.channel] && channels[message.channel].onmessage) {
                        channels[message.channel].onmessage(message.message);
                    }
                }
            });
        }
    });

    return function (config) {
        const channel = config.channel || this.channel;
        channels[channel] = config;

        if (config.onopen) setTimeout(config.onopen, 1000);
        return {
            send: function (message) {
                client.publish({
                    channel: '/chat',
                    data: {
                        username: username,
                        text: JSON.stringify({
                            message: message,
                            channel: channel
                        })
                    }
                });
            }
        };
    };
}

describe('websync', () => {
  it('publishes what the shim publishes: username and text', async () => {
    const server = webSyncServer();
    const page = follow(websync(server.client(), { userid: 7 }));
    await page.up();
    page.send(frame(7, 'hello'));
    assert.deepEqual(server.published, [{ channel: '/chat', data: { username: 7, text: '{"sender":7,"channel":"room","message":"hello"}' } }]);
    assert.deepEqual(server.clients[0].calls, ['connect', 'join']);
  });

  it('two pages hear each other, on their own channel only', async () => {
    const server = webSyncServer();
    const [first, second, elsewhere] = [{}, { userid: 'Ada' }, { channel: '/other' }].map((options) => follow(websync(server.client(), options)));
    for (const page of [first, second, elsewhere]) await page.up();
    first.send(frame(1, 'hello'));
    assert.deepEqual(await second.texts(1), [frame(1, 'hello')]);
    // The sender too gets it; the library knows its own by `sender`.
    assert.deepEqual(await first.texts(1), [frame(1, 'hello')]);
    assert.deepEqual(elsewhere.heard, []);
    const names = server.published.map(({ data }) => data.username);
    assert.ok(names.every((name) => Number.isSafeInteger(name)), String(names));
  });

  it('pages with the shim and it hear each other; what comes without a sender is handed on as it is', async () => {
    const server = webSyncServer();
    const heard = [];
    const openSignalingChannel = seedPage(server.client());
    const old = openSignalingChannel({ channel: 'room', onmessage: (message) => heard.push(message) });
    const page = follow(websync(server.client()));
    await page.up();
    page.send(frame(1, { offer: 'v=0' }));
    old.send({ answer: 'v=1' });
    assert.deepEqual(await page.texts(2), [frame(1, { offer: 'v=0' }), '{"message":{"answer":"v=1"},"channel":"room"}']);
    assert.deepEqual(heard, [{ offer: 'v=0' }, { answer: 'v=1' }]);
  });

  it('tells a connection that can’t be had, and one whose stream breaks, and opens again', async () => {
    const server = webSyncServer();
    const [first, second] = [follow(websync(server.client())), follow(websync(server.client()))];
    server.down = true;
    first.open();
    assert.match(await first.lost(1), /WebSync can’t connect/);
    server.down = false;
    await first.up();
    await second.up();
    server.clients[0].breakStream();
    assert.match(await first.lost(2), /WebSync has lost its stream/);
    second.send('while the other is away');
    await second.texts(1);
    await first.up();
    second.send('and on');
    await second.texts(2);
    assert.deepEqual(first.heard, ['and on'], 'once, and nothing from before');
    assert.equal(first.closed.length, 2);
    assert.deepEqual(server.clients[0].calls, ['connect', 'disconnect', 'connect', 'join', 'disconnect', 'connect', 'join']);
  });

  it('disconnects on close, tells nothing of it, and ignores what the client says later', async () => {
    const server = webSyncServer();
    const client = server.client();
    const page = follow(websync(client));
    page.open();
    page.close();
    await new Promise(setImmediate);
    assert.deepEqual({ opened: page.opened, closed: page.closed, connected: client.connected() }, { opened: 0, closed: [], connected: false });
    await page.up();
    page.close();
    assert.throws(() => page.send('too late'), /not connected/);
    assert.deepEqual({ opened: page.opened, closed: page.closed, connected: client.connected() }, { opened: 1, closed: [], connected: false });
  });

  it('a client without `disconnect` is left as it is', async () => {
    const client = { ...webSyncServer().client(), disconnect: undefined };
    const page = follow(websync(client));
    await page.up();
    page.close();
    assert.equal(client.connected(), true);
  });
});
