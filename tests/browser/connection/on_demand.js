// The page connects, disconnects and reconnects by its own calls.

import {
  ack,
  clock,
  connected,
  equal,
  FakeTransport,
  frame,
  hello,
  isOurs,
  joined,
  kept,
  messages,
  Notes,
  ok,
  pageEvents,
  refs,
  refuse,
  refused,
  reported,
  settled,
  Signaling,
  sockets,
} from '../support/index.js';

/** The result of a promise, as far as it is known. */
async function outcome(promise) {
  let result = 'pending';
  promise.then(
    () => (result = 'resolved'),
    // A DOMException has a number as its code.
    (error) => (result = typeof error.code === 'string' ? error.code : error.name),
  );
  await settled();
  return result;
}

export async function connect_before_a_channel_is_opened() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const promise = signaling.connect();
  equal([signaling.state, sockets.length], ['connecting', 1]);
  equal(await outcome(promise), 'pending');
  sockets[0].accept();
  equal(await outcome(promise), 'resolved');
  signaling.connect();
  signaling.openSocket({ channel: 'room' }).send(1);
  equal([sockets.length, messages(sockets[0])], [1, [1]]);
}

export async function the_promise_of_a_connection() {
  const { signaling, socket } = connected();
  equal(await outcome(signaling.connected), 'resolved');
  socket.end();
  const { connected: next } = signaling;
  ok(next === signaling.connected, 'all wait for the same');
  equal(await outcome(next), 'pending');
  clock.advance(500);
  sockets.at(-1).end();
  equal(await outcome(next), 'pending', 'others follow');
  clock.advance(1000);
  sockets.at(-1).accept();
  equal(await outcome(next), 'resolved');
  // Nobody waits for this one, so nothing is reported.
  sockets.at(-1).end();
  ok(signaling.connected instanceof Promise, 'a promise');
  const awaited = signaling.connected;
  signaling.close();
  isOurs(await awaited.catch((error) => error), 'signaling-closed');
  isOurs(await signaling.connect().catch((error) => error), 'signaling-closed');
  refused(() => signaling.reconnect(), 'signaling-closed');
  equal(signaling.disconnect(), undefined);
}

export async function waiting_can_be_aborted() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const controller = new AbortController();
  const promise = signaling.connect({ signal: controller.signal });
  const flushed = connected().signaling;
  controller.abort();
  equal(await outcome(promise), 'AbortError');
  equal(signaling.state, 'connecting', 'the attempt goes on');
  equal(await outcome(signaling.connect({ signal: controller.signal })), 'AbortError', 'aborted before');
  equal(await outcome(flushed.flushed({ signal: controller.signal })), 'AbortError');
  sockets[0].accept();
  equal(await outcome(signaling.connect({ signal: new AbortController().signal })), 'resolved');
}

export function a_disconnected_page_stays_so() {
  const notes = new Notes();
  const { signaling, handle, socket, notes: heard } = joined({ onstatechange: notes.taker('state') });
  socket.deliver(kept('room', 'before', '1'));
  handle.send(1);
  socket.deliver(ack(1));
  notes.take();
  equal(signaling.disconnect(), undefined);
  equal([signaling.state, socket.closings, socket.isHeard], ['idle', 1, false]);
  equal(notes.take(), [['state', 'idle', { reason: 'disconnected by the page' }]]);
  handle.send(2);
  signaling.openSocket({ channel: 'other' });
  for (const event of ['online', 'offline', 'pagehide', 'pageshow', 'shown', 'hidden']) pageEvents[event]();
  clock.advance(100_000);
  signaling.disconnect();
  equal([notes.take(), sockets.length, signaling.stats().queued], [[], 1, 1]);
  heard.take();
  signaling.connect();
  const next = sockets.at(-1).accept();
  next.deliver(hello());
  // The relay has kept the session: it knows what the page has received and sent.
  const [open] = next.frames.map((text) => JSON.parse(text));
  equal([open.session !== undefined, open.after], [true, { room: '1' }]);
  next.deliver(ack(1), kept('room', 'meanwhile', '2'));
  equal(refs(next), [[2, 2]]);
  equal(heard.take(), [['onmessage', 'meanwhile']]);
}

