// What most tests begin with: a signaling with a channel open, by one protocol or another.

import { equal, isOurs, ok } from './checks.js';
import { requests, settled } from './fake_fetch.js';
import { sockets } from './fake_socket.js';
import { Signaling } from './library.js';
import { Notes, noting } from './notes.js';
import { greet } from './relay.js';
import { servers } from './servers.js';
import { clock } from './stage.js';

/** The sender of the other page in these tests. */
export const OTHER = 17;

/** A signaling with the channel `room` open on an open socket, and the notes of that channel. */
export function connected(options = {}, config = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', ...options });
  const { notes, config: full } = noting({ channel: 'room', ...config });
  const handle = signaling.openSocket(full);
  const socket = sockets.at(-1).accept();
  return { signaling, handle, socket, notes, config: full };
}

/**
 * The same by a protocol that needs a handshake first. The frames and requests of the handshake are
 * forgotten. `server` is how its server speaks.
 *
 * @param {string} protocol
 */
export async function connectedBy(protocol, options = {}, config = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol, ...options });
  const { notes, config: full } = noting({ channel: 'room', ...config });
  const handle = signaling.openSocket(full);
  await settled();
  const server = servers[protocol];
  const socket = await server.up();
  socket.frames.length = 0;
  requests.length = 0;
  return { signaling, handle, socket, notes, config: full, server };
}

/**
 * A signaling with the channel `room` open through a stand-in of our relay, whose hello has the
 * members of `said`.
 */
export function joined(options = {}, config = {}, said = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto', ...options });
  const { notes, config: full } = noting({ channel: 'room', ...config });
  const handle = signaling.openSocket(full);
  const socket = greet(0, said);
  return { signaling, handle, socket, notes, config: full };
}

/**
 * Loses a connection, waits for the next attempt, and returns its socket, which is not accepted
 * yet.
 *
 * @param {import('./fake_socket.js').FakeSocket} socket
 */
export function comeBack(socket, code = 1006) {
  socket.end(code);
  return nextSocket();
}

/** The socket of the next attempt, which comes later and later until a connection has lasted. */
export function nextSocket() {
  const before = sockets.length;
  for (let wait = 0; wait < 20_000 && sockets.length === before; wait += 500) clock.advance(500);
  if (sockets.length === before) throw new Error('no attempt came');
  return sockets.at(-1);
}

/**
 * Gives each of these answers to a signaling's first request, and checks what follows. Each case:
 * the answer's body and status; the state that follows, the error's code or `null`, and parts of
 * the sentence that is said.
 *
 * @param {object} options
 * @param {any[][]} cases
 */
export async function answersGive(options, cases) {
  for (const [body, status, state, code, ...says] of cases) {
    const what = `${status} ${JSON.stringify(body)}`;
    const notes = new Notes();
    let detail;
    const signaling = new Signaling({
      ...options,
      onerror: notes.taker('onerror'),
      onstatechange: (_, told) => {
        detail = told;
      },
    });
    signaling.openSocket({});
    await settled();
    requests.at(-1).answer(body, status);
    await settled();
    equal(signaling.state, state, what);
    says.forEach((part) => ok(detail.reason.includes(part), `${what}: ${detail.reason}`));
    if (code) isOurs(notes.calls[0][1], code, ...says);
    else equal(notes.calls, [], what);
    equal(sockets.length, 0, what);
    signaling.close();
  }
}

/**
 * What another page's shim would send.
 *
 * @param {unknown} channel
 * @param {unknown} [message]
 * @param {unknown} [sender]
 */
export function frame(channel, message, sender = OTHER) {
  return JSON.stringify({ sender, channel, message });
}

/**
 * The messages in a socket's frames.
 *
 * @param {import('./fake_socket.js').FakeSocket} socket
 */
export function messages(socket) {
  return socket.frames.map((sent) => JSON.parse(sent).message);
}
