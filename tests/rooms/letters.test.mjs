// Letters by themselves: what is kept, repeated and dropped, and what strangers can do with them.
// dying.test.mjs has what they are for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Letters } from '../../npm/rtcmulticonnection/letters.js';

const NOW = 1_000_000;
const AGAIN = { newParticipationRequest: true };

const numbers = (sent) => sent.filter(({ letter }) => !letter.read).map(({ letter }) => letter.number);

/** Two users whose messages the test carries, and whose relay has died a moment ago, or not. */
function two({ hasDied = true } = {}) {
  const [a, b] = [new Letters('page a'), new Letters('page b')];
  if (hasDied) for (const letters of [a, b]) {
    letters.meet(NOW, 'somebody');
    letters.lose(NOW);
  }
  return {
    a,
    b,
    write: (message, now = NOW) => a.write(now, 'b', { remoteUserId: 'b', sender: 'a', message }),
    ask: (now = NOW) => a.ask(now, 'b', { remoteUserId: 'b', sender: 'a', message: AGAIN }),
    read: (letter, now = NOW) => b.read(now, letter, 'b'),
    /** What `a` sends when `b` is in its rooms again. */
    repeated: (now = NOW) => a.read(now, { ...b.inquire(now, 'a', true), sender: 'b' }, 'a').send,
  };
}

describe('letters', () => {
  it('come once and in order, whatever is missing or comes again', () => {
    const { write, read, repeated } = two();
    const all = [1, 2, 3].map((content) => write(content));
    assert.deepEqual(read(all[0]), { isHeard: true, send: [] });
    assert.deepEqual(read(all[0]), { isHeard: false, send: [] });
    const { isHeard, send } = read(all[2]);
    assert.deepEqual([isHeard, send], [false, [{ remoteUserId: 'a', message: {}, letter: { page: 'page b', read: ['page a', 1, 1], isAnswer: true } }]]);
    const missing = repeated();
    assert.deepEqual(missing.map(({ message }) => message), [2, 3]);
    for (const letter of missing) assert.ok(read(letter).isHeard);
    assert.deepEqual(repeated(), []);
  });

  it('are heard as they come when no relay has died lately, whatever their numbers', () => {
    const { write, read } = two({ hasDied: false });
    const all = [1, 2, 3, 4].map((content) => write(content));
    for (const letter of [all[0], all[2], all[1], all[1], all[3]]) assert.deepEqual(read(letter), { isHeard: true, send: [] });
    const later = two();
    later.write(1);
    assert.ok(later.read(later.write(2), NOW + 15_000).isHeard);
  });

  it('can be repeated for a minute; what is left then goes on', () => {
    const { b, write, read, repeated } = two();
    write(1);
    const late = NOW + 61_000;
    b.meet(late, 'somebody');
    b.lose(late);
    assert.equal(read(write(2, late), late).isHeard, false);
    const [left, ...more] = repeated(late);
    assert.deepEqual([left.letter.number, left.letter.isRepeated, more], [2, true, []]);
    assert.ok(read(left, late).isHeard);
  });

  it('behind one that the relay refuses are heard', () => {
    const { write, read, repeated } = two();
    const all = [1, 2, 3, 4].map((content) => write(content));
    assert.deepEqual([read(all[1]).send.length, read(all[2]).send.length], [1, 0], 'it asks once');
    // The first one is refused again.
    for (const letter of repeated().slice(1)) assert.ok(read(letter).isHeard);
    assert.ok(read(write(5)).isHeard);
  });

  it('are kept up to a number of them and of their characters', () => {
    const { write, repeated } = two();
    for (let count = 0; count < 600; count += 1) write(count);
    assert.deepEqual([numbers(repeated()).length, numbers(repeated()).at(-1)], [512, 600]);
    const long = 'x'.repeat(200_000);
    for (let count = 0; count < 8; count += 1) write(long);
    assert.deepEqual(numbers(repeated()), [604, 605, 606, 607, 608]);
    // One that is longer than all of it is sent, and not kept.
    assert.equal(write('x'.repeat(2 ** 20)).letter.number, 609);
    assert.deepEqual(numbers(repeated()), []);
  });

  it('are repeated so often, however often they are asked for', () => {
    const { write, repeated } = two();
    write(1);
    let times = 0;
    for (let asked = 0; asked < 100; asked += 1) times += repeated().length;
    assert.equal(times, 8);
  });

  it('count no longer once their reader has asked for a connection', () => {
    const { a, b, ask, read, write } = two();
    const offer = b.write(NOW, 'a', { remoteUserId: 'a', sender: 'b', message: 'an old offer' });
    const request = ask();
    assert.deepEqual(a.read(NOW, offer, 'a'), { isHeard: false, send: [] });
    assert.ok(read(request).isHeard);
    const next = b.write(NOW, 'a', { remoteUserId: 'a', sender: 'b', message: 'an offer' });
    assert.ok(a.read(NOW, next, 'a').isHeard);
    assert.deepEqual(b.read(NOW, { ...a.inquire(NOW, 'b', true), sender: 'a' }, 'b').send, []);
    assert.ok(read(write('an answer')).isHeard);
    // Nor do those of a page that asks everybody.
    a.endAll();
    assert.deepEqual(a.read(NOW, { ...b.inquire(NOW, 'a', true), sender: 'b' }, 'a').send, []);
  });

  it('of two that ask each other one counts', () => {
    const { a, b, ask, read } = two();
    const other = b.ask(NOW, 'a', { remoteUserId: 'a', sender: 'b', message: AGAIN });
    const request = ask();
    const answered = a.read(NOW, other, 'a');
    // Its own may have been lost.
    assert.deepEqual([answered.isHeard, answered.send.map(({ message }) => message)], [false, [AGAIN]]);
    assert.ok(read(request).isHeard);
    assert.equal(read(answered.send[0]).isHeard, false);
  });

  it('of a page that was loaded again start at 1', () => {
    const { read, write } = two();
    for (const content of [1, 2]) assert.ok(read(write(content)).isHeard);
    const again = new Letters('page a, again');
    assert.ok(read(again.write(NOW, 'b', { remoteUserId: 'b', sender: 'a', message: 3 })).isHeard);
    // What was written to the page before isn't for the one that was loaded.
    const { a, b } = two();
    a.read(NOW, b.write(NOW, 'a', { remoteUserId: 'a', sender: 'b', message: 1 }), 'a');
    a.write(NOW, 'b', { remoteUserId: 'b', sender: 'a', message: 'an offer' });
    const loaded = new Letters('page b, again');
    assert.deepEqual(a.read(NOW, { ...loaded.inquire(NOW, 'a', true), sender: 'b' }, 'a').send, []);
  });

  it('have a text, or are messages as they are', () => {
    const { write } = two();
    const circle = {};
    circle.of = circle;
    assert.equal(write(circle).letter, undefined);
    assert.equal(write(1).letter.number, 1);
  });
});

