// Rooms that pages agree on: what each event of rtcmulticonnection-server does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { introduce, joinRoom, MESSAGE_EVENT, open, world } from './world.mjs';

/** A room of these users, the first of which has opened it. */
function roomOf(users, options = {}, profile = {}) {
  const self = world();
  const pages = users.map((user) => self.page({ user, ...profile }));
  assert.deepEqual(open(self, pages[0], 'room', options), [[true]]);
  for (const page of pages.slice(1)) assert.deepEqual(joinRoom(self, page, 'room', options), [[true]]);
  return [self, ...pages];
}

const sentTo = (page) => page.heard.map(({ sender, message }) => [sender, message]);

describe('open and join', () => {
  it('opens a room once, and tells who comes too late', () => {
    const [self] = roomOf(['a']);
    const late = self.page({ user: 'late' });
    assert.deepEqual(open(self, late, 'room'), [[false, 'Room not available']]);
    assert.deepEqual(open(self, late, 'another'), [[true]]);
  });

  it('joins no room that isn’t there', () => {
    const self = world();
    assert.deepEqual(joinRoom(self, self.page({ user: 'a' }), 'room'), [[false, 'Room not available']]);
  });

  it('lets a page that joins introduce itself to all who were there before, and to nobody twice', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c']);
    introduce(b, 'room');
    introduce(c, 'room');
    self.run(100);
    const request = { newParticipationRequest: true };
    assert.deepEqual(sentTo(a), [['b', request], ['c', request]]);
    assert.deepEqual(sentTo(b), [['c', request]]);
    assert.deepEqual(sentTo(c), []);
    assert.deepEqual(a.heard.map(({ remoteUserId }) => remoteUserId), ['a', 'a']);
  });

  it('introduces to the owner alone where only the owner talks', () => {
    for (const session of [{ oneway: true, video: true }, { broadcast: true, audio: true }]) {
      const [self, a, b, c] = roomOf(['a', 'b', 'c'], { session });
      introduce(c, 'room');
      self.run(100);
      assert.equal(a.heard.length, 1);
      assert.deepEqual(b.heard, []);
    }
  });

  it('a page that joins its room again asks all for connections', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c']);
    assert.deepEqual(joinRoom(self, b, 'room'), [[true]]);
    introduce(b, 'room');
    self.run(100);
    assert.deepEqual([a.heard.length, c.heard.length], [1, 1]);
  });

  it('has no room for more than the owner allows', () => {
    const [self, , b] = roomOf(['a', 'b'], {}, { max: 2 });
    const third = self.page({ user: 'c' });
    assert.deepEqual(joinRoom(self, third, 'room'), [[false, 'Room full']]);
    b.leave();
    self.run(100);
    assert.deepEqual(joinRoom(self, third, 'room'), [[true]]);
  });

  it('of many that open at the same moment one wins, and all others join it', () => {
    for (const count of [2, 3, 100]) {
      const self = world();
      const pages = Array.from({ length: count }, (_, index) => self.page({ user: `user-${index}` }));
      self.run(100);
      const asked = pages.map((page) => page.emit('open-room', { sessionid: 'room', session: {} }));
      self.run(2000);
      const won = asked.filter(({ answers }) => answers[0][0]);
      assert.equal(won.length, 1, `${count} pages`);
      assert.ok(asked.every(({ answers }) => answers.length === 1));
      const losers = pages.filter((_, index) => asked[index] !== won[0]);
      const joined = losers.map((page) => page.emit('join-room', { sessionid: 'room' }));
      self.run(2000);
      assert.ok(joined.every(({ answers }) => answers.length === 1 && answers[0][0] === true), `${count} pages`);
    }
  });

  it('one that opens just before another has opened doesn’t win too, whenever it comes', () => {
    for (let delay = 0; delay <= 1000; delay += 10) {
      const self = world();
      const [a, b] = [self.page({ user: 'a' }), self.page({ user: 'b' })];
      const first = a.emit('open-room', { sessionid: 'room' });
      self.run(delay);
      const second = b.emit('open-room', { sessionid: 'room' });
      self.run(2000);
      assert.deepEqual([first.answers, second.answers].map(([[won]]) => won), [true, false], `after ${delay} ms`);
    }
  });

  it('pages that couldn’t hear each other, and opened a room each, become one room', () => {
    const self = world();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((user) => self.page({ user }));
    self.onWire = () => false;
    open(self, a, 'room');
    open(self, c, 'room');
    self.onWire = ({ from }) => from === 'a' || from === 'b';
    c.isUp = d.isUp = false;
    joinRoom(self, b, 'room');
    self.onWire = () => true;
    for (const page of [c, d]) page.setUp(false);
    for (const page of [c, d]) page.setUp(true);
    joinRoom(self, d, 'room');
    self.run(30_000);
    const rooms = self.sent.filter(({ kind }) => kind === 'room').at(-1);
    assert.deepEqual(rooms.members.map(([user]) => user).sort(), ['a', 'b', 'c', 'd']);
    assert.equal(rooms.from, 'a');
    assert.ok(a.heard.some(({ sender, message }) => sender === 'c' && message.newParticipationRequest));
  });
});

