// ASP.NET SignalR 2, the `$.connection` one: negotiate, connect, start, records, and resuming after
// a loss.
//
// What's tested
// * from the first request to `open`, frame by frame; the goodbye request
// * records with several messages, of other hubs and methods, in other capitals; errors of a call
// * keep-alives at the server's interval; a silent server
// * a loss: resumed by the cursor of the last record, however that was parsed; a new connection
//   where it can't be resumed
// * answers that refuse, fail or come from another kind of server

import {
  answersGive,
  clock,
  connectedBy,
  equal,
  frame,
  isOurs,
  NEGOTIATED,
  NEGOTIATED_CLASSIC,
  Notes,
  ok,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
} from './support/index.js';

export async function from_the_first_request_to_open() {
  const states = [];
  const signaling = new Signaling({
    url: 'https://server.test/signalr',
    protocol: 'signalr-classic',
    onstatechange: (state) => states.push(state),
  });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send(1);
  await settled();
  const query = (url) => Object.fromEntries(new URL(url).searchParams);
  const connectionData = '[{"name":"webRtcHub3"}]';
  equal(
    [
      requests.length,
      requests[0].method,
      new URL(requests[0].url).pathname,
      query(requests[0].url),
    ],
    [1, 'GET', '/signalr/negotiate', { clientProtocol: '2.1', connectionData }],
  );
  requests[0].answer(NEGOTIATED_CLASSIC);
  await settled();
  const connection = {
    clientProtocol: '2.1',
    transport: 'webSockets',
    connectionData,
    connectionToken: 'to/k+en=',
  };
  const [socket] = sockets;
  equal([new URL(socket.url).pathname, query(socket.url)], ['/signalr/connect', connection]);
  socket.accept();
  socket.deliver('{}', '{"C":"d-1","S":1,"M":[]}');
  equal(
    [
      requests.length,
      requests[1].method,
      new URL(requests[1].url).pathname,
      query(requests[1].url),
    ],
    [2, 'GET', '/signalr/start', connection],
  );
  equal([socket.frames, states], [[], ['connecting']]);
  requests[1].answer({ Response: 'started' });
  await settled();
  equal(states, ['connecting', 'open']);
  equal(
    socket.frames.map((text) => JSON.parse(text)),
    [{ I: 1, H: 'webRtcHub3', M: 'Send', A: [frame('room', 1, signaling.userid)] }],
  );
  socket.deliver('{"I":"1"}', '{}', '{"I":"1","R":{"a":1}}', '{"P":{"I":"0","D":1}}');
  const { control, bad } = signaling.stats();
  equal([control, bad, signaling.state], [6, 0, 'open']);
  signaling.close();
  equal(
    [
      requests.length,
      requests[2].method,
      new URL(requests[2].url).pathname,
      query(requests[2].url),
      requests[2].keepalive,
    ],
    [3, 'POST', '/signalr/abort', connection, true],
  );
  requests[2].fail();
  await settled();
  equal([signaling.state, requests.length, socket.closings], ['closed', 3, 1]);
}

