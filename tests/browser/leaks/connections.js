// Nothing is kept of connections: signalings, sockets, requests, handshakes and transports.
//
// What's tested
// * a hundred signalings opened and closed are collected, with their sockets; a thousand
//   reconnections keep one socket
// * thousands of connections by each protocol, with their requests, handshakes, credentials and
//   control frames
// * thousands of requests that fail, credentials that can't be had, and transports that throw
// * addresses that the page is asked for; transports and functions that own their signaling; what listens to the page's lifecycle

import {
  clock,
  collect,
  collected,
  connected,
  connectedBy,
  END,
  equal,
  FakeTransport,
  frame,
  GREETING_4,
  held,
  inParts,
  joined,
  keepsNothing,
  keptNothing,
  ok,
  OTHER,
  pageEvents,
  reported,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export async function a_hundred_signalings_opened_and_closed() {
  const gone = { signalings: 0, sockets: 0, handles: 0 };
  const registry = new FinalizationRegistry((kind) => {
    gone[kind] += 1;
  });
  const live = (rounds) => {
    for (let count = 0; count < rounds; count += 1) {
      const { signaling, handle, socket } = connected();
      registry.register(signaling, 'signalings');
      registry.register(socket, 'sockets');
      registry.register(handle, 'handles');
      // A handler that refers to its signaling, as most do.
      signaling.onstatechange = signaling.onerror = signaling.onframe = () => signaling.state;
      handle.send(1);
      socket.deliver(frame('room', 1));
      // Each of the ways in which one ends.
      const endings = [
        () => signaling.close(),
        () => socket.end(4500),
        () => {
          socket.end();
          signaling.close();
        },
        () => {
          socket.end();
          handle.send(2);
          clock.advance(500);
          sockets.at(-1).end(4500);
        },
      ];
      endings[count % endings.length]();
      equal(signaling.state, 'closed');
      sockets.length = 0;
    }
  };
  let all = 0;
  const hundred = async () => {
    live(100);
    all += 100;
    ok(
      await collected(() => Object.values(gone).every((count) => count === all)),
      `of ${all}, ${JSON.stringify(gone)} went`,
    );
  };
  for (let part = 0; part < 5; part += 1) await hundred();
  await keepsNothing(1_000, async () => {
    for (let part = 0; part < 10; part += 1) await hundred();
  });
  equal(clock.timers, 0);
}

export async function a_thousand_reconnections_keep_one_socket() {
  const { signaling, handle } = connected();
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const reconnect = (rounds) => {
    for (let count = 0; count < rounds; count += 1) {
      sockets[0].end();
      registry.register(sockets.shift(), undefined);
      handle.send(count);
      clock.advance(500);
      sockets[0].accept();
      clock.advance(5_000);
    }
  };
  reconnect(100);
  ok(await collected(() => gone === 100), `${gone} of 100 sockets went`);
  const before = await held();
  reconnect(1_000);
  ok(await collected(() => gone === 1_100), `${gone} of 1100 sockets went`);
  await keptNothing(before, 1_000);
  equal([signaling.state, signaling.stats().connects], ['open', 1_101]);
}

export async function hundreds_of_connections_by_each_protocol() {
  const envelope = (protocol, channel, message, /** @type {unknown} */ sender = OTHER) =>
    servers[protocol].wrap(frame(channel, message, sender));
  const control = {
    'websocket': [],
    'socket.io': ['2', '6', '421["other"]', '0{}', '3'],
    'signalr': [
      `{"type":6}${END}`,
      `{"type":1,"invocationId":"1","target":"other","arguments":[]}${END}`,
      '{"type"',
      `:6}${END}`,
    ],
    'signalr-classic': ['{}', '{"I":"1"}', '{"C":"d-2","M":[],"G":"g"}', '{"I":"1","E":"no"}'],
  };
  for (const protocol of Object.keys(servers)) {
    let gone = 0;
    const registry = new FinalizationRegistry(() => {
      gone += 1;
    });
    const credential =
      protocol === 'socket.io'
        ? { auth: async () => ({ token: 'é' }) }
        : protocol === 'websocket'
          ? {}
          : { accessToken: async () => 'token' };
    let connections = 0;
    const { signaling, handle } = await connectedBy(protocol, {
      ...credential,
      onerror() {},
      onframe() {},
      reconnect: { base: 1, cap: 1 },
    });
    const live = async (rounds) => {
      for (let round = 0; round < rounds; round += 1) {
        const socket = sockets.at(-1);
        handle.send({ round });
        socket.deliver(
          envelope(protocol, 'room', { round }),
          envelope(protocol, 'other', round),
          envelope(protocol, 'room', round, signaling.userid),
          ...control[protocol],
          envelope(protocol, 'room', [round], 'peer "é"'),
          'bad',
          new ArrayBuffer(1),
        );
        socket.end();
        registry.register(socket, undefined);
        connections += 1;
        sockets.length = requests.length = 0;
        // A classic connection is resumed; every other time it is too late for that.
        clock.advance(1);
        await settled();
        if (protocol === 'signalr-classic' && requests.length === 0) sockets.at(-1).accept();
        else await servers[protocol].up();
        if (signaling.state !== 'open')
          throw new Error(`${protocol} is ${signaling.state} in round ${round}`);
        clock.advance(5_000);
      }
    };
    await live(100);
    ok(
      await collected(() => gone >= connections - 1),
      `${protocol}: ${gone} of ${connections} sockets went`,
    );
    const before = await held();
    await live(600);
    ok(
      await collected(() => gone >= connections - 1),
      `${protocol}: ${gone} of ${connections} sockets went`,
    );
    await keptNothing(before, 600);
    equal(signaling.stats().connects, connections + 1, protocol);
    signaling.close();
  }
}

export async function hundreds_of_attempts_that_fail() {
  const lost = (socket) => {
    socket.end();
  };
  const cyclic = {};
  cyclic.self = cyclic;
  const failures = {
    'requests without an answer': [{ protocol: 'signalr' }, () => requests.at(-1).fail()],
    'requests with a bad answer': [
      { protocol: 'signalr' },
      () => requests.at(-1).answer('<html>', 503),
    ],
    // When one attempt is given up, the next may have begun already.
    'answers that never end': [
      { protocol: 'signalr' },
      () => {
        requests.at(-1)?.begin(200);
        clock.advance(10_001);
      },
    ],
    'no answer': [{ protocol: 'signalr-classic' }, () => clock.advance(10_001)],
    'sockets that are not let in': [{ protocol: 'socket.io' }, () => lost(sockets.at(-1))],
    'sockets that are lost in the talk': [
      { protocol: 'socket.io' },
      () => {
        sockets.at(-1).accept().deliver(GREETING_4);
        lost(sockets.at(-1));
      },
    ],
    'credentials that throw': [
      {
        protocol: 'socket.io',
        auth: () => {
          throw new Error('mine');
        },
      },
      () => {},
    ],
    'credentials that are rejected': [
      { protocol: 'signalr', accessToken: () => Promise.reject(new Error('mine')) },
      () => {},
    ],
    'credentials of no use': [{ protocol: 'socket.io', auth: () => cyclic }, () => {}],
    'transports that throw in open': [
      {
        transport: {
          open() {
            throw new Error('mine');
          },
          send() {},
        },
      },
      () => {},
    ],
    // The second time, the message is given up, and all is well until the next.
    'transports that throw in send': [
      {
        transport: {
          send() {
            throw new Error('mine');
          },
          close() {},
        },
      },
      (signaling, handle) => {
        if (signaling.state === 'open') handle.send('another');
      },
    ],
    'transports that end at once': [
      {
        transport: {
          open() {
            this.onclose('no');
          },
          send() {},
        },
      },
      () => {},
    ],
  };
  for (const [name, [options, provoke]] of Object.entries(failures)) {
    const signaling = new Signaling({
      url: 'https://server.test/',
      ...options,
      reconnect: { base: 1, cap: 1 },
    });
    const handle = signaling.openSocket({});
    handle.send('waits');
    let attempts = 0;
    signaling.onstatechange = (state) => {
      if (state === 'connecting') attempts += 1;
    };
    const fail = async (rounds) => {
      for (let round = 0; round < rounds; round += 1) {
        await settled();
        untyped(provoke)(signaling, handle);
        await settled();
        if (signaling.state !== 'waiting' && signaling.state !== 'connecting')
          throw new Error(`${name}: ${signaling.state}`);
        sockets.length = requests.length = 0;
        clock.advance(1);
      }
    };
    await fail(100);
    await collect();
    const before = await held();
    const made = attempts;
    await fail(400);
    await collect();
    ok(attempts - made >= 350, `${name}: ${attempts - made} attempts`);
    await keptNothing(before, 400);
    const { queued, dropped } = signaling.stats();
    ok(
      name === 'transports that throw in send'
        ? dropped > 200 && queued <= 1
        : dropped === 0 && queued === 1,
      `${name}: ${queued} queued, ${dropped} dropped`,
    );
    signaling.close();
  }
}

export async function transports_that_hand_over_anything() {
  const transport = new FakeTransport();
  const mine = new Error('mine');
  transport.onopening = () => transport.onopen();
  transport.onclosing = () => {
    throw mine;
  };
  const signaling = new Signaling({ transport, onerror() {}, reconnect: { base: 1, cap: 1 } });
  const handle = signaling.openSocket({
    channel: 'room',
    onmessage() {
      throw mine;
    },
  });
  const live = (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      for (const odd of [
        undefined,
        null,
        round,
        Symbol('s'),
        [round],
        { length: 5 },
        new Uint8Array(4),
        {
          get length() {
            throw mine;
          },
        },
        'bad',
        frame('room', round),
      ])
        transport.onmessage(odd);
      handle.send(round);
      transport.texts.length = 0;
      transport.onclose(round % 2 ? 'why' : undefined);
      clock.advance(1);
      clock.advance(5_000);
      reported();
    }
  };
  await inParts(200, 200, live);
  const before = await held();
  await inParts(2_000, 200, live);
  await keptNothing(before, 2_000);
  equal([signaling.stats().connects, signaling.stats().sent], [2_201, 2_200]);
  signaling.close();
  equal(reported(), [mine]);
}

