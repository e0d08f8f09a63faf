// The protocol that is found out: what `'auto'` takes a server for, when, and how it recovers from
// a wrong guess; and `'relay'`, which insists.
//
// What's tested
// * a hello, another first frame, a moment of silence; frames that are no hello, and no JSON
// * a hello that comes late switches in place; what was sent before it and after it
// * later connections know the server; a relay replaced by an ordinary server, and the reverse
// * a hello that another page made up costs some seconds and no message of this page
// * `'relay'` with another kind of server; a transport is never asked

import {
  ack,
  clock,
  comeBack,
  connected,
  equal,
  FakeTransport,
  frame,
  greet,
  hello,
  isOurs,
  joined,
  kept,
  messages,
  Notes,
  noting,
  ok,
  refs,
  SECRET,
  Signaling,
  sockets,
} from './support/index.js';

export function a_hello_means_our_relay() {
  const notes = new Notes();
  const signaling = new Signaling({
    url: 'ws://server.test/way?a=b',
    protocol: 'auto',
    onstatechange: notes.taker('state'),
  });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send('early');
  const socket = sockets[0];
  equal(socket.url, 'ws://server.test/way?a=b', 'nothing is added to the address');
  socket.accept();
  equal([signaling.state, socket.frames], ['open', []]);
  socket.deliver(hello());
  equal(
    [signaling.state, socket.frames],
    ['open', ['{"open":["room"],"after":{}}']],
    'messages wait for the answer',
  );
  socket.deliver(ack(0));
  equal([signaling.state, refs(socket)], ['open', [[1, 'early']]]);
  equal(notes.take(), [
    ['state', 'connecting', { reason: 'the first channel was opened' }],
    ['state', 'open', { reason: 'connected' }],
  ]);
  equal(
    [
      signaling.stats().connects,
      signaling.stats().control,
      signaling.stats().bad,
      signaling.stats().foreign,
    ],
    [1, 2, 0, 0],
  );
  // Longer than any silence that would mean something else.
  clock.advance(1000);
  equal([signaling.state, signaling.stats().connects], ['open', 1]);
}

export function another_first_frame_means_an_ordinary_server() {
  const firsts = [
    frame('room', 1),
    frame('other', 1),
    '{ "channel": "room", "message": 1 }',
    '{"signal":2,"session":"s","epoch":"e","ping":1}',
    '{"signal":"1","session":"s","epoch":"e"}',
    '{"signal":1}',
    '{"signal":1,"session":"s","ping":1}',
    '{"signal":1,"session":5,"epoch":"e","ping":1}',
    '{"signal":1,"session":"s","epoch":null}',
    '{}',
    '[]',
    '5',
    'null',
    '"text"',
    '{"ack":5}',
    '{"ping":1}',
  ];
  for (const first of firsts) {
    const { notes, config } = noting({ channel: 'room', onopen: null });
    const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
    const handle = signaling.openSocket(config);
    handle.send('waits');
    const socket = sockets.at(-1).accept();
    socket.deliver(first);
    equal(
      [signaling.state, socket.frames],
      ['open', [JSON.stringify({ sender: signaling.userid, channel: 'room', message: 'waits' })]],
      first,
    );
    equal(notes.take(), JSON.parse(first)?.channel === 'room' ? [['onmessage', 1]] : [], first);
    // Nothing that comes now can be a hello.
    socket.deliver(hello(), ack(5));
    handle.send('goes');
    equal([messages(socket), signaling.stats().queued], [['waits', 'goes'], 0], first);
    signaling.close();
  }
}

export function silence_means_an_ordinary_server() {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send(1);
  clock.advance(3000);
  const socket = sockets[0].accept();
  // From the opening on, however long that took.
  clock.advance(19.9);
  equal([signaling.state, socket.frames], ['open', []]);
  clock.advance(0.2);
  equal([signaling.state, messages(socket)], ['open', [1]]);
  handle.send(2);
  equal(messages(socket), [1, 2], 'at once');
  clock.advance(1_000_000);
  equal(
    [signaling.state, socket.frames.length, clock.timers],
    ['open', 2, 0],
    'an ordinary server may be silent for ever',
  );
}

export function it_is_the_default() {
  const silent = new Signaling();
  silent.openSocket({}).send(1);
  sockets[0].accept();
  equal([silent.state, sockets[0].frames], ['open', []]);
  clock.advance(20);
  equal([silent.state, messages(sockets[0])], ['open', [1]]);
  const relayed = new Signaling();
  relayed.openSocket({}).send(2);
  equal(refs(greet()), [[1, 2]]);
}

export function what_is_no_json_tells_nothing() {
  for (const bad of ['hello', '', '0{"sid":"x"}', new ArrayBuffer(4), 'x'.repeat(3_000_000)]) {
    const errors = new Notes();
    const signaling = new Signaling({
      url: 'ws://server.test/',
      protocol: 'auto',
      onerror: errors.taker('onerror'),
    });
    signaling.openSocket({ channel: 'room' }).send('waits');
    const socket = sockets.at(-1).accept();
    socket.deliver(bad);
    equal([signaling.stats().bad, errors.calls.length], [1, 1]);
    clock.advance(20);
    equal([signaling.state, messages(socket)], ['open', ['waits']]);
    signaling.close();
  }
}

