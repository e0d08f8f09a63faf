// Nothing is kept of channels, messages and exceptions: by wasm, whose memory never shrinks, and by
// JavaScript, whose garbage collector tells.
//
// What's tested
// * ten thousand channels opened and closed, opened again and again, and sent on leave wasm's
//   memory and its table of JavaScript values as they were; every handle and config is collected
// * so do thousands of exceptions, of every everyday kind
// * a closed channel's config is collected while its handle is kept; messages are, once they are
//   delivered
// * so do channels with several listeners, their promises and signals
// * what is open stays, whether or not the page keeps a reference to it

import {
  clock,
  collect,
  collected,
  configure,
  connected,
  equal,
  frame,
  held,
  inParts,
  keepsNothing,
  keptNothing,
  Notes,
  ok,
  openSocket,
  refused,
  reported,
  settled,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

export async function ten_thousand_channels_opened_and_closed() {
  const { signaling, socket } = connected();
  const gone = { handles: 0, configs: 0 };
  const registry = new FinalizationRegistry((kind) => {
    gone[kind] += 1;
  });
  let count = 0;
  const openAndClose = () => {
    const config = {
      channel: `channel ${count % 100}`,
      onmessage() {},
      onopen() {},
      callback: null,
    };
    const handle = signaling.openSocket(config);
    registry.register(handle, 'handles');
    registry.register(config, 'configs');
    handle.send({ count });
    socket.frames.length = 0;
    if (count % 50 === 0) clock.advance(1000);
    handle.close();
    count += 1;
  };
  const live = (rounds) => {
    for (let round = 0; round < rounds; round += 1) openAndClose();
  };
  await inParts(1_000, 1_000, live);
  ok(await collected(() => gone.handles === 1_000), `${gone.handles} of 1000 handles went`);
  const before = await held();
  await inParts(10_000, 1_000, live);
  ok(
    await collected(() => gone.handles === 11_000 && gone.configs === 11_000),
    `of 11000, ${gone.handles} handles and ${gone.configs} configs went`,
  );
  await keptNothing(before, 10_000);
  equal(signaling.stats().channels, 1);
  // Until then the server might refuse the last messages.
  clock.advance(2_000);
  equal(clock.timers, 0);
}

export async function ten_thousand_openings_of_one_channel() {
  const { signaling } = connected();
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const reopen = (rounds) => {
    for (let count = 0; count < rounds; count += 1) {
      const config = { channel: 'room', onmessage() {} };
      registry.register(config, undefined);
      registry.register(signaling.openSocket(config), undefined);
      // Each is ready once. Until then it is kept.
      clock.advance(1000);
    }
  };
  await inParts(1_000, 1_000, reopen);
  const before = await held();
  await inParts(10_000, 1_000, reopen);
  ok(await collected(() => gone === 22_000 - 2), `${gone} went`);
  await keptNothing(before, 10_000);
  equal(signaling.stats().channels, 1);
}

export async function ten_thousand_messages_each_way() {
  let gone = 0;
  let delivered = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const { handle, socket } = connected(
    {},
    {
      onmessage(message) {
        registry.register(message, undefined);
        delivered += 1;
      },
    },
  );
  const talk = (rounds) => {
    for (let count = 0; count < rounds; count += 1) {
      const message = { count };
      registry.register(message, undefined);
      handle.send(message);
      socket.deliver(
        frame('room', { count }),
        `{"channel":"room","message":{"count":${count}}}`,
        socket.frames.pop(),
        'bad',
      );
      thrownBy(() => handle.send(undefined));
    }
  };
  talk(1_000);
  const before = await held();
  talk(10_000);
  equal(delivered, 22_000);
  ok(await collected(() => gone === 33_000), `${gone} of 33000 messages went`);
  await keptNothing(before, 10_000);
}

export async function thousands_of_exceptions() {
  // Everything that throws in everyday use: the page's handlers, broken frames, messages that can't
  // be sent.
  const failing = () => {
    throw new Error('mine');
  };
  const { signaling, handle, socket } = connected({
    onframe: failing,
    onerror: failing,
    onstatechange: failing,
    openDelay: 0,
  });
  signaling.openSocket({ channel: 'failing', onmessage: failing });
  signaling.openSocket({ channel: 'nobody' });
  signaling.openSocket.call({ channel: 'function' }, failing);
  const { openSocket } = signaling;
  const live = (rounds) => {
    for (let count = 0; count < rounds; count += 1) {
      socket.deliver(
        'bad',
        '[',
        '[]',
        'null',
        '{"sender":17,"channel":"room","message":}',
        '{"sender":{"valueOf":1,"toString":1}}',
      );
      socket.deliver(
        frame('failing', 1),
        frame('nobody', 1),
        frame('function', 1),
        '{"channel":"failing","message":1}',
      );
      for (const message of [undefined, 5n, failing, { toJSON: failing }])
        thrownBy(() => handle.send(message));
      for (const config of [undefined, { channel: {} }, { onopen: 5 }])
        thrownBy(() => openSocket(untyped(config)));
      thrownBy(() => signaling.attach(untyped(null)));
      openSocket({ callback: failing }).close();
      openSocket({ channel: 'again', callback: failing });
      clock.advance(0);
      reported();
    }
  };
  await inParts(200, 200, live);
  const before = await held();
  await inParts(3_000, 200, live);
  await keptNothing(before, 3_000);
  equal(signaling.stats().bad, 3_200 * 5);
}

export async function the_outbox_lets_go_of_what_went_out() {
  const { handle } = connected();
  const breakdown = () => {
    sockets.at(-1).end();
    for (let count = 0; count < 1_000; count += 1) handle.send({ count, text: 'x'.repeat(100) });
    clock.advance(500);
    sockets.at(-1).accept();
    equal(sockets.at(-1).frames.length, 1_000);
    clock.advance(6000);
    sockets.splice(0, sockets.length - 1);
  };
  for (let round = 0; round < 3; round += 1) breakdown();
  const before = await held();
  for (let round = 0; round < 30; round += 1) breakdown();
  await keptNothing(before, 30_000);
}

export async function a_closed_channel_lets_go_of_its_config() {
  const { signaling } = connected();
  const kept = [];
  const open = () => {
    const config = { channel: 'closed', onmessage() {}, huge: new Array(1000).fill(0) };
    kept.push(signaling.openSocket(config));
    return new WeakRef(config);
  };
  const config = open();
  kept[0].close();
  ok(await collected(() => config.deref() === undefined), 'the config went');
  refused(() => kept[0].send(1), 'channel-closed');
  const other = open();
  signaling.close();
  ok(await collected(() => other.deref() === undefined), 'so it did when the signaling was closed');
}

export async function what_is_open_stays() {
  const notes = new Notes();
  (() => {
    const signaling = new Signaling({
      url: 'ws://server.test/',
      onstatechange: (state) => notes.taker(state)(),
    });
    signaling.openSocket({
      channel: 'room',
      onmessage: notes.taker('onmessage'),
      onopen: notes.taker('onopen'),
    });
  })();
  for (let round = 0; round < 5; round += 1) {
    await collect();
  }
  sockets[0].accept().deliver(frame('room', 1));
  clock.advance(1000);
  for (let round = 0; round < 5; round += 1) {
    await collect();
  }
  sockets[0].end();
  clock.advance(500);
  sockets[1].accept().deliver(frame('room', 2));
  equal(notes.take(), [
    ['connecting'],
    ['open'],
    ['onmessage', 1],
    ['onopen'],
    ['waiting'],
    ['connecting'],
    ['open'],
    ['onmessage', 2],
  ]);
}

export async function the_default_signaling_goes_when_another_takes_its_place() {
  const make = () => {
    const signaling = configure({ url: 'ws://server.test/' });
    openSocket({});
    signaling.close();
    sockets.length = 0;
    // Of a member, which goes with it: Firefox keeps an EventTarget that has a WeakRef.
    return new WeakRef(signaling.close);
  };
  const first = make();
  configure({ url: 'ws://server.test/' });
  ok(await collected(() => first.deref() === undefined), 'it went');
}

export async function thousands_of_channels_with_listeners_and_promises() {
  const { signaling, socket } = connected();
  const { signal } = new AbortController();
  let gone = 0;
  let all = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const live = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      // A signal that is never aborted keeps nothing either.
      const [channel, other] = ['a', 'b'].map((name) => signaling.channel(`${name}${round}`, { signal }));
      channel.on(() => channel.name);
      registry.register(channel, undefined);
      all += 1;
      socket.deliver(frame(`a${round}`, round));
      channel.publish(round, { signal }).catch(() => {});
      signaling.connect({ signal });
      channel.close();
      other.close();
      socket.frames.length = 0;
    }
    clock.advance(20_000);
    await settled();
    ok(await collected(() => gone === all), `of ${all}, ${gone} went`);
  };
  await live(1_000);
  await keepsNothing(1_000, () => live(1_000));
}
