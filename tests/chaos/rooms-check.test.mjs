// The judge of rooms judges: what must not be is found in a log that has it, and nothing in one that
// hasn't.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRooms, roomsRecovery } from './rooms-check.mjs';

const PEOPLE = [
  { name: 'A', space: '/red', user: 'a' },
  { name: 'B', space: '/red', user: 'b' },
  { name: 'C', space: '/blue', user: 'a' },
  { name: 'D', space: '/red', user: 'rival' },
  { name: 'E', space: '/red', user: 'rival' },
];

/** Writes a log: each client's asks are numbered. */
function story() {
  const log = [];
  const connections = new Map();
  let asks = 0;
  const note = (who, what, more) => log.push({ what, at: log.length, who, connection: connections.get(who), ...more });
  const its = {
    log,
    up(...all) {
      for (const who of all) {
        connections.set(who, (connections.get(who) ?? 0) + 1);
        note(who, 'up');
      }
      return its;
    },
    down: (who) => (note(who, 'down'), its),
    note: (...entry) => (note(...entry), its),
    /** Asks, and gives what notes the answer. */
    ask(who, event, room) {
      asks += 1;
      const ask = asks;
      note(who, 'ask', { ask, event, room });
      return (...values) => (note(who, 'answer', { ask, values }), its);
    },
    open: (who, room, value = true) => its.ask(who, 'open-room', room)(value),
    join: (who, room, value = true) => its.ask(who, 'join-room', room)(value),
    /** `rooms`: `{ name: [owner, …] }` */
    list: (who, rooms) => its.ask(who, 'get-public-rooms')(listed(rooms)),
    presence: (who, room, value) => its.ask(who, 'check-presence', room)(value),
    say: (who, to, n) => (note(who, 'say', { to, n }), its),
    got: (who, by, n, more) => (note(who, 'got', { message: { remoteUserId: 'b', sender: 'a', message: { by, n, connection: 1, space: '/red' }, ...more } }), its),
    found: () => checkRooms(PEOPLE, log).failures.map(({ text }) => text),
  };
  return its;
}

const listed = (rooms) => Object.entries(rooms).map(([sessionid, participants]) => ({ sessionid, owner: participants[0], participants }));
const good = (it) => assert.deepEqual(it.found(), []);
const bad = (it, pattern) => {
  const found = it.found();
  assert.ok(found.length > 0 && found.every((text) => pattern.test(text)), found.join('\n') || 'nothing was found');
};

test('what may be is no complaint', () => {
  const it = story().up('A', 'B', 'C').open('A', 'one').open('B', 'one', false).join('B', 'one').open('C', 'one');
  it.list('A', { one: ['a', 'b'] }).presence('B', 'one', true).open('A', 'one').say('A', 'b', 1).got('B', 'A', 1).list('A', { one: ['a', 'b'] }).list('B', { one: ['a', 'b'] });
  it.join('B', 'two', false).list('A', { one: ['a'] }).down('A').list('B', { one: ['a'] }).list('B', {}).open('B', 'one');
  good(it);
  assert.deepEqual(checkRooms(PEOPLE, it.log).counts.due, 1);
});

test('two who open one room and stay in it are found', () => {
  const later = () => story().up('A', 'B').open('A', 'one').open('B', 'one');
  bad(later().presence('A', 'one', true), /both opened one/);
  // Nobody knows whether the first one was still in it.
  good(later());
  good(later().down('A'));
  const at = story().up('A', 'B');
  const [one, other] = ['A', 'B'].map((who) => at.ask(who, 'open-room', 'one'));
  one(true);
  other(true);
  bad(at.presence('A', 'one', true).presence('B', 'one', true), /both opened one/);
  // The other one has joined the first one's room.
  const joined = story().up('A', 'B');
  const [opened, joins] = [joined.ask('A', 'open-room', 'one'), joined.ask('B', 'join-room', 'one')];
  joins(true);
  opened(true);
  good(joined.presence('A', 'one', true).presence('B', 'one', true));
});