export function disconnect_inside_each_handler() {
  const handlers = {
    'onstatechange': (signaling, { socket }) => {
      signaling.onstatechange = (state) => state === 'waiting' && signaling.disconnect();
      socket.end();
    },
    'onmessage': (signaling, { socket, config }) => {
      config.onmessage = () => signaling.disconnect();
      socket.deliver(frame('room', 1), frame('room', 2));
    },
    'onframe': (signaling, { handle }) => {
      signaling.onframe = () => signaling.disconnect();
      handle.send(1);
    },
  };
  for (const [name, provoke] of Object.entries(handlers)) {
    const given = connected();
    provoke(given.signaling, given);
    equal([given.signaling.state, given.socket.isHeard], ['idle', false], name);
    given.signaling.onframe = null;
    const before = sockets.length;
    clock.advance(100_000);
    equal(sockets.length, before, name);
    given.signaling.connect();
    sockets.at(-1).accept();
    equal(given.signaling.state, 'open', name);
  }
}

export function a_transport_is_closed_and_opened_again() {
  const transport = new FakeTransport();
  const signaling = new Signaling({ transport });
  signaling.openSocket({ channel: 'room' });
  transport.onopen();
  signaling.disconnect();
  equal([signaling.state, transport.closings], ['idle', 1]);
  transport.onopen();
  equal(signaling.state, 'idle', 'a late event is stale');
  signaling.connect();
  transport.onopen();
  equal([signaling.state, transport.openings], ['open', 2]);
}

export function reconnect_tries_at_once() {
  const { signaling, socket } = connected({ reconnect: { base: 1_000_000, cap: 1_000_000 } });
  socket.end();
  equal(signaling.state, 'waiting');
  equal(signaling.reconnect(), undefined);
  equal([signaling.state, sockets.length], ['connecting', 2]);
  signaling.reconnect();
  equal(sockets.length, 2, 'the attempt goes on');
  sockets[1].end();
  signaling.disconnect();
  signaling.reconnect();
  equal([signaling.state, sockets.length], ['connecting', 3]);
}

export function reconnect_replaces_an_open_connection() {
  for (const { signaling, socket } of [connected(), joined()]) {
    const count = sockets.length;
    signaling.reconnect();
    equal([signaling.state, socket.closings, sockets.length], ['connecting', 1, count + 1]);
    signaling.reconnect();
    equal(sockets.length, count + 1, 'the attempt goes on');
  }
  const { signaling, handle } = connected();
  signaling.reconnect();
  handle.send('waits');
  sockets.at(-1).accept();
  equal([signaling.stats().connects, messages(sockets.at(-1))], [2, ['waits']]);
}

export function reconnect_with_a_transport_opens_it_again() {
  const transport = new FakeTransport();
  const signaling = new Signaling({ transport });
  const handle = signaling.openSocket({ channel: 'room' });
  transport.onopen();
  signaling.reconnect();
  equal([transport.closings, transport.openings, sockets.length], [1, 2, 0]);
  handle.send(1);
  transport.onopen();
  equal([transport.texts.length, sockets.length], [1, 0]);
}

export async function a_browser_that_refuses_to_connect() {
  const notes = new Notes();
  refuse(new DOMException('blocked', 'SecurityError'));
  const signaling = new Signaling({ url: 'ws://server.test/', onerror: notes.taker('onerror') });
  equal(await outcome(signaling.connect()), 'connection-failed');
  isOurs(notes.take()[0][1], 'connection-failed', 'blocked');
  equal(signaling.state, 'closed');
}

export async function a_connection_that_fails_for_good_says_why() {
  const ends = [
    { name: 'the server refuses', end: () => sockets.at(-1).end(4500, 'not here'), part: 'not here' },
    { name: 'no further attempt', reconnect: /** @type {const} */ (false), end: () => sockets.at(-1).end(1006), part: 'ws://server.test/' },
    { name: 'in the middle', end: () => sockets.at(-1).accept().end(4500, 'gone'), part: 'gone' },
  ];
  for (const { name, reconnect, end, part } of ends) {
    const told = [];
    const early = [];
    const signaling = new Signaling({
      url: 'ws://server.test/',
      reconnect,
      onerror: (error) => told.push(error),
      // The page learns of the end before its promise settles.
      onstatechange: (state) => state === 'closed' && early.push(signaling.connected.catch((error) => error)),
    });
    const first = signaling.connect().catch((error) => error);
    end();
    equal([signaling.state, told.length], ['closed', 1], name);
    isOurs(told[0], 'connection-failed', part);
    const errors = [await signaling.connected.catch((error) => error), await signaling.connect().catch((error) => error), await early[0]];
    if (name !== 'in the middle') errors.push(await first);
    ok(errors.every((error) => error === told[0]), `${name}: the error of onerror`);
    signaling.close();
    equal(await outcome(signaling.connected), 'connection-failed');
    equal(await outcome(signaling.flushed()), 'signaling-closed');
  }
  await settled();
  equal(reported(), [], 'nobody needs to wait for it');
}