describe('presence and lists', () => {
  it('tells whether a room is there, full and protected', () => {
    const self = world();
    const [a, b] = [self.page({ user: 'a', max: 1 }), self.page({ user: 'b' })];
    const ask = () => {
      const asked = b.emit('check-presence', 'room');
      self.run(1000);
      return asked.answers;
    };
    assert.deepEqual(ask(), [[false, 'room', { _room: { isFull: false, isPasswordProtected: false } }]]);
    open(self, a, 'room', { extra: { name: 'A' }, password: 'secret' });
    assert.deepEqual(ask(), [[true, 'room', { name: 'A', _room: { isFull: true, isPasswordProtected: true } }]]);
    a.leave();
    assert.deepEqual(ask().map(([there]) => there), [false]);
  });

  it('lists the public rooms of an identifier', () => {
    const self = world();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((user) => self.page({ user }));
    open(self, a, 'first', { identifier: 'games', session: { audio: true } });
    open(self, b, 'second', { identifier: 'games', password: 'x' });
    open(self, c, 'third', { identifier: 'films' });
    const list = (identifier) => {
      const asked = d.emit('get-public-rooms', identifier);
      self.run(1000);
      return asked.answers[0];
    };
    const [rooms] = list('games');
    assert.deepEqual(rooms.map(({ sessionid, owner, participants, isRoomFull, isPasswordProtected }) => [sessionid, owner, participants, isRoomFull, isPasswordProtected]), [
      ['first', 'a', ['a'], false, false],
      ['second', 'b', ['b'], false, true],
    ]);
    assert.deepEqual(list('songs'), [[]]);
    assert.deepEqual(list('  '), [null, 'publicRoomIdentifier is required']);
  });
});

