// Socket.IO packet by packet, with servers of both versions, on the stand-in clock.
//
// What's tested
// * servers of Socket.IO 4 and of 2, each from the address to `open`; a server that closes without
//   a word is asked by the other version
// * namespaces, events of other names, acknowledgements, binary packets, extra arguments
// * heartbeats both ways; a silent server
// * refusals of the namespace, disconnection by the server, servers that aren't Socket.IO's, each
//   in words

import {
  clock,
  connected,
  connectedBy,
  END,
  equal,
  frame,
  GREETING_2,
  GREETING_4,
  isOurs,
  Notes,
  noting,
  ok,
  requests,
  servers,
  Signaling,
  sockets,
} from './support/index.js';

export function a_server_of_version_4() {
  const frames = [];
  const states = [];
  const signaling = new Signaling({
    url: 'http://server.test/',
    protocol: 'socket.io',
    onframe: (...frame) => frames.push(frame),
    onstatechange: (state) => states.push(state),
  });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send(1);
  const socket = sockets[0];
  equal(socket.url, 'ws://server.test/socket.io/?EIO=4&transport=websocket');
  socket.accept();
  equal(socket.frames, [], 'the server speaks first');
  socket.deliver(GREETING_4);
  equal([socket.frames, states], [['40'], ['connecting']]);
  socket.deliver('40{"sid":"x"}');
  const sent = `42["message",${frame('room', 1, signaling.userid)}]`;
  equal(
    [socket.frames, states],
    [
      ['40', sent],
      ['connecting', 'open'],
    ],
  );
  socket.deliver('2');
  equal(socket.frames.at(-1), '3');
  // The answer to a frame may be shown before the frame.
  equal(
    frames.map(([kind, text]) => `${kind} ${text}`).sort(),
    [
      `control ${GREETING_4}`,
      'control 40',
      'control 40{"sid":"x"}',
      `sent ${sent}`,
      'control 2',
      'control 3',
    ].sort(),
  );
  const { sent: count, control, received, bad } = signaling.stats();
  equal([count, control, received, bad], [1, 3, 3, 0]);
  signaling.close();
  equal(requests.length, 0);
}

export function a_server_of_version_2() {
  // It answers an address that asks for 4 with its own, and connects to '/' unasked.
  const signaling = new Signaling({ url: 'http://server.test/', protocol: 'socket.io' });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send(1);
  const socket = sockets[0].accept();
  socket.deliver(GREETING_2);
  equal([socket.frames, signaling.state], [[], 'connecting']);
  socket.deliver('40');
  equal(signaling.state, 'open');
  equal(socket.frames.splice(0), [`42["message",${frame('room', 1, signaling.userid)}]`]);
  // Here the client asks.
  clock.advance(25_000);
  equal(socket.frames.splice(0), ['2']);
  socket.deliver('3');
  clock.advance(24_999);
  equal(socket.frames, []);
  clock.advance(1);
  equal(socket.frames, ['2']);
  socket.deliver('3');
  equal(signaling.state, 'open');
  // Without an answer, the server is gone.
  clock.advance(35_001);
  equal([signaling.state === 'open', sockets[0].closings], [false, 1]);
}

export function a_server_of_version_4_that_says_no_max_payload() {
  // Socket.IO 3 to 4.4 waits for the client to connect; the client waits a moment, too.
  const signaling = new Signaling({ url: 'http://server.test/', protocol: 'socket.io' });
  signaling.openSocket({});
  const socket = sockets[0].accept();
  socket.deliver(GREETING_2);
  clock.advance(1000);
  equal(socket.frames, ['40']);
  socket.deliver('40{"sid":"x"}');
  equal(signaling.state, 'open');
  socket.deliver('2');
  equal(socket.frames, ['40', '3']);
}

export function a_server_that_goes_without_a_word_is_asked_by_the_other_version() {
  const signaling = new Signaling({
    url: 'http://server.test/',
    protocol: 'socket.io',
    reconnect: { base: 1, cap: 1 },
  });
  signaling.openSocket({});
  const versions = () => sockets.map(({ url }) => new URL(url).searchParams.get('EIO'));
  sockets[0].accept().end(1006);
  clock.advance(1);
  sockets[1].accept().end(1006);
  clock.advance(1);
  equal(versions(), ['4', '3', '4']);
  // A connection that couldn't be made tells nothing about versions.
  sockets[2].end(1006);
  clock.advance(1);
  equal(versions(), ['4', '3', '4', '4']);
  sockets[3].accept().end(1006);
  clock.advance(1);
  sockets[4].accept().deliver(GREETING_2, '40');
  equal(signaling.state, 'open');
  sockets[4].end();
  clock.advance(1);
  equal(versions().slice(4), ['3', '3'], 'what worked is kept to');
}

