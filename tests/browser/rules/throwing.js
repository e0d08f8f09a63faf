// What throws: a page's handlers, its objects, what it put in the place of the browser's functions.
// After each exception the signaling still receives and sends.
//
// What's tested
// * handlers, getters and methods that throw, and ways to report exceptions that throw themselves
// * functions of the browser that throw, each while everything that the library does happens
// * a WebSocket, a `fetch` and an `EventSource` of the page's own that aren't quite the browser's

import {
  clock,
  connected,
  equal,
  frame,
  joined,
  messages,
  noting,
  ok,
  pageEvents,
  refused,
  reported,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
  streams,
  thrownBy,
} from '../support/index.js';

const fail = () => {
  throw new Error('of the page');
};

/**
 * Puts a value in the place of a member, or deletes it where there is no value. Returns the way
 * back.
 *
 * @param {any} object
 * @param {string} member
 * @param {any[]} value
 */
function replace(object, member, ...value) {
  const own = Object.getOwnPropertyDescriptor(object, member);
  delete object[member];
  if (value.length > 0) Object.defineProperty(object, member, { value: value[0], configurable: true, writable: true });
  return () => {
    delete object[member];
    if (own) Object.defineProperty(object, member, own);
  };
}

/**
 * Checks that a channel receives and sends. The connection may have been lost before.
 *
 * @param {{ signaling: any, handle: any, notes: any }} channel
 * @param {string} what
 */
function works({ signaling, handle, notes }, what) {
  for (let wait = 0; wait < 10 && signaling.state !== 'open'; wait += 1) {
    if (sockets.at(-1).readyState === WebSocket.CONNECTING) sockets.at(-1).accept();
    else clock.advance(clock.next ?? 0);
  }
  equal(signaling.state, 'open', what);
  notes.take();
  sockets.at(-1).deliver(frame('room', what));
  equal(notes.take(), [['onmessage', what]], what);
  handle.send(what);
  equal(messages(sockets.at(-1)).at(-1), what, what);
}

/** Lets everything happen that a signaling with a channel does. */
function everything(signaling, handle) {
  const { notes, config } = noting({ channel: 'other' });
  const other = signaling.openSocket(config);
  sockets.at(-1).deliver(frame('room', 0), frame('other', 1), 'not JSON', frame('foreign', 2));
  handle.send(3);
  other.send(4, { ttl: 5 });
  clock.advance(1000);
  dispatchEvent(new Event('online'));
  sockets.at(-1).end();
  handle.send(5);
  clock.advance(1000);
  other.close();
  return notes.take();
}

/** How a page's exceptions can be reported, and what is reported in the end. */
const reporters = {
  'reportError and console.error are there': () => [],
  'reportError is missing': () => [replace(globalThis, 'reportError')],
  'reportError throws': () => [replace(globalThis, 'reportError', fail)],
  'reportError is missing and console.error throws': () => [replace(globalThis, 'reportError'), replace(console, 'error', fail)],
  'nothing is there': () => [replace(globalThis, 'reportError'), replace(globalThis, 'console')],
};

/** Each is called by what follows it. */
const handlers = {
  onmessage: ({ socket }) => socket.deliver(frame('failing', 1)),
  listener: ({ socket }) => socket.deliver(frame('listener', 1)),
  onopen: () => clock.advance(1000),
  callback: () => clock.advance(1000),
  onstatechange: ({ socket }) => socket.end(),
  onerror: ({ socket }) => socket.deliver('not JSON'),
  onframe: ({ socket }) => socket.deliver(frame('foreign', 1)),
};

export function a_handler_that_throws_however_it_is_reported() {
  for (const [how, install] of Object.entries(reporters)) {
    for (const [handler, trigger] of Object.entries(handlers)) {
      const channel = connected();
      const { signaling } = channel;
      const config = { channel: 'failing', onmessage: fail };
      signaling.openSocket(handler === 'callback' || handler === 'onopen' ? { ...config, [handler]: fail } : config);
      // A listener is the page's default channel's.
      if (handler === 'listener') Object.assign({ channel: 'listener', open: signaling.openSignalingChannel }).open(fail);
      if (handler in signaling || handler.startsWith('on')) signaling[handler] = fail;
      const noise = replace(console, 'error', () => {});
      const back = install();
      trigger(channel);
      back.reverse().forEach((restore) => restore());
      noise();
      equal(reported().length, how.endsWith('are there') ? 1 : 0, `${how}, ${handler}`);
      signaling[handler] = null;
      works(channel, `${how}, ${handler}`);
      signaling.close();
    }
  }
}

export function without_report_error_the_console_has_it() {
  const { socket } = connected({}, { onmessage: fail });
  const said = [];
  const back = [replace(globalThis, 'reportError'), replace(console, 'error', (error) => said.push(error.message))];
  socket.deliver(frame('room', 1));
  back.forEach((restore) => restore());
  equal(said, ['of the page']);
}

