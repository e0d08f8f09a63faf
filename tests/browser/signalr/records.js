// ASP.NET Core SignalR: from the first request to records, on the stand-in socket, clock and
// `fetch`.
//
// What's tested
// * from the first request to `open`, with and without negotiation; what is asked of `fetch`
// * records split across frames at every place, and packed into one; records of every type
// * heartbeats both ways; a silent server

import {
  clock,
  connectedBy,
  END,
  equal,
  frame,
  isOurs,
  NEGOTIATED,
  Notes,
  noting,
  ok,
  OTHER,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
} from '../support/index.js';

export async function from_the_first_request_to_open() {
  const frames = [];
  const states = [];
  const signaling = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    onframe: (...frame) => frames.push(frame),
    onstatechange: (state) => states.push(state),
  });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send(1);
  await settled();
  equal(
    requests.map(({ url, method, headers, rest }) => ({ url, method, headers, rest })),
    [
      {
        url: 'https://server.test/hub/negotiate?negotiateVersion=1',
        method: 'POST',
        headers: { 'X-Requested-With': 'XMLHttpRequest' },
        rest: { credentials: 'include' },
      },
    ],
  );
  requests[0].answer(NEGOTIATED);
  await settled();
  const [socket] = sockets;
  equal([sockets.length, socket.url], [1, 'wss://server.test/hub?id=to%2fk%2ben%3d']);
  socket.accept();
  equal(
    [socket.frames.splice(0), states],
    [[`{"protocol":"json","version":1}${END}`], ['connecting']],
  );
  socket.deliver(`{}${END}`);
  equal(states, ['connecting', 'open']);
  const envelope = frame('room', 1, signaling.userid);
  equal(socket.frames, [
    `{"type":1,"invocationId":"1","target":"Send","arguments":[${JSON.stringify(envelope)}]}${END}`,
  ]);
  handle.send(2);
  ok(socket.frames[1].includes('"invocationId":"2"'), 'each has a number of its own');
  socket.deliver(
    `{"type":3,"invocationId":"1"}${END}`,
    `{"type":3,"invocationId":"2","result":null}${END}`,
    `{"type":6}${END}`,
  );
  equal(frames.map(([kind]) => kind).filter((kind) => kind === 'sent').length, 2);
  const { control, bad, received } = signaling.stats();
  equal([control, bad, received], [4, 0, 4]);
  signaling.close();
  equal([socket.closings, requests.length], [1, 1]);
}

export async function other_targets_and_methods() {
  const { signaling, handle, socket, notes } = await connectedBy('signalr', {
    target: 'on"Message',
    method: 'Bröadcast',
  });
  handle.send(1);
  const sent = JSON.parse(socket.frames[0].replace(END, ''));
  equal([sent.target, JSON.parse(sent.arguments[0]).message], ['Bröadcast', 1]);
  const invoke = (target, ...values) =>
    JSON.stringify({ type: 1, target, arguments: values }) + END;
  socket.deliver(
    invoke('on"Message', frame('room', 1)),
    invoke('onMessage', frame('room', 2)),
    // As with SignalR's own client, capitals don't matter.
    invoke('ON"MESSAGE', frame('room', 3)),
    invoke('on"Message', frame('room', 4), 'and more', { a: 1 }),
  );
  equal(notes.take(), [
    ['onmessage', 1],
    ['onmessage', 3],
    ['onmessage', 4],
  ]);
  equal(signaling.stats().bad, 0);
}

