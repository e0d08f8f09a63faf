// Who is in a room, in virtual time.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { farewellOf, Members, TIMES } from '../../npm/room/members.js';

const STEP = 1000;

/** Pages that hear each other at once. */
function world() {
  let tokens = 0;
  const self = { now: 0, pages: [], sent: [], lose: () => false };
  self.page = (id, data) => {
    const members = new Members(id, data, () => `nonce-${(tokens += 1)}`);
    const page = { id, members, events: [], isUp: false, isDead: false };
    self.pages.push(page);
    page.names = () => page.events.map(({ name, peer }) => `${name} ${peer?.id}`);
    page.join = () => {
      page.isUp = true;
      members.connected(self.now);
      flow(self);
      return page;
    };
    page.do = (act) => {
      act(members);
      flow(self);
    };
    return page;
  };
  self.run = (time) => {
    for (const end = self.now + time; self.now < end; ) {
      self.now += STEP;
      for (const page of self.pages) if (!page.isDead) page.members.tick(self.now);
      flow(self);
    }
  };
  /** Says something again, or something made up, to all. */
  self.inject = (message) => {
    for (const page of self.pages) if (page.isUp && !page.isDead) page.members.receive(self.now, structuredClone(message));
    flow(self);
  };
  return self;
}

function flow(self) {
  for (let isQuiet = false; !isQuiet; ) {
    isQuiet = true;
    for (const page of self.pages) {
      for (const output of page.members.take()) {
        isQuiet = false;
        if (output.do === 'event') page.events.push(structuredClone(output.event));
        else {
          self.sent.push(output.message);
          if (!page.isUp || page.isDead || self.lose(output.message, page)) continue;
          for (const other of self.pages) {
            if (other !== page && other.isUp && !other.isDead) other.members.receive(self.now, structuredClone(output.message));
          }
        }
      }
    }
  }
}

