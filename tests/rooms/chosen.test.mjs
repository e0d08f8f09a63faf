// Who decides on a page's rooms, and that a page stays what it is when another does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import { broadcaster, house, MESSAGE_EVENT, relayOf } from './referee.mjs';

const ROOM = { sessionid: 'room', session: { data: true }, extra: {}, password: 'secret' };

/** Two pages in a room, the first its owner. */
function roomOf(server) {
  const self = house();
  self.server = server;
  const pages = [self.page('a'), self.page('b')];
  self.run(100);
  const opened = pages[0].emit('open-room', ROOM);
  self.run(1000);
  const joined = pages[1].emit('join-room', ROOM);
  self.run(3000);
  assert.deepEqual([opened, joined], [[[true]], [[true]]]);
  return { self, pages };
}

/** What a page doesn't hear of others with whom it sets up its first connection. */
function isUnexpected([name]) {
  return name !== MESSAGE_EVENT && name !== 'user-connected';
}

/** Whether another page finds the room, with its password. */
function finds(self, user) {
  const page = self.page(user);
  self.run(100);
  const refused = page.emit('join-room', { ...ROOM, password: 'wrong' });
  self.run(3000);
  const joined = page.emit('join-room', ROOM);
  self.run(3000);
  assert.deepEqual([refused, joined], [[[false, 'Invalid password']], [[true]]]);
}

describe('who decides on rooms', () => {
  it('is our relay, if it answers, and nothing is sent to other pages then', TIMEOUT, () => {
    const relay = relayOf('relay');
    const { self, pages } = roomOf(relay);
    assert.deepEqual(relay.asked.map(([user, event]) => [user, event]), [['a', 'open-room'], ['b', 'join-room']]);
    for (const page of pages) assert.deepEqual([page.connects, [...page.channels].length], [1, 1]);
    finds(self, 'c');
  });

  for (const protocol of ['socket.io', 'signalr', 'signalr-classic', 'sse']) {
    it(`is our relay over ${protocol}, if that says that it is one`, TIMEOUT, () => {
      const { self, pages } = roomOf(relayOf('relay', protocol));
      for (const page of pages) assert.deepEqual([page.connects, page.channels.has('agreed')], [1, false]);
      finds(self, 'c');
    });
  }

  it('are the pages, where an older relay takes the question and has no answer', TIMEOUT, () => {
    const { self, pages } = roomOf(broadcaster('relay'));
    for (const page of pages) assert.deepEqual([page.connects, page.channels.has('agreed')], [1, true]);
    finds(self, 'c');
  });

  for (const protocol of ['websocket', 'socket.io', 'signalr', 'sse']) {
    it(`are the pages, over ${protocol}, and nothing is asked`, TIMEOUT, () => {
      const server = broadcaster(protocol);
      const channels = new Set();
      const take = server.take;
      server.take = (page, channel, message) => (channels.add(channel), take(page, channel, message));
      finds(roomOf(server).self, 'c');
      assert.deepEqual([...channels], ['agreed']);
    });
  }

  it('isn’t said before the relay has everything that was asked on this connection', TIMEOUT, () => {
    const self = house();
    self.server = relayOf('relay');
    const page = self.page('a');
    // The question comes to the relay, its answer not to the page.
    page.isDeaf = true;
    self.server.take(page, ...page.outbox.splice(0).map(([channel, text]) => [channel, JSON.parse(text)])[0]);
    page.isDeaf = false;
    // The acknowledgement comes on the next connection, of which the page knows nothing yet.
    page.connection = Symbol('next');
    self.run(100);
    assert.deepEqual([page.connects, page.channels.has('agreed')], [1, false]);
    const opened = page.emit('open-room', ROOM);
    self.run(100);
    assert.deepEqual(opened, [[true]]);
  });

  it('may be another after each connection: the room stays, with its owner and password', TIMEOUT, () => {
    const servers = [relayOf('first'), relayOf('again'), broadcaster('relay'), relayOf('third'), broadcaster('websocket'), relayOf('last')];
    const { self, pages } = roomOf(servers[0]);
    for (const [index, server] of servers.entries()) {
      if (index) self.move(server);
      self.run(5000);
      finds(self, `guest ${index}`);
      self.pages.pop();
      if (server.rooms) assert.equal(server.rooms.get('room').owner, 'a', `server ${index}`);
    }
    // They have never been connected.
    for (const page of pages) assert.deepEqual(page.events.filter(isUnexpected), []);
  });

  it('is the relay as soon as a page that took it for a plain server learns what it is', TIMEOUT, () => {
    const self = house();
    self.server = broadcaster('websocket');
    const page = self.page('a');
    self.run(100);
    const opened = page.emit('open-room', ROOM);
    self.run(100);
    self.server = relayOf('relay');
    page.rooms.connected(self.now, 'relay', true);
    page.perform();
    self.run(1000);
    assert.deepEqual([opened, page.connects, page.channels.has('agreed')], [[[true]], 1, false]);
    assert.equal(self.server.rooms.get('room').owner, 'a');
  });
});

