// Transports, objects of the page that carry frames in place of a WebSocket: how they open.
//
// What's tested
// * no `open`, an `open` that calls back at once, one that calls back later; one that throws or
//   rejects
// * frames before it is open; transports that can't take handlers
// * another protocol than the plain one over a transport

import {
  clock,
  END,
  equal,
  FakeSocket,
  FakeTransport,
  frame,
  GREETING_4,
  isOurs,
  messages,
  Notes,
  noting,
  ok,
  refused,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function one_without_open_is_open_from_the_start() {
  const states = [];
  const { notes, config } = noting({ channel: 'room' });
  const sent = [];
  const transport = {
    send: (text) => {
      sent.push(text);
    },
  };
  const signaling = new Signaling({
    transport,
    onstatechange: (state, { reason }) => states.push([state, reason]),
  });
  equal(
    [signaling.state, transport.onmessage, transport.onopen],
    ['idle', undefined, undefined],
    'nothing is done before the first channel',
  );
  const handle = signaling.openSocket(config);
  equal(states, [
    ['connecting', 'the first channel was opened'],
    ['open', 'connected'],
  ]);
  equal(sockets.length, 0);
  handle.send({ a: 1 });
  equal(sent, [JSON.stringify({ sender: signaling.userid, channel: 'room', message: { a: 1 } })]);
  transport.onmessage(frame('room', 2));
  transport.onmessage(frame('other', 3));
  transport.onmessage(sent[0]);
  transport.onmessage('{"message":4,"channel":"room"}');
  equal(notes.take(), [
    ['onmessage', 2],
    ['onmessage', 4],
  ]);
  const { sentBytes, receivedBytes, ...counted } = signaling.stats();
  equal([sentBytes, receivedBytes > sentBytes], [sent[0].length, true]);
  equal(counted, {
    sent: 1,
    received: 4,
    delivered: 2,
    own: 1,
    foreign: 1,
    bad: 0,
    control: 0,
    dropped: 0,
    gaps: 0,
    queued: 0,
    queuedBytes: 0,
    channels: 1,
    connects: 1,
    reconnects: 0,
    relay: false,
    roundTrip: undefined,
    protocol: 'websocket',
  });
  clock.advance(1000);
  equal(notes.take(), [['onopen']]);
  signaling.close();
  equal(signaling.state, 'closed', 'and there is no close to call');
}

export function one_that_opens_at_once_or_later() {
  const heard = [];
  for (const when of ['at once', 'later']) {
    const transport = new FakeTransport();
    transport.onopening = () => {
      equal(
        [typeof transport.onopen, typeof transport.onmessage, typeof transport.onclose],
        ['function', 'function', 'function'],
        'the handlers are there before open',
      );
      if (when === 'at once') transport.onopen();
    };
    const signaling = new Signaling({ transport, onstatechange: (state) => heard.push(state) });
    const handle = signaling.openSocket({});
    handle.send(1);
    if (when === 'later') {
      handle.send(2);
      equal([signaling.state, transport.texts, signaling.stats().queued], ['connecting', [], 2]);
      transport.onopen();
      // A second call says nothing new.
      transport.onopen();
    }
    equal(
      [transport.openings, transport.closings, transport.texts.length, signaling.stats().connects],
      [1, 0, when === 'later' ? 2 : 1, 1],
    );
    equal(heard.splice(0), ['connecting', 'open']);
    signaling.close();
    equal(transport.closings, 1);
    equal(heard.splice(0), ['closed']);
  }
}

export function methods_are_called_as_methods() {
  class Mine {
    #texts = [];
    open() {
      untyped(this).onopen();
    }
    send(text) {
      this.#texts.push(text);
    }
    close() {
      this.#texts.push('closed');
    }
    get texts() {
      return this.#texts;
    }
  }
  const transport = new Mine();
  const signaling = new Signaling({ transport });
  signaling.openSocket({ channel: 'room' }).send(1);
  signaling.close();
  equal(transport.texts.length, 2);
  // Handlers are plain functions, and may be taken off.
  const other = new Mine();
  const { notes, config } = noting();
  new Signaling({ transport: other, channel: 'room' }).openSocket(config);
  const { onmessage } = untyped(other);
  onmessage(frame('room', 1));
  equal(notes.take(), [['onmessage', 1]]);
}

export function an_open_that_throws_is_tried_again() {
  const notes = new Notes();
  const transport = new FakeTransport();
  transport.onopening = () => {
    throw new Error('no cable');
  };
  const signaling = new Signaling({
    transport,
    reconnect: { attempts: 2 },
    onstatechange: notes.taker('onstatechange'),
    onerror: notes.taker('onerror'),
  });
  const handle = signaling.openSocket({});
  handle.send('waits');
  const calls = notes.take();
  equal(
    calls.map(([, state]) => state),
    ['connecting', 'waiting'],
  );
  ok(calls[1][2].reason.includes('no cable'), calls[1][2].reason);
  clock.advance(clock.next);
  equal(transport.openings, 2);
  transport.onopening = () => transport.onopen();
  clock.advance(1000);
  equal(
    [transport.openings, signaling.state, JSON.parse(transport.texts[0]).message],
    [3, 'open', 'waits'],
  );
  clock.advance(5000);
  // If it throws after `onopen`, it isn't open.
  transport.onopening = () => {
    transport.onopen();
    throw new Error('no cable');
  };
  transport.onclose();
  notes.take();
  clock.advance(clock.next);
  equal(
    [signaling.state, notes.take().map(([, state]) => state)],
    ['waiting', ['connecting', 'open', 'waiting']],
  );
  clock.advance(2000);
  const [failed] = notes.take().filter(([name]) => name === 'onerror');
  isOurs(failed[1], 'connection-failed', 'no cable');
  equal(signaling.state, 'closed');
}

export async function an_open_that_rejects_is_tried_again() {
  const states = [];
  const transport = new FakeTransport();
  let asked = 0;
  transport.open = async () => {
    asked += 1;
    if (asked === 1) throw new Error('no cable');
    transport.onopen();
  };
  const signaling = new Signaling({
    transport,
    onstatechange: (state, { reason }) => states.push([state, reason]),
  });
  const handle = signaling.openSocket({});
  handle.send('waits');
  await settled();
  equal(
    states.map(([state]) => state),
    ['connecting', 'waiting'],
  );
  ok(states[1][1].includes('no cable'), states[1][1]);
  clock.advance(5000);
  await settled();
  equal(
    [asked, signaling.state, transport.texts.map((text) => JSON.parse(text).message)],
    [2, 'open', ['waits']],
  );
  // The outcome of an earlier connection's `open` is ignored.
  let reject;
  transport.open = () =>
    new Promise((_, rejects) => {
      reject = rejects;
    });
  transport.onclose();
  clock.advance(5000);
  equal(signaling.state, 'connecting');
  const late = reject;
  transport.open = async () => transport.onopen();
  transport.onclose('again');
  clock.advance(5000);
  await settled();
  equal(signaling.state, 'open');
  late(new Error('long gone'));
  await settled();
  equal(signaling.state, 'open');
  signaling.close();
}

export function messages_before_it_is_open() {
  // Some servers send before they accept anything.
  const { notes, config } = noting({ channel: 'room' });
  const transport = new FakeTransport();
  const signaling = new Signaling({ transport });
  const handle = signaling.openSocket(config);
  transport.onmessage(frame('room', 'early'));
  equal([notes.take(), signaling.state], [[['onmessage', 'early']], 'connecting']);
  handle.send(1);
  transport.onopen();
  equal(transport.texts.length, 1);
}

export function frames_that_are_no_strings() {
  const frames = [];
  const { notes, config } = noting({ channel: 'room' });
  const transport = new FakeTransport();
  const errors = new Notes();
  const signaling = new Signaling({
    transport,
    onerror: errors.taker('onerror'),
    onframe: (kind, data) => frames.push([kind, data]),
  });
  const handle = signaling.openSocket(config);
  transport.onopen();
  const odd = [
    undefined,
    null,
    5,
    true,
    Symbol('s'),
    5n,
    {},
    { sender: 17, channel: 'room', message: 1 },
    [],
    [1, 2, 3],
    ['{"channel":"room","message":1}'],
    { length: 5 },
    { length: 5, slice: () => 5 },
    new ArrayBuffer(8),
    new Uint8Array(8),
    new Blob(['{}']),
    () => 1,
    Math.max,
    Object('{"channel":"room","message":1}'),
    {
      get length() {
        throw new Error('mine');
      },
    },
  ];
  for (const data of odd) {
    transport.onmessage(data);
  }
  equal(notes.take(), []);
  equal(signaling.stats().bad, odd.length);
  equal(
    frames,
    odd.map((data) => ['bad', data]),
  );
  equal(errors.take().length, 1, 'told of once');
  transport.onmessage(frame('room', 'goes on'));
  handle.send(1);
  equal(
    [notes.take(), transport.texts.length, signaling.state],
    [[['onmessage', 'goes on']], 1, 'open'],
  );
}

export async function it_carries_any_protocol() {
  const talks = {
    'socket.io': [GREETING_4, '40{"sid":"x"}'],
    'signalr': [`{}${END}`],
    'websocket': [],
  };
  for (const [protocol, talk] of Object.entries(talks)) {
    const { notes, config } = noting({ channel: 'room' });
    const transport = new FakeTransport();
    const signaling = new Signaling({ transport, protocol });
    const handle = signaling.openSocket(config);
    handle.send('waits');
    await settled();
    transport.onopen();
    talk.forEach((text) => transport.onmessage(text));
    equal([signaling.state, requests.length, sockets.length], ['open', 0, 0], protocol);
    transport.onmessage(servers[protocol].wrap(frame('room', 1)));
    equal(notes.take(), [['onmessage', 1]], protocol);
    equal(servers[protocol].unwrap(transport.texts.at(-1)).message, 'waits', protocol);
    signaling.close();
  }
}

export function one_that_takes_no_handlers_is_refused() {
  // No event of it could ever arrive.
  for (const transport of [
    Object.freeze({ send() {} }),
    Object.preventExtensions({ send() {} }),
    new Proxy({ send() {} }, { set: () => false }),
    new Proxy(
      { send() {} },
      {
        set() {
          throw new Error('mine');
        },
      },
    ),
  ]) {
    refused(
      () => new Signaling({ transport }),
      'bad-option',
      'transport',
      'an object',
      'onmessage',
    );
  }
}

export function a_ready_state_that_isnt_open() {
  // A page's own WebSocket, wrapped or as it is, has a state in which `send` throws nothing and
  // sends nothing.
  const socket = new FakeSocket('ws://own.test/');
  const transport = Object.assign(socket, { open() {} });
  const signaling = new Signaling({ transport });
  const handle = signaling.openSocket({});
  handle.send(1);
  socket.accept();
  equal(messages(socket), [1]);
  socket.sink();
  handle.send(2);
  equal([signaling.state, signaling.stats().queued, socket.swallowed], ['waiting', 1, []]);
}
