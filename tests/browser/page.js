// Runs a test's body, which is what a page would write: strict JavaScript, with the package's functions and the things below in scope.
//
// A test fails if it throws, if it checks nothing, and if an exception was reported (`reportError`, `window.onerror`, a rejected promise that
// nobody heard of) that it didn't ask for.

import * as signalWasm from '/wasm-bindgen-test';

// One after the other, so that the browser asks the server of `wasm-pack test` by one connection. That one (tiny_http 0.12) counts a thread as idle until the
// thread has woken up: of two connections that come at once, one may wait for the end of the other, which the browser keeps open, and the page is never loaded.
const { requests, settled } = await import('/tests/browser/fake_fetch.js');
const { FakeSocket, install, real, refuse, sockets, uninstall } = await import('/tests/browser/fake_socket.js');
const { FakeTransport } = await import('/tests/browser/fake_transport.js');
const relay = await import('/tests/browser/relay.js');
const said = await import('/tests/browser/servers.js');

const { openSignalingChannel, openSocket } = signalWasm;
const { servers } = said;

/**
 * Options of a test, which speaks the plain protocol unless it says another, or none at all: 'auto', the default, would first find out what the stand-in
 * is. What isn't a plain object goes on as it is; so do getters.
 */
function plain(options) {
  const isPlain = typeof options === 'object' && options !== null && Object.getPrototypeOf(options) === Object.prototype;
  if (!isPlain || 'protocol' in options || 'transport' in options) return options;
  return Object.defineProperty(Object.defineProperties({}, Object.getOwnPropertyDescriptors(options)), 'protocol', { value: 'websocket', enumerable: true });
}

const configure = (options, ...rest) => signalWasm.configure(plain(options), ...rest);

/** The signalings that a test made, which are closed behind it: a transport or an answer may be all that keeps one busy. */
let made = [];
const Signaling = new Proxy(signalWasm.Signaling, {
  construct(target, [options, ...rest], newTarget) {
    const signaling = Reflect.construct(target, [plain(options), ...rest], newTarget);
    made.push(new WeakRef(signaling));
    return signaling;
  },
});

/** The sender of the other page in these tests. */
const OTHER = 17;

let checks = 0;
let reports = [];

addEventListener('error', (event) => {
  reports.push(event.error);
  event.preventDefault();
});
addEventListener('unhandledrejection', (event) => {
  reports.push(event.reason);
  event.preventDefault();
});

/** A value as a failed check prints it. */
function show(value) {
  const seen = new Set();
  const replace = (_, part) => {
    if (typeof part === 'object' && part !== null) {
      if (seen.has(part)) return '[again]';
      seen.add(part);
    }
    if (part instanceof Error) return `${part.name} ${part.code}: ${part.message}`;
    return ['undefined', 'function', 'bigint', 'symbol'].includes(typeof part) || Number.isNaN(part) ? `[${String(part).slice(0, 80)}]` : part;
  };
  return JSON.stringify(value, replace)?.slice(0, 2000);
}

function same(left, right) {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  const keys = Reflect.ownKeys(left);
  return keys.length === Reflect.ownKeys(right).length && keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]));
}

/** Deep equality, prototypes included. */
function equal(actual, expected, what = 'value') {
  checks += 1;
  if (!same(actual, expected)) {
    throw new Error(`${what}:\n  is       ${show(actual)}\n  expected ${show(expected)}`);
  }
}

function ok(value, what) {
  checks += 1;
  if (!value) {
    throw new Error(`not so: ${what}`);
  }
}

/** Checks that an error is one of ours, and that its sentence holds each of `says`. */
function isOurs(error, code, ...says) {
  checks += 1;
  const wrongArgument = ['bad-config', 'bad-option', 'unknown-option', 'bad-url', 'no-channel', 'bad-message'].includes(code);
  const name = wrongArgument ? 'TypeError' : 'SignalingError';
  if (!(error instanceof Error) || error.code !== code || error.name !== name || error instanceof TypeError !== wrongArgument) {
    throw new Error(`expected a ${name} ${code}, got ${show(error)}`);
  }
  for (const part of says) {
    if (!error.message.includes(part)) {
      throw new Error(`the sentence should hold ${show(part)}: ${error.message}`);
    }
  }
  return error;
}

/** Checks that `call` throws an error of ours; see `isOurs`. */
function refused(call, code, ...says) {
  return isOurs(thrownBy(call), code, ...says);
}

