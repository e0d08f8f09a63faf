// A relay of an earlier version, as far as pages notice: it acknowledges what is published, and
// delivers it to the others that have the channel open. It decides on no rooms, resumes no session
// and replays nothing.

import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';

/** Starts one on a port, or any. `kill()` ends it. */
export async function olderRelay({ port = 0 } = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  const epoch = randomUUID();
  const channels = new Map();
  const ids = counter();
  server.on('connection', (socket) => {
    const session = randomUUID();
    channels.set(socket, new Set());
    socket.on('error', () => {});
    socket.on('close', () => channels.delete(socket));
    const send = (frame) => socket.send(JSON.stringify(frame));
    send({ signal: 1, version: 2, session, epoch, ping: 25_000 });
    socket.on('message', (data) => {
      const { open, close = [], ping, channel, ref, message, sender } = JSON.parse(data);
      for (const name of open ?? []) channels.get(socket).add(name);
      for (const name of close) channels.get(socket).delete(name);
      if (open) send({ ack: 0, session });
      if (ping !== undefined) send({ pong: ping });
      if (channel === undefined) return;
      const envelope = JSON.stringify({ sender, channel, id: String(ids()), message });
      for (const [other, open] of channels) if (other !== socket && open.has(channel)) other.send(envelope);
      if (ref !== undefined) send({ ack: ref });
    });
  });
  await new Promise((done, fail) => server.once('error', fail).once('listening', done));
  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    port: server.address().port,
    kill: () =>
      new Promise((done) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => done());
      }),
  };
}

function counter() {
  let last = 0;
  return () => (last += 1);
}