describe('strangers', () => {
  const message = { remoteUserId: 'b', sender: 'a', message: 'hello' };

  it('who write none are heard, and so are those who write something else', () => {
    const { read } = two();
    const strange = [undefined, null, 1, 'letter', [], {}, { page: 1, part: 1, number: 1, knows: ['', 0] }, { page: 'p', part: -1, number: 1, knows: ['', 0] }, { page: 'p', part: 1.5, number: 1, knows: ['', 0] }, { page: 'x'.repeat(65), part: 1, number: 1, knows: ['', 0] }, { page: 'p', part: 1, number: 1 }, { page: 'p', part: 1, number: 1, knows: ['', 1e300] }, { page: 'p', read: 1 }, { page: 'p', read: ['', -1, 0] }, { read: ['', 0, 0] }];
    for (const letter of strange) assert.deepEqual(read({ ...message, letter }), { isHeard: true, send: [] }, JSON.stringify(letter));
    for (const none of [undefined, null, 1, 'text', {}, { sender: 1 }]) assert.ok(read(none).isHeard);
  });

  it('of whom there are many are forgotten, with the letters to them', () => {
    const letters = new Letters('page');
    for (let count = 0; count < 1500; count += 1) letters.write(NOW, `user ${count}`, { message: count });
    assert.deepEqual([letters.recent(NOW).length, letters.recent(NOW)[0]], [1000, 'user 500']);
    assert.deepEqual(letters.recent(NOW + 61_000), []);
  });

  it('disturb only their own letters', () => {
    const { read, write } = two();
    read({ remoteUserId: 'b', sender: 'x', message: 1, letter: { page: 'page a', part: Number.MAX_SAFE_INTEGER, number: Number.MAX_SAFE_INTEGER, knows: ['', 0], isRepeated: true } });
    for (const content of [1, 2]) assert.ok(read(write(content)).isHeard);
  });
});