export async function records_of_every_kind() {
  const errors = new Notes();
  const { signaling, handle, socket, notes } = await connectedBy('signalr-classic', {
    hub: 'ChatHub',
    target: 'onMessage',
    method: 'Broadcast',
    onerror: errors.taker('onerror'),
  });
  handle.send(1);
  equal([JSON.parse(socket.frames[0]).H, JSON.parse(socket.frames[0]).M], ['ChatHub', 'Broadcast']);
  const call = (message, H = 'ChatHub', M = 'onMessage') => ({ H, M, A: [frame('room', message)] });
  const say = (C, ...M) => socket.deliver(JSON.stringify({ C, M }));
  const took = (expected, what) =>
    equal(
      notes.take(),
      expected.map((message) => ['onmessage', message]),
      what,
    );
  say('d-2', call(1));
  took([1], 'one');
  say('d-3', call(2), call(3), call(4));
  took([2, 3, 4], 'several');
  say('d-4', call('no', 'OtherHub'), call(5), call('no', 'ChatHub', 'other'));
  took([5], 'among others');
  say('d-5', call(6, 'CHATHUB', 'ONMESSAGE'), call(7, 'chathub'));
  took([6, 7], 'in other capitals');
  say('d-6', call(8));
  say('d-6', call(9, 'chathub', 'onmessage'));
  took([8, 9], 'and back');
  socket.deliver(
    JSON.stringify({ C: 'd-7', M: [{ ...call(10), S: { state: 1 } }] }),
    JSON.stringify({ M: [call(11)], C: 'd-8' }),
    JSON.stringify({ C: 'd-9', M: [call(12)], G: 'groups' }),
    JSON.stringify({ C: 'd"é\\', M: [call(13)] }),
  );
  took([10, 11, 12, 13], 'in other shapes');
  say('d-10', { H: 'ChatHub', M: 'onMessage', A: [frame('room', 14), 'and more'] });
  say('d-11', {
    H: 'ChatHub',
    M: 'onMessage',
    A: [JSON.stringify({ message: 15, channel: 'room' })],
  });
  took([14, 15], 'with more arguments, without a sender');
  equal([signaling.stats().bad, errors.take()], [0, []]);
  socket.deliver(
    '{"I":"1","E":"There was an error invoking Hub method \'chathub.Broadcast\'.","H":true}',
  );
  isOurs(errors.take()[0][1], 'message-refused', 'chathub.Broadcast', 'hub');
  // Messages for others.
  for (const odd of [
    '{"M":5}',
    '{"M":[5]}',
    '{"M":[null]}',
    '{"M":{"0":1}}',
    '{"C":5}',
    '[]',
    'null',
    '5',
    '"text"',
    '{"C":"d-12","M":[{"H":"ChatHub"}]}',
    '{"S":1}',
    '{"S":1,"C":"d-13","M":[]}',
  ]) {
    socket.deliver(odd);
    equal([signaling.state, notes.take(), requests.length], ['open', [], 0], odd);
  }
}

export async function keep_alives_as_the_server_has_them() {
  const { signaling, socket } = await connectedBy('signalr-classic');
  for (let beat = 0; beat < 5; beat += 1) {
    clock.advance(19_000);
    socket.deliver('{}');
  }
  equal([signaling.state, socket.frames], ['open', []], 'the client says nothing');
  clock.advance(19_999);
  equal(signaling.state, 'open');
  clock.advance(2);
  equal([signaling.state === 'open', socket.closings], [false, 1]);
  signaling.close();
  // A server without keep-alives may be silent for ever.
  const mute = new Signaling({ url: 'https://server.test/signalr', protocol: 'signalr-classic' });
  mute.openSocket({});
  await settled();
  requests.at(-1).answer({ ...NEGOTIATED_CLASSIC, KeepAliveTimeout: null });
  await settled();
  sockets.at(-1).accept().deliver('{"C":"d-1","S":1,"M":[]}');
  requests.at(-1).answer({ Response: 'started' });
  await settled();
  clock.advance(10_000_000);
  equal(mute.state, 'open');
}

export async function a_loss_is_resumed_by_the_last_cursor() {
  const envelope = frame('room', 1);
  const records = [
    ['{"C":"d-5","M":[]}', 'd-5', ''],
    // By its head, and as a whole.
    [
      JSON.stringify({
        C: 'd-6,a|b',
        M: [{ H: 'WebRtcHub3', M: 'onMessageReceived', A: [envelope] }],
      }),
      'd-6,a|b',
      '',
    ],
    [
      JSON.stringify({
        C: 'd-7',
        M: [{ H: 'WebRtcHub3', M: 'onMessageReceived', A: [frame('other', 1)] }],
      }),
      'd-7',
      '',
    ],
    [
      JSON.stringify({
        M: [{ H: 'WebRtcHub3', M: 'onMessageReceived', A: [envelope] }],
        C: 'd-8',
        G: 'gr oups',
      }),
      'd-8',
      'gr oups',
    ],
    ['{}', 'd-8', 'gr oups'],
  ];
  const {
    signaling,
    handle,
    socket: first,
  } = await connectedBy('signalr-classic', { reconnect: { base: 1, cap: 1 } });
  first.deliver(
    JSON.stringify({ C: 'd-2', M: [{ H: 'WebRtcHub3', M: 'onMessageReceived', A: [envelope] }] }),
  );
  for (const [record, cursor, groups] of records) {
    const socket = sockets.at(-1);
    socket.deliver(record);
    socket.end();
    handle.send(cursor);
    clock.advance(1);
    await settled();
    equal(requests.length, 0, 'nothing is asked');
    const { pathname, searchParams } = new URL(sockets.at(-1).url);
    equal(
      [
        pathname,
        searchParams.get('messageId'),
        searchParams.get('groupsToken') ?? '',
        searchParams.get('connectionToken'),
      ],
      ['/reconnect', cursor, groups, 'to/k+en='],
      record,
    );
    equal(signaling.state, 'connecting');
    sockets.at(-1).accept();
    equal(
      [signaling.state, servers['signalr-classic'].unwrap(sockets.at(-1).frames[0]).message],
      ['open', cursor],
    );
  }
}

