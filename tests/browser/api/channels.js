// `signaling.channel()`: several listeners, several openings, loops, and its end.

import {
  clock,
  connected,
  equal,
  FakeTransport,
  frame,
  greet,
  isOurs,
  kept,
  messages,
  Notes,
  ok,
  refused,
  reported,
  settled,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

/** A signaling on an open socket, with `channel('room')`. */
function open(options = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', ...options });
  const channel = signaling.channel('room');
  return { signaling, channel, socket: sockets.at(-1).accept() };
}

/** Takes what a loop over the channel gives, in the background. */
function loop(channel) {
  const taken = [];
  const ended = (async () => {
    for await (const message of channel) taken.push(message);
    return 'ended';
  })();
  return { taken, ended };
}

export function a_listener_with_options_is_removed() {
  const { channel, socket } = open();
  const notes = new Notes();
  for (const options of [undefined, {}, { capture: true }, { passive: true }]) channel.on(notes.taker('message'), options)();
  socket.deliver(frame('room', 1));
  equal(notes.take(), []);
}

export async function a_message_that_comes_while_the_channel_is_opened() {
  const notes = new Notes();
  const transport = Object.assign(new FakeTransport(), {
    onopening() {
      transport.onopen();
      transport.onmessage(frame('room', 'early'));
    },
  });
  new Signaling({ transport }).channel('room').on(notes.taker('message'));
  await settled();
  equal(notes.take(), [['message', 'early']]);
}

export function each_listener_hears_each_message() {
  const { channel, socket } = open();
  const notes = new Notes();
  ok(channel instanceof EventTarget, 'an event target');
  equal(channel.name, 'room');
  const listener = ({ type, data }) => notes.taker('first')(type, data);
  channel.addEventListener('message', listener);
  const off = channel.on(notes.taker('second'));
  const controller = new AbortController();
  channel.on(notes.taker('third'), { signal: controller.signal });
  channel.on(notes.taker('once'), { once: true });
  socket.deliver(frame('room', { text: 1 }));
  equal(notes.take(), [['first', 'message', { text: 1 }], ['second', { text: 1 }], ['third', { text: 1 }], ['once', { text: 1 }]]);
  equal(off(), undefined);
  off();
  controller.abort();
  socket.deliver(frame('room', 2));
  equal(notes.take(), [['first', 'message', 2]]);
  channel.removeEventListener('message', listener);
  socket.deliver(frame('room', 3), frame('other', 4));
  equal(notes.take(), []);
}

export function a_listener_that_throws_keeps_nothing_from_the_others() {
  const { channel, socket } = open();
  const notes = new Notes();
  channel.on(() => {
    throw new Error('mine');
  });
  channel.on(notes.taker('heard'));
  socket.deliver(frame('room', 1), frame('room', 2));
  equal(notes.take(), [['heard', 1], ['heard', 2]]);
  equal(reported().map(({ message }) => message), ['mine', 'mine']);
}

export function a_channel_is_opened_several_times() {
  const { signaling, channel, socket } = open();
  const notes = new Notes();
  const second = signaling.channel('room');
  ok(second !== channel, 'each is closed by itself');
  channel.on(notes.taker('first'));
  second.on(notes.taker('second'));
  socket.deliver(frame('room', 1));
  equal(notes.take(), [['first', 1], ['second', 1]]);
  equal(signaling.stats().channels, 1);
  second.close();
  socket.deliver(frame('room', 2));
  equal(notes.take(), [['first', 2]]);
  channel.send('still open');
  refused(() => second.send(1), 'channel-closed', "'room'");
  channel.close();
  channel.close();
  equal(signaling.stats().channels, 0);
  socket.deliver(frame('room', 3));
  equal(notes.take(), []);
  // Opened again.
  signaling.channel('room').on(notes.taker('third'));
  socket.deliver(frame('room', 4));
  equal(notes.take(), [['third', 4]]);
}

export function the_functions_of_the_shim_beside_it() {
  const { signaling, channel, socket } = open();
  const notes = new Notes();
  channel.on(notes.taker('channel'));
  const handle = signaling.openSocket({ channel: 'room', onmessage: notes.taker('shim') });
  socket.deliver(frame('room', 1));
  equal(notes.take(), [['shim', 1]], 'the last opening receives');
  const again = signaling.channel('room');
  socket.deliver(frame('room', 2));
  equal(notes.take(), [['channel', 2]], 'which takes it back for all');
  handle.send('still');
  again.close();
  channel.close();
  equal([messages(socket), signaling.stats().channels], [['still'], 0]);
}

export function a_channel_that_is_given_back() {
  const { signaling, channel, socket } = open();
  const notes = new Notes();
  channel.on(notes.taker('first'));
  signaling.channel('room').on(notes.taker('second'));
  const early = signaling.openSocket({ channel: 'room', onmessage: notes.taker('early') });
  const late = signaling.openSocket({ channel: 'room', onmessage: notes.taker('late') });
  early.close();
  socket.deliver(frame('room', 1));
  equal(notes.take(), [['late', 1]], 'one that was taken over itself gives nothing back');
  late.close();
  socket.deliver(frame('room', 2));
  equal(notes.take(), [['first', 2], ['second', 2]]);
  channel.send('still open');
  late.close();
  early.close();
  equal([messages(socket), signaling.stats().channels], [['still open'], 1]);
  socket.deliver(frame('room', 3));
  equal(notes.take(), [['first', 3], ['second', 3]]);
  // The other hook, and a channel that nobody else has open.
  const hook = signaling.openSignalingChannel({ channel: 'room', onmessage: notes.taker('hook') });
  const own = signaling.openSocket({ channel: 'own', onmessage: notes.taker('own') });
  hook.close();
  own.close();
  socket.deliver(frame('room', 4), frame('own', 5));
  equal([notes.take(), signaling.stats().channels], [[['first', 4], ['second', 4]], 1]);
}

export function a_channel_that_is_given_back_stays_subscribed() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  signaling.channel('room').on(notes.taker('heard'));
  const socket = greet(0);
  const handle = signaling.openSocket({ channel: 'room' });
  const before = socket.frames.length;
  handle.close();
  equal(socket.frames.length, before, 'the relay hears nothing of it');
  socket.deliver(kept('room', 1, '1'));
  equal(notes.take(), [['heard', 1]]);
}