describe('a relay in a protocol that loses what was sent with the connection', () => {
  const PROTOCOL = 'socket.io';

  it('gets every request, once and in order, whenever the connection is lost', TIMEOUT, () => {
    for (let lost = 0; lost < 11; lost += 1) {
      const relay = relayOf('relay', PROTOCOL);
      const { self, pages } = roomOf(relay);
      relay.asked = [];
      const [, page] = pages;
      const answers = [];
      for (let number = 0; number < 12; number += 1) {
        page.emit('extra-data-updated', number);
        answers.push(page.emit('check-presence', `room ${number}`));
        // What the relay sends may be lost too.
        if (number === lost) page.isDeaf = true;
        if (number === lost + 1) {
          page.lose();
          page.isDeaf = false;
          self.run(100);
          page.connect();
        }
        // Some of it waits while the connection is lost.
        if (number % 3) self.run(10);
      }
      self.run(1000);
      const numbers = Array.from({ length: 12 }, (_, number) => number);
      assert.deepEqual(relay.asked, numbers.flatMap((number) => [['b', 'extra-data-updated', number], ['b', 'check-presence', `room ${number}`]]), `lost after ${lost}`);
      assert.deepEqual(answers, numbers.map((number) => [[false, `room ${number}`, {}]]), `lost after ${lost}`);
    }
  });

  it('gets what was lost with a connection whose loss the page hasn’t noticed', TIMEOUT, () => {
    const relay = relayOf('relay', PROTOCOL);
    const { self, pages } = roomOf(relay);
    relay.asked = [];
    const [, page] = pages;
    page.emit('extra-data-updated', 'lost');
    page.outbox = [];
    // The relay knows nothing of a page on this connection.
    page.connection = Symbol('next');
    const channel = [...page.channels].find((name) => name.startsWith('rtcmulticonnection-relay/'));
    const user = relay.users.get(channel);
    relay.users.delete(channel);
    page.emit('extra-data-updated', 'early');
    self.run(10);
    relay.users.set(channel, user);
    page.rooms.connected(self.now, PROTOCOL, true);
    page.perform();
    self.run(100);
    assert.deepEqual(relay.asked, [['b', 'extra-data-updated', 'lost'], ['b', 'extra-data-updated', 'early']]);
  });

  it('gets every request, where what waits goes on with the next connection', TIMEOUT, () => {
    const relay = relayOf('relay', PROTOCOL);
    const { self, pages } = roomOf(relay);
    relay.asked = [];
    const [, page] = pages;
    const channel = [...page.channels].find((name) => name.startsWith('rtcmulticonnection-relay/'));
    for (let number = 0; number < 40; number += 1) page.emit('extra-data-updated', number);
    // Twenty came. The page on the next connection, of which the relay knows nothing, sends the rest.
    for (const [, text] of page.outbox.splice(0, 20)) relay.take(page, channel, JSON.parse(text));
    const user = relay.users.get(channel);
    relay.users.delete(channel);
    page.connection = Symbol('next');
    const rest = page.outbox.splice(0).map(([, text]) => JSON.parse(text));
    assert.ok(rest.some(({ event }) => !event), 'the page asks what has come');
    for (const message of rest) if (relay.users.has(channel) || message.query) assert.fail('it would enter the rooms');
    relay.users.set(channel, user);
    page.rooms.connected(self.now, PROTOCOL, true);
    page.perform();
    self.run(100);
    assert.deepEqual(relay.asked.map(([, , number]) => number), Array.from({ length: 40 }, (_, number) => number));
  });

  it('and a page that left without being heard are agreed on the next number', TIMEOUT, () => {
    const relay = relayOf('relay', PROTOCOL);
    const { self, pages } = roomOf(relay);
    const [page] = pages;
    page.rooms.leave(self.now);
    page.perform();
    // Its goodbye is lost.
    page.lose();
    page.connect();
    self.run(100);
    const asked = page.emit('check-presence', 'room');
    self.run(100);
    assert.deepEqual(asked, [[true, 'room', {}]]);
  });

  it('confirms what has no answer: the page keeps little of it', TIMEOUT, () => {
    const relay = relayOf('relay', PROTOCOL);
    const { self, pages } = roomOf(relay);
    relay.asked = [];
    for (let number = 0; number < 5000; number += 1) {
      pages[1].emit('extra-data-updated', number);
      if (number % 10 === 9) self.run(10);
    }
    let sentAgain = 0;
    const take = relay.take;
    relay.take = (...given) => ((sentAgain += given[2].event ? 1 : 0), take(...given));
    pages[1].lose();
    pages[1].connect();
    self.run(100);
    assert.equal(relay.asked.length, 5000);
    assert.ok(sentAgain < 100, `${sentAgain}`);
    assert.deepEqual(pages[1].events.filter(([name]) => name === 'error'), []);
  });

  it('is asked again if it doesn’t answer', TIMEOUT, () => {
    const self = house();
    self.server = relayOf('relay', PROTOCOL);
    const page = self.page('a');
    page.outbox = [];
    self.run(9000);
    assert.equal(page.connects, 0);
    self.run(2000);
    assert.equal(page.connects, 1);
  });
});

