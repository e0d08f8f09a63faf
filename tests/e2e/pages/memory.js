// What tests of memory do on a page: connections that come back thousands of times, channels that
// open and close; and, on demand, a leak.

import { install, sockets } from '/tests/browser/support/fake_socket.js';
import init, { Signaling } from '/signal-wasm/signal_wasm.js';

let memory;
for (const name of ['instantiate', 'instantiateStreaming']) {
  const instantiate = WebAssembly[name];
  WebAssembly[name] = async (...values) => {
    const made = await instantiate.apply(WebAssembly, values);
    // As it ships, its exports have short names.
    memory = Object.values((made.instance ?? made).exports).find((value) => value instanceof WebAssembly.Memory);
    return made;
  };
}
await init();

/** Of the session with the stand-in for our relay. */
const SECRET = '0123456789abcdef0123456789abcdef';

/** The size of wasm's memory, which never shrinks. */
export function wasmBytes() {
  return memory.buffer.byteLength;
}

/** What a leak holds on to. */
const kept = [];

/**
 * A signaling on a stand-in for our relay, in time that passes on demand. `reconnect(count, keep)`
 * loses its connection so often, with a message lost on the way, one answered and one received each
 * time; `keep` is called with the socket, and what it returns is kept for ever.
 */
export function onStandIn() {
  const clock = install();
  let heard = 0;
  let refs = 0;
  let ids = 0;
  const signaling = new Signaling({ url: 'ws://relay.test/', onstatechange() {}, ongap() {}, onerror() {}, onframe() {} });
  const handle = signaling.openSocket({ channel: 'room', onmessage: () => (heard += 1) });

  const answer = (socket) => {
    socket.onsent = (frame) => {
      const { open, ref, ping } = JSON.parse(frame);
      if (open) socket.deliver(`{"ack":${refs},"session":"${SECRET}"}`);
      if (ref !== undefined) socket.deliver(`{"ack":${(refs = ref)}}`);
      if (ping !== undefined) socket.deliver(`{"pong":${ping}}`);
    };
    socket.accept().deliver(`{"signal":1,"version":2,"session":"${SECRET}","epoch":"first","ping":25000}`);
  };
  answer(sockets[0]);
  handle.send('first');

  return {
    reconnect(count, keep) {
      for (let index = 0; index < count; index += 1) {
        const [socket] = sockets;
        socket.onsent = null;
        handle.send({ index, text: 'lost on the way' });
        socket.end();
        sockets.length = 0;
        const leak = keep?.(socket);
        if (leak !== undefined) kept.push(leak);
        // The longest first wait.
        clock.advance(500);
        if (sockets.length !== 1) throw new Error(`${sockets.length} sockets after reconnection ${index}`);
        answer(sockets[0]);
        handle.send({ index });
        ids += 1;
        sockets[0].deliver(`{"sender":17,"channel":"room","id":"${ids}","message":{"index":${index}}}`);
        // The connection worked: after the next loss the backoff starts again.
        clock.advance(6_000);
        sockets[0].frames.length = 0;
      }
      return { state: signaling.state, heard, ...signaling.stats() };
    },
  };
}

/**
 * A signaling on a stand-in for our relay that acknowledges each message only after the next one:
 * `talk(count)` sends so many, and the outbox is never empty.
 */
export function neverEmpty() {
  install();
  const signaling = new Signaling({ url: 'ws://relay.test/', protocol: 'relay' });
  const handle = signaling.openSocket({ channel: 'room', onmessage() {} });
  const [socket] = sockets;
  let due;
  socket.onsent = (frame) => {
    const { open, ref } = JSON.parse(frame);
    if (open) socket.deliver(`{"ack":0,"session":"${SECRET}"}`);
    if (ref === undefined) return;
    if (due !== undefined) socket.deliver(`{"ack":${due}}`);
    due = ref;
  };
  socket.accept().deliver(`{"signal":1,"version":2,"session":"${SECRET}","epoch":"first","ping":25000}`);
  return {
    talk(count) {
      for (let index = 0; index < count; index += 1) {
        handle.send(index);
        socket.frames.length = 0;
      }
      const { sent, queued } = signaling.stats();
      return { sent, queued };
    },
  };
}

/**
 * A signaling on a server, with the browser's own WebSockets and time. `reconnected(count)` waits
 * until it has come back that often; `channels(count, keep)` opens and closes so many channels, and
 * waits until the relay has seen them all.
 */
export async function onServer(url) {
  const signaling = new Signaling({ url, protocol: 'relay', reconnect: { base: 1, cap: 1 } });
  const handle = signaling.openSocket({ channel: 'room', onmessage() {} });
  await signaling.flushed();
  const until = async (condition) => {
    while (!condition()) await new Promise((done) => setTimeout(done, 1));
  };
  await until(() => signaling.state === 'open');

  return {
    signaling,
    reconnected: (count) => until(() => signaling.stats().reconnects >= count && signaling.state === 'open'),
    async channels(count, keep) {
      for (let index = 0; index < count; index += 1) {
        const channel = signaling.openSocket({ channel: `channel ${index % 500}`, onmessage() {}, onopen() {} });
        if (index % 10 === 0) channel.send(index);
        channel.close();
        if (keep) kept.push(keep(channel));
        // The relay answers each opening: a page that never reads would be cut off.
        if (index % 500 === 499) {
          handle.send('all done?');
          await signaling.flushed();
        }
      }
      await signaling.flushed();
      return { state: signaling.state, ...signaling.stats() };
    },
  };
}

/** Opens channels and leaves them so. */
export function leaveOpen(signaling, count) {
  for (let index = 0; index < count; index += 1) signaling.openSocket({ channel: `open ${index}`, onmessage() {} });
}
