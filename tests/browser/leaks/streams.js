// Nothing is kept of event streams and of requests that carry messages.
//
// What's tested
// * hundreds of streams, with events of every kind, messages, answers of every kind, and losses
// * hundreds of streams that are refused, and of requests that fail or take too long
// * hundreds of signalings opened and closed

import {
  clock,
  collected,
  equal,
  frame,
  keepsNothing,
  ok,
  requests,
  settled,
  Signaling,
  streams,
} from '../support/index.js';

const options = {
  url: 'ws://server.test/events',
  protocol: 'sse',
  reconnect: { base: 1, cap: 1 },
  onerror() {},
  onframe() {},
  ongap() {},
};

/**
 * Runs `live` for hundreds of rounds and then for a thousand more, of which nothing may be kept. A
 * millisecond passes between two rounds.
 */
async function nothingIsKept(live) {
  let gone = 0;
  let rounds = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const hundred = async () => {
    for (let round = 0; round < 100; round += 1) {
      await live(rounds, (value) => registry.register(value, undefined));
      rounds += 1;
      streams.length = requests.length = 0;
      clock.advance(1);
    }
    // The last one is still in use.
    ok(await collected(() => gone >= rounds - 1), `${gone} of ${rounds} went`);
  };
  for (let part = 0; part < 5; part += 1) await hundred();
  await keepsNothing(1_000, async () => {
    for (let part = 0; part < 10; part += 1) await hundred();
  });
}

export async function hundreds_of_event_streams() {
  const signaling = new Signaling(options);
  const handle = signaling.openSocket({ channel: 'room' });
  const answers = [204, 200, 400, 503, 500];
  await nothingIsKept(async (round, register) => {
    const stream = streams.at(-1);
    register(stream);
    stream.accept();
    stream.deliver('', { type: 'hello', id: `e-${round}` });
    stream.deliver(frame('room', { round }), { id: 'x'.repeat(1 + (round % 300)) });
    stream.deliver(frame('other', round));
    stream.deliver(frame('room', round, signaling.userid));
    stream.deliver('bad');
    stream.deliver('', { type: 'gap' });
    handle.send({ round });
    // Every seventh stream is lost before its request is answered.
    if (round % 7 === 0) stream.lose();
    for (let at = 0; at < requests.length; at += 1) {
      requests[at].answer('why', answers[(round + at) % answers.length], { 'Retry-After': '1' });
      await settled();
    }
    if (round % 7 > 0) stream.lose();
    if (signaling.state !== 'waiting') throw new Error(`${signaling.state} in round ${round}`);
  });
  signaling.close();
}

export async function hundreds_of_streams_and_requests_that_fail() {
  const signaling = new Signaling(options);
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send('waits');
  await nothingIsKept(async (round, register) => {
    const stream = streams.at(-1);
    register(stream);
    if (round % 3 === 0) {
      stream.refuse();
    } else {
      stream.accept();
      if (round % 3 === 1) requests.at(-1)?.fail();
      else clock.advance(30_000);
      await settled();
      if (signaling.state === 'open') stream.lose();
    }
    await settled();
    equal([signaling.state, signaling.stats().queued], ['waiting', 1]);
  });
  signaling.close();
  clock.advance(30_000);
  equal(clock.timers, 0);
}

export async function hundreds_of_signalings_with_a_stream() {
  await nothingIsKept(async (round, register) => {
    const signaling = new Signaling(options);
    register(signaling);
    const handle = signaling.openSocket({ channel: 'room', onmessage: () => signaling.state });
    handle.send(round);
    if (round % 3 > 0) streams.at(-1).accept();
    if (round % 3 > 1) requests.at(-1).answer('', 204);
    signaling.close();
    requests.at(-1)?.fail();
    await settled();
  });
  equal(clock.timers, 0);
}