describe('passwords', () => {
  it('let in who knows it, and never travel', () => {
    const self = world();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((user) => self.page({ user }));
    open(self, a, 'room', { password: 'secret' });
    assert.deepEqual(joinRoom(self, b, 'room', { password: 'wrong' }), [[false, 'Invalid password']]);
    assert.deepEqual(joinRoom(self, c, 'room'), [[false, 'Invalid password']]);
    assert.deepEqual(joinRoom(self, d, 'room', { password: 'secret' }), [[true]]);
    assert.ok(self.sent.length > 5 && !JSON.stringify(self.sent).includes('secret'));
    // A recorded proof is worth nothing to another page, or again.
    const proof = self.sent.findLast((message) => message.proof);
    self.travelling.push({ at: self.now, text: JSON.stringify({ ...proof, from: 'eve', page: 'eves', ask: 'eves' }) });
    d.leave();
    self.run(100);
    self.travelling.push({ at: self.now, text: JSON.stringify(proof) });
    self.run(100);
    assert.deepEqual(self.sent.findLast(({ kind }) => kind === 'room').members.map(([user]) => user), ['a']);
  });

  it('are checked without joining', () => {
    const [self, a] = roomOf(['a'], { password: 'secret' });
    const b = self.page({ user: 'b' });
    const check = (page, password, room) => {
      const asked = page.emit('is-valid-password', password, room);
      self.run(3000);
      return asked.answers;
    };
    for (const page of [a, b]) {
      assert.deepEqual(check(page, 'secret', 'room'), [[true, 'room', false]]);
      assert.deepEqual(check(page, 'wrong', 'room'), [[false, 'room', 'Invalid password']]);
    }
    assert.deepEqual(check(b, '', 'room'), [[false, 'room', 'You did not enter the password.']]);
    assert.deepEqual(check(b, 'secret', 'elsewhere'), [[false, 'elsewhere', 'Room not available']]);
    open(self, b, 'unlocked');
    assert.deepEqual(check(a, 'secret', 'unlocked'), [[false, 'unlocked', 'This room do not have any password.']]);
  });

  it('are set by the owner only, hold for who comes later, and go on with the next owner', () => {
    const [self, a, b] = roomOf(['a', 'b']);
    const c = self.page({ user: 'c' });
    assert.deepEqual(c.emit('set-password', 'x').answers, [[null, null, 'Did not join any room yet']]);
    assert.deepEqual(b.emit('set-password', 'x').answers, [[false, 'room', 'Room permission denied']]);
    assert.deepEqual(a.emit('set-password', 'first').answers, [[true, 'room', null]]);
    a.emit('set-password', 'secret');
    self.run(100);
    assert.ok(!JSON.stringify(self.sent).includes('secret'));
    a.leave();
    self.run(100);
    assert.deepEqual(joinRoom(self, c, 'room', { password: 'first' }), [[false, 'Invalid password']]);
    assert.deepEqual(joinRoom(self, c, 'room', { password: 'secret' }), [[true]]);
    b.emit('set-password', '');
    self.run(100);
    assert.deepEqual(joinRoom(self, self.page({ user: 'd' }), 'room'), [[true]]);
  });

  it('keep strangers’ messages from members', () => {
    const [self, a] = roomOf(['a'], { password: 'secret' });
    const eve = self.page({ user: 'eve' });
    eve.emit(MESSAGE_EVENT, { remoteUserId: 'a', message: { newParticipationRequest: true } });
    eve.emit(MESSAGE_EVENT, { remoteUserId: 'a', message: { sdp: 'v=0' } });
    self.run(10_000);
    assert.deepEqual(a.heard, []);
    assert.deepEqual(joinRoom(self, eve, 'room', { password: 'secret' }), [[true]]);
    introduce(eve, 'room');
    self.run(100);
    assert.equal(a.heard.length, 1);
  });
});

