// `joinRoom`: rooms on a signaling, with and without a password.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { joinRoom } from '../../npm/room.js';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { bus } from './bus.mjs';

/** A page in the room, and what it has heard: `[event, peer's id, …]`. */
async function join(context, signaling, options) {
  const room = await joinRoom(signaling, 'lobby', options);
  context.after(() => room.leave());
  const heard = [];
  for (const name of ['join', 'leave', 'update']) room.addEventListener(name, ({ peer }) => heard.push([name, peer.id, peer.data]));
  room.addEventListener('message', ({ peer, message, isPrivate }) => heard.push(['message', peer.id, message, isPrivate]));
  room.addEventListener('error', ({ error }) => heard.push(['error', error.code]));
  room.addEventListener('close', () => heard.push(['close']));
  return { room, heard, messages: () => heard.filter(([name]) => name === 'message').map(([, , message]) => message) };
}

/** Two pages that have met. */
async function pair(context, options) {
  const { signaling, wire } = bus();
  const signalings = [signaling(), signaling()];
  const ann = await join(context, signalings[0], { ...options, data: { name: 'Ann' } });
  const bob = await join(context, signalings[1], { ...options, data: { name: 'Bob' } });
  await until(() => ann.room.peers.size === 1 && bob.room.peers.size === 1);
  return { ann, bob, wire, signaling, signalings };
}

for (const password of [undefined, 'correct horse']) {
  describe(password ? 'a room with a password' : 'a room', TIMEOUT, () => {
    it('has its pages as peers, and their data', async (context) => {
      const { ann, bob } = await pair(context, { password });
      assert.equal(ann.room.name, 'lobby');
      assert.match(ann.room.self.id, /^[0-9a-f]{32}$/);
      assert.deepEqual(ann.room.self.data, { name: 'Ann' });
      const peer = ann.room.peers.get(bob.room.self.id);
      assert.deepEqual([peer.id, peer.data], [bob.room.self.id, { name: 'Bob' }]);
      bob.room.setData({ name: 'Robert' });
      assert.deepEqual(bob.room.self.data, { name: 'Robert' });
      await until(() => peer.data.name === 'Robert');
      assert.equal(ann.room.peers.get(peer.id), peer);
      assert.deepEqual(ann.heard.at(-1), ['update', peer.id, { name: 'Robert' }]);
    });

    it('carries messages in order, to all and to one', async (context) => {
      const { ann, bob, signaling } = await pair(context, { password });
      const cid = await join(context, signaling(), { password });
      await until(() => cid.room.peers.size === 2);
      for (let number = 0; number < 50; number += 1) ann.room.send({ number });
      ann.room.to(bob.room.self.id).send('for Bob');
      ann.room.peers.get(bob.room.self.id).send('too');
      ann.room.send('end');
      const numbers = Array.from({ length: 50 }, (_, number) => ({ number }));
      await until(() => cid.messages().includes('end') && bob.messages().includes('end'));
      assert.deepEqual(bob.messages(), [...numbers, 'for Bob', 'too', 'end']);
      assert.deepEqual(cid.messages(), [...numbers, 'end']);
      assert.deepEqual(bob.heard.filter(([name]) => name === 'message').at(-2), ['message', ann.room.self.id, 'too', true]);
    });

    it('has topics, whose messages are their own', async (context) => {
      const { ann, bob } = await pair(context, { password });
      const heard = [];
      bob.room.topic('game').addEventListener('message', ({ peer, message, isPrivate }) => heard.push([peer.id, message, isPrivate]));
      ann.room.topic('other').send('lost: Bob has no such topic');
      ann.room.topic('game').send({ move: 1 });
      ann.room.topic('game').send({ move: 2 }, bob.room.self.id);
      ann.room.send('end');
      await until(() => bob.messages().length > 0);
      assert.deepEqual(bob.messages(), ['end']);
      assert.deepEqual(heard, [[ann.room.self.id, { move: 1 }, false], [ann.room.self.id, { move: 2 }, true]]);
      assert.equal(ann.room.topic('game'), ann.room.topic('game'));
      assert.throws(() => ann.room.topic(''), { code: 'bad-option' });
      assert.throws(() => ann.room.topic('game').send(1, 'nobody'), { code: 'no-peer' });
    });

    it('sends what a message was when it was sent', async (context) => {
      const { ann, bob } = await pair(context, { password });
      const message = { text: 'before' };
      ann.room.send(message);
      message.text = 'after';
      await until(() => bob.messages().length === 1);
      assert.deepEqual(bob.messages(), [{ text: 'before' }]);
    });

    it('hears of a page that leaves, after its last message', async (context) => {
      const { ann, bob } = await pair(context, { password });
      ann.room.send('last words');
      ann.room.leave();
      ann.room.leave();
      assert.equal(ann.room.peers.size, 0);
      assert.throws(() => ann.room.send('more'), { code: 'room-left' });
      await until(() => bob.room.peers.size === 0);
      assert.deepEqual(bob.heard.slice(-2).map(([name]) => name), ['message', 'leave']);
    });

    it('survives a lost connection', async (context) => {
      const { ann, bob, signalings } = await pair(context, { password });
      signalings[1].cut();
      // Long enough to be noticed.
      await until(() => signalings[1].looked(2));
      ann.room.setData('changed meanwhile');
      signalings[1].reconnect();
      await until(() => bob.room.peers.get(ann.room.self.id)?.data === 'changed meanwhile');
      assert.deepEqual(bob.heard.map(([name]) => name).filter((name) => name !== 'join'), ['update']);
    });
  });
}