export async function what_cannot_be_resumed_is_opened_again() {
  // After the time that the server keeps it. The next attempt comes after a random time, so both
  // happen sooner or later.
  const seen = { kept: 0, gone: 0 };
  for (let round = 0; round < 200 && !(seen.kept && seen.gone); round += 1) {
    const late = await connectedBy('signalr-classic', { reconnect: { base: 40_000, cap: 40_000 } });
    sockets.length = 0;
    let waited;
    late.signaling.onstatechange = (_, { retryIn }) => {
      waited ??= Number(retryIn) + 1;
    };
    late.socket.end();
    clock.advance(waited);
    await settled();
    equal(
      [requests.length, sockets.length],
      waited < 30_000 ? [0, 1] : [1, 0],
      `after ${waited} ms`,
    );
    seen[waited < 30_000 ? 'kept' : 'gone'] += 1;
    late.signaling.close();
    await settled();
  }
  ok(seen.kept && seen.gone, JSON.stringify(seen));

  // A server that no longer knows the connection refuses it. Before the last attempt it is asked
  // whether it is there at all.
  sockets.length = requests.length = 0;
  const { signaling, socket } = await connectedBy('signalr-classic', {
    reconnect: { base: 1, cap: 1 },
  });
  sockets.length = 0;
  socket.end();
  clock.advance(1);
  await settled();
  sockets[0].end();
  clock.advance(1);
  await settled();
  equal([sockets.length, requests.length, new URL(requests[0].url).pathname], [1, 1, '/negotiate']);
  requests[0].answer({ ...NEGOTIATED_CLASSIC, ConnectionToken: 'unused' });
  await settled();
  equal([sockets.length, new URL(sockets[1].url).pathname], [2, '/reconnect']);
  sockets[1].end();
  clock.advance(1);
  await settled();
  equal([requests.length, signaling.state], [2, 'connecting']);
  const next = await servers['signalr-classic'].up();
  equal([new URL(next.url).pathname, signaling.state], ['/connect', 'open']);
  next.deliver(servers['signalr-classic'].wrap(frame('room', 1)));
  equal(signaling.stats().delivered, 1);
}

export async function answers_that_refuse_or_fail() {
  const html = '<!DOCTYPE html>';
  const cases = [
    ['', 401, 'closed', 'authentication-refused', '401'],
    [html, 404, 'closed', 'connection-failed', '404', 'url'],
    [html, 200, 'closed', 'connection-failed', '<!DOCTYPE'],
    [{ message: 'no such hub' }, 200, 'closed', 'connection-failed', 'ConnectionToken', 'url'],
    [NEGOTIATED, 200, 'closed', 'connection-failed', "'signalr'"],
    [
      "'webRtcHub3' Hub could not be resolved.",
      500,
      'closed',
      'connection-failed',
      'could not be resolved',
      'hub',
    ],
    [html, 503, 'waiting', null, '503'],
  ];
  await answersGive({ url: 'https://server.test/signalr', protocol: 'signalr-classic' }, cases);
  // Refused at the start, when the socket is open already.
  const { length } = sockets;
  const signaling = new Signaling({
    url: 'https://server.test/signalr',
    protocol: 'signalr-classic',
  });
  signaling.openSocket({});
  await settled();
  requests.at(-1).answer(NEGOTIATED_CLASSIC);
  await settled();
  sockets[length].accept().deliver('{"C":"d-1","S":1,"M":[]}');
  requests.at(-1).answer('', 503);
  await settled();
  equal([signaling.state, sockets[length].closings], ['waiting', 1]);
}