export function an_ongap_that_throws() {
  const { socket, notes } = joined({ ongap: fail });
  const back = [replace(globalThis, 'reportError'), replace(console, 'error', fail)];
  socket.deliver('{"gap":"room"}');
  back.forEach((restore) => restore());
  socket.deliver(frame('room', 2));
  equal(notes.take(), [['onmessage', 2]]);
}

export function getters_that_throw() {
  const channel = connected();
  const { signaling, socket } = channel;
  let failing = false;
  const config = { channel: 'failing' };
  for (const member of ['onmessage', 'onopen', 'callback']) {
    Object.defineProperty(config, member, { get: () => (failing ? fail() : undefined) });
  }
  signaling.openSocket(config);
  failing = true;
  socket.deliver(frame('failing', 1));
  clock.advance(1000);
  for (const member of ['onstatechange', 'onerror']) {
    Object.defineProperty(signaling, member, { get: fail, configurable: true });
  }
  socket.deliver('not JSON');
  socket.end();
  equal(reported().map(({ message }) => message), Array(4).fill('of the page'));
  for (const member of ['onstatechange', 'onerror']) delete signaling[member];
  works(channel, 'getters');
}

export function messages_that_throw_while_they_become_json() {
  const channel = connected();
  const { handle, signaling } = channel;
  let inside = 0;
  const odd = {
    toJSON() {
      inside += 1;
      if (inside === 1) handle.send(odd);
      signaling.stats();
      fail();
    },
  };
  refused(() => handle.send(odd), 'bad-message', 'of the page');
  equal(inside, 2);
  works(channel, 'toJSON');
  const back = replace(JSON, 'stringify', fail);
  const thrown = thrownBy(() => handle.send(1));
  back();
  equal(thrown.code, 'bad-message');
  works(channel, 'JSON.stringify');
}

/** Each makes one function of the browser throw. */
const functions = {
  'setTimeout': () => replace(globalThis, 'setTimeout', fail),
  'clearTimeout': () => replace(globalThis, 'clearTimeout', fail),
  'performance.now': () => replace(performance, 'now', fail),
  'queueMicrotask': () => replace(globalThis, 'queueMicrotask', fail),
  'crypto.getRandomValues': () => replace(crypto, 'getRandomValues', fail),
  'addEventListener': () => replace(globalThis, 'addEventListener', fail),
  'removeEventListener': () => replace(globalThis, 'removeEventListener', fail),
  'JSON.parse': () => replace(JSON, 'parse', fail),
};

export function functions_of_the_browser_that_throw() {
  const restoreDate = replace(Date, 'now', () => clock.now);
  for (const [name, install] of Object.entries(functions)) {
    const channel = connected();
    const restore = install();
    try {
      everything(channel.signaling, channel.handle);
    } finally {
      restore();
    }
    // A timer that couldn't be set is set by the next call.
    channel.handle.send('again');
    works(channel, name);
    equal(everything(channel.signaling, channel.handle), [['onmessage', 1], ['onopen']], name);
    channel.signaling.close();
    reported();
  }
  restoreDate();
}

export function a_signaling_that_is_made_while_they_throw() {
  for (const [name, install] of Object.entries(functions)) {
    // Without it there is no signaling, which `new Signaling` says.
    if (name === 'crypto.getRandomValues') continue;
    const restore = install();
    const signaling = new Signaling({ url: 'ws://server.test/' });
    const { notes, config } = noting({ channel: 'room' });
    const handle = signaling.openSocket(config);
    sockets.at(-1).accept();
    restore();
    works({ signaling, handle, notes }, name);
    signaling.close();
    reported();
  }
}

/**
 * Lets the next WebSocket be changed before the library has it.
 *
 * @param {(socket: any) => void} change
 */
function changeNextSocket(change) {
  const Before = globalThis.WebSocket;
  const restore = replace(
    globalThis,
    'WebSocket',
    class extends Before {
      constructor(url) {
        super(url);
        change(this);
      }
    },
  );
  return restore;
}

/** Sockets that differ from the browser's, as a page's wrapper may. */
const wrappers = {
  'send throws': (socket) => replace(socket, 'send', fail),
  'close throws': (socket) => replace(socket, 'close', fail),
  'binaryType is read-only': (socket) => Object.defineProperty(socket, 'binaryType', { get: () => 'blob' }),
  'binaryType throws': (socket) => Object.defineProperty(socket, 'binaryType', { set: fail }),
  'onerror throws': (socket) => Object.defineProperty(socket, 'onerror', { set: fail }),
  'close has no event': (socket) => setTimeout(() => socket.onclose?.()),
  'close has an odd event': (socket) => setTimeout(() => socket.onclose?.({ code: 'x', reason: Symbol('s') })),
  'message has no event': (socket) => setTimeout(() => thrownBy(() => socket.onmessage())),
};

export function sockets_that_are_not_quite_the_browsers() {
  for (const [name, change] of Object.entries(wrappers)) {
    const restore = changeNextSocket(change);
    const signaling = new Signaling({ url: 'ws://server.test/' });
    const { notes, config } = noting({ channel: 'room' });
    const handle = signaling.openSocket(config);
    restore();
    sockets.at(-1).accept();
    handle.send(1);
    clock.advance(0);
    works({ signaling, handle, notes }, name);
    sockets.at(-1).end();
    works({ signaling, handle, notes }, `${name}, on the next connection`);
    signaling.close();
    equal(signaling.state, 'closed', name);
    reported();
  }
}