export function a_channel_whose_listeners_are_gone_isnt_given_back() {
  const { signaling, channel, socket } = open();
  const notes = new Notes();
  channel.on(notes.taker('channel'));
  const handle = signaling.openSocket({ channel: 'room', onmessage: notes.taker('shim') });
  channel.close();
  socket.deliver(frame('room', 1));
  handle.close();
  socket.deliver(frame('room', 2));
  equal([notes.take(), signaling.stats().channels], [[['shim', 1]], 0]);
  // Nor in a handler of the end.
  const other = open({
    reconnect: false,
    onerror: () => taken.close(),
  });
  const taken = other.signaling.openSocket({ channel: 'room' });
  other.socket.end();
  equal([other.signaling.state, reported()], ['closed', []]);
}

export function names() {
  const { signaling, socket } = open({ channel: 'default' });
  const notes = new Notes();
  const [number, unnamed] = [signaling.channel(7), signaling.channel()];
  equal([number.name, unnamed.name], ['7', 'default']);
  unnamed.on(notes.taker('unnamed'));
  signaling.channel('default').on(notes.taker('named'));
  socket.deliver(frame('default', 1));
  equal(notes.take(), [['unnamed', 1], ['named', 1]]);
  refused(() => signaling.channel(untyped({})), 'bad-config');
  refused(() => new Signaling({ url: 'ws://server.test/', channel: null }).channel(), 'no-channel');
  const { channel } = signaling;
  equal(channel('detached').name, 'detached');
  signaling.close();
  refused(() => channel('late'), 'signaling-closed');
}

export async function it_is_closed_with_its_signal_or_its_signaling() {
  const { signaling, channel } = open();
  const notes = new Notes();
  channel.addEventListener('close', () => notes.taker('first')());
  const controller = new AbortController();
  const second = signaling.channel('other', { signal: controller.signal });
  second.addEventListener('close', () => notes.taker('second')());
  controller.abort();
  equal([notes.take(), signaling.stats().channels], [[['second']], 1]);
  let thrown;
  try {
    signaling.channel('other', { signal: controller.signal });
  } catch (error) {
    thrown = error;
  }
  equal([thrown?.name, signaling.stats().channels], ['AbortError', 1]);
  signaling.close();
  await settled();
  equal(notes.take(), [['first']]);
  equal(channel.close(), undefined);
  refused(() => channel.send(1), 'signaling-closed');
  isOurs(await channel.publish(1).catch((error) => error), 'signaling-closed');
}

