// The judge of chaos runs judges: each thing that must not be is found in a log that has it, and
// none in one that hasn't.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from './check.mjs';

/**
 * What one sender did: messages 1 to `count` on channel `a`, put on a connection and acknowledged
 * in epoch `e1`, but for those that `again` sends in `e2`.
 */
function sender(count, { again = [], unacknowledged = [], flushed, last = count } = {}) {
  const log = [['epoch', 0, 'e1'], ['open', 0, 'a', true]];
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  for (const n of numbers) log.push(['sent', n, 'a', n, n === last ? 1 : 0], ['put', n, 'a', n, n, 'e1']);
  for (const n of numbers) if (!unacknowledged.includes(n)) log.push(['ack', n, n, 'e1']);
  if (again.length > 0) log.push(['epoch', 50, 'e2']);
  for (const n of again) log.push(['put', 50 + n, 'a', n, n, 'e2'], ['ack', 50 + n, n, 'e2']);
  if (flushed !== undefined) log.push(['flushed', 99, flushed]);
  return log;
}

/**
 * What one receiver saw: numbers are messages, `'e2'` a new relay, `'gap'` what it says, `'lost'` a
 * connection, `'ack'` that a relay has answered.
 */
function receiver(steps, { kept = true, epoch = 'e1' } = {}) {
  const log = [['epoch', 0, epoch], ['open', 0, 'a', kept]];
  let now = epoch;
  steps.forEach((step, time) => {
    if (step === 'gap') log.push(['gap', time, 'a', now]);
    else if (step === 'lost') log.push(['state', time, 'waiting', '', 1006]);
    else if (step === 'ack') log.push(['ack', time, 0, now]);
    else if (step === 'close') log.push(['close', time, 'a']);
    else if (step === 'open') log.push(['open', time, 'a', kept]);
    else if (typeof step === 'string') log.push(['epoch', time, (now = step)]);
    else log.push(['got', time, 'a', 'S', step, now, 0]);
  });
  return log;
}

function judge(S, R, options) {
  const { failures, counts } = check({ S, R }, options);
  return { kinds: failures.map(({ kind }) => kind), counts };
}

