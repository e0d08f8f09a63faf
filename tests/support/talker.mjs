// A WebSocket server that sends what a test tells it to, for what neither a real nor a scripted
// server would.

import { createServer } from 'node:http';
import { listen } from './listen.mjs';
import { upgrades } from './scripted.mjs';

/** The open packet of Engine.IO 4, with these members changed; `undefined` leaves one out. */
export function engineOpen(members = {}) {
  return `0${JSON.stringify({ sid: 'a', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000, ...members })}`;
}

/**
 * Starts one, at any path. Each that connects is sent the frames `greeting`, and for the first of
 * `replies`, `[pattern, text]`, that fits what came in, its text. `takes(url)` decides who may
 * connect: others are cut off right after the upgrade. `requests` are their addresses, `received`
 * all that was received.
 */
export async function talker({ greeting = [], replies = [], takes = () => true } = {}) {
  const sockets = new Set();
  const requests = [];
  const received = [];
  const http = createServer((_, response) => response.writeHead(404).end());
  upgrades(http, (request, url) => (socket) => {
    requests.push(request.url);
    if (!takes(url)) return socket.terminate();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    for (const frame of greeting) socket.send(frame);
    socket.on('message', (data) => {
      const text = data.toString('utf8');
      received.push(text);
      const reply = replies.find(([pattern]) => pattern.test(text));
      if (reply) socket.send(reply[1]);
    });
  });
  const place = await listen(http);
  return {
    url: `${place.origin}/`,
    requests,
    received,
    raw: (text) => sockets.forEach((socket) => socket.send(text)),
    connections: () => sockets.size,
    close: place.close,
  };
}