/** What `call` throws. */
function thrownBy(call) {
  let result;
  try {
    result = call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error(`nothing was thrown by ${call}, but ${show(result)} returned`);
}

/** The exceptions that were reported since it was last asked. */
function reported() {
  return reports.splice(0);
}

/** A function that notes each call: `calls` holds `[name, ...arguments]`, `targets` what `this` was. */
class Notes {
  calls = [];
  targets = [];

  taker(name) {
    const notes = this;
    return function (...values) {
      notes.calls.push([name, ...values]);
      notes.targets.push(this);
    };
  }

  take() {
    this.targets = [];
    return this.calls.splice(0);
  }
}

/** A config that notes what is called on it. */
function noting(members = {}) {
  const notes = new Notes();
  return { notes, config: { onmessage: notes.taker('onmessage'), onopen: notes.taker('onopen'), ...members } };
}

/** A signaling with the channel `room` open on an open socket, and the notes of that channel. */
function connected(options = {}, config = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', ...options });
  const { notes, config: full } = noting({ channel: 'room', ...config });
  const handle = signaling.openSocket(full);
  const socket = sockets.at(-1).accept();
  return { signaling, handle, socket, notes, config: full };
}

/** The same by a protocol that needs some talk first; with the frames and requests of that talk forgotten. `server` is how its server speaks. */
async function connectedBy(protocol, options = {}, config = {}) {
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
 * What comes of the answers that a server may give when it is first asked. Each case: the body, the status; the state that comes of it, the error's code or `null`,
 * and what is said.
 */
async function answersGive(options, cases) {
  for (const [body, status, state, code, ...says] of cases) {
    const what = `${status} ${JSON.stringify(body)}`;
    const notes = new Notes();
    let detail;
    const signaling = new Signaling({ ...options, onerror: notes.taker('onerror'), onstatechange: (_, told) => { detail = told; } });
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

/** A signaling with the channel `room` open through a stand-in of our relay, which says in its hello what `said` has. */
function joined(options = {}, config = {}, said = {}) {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto', ...options });
  const { notes, config: full } = noting({ channel: 'room', ...config });
  const handle = signaling.openSocket(full);
  const socket = relay.greet(0, said);
  return { signaling, handle, socket, notes, config: full };
}

/** Loses a connection, waits for the next attempt, and returns its socket, which is not accepted yet. */
function comeBack(socket, clock, code = 1006) {
  const before = sockets.length;
  socket.end(code);
  // Attempts come later and later, until a connection has lasted.
  for (let wait = 0; wait < 20_000 && sockets.length === before; wait += 500) clock.advance(500);
  if (sockets.length === before) throw new Error('no attempt came');
  return sockets.at(-1);
}

/** What becomes of the page and its network, as the browser tells: `persisted` is what goes into the back/forward cache, or comes from there. */
const happen = {
  putAway: (persisted = true) => dispatchEvent(new PageTransitionEvent('pagehide', { persisted })),
  takenOut: (persisted = true) => dispatchEvent(new PageTransitionEvent('pageshow', { persisted })),
  online: () => dispatchEvent(new Event('online')),
  offline: () => dispatchEvent(new Event('offline')),
  // The document tells of these, and they come up to the window.
  hidden: () => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })),
  shown: () => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })),
};

/** What another page's shim would send. */
function frame(channel, message, sender = OTHER) {
  return JSON.stringify({ sender, channel, message });
}

/** The messages in a socket's frames. */
function messages(socket) {
  return socket.frames.map((sent) => JSON.parse(sent).message);
}

/** The module once more, as another page would have it: nothing configured, nothing open. */
let instances = 0;
async function freshModule() {
  const module = await import(`/wasm-bindgen-test.js?instance=${++instances}`);
  await module.default('/wasm-bindgen-test_bg.wasm');
  return module;
}

/** Has all garbage collected, and lets finalisers run. */
async function collect() {
  if (typeof globalThis.gc !== 'function') {
    throw new Error('gc() is missing: Chromium wants --js-flags=--expose-gc, which stands in webdriver.json');
  }
  // What a WeakRef was asked for stays until the present task is over.
  const nextTask = () => new Promise((resolve) => real.setTimeout.call(globalThis, resolve, 0));
  await nextTask();
  globalThis.gc();
  await nextTask();
}

/** Collects until `done` says so; a leak never does. */
async function collected(done) {
  for (let round = 0; round < 50 && !done(); round += 1) {
    await collect();
  }
  return done();
}