describe('a relay that has forgotten a page', () => {
  it('learns of the room before anything else, whoever comes first', TIMEOUT, () => {
    const { self, pages } = roomOf(relayOf('first'));
    for (const page of pages) page.lose();
    const relay = (self.server = relayOf('second'));
    const asked = pages[1].emit('check-presence', 'room');
    pages[1].connect();
    self.run(300);
    assert.deepEqual(asked, []);
    pages[0].connect();
    self.run(2000);
    assert.deepEqual([asked, relay.rooms.get('room').owner], [[[true, 'room', {}]], 'a']);
    assert.deepEqual(pages[1].events.filter(isUnexpected), []);
  });

  it('has the room again of one who isn’t its owner, if the owner doesn’t come back', TIMEOUT, () => {
    const { self, pages } = roomOf(relayOf('first'));
    for (const page of pages) page.lose();
    const relay = (self.server = relayOf('second'));
    pages[1].connect();
    self.run(5000);
    assert.equal(relay.rooms.get('room').owner, 'b');
    assert.deepEqual(pages[1].events, [['set-isInitiator-true', 'room']]);
    pages[0].connect();
    self.run(5000);
    assert.equal(relay.rooms.get('room').owner, 'b');
    assert.deepEqual(pages[0].events.filter(isUnexpected), []);
  });

  it('and doesn’t let the page in again: the session is closed', TIMEOUT, () => {
    const { self, pages } = roomOf(relayOf('first'));
    const relay = relayOf('second');
    relay.rooms.set('room', { owner: 'x', options: { password: 'another' } });
    self.move(relay);
    self.run(1000);
    for (const page of pages) assert.deepEqual(page.events, [['closed-entire-session', 'room', {}]]);
    const opened = pages[0].emit('open-room', { ...ROOM, sessionid: 'next' });
    self.run(100);
    assert.deepEqual(opened, [[true]]);
  });

  it('but was not started again: the others know, and are asked for connections once more', TIMEOUT, () => {
    const relay = relayOf('relay');
    const { self, pages } = roomOf(relay);
    const [channel] = pages[1].channels;
    relay.send(pages[1], channel, { event: ['user-connected', 'a'] });
    self.run(1100);
    pages[1].lose();
    relay.users.delete(channel);
    pages[1].connect();
    self.run(100);
    assert.deepEqual(pages[1].events, [['user-connected', 'a'], ['user-disconnected', 'a'], ['user-connected', 'a']]);
    const [user, event, { remoteUserId, message }] = relay.asked.at(-1);
    assert.deepEqual([user, event, remoteUserId, message], ['b', MESSAGE_EVENT, 'a', { newParticipationRequest: true }]);
    // A relay that was started again hasn't told them: their connections go on.
    relay.send(pages[1], channel, { event: ['user-connected', 'a'] });
    self.run(100);
    const other = relayOf('another');
    self.move(other);
    self.run(3000);
    assert.deepEqual(other.asked.filter(([, , message]) => message?.message?.newParticipationRequest), []);
    assert.equal(pages[1].events.length, 4);
  });

  it('knows the user’s new id, its extra data and its custom events', TIMEOUT, () => {
    const { self, pages } = roomOf(relayOf('first'));
    pages[0].emit('set-custom-socket-event-listener', 'ticks');
    pages[0].emit(MESSAGE_EVENT, { remoteUserId: 'b', message: 'once', sender: 'a' });
    pages[0].emit('extra-data-updated', { name: 'A' });
    self.run(100);
    const relay = relayOf('second');
    const queries = [];
    const { take } = relay;
    relay.take = (page, channel, message) => {
      if (page === pages[0] && message.query) queries.push(Object.fromEntries(new URLSearchParams(message.query)));
      return take(page, channel, message);
    };
    self.move(relay);
    self.run(1000);
    assert.deepEqual(JSON.parse(queries[0].extra), { name: 'A' });
    assert.deepEqual(relay.asked.filter(([user, event]) => user === 'a' && event !== MESSAGE_EVENT).map(([, event]) => event), ['set-custom-socket-event-listener', 'open-room']);
    assert.deepEqual(relay.rooms.get('room').options.extra, { name: 'A' });
  });

  it('answers what was asked for before', TIMEOUT, () => {
    const { self, pages } = roomOf(relayOf('first'));
    pages[0].isMute = true;
    const asked = pages[0].emit('check-presence', 'room');
    self.run(100);
    pages[0].isMute = false;
    self.move(relayOf('second'));
    self.run(3000);
    assert.deepEqual(asked, [[true, 'room', {}]]);
  });
});

