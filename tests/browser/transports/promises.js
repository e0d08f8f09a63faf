// Transports whose `send` returns a promise.
//
// What's tested
// * taken when it resolves, one at a time and in order; several at once with `pipeline`
// * rejections: the message is sent again, given up at the second time, or refused
// * promises that settle after their connection is lost, or never; other results

import {
  clock,
  equal,
  FakeTransport,
  frame,
  isOurs,
  Notes,
  noting,
  settled,
  Signaling,
  untyped,
} from '../support/index.js';

/** A transport whose sends the test finishes by hand. */
class Slow extends FakeTransport {
  /** @type {{ text: string, resolve: () => void, reject: (error: unknown) => void }[]} */
  sends = [];

  open() {
    super.open();
    this.handlers.onopen();
  }

  send(text) {
    return new Promise((resolve, reject) => {
      this.sends.push({ text, resolve: () => resolve(undefined), reject });
    });
  }

  /** The messages that it was given. */
  get given() {
    return this.sends.map(({ text }) => JSON.parse(text).message);
  }

  async finish(place) {
    this.sends[place].resolve();
    await settled();
  }

  async fail(place, error = new Error('broken pipe')) {
    this.sends[place].reject(error);
    await settled();
  }
}

function slow(members = {}) {
  const transport = Object.assign(new Slow(), members);
  const notes = new Notes();
  const signaling = new Signaling({ transport, onerror: notes.taker('onerror') });
  const handle = signaling.openSocket({ channel: 'room' });
  return { transport, notes, signaling, handle };
}

export async function a_message_is_taken_when_its_promise_resolves() {
  const { transport, notes, signaling, handle } = slow();
  let flushed = false;
  for (const message of [1, 2, 3]) handle.send(message);
  signaling.flushed().then(() => {
    flushed = true;
  });
  equal([transport.given, signaling.stats().queued], [[1], 3], 'one at a time');
  await transport.finish(0);
  equal([transport.given, signaling.stats().queued, flushed], [[1, 2], 2, false]);
  await transport.finish(1);
  await transport.finish(2);
  equal([transport.given, signaling.stats().queued, flushed], [[1, 2, 3], 0, true]);
  equal([signaling.stats().sent, notes.take()], [3, []]);
}

export async function several_at_once_with_pipeline() {
  const { transport, signaling, handle } = slow({ pipeline: true });
  for (const message of [1, 2, 3]) handle.send(message);
  equal([transport.given, signaling.stats().queued], [[1, 2, 3], 3]);
  await transport.finish(1);
  equal(signaling.stats().queued, 2);
  // Those that weren't taken are sent again, in order.
  await transport.fail(0);
  equal([signaling.state, signaling.stats().queued], ['waiting', 2]);
  clock.advance(1000);
  equal(transport.given, [1, 2, 3, 1, 3]);
}

export async function a_rejection_is_like_an_exception() {
  const { transport, notes, signaling, handle } = slow();
  handle.send('poison');
  handle.send('next');
  await transport.fail(0);
  equal([signaling.state, signaling.stats().queued, notes.take()], ['waiting', 2, []]);
  clock.advance(1000);
  equal(transport.given, ['poison', 'poison']);
  await transport.fail(1);
  isOurs(notes.take()[0][1], 'message-given-up', "'room'");
  clock.advance(2000);
  equal(transport.given, ['poison', 'poison', 'next']);
}

export async function a_refused_message_leaves_the_connection_alone() {
  const refusal = Object.assign(new Error('too rude'), { code: 'message-refused' });
  const { transport, notes, signaling, handle } = slow();
  handle.send('rude');
  handle.send('next');
  await transport.fail(0, refusal);
  isOurs(notes.take()[0][1], 'message-refused', 'too rude');
  equal([signaling.state, transport.given], ['open', ['rude', 'next']]);
  await transport.finish(1);
  equal([signaling.stats().queued, transport.closings], [0, 0]);
  // One that is thrown, too.
  const throwing = new FakeTransport();
  throwing.onopening = ({ handlers }) => handlers.onopen();
  throwing.onsent = () => {
    throw refusal;
  };
  const other = new Signaling({ transport: throwing, onerror: notes.taker('onerror') });
  other.openSocket({ channel: 'room' }).send('rude');
  isOurs(notes.take()[0][1], 'message-refused', 'too rude');
  equal([other.state, other.stats().queued], ['open', 0]);
}

export async function promises_that_settle_after_the_loss() {
  const { transport, signaling, handle } = slow({ pipeline: true });
  for (const message of [1, 2, 3]) handle.send(message);
  transport.onclose('lost');
  await transport.finish(0);
  await transport.fail(1);
  equal([signaling.state, signaling.stats().queued], ['waiting', 2], 'the first was taken');
  clock.advance(1000);
  equal(transport.given, [1, 2, 3, 2, 3]);
  await transport.finish(3);
  await transport.finish(4);
  await transport.finish(2);
  equal([signaling.state, signaling.stats().queued], ['open', 0]);
}

export async function a_promise_that_never_settles_has_a_deadline() {
  const { transport, signaling, handle } = slow();
  let reason;
  signaling.onstatechange = (state, detail) => {
    if (state === 'waiting') reason = detail.reason;
  };
  handle.send(1);
  clock.advance(29_999);
  equal(signaling.state, 'open');
  // Timers have whole milliseconds, and the times they are for have fractions.
  clock.advance(5);
  equal(signaling.state, 'waiting');
  equal(reason.includes('30 seconds'), true, reason);
  clock.advance(1000);
  equal(transport.given, [1, 1]);
  signaling.close();
  equal(clock.timers, 0);
}

export async function messages_come_in_meanwhile_and_frames_keep_their_order() {
  const { transport, signaling, handle } = slow();
  const { notes, config } = noting({ channel: 'other' });
  signaling.openSocket(config);
  handle.send(1);
  handle.send(2);
  transport.onmessage(frame('other', 'in'));
  equal(notes.take(), [['onmessage', 'in']]);
  equal(transport.given, [1]);
  await transport.finish(0);
  equal(transport.given, [1, 2]);
}

export async function other_results_are_ignored() {
  for (const result of [undefined, null, 5, true, 'text', {}, { then: 1 }, []]) {
    const { transport, signaling, handle } = slow();
    transport.send = () => untyped(result);
    handle.send(1);
    equal(signaling.stats().queued, 0);
  }
  // A promise of a library's own is one.
  const { transport, signaling, handle } = slow();
  /** @type {(value?: unknown) => void} */
  let resolve = () => {};
  const thenable = {
    then(done) {
      resolve = done;
    },
  };
  transport.send = () => untyped(thenable);
  handle.send(1);
  equal(signaling.stats().queued, 1);
  await settled();
  resolve(undefined);
  await settled();
  equal(signaling.stats().queued, 0);
}