/** How much wasm holds: bytes of memory, and JavaScript values, which stand in its table. */
async function held() {
  const exports = Object.values(globalThis.wasmExports ?? (await signalWasm.default()));
  const bytes = exports.find((item) => item instanceof WebAssembly.Memory).buffer.byteLength;
  let values = 0;
  for (const table of exports.filter((item) => item instanceof WebAssembly.Table)) {
    for (let at = 0; at < table.length; at += 1) {
      // A free place holds null; undefined is a value like any other.
      values += table.get(at) === null ? 0 : 1;
    }
  }
  if (values === 0) {
    throw new Error('no table is exported: leaks of JavaScript values could not be seen');
  }
  return { bytes, values };
}

/**
 * Checks that, since it held `before`, wasm has kept nothing of each of so many rounds. A page of memory more may be chance, and so may a value
 * or two that a finaliser has yet to let go; what is kept of each round shows beside that if there are rounds enough.
 */
async function keptNothing(before, rounds) {
  let grown;
  for (let tries = 0; tries < 10; tries += 1) {
    const now = await held();
    grown = { bytes: now.bytes - before.bytes, values: now.values - before.values };
    // What only waits for its finaliser goes; a leak never does.
    if (grown.values < rounds / 20) break;
    await collect();
  }
  ok(grown.bytes <= 65_536 && grown.values < rounds / 20, `wasm keeps nothing of each round: after ${rounds} it holds ${show(grown)} more`);
}

function scope(clock) {
  return {
    configure, openSignalingChannel, openSocket, Signaling, FakeSocket, FakeTransport, OTHER, clock, sockets, refuse, equal, ok, isOurs, refused, thrownBy, reported, Notes, noting, connected,
    connectedBy, answersGive, joined, happen, comeBack: (socket, code) => comeBack(socket, clock, code), frame, messages, requests, settled, freshModule, collect, collected, held, keptNothing, ...relay, ...said,
  };
}

function begin(options) {
  const clock = install(options);
  checks = 0;
  reports = [];
  made = [];
  requests.length = 0;
  return scope(clock);
}

/** Takes the stand-ins down, and with them what still goes on. */
function clear() {
  made.splice(0).forEach((signaling) => signaling.deref()?.close());
  uninstall();
}

function end() {
  const left = reported();
  if (left.length > 0) {
    throw new Error(`reported, but not asked for: ${left.map(show).join('; ')}`);
  }
  if (checks === 0) {
    throw new Error('the test checked nothing');
  }
}

/** In a block of its own, so that a test may use our names for its own things. */
function source(body) {
  return `'use strict';{${body}\n}`;
}

/** Wasm's part of a stack is long and says nothing. */
function shorten(failure) {
  if (failure instanceof Error) {
    failure.stack = failure.stack.split('\n').filter((line) => !/wasm-(function|bindgen-test)|^\s+at (run|runAwaiting) /.test(line)).join('\n');
  }
  return failure;
}

/** Runs a test's body on stand-ins for socket and clock. */
export function run(body) {
  const things = begin();
  try {
    new Function(...Object.keys(things), source(body))(...Object.values(things));
    end();
  } catch (failure) {
    throw shorten(failure);
  } finally {
    clear();
  }
}

const AsyncFunction = (async () => undefined).constructor;

/** The same for a body that awaits. */
export async function runAwaiting(body, options) {
  const things = begin(options);
  try {
    await new AsyncFunction(...Object.keys(things), source(body))(...Object.values(things));
    // A rejection is reported when all promises have had their turn.
    await new Promise((resolve) => real.setTimeout.call(globalThis, resolve, 0));
    end();
  } catch (failure) {
    throw shorten(failure);
  } finally {
    clear();
  }
}

/** The same on the browser's own clock. */
export function runInRealTime(body) {
  return runAwaiting(body, { clock: false });
}

// For tests whose page is written in Rust.

let stageClock = null;

/** Puts up the stand-ins; with the browser's own clock, if that is asked for. */
export function setStage(inRealTime) {
  stageClock = begin({ clock: !inRealTime }).clock;
}

/** Lets time pass on the stand-in clock. */
export function pass(milliseconds) {
  stageClock.advance(milliseconds);
}

/** Takes them down. */
export function clearStage() {
  uninstall();
  const left = reported();
  if (left.length > 0) {
    throw new Error(`reported: ${left.map(show).join('; ')}`);
  }
}

/** The socket that was made as number `at`; the last one, if that is negative. */
export function socketAt(at) {
  return sockets.at(at);
}

/** The frames that a socket sent since it was last asked. */
export function takeFrames(socket) {
  return socket.frames.splice(0);
}

export { held, keptNothing };