/** They own the signaling, and it has them. */
export async function hundreds_of_signalings_that_their_options_own() {
  const live = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const transport = {
        open() {
          this.onopen();
        },
        send() {},
        large: new Uint8Array(100),
      };
      const signaling = new Signaling({ transport, accessToken: () => `${signaling.userid} is a token` });
      const url = () => `ws://server.test/${other.userid}`;
      const other = new Signaling({ url, protocol: 'websocket' });
      for (const one of [signaling, other]) one.openSocket({ channel: 'room' }).send(1);
      await settled();
      for (const one of [signaling, other]) one.close();
      sockets.length = 0;
    }
  };
  await live(50);
  await keepsNothing(500, () => inParts(500, 100, live));
}

export async function hundreds_of_addresses_that_are_asked_for() {
  const answers = [
    () => 'ws://server.test/',
    async () => new URL('ws://server.test/x'),
    () => {
      throw new Error('mine');
    },
    () => Promise.reject(new Error('mine')),
    () => 5,
    async () => 'ftp://server.test/',
  ];
  let asked = 0;
  const signaling = new Signaling({
    url: () => answers[(asked += 1) % answers.length](),
    reconnect: { base: 1, cap: 1 },
    onerror() {},
  });
  signaling.openSocket({});
  const live = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      await settled();
      if (sockets.length > 0) sockets.pop().accept().end();
      sockets.length = 0;
      if (signaling.state !== 'waiting') throw new Error(signaling.state);
      clock.advance(1);
    }
  };
  await live(300);
  await collect();
  const before = await held();
  const made = asked;
  await live(1_200);
  await collect();
  ok(asked - made === 1_200, `${asked - made} were asked for`);
  await keptNothing(before, 1_200);
}

