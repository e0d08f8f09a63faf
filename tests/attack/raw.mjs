// What attackers use: sockets that say what no library would, and don't read.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** Opens a TCP connection from the attacker's address. It isn't read before something asks for it. */
export async function open({ port, address }) {
  const socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true });
  socket.on('error', () => {});
  await heard(socket, 'connect', 'close');
  return socket;
}

/** Opens a WebSocket at `path` and reads no further than the answer, which it gives as `head`. */
export async function openWebSocket(target, path) {
  const socket = await open(target);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  const head = await data(socket);
  socket.pause();
  return Object.assign(socket, { head });
}

/** One frame as clients send it. */
export function frame(payload, { opcode = 1, fin = true } = {}) {
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | opcode;
  let head;
  if (body.length < 126) head = Buffer.from([first, 0x80 | body.length]);
  else if (body.length < 65_536) head = Buffer.from([first, 0x80 | 126, body.length >> 8, body.length & 255]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), body]);
}

/** A ping with the longest payload that one may have. */
export const PING = frame(Buffer.alloc(125, 'p'), { opcode: 9 });

/** Writes `chunk` again and again, as fast as the other side takes it, until the time is over. */
export async function pour(socket, chunk, until) {
  while (Date.now() < until && !socket.destroyed) {
    if (!socket.write(chunk)) await drained(socket, until - Date.now());
  }
}

/** Waits until the other side has taken what was written, or is gone, or the time is over. */
export function drained(socket, milliseconds = 60_000) {
  return Promise.race([heard(socket, 'drain', 'close'), pause(milliseconds)]);
}

/** The next that comes in; the empty text if nothing does before the end, or in time. */
export async function data(socket, milliseconds = 60_000) {
  const taken = await Promise.race([heard(socket, 'data', 'close'), pause(milliseconds)]);
  return Buffer.isBuffer(taken) ? taken.toString() : '';
}

/** Waits until the connection is closed, or the time is over. */
export function closed(socket, milliseconds) {
  return Promise.race([heard(socket, 'close'), pause(milliseconds)]);
}

/** Waits for the first of these events, and gives what came with it. */
function heard(socket, ...events) {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((done) => {
    const first = (value) => {
      for (const event of events) socket.off(event, first);
      done(value);
    };
    for (const event of events) socket.on(event, first);
  });
}

/** Waits so many milliseconds. */
export function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, Math.max(0, milliseconds)));
}