describe('a password', TIMEOUT, () => {
  it('keeps everything that is said from the server', async (context) => {
    const { ann, bob, wire } = await pair(context, { password: 'correct horse' });
    ann.room.send('a secret word');
    await until(() => bob.messages().length === 1);
    const text = JSON.stringify(wire.map(({ message }) => message));
    for (const word of ['secret', 'Ann', ann.room.self.id, 'hello', 'correct']) assert.ok(!text.includes(word), word);
    for (const { message } of wire) assert.deepEqual(Object.keys(message), ['v', 'sealed']);
  });

  it('that is wrong or missing is reported on both sides', async (context) => {
    for (const [one, other] of [['right', 'wrong'], ['right', undefined], [undefined, 'wrong']]) {
      const { signaling } = bus();
      const ann = await join(context, signaling(), { password: one });
      const bob = await join(context, signaling(), { password: other });
      const isTold = ({ heard }) => heard.some(([name, code]) => name === 'error' && code === 'wrong-password');
      await until(() => isTold(ann));
      ann.room.send('secret');
      await until(() => isTold(bob));
      assert.equal(ann.room.peers.size + bob.room.peers.size, 0);
      assert.deepEqual(bob.messages(), []);
      // Once, not for each message.
      assert.equal(ann.heard.length, 1);
    }
  });

  it('opens nothing from another room', async (context) => {
    const { wire } = await pair(context, { password: 'same' });
    const signaling = bus().signaling();
    const other = await joinRoom(signaling, 'another', { password: 'same' });
    context.after(() => other.leave());
    const errors = [];
    other.addEventListener('error', ({ error }) => errors.push(error.code));
    const { onmessage } = [...signaling.channels][0];
    for (const { message } of wire) onmessage(message);
    await until(() => errors.length > 0);
    assert.deepEqual(errors, ['wrong-password']);
  });

  it('lets nothing in again that was heard before, and nothing spoilt', async (context) => {
    const { ann, bob, wire, signalings } = await pair(context, { password: 'correct horse' });
    bob.room.send('once');
    await until(() => ann.messages().length === 1);
    bob.room.leave();
    await until(() => ann.room.peers.size === 0);
    const before = ann.heard.length;
    const { onmessage } = [...signalings[0].channels][0];
    for (const { message } of [...wire]) onmessage(message);
    for (const { message } of wire.slice(0, 5)) {
      onmessage({ ...message, sealed: message.sealed.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) });
      onmessage({ ...message, sealed: message.sealed.slice(8) });
      onmessage({ ...message, sealed: 'not base64!' });
    }
    const newcomer = await join(context, signalings[1], { password: 'correct horse' });
    await until(() => ann.room.peers.has(newcomer.room.self.id));
    const since = ann.heard.slice(before).map(([name, what]) => (name === 'error' ? what : name));
    assert.deepEqual(since.sort(), ['join', 'wrong-password']);
  });
});

describe('joinRoom', TIMEOUT, () => {
  it('names what is wrong', async () => {
    const signaling = bus().signaling();
    for (const [call, code, words] of [
      [() => joinRoom(undefined, 'a'), 'bad-option', /signaling must be a Signaling/],
      [() => joinRoom(signaling, ''), 'bad-option', /the room's name must be a text, but it is empty/],
      [() => joinRoom(signaling, 7), 'bad-option', /but it is number/],
      [() => joinRoom(signaling, 'a', { pasword: 'x' }), 'unknown-option', /no option pasword; there is data, password, signal/],
      [() => joinRoom(signaling, 'a', { password: '' }), 'bad-option', /password must be a text/],
      [() => joinRoom(signaling, 'a', { data: () => {} }), 'bad-message', /JSON can hold, but it is function/],
      [() => joinRoom(signaling, 'a', { data: 'x'.repeat(20_000) }), 'bad-option', /no longer than 16384 characters of JSON, but it has 20002/],
    ]) {
      await assert.rejects(call, (error) => error instanceof TypeError && error.code === code && words.test(error.message));
    }
    assert.equal(signaling.channels.size, 0);
  });

  it('waits for the connection, and ends with its signal or the signaling', async (context) => {
    const signaling = bus().signaling();
    signaling.state = 'connecting';
    const abort = new AbortController();
    const aborted = joinRoom(signaling, 'a', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(aborted, /enough/);
    await assert.rejects(joinRoom(signaling, 'a', { signal: abort.signal }), /enough/);
    const closed = joinRoom(signaling, 'a');
    signaling.end('by the page');
    await assert.rejects(closed, { code: 'signaling-closed', message: /by the page/ });
    assert.equal(signaling.channels.size, 0);

    const later = new AbortController();
    const other = bus().signaling();
    const room = await joinRoom(other, 'a', { signal: later.signal });
    later.abort();
    assert.throws(() => room.send(1), { code: 'room-left' });
    assert.equal(other.channels.size, 0);

    const ended = await join(context, other);
    other.end('over');
    await until(() => ended.heard.length > 0);
    assert.deepEqual(ended.heard, [['close']]);
  });

  it('reports what cannot be sent', async (context) => {
    const { ann, signalings } = await pair(context);
    assert.throws(() => ann.room.send(undefined), { code: 'bad-message' });
    assert.throws(() => ann.room.send(1n), TypeError);
    assert.throws(() => ann.room.to('nobody'), { code: 'no-peer' });
    signalings[0].refuse = Object.assign(new Error('too long'), { code: 'message-too-large' });
    ann.room.send('something');
    assert.deepEqual(ann.heard.at(-1), ['error', 'message-too-large']);
  });

  it('may be done twice by a page', async (context) => {
    const { signaling } = bus();
    const shared = signaling();
    const [one, two] = [await join(context, shared), await join(context, shared)];
    const other = await join(context, signaling());
    await until(() => other.room.peers.size === 2);
    await until(() => one.room.peers.has(other.room.self.id) && two.room.peers.has(other.room.self.id));
  });
});