export async function sending_after_the_end_of_the_signaling() {
  const codes = [];
  const { signaling, channel } = open({ onstatechange: (state) => state === 'closed' && codes.push(thrownBy(() => channel.send(1)).code) });
  channel.addEventListener('close', () => codes.push(thrownBy(() => channel.send(1)).code));
  const closed = signaling.channel('other');
  closed.close();
  refused(() => closed.send(1), 'channel-closed', "'other'");
  signaling.close();
  codes.push(thrownBy(() => channel.send(1)).code);
  await settled();
  equal(codes, ['signaling-closed', 'signaling-closed', 'signaling-closed']);
  refused(() => channel.send(1), 'signaling-closed', 'new Signaling()');
  refused(() => closed.send(1), 'signaling-closed');
}

export async function a_loop_takes_one_message_after_the_other() {
  const { channel, socket } = open();
  const { taken, ended } = loop(channel);
  const second = loop(channel);
  socket.deliver(frame('room', 1), frame('room', 2));
  await settled();
  socket.deliver(frame('room', 3));
  await settled();
  equal([taken, second.taken], [[1, 2, 3], [1, 2, 3]]);
  socket.deliver(frame('room', 4));
  channel.close();
  equal([await ended, taken], ['ended', [1, 2, 3, 4]], 'what had come before the end is given');
  equal(await loop(channel).ended, 'ended', 'a closed channel has no more');
}

export async function a_loop_that_breaks_hears_no_more() {
  const { channel, socket } = open();
  const taken = [];
  const ended = (async () => {
    for await (const message of channel) {
      taken.push(message);
      if (message === 2) break;
    }
  })();
  socket.deliver(frame('room', 1), frame('room', 2), frame('room', 3));
  await ended;
  equal(taken, [1, 2]);
  const again = loop(channel);
  socket.deliver(frame('room', 4));
  await settled();
  equal(again.taken, [4]);
}

export async function a_loop_that_is_ended_while_it_waits() {
  const { channel, socket } = open();
  const loop = channel[Symbol.asyncIterator]();
  const results = [];
  for (const promise of [loop.next(), loop.next(), loop.return()]) promise.then((result) => results.push(result));
  await settled();
  equal(results, [0, 1, 2].map(() => ({ value: undefined, done: true })));
  equal(await loop.next(), { value: undefined, done: true });
  // Before its first step, and between two.
  equal(await channel[Symbol.asyncIterator]().return(), { value: undefined, done: true });
  const other = channel[Symbol.asyncIterator]();
  const message = other.next();
  await settled();
  socket.deliver(frame('room', 1), frame('room', 2));
  equal(await message, { value: 1, done: false });
  equal(await other.return(), { value: undefined, done: true });
  equal(await other.next(), { value: undefined, done: true }, 'what it had not taken is gone');
}

export async function a_loop_that_is_behind_loses_the_oldest() {
  const notes = new Notes();
  const { channel, socket } = open({ onerror: notes.taker('onerror') });
  const { taken, ended } = loop(channel);
  await settled();
  for (let message = 0; message < 1_010; message += 1) socket.deliver(frame('room', message));
  const calls = notes.take();
  equal(calls.length, 1, 'it is reported once');
  isOurs(calls[0][1], 'buffer-full', "'room'", '1000');
  await settled();
  channel.close();
  equal(await ended, 'ended');
  equal([taken.length, taken[0], taken.at(-1)], [1_000, 10, 1_009]);
}

export function disposing() {
  const { signaling, channel } = open();
  if (Symbol.dispose) channel[Symbol.dispose]();
  else channel.close();
  equal(signaling.stats().channels, 0);
}

export function messages_wait_as_ever() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const channel = signaling.channel('room');
  channel.send('early');
  channel.send('stale', { ttl: 10 });
  refused(() => channel.send('wrong', { ttl: -1 }), 'bad-option');
  clock.advance(10);
  equal(messages(sockets[0].accept()), ['early']);
  equal(connected().signaling.state, 'open');
}