describe('while the relay lives', () => {
  test('all of it, once and in order, is no complaint', () => {
    const { kinds, counts } = judge(sender(4, { flushed: 4 }), receiver([1, 2, 3, 4]));
    assert.deepEqual(kinds, []);
    assert.deepEqual({ sent: counts.sent, delivered: counts.delivered, lost: counts.lost }, { sent: 4, delivered: 4, lost: 0 });
  });

  const cases = [
    ['a hole', [1, 2, 4], ['lost'], { lost: 1 }],
    ['a hole at the beginning', [3, 4], ['lost', 'lost'], { lost: 2 }],
    ['a hole at the end', [1, 2], ['lost', 'lost'], { lost: 2 }],
    ['nothing at all', [], ['lost', 'lost', 'lost', 'lost'], { lost: 4 }],
    ['a repeat', [1, 2, 2, 3, 4], ['repeated'], { repeated: 1 }],
    ['two in the wrong order', [1, 3, 2, 4], ['outOfOrder'], { outOfOrder: 1, lost: 0 }],
    ['a gap for no reason', [1, 2, 'gap', 3, 4], ['gap'], { groundlessGaps: 1 }],
    ['a gap that hides nothing but its own lie', [1, 'gap', 3, 4], ['gap'], { groundlessGaps: 1, lostTold: 1 }],
  ];
  for (const [name, steps, expected, figures] of cases) {
    test(`${name} is found`, () => {
      const { kinds, counts } = judge(sender(4), receiver(steps));
      assert.deepEqual(kinds, expected);
      for (const [figure, value] of Object.entries(figures)) assert.equal(counts[figure], value, figure);
    });
  }

  test('on a passing channel all is owed that was sent when the relay knew that it is open', () => {
    // The sender sends each message at its number. The receiver sends one of its own, which the relay
    // has taken at some time, and so all that the receiver did before.
    const open = ['open', 0, 'a', false];
    const close = ['close', 0, 'a'];
    const put = ['put', 0, 'b', 1, 7, 'e1'];
    const ack = (time) => ['ack', time, 7, 'e1'];
    const got = (n) => ['got', 9, 'a', 'S', n, 'e1', 0];
    const kinds = (...log) => judge(sender(9), [['epoch', 0, 'e1'], ...log]).kinds;
    assert.deepEqual(kinds(open, put, ack(4), got(5), got(6)), []);
    assert.deepEqual(kinds(open, put, ack(2), got(5), got(6)), ['lost', 'lost']);
    assert.deepEqual(kinds(open, got(1), close, open, put, ack(6), got(7), got(8)), []);
    assert.deepEqual(kinds(open, got(1), close, open, put, ack(4), got(7), got(8)), ['lost', 'lost']);
    assert.deepEqual(kinds(open, got(1), close, open, got(3), put, ack(5), got(6)), []);
    assert.deepEqual(kinds(open, got(1), close, open, got(3), put, ack(4), got(6)), ['lost']);
  });

  test('what was spoilt, what one sent oneself, and an error are found', () => {
    const log = receiver([1, 2]);
    log.push(['got', 9, 'a', 'S', 3, 'e1', 1], ['got', 9, 'a', 'R', 1, 'e1', 0], ['error', 9, 'message-given-up', 'why']);
    assert.deepEqual(judge(sender(3), log).kinds.sort(), ['error', 'spoilt', 'strange']);
  });

  test('flushed() before its time is found', () => {
    assert.deepEqual(judge(sender(3, { flushed: 3, unacknowledged: [3] }), receiver([1, 2, 3])).kinds, ['flushed']);
    assert.deepEqual(judge(sender(3, { flushed: 2, unacknowledged: [3] }), receiver([1, 2, 3])).kinds, []);
  });

  test('a passing channel begins anywhere, and then goes on without a hole', () => {
    const passing = { kept: false };
    assert.deepEqual(judge(sender(9), receiver([4, 5, 6], passing)).kinds, []);
    assert.deepEqual(judge(sender(9), receiver([4, 6], passing)).kinds, ['lost']);
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 7, 8], passing)).kinds, []);
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 3, 4], passing)).kinds, ['repeated']);
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 5, 7, 9], passing)).kinds, ['lost']);
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 4, 6, 7], passing)).kinds, []);
    // What came while it was closed was dropped here, and what was sent until the relay knew wasn't for it.
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 7, 9], passing)).kinds, []);
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 4, 6, 8], passing)).kinds, ['lost']);
    assert.deepEqual(judge(sender(9), receiver([1, 'close', 'open', 'close', 'open', 'close', 'open', 3, 5, 7, 8], passing)).kinds, []);
    assert.deepEqual(judge(sender(9), receiver([1, 'close', 'open', 'close', 'open', 3, 5, 7, 9], passing)).kinds, ['lost']);
    // The very first one, too.
    assert.deepEqual(judge(sender(9), receiver(['close', 'open', 1, 5, 6], passing)).kinds, []);
    assert.deepEqual(judge(sender(9), receiver(['close', 'open', 1, 5, 7], passing)).kinds, ['lost']);
    assert.deepEqual(judge(sender(9), receiver([1, 5, 6], passing)).kinds, ['lost', 'lost', 'lost']);
    // Opened twice before anything came: first what came for the first time, then for the second.
    assert.deepEqual(judge(sender(9), receiver([2, 3, 'close', 'open', 'close', 'open', 5, 7, 8], passing)).kinds, []);
    assert.deepEqual(judge(sender(11), receiver([2, 3, 'close', 'open', 'close', 'open', 5, 7, 9, 11], passing)).kinds, ['lost']);
    assert.deepEqual(judge(sender(9), receiver([1, 2, 3, 'close', 'open', 4, 6, 7, 8, 9])).kinds, ['lost']);
  });
});