describe('owners', () => {
  it('that leave hand the room to the member that joined first', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c']);
    a.leave();
    self.run(200);
    assert.deepEqual(b.named('set-isInitiator-true'), [['room']]);
    assert.deepEqual(c.named('set-isInitiator-true'), []);
    assert.deepEqual(joinRoom(self, self.page({ user: 'd' }), 'room'), [[true]]);
    b.leave();
    self.run(200);
    assert.deepEqual(c.named('set-isInitiator-true'), [['room']]);
  });

  it('that vanish, even two at once, are noticed within seconds', () => {
    const [self, a, b, c, d] = roomOf(['a', 'b', 'c', 'd']);
    a.isDead = b.isDead = true;
    self.run(20_000);
    assert.deepEqual(c.named('set-isInitiator-true'), [['room']]);
    assert.deepEqual(d.named('set-isInitiator-true'), []);
    const presence = d.emit('check-presence', 'room');
    self.run(100);
    assert.equal(presence.answers[0][0], true);
    assert.deepEqual(self.sent.findLast(({ kind }) => kind === 'room').members.map(([user]) => user), ['c', 'd']);
  });

  it('that were away find the room where it went, and a room without them takes them back', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c']);
    a.setUp(false);
    self.run(20_000);
    assert.deepEqual(b.named('set-isInitiator-true'), [['room']]);
    a.setUp(true);
    self.run(10_000);
    const { from, members } = self.sent.findLast(({ kind }) => kind === 'room');
    assert.equal(from, 'b');
    assert.deepEqual(members.map(([user]) => user), ['b', 'c', 'a']);
    assert.deepEqual(c.named('closed-entire-session'), []);
  });

  it('close the room for all', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c'], { extra: { name: 'A' } });
    assert.deepEqual(b.emit('close-entire-session').answers, [[false, 'Room permission denied']]);
    assert.deepEqual(a.emit('close-entire-session').answers, [[true]]);
    self.run(100);
    for (const page of [b, c]) assert.deepEqual(page.named('closed-entire-session'), [['room', { name: 'A' }]]);
    assert.deepEqual(joinRoom(self, self.page({ user: 'd' }), 'room'), [[false, 'Room not available']]);
    assert.deepEqual(c.emit('close-entire-session').answers, [[false, 'Room not available']]);
  });

  it('take the room with them if it is to close with them, whether they say so or not', () => {
    for (const vanish of [(page) => page.leave(), (page) => (page.isDead = true)]) {
      const [self, a, b] = roomOf(['a', 'b'], {}, { autoClose: true });
      vanish(a);
      self.run(15_000);
      assert.deepEqual(b.named('closed-entire-session'), [['room', {}]]);
      assert.deepEqual(b.named('set-isInitiator-true'), []);
    }
  });
});

