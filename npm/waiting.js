// The public functions where the browser compiles the module only in the background: Chromium
// before 115 does so, on the main thread, with all modules over 4 kB. What is called meanwhile
// waits, and is done in order once the module is there. What it throws then goes to the signaling's
// `onerror`, or else to `reportError`.

import * as glue from '../pkg/signal_wasm_bg.js';
import * as api from './api.js';
import { snippets } from '../pkg/snippets.js';
import { startLater } from './module.js';

/** What the module's JavaScript exports. */
const { Channel, contentOf, dispatch, isSame } = Object.assign({}, ...Object.values(snippets));

const HANDLERS = ['onstatechange', 'ongap', 'onerror', 'onframe'];

let isWaiting = true;
/** What waits, in order. */
const calls = [];
/** The exceptions that the page has been told. */
const told = new Set();
/** The default signaling, as `configure` made it: `object`, default `channel` and `content`. */
let latest = {};

/** Compiles the module. Returns the public functions. */
export async function compile(bytes) {
  await startLater(bytes);
  // Handlers of the page may add calls.
  for (const call of calls) call();
  calls.length = 0;
  isWaiting = false;
}

/** `new Signaling(options)`. */
export function Signaling(options) {
  if (!new.target) return api.Signaling.call(this, options);
  if (!isWaiting) return Reflect.construct(api.Signaling, [options], new.target);
  const object = api.bare(new.target);
  prepare({ object, channel: options?.channel }, options, () => glue.Signaling.call(object, options));
  return object;
}
Signaling.prototype = api.Signaling.prototype;
Object.setPrototypeOf(Signaling, EventTarget);
Object.defineProperty(Signaling, 'name', { value: 'Signaling' });

export function configure(options) {
  if (!isWaiting) return api.configure(options);
  const content = contentOf(options);
  if (isSame(latest.content, content)) {
    for (const name of HANDLERS) if (options?.[name] !== undefined) latest.object[name] = options[name];
    return latest.object;
  }
  const object = api.bare();
  latest = { object, channel: options?.channel, content };
  prepare(latest, options, () => glue.configure(options, object));
  return object;
}

export const openSignalingChannel = hook('openSignalingChannel', () => latest);
export const openSocket = hook('openSocket', () => latest);

/** Makes a call of that signaling wait. */
function wait({ object }, call) {
  calls.push(() => {
    try {
      call();
    } catch (error) {
      if (!told.has(error)) tell(object, error);
      told.add(error);
    }
  });
}

function tell(object, error) {
  try {
    if (typeof object?.onerror === 'function') object.onerror(error);
    else reportError(error);
  } catch (thrown) {
    reportError(thrown);
  }
  dispatch(object, 'error', { error });
}

/** A function that opens a channel. `find` gives the signaling at the time of the call. */
function hook(name, find) {
  return function (config) {
    const signaling = isWaiting ? find() : {};
    const open = (given) => (signaling.object ?? api)[name].call(this, given);
    if (!isWaiting) return open(config);
    const names = [config?.channel, this?.channel, signaling.channel];
    const channel = names.find((name) => name && ['string', 'number'].includes(typeof name));
    return waitingHandle(signaling, String(channel ?? 'main-channel'), (handle) => open(withHandle(config, handle)));
  };
}

/** The handle of a channel that `open` opens. */
function waitingHandle(signaling, channel, open) {
  let real;
  const later = (call) => (isWaiting ? wait(signaling, call) : call());
  const handle = {
    send(message, options) {
      const copy = isWaiting ? copied(message) : message;
      later(() => real.send(copy, options));
    },
    channel,
    close: () => later(() => real.close()),
  };
  wait(signaling, () => {
    try {
      real = open(handle);
    } catch (error) {
      real = { send: thrower(error), channel, close() {} };
      throw error;
    }
    handle.channel = real.channel;
  });
  return handle;
}