export function namespaces() {
  const { notes, config } = noting({ channel: 'room' });
  const frames = [];
  const signaling = new Signaling({
    url: 'http://server.test/',
    protocol: 'socket.io',
    namespace: '/my-room',
    onframe: (kind) => frames.push(kind),
  });
  const handle = signaling.openSocket(config);
  const socket = sockets[0].accept();
  socket.deliver(GREETING_4);
  equal(socket.frames, ['40/my-room,']);
  socket.deliver('40{"sid":"another"}', '44/other,{"message":"Invalid namespace"}');
  equal(signaling.state, 'connecting', 'what other namespaces say is nothing to us');
  socket.deliver('40/my-room,{"sid":"x"}');
  equal(signaling.state, 'open');
  handle.send(1);
  equal(socket.frames[1], `42/my-room,["message",${frame('room', 1, signaling.userid)}]`);
  frames.length = 0;
  const envelope = (message) => frame('room', message);
  socket.deliver(
    `42/my-room,["message",${envelope(1)}]`,
    `42["message",${envelope(2)}]`,
    `42/other,["message",${envelope(3)}]`,
    `42/my-room,7["message",${envelope(4)}]`,
    `42/my-room/deeper,["message",${envelope(5)}]`,
  );
  equal(notes.take(), [
    ['onmessage', 1],
    ['onmessage', 4],
  ]);
  equal(socket.frames.at(-1), '43/my-room,7[]');
  socket.deliver('41', '41/other,');
  equal(signaling.state, 'open');
  socket.deliver('41/my-room,');
  equal(signaling.state, 'closed');

  // Version 2 has to be asked for one, too.
  const old = new Signaling({
    url: 'http://server.test/',
    protocol: 'socket.io',
    namespace: '/my-room',
  });
  old.openSocket({});
  const other = sockets[1].accept();
  other.deliver(GREETING_2, '40');
  equal([other.frames, old.state], [['40/my-room,'], 'connecting']);
  other.deliver('40/my-room,');
  equal(old.state, 'open');
}

export async function events_of_every_kind() {
  const { signaling, handle, socket, notes } = await connectedBy('socket.io', { event: 'sig"nal' });
  handle.send(1);
  equal(socket.frames.splice(0), [`42["sig\\"nal",${frame('room', 1, signaling.userid)}]`]);
  const envelope = (message) => frame('room', message);
  const before = signaling.stats();
  const given = [
    [`42["sig\\"nal",${envelope(1)}]`, 1],
    // With connection state recovery, each event has an offset after its arguments.
    [`42["sig\\"nal",${envelope(2)},"Q82wQOt"]`, 2],
    [`42["sig\\u0022nal",${envelope(3)}]`, 3],
    [`42["sig\\"nal", ${envelope(5)} ]`, 5],
    [`42["message",${envelope(6)}]`, undefined],
    [`42["sig\\"nal"]`, undefined],
    [`42["other",{"channel":"room"}]`, undefined],
    [`43["sig\\"nal",${envelope(7)}]`, undefined],
    [`451-["sig\\"nal",${envelope(8)},{"_placeholder":true,"num":0}]`, undefined],
  ];
  for (const [text, message] of given) {
    socket.deliver(text);
    equal(notes.take(), message === undefined ? [] : [['onmessage', message]], text);
  }
  // Binary frames belong to such an event.
  socket.deliver(new ArrayBuffer(4));
  equal(
    [signaling.stats().bad - before.bad, signaling.state],
    [1, 'open'],
    'an event without an argument carries what is no envelope',
  );
  // A server that asks for an acknowledgement gets one.
  equal(socket.frames, []);
  socket.deliver(
    `4212["sig\\"nal",${envelope(9)}]`,
    '420["other"]',
    '42999999999999999999["other"]',
  );
  equal(notes.take(), [['onmessage', 9]]);
  equal(socket.frames, ['4312[]', '430[]', '43999999999999999999[]']);
}

export async function heartbeats_of_version_4() {
  let detail;
  const { signaling, socket } = await connectedBy('socket.io', {
    onstatechange: (state, told) => {
      if (state === 'waiting') detail ??= told;
    },
  });
  for (let beat = 0; beat < 5; beat += 1) {
    clock.advance(25_000);
    socket.deliver('2');
  }
  equal(socket.frames, Array(5).fill('3'));
  // Any frame shows that the server is there.
  clock.advance(44_000);
  socket.deliver(`42["message",${frame('other', 1)}]`);
  clock.advance(44_999);
  equal([signaling.state, socket.closings], ['open', 0]);
  clock.advance(2);
  equal([signaling.state === 'open', socket.closings, socket.isHeard], [false, 1, false]);
  ok(detail.reason.includes('silent'), detail.reason);
}

