// Our relay, as long as a connection to it lasts: each frame byte for byte, acknowledgements,
// channels, heartbeats.
//
// What's tested
// * what the page sends: `open`, `close`, messages with their refs, answers to pings; with awkward
//   names, and in which order
// * channels opened and closed before the hello, before the answer to it, and later
// * envelopes before the answer are ignored, and those after it delivered, both by their heads and
//   parsed as a whole
// * a message waits until it is acknowledged, and counts towards the outbox's bounds;
//   acknowledgements of anything else
// * gaps that the relay reports; frames that mean nothing
// * heartbeats: a silent relay is given up, one that sends is not; the round trip

import {
  ack,
  clock,
  comeBack,
  connected,
  equal,
  frame,
  greet,
  hello,
  isOurs,
  joined,
  kept,
  nextSocket,
  Notes,
  noting,
  ok,
  refs,
  refused,
  reported,
  SECRET,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function what_the_page_says() {
  const { signaling, handle, socket } = joined();
  equal(
    socket.frames,
    ['{"open":["room"],"after":{}}', '{"ping":1}'],
    'a ping, to know how long it takes',
  );
  handle.send({ a: 'é"' });
  handle.send(null);
  const other = signaling.openSocket({ channel: 'other' });
  other.send(3);
  other.close();
  const { userid } = signaling;
  equal(socket.frames.slice(2), [
    `{"sender":${userid},"channel":"room","ref":1,"message":{"a":"é\\""}}`,
    `{"sender":${userid},"channel":"room","ref":2,"message":null}`,
    '{"open":["other"],"after":{}}',
    `{"sender":${userid},"channel":"other","ref":3,"message":3}`,
    '{"close":["other"]}',
  ]);
  socket.frames.length = 0;
  socket.deliver('{"ping":25000}', '{"ping":0}', '{"ping":9007199254740991}');
  equal(socket.frames, ['{"pong":25000}', '{"pong":0}', '{"pong":9007199254740991}']);
}

export function awkward_names() {
  const names = [
    '',
    'quo"te',
    'back\\slash',
    'é😀',
    '\u0000\n\u007f\u2028',
    '__proto__',
    'x'.repeat(5000),
    '5',
    'constructor',
    '"],"after":{"a":"1"},"session":"s',
  ];
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  const handles = names.map((channel) =>
    signaling.openSocket({ channel, onmessage: notes.taker(channel) }),
  );
  const real = handles.map(({ channel }) => channel);
  const socket = greet();
  const opened = JSON.parse(socket.frames[0]);
  equal([Object.keys(opened), Object.keys(opened.after)], [['open', 'after'], []]);
  // The first is the default channel, which has those without a channel, too.
  equal([...opened.open].sort(), [...new Set([...real, 'undefined'])].sort());
  equal(socket.frames[0], JSON.stringify(opened), 'as JSON.stringify writes it');
  // Each channel gets messages, and is then opened again, after the last of them.
  real.forEach((channel, at) => socket.deliver(kept(channel, at, `id "${at}" \\ é`)));
  equal(
    notes.take().map(([, message]) => message),
    [...real.keys()],
  );
  const next = comeBack(socket).accept();
  next.deliver(hello());
  const again = JSON.parse(next.frames[0]);
  equal([again.session, [...again.open].sort()], [SECRET, [...opened.open].sort()]);
  equal(Object.entries(again.after).length, real.length);
  real.forEach((channel, at) =>
    equal(again.after[channel], `id "${at}" \\ é`, channel.slice(0, 20)),
  );
}

export function channels_before_the_answer() {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  const open = (channel) => signaling.openSocket({ channel });
  const [a, b] = ['a', 'b'].map(open);
  const socket = sockets[0];
  a.close();
  const c = open('c');
  socket.accept();
  const d = open('d');
  c.close();
  equal(socket.frames, [], 'nothing before the hello');
  socket.deliver(hello());
  equal(socket.frames, ['{"open":["b","d"],"after":{}}']);
  // While the answer is on its way.
  const e = open('e');
  d.close();
  e.send('waits');
  equal(socket.frames.slice(1), ['{"open":["e"],"after":{}}', '{"close":["d"]}']);
  socket.deliver(ack(0), ack(0));
  equal(refs(socket), [[1, 'waits']]);
  socket.frames.length = 0;
  // Opened again and again: the relay is subscribed already.
  const again = open('b');
  open('b');
  again.close();
  b.close();
  equal(socket.frames, []);
  open('b').close();
  equal(socket.frames, ['{"close":["b"]}']);
  open('b');
  equal(socket.frames.slice(1), ['{"open":["b"],"after":{}}']);
}

export function envelopes_before_the_answer() {
  const { notes, config } = noting({ channel: 'room', onopen: null });
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  signaling.openSocket(config);
  const socket = sockets[0].accept();
  socket.deliver(hello());
  const early = [
    kept('room', 'early', '5'),
    frame('room', 'early'),
    '{ "channel": "room", "id": "6", "message": "early" }',
    '{"id":"7","message":"early","channel":"room","sender":17}',
  ];
  const all = early.map(() => ['onmessage', 'early']);
  // The page is connected, and a new session replays nothing.
  socket.deliver(...early);
  equal([notes.take(), signaling.state], [all, 'open']);
  // Their ids weren't recorded. In a session that is resumed they come again behind the answer.
  const next = comeBack(socket).accept();
  next.deliver(hello());
  equal(next.frames, [`{"open":["room"],"after":{},"session":"${SECRET}"}`]);
  next.deliver(...early);
  equal(notes.take(), []);
  next.deliver(ack(0), ...early);
  equal(notes.take(), all);
  equal([signaling.stats().delivered, signaling.stats().foreign, signaling.stats().bad], [8, 0, 0]);
}

export function messages_come_with_ids_and_without() {
  const { signaling, socket, notes } = joined({}, { onopen: null });
  const values = [1, 'text', null, { message: { id: '5', channel: 'x' } }, ['",'], '"}'];
  for (const value of values) {
    socket.deliver(
      kept('room', value, '1'),
      frame('room', value),
      JSON.stringify({ message: value, id: '2', channel: 'room', sender: 'é' }),
      ` ${kept('room', value, '1')} `,
    );
  }
  equal(
    notes.take(),
    values.flatMap((value) => Array(4).fill(['onmessage', value])),
  );
  socket.deliver(
    kept('foreign', 1, '3'),
    kept('room', 1, '4', signaling.userid),
    kept('roo', 1, '5'),
    kept(`room${'m'.repeat(500)}`, 1, '6'),
  );
  equal([notes.take(), signaling.stats().own, signaling.stats().foreign], [[], 1, 3]);
  // An id is a text of any length and look.
  for (const id of ['', '0', '18446744073709551615', 'x'.repeat(100), '\\"é', '1-0'])
    socket.deliver(kept('room', id, id));
  equal(
    notes.take().map(([, message]) => message),
    ['', '0', '18446744073709551615', 'x'.repeat(100), '\\"é', '1-0'],
  );
  // An id that is no text is ignored.
  for (const id of [5, null, {}, true])
    socket.deliver(JSON.stringify({ sender: 17, channel: 'room', id, message: 'still' }));
  equal(notes.take(), Array(4).fill(['onmessage', 'still']));
  const next = comeBack(socket).accept();
  next.deliver(hello());
  equal(JSON.parse(next.frames[0]).after, { room: '1-0' });
}

export function a_message_waits_until_it_is_acknowledged() {
  const { signaling, handle, socket } = joined({ outbox: { messages: 5, bytes: 100, overflow: 'throw' } });
  const waits = () => [signaling.stats().queued, signaling.stats().queuedBytes];
  for (let message = 1; message <= 5; message += 1) handle.send(message);
  equal([refs(socket).length, signaling.stats().sent, ...waits()], [5, 5, 5, 10]);
  refused(() => handle.send(6), 'outbox-full', '5 of 5 messages', '10 of 100 bytes');
  socket.deliver(ack(3));
  equal(waits(), [2, 4]);
  refused(() => handle.send('x'.repeat(60)), 'outbox-full', '2 of 5 messages', '4 of 100 bytes');
  handle.send(6);
  equal(refs(socket).at(-1), [6, 6], 'what was refused takes no ref');
  // Again, and less: nothing new.
  socket.deliver(ack(3), ack(1), ack(0));
  equal(waits(), [3, 6]);
  socket.deliver(ack(6));
  equal(waits(), [0, 0]);
  equal([signaling.stats().sent, signaling.stats().dropped, signaling.state], [6, 0, 'open']);
}

export function acknowledgements_of_anything_else() {
  for (const given of [
    '-1',
    '-1e300',
    '"3"',
    'null',
    'true',
    '[3]',
    '{"a":3}',
    '""',
    '0.5',
    '1e300',
    '1e999',
    '18446744073709551616',
  ]) {
    const { signaling, handle, socket } = joined();
    [1, 2, 3].forEach((message) => handle.send(message));
    socket.deliver(`{"ack":${given}}`);
    equal([signaling.stats().queued, signaling.state], [3, 'open'], given);
    signaling.close();
  }
  // More than was sent: another page has forged it.
  for (const given of ['4', '9007199254740991', '9999999999999999']) {
    const { signaling, handle, socket } = joined();
    [1, 2, 3].forEach((message) => handle.send(message));
    socket.deliver(ack(given));
    equal([signaling.stats().queued, signaling.stats().bad], [3, 1], given);
    const next = comeBack(socket);
    handle.send(4);
    next.accept().deliver(hello(), `{"ack":3}`, ack(3, 'x'), ack(given), '{"gap":"room"}');
    equal([signaling.state, signaling.stats().queued], ['connecting', 4], given);
    next.deliver(ack(3));
    equal([refs(next), signaling.stats().queued, signaling.stats().gaps], [[[4, 4]], 1, 0], given);
    signaling.close();
  }
}

export function gaps_are_told() {
  const notes = new Notes();
  const { signaling, socket, notes: channel } = joined({ ongap: notes.taker('ongap') });
  signaling.openSocket({ channel: 'other' });
  socket.deliver('{"gap":"room"}');
  equal([notes.targets, notes.calls], [[signaling], [['ongap', 'room']]]);
  notes.take();
  socket.deliver(
    '{"gap":"room"}',
    '{"gap":"other"}',
    '{"gap":"foreign"}',
    '{"gap":5}',
    '{"gap":null}',
    '{"gap":["room"]}',
    '{"gap":""}',
  );
  equal(
    [notes.take(), signaling.stats().gaps],
    [
      [
        ['ongap', 'room'],
        ['ongap', 'other'],
      ],
      3,
    ],
  );
  // The handler is a property, may send, may close.
  signaling.ongap = (name) => {
    notes.taker('mine')(name);
    signaling.close();
  };
  socket.deliver('{"gap":"room"}');
  equal([notes.take(), signaling.state], [[['mine', 'room']], 'closed']);
  // No handler need be set.
  const silent = joined();
  silent.socket.deliver('{"gap":"room"}', kept('room', 1, '1'));
  equal([silent.signaling.stats().gaps, silent.notes.take()], [1, [['onmessage', 1]]]);
  untyped(silent.signaling).ongap = 5;
  silent.socket.deliver('{"gap":"room"}');
  isOurs(reported()[0], 'bad-config', 'ongap', '5');
  equal(channel.take(), []);
}

export function frames_that_mean_nothing() {
  const errors = new Notes();
  const { signaling, handle, socket, notes } = joined(
    { onerror: errors.taker('onerror') },
    { onopen: null },
  );
  socket.frames.length = 0;
  handle.send('waits');
  const nothing = [
    '{"signal":1,"session":"x","epoch":"another"}',
    '{}',
    '{"ack":null}',
    '{"ping":null}',
    '{"ping":"5"}',
    '{"open":["room"]}',
    '{"close":["room"]}',
    '{"session":"x"}',
    '{"new":1}',
  ];
  socket.deliver(...nothing);
  equal(
    [refs(socket), socket.frames.length, signaling.stats().queued, signaling.state, errors.calls],
    [[[1, 'waits']], 1, 1, 'open', []],
  );
  socket.deliver(kept('room', 'still', '1'));
  equal(notes.take(), [['onmessage', 'still']]);
  // Bad frames count as bad, as ever.
  socket.deliver(
    'bad',
    '[]',
    '5',
    'null',
    new ArrayBuffer(1),
    '{"sender":17,"channel":"room","id":"2","message":}',
    '{"sender":17,"channel":"room","id":"3","message":1}}',
  );
  equal([notes.take(), errors.calls.length, signaling.state], [[], 1, 'open']);
  isOurs(errors.calls[0][1], 'bad-frame');
  ok(signaling.stats().bad >= 4, `${signaling.stats().bad} are bad`);
}

export function a_silent_relay_is_given_up() {
  const states = [];
  const { signaling, handle, socket } = joined(
    { onstatechange: (state, { reason }) => states.push([state, reason]) },
    {},
    { ping: 25_000 },
  );
  states.length = 0;
  handle.send('waits');
  clock.advance(34_999);
  equal(signaling.state, 'open');
  clock.advance(1);
  equal(states, [['waiting', 'the server fell silent']]);
  ok(!socket.isHeard && socket.closings === 1, 'the socket is closed and ignored at once');
  equal(socket.frames.filter((text) => text === '{"ping":1}').length, 2, 'it was asked in between');
  nextSocket();
  equal(refs(greet()), [[1, 'waits']]);
  // Any frame is a sign of life.
  const signs = [
    '{"ping":25000}',
    '{"pong":1}',
    ack(1),
    kept('room', 1, '1'),
    kept('foreign', 1, '2'),
    'bad',
    ' '.repeat(3),
    '{"new":1}',
    '{"gap":"foreign"}',
    frame('room', 1, signaling.userid),
  ];
  for (const sign of signs) {
    clock.advance(34_999);
    equal(signaling.state, 'open', sign);
    sockets.at(-1).deliver(sign);
  }
  clock.advance(35_000);
  equal(signaling.state, 'waiting');
}

export function how_often_a_relay_says_it_is_there() {
  const patience = (ping) => {
    const { signaling } = joined({}, {}, { ping });
    let waited = 0;
    while (signaling.state === 'open' && waited < 200_000) {
      clock.advance(500);
      waited += 500;
    }
    signaling.close();
    return waited;
  };
  equal([1_000, 5_000, 25_000, 60_000].map(patience), [11_000, 15_000, 35_000, 70_000]);
  // A senseless interval counts as the least sensible one.
  equal([0, -5, null, '25000', NaN, 1e300].map(patience), Array(6).fill(11_000));
  ok(patience(Number.MAX_SAFE_INTEGER) >= 200_000, 'for ever');
}

export function the_round_trip() {
  const { signaling, socket } = joined();
  equal(signaling.stats().roundTrip, undefined, 'not yet');
  clock.advance(42.5);
  socket.deliver('{"pong":1}');
  equal(signaling.stats().roundTrip, 42.5);
  clock.advance(24_957.5);
  equal(socket.frames.at(-1), '{"ping":1}');
  clock.advance(7);
  equal(signaling.stats().roundTrip, 42.5, 'the last one');
  socket.deliver('{"pong":1}');
  equal(signaling.stats().roundTrip, 7);
  const plain = connected();
  plain.socket.deliver('{"pong":1}');
  equal(plain.signaling.stats().roundTrip, undefined);
}
