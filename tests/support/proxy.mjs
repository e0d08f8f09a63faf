// A TCP proxy between clients and a server that misbehaves on command: it cuts, stalls, delays,
// truncates, refuses, and swallows WebSocket messages.
//
// It has no chance and no plan of its own: when, where and how much is the caller's, so that a seed
// of the caller's repeats a run.

import { connect, createServer } from 'node:net';

/**
 * What may wait for a side that doesn't read, or is stalled, before the other side is no longer
 * read: then it feels it, as on a real network.
 */
const ROOM = 256 * 1024;

/** The two directions of a link: `up` is from the client to the server. */
export const DIRECTIONS = ['up', 'down'];

/**
 * Stands in front of the loopback port that `target()` gives; connections are refused while it
 * gives `undefined`.
 *
 * With `onmessage` what goes by is followed as WebSockets, and handed on message by message:
 * `onmessage(link, direction, text)` is called with each text message before it is handed on. It
 * may give `'swallow'`: then this message never arrives, without a sign; or `'cut'`: then the
 * link is cut before it.
 */
export async function proxy(target, { onmessage } = {}) {
  const links = new Set();
  let refusing = 0;
  let refused = 0;
  let last = 0;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    near.on('error', () => {});
    const port = target();
    if (port === undefined || Date.now() < refusing) {
      refused += 1;
      near.resetAndDestroy();
      return;
    }
    last += 1;
    const link = new Link(last, near, connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true }), onmessage);
    links.add(link);
    link.closed.then(() => links.delete(link));
  });
  await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  const { port } = server.address();

  return {
    port,
    url: `ws://127.0.0.1:${port}/`,
    /** The connections that there are, oldest first. */
    links: () => [...links],
    /** How many were refused so far. */
    refused: () => refused,
    /** Turns new connections away for so many milliseconds from now, by default until `accept`. */
    refuse: (milliseconds = Infinity) => (refusing = Date.now() + milliseconds),
    accept: () => (refusing = 0),
    /** Cuts every connection. */
    cut: (how) => links.forEach((link) => link.cut(how)),
    /** Every stall and delay is over, and nothing will be truncated. */
    calm: () => links.forEach((link) => link.calm()),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        links.forEach((link) => link.cut());
      }),
  };
}

/** One connection of a client's, and ours to the server for it. */
class Link {
  constructor(id, near, far, onmessage) {
    this.id = id;
    const look = onmessage && ((direction) => new Messages(direction, (text) => onmessage(this, direction, text)));
    this.up = new Direction(this, near, far, look?.('up'));
    this.down = new Direction(this, far, near, look?.('down'));
    const ended = (socket) => new Promise((done) => socket.once('close', done));
    this.closed = Promise.all([ended(near), ended(far)]);
    far.once('connect', () => (this.connected = true));
  }

  /** Whether it is worth a fault: there, and not stalled for good. */
  get alive() {
    return Boolean(this.connected) && !this.up.over && !this.down.over && !DIRECTIONS.some((direction) => this[direction].stalledUntil === Infinity);
  }

  /**
   * Ends both sides at once, and what is under way is gone: `'reset'` as a machine that lost its
   * state does, `'end'` as one whose process died.
   */
  cut(how = 'reset') {
    for (const direction of DIRECTIONS) this[direction].stop();
    for (const { source } of [this.up, this.down]) {
      if (how === 'end') source.destroy();
      else reset(source);
    }
  }

  /**
   * Hands nothing on in one direction, the end of the connection included, for so many milliseconds
   * or for good. What comes meanwhile waits.
   */
  stall(direction, milliseconds = Infinity) {
    this[direction].stall(milliseconds);
  }

  /** From now on each chunk takes `wait()` milliseconds; none overtakes another. */
  delay(direction, wait) {
    this[direction].wait = wait;
  }

  /** Hands on `part` (from 0 up to 1) of the next chunk, and cuts. */
  truncate(direction, part, how) {
    this[direction].truncation = { part, how };
  }

  /** What was asked for and hasn't come about yet won't. */
  calm() {
    for (const direction of DIRECTIONS) {
      this[direction].truncation = undefined;
      this[direction].wait = undefined;
      this[direction].stall(0);
    }
  }
}

const END = Symbol('end');
const RESET = Symbol('reset');

class Direction {
  #link;
  #messages;
  #queue = [];
  #waiting = 0;
  #timer;
  #lastDue = 0;
  #full = false;

