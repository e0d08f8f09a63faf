// Pages that send anything: nothing throws, nothing grows without bounds, and rooms go on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KINDS } from '../../npm/rtcmulticonnection/messages.js';
import { introduce, joinRoom, MESSAGE_EVENT, open, world } from './world.mjs';

const ODD = [undefined, null, true, 0, -1, 1.5, NaN, '', 'x', 'x'.repeat(2000), [], [[]], {}, { length: 5 }, [null], [['a', 'b']], '__proto__', 'constructor', 'toString'];

/** A generator of numbers below 1, the same in each run. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Each kind of message, from a room that has seen everything. */
function recorded() {
  const self = world();
  const [a, b, c] = ['a', 'b', 'c'].map((user) => self.page({ user, relays: user === 'c' ? 2 : 0 }));
  open(self, a, 'room', { password: 'x', identifier: 'public' });
  joinRoom(self, b, 'room', { password: 'x' });
  joinRoom(self, c, 'room', { password: 'wrong' });
  introduce(b, 'room');
  for (const [name, ...values] of [
    ['is-valid-password', 'x', 'room'],
    ['get-public-rooms', 'public'],
    ['check-presence', 'room'],
    ['get-remote-user-extra-data', 'a'],
    ['disconnect-with', 'a'],
    ['extra-data-updated', { a: 1 }],
    ['custom-message', 1],
    ['join-broadcast', { userid: 'c', broadcastId: 'c' }],
  ]) c.emit(name, ...values);
  self.run(1000);
  const d = self.page({ user: 'd', relays: 2 });
  const same = self.page({ user: 'd' });
  d.emit('join-broadcast', { userid: 'd', broadcastId: 'c' });
  d.emit('can-relay-broadcast');
  self.run(1000);
  // Two more than the broadcaster sends to: one of them receives from d, which then leaves.
  const viewers = ['e', 'f'].map((user) => self.page({ user, relays: 2 }));
  for (const viewer of viewers) {
    viewer.emit('join-broadcast', { userid: viewer.user, broadcastId: 'c' });
    self.run(1000);
  }
  d.leave();
  a.emit('set-password', 'y');
  self.run(5000);
  b.emit('join-room', { sessionid: 'elsewhere' });
  a.emit('close-entire-session');
  self.run(5000);
  for (const page of [b, c, same, ...viewers]) page.leave();
  return self.sent;
}

/** A room of two, and what a stranger sends to it. */
function besieged(password = 'x') {
  const self = world();
  const [a, b] = [self.page({ user: 'a' }), self.page({ user: 'b' })];
  open(self, a, 'room', { password });
  joinRoom(self, b, 'room', { password });
  return { self, a, b, attack: (value) => [a, b].forEach((page) => page.receive(JSON.stringify(value) ?? 'null')) };
}

/** That the two are still a room, which others can join. */
function assertGoesOn(self, a, b) {
  a.events = [];
  b.events = [];
  assert.deepEqual(joinRoom(self, self.page({ user: 'guest' }), 'room', { password: 'x' }), [[true]]);
  a.emit(MESSAGE_EVENT, { remoteUserId: 'b', message: { sdp: 1 } });
  self.run(100);
  assert.deepEqual(b.heard.map(({ sender }) => sender), ['a']);
}