export async function credentials_that_throw() {
  const odd = {
    'a proxy': new Proxy({}, { ownKeys: fail }),
    'toJSON': { toJSON: fail },
    'a getter': Object.defineProperty({}, 'a', { get: fail, enumerable: true }),
    'a member': { a: { toJSON: () => 'a', toString: fail, [Symbol.toPrimitive]: fail } },
  };
  for (const [name, auth] of Object.entries(odd)) {
    let given = auth;
    const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'socket.io', auth: () => given });
    const { notes, config } = noting({ channel: 'room' });
    signaling.openSocket(config);
    await settled();
    if (name !== 'a member') equal([name, signaling.state], [name, 'waiting']);
    given = { a: 1 };
    clock.advance(500);
    await settled();
    const socket = servers['socket.io'].up();
    socket.deliver(servers['socket.io'].wrap(frame('room', name)));
    equal(notes.take(), [['onmessage', name]], name);
    signaling.close();
  }
}

export async function a_fetch_that_is_not_quite_the_browsers() {
  for (const body of [undefined, null, 5, {}, ['{}'], Symbol('s')]) {
    const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'signalr' });
    const { notes, config } = noting({ channel: 'room' });
    signaling.openSocket(config);
    await settled();
    requests.at(-1).begin(200)(body);
    await settled();
    equal(signaling.state, 'waiting', String(body));
    clock.advance(500);
    await settled();
    const socket = await servers.signalr.up();
    socket.deliver(servers.signalr.wrap(frame('room', 1)));
    equal(notes.take(), [['onmessage', 1]], String(body));
    signaling.close();
  }
}

export function events_that_are_not_quite_the_browsers() {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'sse' });
  const { notes, config } = noting({ channel: 'room' });
  signaling.openSocket(config);
  const stream = streams.at(-1).accept();
  // A stand-in for EventSource may have plain objects for events.
  const listeners = [];
  stream.addEventListener = (type, listener) => listeners.push([type, listener]);
  signaling.close();
  const other = new Signaling({ url: 'ws://server.test/', protocol: 'sse' });
  const heard = noting({ channel: 'room' });
  const restore = replace(
    globalThis,
    'EventSource',
    class {
      static CLOSED = 2;
      readyState = 1;
      addEventListener = stream.addEventListener;
      removeEventListener() {}
      close = fail;
    },
  );
  other.openSocket(heard.config);
  restore();
  const deliver = (event) => listeners.find(([type]) => type === 'message')[1](event);
  for (const data of [undefined, {}, 5]) deliver({ type: 'message', data });
  deliver({ type: 'message', data: frame('room', 1) });
  equal(heard.notes.take(), [['onmessage', 1]]);
  equal(other.stats().bad, 3);
  other.close();
  equal(other.state, 'closed');
  reported();
  ok(notes.take().length === 0, 'the other one heard nothing');
}

export async function promises_of_another_kind() {
  // zone.js puts its own Promise there, whose methods refuse the browser's.
  const Zoned = class extends /** @type {any} */ (Promise) {};
  Zoned.prototype.then = function (resolved, rejected) {
    if (!(this instanceof Zoned)) throw new TypeError('of another kind');
    return Object.getPrototypeOf(Zoned).prototype.then.call(this, resolved, rejected);
  };
  const { fetch } = globalThis;
  const restore = [
    replace(globalThis, 'fetch', async (url, init) => {
      const response = await fetch(url, init);
      return { ...response, headers: response.headers, text: async () => response.text() };
    }),
    replace(globalThis, 'Promise', Zoned),
  ];
  try {
    const { notes, config } = noting({ channel: 'room' });
    new Signaling({ url: 'ws://server.test/', protocol: 'signalr' }).openSocket(config);
    await settled();
    const socket = await servers.signalr.up();
    socket.deliver(servers.signalr.wrap(frame('room', 1)));
    equal(notes.take(), [['onmessage', 1]]);
  } finally {
    restore.forEach((back) => back());
  }
}

export function listeners_that_cannot_be_removed() {
  const { signaling } = connected();
  const restore = replace(globalThis, 'removeEventListener', fail);
  signaling.close();
  restore();
  pageEvents.online();
  pageEvents.pagehide();
  pageEvents.pageshow();
  equal([reported(), signaling.state, sockets.length], [[], 'closed', 1]);
}

export function timers_that_throw_thousands_of_times() {
  const channel = connected();
  const restore = [replace(globalThis, 'setTimeout', fail), replace(globalThis, 'clearTimeout', fail)];
  const { handle, socket } = channel;
  for (let i = 0; i < 20_000; i += 1) handle.send(i, { ttl: i % 2 === 0 ? 5 : 50 });
  for (let i = 0; i < 20_000; i += 1) socket.deliver(frame('room', i));
  restore.forEach((back) => back());
  reported();
  works(channel, 'thousands');
}
