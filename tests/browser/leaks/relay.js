// Nothing is kept of what goes through our relay.
//
// What's tested
// * thousands of reconnections, with messages acknowledged and sent again, ids and gaps
// * thousands of `flushed()` and `closed`

import {
  ack,
  clock,
  collected,
  equal,
  greet,
  held,
  inParts,
  joined,
  keepsNothing,
  kept,
  keptNothing,
  ok,
  pageEvents,
  settled,
  sockets,
} from '../support/index.js';

export async function thousands_of_reconnections_through_our_relay() {
  let epoch = 1;
  let gaps = 0;
  const { signaling, handle } = joined({
    reconnect: { base: 1, cap: 1 },
    ongap() {
      gaps += 1;
    },
    onerror() {},
    onframe() {},
  });
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  let number = 0;
  let id = 0;
  const live = (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const socket = sockets.at(-1);
      handle.send({ round });
      handle.send({ round }, { ttl: 1 });
      number += 2;
      socket.deliver(
        kept('room', { round }, `${(id += 1)}`),
        `{"channel":"room","id":"${(id += 1)}","message":[${round}]}`,
        kept('other', round, `${(id += 1)}`),
        '{"gap":"room"}',
        '{"ping":1}',
        '{"pong":1}',
        'bad',
      );
      if (round % 3) socket.deliver(ack(number - 1));
      signaling.openSocket({ channel: `channel ${round}` }).close();
      if (round % 5 === 0) pageEvents.offline();
      if (round % 7 === 0) {
        pageEvents.pagehide();
        pageEvents.pageshow();
        clock.advance(1_000);
      } else {
        socket.end(round % 2 ? 1006 : 1009);
        clock.advance(1);
      }
      registry.register(socket, undefined);
      sockets.splice(0, sockets.length - 1);
      // Now and then the relay has been restarted.
      if (round % 11 === 0) epoch += 1;
      greet(round % 4 ? number : 0, { epoch: `epoch ${epoch}`, session: `session ${epoch}` });
      if (signaling.state !== 'open') throw new Error(`${signaling.state} in round ${round}`);
      sockets.at(-1).deliver(ack(number));
      clock.advance(5_000);
    }
  };
  await inParts(300, 300, live);
  let all = 300;
  ok(await collected(() => gone === all), `${gone} of ${all} sockets went`);
  const before = await held();
  await inParts(3_000, 300, live);
  all += 3_000;
  ok(await collected(() => gone === all), `${gone} of ${all} sockets went`);
  await keptNothing(before, 3_000);
  const { queued, connects, channels } = signaling.stats();
  equal([queued, connects, channels], [0, all + 1, 1]);
  ok(
    gaps > all && signaling.stats().dropped > 100,
    `${gaps} gaps, ${signaling.stats().dropped} dropped`,
  );
}

export async function thousands_of_promises_of_the_outbox() {
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  let outcomes = 0;
  const note = () => {
    outcomes += 1;
  };
  const ask = (signaling) => {
    const promise = signaling.flushed();
    promise.then(note, note);
    registry.register(promise, undefined);
  };
  const { signaling, handle, socket } = joined();
  let number = 0;
  const live = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      ask(signaling);
      handle.send(round);
      ask(signaling);
      ask(signaling);
      socket.deliver(ack((number += 1)));
      socket.frames.length = 0;
      if (round % 100 === 0) await settled();
    }
    await settled();
  };
  await inParts(500, 500, live);
  ok(await collected(() => gone === 1_500), `${gone} of 1500 promises went`);
  const before = await held();
  await inParts(5_000, 500, live);
  ok(await collected(() => gone === 16_500), `${gone} of 16500 promises went`);
  await keptNothing(before, 5_000);
  equal(outcomes, 16_500);
  // Signalings that were closed with some promises pending, with and without listeners.
  gone = outcomes = 0;
  const end = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const one = joined();
      one.handle.send(round);
      ask(one.signaling);
      ask(one.signaling);
      one.signaling.closed.then(note);
      registry.register(one.signaling, undefined);
      registry.register(one.signaling.closed, undefined);
      one.signaling.close();
      sockets.length = 0;
    }
    await settled();
  };
  // In hundreds: wasm's memory stays as large as it was at its peak.
  let all = 0;
  const hundred = async () => {
    await end(100);
    all += 100;
    ok(await collected(() => gone === all * 4), `${gone} of ${all * 4} went`);
  };
  for (let part = 0; part < 5; part += 1) await hundred();
  await keepsNothing(500, async () => {
    for (let part = 0; part < 5; part += 1) await hundred();
  });
  equal(outcomes, all * 3);
}