describe('hostile pages', () => {
  it('the record has every kind of message', () => {
    const kinds = new Set(recorded().map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), Object.keys(KINDS).sort());
  });

  it('no value, and no message with an odd member, throws or ends the room', () => {
    const { self, a, b, attack } = besieged();
    ODD.forEach(attack);
    for (const message of recorded()) {
      for (const member of [...Object.keys(message), 'unknown']) {
        for (const value of ODD) attack({ ...message, page: 'stranger', from: 'stranger', id: 'no room of ours', [member]: value });
      }
    }
    self.run(5000);
    assertGoesOn(self, a, b);
  });

  it('messages of strangers in the members’ names aren’t believed', () => {
    const { self, a, b, attack } = besieged();
    const state = self.sent.findLast(({ kind }) => kind === 'room');
    b.events = [];
    for (const from of ['a', 'b', 'stranger']) {
      const sender = { v: 1, from, page: 'strangers' };
      attack({ ...sender, kind: 'message', to: ['a', 'b'], message: { sdp: 'v=0' } });
      attack({ ...sender, kind: 'closed', id: state.id });
      attack({ ...sender, kind: 'leave', id: state.id });
      attack({ ...sender, kind: 'lock', id: state.id, nonce: 'n' });
      attack({ ...sender, kind: 'extra', extra: { bad: true } });
      attack({ ...sender, kind: 'part', to: 'b' });
      attack({ ...sender, kind: 'bye' });
      attack({ ...state, ...sender, term: 99, members: [[from, 'strangers']] });
      attack({ ...state, ...sender, term: 99, members: [[from, 'strangers'], ...state.members] });
    }
    self.run(1000);
    assert.deepEqual([...a.events, ...b.events], []);
    assertGoesOn(self, a, b);
  });

  it('nor in a room without a password', () => {
    const { self, a, b, attack } = besieged('');
    b.events = [];
    for (const from of ['a', 'b']) {
      const sender = { v: 1, from, page: 'strangers' };
      attack({ ...sender, kind: 'message', to: ['a', 'b'], message: { sdp: 'v=0' } });
      attack({ ...sender, kind: 'extra', extra: { bad: true } });
      attack({ ...sender, kind: 'custom', event: 'custom-message', message: 'bad' });
    }
    self.run(100);
    assert.deepEqual([...a.events, ...b.events], []);
  });

  it('a page remembers so many strangers, and keeps so many of their messages', () => {
    const { self, a, attack } = besieged('');
    for (let index = 0; index < 3000; index += 1) attack({ v: 1, from: `user-${index}`, page: `page-${index}`, kind: 'message', to: ['a'], message: { sdp: 'x' } });
    assert.equal(a.named('user-connected').length, 1000);
    // When they fall silent, the page doesn't flood the server for them.
    const sent = self.sent.length;
    self.run(10_000);
    const pings = self.sent.slice(sent).filter(({ kind }) => kind === 'ping').length;
    assert.ok(pings > 100 && pings <= 840, `${pings} pings`);
    // And there is room for members.
    assert.deepEqual(joinRoom(self, self.page({ user: 'guest' }), 'room'), [[true]]);
    const locked = besieged();
    const eve = locked.self.page({ user: 'eve' });
    for (let index = 0; index < 1000; index += 1) eve.emit(MESSAGE_EVENT, { remoteUserId: 'a', message: { sdp: index } });
    joinRoom(locked.self, eve, 'room', { password: 'x' });
    assert.equal(locked.a.heard.length, 100);
    self.run(60_000);
    assert.equal(a.named('user-disconnected').length, a.named('user-connected').length);
  });

  it('a made-up older room doesn’t close one with a password', () => {
    for (const from of ['a', 'b', 'stranger']) {
      const { self, a, b, attack } = besieged();
      const state = self.sent.findLast(({ kind }) => kind === 'room');
      attack({ ...state, id: 'another', from, page: 'strangers', at: 0, members: [[from, 'strangers']] });
      self.run(5000);
      assert.deepEqual([a, b].flatMap((page) => page.named('closed-entire-session')), []);
      assertGoesOn(self, a, b);
    }
  });

  it('thousands of pages that ask for everything get few answers, and take no place', () => {
    const { self, a, b, attack } = besieged();
    const sent = self.sent.length;
    for (let index = 0; index < 3000; index += 1) {
      const sender = { v: 1, from: `user-${index}`, page: `page-${index}` };
      attack({ ...sender, kind: 'hello', since: index });
      attack({ ...sender, kind: 'ask', room: 'room' });
      attack({ ...sender, kind: 'claim', room: 'room', at: 0 });
      attack({ ...sender, kind: 'message', to: ['a', 'b'], message: { sdp: 'x' } });
    }
    self.run(1000);
    assert.ok(self.sent.length - sent < 20, `${self.sent.length - sent} messages`);
    assertGoesOn(self, a, b);
  });

  it('a room without a password takes as many as it allows, and tells them in few messages', () => {
    const self = world();
    const a = self.page({ user: 'a', max: 100_000 });
    open(self, a, 'room');
    const sent = self.sent.length;
    for (let index = 0; index < 3000; index += 1) a.receive(JSON.stringify({ v: 1, from: `user-${index}`, page: `page-${index}`, kind: 'join', room: 'room', ask: 'x' }));
    self.run(1000);
    const states = self.sent.slice(sent).filter(({ kind }) => kind === 'room');
    assert.ok(states.length < 5, `${states.length} messages`);
    assert.equal(states.at(-1).members.length, 1000);
    // They say nothing any more.
    self.run(20_000);
    assert.equal(self.sent.findLast(({ kind }) => kind === 'room').members.length, 1);
  });

  it('any order of real messages from three pages leaves a room that can be used', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = numbers(seed);
      const self = world();
      const pages = ['a', 'b', 'c'].map((user) => self.page({ user }));
      const act = {
        open: (page) => page.emit('open-room', { sessionid: 'room' }),
        join: (page) => page.emit('join-room', { sessionid: 'room' }),
        away: (page) => page.setUp(!page.isUp),
        close: (page) => page.emit('close-entire-session'),
        introduce: (page) => introduce(page, 'room'),
        rename: (page) => page.emit('changed-uuid', (page.user += "'")),
      };
      self.onWire = () => random() > 0.05;
      for (let turn = 0; turn < 40; turn += 1) {
        const page = pages[Math.floor(random() * pages.length)];
        Object.values(act)[Math.floor(random() * Object.keys(act).length)](page);
        self.run(random() * 2000);
      }
      self.onWire = () => true;
      for (const page of pages) if (!page.isUp) page.setUp(true);
      self.run(60_000);
      const [opened] = open(self, pages[0], 'room');
      const joined = pages.map((page) => joinRoom(self, page, 'room')[0]);
      assert.equal(joined.every(([isIn]) => isIn), true, `seed ${seed}: ${JSON.stringify([opened, joined])}`);
      const sent = self.sent.length;
      assert.deepEqual(joinRoom(self, self.page({ user: 'guest' }), 'room'), [[true]]);
      const states = self.sent.slice(sent).filter(({ kind }) => kind === 'room');
      assert.equal(new Set(states.map(({ id, from }) => `${id} of ${from}`)).size, 1, `seed ${seed}`);
      assert.deepEqual(states.at(-1).members.map(([user]) => user).sort(), ['guest', ...pages.map(({ user }) => user)].sort(), `seed ${seed}`);
    }
  });
});