/** A channel with several listeners. */
function waitingChannel(signaling, name, options) {
  const { signal } = Object(options);
  signal?.throwIfAborted();
  let real;
  const later = (call) => (isWaiting ? wait(signaling, call) : call());
  const channel = new Channel({
    name: String(name || signaling.channel || 'main-channel'),
    send(message, { ttl, settle }) {
      const copy = isWaiting ? copied(message) : message;
      const taking = new AbortController();
      if (settle) settle.number = taking;
      later(() => {
        if (!settle) real.send(copy, { ttl });
        // One that is aborted meanwhile isn't sent.
        else real.publish(copy, { ttl, signal: taking.signal }).then(settle.resolve, settle.reject);
      });
    },
    withdraw: (taking) => taking?.abort(),
    leave: () => later(() => real.close()),
    tell: (error) => tell(signaling.object, error),
    isOver: () => signaling.object.state === 'closed',
  });
  wait(signaling, () => {
    try {
      real = signaling.object.channel(name);
    } catch (error) {
      real = { send: thrower(error), publish: async () => thrower(error)(), close() {} };
      throw error;
    }
    real.on((message) => channel.receive(message));
    real.addEventListener('close', () => channel.close());
  });
  signal?.addEventListener('abort', () => channel.close());
  return channel;
}

/** The config, whose `callback` gets the handle that the page has already. */
function withHandle(config, handle) {
  if (typeof config?.callback !== 'function') return config;
  const get = (target, member) => (member === 'callback' ? () => target.callback(handle) : target[member]);
  return new Proxy(config, { get });
}

/** The message as it is now: the page may change it. What JSON can't hold is for `send` to refuse. */
function copied(message) {
  try {
    return JSON.parse(JSON.stringify(message));
  } catch {
    return message;
  }
}

/** Gives a signaling the members that it has until `construct` gives it the real ones. */
function prepare(signaling, options, construct) {
  const { object } = signaling;
  const method = (name, meanwhile) => (...values) => (isWaiting ? meanwhile(...values) : object[name](...values));
  const later = (name) => (options) => new Promise((resolve, reject) => {
    wait(signaling, () => {
      try {
        object[name](options).then(resolve, reject);
      } catch (error) {
        reject(error);
        throw error;
      }
    });
  });
  let resolveClosed;
  let settleConnected;
  const connected = new Promise((...settle) => {
    settleConnected = settle;
  });
  // The page may not wait for it.
  connected.catch(() => {});
  const close = method('close', () => wait(signaling, () => object.close()));
  const openSignalingChannel = hook('openSignalingChannel', () => signaling);
  const members = {
    openSignalingChannel,
    openSocket: hook('openSocket', () => signaling),
    attach: method('attach', (connection) => {
      wait(signaling, () => object.attach(connection));
      return Object.assign(connection, { openSignalingChannel });
    }),
    stats: method('stats', thrower(tooEarly('stats()'))),
    flushed: method('flushed', later('flushed')),
    connect: method('connect', later('connect')),
    disconnect: method('disconnect', () => wait(signaling, () => object.disconnect())),
    reconnect: method('reconnect', () => wait(signaling, () => object.reconnect())),
    channel: method('channel', (name, options) => waitingChannel(signaling, name, options)),
    addEventListener: method('addEventListener', (type, ...rest) => {
      EventTarget.prototype.addEventListener.call(object, type, ...rest);
      // The real one learns that somebody listens.
      wait(signaling, () => object.addEventListener(type, null));
    }),
    close,
    connected,
    state: 'idle',
    closed: new Promise((resolve) => {
      resolveClosed = resolve;
    }),
  };
  if (Symbol.dispose) members[Symbol.dispose] = close;
  Object.assign(object, members);
  Object.defineProperty(object, 'userid', { get: thrower(tooEarly('userid')), configurable: true });
  for (const name of HANDLERS) object[name] = options?.[name];

  wait(signaling, () => {
    const handlers = HANDLERS.map((name) => object[name]);
    for (const name of [...Object.keys(members), 'userid']) delete object[name];
    try {
      construct();
    } catch (error) {
      const fail = thrower(error);
      const failing = Object.keys(members).map((name) => [name, fail]);
      Object.assign(object, Object.fromEntries(failing), { state: 'closed', closed: members.closed, connected });
      settleConnected[1](error);
      resolveClosed({ reason: String(error.message ?? error) });
      throw error;
    } finally {
      HANDLERS.forEach((name, place) => {
        if (handlers[place] !== undefined) object[name] = handlers[place];
      });
    }
    object.closed.then(resolveClosed);
    object.connected.then(...settleConnected);
  });
}

function tooEarly(what) {
  const message = `${what} was read while signal-wasm is being compiled, which this browser does only in the background; read it in callback, onopen or onstatechange, or use the entry signal-wasm and await init()`;
  return Object.assign(new Error(message), { name: 'SignalingError', code: 'not-initialised' });
}

function thrower(error) {
  return () => {
    throw error;
  };
}
