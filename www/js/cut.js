// Cuts the page's connection like a pulled plug. The library isn't changed: this file replaces the
// browser's WebSocket, EventSource and `fetch` by ones that can be made to fail. Load it before the
// first connection is made.

const { WebSocket: BrowserSocket, EventSource: BrowserStream, fetch: browserFetch } = globalThis;
const sockets = new Set();
const streams = new Set();
let cutUntil = 0;

globalThis.WebSocket = new Proxy(BrowserSocket, {
  construct(target, values, made) {
    if (remaining() > 0) return new DeadSocket();
    const socket = Reflect.construct(target, values, made);
    sockets.add(socket);
    socket.addEventListener('close', () => sockets.delete(socket));
    return socket;
  },
});

globalThis.EventSource = new Proxy(BrowserStream, {
  construct(target, values, made) {
    const stream = Reflect.construct(target, values, made);
    streams.add(stream);
    if (remaining() > 0) setTimeout(end, 0, stream);
    return stream;
  },
});

globalThis.fetch = (...values) => (remaining() > 0 ? Promise.reject(new TypeError('the page has cut its connection')) : browserFetch(...values));

/** Cuts all connections. During the next `milliseconds` attempts to connect fail, too. */
export function cut(milliseconds = 0) {
  cutUntil = performance.now() + milliseconds;
  for (const socket of sockets) {
    // The events of a broken connection. Frames that still arrive are ignored, as with a real one.
    Object.defineProperty(socket, 'readyState', { value: BrowserSocket.CLOSED });
    socket.dispatchEvent(new Event('error'));
    socket.dispatchEvent(new CloseEvent('close', { code: 1006 }));
    socket.close();
  }
  streams.forEach(end);
}

/** Ends an event stream like a lost connection. */
function end(stream) {
  streams.delete(stream);
  stream.close();
  stream.dispatchEvent(new Event('error'));
}

/** How many milliseconds it stays cut. */
export function remaining() {
  return Math.max(cutUntil - performance.now(), 0);
}

/** A socket that never opens. */
class DeadSocket extends EventTarget {
  readyState = BrowserSocket.CONNECTING;
  #ended = setTimeout(() => {
    this.readyState = BrowserSocket.CLOSED;
    for (const event of [new Event('error'), new CloseEvent('close', { code: 1006 })]) {
      this.dispatchEvent(event);
      this[`on${event.type}`]?.(event);
    }
  });

  send() {
    throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
  }

  close() {
    clearTimeout(this.#ended);
  }
}
