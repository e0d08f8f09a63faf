// `channel.publish()`: a promise that one message is accepted.

import {
  ack,
  clock,
  comeBack,
  connectedBy,
  equal,
  FakeTransport,
  greet,
  isOurs,
  nextSocket,
  Notes,
  requests,
  settled,
  Signaling,
  sockets,
  streams,
  untyped,
} from '../support/index.js';

/** A signaling with `channel('room')` through a stand-in of our relay. */
function onRelay(options = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto', ...options });
  const channel = signaling.channel('room');
  return { signaling, channel, socket: greet(0) };
}

/** Notes how each promise ends. */
function watching() {
  const ends = {};
  return {
    ends,
    watch(name, promise) {
      promise.then(
        (value) => (ends[name] = value),
        (error) => (ends[name] = error.code ?? error.name ?? error),
      );
    },
    async take() {
      await settled();
      const taken = { ...ends };
      for (const name of Object.keys(ends)) delete ends[name];
      return taken;
    },
  };
}

export async function accepted_by_our_relay() {
  const { watch, take } = watching();
  const { channel, socket } = onRelay();
  watch('first', channel.publish(1));
  watch('second', channel.publish(2));
  equal(await take(), {});
  socket.deliver(ack(1));
  equal(await take(), { first: undefined });
  const next = comeBack(socket);
  equal(await take(), {});
  next.accept();
  equal(await take(), {});
  greet(2);
  equal(await take(), { second: undefined });
}

export async function accepted_by_an_ordinary_server() {
  const { watch, take } = watching();
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const channel = signaling.channel('room');
  watch('one', channel.publish(1));
  equal(await take(), {});
  sockets[0].accept();
  clock.advance(900);
  equal(await take(), {}, 'the server may still refuse it');
  clock.advance(200);
  equal(await take(), { one: undefined });
}

export async function dropped_in_each_way() {
  const { watch, take } = watching();
  const notes = new Notes();
  const { signaling, channel, socket } = onRelay({ onerror: notes.taker('onerror'), outbox: { messages: 2 } });
  watch('kept', channel.publish('kept'));
  socket.deliver(ack(1));
  equal(await take(), { kept: undefined });
  socket.end();
  watch('stale', channel.publish('stale', { ttl: 10 }));
  watch('fresh', channel.publish('fresh'));
  clock.advance(10);
  equal(await take(), { stale: 'message-expired' });
  watch('second', channel.publish('second'));
  watch('third', channel.publish('third'));
  equal(await take(), { fresh: 'outbox-full' });
  equal(notes.take().map(([, { code }]) => code), ['message-expired', 'outbox-full'], 'onerror fires too');
  // No other can be dropped for it.
  watch('big', channel.publish('x'.repeat(5_000_000)));
  watch('circle', channel.publish(untyped(1n)));
  watch('wrong', channel.publish(1, { ttl: -1 }));
  equal(await take(), { big: 'message-too-large', circle: 'bad-message', wrong: 'bad-option' });
  signaling.close();
  equal(await take(), { second: 'signaling-closed', third: 'signaling-closed' });
  watch('late', channel.publish('late'));
  equal(await take(), { late: 'signaling-closed' });
}

export async function refused_by_our_relay() {
  const { watch, take } = watching();
  const { channel, socket } = onRelay();
  watch('first', channel.publish(1));
  watch('second', channel.publish(2));
  socket.deliver('{"refused":"room","why":"No.","ref":2}', ack(2));
  equal(await take(), { first: undefined, second: 'message-refused' });
  // One that names no message.
  watch('third', channel.publish(3));
  socket.deliver('{"refused":"room","why":"No."}', ack(3));
  equal(await take(), { third: undefined });
}

export async function refused_by_a_hub_and_by_a_transport() {
  const { watch, take } = watching();
  const { signaling, socket } = await connectedBy('signalr');
  const channel = signaling.channel('room');
  watch('first', channel.publish(1));
  watch('second', channel.publish(2));
  const ids = socket.frames.map((text) => JSON.parse(text.slice(0, -1)).invocationId);
  socket.deliver(`{"type":3,"invocationId":"${ids[0]}","error":"No."}\u001e`, `{"type":3,"invocationId":"${ids[1]}"}\u001e`);
  equal(await take(), { first: 'message-refused', second: undefined });

  const transport = new FakeTransport();
  const own = new Signaling({ transport }).channel('room');
  transport.onopen();
  transport.onsent = (text) => {
    if (text.includes('bad')) throw Object.assign(new Error('No.'), { code: 'message-refused' });
  };
  watch('bad', own.publish('bad'));
  equal(await take(), { bad: 'message-refused' });
}

export async function refused_by_an_event_server() {
  const { watch, take } = watching();
  const channel = new Signaling({ url: 'ws://server.test/events', protocol: 'sse' }).channel('room');
  streams.at(-1).accept();
  watch('first', channel.publish(1));
  watch('second', channel.publish(2));
  await settled();
  requests.at(-1).answer('No.', 400);
  await settled();
  requests.at(-1).answer('', 204);
  equal(await take(), { first: 'message-refused', second: undefined });
}

export async function given_up() {
  const { watch, take } = watching();
  const { channel, socket } = onRelay();
  watch('poison', channel.publish('poison'));
  watch('good', channel.publish('good'));
  comeBack(socket, 1009);
  greet(0).end(1009);
  equal(await take(), { poison: 'message-given-up' });
  nextSocket();
  greet(0).deliver(ack(2));
  equal(await take(), { good: undefined });
}

export async function aborted() {
  const { watch, take } = watching();
  const { signaling, channel, socket } = onRelay();
  const controller = new AbortController();
  const { signal } = controller;
  watch('in flight', channel.publish('in flight', { signal }));
  socket.end();
  signaling.disconnect();
  watch('waiting', channel.publish('waiting', { signal }));
  watch('kept', channel.publish('kept', { signal: new AbortController().signal }));
  controller.abort('my reason');
  equal(await take(), { 'in flight': 'my reason', 'waiting': 'my reason' });
  watch('too late', channel.publish('too late', { signal }));
  equal(await take(), { 'too late': 'my reason' });
  equal(signaling.stats().queued, 1);
  signaling.connect();
  const next = greet(0);
  next.deliver(ack(3));
  equal(await take(), { kept: undefined });
  // Aborting what has settled changes nothing.
  const later = new AbortController();
  const accepted = channel.publish('accepted', { signal: later.signal });
  next.deliver(ack(4));
  equal(await accepted, undefined);
  later.abort();
}

export async function in_handlers() {
  const { watch, take } = watching();
  const { signaling, channel, socket } = onRelay({ outbox: { messages: 1 } });
  socket.end();
  // The page sends and asks inside the handler for the end of the message.
  signaling.onerror = ({ code }) => {
    if (code !== 'message-expired') return;
    channel.send('from the handler');
    watch('flushed', signaling.flushed());
  };
  watch('stale', channel.publish('stale', { ttl: 10 }));
  clock.advance(10);
  equal(await take(), { stale: 'message-expired' });
  const error = await new Promise((resolve) => {
    signaling.addEventListener('error', (event) => resolve(event.error), { once: true });
    watch('full', channel.publish('full'));
    channel.send('another');
  });
  isOurs(error, 'outbox-full');
  equal(await take(), { flushed: undefined, full: 'outbox-full' });
}