describe('the members of a room', () => {
  it('meet, with what they show', () => {
    const all = world();
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((id) => all.page(id, { name: id }).join());
    assert.deepEqual(ann.names(), ['join bob', 'join cid']);
    assert.deepEqual(bob.names(), ['join ann', 'join cid']);
    assert.deepEqual(cid.names(), ['join ann', 'join bob']);
    assert.deepEqual(cid.events[0].peer.data, { name: 'ann' });
    assert.deepEqual(ann.events[1].peer.data, { name: 'cid' });
    bob.do((members) => members.setData({ name: 'Bob' }));
    assert.deepEqual(ann.events.at(-1), { name: 'update', peer: ann.members.peers.get('bob') });
    assert.deepEqual(ann.members.peers.get('bob').data, { name: 'Bob' });
    bob.do((members) => members.setData({ name: 'Bob' }));
    assert.equal(ann.events.filter(({ name }) => name === 'update').length, 1);
  });

  it('that join at the same moment meet once', () => {
    const all = world();
    const pages = ['a', 'b', 'c', 'd'].map((id) => all.page(id));
    for (const page of pages) page.isUp = true;
    for (const page of pages) page.members.connected(0);
    flow(all);
    for (const page of pages) assert.deepEqual(page.names().sort(), pages.filter((other) => other !== page).map(({ id }) => `join ${id}`).sort());
  });

  it('speak to all or to one', () => {
    const all = world();
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((id) => all.page(id).join());
    ann.do((members) => members.say('all'));
    ann.do((members) => members.say('bob only', { to: 'bob' }));
    const heard = (page) => page.events.filter(({ name }) => name === 'message').map(({ peer, message, isPrivate }) => [peer.id, message, isPrivate]);
    assert.deepEqual(heard(bob), [['ann', 'all', false], ['ann', 'bob only', true]]);
    assert.deepEqual(heard(cid), [['ann', 'all', false]]);
    assert.deepEqual(heard(ann), []);
  });

  it('leave with a word, and are not brought back by what they said before', () => {
    const all = world();
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
    bob.isDead = true;
    all.inject(farewellOf('bob'));
    assert.deepEqual(ann.names(), ['join bob', 'leave bob']);
    for (const message of all.sent.filter(({ from }) => from === 'bob')) all.inject(message);
    all.inject({ ...all.sent.findLast(({ from }) => from === 'bob'), number: Number.MAX_SAFE_INTEGER });
    all.run(120_000);
    assert.deepEqual(ann.names(), ['join bob', 'leave bob']);
  });

  it('are not made up from what was said before a page came', () => {
    const all = world();
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
    bob.do((members) => members.say('old'));
    const said = [...all.sent];
    for (const page of [ann, bob]) page.isDead = true;
    const cid = all.page('cid').join();
    for (const message of said) all.inject(message);
    // Nor from answers to others.
    for (const message of said) if (message.to) all.inject({ ...message, to: 'cid' });
    assert.deepEqual(cid.events, []);
  });

  it('that vanish without a word are missed', () => {
    const all = world();
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((id) => all.page(id).join());
    bob.isDead = true;
    all.run(TIMES.silence);
    assert.equal(ann.members.peers.size, 2);
    all.run(TIMES.answer + 2 * TIMES.beat);
    assert.deepEqual([...ann.members.peers.keys()], ['cid']);
    assert.deepEqual([...cid.members.peers.keys()], ['ann']);
    all.run(600_000);
    assert.equal(ann.names().filter((name) => name === 'leave bob').length, 1);
    assert.deepEqual([...cid.members.peers.keys()], ['ann']);
  });

  it('with slow timers stay, because they answer', () => {
    const all = world();
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
    const { tick } = bob.members;
    let ticked = 0;
    // Once a minute, as in a hidden tab.
    bob.members.tick = (now) => now - ticked >= 60_000 && tick.call(bob.members, (ticked = now));
    all.run(600_000);
    assert.deepEqual(ann.names(), ['join bob']);
    assert.deepEqual(bob.names(), ['join ann']);
  });

  it('that were cut off come back as the same, with what has changed', () => {
    const all = world();
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id, 1).join());
    const cut = () => {
      bob.isUp = false;
      bob.members.lost();
    };
    cut();
    ann.do((members) => members.setData(2));
    all.run(20_000);
    bob.join();
    assert.deepEqual(ann.names(), ['join bob']);
    assert.deepEqual(bob.names(), ['join ann', 'update ann']);
    // For longer: it has left, and joins again.
    cut();
    all.run(120_000);
    bob.join();
    assert.deepEqual(ann.names(), ['join bob', 'leave bob', 'join bob']);
    assert.deepEqual(bob.names(), ['join ann', 'update ann']);
  });

  it('meet in the end, whatever is lost', () => {
    for (let lost = 0; lost < 6; lost += 1) {
      const all = world();
      const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id));
      let sent = 0;
      all.lose = () => (sent += 1) - 1 === lost;
      ann.join();
      bob.join();
      all.run(3 * TIMES.beat);
      assert.deepEqual([ann.names(), bob.names()], [['join bob'], ['join ann']], `message ${lost} lost`);
    }
  });

  it('take nothing twice, and nothing that was overtaken', () => {
    const all = world();
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
    for (const text of ['one', 'two', 'three']) bob.do((members) => members.say(text));
    const said = all.sent.filter(({ kind }) => kind === 'message');
    for (const message of [...said, ...said.toReversed()]) all.inject(message);
    assert.deepEqual(ann.events.filter(({ name }) => name === 'message').map(({ message }) => message), ['one', 'two', 'three']);
  });

  it('are no more than may be', () => {
    const all = world();
    const ann = all.page('ann').join();
    for (let number = 0; number < 300; number += 1) {
      // Each answers for itself: the others would make this slow.
      ann.members.receive(all.now, { v: 1, from: `p${number}`, number: 1, kind: 'hello', nonce: 'n' });
      const here = ann.members.take().find(({ message }) => message?.kind === 'here')?.message;
      if (here) ann.members.receive(all.now, { v: 1, from: `p${number}`, number: 2, kind: 'ready', to: 'ann', echo: here.nonce });
      ann.events.push(...ann.members.take().flatMap(({ event }) => event ?? []));
      all.now += 50;
    }
    assert.equal(ann.members.peers.size, 256);
    assert.equal(ann.events.filter(({ name }) => name === 'full').length, 1);
  });

  it('answer strangers within a limit', () => {
    const all = world();
    const ann = all.page('ann').join();
    all.sent.length = 0;
    for (let number = 0; number < 10_000; number += 1) {
      all.inject({ v: 1, from: `p${number}`, number: 1, kind: number % 2 ? 'hello' : 'beat', nonce: 'n' });
    }
    assert.ok(all.sent.length <= 512, `${all.sent.length}`);
    assert.equal(ann.members.peers.size, 0);
  });

  it('ignore everything else', () => {
    const all = world();
    const [ann] = ['ann', 'bob'].map((id) => all.page(id).join());
    const before = structuredClone(ann.events);
    const base = { v: 1, from: 'x', number: 1, kind: 'hello', nonce: 'n' };
    const spoilt = [null, 1, 'text', [], {}, { ...base, v: 2 }, { ...base, from: 1 }, { ...base, from: '' }, { ...base, from: 'x'.repeat(65) }, { ...base, number: '1' }, { ...base, number: 1.5 }, { ...base, kind: 'toString' }, { ...base, kind: ['hello'] }, { ...base, to: {} }, { ...base, nonce: 7 }, { v: 1, from: 'x', number: 1, kind: 'here', to: 'ann', nonce: 'n' }, { v: 1, from: 'bob', number: 9, kind: 'message' }, { ...base, data: 'x'.repeat(16 * 1024) }];
    all.sent.length = 0;
    for (const value of spoilt) all.inject(value);
    assert.deepEqual(ann.events, before);
    assert.deepEqual(all.sent, []);
  });
});