// The listeners for the page's events refer to the signaling, so they must be removed with it.
export async function hundreds_of_signalings_that_listened_to_the_page() {
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const endings = [
    ({ signaling }) => signaling.close(),
    ({ signaling }) => {
      pageEvents.pagehide();
      signaling.close();
    },
    ({ signaling }) => {
      pageEvents.pagehide();
      pageEvents.pageshow();
      signaling.close();
    },
    () => {
      pageEvents.offline();
      sockets.at(-1).end(4500);
    },
    ({ signaling, handle }) => {
      handle.send(1);
      sockets.at(-1).end();
      pageEvents.online();
      signaling.close();
    },
  ];
  const live = (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const one = joined();
      registry.register(one.signaling, undefined);
      registry.register(one.config, undefined);
      endings[round % endings.length](one);
      if (one.signaling.state !== 'closed') throw new Error(one.signaling.state);
      sockets.length = 0;
    }
  };
  let all = 0;
  const hundred = async () => {
    live(100);
    all += 100;
    ok(await collected(() => gone === all * 2), `${gone} of ${all * 2} went`);
  };
  for (let part = 0; part < 5; part += 1) await hundred();
  await keepsNothing(800, async () => {
    for (let part = 0; part < 8; part += 1) await hundred();
  });
  equal(clock.timers, 0);
}