export function a_late_hello_switches_in_place() {
  const states = [];
  const { signaling, handle, socket, notes } = (() => {
    const signaling = new Signaling({
      url: 'ws://server.test/',
      protocol: 'auto',
      onstatechange: (state) => states.push(state),
    });
    const { notes, config } = noting({ channel: 'room', onopen: null });
    const handle = signaling.openSocket(config);
    return { signaling, handle, socket: sockets[0].accept(), notes };
  })();
  handle.send('plain');
  clock.advance(250);
  equal([states, messages(socket)], [['connecting', 'open'], ['plain']]);
  clock.advance(2000);
  socket.deliver(hello());
  equal(socket.frames.slice(1), ['{"open":["room"],"after":{}}']);
  handle.send('through the relay');
  equal([signaling.state, signaling.stats().queued], ['open', 1], 'it waits for the answer');
  // It may be the answer to what was sent before, and isn't delivered again.
  socket.deliver(frame('room', 'early'));
  socket.deliver(ack(0), kept('room', 'next', '1'));
  equal(notes.take(), [['onmessage', 'early'], ['onmessage', 'next']]);
  equal(refs(socket).slice(-1), [[2, 'through the relay']]);
  equal(
    [states, signaling.stats().connects, signaling.stats().reconnects],
    [['connecting', 'open'], 1, 0],
    'nothing to tell of',
  );
  socket.deliver(ack(2));
  equal(signaling.stats().queued, 0);
  // From now on the server is known.
  comeBack(socket).accept();
  clock.advance(1000);
  equal(signaling.state, 'connecting');
  sockets[1].deliver(hello());
  equal(sockets[1].frames, [`{"open":["room"],"after":{"room":"1"},"session":"${SECRET}"}`]);
}

export function an_ordinary_server_is_known_the_next_time() {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  const handle = signaling.openSocket({ channel: 'room' });
  sockets[0].accept().deliver(frame('other', 1));
  for (let round = 1; round < 5; round += 1) {
    const socket = comeBack(sockets.at(-1));
    handle.send(round);
    socket.accept();
    equal([signaling.state, messages(socket)], ['open', [round]], 'at once');
  }
  // Until a relay takes its place.
  const socket = comeBack(sockets.at(-1)).accept();
  socket.deliver(hello());
  socket.deliver(ack(0));
  handle.send('to the relay');
  equal(refs(socket).at(-1)[1], 'to the relay');
  ok(refs(socket).at(-1)[0] > 0, 'with a ref');
}

export function a_relay_is_known_the_next_time() {
  const { signaling, handle, socket } = joined();
  const next = comeBack(socket).accept();
  handle.send('waits');
  // A relay under load may take longer to greet.
  clock.advance(9_000);
  equal([signaling.state, next.frames], ['connecting', []]);
  next.deliver(hello({ session: 'another' }));
  next.deliver(ack(0));
  equal([signaling.state, refs(next)], ['open', [[1, 'waits']]]);
}

export function a_relay_that_became_an_ordinary_server() {
  for (const how of ['it speaks', 'it is silent']) {
    const reasons = [];
    const { signaling, handle, socket, notes } = joined({
      onstatechange: (state, { reason }) => reasons.push([state, reason]),
    });
    handle.send('never acknowledged');
    let next = comeBack(socket).accept();
    handle.send('waits');
    reasons.length = 0;
    if (how === 'it speaks') {
      notes.take();
      next.deliver(frame('room', 'plain'));
      equal(notes.take(), [['onmessage', 'plain']]);
    } else {
      clock.advance(10_000);
      equal([signaling.state, next.frames], ['waiting', []], 'a relay would have greeted');
      ok(reasons[0][1].includes('protocol'), reasons[0][1]);
      for (let wait = 0; wait < 20 && next === sockets.at(-1); wait += 1) clock.advance(500);
      next = sockets.at(-1).accept();
      // It has acknowledged before. Messages sent as to an ordinary server could arrive twice, so
      // it gets more time than an unknown server.
      clock.advance(9_000);
      equal([signaling.state, next.frames], ['connecting', []]);
      clock.advance(1_000);
    }
    equal(
      [signaling.state, next.frames.map((text) => JSON.parse(text))],
      [
        'open',
        ['never acknowledged', 'waits'].map((message) => ({
          sender: signaling.userid,
          channel: 'room',
          message,
        })),
      ],
      how,
    );
    equal(signaling.stats().queued, 0);
    signaling.close();
  }
}

