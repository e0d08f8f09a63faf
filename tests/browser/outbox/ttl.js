// `send(message, { ttl })`: a time after which a message is worth nothing.
//
// What's tested
// * values that can't be; messages that expire before a connection opens and while it is down, but
//   not once it has them
// * each is reported once, and in time

import {
  ack,
  clock,
  comeBack,
  connected,
  equal,
  hello,
  isOurs,
  joined,
  messages,
  Notes,
  refs,
  refused,
  settled,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function a_ttl_that_cannot_be() {
  const { signaling, handle, socket } = connected();
  for (const [ttl, shown] of [
    [-1, '-1'],
    [-Infinity, '-Infinity'],
    [NaN, 'NaN'],
    ['5', "'5'"],
    ['', "''"],
    [null, 'null'],
    [true, 'true'],
    [false, 'false'],
    [{}, 'an object'],
    [[5], 'an object'],
    [() => 5, 'a function'],
    [5n, '5'],
    [Symbol('s'), 'Symbol(s)'],
    [new Date(0), 'an object'],
  ]) {
    refused(() => handle.send(1, untyped({ ttl })), 'bad-option', 'ttl', shown, 'milliseconds');
  }
  equal([socket.frames, signaling.stats().queued], [[], 0], 'nothing was sent');
  for (const ttl of [undefined, 0, 0.5, 5, 1e300, Infinity, Number.MAX_VALUE, Number.MIN_VALUE, -0])
    handle.send(ttl ?? null, { ttl });
  equal(socket.frames.length, 9);
  // Libraries pass all kinds of values after the message.
  for (const odd of [
    null,
    undefined,
    5,
    'ttl',
    true,
    [],
    () => 1,
    Symbol('s'),
    {},
    { ttl: undefined },
    { channel: 'x' },
    Object.create(null),
  ])
    handle.send('odd', odd);
  equal(messages(socket).slice(9), Array(12).fill('odd'));
  untyped(handle).send(
    1,
    {
      get ttl() {
        throw new Error('mine');
      },
    },
    2,
  );
}

export function messages_that_expire_before_a_connection_comes() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/', onerror: notes.taker('onerror') });
  const handle = signaling.openSocket({ channel: 'room "1"' });
  handle.send('at once', { ttl: 0 });
  handle.send('short', { ttl: 100 });
  handle.send('long', { ttl: 1000 });
  handle.send('for ever');
  handle.send('just', { ttl: 500 });
  clock.advance(499);
  sockets[0].accept();
  equal(messages(sockets[0]), ['long', 'for ever', 'just']);
  equal(notes.targets, [signaling, signaling]);
  for (const [, error] of notes.take()) isOurs(error, 'message-expired', `'room "1"'`, 'ttl');
  equal(
    [signaling.stats().dropped, signaling.stats().queued, signaling.stats().queuedBytes],
    [2, 0, 0],
  );
  clock.advance(10_000);
  equal([notes.take(), signaling.stats().dropped], [[], 2], 'what went out does not expire');
}

export function messages_that_expire_while_it_is_down() {
  const notes = new Notes();
  const { signaling, handle, socket } = connected({
    onerror: notes.taker('onerror'),
    outbox: { messages: 2, overflow: 'throw' },
  });
  handle.send('goes', { ttl: 0 });
  equal(messages(socket), ['goes']);
  const next = comeBack(socket);
  handle.send('stale', { ttl: 100 });
  handle.send('waits');
  refused(() => handle.send('too many'), 'outbox-full');
  // Expired messages make room.
  clock.advance(100);
  handle.send('in its place');
  isOurs(notes.take()[0][1], 'message-expired');
  next.accept();
  equal(
    [messages(next), notes.take(), signaling.stats().dropped],
    [['waits', 'in its place'], [], 1],
  );
}