  constructor(link, source, destination, messages) {
    this.#link = link;
    this.#messages = messages;
    this.source = source;
    this.destination = destination;
    this.stalledUntil = 0;
    this.over = false;
    source.on('data', (chunk) => this.#take(chunk));
    source.once('end', () => this.#put(END));
    source.once('close', () => this.#put(RESET));
    source.on('error', () => {});
    destination.on('drain', () => {
      this.#full = false;
      this.#pump();
    });
  }

  stall(milliseconds) {
    this.stalledUntil = milliseconds === Infinity ? Infinity : Date.now() + milliseconds;
    this.#pump();
  }

  stop() {
    this.over = true;
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #take(chunk) {
    if (this.over) return;
    if (!this.#messages) return this.#put(chunk);
    for (const part of this.#messages.split(chunk)) {
      if (part === 'cut') return this.#link.cut();
      this.#put(part);
    }
  }

  #put(item) {
    if (this.over) return;
    const due = Math.max(this.#lastDue, Date.now() + (this.wait?.() ?? 0));
    this.#lastDue = due;
    this.#queue.push({ item, due });
    this.#waiting += item.length ?? 0;
    if (this.#waiting > ROOM) this.source.pause();
    this.#pump();
  }

  #pump() {
    if (this.over) return;
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && !this.#full) {
      const { item, due } = this.#queue[0];
      const pause = Math.max(due, this.stalledUntil) - Date.now();
      if (pause > 0) {
        if (pause !== Infinity) this.#timer = setTimeout(() => this.#pump(), pause);
        return;
      }
      this.#queue.shift();
      this.#hand(item);
      if (this.over) return;
    }
  }

  #hand(item) {
    if (item === END || item === RESET) {
      if (item === END) this.destination.end();
      else if (!this.destination.destroyed) reset(this.destination);
      // A side that has sent its end may still receive; one that is gone may not.
      if (item === RESET) this.over = true;
      return;
    }
    this.#waiting -= item.length;
    if (this.#waiting <= ROOM && this.source.isPaused()) this.source.resume();
    if (this.truncation) {
      const { part, how } = this.truncation;
      const rest = item.subarray(0, Math.floor(item.length * part));
      // The part must be on its way before the end: a reset would overtake it.
      this.over = true;
      this.destination.write(rest, () => this.#link.cut(how));
      return;
    }
    if (this.destination.writable) this.#full = !this.destination.write(item);
  }
}

/** Ends a connection with a reset, where the system can do that. */
function reset(socket) {
  // While a socket is connecting there is nothing to reset. While one says its end, Node 20 takes
  // the order and never closes it: not even the process ends.
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Follows one direction of a WebSocket connection: what comes in pieces goes on as the HTTP head,
 * and then frame by frame.
 */
class Messages {
  #direction;
  #look;
  #bytes = Buffer.alloc(0);
  #headSeen = false;
  #text = [];

  constructor(direction, look) {
    this.#direction = direction;
    this.#look = look;
  }

  /** The parts to hand on; `'cut'` as the last of them means what it says. */
  split(chunk) {
    this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, chunk]) : chunk;
    const parts = [];
    if (!this.#headSeen) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return parts;
      parts.push(this.#bytes.subarray(0, end + 4));
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#headSeen = true;
    }
    for (let frame = readFrame(this.#bytes); frame; frame = readFrame(this.#bytes)) {
      const raw = this.#bytes.subarray(0, frame.length);
      this.#bytes = this.#bytes.subarray(frame.length);
      const fate = this.#fate(frame);
      if (fate !== 'swallow') parts.push(fate === 'cut' ? 'cut' : raw);
      if (fate === 'cut') break;
    }
    return parts;
  }

  #fate({ opcode, final, payload }) {
    if (opcode > 2) return undefined;
    this.#text = opcode === 0 ? [...this.#text, payload] : [payload];
    if (!final) return undefined;
    const pieces = this.#text.length;
    const fate = this.#look(Buffer.concat(this.#text).toString('utf8'));
    this.#text = [];
    if (fate === 'swallow' && pieces > 1) throw new Error(`a message in ${pieces} frames can't be swallowed: the first of them are through (${this.#direction})`);
    return fate;
  }
}

/** The WebSocket frame that `bytes` begins with, if all of it is there. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const masked = (bytes[1] & 0x80) !== 0;
  const wide = short === 127 ? 8 : short === 126 ? 2 : 0;
  const start = 2 + wide + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const size = wide === 8 ? Number(bytes.readBigUInt64BE(2)) : wide === 2 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + size) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + size));
  if (masked) {
    const mask = bytes.subarray(start - 4, start);
    for (let at = 0; at < payload.length; at += 1) payload[at] ^= mask[at & 3];
  }
  return { opcode: bytes[0] & 0x0f, final: (bytes[0] & 0x80) !== 0, payload, length: start + size };
}