export function a_hello_that_another_page_made_up() {
  // A server that broadcasts every frame, whatever it holds.
  const { notes, config } = noting({ channel: 'room', onopen: null });
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  const handle = signaling.openSocket(config);
  handle.send('first');
  sockets[0].accept().deliver(hello());
  handle.send('second');
  equal(
    messages(sockets[0]).filter((message) => message !== undefined),
    [],
  );
  clock.advance(10_000);
  equal(signaling.state, 'waiting');
  for (let wait = 0; wait < 20 && sockets.length === 1; wait += 1) clock.advance(500);
  sockets[1].accept();
  equal(
    [signaling.state, messages(sockets[1]), signaling.stats().queued],
    ['open', ['first', 'second'], 0],
  );
  sockets[1].deliver(frame('room', 'heard'));
  handle.send('third');
  equal(
    [notes.take(), messages(sockets[1])],
    [[['onmessage', 'heard']], ['first', 'second', 'third']],
  );
}

export function a_hello_amid_a_plain_connection_is_nothing() {
  const { signaling, handle, socket, notes } = (() => {
    const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
    const { notes, config } = noting({ channel: 'room', onopen: null });
    const handle = signaling.openSocket(config);
    return { signaling, handle, socket: sockets[0].accept(), notes };
  })();
  socket.deliver(frame('room', 1), hello(), frame('room', 2));
  handle.send(3);
  equal(
    [notes.take(), messages(socket), signaling.stats().queued],
    [
      [
        ['onmessage', 1],
        ['onmessage', 2],
      ],
      [3],
      0,
    ],
  );
}

export function with_protocol_websocket_a_hello_is_nothing() {
  const { signaling, handle, socket } = connected({ protocol: 'websocket' });
  equal(signaling.state, 'open');
  socket.deliver(hello());
  handle.send(1);
  equal([messages(socket), signaling.stats().foreign], [[1], 1]);
}

export function relay_insists() {
  const notes = new Notes();
  const make = () => {
    const signaling = new Signaling({
      url: 'ws://server.test/',
      protocol: 'relay',
      onerror: notes.taker('onerror'),
    });
    const handle = signaling.openSocket({ channel: 'room' });
    handle.send('unsent');
    sockets.at(-1).accept();
    return signaling;
  };
  const ordinary = make();
  sockets.at(-1).deliver(frame('room', 1));
  equal([ordinary.state, sockets.at(-1).frames], ['closed', []]);
  isOurs(
    notes.take()[0][1],
    'connection-failed',
    'is no signal-relay',
    "the option protocol must be 'auto' or 'websocket'",
    '1 unsent',
    'ws://server.test/',
  );
  // A silent server may recover: it may be a relay that can't be reached.
  const silent = make();
  clock.advance(1000);
  equal([silent.state, sockets.at(-1).frames], ['connecting', []]);
  // No longer: the next attempt may come at any moment after that.
  clock.advance(9_000);
  equal([silent.state, notes.calls], ['waiting', []]);
  silent.close();
  // With a relay, all is as with 'auto'.
  const signaling = make();
  sockets.at(-1).deliver(hello(), ack(0));
  equal([signaling.state, refs(sockets.at(-1))], ['open', [[1, 'unsent']]]);
  // One connection that opened shows that the options are right.
  comeBack(sockets.at(-1)).accept().deliver(frame('room', 1));
  equal([signaling.state, notes.calls], ['waiting', []]);
}

export function a_transport_is_plain() {
  for (const protocol of [undefined, 'auto', 'websocket']) {
    const transport = new FakeTransport();
    transport.onopening = () => transport.onopen();
    const { notes, config } = noting({ channel: 'room', onopen: null });
    const signaling = new Signaling({ transport, protocol });
    const handle = signaling.openSocket(config);
    equal(signaling.state, 'open', 'at once');
    transport.onmessage(hello());
    handle.send(1);
    transport.onmessage(frame('room', 2));
    equal(
      [transport.texts, notes.take()],
      [
        [JSON.stringify({ sender: signaling.userid, channel: 'room', message: 1 })],
        [['onmessage', 2]],
      ],
    );
    signaling.close();
  }
  // The relay through a transport, such as one that sends a frame of its own first.
  const transport = new FakeTransport();
  const signaling = new Signaling({ transport, protocol: 'relay' });
  signaling.openSocket({ channel: 'room' }).send(1);
  transport.onopen();
  transport.onmessage(hello());
  transport.onmessage(ack(0));
  equal([signaling.state, JSON.parse(transport.texts.at(-1)).ref], ['open', 1]);
}

export function readiness_that_waits_for_the_connection() {
  const { notes, config } = noting();
  const signaling = new Signaling({
    url: 'ws://server.test/',
    protocol: 'auto',
    openWhen: 'connected',
  });
  signaling.openSocket(config);
  sockets[0].accept();
  equal([notes.take(), signaling.state], [[['onopen']], 'open']);
  const relayed = noting();
  const other = new Signaling({
    url: 'ws://server.test/',
    protocol: 'auto',
    openWhen: 'connected',
  });
  other.openSocket(relayed.config);
  sockets[1].accept().deliver(hello());
  equal(relayed.notes.take(), [['onopen']]);
}