describe('a connection that is cut', () => {
  it('loses nothing and repeats nothing, whichever way', TIMEOUT, () => {
    const relay = relayOf('relay');
    const { self, pages } = roomOf(relay);
    const [page] = pages;
    const { channel } = { channel: [...page.channels][0] };
    relay.send(page, channel, { event: ['tick', 1] });
    self.run(20);
    page.isDeaf = true;
    relay.send(page, channel, { event: ['tick', 2] });
    const asked = page.emit('check-presence', 'room');
    self.run(50);
    page.lose();
    page.isDeaf = false;
    relay.send(page, channel, { event: ['tick', 3] });
    const later = page.emit('check-presence', 'other');
    page.connect();
    self.run(100);
    assert.deepEqual(page.events, [['tick', 1], ['tick', 2], ['tick', 3]]);
    assert.deepEqual([asked, later], [[[true, 'room', {}]], [[false, 'other', {}]]]);
    assert.equal(relay.asked.filter(([, event]) => event === 'check-presence').length, 2);
    assert.equal(page.connects, 2);
  });

  it('and the relay keeps only what the page hasn’t seen', TIMEOUT, () => {
    const relay = relayOf('relay');
    const { self, pages } = roomOf(relay);
    const [page] = pages;
    const [channel] = page.channels;
    for (let tick = 0; tick < 100; tick += 1) relay.send(page, channel, { event: ['tick', tick] });
    self.run(50);
    assert.ok(relay.users.get(channel).kept.length < 8);
    self.run(2000);
    assert.equal(relay.users.get(channel).kept.length, 0);
  });
});

it('a page that leaves is no user any more, and its room isn’t restored', TIMEOUT, () => {
  const relay = relayOf('relay');
  const { self, pages } = roomOf(relay);
  pages[0].rooms.leave(self.now);
  pages[0].perform();
  self.run(100);
  assert.equal(relay.users.size, 1);
  self.move(relayOf('second'));
  self.run(5000);
  assert.equal(self.server.rooms.get('room').owner, 'b');
  assert.deepEqual(self.server.asked.filter(([user]) => user === 'a'), []);
});

it('a page whose id is taken learns it once it is connected, and asks for nothing more', TIMEOUT, () => {
  const self = house();
  self.server = { protocol: 'relay', take: (page, channel) => page.hear(channel, { taken: ['userid-already-taken', 'a', 'a-2'] }) };
  const page = self.page('a');
  const asked = page.emit('check-presence', 'room');
  self.run(1000);
  assert.deepEqual([page.connects, page.events, asked], [1, [['userid-already-taken', 'a', 'a-2']], []]);
  self.server = { protocol: 'relay', take: (page, channel) => page.hear(channel, { refused: 'Too many.' }) };
  const other = self.page('b');
  self.run(1000);
  assert.match(String(other.events[0][1]), /Too many/);
  assert.equal(other.channels.has('agreed'), false);
});