describe('across a relay’s death', () => {
  test('what it took with it may be missing where a gap was reported, and only there', () => {
    const told = judge(sender(6), receiver([1, 2, 'e2', 'gap', 5, 6]));
    assert.deepEqual(told.kinds, []);
    assert.equal(told.counts.lostTold, 2);
    assert.deepEqual(judge(sender(6), receiver([1, 2, 'e2', 5, 6])).kinds, ['lost', 'lost']);
    assert.deepEqual(judge(sender(6), receiver([1, 2, 'e2', 5, 'gap', 6])).kinds, ['lost', 'lost']);
    assert.deepEqual(judge(sender(6), receiver([1, 'e2', 'gap', 2, 5, 6])).kinds, ['lost', 'lost']);
  });

  test('a passing channel that is opened again on one connection may have a hole behind what was on its way', () => {
    const passing = { kept: false };
    assert.deepEqual(judge(sender(9), receiver([2, 'e2', 'gap', 'close', 'open', 5, 6, 8], passing)).kinds, []);
    assert.deepEqual(judge(sender(9), receiver([2, 'e2', 'gap', 'close', 'open', 5, 7, 9], passing)).kinds, ['lost']);
    assert.deepEqual(judge(sender(9), receiver([2, 'e2', 'gap', 5, 6, 8], passing)).kinds, ['lost']);
  });

  test('the last message of all may not be missing, whatever was reported', () => {
    const { kinds, counts } = judge(sender(6), receiver([1, 2, 'e2', 'gap']));
    assert.deepEqual(kinds, ['lost']);
    assert.deepEqual([counts.lost, counts.lostTold], [1, 3]);
    assert.deepEqual(judge(sender(6, { last: 0 }), receiver([1, 2, 'e2', 'gap'])).kinds, []);
  });

  test('one gap for each death, no more', () => {
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'e3', 'gap', 2])).kinds, []);
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'gap', 2])).kinds, ['gap']);
  });

  test('a second gap is reported where the new relay was lost before it had answered, and nowhere else', () => {
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'lost', 'ack', 'gap', 2])).kinds, []);
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'lost', 'ack', 'gap', 'gap', 2])).kinds, ['gap']);
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'ack', 'lost', 'ack', 'gap', 2])).kinds, ['gap']);
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'ack', 'gap', 2])).kinds, ['gap']);
    // It needn't be, and that says nothing about the relay after that.
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'lost', 'ack', 'e3', 'gap', 2])).kinds, []);
    assert.deepEqual(judge(sender(2), receiver([1, 'e2', 'gap', 'lost', 'ack', 'e3', 'gap', 'gap', 2])).kinds, ['gap']);
  });

  test('what had no acknowledgement may come twice, in order', () => {
    const twice = sender(4, { unacknowledged: [3, 4], again: [3, 4] });
    const allowed = judge(twice, receiver([1, 2, 3, 4, 'e2', 'gap', 3, 4]));
    assert.deepEqual(allowed.kinds, []);
    assert.equal(allowed.counts.repeatedAllowed, 2);
    assert.deepEqual(judge(twice, receiver([1, 2, 3, 4, 'e2', 'gap', 4, 3])).kinds, ['outOfOrder']);
    assert.deepEqual(judge(twice, receiver([1, 2, 3, 3, 4, 'e2', 'gap'])).kinds, ['repeated']);
    assert.deepEqual(judge(twice, receiver([1, 2, 3, 4, 'e2', 'gap', 2, 3, 4])).kinds, ['repeated']);
  });

  test('it may also come for the first time then, behind what had come, to whom had the channel not open before', () => {
    const again = sender(4, { unacknowledged: [2, 3, 4], again: [2, 3, 4] });
    const passing = { kept: false };
    assert.deepEqual(judge(again, receiver([3, 4, 'e2', 'gap', 2, 3, 4], passing)).kinds, []);
    assert.deepEqual(judge(again, receiver([3, 4, 'e2', 'gap', 3, 2, 4], passing)).kinds, ['outOfOrder']);
    assert.deepEqual(judge(again, receiver([3, 2, 4], passing)).kinds, ['outOfOrder']);
    assert.deepEqual(judge(sender(4), receiver([3, 4, 'e2', 'gap', 2], passing)).kinds, ['outOfOrder']);
    assert.deepEqual(judge(again, receiver([1, 4, 'e2', 'gap', 2, 3, 4])).kinds, ['outOfOrder', 'outOfOrder']);
  });

  test('what was acknowledged may not be sent again', () => {
    assert.deepEqual(judge(sender(3, { again: [2] }), receiver([1, 2, 3])).kinds, ['sentAgain']);
  });
});
