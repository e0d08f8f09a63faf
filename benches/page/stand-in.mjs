// A stand-in for WebSocket: it takes the handlers and the frames, and has no network.

const encoder = new TextEncoder();
const wire = new Uint8Array(300_000);

export class StandIn {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  static latest;

  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  readyState = StandIn.CONNECTING;
  bufferedAmount = 0;
  sent = 0;
  last = '';
  #listeners = new Map();

  constructor(url) {
    this.url = String(url);
    StandIn.latest = this;
  }
  addEventListener(type, listener) {
    this.#listeners.set(type, typeof listener === 'function' ? listener : (event) => listener.handleEvent(event));
  }
  removeEventListener(type) {
    this.#listeners.delete(type);
  }
  /** Reads the text into bytes, as a WebSocket does: text that was concatenated is joined only then. */
  send(text) {
    encoder.encodeInto(text, wire);
    this.sent++;
    this.last = text;
  }
  close() {
    this.readyState = StandIn.CLOSED;
  }
  open() {
    this.readyState = StandIn.OPEN;
    this.handler('open')?.call(this, new Event('open'));
  }
  receive(data) {
    this.handler('message').call(this, new MessageEvent('message', { data }));
  }
  handler(type) {
    return this[`on${type}`] ?? this.#listeners.get(type);
  }
}