test('a list without somebody who is in a room is found, and one with somebody who can’t be', () => {
  const both = () => story().up('A', 'B').open('A', 'one').join('B', 'one');
  bad(both().list('A', { one: ['b'] }), /A was in one, and hears that it is in undefined/);
  bad(both().list('A', { one: ['a'] }).presence('B', 'one', true), /B was in one, and A hears that b is in undefined/);
  // It has lost its connection meanwhile.
  good(both().list('A', { one: ['a'] }).down('B'));
  bad(story().up('A', 'B').open('A', 'one').list('A', { one: ['a', 'b'] }), /it can't be/);
  bad(story().up('A').open('A', 'one').list('A', { one: ['a', 'z'] }), /of another space/);
  bad(both().open('B', 'two').list('A', { one: ['a', 'b'], two: ['b'] }), /b is in one/);
  const unanswered = both();
  unanswered.ask('B', 'open-room', 'two');
  good(unanswered.down('B').list('A', { one: ['a'], two: ['b'] }));
  // It may be the same user as before, who stays in the room that it may not open.
  good(both().down('B').up('B').open('B', 'one', false).list('A', { one: ['a', 'b'] }));
  bad(both().down('B').up('B').open('B', 'two', false).list('A', { one: ['a', 'b'] }), /it can't be/);
  const wrong = both().ask('A', 'get-public-rooms')([{ sessionid: 'one', owner: 'z', participants: ['a', 'b'] }]);
  bad(wrong, /owns one and isn't in it/);
  bad(both().presence('B', 'one', false), /isn't there, in which it was/);
});

test('two who have one id are found', () => {
  const it = () => story().up('D', 'E').presence('D', 'one', false).presence('E', 'one', false);
  bad(it().presence('D', 'one', false).presence('E', 'one', false), /both were rival/);
  good(it());
  // It isn't the user who is answered so.
  good(it().presence('D', 'one', 'Only the event …').presence('E', 'one', false));
  good(it().down('D').up('D').note('D', 'taken').presence('E', 'one', false));
});

test('messages that come to the wrong one, twice, in the wrong order or not at all are found', () => {
  const both = () => story().up('A', 'B', 'C', 'D', 'E').open('A', 'one').join('B', 'one').say('A', 'b', 1).say('A', 'b', 2);
  bad(both().got('B', 'A', 1).got('B', 'A', 2).got('B', 'A', 2), /twice/);
  bad(both().got('B', 'A', 2).got('B', 'A', 1), /message 1 after 2/);
  bad(both().got('C', 'A', 1), /which was for b/);
  bad(both().got('B', 'A', 3), /which was for undefined/);
  bad(both().got('B', 'A', 1, { sender: 'z' }), /as that of z/);
  bad(story().up('A', 'D', 'E').say('A', 'rival', 1).got('D', 'A', 1, { remoteUserId: 'rival' }).got('E', 'A', 1, { remoteUserId: 'rival' }), /so did D/);
  bad(story().up('A', 'B').open('A', 'one').open('B', 'two').say('A', 'b', 1).got('B', 'A', 1), /from another room/);
  const answered = () => both().presence('A', 'one', true);
  bad(answered().presence('B', 'one', true), /never got A’s message 1|never got A’s message 2/);
  bad(answered().got('B', 'A', 2).presence('B', 'one', true), /never got A’s message 1/);
  good(answered().got('B', 'A', 1).got('B', 'A', 2).presence('B', 'one', true));
  // Either may have lost its connection before.
  good(answered());
  good(answered().down('B').up('B').presence('B', 'one', true));
  good(both().presence('B', 'one', true).down('A'));
});

test('no answer on a connection that lasts is found', () => {
  const it = story().up('A');
  it.ask('A', 'check-presence', 'one');
  good(it);
  bad(it.note('A', 'late', { ask: 1 }), /no answer/);
  assert.equal(checkRooms(PEOPLE, it.log).counts.unanswered, 1);
});

test('how long clients had no answer after a fault is counted', () => {
  const it = story().up('A', 'B').open('A', 'one').join('B', 'one').presence('A', 'one', true);
  // A asked at 2, 6, and B at 4, each answered one later.
  const struck = [{ kind: 'nats-cut', at: 4, members: [] }, { kind: 'cut-end', at: 0, members: [3] }];
  assert.deepEqual(roomsRecovery(struck, PEOPLE.slice(0, 2), it.log, 2), { 'nats-cut': [3, 1], 'cut-end': [5] });
});
