// Pages set up their connections while the relay dies: at whatever moment it does, in the end each is
// connected with each.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { random } from '../chaos/random.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { house, MESSAGE_EVENT, relayOf } from './referee.mjs';

const ROOM = { sessionid: 'room', session: { data: true }, extra: {} };
const CANDIDATES = 2;
const SEEDS = 200;

/**
 * What RTCMultiConnection does on a page with the messages of the others: a request is answered with
 * an offer, an offer with an answer, and candidates follow each. The later replaces what there was.
 */
function peersOf(page, user) {
  const peers = new Map();
  let offers = 0;
  let heard = 0;
  const say = (to, message) => page.emit(MESSAGE_EVENT, { remoteUserId: to, sender: user, message }, () => {});
  const describeTo = (to, type, sdp) => {
    say(to, { type, sdp });
    for (let number = 0; number < CANDIDATES; number += 1) say(to, { candidate: `${user} ${sdp} ${number}` });
  };
  return {
    peers,
    act() {
      for (; heard < page.events.length; heard += 1) {
        const [name, value] = page.events[heard];
        if (name === 'user-disconnected') peers.delete(value);
        if (name !== MESSAGE_EVENT) continue;
        const { sender, message } = value;
        if (message.newParticipationRequest) {
          const sdp = `offer ${(offers += 1)} of ${user} to ${sender}`;
          peers.set(sender, { offer: sdp, isOffering: true, answer: undefined, candidates: new Set(), isBroken: false });
          describeTo(sender, 'offer', sdp);
        } else if (message.type === 'offer') {
          const sdp = `answer to ${message.sdp}`;
          peers.set(sender, { offer: message.sdp, isOffering: false, answer: sdp, candidates: new Set(), isBroken: false });
          describeTo(sender, 'answer', sdp);
        } else if (message.type === 'answer') {
          const peer = peers.get(sender);
          if (!peer) continue;
          if (!peer.isOffering || peer.answer || message.sdp !== `answer to ${peer.offer}`) peer.isBroken = true;
          peer.answer = message.sdp;
        } else if (message.candidate) {
          peers.get(sender)?.candidates.add(message.candidate);
        }
      }
    },
  };
}

/** Each page’s peers, as far as they aren’t connected. */
function troubles(members) {
  const found = [];
  for (const [user, { peers }] of members) {
    for (const [other, { peers: theirs }] of members) {
      if (user === other) continue;
      const [own, their] = [peers.get(other), theirs.get(user)];
      const isConnected = own && their && !own.isBroken && !their.isBroken && own.offer === their.offer && own.answer === their.answer && own.answer;
      const hasCandidates = isConnected && own.candidates.size >= CANDIDATES;
      if (!hasCandidates) found.push(`${user} with ${other}: ${JSON.stringify({ own, their })}`);
    }
  }
  return found;
}

/**
 * A room is opened and joined; after so many milliseconds the relay dies, and what it hasn't delivered
 * with it. The pages come back in an order of their own, one after `pause`. It dies once more after
 * each of `again`. Returns what isn't connected then, and whether all was before.
 */
function setUp({ users, wait, order, pause = 30, again = [], protocol, isSlow = () => false }) {
  const self = house();
  self.isSlow = isSlow;
  self.server = relayOf('first', protocol);
  const members = new Map();
  for (const user of users) {
    const page = self.page(user);
    members.set(user, { page, ...peersOf(page, user) });
  }
  const later = [];
  const run = (milliseconds) => {
    for (const end = self.now + milliseconds; self.now < end; ) {
      self.run(10);
      for (const ask of later.splice(0)) ask();
      for (const { act } of members.values()) act();
    }
  };
  run(100);
  const [first, ...others] = members.values();
  first.page.emit('open-room', ROOM);
  run(100);
  for (const [index, { page }] of others.entries()) {
    const sender = users[index + 1];
    const join = () => {
      page.rooms.request(self.now, 'join-room', [ROOM], (isIn) => {
        if (isIn) page.rooms.request(self.now, MESSAGE_EVENT, [{ remoteUserId: 'room', sender, message: { newParticipationRequest: true } }], undefined);
        // The one who has opened it isn't back yet.
        else later.push(join);
      });
      page.perform();
    };
    join();
  }
  run(wait);
  const wasDone = troubles(members).length === 0;
  for (const [death, until] of [...again, 10_000].entries()) {
    self.server = relayOf(`after ${death}`, protocol);
    for (const { page } of members.values()) page.lose();
    for (const user of order) {
      run(pause);
      members.get(user).page.connect();
    }
    run(until);
  }
  self.isSlow = () => false;
  run(1000);
  return { found: troubles(members), wasDone, events: [...members.values()].flatMap(({ page }) => page.events) };
}

const ORDERS = [
  ['a', 'b', 'c'],
  ['c', 'b', 'a'],
  ['b', 'c', 'a'],
  ['b', 'a', 'c'],
];

for (const protocol of ['relay', 'socket.io']) {
  describe(`pages that speak ${protocol}, whose relay dies while they set up their connections`, () => {
    for (const order of ORDERS) {
      it(`are connected, and come back as ${order.join(', ')}`, TIMEOUT, () => {
        let wait = 0;
        for (let isOver = false; !isOver; wait += 10) {
          const { found, wasDone, events } = setUp({ users: ['a', 'b', 'c'], wait, order, protocol });
          assert.deepEqual(found, [], `dead after ${wait} ms`);
          assert.deepEqual(events.filter(([name]) => name === 'error' || name === 'closed-entire-session'), []);
          isOver = wasDone;
          assert.ok(wait < 1000, 'they are never connected');
        }
        assert.ok(wait > 50, `only until ${wait} ms`);
      });
    }

    it('and dies again, and again, with four pages of which some are slow', TIMEOUT, () => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const { chance, next, whole } = random(seed);
        const up = (most) => whole(0, most / 10) * 10;
        // It dies once, and pages come back when others have long been there, or it dies three times.
        const [pause, again] = chance(0.2) ? [up(12_000), []] : [up(300), [up(600), up(600)]];
        const users = ['a', 'b', 'c', 'd'];
        const order = users.map((user) => [next(), user]).sort(([one], [other]) => one - other).map(([, user]) => user);
        const slowness = Object.fromEntries(users.map((user) => [user, next() * 0.8]));
        const isSlow = ({ user }) => chance(slowness[user]);
        const { found } = setUp({ users, wait: up(300), order, pause, again, protocol, isSlow });
        assert.deepEqual(found, [], `seed ${seed}`);
      }
    });
  });
}
