// Wrong arguments: a TypeError that names the member and what it is, and says what would be right.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as transports from '../../npm/transports.js';

const { broadcastChannel, hubConnection, hubProxy, socketIo, websync } = transports;

const nothing = () => {};
const socket = { on: nothing, emit: nothing, connect: nothing, disconnect: nothing };
const client = { connect: nothing, join: nothing, publish: nothing };
const proxy = { on: nothing, connection: { start: nothing, stop: nothing, stateChanged: nothing } };
const connection = { on: nothing, invoke: nothing, start: nothing, stop: nothing, onclose: nothing, onreconnecting: nothing, onreconnected: nothing };

/** A call and what its error says. */
const WRONG = [
  [() => websync(), /^websync: client must be a new fm\.websync\.client\(url\), but it is undefined$/],
  [() => websync('websync.ashx'), /^websync: client .* but it is "websync\.ashx"$/],
  [() => websync({ ...client, join: undefined }), /^websync: client\.join must be a function, but it is undefined; pass a new fm\.websync\.client/],
  [() => websync(client, { channel: '' }), /^websync: channel must be text, but it is ""$/],
  [() => websync(client, { userid: {} }), /^websync: userid must be text, but it is of type object$/],
  [() => websync(client, { username: 'Ada' }), /^websync: there is no option username; there is channel, userid$/, 'unknown-option'],
  [() => websync(client, null), /^websync: options must be an object with channel, userid, but it is null$/],
  [() => socketIo(null), /^socketIo: socket must be what io\(url\) gives, but it is null$/],
  [() => socketIo(new URL('http://localhost/')), /^socketIo: socket\.on must be a function, but it is undefined; pass what io\(url\) gives$/],
  [() => socketIo(socket, { event: 5 }), /^socketIo: event must be text, but it is 5$/],
  [() => socketIo(socket, { toString: 'x' }), /^socketIo: there is no option toString; there is event$/, 'unknown-option'],
  [() => hubProxy(undefined), /^hubProxy: proxy must be \$\.connection\.webRtcHub3, but it is undefined$/],
  [() => hubProxy({}), /^hubProxy: proxy\.connection must be a proxy of jquery\.signalR, but it is undefined$/],
  [() => hubProxy({ ...proxy, connection: { ...proxy.connection, start: 1 } }), /^hubProxy: proxy\.connection\.start must be a function, but it is 1;/],
  [() => hubProxy({ connection: proxy.connection }), /^hubProxy: proxy\.client must be /],
  [() => hubProxy({ connection: proxy.connection, client: {} }), /^hubProxy: proxy\.server\.send must be a function, but it is undefined;/],
  [() => hubProxy({ connection: proxy.connection, client: {}, server: { send: nothing } }, { method: 'Say' }), /^hubProxy: proxy\.server\.say must be a function/],
  [() => hubProxy(proxy, { target: Symbol('x') }), /^hubProxy: target must be text, but it is Symbol\(x\)$/],
  [() => hubConnection('/hub'), /^hubConnection: connection must be what new HubConnectionBuilder.* but it is "\/hub"$/],
  [() => hubConnection({ ...connection, onreconnected: undefined }), /^hubConnection: connection\.onreconnected must be a function/],
  [() => hubConnection(connection, { hub: 'x' }), /^hubConnection: there is no option hub; there is target, method$/, 'unknown-option'],
  [() => broadcastChannel(5), /^broadcastChannel: name must be a string, but it is 5$/],
  [() => broadcastChannel({ name: 'x' }), /^broadcastChannel: name must be a string, but it is of type object$/],
];

describe('wrong arguments', () => {
  for (const [call, sentence, code = 'bad-option'] of WRONG) {
    it(String(call).replace('() => ', ''), () => {
      assert.throws(call, (error) => {
        assert.ok(error instanceof TypeError, String(error));
        assert.match(error.message, sentence);
        assert.equal(error.code, code);
        return true;
      });
    });
  }
});

describe('right arguments', () => {
  it('options may be left out, empty, or undefined one by one', () => {
    for (const options of [undefined, {}, { target: undefined, method: undefined }]) hubConnection(connection, options);
    for (const userid of ['Ada', 5, 0, undefined]) websync(client, { channel: undefined, userid });
    socketIo(socket, { event: undefined });
    hubProxy(proxy, {});
    hubProxy({ connection: proxy.connection, client: {}, server: { send: nothing } });
    broadcastChannel();
  });

  it('each gives a transport, and touches nothing before it is opened', () => {
    const made = [websync(client), socketIo(socket), hubProxy(proxy), hubConnection(connection), broadcastChannel()];
    assert.equal(made.length, Object.keys(transports).length);
    for (const transport of made) assert.deepEqual(Object.keys(transport).sort(), ['close', 'open', 'pipeline', 'send']);
  });
});
