// Our relay, as far as a page sees it: what it says, and a connection through it that is up.

import { sockets } from './fake_socket.js';

/** The session that the first hello offers, and how often a relay gives a sign of life. */
export const SECRET = '0123456789abcdef0123456789abcdef';
export const PING = 25_000;

/** What a relay says first. */
export function hello({ session = SECRET, epoch = 'epoch 1', ping = PING, ...more } = {}) {
  return JSON.stringify({ signal: 1, version: 2, session, epoch, ping, ...more });
}

/** A message as a relay hands it on, with its id. */
export function kept(channel, message, id, sender = 17) {
  return JSON.stringify({ sender, channel, id, message });
}

/**
 * Up to which number messages are taken. The secret shows that the first such frame of a connection
 * is the relay's; it means nothing in later ones.
 */
export function ack(number, session = SECRET) {
  return `{"ack":${number},"session":"${session}"}`;
}

/**
 * Accepts the last socket as a relay does, up to the answer to what the page opens; `taken` is what
 * it has of the session.
 */
export function greet(taken = 0, said = {}) {
  const socket = sockets.at(-1).accept();
  socket.deliver(hello(said));
  socket.deliver(ack(taken, said.session));
  return socket;
}

/** The frames of a socket that carry messages, as `[ref, message]`. */
export function refs(socket) {
  return socket.frames.map((frame) => JSON.parse(frame)).filter((frame) => 'message' in frame).map(({ ref, message }) => [ref, message]);
}
