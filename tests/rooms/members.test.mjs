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

describe('the members of a room on our relay', () => {
  /** Pages, of which the relay watches some: it tells all that ask. */
  function watched() {
    const all = world();
    const asked = [];
    all.relay = 'one';
    all.watch = (page, isShown = true) => {
      const others = asked.filter((other) => other.isShown && other !== page).map(({ id }) => id);
      page.isShown = isShown;
      if (!asked.includes(page)) asked.push(page);
      page.do((members) => members.told(all.now, { present: others, shown: isShown, relay: all.relay }));
      if (isShown) all.tell({ came: page.id }, page);
    };
    all.tell = (message, but) => {
      for (const page of asked) if (page !== but && page.isUp && !page.isDead) page.do((members) => members.told(all.now, message));
    };
    all.kinds = () => all.sent.map(({ from, kind }) => `${from} ${kind}`);
    return all;
  }

  it('say nothing more, and miss who the relay says is gone', () => {
    const all = watched();
    const pages = ['ann', 'bob', 'cid'].map((id) => all.page(id).join());
    const [ann, bob, cid] = pages;
    for (const page of pages) all.watch(page);
    all.sent.length = 0;
    all.run(600_000);
    assert.deepEqual(all.sent, []);
    bob.isDead = true;
    all.tell({ gone: 'bob' });
    for (const page of [ann, cid]) assert.equal(page.names().at(-1), 'leave bob');
    all.run(600_000);
    assert.deepEqual(all.sent, []);
    assert.deepEqual([...ann.members.peers.keys()], ['cid']);
  });

  it('ask those whom the relay does not watch, and answer them', () => {
    const all = watched();
    const [ann, bob, old, stream] = ['ann', 'bob', 'old', 'stream'].map((id) => all.page(id).join());
    all.watch(ann);
    all.watch(bob);
    all.watch(stream, false);
    all.run(600_000);
    for (const page of [ann, bob, old, stream]) assert.equal(page.members.peers.size, 3, page.id);
    const kinds = new Set(all.kinds());
    assert.ok(['old beat', 'stream beat', 'old ping'].every((kind) => kinds.has(kind)));
    old.isDead = true;
    stream.isDead = true;
    all.run(120_000);
    for (const page of [ann, bob]) assert.deepEqual(page.names().slice(-2).sort(), ['leave old', 'leave stream']);
  });

  it('ask each other again without the relay', () => {
    const all = watched();
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((id) => all.page(id).join());
    for (const page of [ann, bob, cid]) all.watch(page);
    for (const page of [ann, bob]) {
      page.members.lost();
      page.join();
    }
    cid.isDead = true;
    all.run(120_000);
    assert.deepEqual([...ann.members.peers.keys()], ['bob']);
    assert.ok(all.kinds().includes('bob beat'));
  });

  it('miss who has gone while they were not connected', () => {
    for (const isSame of [true, false]) {
      const all = watched();
      const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
      for (const page of [ann, bob]) all.watch(page);
      ann.members.lost();
      bob.isDead = true;
      // A relay that was started again doesn't know yet who will come back.
      if (!isSame) all.relay = 'another';
      ann.join();
      ann.do((members) => members.told(all.now, { present: [], shown: true, relay: all.relay }));
      assert.equal(ann.members.peers.size, isSame ? 0 : 1);
      all.run(120_000);
      assert.deepEqual(ann.names(), ['join bob', 'leave bob']);
    }
  });

  it('greet once who is there and was not met', () => {
    const all = watched();
    all.lose = ({ kind }) => kind === 'hello' || kind === 'here';
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
    for (const page of [ann, bob]) all.watch(page);
    all.tell({ came: 'nobody who answers' });
    assert.equal(ann.members.peers.size, 0);
    all.lose = () => false;
    all.sent.length = 0;
    all.run(600_000);
    assert.deepEqual([...ann.members.peers.keys()], ['bob']);
    assert.deepEqual([...bob.members.peers.keys()], ['ann']);
    assert.equal(all.sent.filter(({ from, kind }) => from === 'ann' && kind === 'hello').length, 2);
  });

  it('come back after the relay had them gone', () => {
    const all = watched();
    const [ann, bob] = ['ann', 'bob'].map((id) => all.page(id).join());
    for (const page of [ann, bob]) all.watch(page);
    bob.members.lost();
    all.tell({ gone: 'bob' }, bob);
    bob.join();
    all.watch(bob);
    assert.deepEqual(ann.names(), ['join bob', 'leave bob', 'join bob']);
    assert.deepEqual(bob.names(), ['join ann']);
  });

  it('are heard when they come back with what they have said meanwhile', () => {
    const all = watched();
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((id) => all.page(id).join());
    for (const page of [ann, bob, cid]) all.watch(page);
    const waiting = [];
    all.lose = (message, page) => page === bob && waiting.push(message);
    bob.do((members) => members.say('one'));
    all.tell({ gone: 'bob' }, bob);
    bob.do((members) => members.say('two'));
    all.lose = () => false;
    for (const message of waiting) all.inject(message);
    const heard = (page) => page.events.map(({ name, peer, message }) => [name, peer.id, message].filter((part) => part !== undefined).join(' '));
    assert.deepEqual(heard(ann), ['join bob', 'join cid', 'leave bob', 'join bob', 'message bob one', 'message bob two']);
    // What was said before is no news, and nothing is after the farewell.
    all.tell({ gone: 'bob' }, bob);
    bob.isDead = true;
    for (const message of waiting) all.inject(message);
    all.inject(farewellOf('bob'));
    all.inject({ ...waiting.at(-1), number: 1_000_000 });
    assert.deepEqual([heard(ann).at(-1), heard(cid).at(-1)], ['leave bob', 'leave bob']);
    assert.deepEqual([...ann.members.peers.keys()], ['cid']);
  });

  it('take nothing else for the relay\'s word', () => {
    const all = watched();
    const [ann] = ['ann', 'bob'].map((id) => all.page(id).join());
    all.watch(ann);
    for (const value of [undefined, null, 5, 'gone', {}, { gone: 5 }, { gone: null }, { came: {} }, { present: 'bob' }, { gone: 'nobody' }, { refused: 'no' }]) ann.do((members) => members.told(all.now, value));
    assert.deepEqual(ann.names(), ['join bob']);
    ann.do((members) => members.told(all.now, { present: [5, null, ...Array.from({ length: 5000 }, (_, number) => `id ${number}`)], relay: 5 }));
    all.sent.length = 0;
    all.run(100_000);
    assert.equal(all.sent.filter(({ from, kind }) => from === 'ann' && kind === 'hello').length, 10 * 16);
  });
});
