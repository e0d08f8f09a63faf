// Cuts the page's connection, as a pulled plug does, without touching the library: what the library takes for the browser's WebSocket and `fetch`
// can be made to fail from here. It must be loaded before the first connection is made.

const { WebSocket: BrowserSocket, fetch: browserFetch } = globalThis;
const sockets = new Set();
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

globalThis.fetch = (...values) => (remaining() > 0 ? Promise.reject(new TypeError('the page has cut its connection')) : browserFetch(...values));

/** Cuts what is connected. For so many milliseconds from now every attempt to connect fails too. */
export function cut(milliseconds = 0) {
  cutUntil = performance.now() + milliseconds;
  for (const socket of sockets) {
    // What the browser tells of a connection that broke. Whatever is still under way to the page comes in vain, as it does then.
    Object.defineProperty(socket, 'readyState', { value: BrowserSocket.CLOSED });
    socket.dispatchEvent(new Event('error'));
    socket.dispatchEvent(new CloseEvent('close', { code: 1006 }));
    socket.close();
  }
}

/** For how many milliseconds it stays cut. */
export function remaining() {
  return Math.max(cutUntil - performance.now(), 0);
}

/** A socket that never comes up. */
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
