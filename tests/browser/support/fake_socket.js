// A WebSocket and a clock that a test drives by hand, in the place of the browser's own.
//
// What the page's code calls behaves as the real thing does where it can be told apart: a bad URL
// is refused, `send` throws while the socket connects and drops while it closes, `close` tells
// nobody at once, events are the browser's own objects, a timer runs once.

import { FakeEventSource, streams } from './fake_event_source.js';
import { fakeFetch } from './fake_fetch.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** The sockets that were made since `install`, in order. */
export const sockets = /** @type {import('./types').Known<FakeSocket>} */ (/** @type {unknown} */ ([]));

/**
 * What the next constructor calls throw, one each.
 *
 * @type {unknown[]}
 */
const refusals = [];

export class FakeSocket {
  static CONNECTING = CONNECTING;
  static OPEN = OPEN;
  static CLOSING = CLOSING;
  static CLOSED = CLOSED;

  readyState = CONNECTING;
  binaryType = 'blob';
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: Event) => void) | null} */
  onerror = null;
  /** @type {((event: CloseEvent) => void) | null} */
  onclose = null;

  /** The frames that were sent. */
  frames = /** @type {import('./types').Known<string>} */ (/** @type {unknown} */ ([]));
  /**
   * The frames that a closing or closed socket swallowed.
   *
   * @type {string[]}
   */
  swallowed = [];
  /** How often the page called `close`. */
  closings = 0;
  /**
   * Called with each frame from inside `send`, as an in-memory server would be.
   *
   * @type {((frame: string) => void) | null}
   */
  onsent = null;

  constructor(url, subprotocols = []) {
    if (refusals.length > 0) {
      throw refusals.shift();
    }
    const { href, protocol, hash } = new URL(url);
    if (!['ws:', 'wss:'].includes(protocol) || hash !== '' || url.includes('#')) {
      throw new DOMException(`the URL '${url}' is invalid`, 'SyntaxError');
    }
    this.url = href;
    this.subprotocols = subprotocols;
    sockets.push(this);
  }

  send(frame) {
    if (this.readyState === CONNECTING) {
      throw new DOMException('still in CONNECTING state', 'InvalidStateError');
    }
    (this.readyState === OPEN ? this.frames : this.swallowed).push(frame);
    this.onsent?.(frame);
  }

  close() {
    this.closings += 1;
    if (this.readyState < CLOSING) {
      this.readyState = CLOSING;
    }
  }

  /** The connection is there. */
  accept() {
    this.readyState = OPEN;
    this.#dispatch(new Event('open'));
    return this;
  }

  /** A frame comes in. */
  deliver(...frames) {
    for (const data of frames) {
      this.#dispatch(new MessageEvent('message', { data, origin: new URL(this.url).origin }));
    }
  }

  /** The connection ends, or couldn't be made. */
  end(code = 1006, reason = '') {
    this.readyState = CLOSED;
    if (code === 1006) {
      this.#dispatch(new Event('error'));
    }
    this.#dispatch(new CloseEvent('close', { code, reason, wasClean: code !== 1006 }));
  }

  /** The browser blocks the port: WebKit tells it by this event alone. */
  block() {
    this.readyState = CLOSED;
    this.#dispatch(new Event('error'));
  }

  /** An error that ends nothing. */
  err() {
    this.#dispatch(new Event('error'));
  }

  /** The connection is going down, and no event has told so yet. */
  sink() {
    this.readyState = CLOSING;
  }

  /** Whether an event would call anything. */
  get isHeard() {
    return [this.onopen, this.onmessage, this.onclose, this.onerror].some((handler) => typeof handler === 'function');
  }

  #dispatch(event) {
    try {
      this[`on${event.type}`]?.call(this, event);
    } catch (thrown) {
      reportError(thrown);
    }
  }
}

/** Time, which passes only in `advance`. */
export class Clock {
  /** No other clock's timer has the same id, nor one of the browser's. */
  static #lastId = 1_000_000_000;

  now = 5000.25;
  /** @type {Map<number, { due: number, callback: () => void }>} */
  #timers = new Map();
  /** By how much timers run early, as the browser's do that count in whole milliseconds. */
  early = 0;
  /** How often timers run at most, as in a hidden page; 0: whenever they are due. */
  late = 0;

  setTimeout(callback, delay = 0) {
    const id = ++Clock.#lastId;
    // The browser takes what it can't count for nothing.
    const wait = delay > 0x7fffffff ? 0 : Math.max(delay - this.early, 0);
    const due = this.now + wait;
    this.#timers.set(id, { due: this.late > 0 ? Math.ceil(due / this.late) * this.late : due, callback });
    return id;
  }

  clearTimeout(id) {
    // A signaling that a test left open may have set a timer of the browser's between two tests.
    if (!this.#timers.delete(id)) real.clearTimeout.call(globalThis, id);
  }

  /** How many timers are set. */
  get timers() {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; `undefined` if there is none. */
  get next() {
    const first = this.#first();
    return first && Math.max(first[1].due - this.now, 0);
  }

  /** Lets time pass, and runs what comes due in the course of it. */
  advance(milliseconds) {
    const end = this.now + milliseconds;
    for (let runs = 0; ; runs += 1) {
      const first = this.#first();
      if (first === undefined || first[1].due > end) {
        break;
      }
      if (runs === 10_000) {
        throw new Error('10,000 timers in one advance: they set each other for ever');
      }
      const [id, { due, callback }] = first;
      this.#timers.delete(id);
      // To run a timer takes a moment, too.
      this.now = Math.max(this.now, due) + (this.early > 0 ? 0.1 : 0);
      try {
        callback();
      } catch (thrown) {
        reportError(thrown);
      }
    }
    this.now = Math.max(this.now, end);
  }

  #first() {
    /** @type {[number, { due: number, callback: () => void }] | undefined} */
    let first;
    for (const timer of this.#timers) {
      if (first === undefined || timer[1].due < first[1].due) first = timer;
    }
    return first;
  }
}

/** The browser's own. */
export const real = { WebSocket: globalThis.WebSocket, EventSource: globalThis.EventSource, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, fetch: globalThis.fetch };

/** @type {Clock | null} */
let installed = null;

/**
 * Puts the stand-ins in the place of the browser's own; the clock only on demand, for it is
 * everybody's.
 */
export function install({ clock: withClock = true } = {}) {
  uninstall();
  sockets.length = 0;
  streams.length = 0;
  refusals.length = 0;
  const clock = new Clock();
  installed = clock;
  Object.assign(globalThis, { WebSocket: FakeSocket, EventSource: FakeEventSource, fetch: fakeFetch });
  if (withClock) {
    Object.assign(globalThis, {
      setTimeout: (callback, delay) => clock.setTimeout(callback, delay),
      clearTimeout: (id) => clock.clearTimeout(id),
    });
    performance.now = () => clock.now;
  }
  return clock;
}

/** Ends every signaling that has a connection or waits for one, and puts the browser's own back. */
export function uninstall() {
  if (installed === null) {
    return;
  }
  refusals.length = 0;
  for (let round = 0; round < 100 && (sockets.some((socket) => socket.isHeard) || installed.timers > 0); round += 1) {
    sockets.filter((socket) => socket.isHeard).forEach((socket) => socket.end(4500));
    installed.advance(installed.next ?? 0);
  }
  Object.assign(globalThis, real);
  Reflect.deleteProperty(performance, 'now');
  installed = null;
}

/** Lets the next socket's constructor throw. */
export function refuse(error) {
  refusals.push(error);
}