export async function records_of_every_type() {
  const errors = new Notes();
  const { signaling, socket, notes } = await connectedBy('signalr', {
    onerror: errors.taker('onerror'),
  });
  const say = (value) => socket.deliver(JSON.stringify(value) + END);
  // The members of others' envelopes: an object instead of a text, and no sender, as the old pages
  // send it.
  say({
    type: 1,
    target: 'onMessageReceived',
    arguments: [{ sender: OTHER, channel: 'room', message: 1 }],
  });
  say({
    type: 1,
    target: 'onMessageReceived',
    arguments: [JSON.stringify({ message: 2, channel: 'room' })],
  });
  say({ target: 'onMessageReceived', arguments: [frame('room', 3)], type: 1, headers: {} });
  say({
    type: 1,
    headers: {},
    target: 'onMessageReceived',
    arguments: [frame('room', 4)],
    streamIds: [],
  });
  equal(
    notes.take(),
    [1, 2, 3, 4].map((message) => ['onmessage', message]),
  );
  // A hub that asks for an answer gets one.
  say({ type: 1, invocationId: '7', target: 'onMessageReceived', arguments: [frame('room', 5)] });
  say({ type: 1, invocationId: 'a"b', target: 'other', arguments: [] });
  equal(notes.take(), [['onmessage', 5]]);
  equal(
    socket.frames.map((text) => JSON.parse(text.replace(END, ''))),
    [
      { type: 3, invocationId: '7', result: null },
      { type: 3, invocationId: 'a"b', error: 'no such method' },
    ],
  );
  // The rest is ignored.
  for (const value of [
    { type: 2, invocationId: '1', item: 1 },
    { type: 3, invocationId: '1' },
    { type: 4 },
    { type: 5, invocationId: '1' },
    { type: 6 },
    { type: 8, sequenceId: 1 },
    { type: 99 },
    {},
    [],
    null,
    5,
    'text',
    { type: '7' },
    { type: 1 },
    { type: 1, arguments: 5 },
  ])
    say(value);
  equal([signaling.state, notes.take(), errors.take()], ['open', [], []]);
  // A message that the hub refuses is reported.
  say({ type: 3, invocationId: '1', error: "Unknown hub method 'Send'" });
  const [[, error]] = errors.take();
  isOurs(error, 'message-refused', "Unknown hub method 'Send'", 'method');
  equal(signaling.state, 'open');
  for (const values of [[], [5], [null], ['no JSON'], [['x']], ['[]']]) {
    const { bad } = signaling.stats();
    say({ type: 1, target: 'onMessageReceived', arguments: values });
    equal([signaling.stats().bad - bad, signaling.state], [1, 'open'], JSON.stringify(values));
  }
}

export async function records_split_at_every_place() {
  const { signaling, socket, notes, server } = await connectedBy('signalr');
  const stream =
    server.wrap(frame('room', 'é😀"')) +
    `{"type":6}${END}` +
    server.wrap(frame('other', 1)) +
    server.wrap('{"message":2,"channel":"room"}');
  const control = signaling.stats().control;
  let rounds = 0;
  const whole = (...parts) => {
    socket.deliver(...parts);
    rounds += 1;
    equal(
      notes.take(),
      [
        ['onmessage', 'é😀"'],
        ['onmessage', 2],
      ],
      JSON.stringify(parts),
    );
  };
  whole(stream);
  for (let at = 0; at <= stream.length; at += 1) {
    whole(stream.slice(0, at), stream.slice(at));
  }
  for (let length = 1; length < 20; length += 1) {
    whole(
      ...Array.from({ length: Math.ceil(stream.length / length) }, (_, part) =>
        stream.slice(part * length, (part + 1) * length),
      ),
    );
  }
  const { delivered, foreign, bad, control: now } = signaling.stats();
  equal([delivered, foreign, bad, now - control], [2 * rounds, rounds, 0, rounds]);
  // An incomplete record is dropped with its connection.
  socket.deliver(server.wrap(frame('room', 'half')).slice(0, 50));
  socket.end();
  clock.advance(500);
  await settled();
  const next = await server.up();
  next.deliver(server.wrap(frame('room', 'new')));
  equal(
    notes.take().filter(([name]) => name === 'onmessage'),
    [['onmessage', 'new']],
  );
  equal(signaling.stats().bad, 0);
}

export async function a_handshake_with_records_behind_it_and_split() {
  for (const parts of [(text) => [text], (text) => [...text]]) {
    const { notes, config } = noting({ channel: 'room' });
    const signaling = new Signaling({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      skipNegotiation: true,
    });
    signaling.openSocket(config);
    await settled();
    const socket = sockets.at(-1).accept();
    socket.deliver(...parts(`{}${END}${servers.signalr.wrap(frame('room', 1))}`));
    equal([signaling.state, notes.take()], ['open', [['onmessage', 1]]]);
    signaling.close();
  }
}

export async function heartbeats() {
  let detail;
  const { signaling, socket } = await connectedBy('signalr', {
    onstatechange: (state, told) => {
      if (state === 'waiting') detail ??= told;
    },
  });
  const ping = `{"type":6}${END}`;
  for (let beat = 1; beat <= 4; beat += 1) {
    clock.advance(15_000);
    equal(socket.frames, Array(beat).fill(ping));
    socket.deliver(ping);
  }
  clock.advance(29_999);
  equal(signaling.state, 'open');
  clock.advance(2);
  equal([signaling.state === 'open', socket.closings], [false, 1]);
  ok(detail.reason.includes('silent'), detail.reason);
}