export function a_server_that_never_answers_is_tried_again() {
  for (const said of [[], [GREETING_4]]) {
    sockets.length = 0;
    let detail;
    const signaling = new Signaling({
      url: 'http://server.test/',
      protocol: 'socket.io',
      onstatechange: (state, told) => {
        if (state === 'waiting') detail ??= told;
      },
    });
    signaling.openSocket({});
    const socket = sockets[0].accept();
    socket.deliver(...said);
    clock.advance(9_999);
    equal(signaling.state, 'connecting');
    clock.advance(2);
    ok(detail.reason.includes('the option protocol'), detail.reason);
    equal(socket.closings, 1);
    signaling.close();
  }
}

export function refusals_in_words() {
  /** @type {[string, object, string, ...string[]][]} */
  const cases = [
    // The frame after the greeting; the error's code, and what it must say.
    ['44{"message":"Invalid namespace"}', {}, 'connection-failed', "'/'", 'namespace'],
    [
      '44/nope,{"message":"Invalid namespace"}',
      { namespace: '/nope' },
      'connection-failed',
      "'/nope'",
      'the option namespace',
    ],
    [
      '44{"message":"not authorized","data":{"code":1}}',
      {},
      'authentication-refused',
      "'not authorized'",
    ],
    ['44"not authorized"', {}, 'authentication-refused', "'not authorized'"],
    ['41', {}, 'connection-failed', 'disconnected'],
  ];
  for (const [refusal, options, code, ...says] of cases) {
    const notes = new Notes();
    const signaling = new Signaling({
      url: 'http://server.test/',
      protocol: 'socket.io',
      ...options,
      onerror: notes.taker('onerror'),
      onstatechange: (state) => notes.taker(state)(),
    });
    signaling.openSocket({}).send('unsent');
    const socket = sockets.at(-1).accept();
    socket.deliver(GREETING_4, refusal);
    const calls = notes.take();
    equal(
      [calls.map(([name]) => name), socket.closings],
      [['connecting', 'onerror', 'closed'], 1],
      refusal,
    );
    isOurs(calls[1][1], code, 'ws://server.test/', '1 unsent', ...says);
    equal(clock.timers, 0);
  }
}

export function servers_that_are_others() {
  // Decided by the first frame; it is different once a connection has worked.
  for (const first of [frame('room', 1), '{}', 'hello', '40', '5', '']) {
    const notes = new Notes();
    const signaling = new Signaling({
      url: 'http://server.test/',
      protocol: 'socket.io',
      onerror: notes.taker('onerror'),
    });
    signaling.openSocket({});
    sockets.at(-1).accept().deliver(first);
    equal(signaling.state, 'closed', first);
    isOurs(notes.calls.at(-1)?.[1], 'connection-failed', 'protocol');
  }
  // A frame that isn't even JSON is reported, and the wait goes on: a server may send something odd
  // before it greets.
  const odd = new Notes();
  new Signaling({
    url: 'http://server.test/',
    protocol: 'socket.io',
    onerror: odd.taker('onerror'),
  }).openSocket({});
  sockets.at(-1).accept().deliver(`{}${END}`);
  isOurs(odd.calls[0][1], 'bad-frame', "'signalr'");
  // The other way round: an Engine.IO server behind the plain protocol is named.
  const notes = new Notes();
  const plain = connected({ onerror: notes.taker('onerror') });
  plain.socket.deliver(GREETING_4);
  isOurs(notes.calls[0][1], 'bad-frame', "'socket.io'");
}

export async function the_server_closes_or_is_odd() {
  const { signaling, socket, notes } = await connectedBy('socket.io', {
    reconnect: { base: 1, cap: 1 },
  });
  const odd = [
    '',
    '4',
    '42',
    '421',
    '42[',
    '42{',
    '42"',
    '42[]',
    '42{}',
    '42null',
    '47',
    '9',
    'x',
    '6',
    '5probe',
    '3probe',
    '4{',
    '0',
    '0{',
    '0{}',
    '0[1]',
    '40',
    '43',
    '43[]',
    '2probe',
    '42/',
    '42/x',
    '42/,',
    '42,[]',
    '\u0000',
  ];
  socket.deliver(...odd);
  equal([signaling.state, notes.take()], ['open', []]);
  const { bad, control } = signaling.stats();
  // Two to get there.
  equal(bad + control, odd.length + 2);
  socket.deliver('1');
  equal([signaling.state, socket.closings], ['waiting', 1]);
  clock.advance(1);
  servers['socket.io'].up();
  equal([signaling.state, signaling.stats().connects], ['open', 2]);
}
