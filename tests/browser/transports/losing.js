// Transports that fail: each failure ends the connection once and loses no message.
//
// What's tested
// * a `send` and a `close` that throw; an `onclose` with words and without
// * handlers called late, after a loss and after `close`, and from inside `send`

import {
  clock,
  equal,
  FakeTransport,
  frame,
  isOurs,
  Notes,
  noting,
  ok,
  OTHER,
  reported,
  Signaling,
  untyped,
} from '../support/index.js';

export function a_send_that_throws_loses_no_message() {
  const states = [];
  const transport = new FakeTransport();
  transport.onopening = () => transport.onopen();
  const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
  const handle = signaling.openSocket({});
  handle.send(1);
  transport.onsent = () => {
    throw new Error('broken pipe');
  };
  equal(handle.send(2), undefined, 'no error is reported: the message is kept');
  handle.send(3);
  equal(states, ['connecting', 'open', 'waiting']);
  equal([signaling.stats().sent, signaling.stats().queued, transport.closings], [1, 2, 1]);
  // The next connection takes the first of them, and then breaks, too.
  let taken = 0;
  transport.onsent = () => {
    taken += 1;
    if (taken === 2) throw new Error('broken pipe');
  };
  clock.advance(clock.next);
  equal([signaling.state, signaling.stats().queued], ['waiting', 1]);
  transport.onsent = null;
  clock.advance(1000);
  equal(
    transport.texts.map((text) => JSON.parse(text).message),
    [1, 2, 3],
  );
  equal(
    [
      signaling.stats().sent,
      signaling.stats().queued,
      signaling.stats().connects,
      transport.openings,
      transport.closings,
    ],
    [3, 0, 3, 3, 2],
  );
}

export function what_a_transport_throws_at_twice_is_given_up() {
  const notes = new Notes();
  const tried = [];
  const send = (text) => {
    const { message } = JSON.parse(text);
    tried.push(message);
    if (message === 'poison') throw new Error('never');
  };
  const signaling = new Signaling({ transport: { send }, onerror: notes.taker('onerror') });
  const handle = signaling.openSocket({ channel: 'room' });
  for (const message of ['before', 'poison', 'behind']) handle.send(message);
  clock.advance(60_000);
  equal(tried, ['before', 'poison', 'poison', 'behind']);
  equal(
    [signaling.state, signaling.stats().queued, signaling.stats().dropped, signaling.stats().sent],
    ['open', 0, 1, 2],
  );
  equal(notes.calls.length, 1);
  isOurs(notes.calls[0][1], 'message-given-up', "'room'", 'twice');
}

export function onclose_says_why_or_not() {
  const transport = new FakeTransport();
  let told;
  const signaling = new Signaling({
    transport,
    onstatechange: (state, detail) => {
      if (state === 'waiting') told = detail;
    },
  });
  signaling.openSocket({});
  const lose = (...values) => {
    told = null;
    transport.onclose(...values);
    clock.advance(told.retryIn + 1);
    equal(signaling.state, 'connecting');
    return told;
  };
  equal(Object.keys(lose()), ['reason', 'retryIn']);
  ok(
    lose('the subscription was cancelled').reason.includes('the subscription was cancelled'),
    told.reason,
  );
  transport.onopen();
  ok(lose().reason.includes('lost'), told.reason);
  for (const odd of [
    null,
    undefined,
    '',
    5,
    true,
    Symbol('s'),
    {},
    [],
    new Error('as an error'),
    () => 1,
    { reason: 5, code: 'x' },
  ]) {
    transport.onopen();
    ok(lose(odd).reason.length > 10, told.reason);
  }
  // An event of a WebSocket says its own.
  transport.onopen();
  equal(lose(new CloseEvent('close', { code: 4000, reason: 'told' })).code, 4000);
  transport.onopen();
  transport.onclose(new CloseEvent('close', { code: 4500, reason: 'told' }));
  equal([signaling.state, transport.closings], ['closed', transport.openings]);
}

export function late_calls_are_nobodys() {
  const { notes, config } = noting({ channel: 'room' });
  const transport = new FakeTransport();
  const states = [];
  const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
  signaling.openSocket(config);
  const call = ({ onopen, onmessage, onclose }) => {
    onmessage(frame('room', 'late'));
    onopen();
    onmessage(frame('room', 'late'));
    onclose('late');
  };
  const first = transport.handlers;
  transport.onopen();
  transport.onclose();
  states.length = 0;
  // Lost; the handlers it has are those of the lost connection.
  call(first);
  equal([states, signaling.state], [[], 'waiting']);
  clock.advance(500);
  ok(transport.onmessage !== first.onmessage, 'a new connection has new handlers');
  call(first);
  equal([states, signaling.state], [['connecting'], 'connecting']);
  const second = transport.handlers;
  transport.onopen();
  call(first);
  transport.onmessage(frame('room', 'in time'));
  equal([signaling.state, notes.take()], ['open', [['onmessage', 'in time']]]);
  equal(signaling.stats().received, 1);
  signaling.close();
  states.length = 0;
  call(first);
  call(second);
  call(transport.handlers);
  equal([states, notes.take(), signaling.state, signaling.stats().received], [[], [], 'closed', 1]);
  equal([transport.openings, transport.closings], [2, 2]);
}