describe('users', () => {
  it('learn who is connected with them, and who has left', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c']);
    a.emit(MESSAGE_EVENT, { remoteUserId: 'b', sender: 'c', message: { sdp: 1 } });
    self.run(100);
    assert.deepEqual(a.named('user-connected'), [['b']]);
    assert.deepEqual(b.named('user-connected'), [['a']]);
    // Nobody speaks for another.
    assert.deepEqual(b.heard.map(({ sender }) => sender), ['a']);
    assert.deepEqual(c.heard, []);
    b.leave();
    self.run(100);
    assert.deepEqual(a.named('user-disconnected'), [['b']]);
    assert.deepEqual(c.named('user-disconnected'), []);
  });

  it('disconnect from one', () => {
    const [self, a, b] = roomOf(['a', 'b']);
    a.emit(MESSAGE_EVENT, { remoteUserId: 'b', message: { sdp: 1 } });
    self.run(100);
    assert.deepEqual(a.emit('disconnect-with', 'b').answers, [[]]);
    self.run(100);
    assert.deepEqual(a.named('user-disconnected'), [['b']]);
    assert.deepEqual(b.named('user-disconnected'), [['a']]);
  });

  it('change their ids', () => {
    const [self, a, b, c] = roomOf(['a', 'b', 'c']);
    assert.deepEqual(b.emit('changed-uuid', 'bee').answers, [[]]);
    self.run(100);
    a.emit(MESSAGE_EVENT, { remoteUserId: 'bee', message: { sdp: 1 } });
    a.emit(MESSAGE_EVENT, { remoteUserId: 'b', message: { sdp: 2 } });
    introduce(c, 'room');
    self.run(100);
    assert.deepEqual(b.heard.map(({ sender, remoteUserId }) => [sender, remoteUserId]), [['a', 'bee'], ['c', 'bee']]);
  });

  it('have extra data, which messages carry', () => {
    const [self, a, b] = roomOf(['a', 'b']);
    const stranger = self.page({ user: 'stranger' });
    a.emit('extra-data-updated', { name: 'A' });
    a.emit(MESSAGE_EVENT, { remoteUserId: 'b', message: { sdp: 1 } });
    self.run(100);
    assert.deepEqual(b.named('extra-data-updated'), [['a', { name: 'A' }]]);
    assert.deepEqual(stranger.named('extra-data-updated'), []);
    assert.deepEqual(b.heard[0].extra, { name: 'A' });
    // That of the page when it joins is newer than that of the socket's query.
    const c = self.page({ user: 'c' });
    joinRoom(self, c, 'room', { extra: { name: 'C' } });
    introduce(c, 'room');
    self.run(100);
    assert.deepEqual(a.heard.at(-1).extra, { name: 'C' });
    const asked = ['a', 'b', 'nobody'].map((user) => b.emit('get-remote-user-extra-data', user));
    self.run(1000);
    const missing = 'User ID does not exist';
    assert.deepEqual(asked.map(({ answers }) => answers), [[[{ name: 'A' }, 'a', null]], [[{}, 'b', null]], [[missing, 'nobody', missing]]]);
  });

  it('send custom events to all, but none that the library takes for the server’s', () => {
    const [self, a, b] = roomOf(['a', 'b']);
    const stranger = self.page({ user: 'stranger' });
    a.emit('unknown', 1);
    a.emit('set-custom-socket-event-listener', 'mine');
    a.emit('mine', { text: 'hello' });
    a.emit('custom-message', 'too');
    a.emit('set-custom-socket-event-listener', 'set-isInitiator-true');
    a.emit('set-isInitiator-true', 'room');
    self.run(100);
    for (const page of [b, stranger]) assert.deepEqual(page.events, [['mine', { text: 'hello' }], ['custom-message', 'too']]);
  });

  it('with the same id: the second learns of it, the first is left alone', () => {
    const self = world();
    const first = self.page({ user: 'a' });
    self.run(100);
    const second = self.page({ user: 'a' });
    self.run(100);
    assert.deepEqual(second.named('userid-already-taken').map(([user]) => user), ['a']);
    assert.deepEqual(first.events, []);
  });

  it('that drop and come back are the same user', () => {
    const [self, a, b] = roomOf(['a', 'b']);
    b.setUp(false);
    self.run(3000);
    b.setUp(true);
    self.run(1000);
    assert.deepEqual([...a.events, ...b.events], []);
    assert.deepEqual(self.sent.findLast(({ kind }) => kind === 'room').members.map(([user]) => user), ['a', 'b']);
  });

  it('whose page crashed, and is loaded again under the same id, get in again', () => {
    const [self, a, b] = roomOf(['a', 'b'], { password: 'x' });
    b.isDead = true;
    const again = self.page({ user: 'b' });
    self.run(100);
    assert.deepEqual(joinRoom(self, again, 'room', { password: 'x' }), [[true]]);
    assert.deepEqual(again.named('userid-already-taken'), []);
    assert.equal(self.sent.findLast(({ kind }) => kind === 'room').members.length, 2);
    introduce(again, 'room');
    self.run(100);
    assert.equal(a.heard.length, 1);
  });
});

describe('trouble', () => {
  it('a connection that is lost in the middle of joining delays it', () => {
    const [self] = roomOf(['a'], { password: 'x' });
    const b = self.page({ user: 'b' });
    const asked = b.emit('join-room', { sessionid: 'room', password: 'x' });
    self.run(10);
    b.setUp(false);
    self.run(10_000);
    assert.deepEqual(asked.answers, []);
    b.setUp(true);
    self.run(1000);
    assert.deepEqual(asked.answers, [[true]]);
  });

  it('any one message may be lost on the way in', () => {
    for (let lost = 0; lost < 6; lost += 1) {
      const self = world();
      const [a, b] = [self.page({ user: 'a' }), self.page({ user: 'b' })];
      open(self, a, 'room', { password: 'x' });
      let count = 0;
      self.onWire = () => (count += 1) !== lost + 1;
      assert.deepEqual(joinRoom(self, b, 'room', { password: 'x' }), [[true]], `message ${lost}`);
    }
  });

  it('when all connections are lost together and come back one by one, nobody leaves', () => {
    const [self, ...pages] = roomOf(['a', 'b', 'c']);
    for (const page of pages) page.setUp(false);
    self.run(60_000);
    for (const page of pages) {
      page.setUp(true);
      self.run(8000);
    }
    self.run(30_000);
    for (const page of pages) assert.deepEqual(page.events, []);
  });
});
