// An EventSource that a test drives by hand, in the place of the browser's own.
//
// As the real one it never says why it failed, counts its handlers as listeners, keeps the last id
// from one event to the next, and would connect again by itself if it weren't closed.

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;

/** The event streams that were made since `install`, in order. */
export const streams = /** @type {import('./types').Known<FakeEventSource>} */ (/** @type {unknown} */ ([]));

export class FakeEventSource {
  static CONNECTING = CONNECTING;
  static OPEN = OPEN;
  static CLOSED = CLOSED;

  readyState = CONNECTING;
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: Event) => void) | null} */
  onerror = null;

  /** How often the page called `close`. */
  closings = 0;
  #lastEventId = '';
  /** @type {[string, (event: Event) => void][]} */
  #listeners = [];

  constructor(url, { withCredentials = false } = {}) {
    this.url = new URL(url, location.href).href;
    this.withCredentials = withCredentials;
    streams.push(this);
  }

  addEventListener(type, listener) {
    this.#listeners.push([type, listener]);
  }

  removeEventListener(type, listener) {
    this.#listeners = this.#listeners.filter(([of, one]) => of !== type || one !== listener);
  }

  close() {
    this.closings += 1;
    this.readyState = CLOSED;
  }

  /** The members of its address's query. */
  get query() {
    return Object.fromEntries(new URL(this.url).searchParams);
  }

  /** The server answers with a stream. */
  accept() {
    this.readyState = OPEN;
    this.#dispatch(new Event('open'));
    return this;
  }

  /** An event comes in; without an id of its own it has the last one. */
  deliver(data, { type = 'message', id = this.#lastEventId } = {}) {
    this.#lastEventId = id;
    this.#dispatch(new MessageEvent(type, { data, lastEventId: id, origin: new URL(this.url).origin }));
  }

  /** The connection is lost; the browser is about to connect again. */
  lose() {
    this.readyState = CONNECTING;
    this.#dispatch(new Event('error'));
  }

  /** The server answers with something else, or with what the page may not read. */
  refuse() {
    this.readyState = CLOSED;
    this.#dispatch(new Event('error'));
  }

  /** Whether an event would call anything. */
  get isHeard() {
    const handlers = [this.onopen, this.onmessage, this.onerror];
    return handlers.some((handler) => typeof handler === 'function') || this.#listeners.length > 0;
  }

  #dispatch(event) {
    const listeners = this.#listeners.filter(([type]) => type === event.type);
    for (const listener of [this[`on${event.type}`], ...listeners.map(([, listener]) => listener)]) {
      try {
        listener?.call(this, event);
      } catch (thrown) {
        reportError(thrown);
      }
    }
  }
}
