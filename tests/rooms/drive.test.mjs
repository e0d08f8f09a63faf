// The socket on a signaling: when it connects, and what it does on the page's clock.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rtcMultiConnectionSocket } from '../../npm/rtcmulticonnection.js';
import { TIMEOUT, until } from '../support/deadline.mjs';

/** A stand-in for a `Signaling`: its state, what is sent on its channels, and which are open. */
function signalingOf() {
  const signaling = {
    state: 'open',
    connects: 1,
    sent: [],
    channels: [],
    refuse: undefined,
    stats: () => ({ connects: signaling.connects }),
    openSocket({ channel, onmessage }) {
      signaling.channels.push(channel);
      signaling.receive = onmessage;
      return {
        send(message) {
          if (signaling.refuse) throw signaling.refuse;
          signaling.sent.push(message);
        },
        close: () => signaling.channels.splice(signaling.channels.indexOf(channel), 1),
      };
    },
  };
  signaling.closed = new Promise((done) => (signaling.end = done));
  return signaling;
}

/** A socket, and what it fires. */
function socketOf(context, signaling, user, options) {
  const socket = rtcMultiConnectionSocket(signaling, options)(`/?userid=${user}`);
  context.after(() => socket.disconnect());
  const fired = [];
  for (const name of ['connect', 'disconnect', 'error', 'userid-already-taken', 'custom-message']) socket.on(name, (...values) => fired.push([name, ...values]));
  return { socket, fired };
}

/** The channel on which our relay would be asked. Nothing is sent on it to other servers. */
const PRIVATE = /^rtcmulticonnection-relay\/[0-9a-f]{32}$/;

const kinds = (signaling) => signaling.sent.map(({ kind }) => kind);

describe('the socket of a page', () => {
  it('connects when the signaling is open, and never before its listeners are there', TIMEOUT, async (context) => {
    const signaling = signalingOf();
    signaling.state = 'connecting';
    const { socket, fired } = socketOf(context, signaling, 'a');
    let answer;
    socket.emit('check-presence', 'room', (...values) => (answer = values));
    await new Promise((done) => setTimeout(done));
    assert.deepEqual([fired, signaling.sent], [[], []]);
    signaling.state = 'open';
    await until(() => fired.length);
    assert.deepEqual(fired, [['connect']]);
    await until(() => answer);
    assert.deepEqual(answer.slice(0, 2), [false, 'room']);
    assert.match(signaling.channels[0], PRIVATE);
    assert.deepEqual(signaling.channels.slice(1), ['rtcmulticonnection']);
  });

  it('notices each loss, also one that was over before it looked', TIMEOUT, async (context) => {
    const signaling = signalingOf();
    const { fired } = socketOf(context, signaling, 'a');
    await until(() => fired.length === 1);
    signaling.connects += 1;
    await until(() => fired.length === 3);
    signaling.state = 'waiting';
    await until(() => fired.length === 4);
    signaling.state = 'open';
    await until(() => fired.length === 5);
    assert.deepEqual(fired.map(([name]) => name), ['connect', 'disconnect', 'connect', 'disconnect', 'connect']);
    assert.deepEqual(kinds(signaling), ['hello', 'hello', 'hello']);
  });

  it('says that it is alive however much it hears', TIMEOUT, async (context) => {
    const signaling = signalingOf();
    const { socket } = socketOf(context, signaling, 'a');
    socket.emit('open-room', { sessionid: 'room' });
    const flood = setInterval(() => signaling.receive?.({ any: 'message' }), 1);
    context.after(() => clearInterval(flood));
    await until(() => kinds(signaling).includes('beat'));
  });

  it('reports what the signaling refuses, and its end', TIMEOUT, async (context) => {
    const signaling = signalingOf();
    const { socket, fired } = socketOf(context, signaling, 'a');
    await until(() => fired.length);
    signaling.refuse = new Error('message-too-large');
    socket.emit('extra-data-updated', {});
    assert.deepEqual(fired.at(-1), ['error', signaling.refuse]);
    signaling.state = 'closed';
    signaling.end({ reason: 'the token was refused' });
    await until(() => fired.at(-1)[1] !== signaling.refuse && fired.at(-1)[0] === 'error');
    assert.match(fired.at(-1)[1].message, /the token was refused/);
    assert.deepEqual(signaling.channels, []);
  });

  it('leaves with a goodbye, and the channel with the last socket', TIMEOUT, async (context) => {
    const signaling = signalingOf();
    const [first, second] = ['a', 'b'].map((user) => socketOf(context, signaling, user));
    await until(() => first.fired.length && second.fired.length);
    first.socket.disconnect();
    first.socket.disconnect();
    assert.deepEqual([first.socket.connected, signaling.channels.length, kinds(signaling).at(-1)], [false, 2, 'bye']);
    second.socket.close();
    assert.deepEqual([signaling.channels, kinds(signaling).filter((kind) => kind === 'bye').length], [[], 2]);
  });

  it('hears other sockets of the same page, unless they have another channel', TIMEOUT, async (context) => {
    const signaling = signalingOf();
    const [first, second] = ['a', 'b'].map((user) => socketOf(context, signaling, user));
    const other = signalingOf();
    const elsewhere = socketOf(context, other, 'c', { channel: 'another' });
    await until(() => [first, second, elsewhere].every(({ fired }) => fired.length));
    first.socket.emit('custom-message', { text: 'hello' });
    await until(() => second.fired.length === 2);
    assert.deepEqual(second.fired[1], ['custom-message', { text: 'hello' }]);
    assert.deepEqual([first.fired.length, elsewhere.fired.length], [1, 1]);
  });

  it('goes on when a listener throws, and when one emits', TIMEOUT, async (context) => {
    const reported = context.mock.method(console, 'error', () => {});
    const signaling = signalingOf();
    const socket = rtcMultiConnectionSocket(signaling)('/?userid=a');
    context.after(() => socket.disconnect());
    socket.on('connect', () => {
      socket.emit('custom-message', 1);
      throw new Error('the page’s own');
    });
    let answered = false;
    socket.emit('get-remote-user-extra-data', 'a', () => (answered = true));
    await until(() => answered);
    assert.equal(reported.mock.callCount(), 1);
    assert.deepEqual(kinds(signaling), ['hello', 'custom']);
  });
});