export function a_send_that_calls_back() {
  // An echo from inside send, and an answer from inside that.
  const { notes, config } = noting({ channel: 'room' });
  const transport = new FakeTransport();
  transport.onopening = () => transport.onopen();
  const signaling = new Signaling({ transport });
  config.onmessage = (message) => {
    notes.taker('onmessage')(message);
    if (message < 5) handle.send(message + 1);
  };
  transport.onsent = (text) => {
    transport.onmessage(text);
    transport.onmessage(JSON.stringify({ ...JSON.parse(text), sender: OTHER }));
  };
  const handle = signaling.openSocket(config);
  handle.send(1);
  equal(
    notes.take(),
    [1, 2, 3, 4, 5].map((message) => ['onmessage', message]),
  );
  equal([signaling.stats().sent, signaling.stats().own, signaling.stats().delivered], [5, 5, 5]);
  signaling.close();

  // From inside the outbox: waiting messages go out before new ones.
  const order = [];
  const slow = new FakeTransport();
  const other = new Signaling({ transport: slow });
  const another = other.openSocket({});
  [1, 2, 3].forEach((message) => another.send(message));
  slow.onsent = (text) => {
    const { message } = JSON.parse(text);
    order.push(message);
    if (message < 3) another.send(message + 10);
  };
  slow.onopen();
  equal(order, [1, 2, 3, 11, 12]);
  equal([other.stats().sent, other.stats().queued], [5, 0]);
}

export function a_send_that_says_it_is_closed() {
  for (const throws of [true, false]) {
    const transport = new FakeTransport();
    const states = [];
    transport.onopening = () => transport.onopen();
    const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
    const handle = signaling.openSocket({});
    transport.onsent = () => {
      transport.onclose('gone');
      if (throws) throw new Error('gone');
    };
    handle.send(1);
    equal([states, transport.closings], [['connecting', 'open', 'waiting'], 1]);
    transport.onsent = null;
    clock.advance(500);
    handle.send(2);
    equal(
      transport.texts.map((text) => JSON.parse(text).message),
      [1, 2],
      'once, and in order',
    );
    signaling.close();
  }
}

export function closing_from_inside() {
  for (const inside of ['open', 'send', 'send, throwing', 'send to a lost one']) {
    const transport = new FakeTransport();
    const notes = new Notes();
    const signaling = new Signaling({
      transport,
      onerror: notes.taker('onerror'),
      onstatechange: (state) => notes.taker(state)(),
      ...(inside === 'send to a lost one' ? { reconnect: false } : {}),
    });
    transport.onopening = () => {
      transport.onopen();
      if (inside === 'open') signaling.close();
    };
    transport.onsent = () => {
      if (inside === 'send to a lost one') transport.onclose();
      else signaling.close();
      if (inside !== 'send') throw new Error('closed');
    };
    let handle;
    if (inside === 'open') {
      signaling.openSocket({});
    } else {
      handle = signaling.openSocket({});
      handle.send(1);
    }
    equal(
      [
        signaling.state,
        transport.openings,
        transport.closings,
        signaling.stats().queued,
        clock.timers,
      ],
      ['closed', 1, 1, 0, 0],
      inside,
    );
    equal(notes.take().at(-1), ['closed'], inside);
  }
}

export function a_close_that_throws_or_calls_back() {
  const transport = new FakeTransport();
  const mine = new Error('mine');
  transport.onclosing = ({ onclose }) => {
    onclose('by close');
    throw mine;
  };
  transport.onopening = () => transport.onopen();
  const states = [];
  const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
  signaling.openSocket({});
  transport.onclose();
  equal(reported(), [mine], 'as any handler of the page');
  clock.advance(500);
  signaling.close();
  equal(reported(), [mine]);
  equal(
    [states, transport.closings],
    [['connecting', 'open', 'waiting', 'connecting', 'open', 'closed'], 2],
  );
  const odd = new FakeTransport();
  untyped(odd).close = 'no function';
  const other = new Signaling({ transport: odd });
  other.openSocket({});
  other.close();
  isOurs(reported()[0], 'bad-config', 'close', "'no function'");
}