export async function the_drop_is_told_when_its_time_comes() {
  const notes = new Notes();
  const { signaling, handle, socket } = connected({
    onerror: notes.taker('onerror'),
    reconnect: { base: 60_000, cap: 60_000 },
  });
  socket.end(1006);
  handle.send('later', { ttl: 300 });
  handle.send('for ever');
  handle.send('soon', { ttl: 100 });
  const left = () => [notes.take().map(([, error]) => error.code), signaling.stats().queued];
  clock.advance(99);
  equal(left(), [[], 3]);
  clock.advance(1);
  equal(left(), [['message-expired'], 2], 'nobody sent, and no connection came');
  clock.advance(199);
  equal(left(), [[], 2]);
  clock.advance(1);
  equal(left(), [['message-expired'], 1]);
  // `flushed()` may have waited for it alone.
  const other = new Signaling({ url: 'ws://server.test/', onerror() {} });
  other.openSocket({}).send('stale', { ttl: 50 });
  let flushed = false;
  other.flushed().then(() => {
    flushed = true;
  });
  clock.advance(50);
  await settled();
  equal(flushed, true);
}

export function with_our_relay_too() {
  const notes = new Notes();
  const { signaling, handle, socket } = joined({ onerror: notes.taker('onerror') });
  handle.send('candidate', { ttl: 100 });
  clock.advance(200);
  // The relay has it, most likely, and is slow to acknowledge: nothing was dropped.
  handle.send('next');
  equal([notes.take(), signaling.stats().dropped], [[], 0], 'it is on its way');
  socket.deliver(ack(2));
  equal([signaling.stats().queued, signaling.stats().dropped], [0, 0]);
  // Lost with the connection, and expired before the next.
  handle.send('stale', { ttl: 100 });
  handle.send('taken', { ttl: 100 });
  handle.send('fresh', { ttl: 1e6 });
  let next = comeBack(socket);
  clock.advance(100);
  next.accept().deliver(hello(), ack(2));
  equal(refs(next), [[5, 'fresh']]);
  equal(
    notes.calls.map(([, error]) => error.code),
    ['message-expired', 'message-expired'],
  );
  equal([signaling.stats().dropped, signaling.stats().queued], [2, 1]);
  next.deliver(ack(5));
  notes.take();
  // A message that the relay acknowledges late was not dropped.
  handle.send('taken', { ttl: 100 });
  next = comeBack(next);
  clock.advance(100);
  next.accept().deliver(hello(), ack(6));
  equal(
    [refs(next), notes.take(), signaling.stats().dropped, signaling.stats().queued],
    [[], [], 2, 0],
  );
}

export function sending_and_closing_inside_the_report() {
  const codes = [];
  const signaling = new Signaling({
    url: 'ws://server.test/',
    onerror(error) {
      codes.push(error.code);
      if (codes.length < 3) handle.send('again', { ttl: 0 });
      else signaling.close();
    },
  });
  const handle = signaling.openSocket({});
  handle.send(1, { ttl: 0 });
  handle.send(2);
  equal(codes.length, 1, 'what the handler sends has a time of its own');
  clock.advance(1);
  clock.advance(1);
  equal(
    [codes, signaling.state],
    [['message-expired', 'message-expired', 'message-expired'], 'closed'],
  );
  equal(sockets[0].frames, []);
}

export function a_ttl_of_the_channel_is_for_messages_without_one() {
  const { notes, signaling } = quiet();
  const handle = signaling.openSocket({ channel: 'room', ttl: 100 });
  const { send } = signaling.openSocket({ channel: 'other' });
  handle.send('announcement');
  handle.send('offer', { ttl: Infinity });
  handle.send('candidate', { ttl: 50 });
  send('hello');
  clock.advance(50);
  equal(notes.take().length, 1);
  clock.advance(50);
  equal(notes.take().length, 1);
  clock.advance(5_000);
  equal(messages(sockets.at(-1).accept()), ['offer', 'hello']);
  equal(notes.take(), []);
}

export function a_ttl_of_the_channel_that_cannot_be() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  for (const [ttl, shown] of [
    [-1, '-1'],
    [NaN, 'NaN'],
    ['5', "'5'"],
    [null, 'null'],
    [{}, 'an object'],
  ]) {
    const config = untyped({ ttl });
    refused(() => signaling.openSocket(config), 'bad-config', 'ttl', shown, 'milliseconds');
  }
  equal(signaling.state, 'idle');
}

/** A signaling whose errors are noted. */
function quiet() {
  const notes = new Notes();
  const onerror = notes.taker('onerror');
  return { notes, signaling: new Signaling({ url: 'ws://server.test/', onerror }) };
}
