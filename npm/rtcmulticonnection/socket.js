// The socket that RTCMultiConnection 3 expects of `io(address)`: that of socket.io-client, as far as
// pages use it.

/** @typedef {(...values: any[]) => void} Listener */

/** What the page emits before it is connected waits; so many at most. */
const MOST_WAITING = 1000;

export class Socket {
  /** @type {Map<string, Listener[]>} */
  #listeners = new Map();
  /** @type {unknown[][] | undefined} */
  #waiting = [];
  #emit;
  #close;

  /**
   * @param {string} id
   * @param {(name: string, values: unknown[], acknowledge: Listener | undefined) => void} emit
   * @param {() => void} close
   */
  constructor(id, emit, close) {
    this.id = id;
    this.connected = false;
    this.#emit = emit;
    this.#close = close;
  }

  get disconnected() {
    return !this.connected;
  }

  /** @param {string} name @param {Listener} listener */
  on(name, listener) {
    if (typeof listener !== 'function') throw Object.assign(new TypeError(`on: the listener of ${String(name)} must be a function`), { code: 'bad-option' });
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return this;
  }

  /** @param {string} name @param {Listener} listener */
  once(name, listener) {
    /** @type {Listener} */
    const once = (...values) => {
      this.off(name, once);
      listener.apply(this, values);
    };
    return this.on(name, once);
  }

  /** @param {string} name @param {Listener} [listener] */
  off(name, listener) {
    const kept = (this.#listeners.get(name) ?? []).filter((other) => listener && other !== listener);
    this.#listeners.set(name, kept);
    return this;
  }

  /** Asks the others. The last value may be the function that gets the answer. @param {string} name @param {any[]} values */
  emit(name, ...values) {
    if (!this.#waiting) this.#pass(name, values);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push([name, ...values]);
    return this;
  }

  disconnect() {
    this.#waiting = [];
    this.#close();
    return this;
  }

  close() {
    return this.disconnect();
  }

  /** Calls the listeners of an event. @param {string} name @param {unknown[]} values */
  fire(name, ...values) {
    for (const listener of this.#listeners.get(name) ?? []) guarded(() => listener.apply(this, values));
  }

  /** The connection is up, or down. What the page emits while it is down waits in the signaling. @param {boolean} isUp */
  setConnected(isUp) {
    this.connected = isUp;
    if (!isUp) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.fire('connect');
    for (const [name, ...values] of waiting) this.#pass(String(name), values);
  }

  /** @param {string} name @param {any[]} values */
  #pass(name, values) {
    const acknowledge = typeof values.at(-1) === 'function' ? values.pop() : undefined;
    this.#emit(name, values, acknowledge);
  }
}

/** Calls a function of the page. What it throws is reported, and stops nothing else. @param {() => void} call */
export function guarded(call) {
  try {
    call();
  } catch (error) {
    if (typeof reportError === 'function') reportError(error);
    else console.error(error);
  }
}
