// What a page can observe of a connection: its handlers, its frames and its counters.
//
// What's tested
// * handlers are properties, called in the order of events
// * frames as an inspector sees them
// * the counters

import {
  clock,
  connected,
  equal,
  frame,
  isOurs,
  Notes,
  ok,
  reported,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function one_thing_is_told_after_the_other() {
  // An event that a handler causes is delivered after the present one.
  const heard = [];
  const signaling = new Signaling({
    url: 'ws://server.test/',
    onstatechange(state) {
      heard.push(state);
      if (state === 'connecting') sockets.at(-1).accept();
      if (state === 'open') sockets[0].deliver('bad');
      heard.push(`${state}, through`);
    },
    onerror() {
      heard.push('error');
      signaling.close();
      heard.push('error, through');
    },
  });
  signaling.openSocket({});
  equal(heard, [
    'connecting',
    'connecting, through',
    'open',
    'open, through',
    'error',
    'error, through',
    'closed',
    'closed, through',
  ]);
}

export function handlers_are_properties() {
  const notes = new Notes();
  const given = () => undefined;
  const signaling = new Signaling({ url: 'ws://server.test/', onerror: given });
  ok(signaling.onerror === given, 'the option becomes the property');
  signaling.onerror = notes.taker('first');
  signaling.openSocket({});
  const socket = sockets[0].accept();
  socket.deliver('bad');
  equal(notes.targets, [signaling]);
  equal(
    notes.take().map(([name]) => name),
    ['first'],
  );
  signaling.onframe = notes.taker('onframe');
  socket.deliver(frame('x', 1));
  signaling.onframe = null;
  socket.deliver(frame('x', 2));
  equal(notes.take(), [['onframe', 'foreign', frame('x', 1)]]);
  untyped(signaling).onstatechange = 'no function';
  socket.end();
  isOurs(reported()[0], 'bad-config', 'onstatechange', "'no function'");
  equal(signaling.state, 'waiting');
}

export function frames_as_an_inspector_sees_them() {
  const notes = new Notes();
  const { handle, socket } = connected(
    { onframe: notes.taker('onframe') },
    { onmessage: notes.taker('onmessage') },
  );
  handle.send({ a: 1 });
  const [sent] = socket.frames;
  const bytes = new ArrayBuffer(2);
  const odd = '{ "channel": "room", "message": 3 }';
  socket.deliver(sent, frame('room', 2), odd, frame('foreign', 4), 'bad', bytes);
  equal(notes.take(), [
    ['onframe', 'sent', sent],
    ['onframe', 'own', sent],
    ['onframe', 'delivered', frame('room', 2)],
    ['onmessage', 2],
    ['onframe', 'delivered', odd],
    ['onmessage', 3],
    ['onframe', 'foreign', frame('foreign', 4)],
    ['onframe', 'bad', 'bad'],
    ['onframe', 'bad', bytes],
  ]);
}

export function the_counters_are_exact_and_a_snapshot() {
  const { signaling, handle, socket } = connected();
  const zero = signaling.stats();
  const nothing = {
    sent: 0,
    sentBytes: 0,
    receivedBytes: 0,
    received: 0,
    delivered: 0,
    own: 0,
    foreign: 0,
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
  };
  equal(zero, nothing);
  for (let count = 0; count < 3; count += 1) handle.send(count);
  const given = [
    ...socket.frames.slice(0, 2),
    frame('room', 1),
    ...Array(4).fill(frame('f', 1)),
    ...Array(5).fill('bad'),
  ];
  socket.deliver(...given);
  const length = (frames) => frames.join('').length;
  signaling.openSocket({ channel: 'b' });
  socket.end();
  handle.send('é');
  const counted = {
    ...nothing,
    sent: 3,
    sentBytes: length(socket.frames),
    receivedBytes: length(given),
    received: 12,
    delivered: 1,
    own: 2,
    foreign: 4,
    bad: 5,
    // It has no connection by now.
    protocol: undefined,
  };
  equal(signaling.stats(), { ...counted, queued: 1, queuedBytes: 6, channels: 2 });
  equal(zero, nothing);
  clock.advance(500);
  sockets[1].accept();
  signaling.close();
  equal(signaling.stats(), {
    ...counted,
    sent: 4,
    sentBytes: length([...socket.frames, ...sockets[1].frames]),
    channels: 0,
    connects: 2,
    reconnects: 1,
  });
}
