// Scalable broadcasts: the broadcaster's page decides who relays to whom.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { world } from './world.mjs';

const STREAMS = { video: true, oneway: true };

/** A broadcaster whose pages relay to two each, and so many viewers that have joined in turn. */
function broadcastTo(count) {
  const self = world();
  const start = (user) => self.page({ user, relays: 2, extra: { broadcastId: 'show' } });
  const join = (page, userid) => {
    page.emit('join-broadcast', { userid, broadcastId: 'show', typeOfStreams: STREAMS });
    self.run(200);
    return page;
  };
  const broadcaster = join(start('random'), 'show');
  const viewers = Array.from({ length: count }, (_, index) => join(start(`viewer-${index}`), `viewer-${index}`));
  return { self, start, join, broadcaster, viewers };
}

const sourceOf = (viewer) => viewer.named('join-broadcaster').at(-1)?.[0].userid;
const answerOf = (self, page, name) => {
  const asked = page.emit(name, 'show');
  self.run(1000);
  return asked.answers;
};

describe('scalable broadcasts', () => {
  it('start with who takes the broadcast’s id', () => {
    const { self, start, broadcaster } = broadcastTo(0);
    assert.deepEqual(broadcaster.named('start-broadcasting'), [[STREAMS]]);
    assert.deepEqual(answerOf(self, start('viewer'), 'check-broadcast-presence'), [[true]]);
    assert.deepEqual(answerOf(self, broadcaster, 'check-broadcast-presence'), [[true]]);
    const elsewhere = world();
    const alone = elsewhere.page({ user: 'a', relays: 2 });
    assert.deepEqual(answerOf(elsewhere, alone, 'check-broadcast-presence'), [[false]]);
    alone.emit('join-broadcast', { userid: 'a', broadcastId: 'show' });
    elsewhere.run(3000);
    assert.deepEqual(alone.named('broadcast-stopped'), [['show']]);
  });

  it('give viewers to the broadcaster, then to viewers that can relay, and count them', () => {
    const { self, start, join, broadcaster, viewers } = broadcastTo(2);
    assert.deepEqual(viewers.map(sourceOf), ['show', 'show']);
    assert.deepEqual(viewers[0].named('join-broadcaster')[0][0], { typeOfStreams: STREAMS, userid: 'show', broadcastId: 'show' });
    viewers[1].emit('can-relay-broadcast');
    self.run(100);
    const more = ['c', 'd', 'e'].map((user) => join(start(user), user));
    // Nobody else can relay, so the broadcaster does more than its share.
    assert.deepEqual(more.map(sourceOf), ['viewer-1', 'viewer-1', 'show']);
    assert.deepEqual(broadcaster.named('number-of-broadcast-viewers-updated').map(([{ numberOfBroadcastViewers }]) => numberOfBroadcastViewers), [1, 2, 3, 4, 5]);
    assert.deepEqual(answerOf(self, viewers[0], 'get-number-of-users-in-specific-broadcast'), [[5]]);
    viewers[1].emit('can-not-relay-broadcast');
    self.run(100);
    assert.equal(sourceOf(join(start('f'), 'f')), 'show');
  });

  it('ask those to join again whose source has left, whether it said so or not', () => {
    for (const leave of [(page) => page.leave(), (page) => (page.isDead = true)]) {
      const { self, start, join, viewers } = broadcastTo(2);
      viewers[0].emit('can-relay-broadcast');
      self.run(100);
      const third = join(start('c'), 'c');
      assert.equal(sourceOf(third), 'viewer-0');
      leave(viewers[0]);
      self.run(15_000);
      assert.deepEqual(third.named('rejoin-broadcast'), [['show']]);
      assert.deepEqual(viewers[1].named('rejoin-broadcast'), []);
      join(third, 'c');
      assert.equal(sourceOf(third), 'show');
    }
  });

  it('stop with the broadcaster', () => {
    const { self, broadcaster, viewers } = broadcastTo(3);
    broadcaster.leave();
    self.run(100);
    for (const viewer of viewers) assert.deepEqual(viewer.named('broadcast-stopped'), [['show']]);
  });
});
