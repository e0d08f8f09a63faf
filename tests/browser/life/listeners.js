// The listeners for the page's events: added once while a signaling is in use, and removed; where
// there are no such events, nothing breaks.

import {
  clock,
  comeBack,
  connected,
  equal,
  greet,
  joined,
  pageEvents,
  refs,
  refuse,
  settled,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

const KINDS = ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange', 'freeze'];

/** Counts the listeners of each kind that are added to the window from now on, until `restore`. */
function watchListeners() {
  /** @type {Record<string, Set<unknown>>} */
  const listening = Object.fromEntries(KINDS.map((kind) => [kind, new Set()]));
  const { addEventListener, removeEventListener } = globalThis;
  globalThis.addEventListener = function (kind, listener, ...rest) {
    listening[kind]?.add(listener);
    return addEventListener.call(this, kind, listener, ...rest);
  };
  globalThis.removeEventListener = function (kind, listener, ...rest) {
    listening[kind]?.delete(listener);
    return removeEventListener.call(this, kind, listener, ...rest);
  };
  return {
    counts: () => KINDS.map((kind) => listening[kind].size),
    restore() {
      delete untyped(globalThis).addEventListener;
      delete untyped(globalThis).removeEventListener;
      Object.assign(globalThis, { addEventListener, removeEventListener });
    },
  };
}

export async function what_is_listened_to_and_how_long() {
  const { counts, restore } = watchListeners();
  try {
    const none = Array(KINDS.length).fill(0);
    const one = Array(KINDS.length).fill(1);
    const ends = {
      'close': ({ signaling }) => signaling.close(),
      'a final code': () => sockets.at(-1).end(4500),
      'no more attempts': () => {
        sockets.at(-1).end();
      },
      'close inside a handler': ({ signaling }) => {
        signaling.onstatechange = () => signaling.close();
        sockets.at(-1).end();
      },
      'close while put away': ({ signaling }) => {
        pageEvents.pagehide();
        signaling.close();
      },
    };
    for (const [name, end] of Object.entries(ends)) {
      const signaling = new Signaling({
        url: 'ws://server.test/',
        reconnect: { attempts: name === 'no more attempts' ? 1 : 5, base: 1, cap: 1 },
      });
      equal(counts(), none, 'an unused one needs nothing');
      signaling.openSocket({});
      equal(counts(), one, name);
      sockets.at(-1).accept().end();
      clock.advance(1);
      signaling.openSocket({ channel: 'another' });
      equal(counts(), one, `${name}: once, also after a reconnection`);
      end({ signaling });
      equal([signaling.state, counts()], ['closed', none], name);
    }
    // Two signalings, each with its own listeners.
    const pair = [connected(), connected()];
    equal(counts(), Array(KINDS.length).fill(2));
    pair[0].signaling.close();
    equal(counts(), one);
    pageEvents.pagehide();
    equal(pair[1].signaling.state, 'waiting');
    pair[1].signaling.close();
    equal(counts(), none);
    // Nothing is left of a socket that the browser refused, either.
    refuse(new DOMException('blocked', 'SecurityError'));
    thrownBy(() => new Signaling({ url: 'ws://server.test/' }).openSocket({}));
    equal(counts(), none, 'refused');
    // One whose address the page is still asked for.
    const asking = new Signaling({ url: () => new Promise(() => {}) });
    asking.openSocket({});
    await settled();
    asking.close();
    equal(counts(), none, 'asking');
  } finally {
    restore();
  }
}

export function where_there_are_no_such_events() {
  const { restore } = watchListeners();
  try {
    for (const there of [undefined, null, 5]) {
      untyped(globalThis).addEventListener = untyped(globalThis).removeEventListener = there;
      const { signaling, handle, socket } = joined();
      handle.send(1);
      comeBack(socket);
      equal(refs(greet(0)), [[1, 1]]);
      signaling.close();
      equal(signaling.state, 'closed');
    }
    // A function that throws.
    globalThis.addEventListener = globalThis.removeEventListener = () => {
      throw new Error('not here');
    };
    const { signaling, handle, socket } = joined();
    handle.send(1);
    equal(refs(socket), [[1, 1]]);
    signaling.close();
  } finally {
    restore();
  }
}

export function events_that_are_odd() {
  const { signaling } = joined();
  // A page may dispatch events of its own, with fewer members.
  for (const kind of ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange']) {
    dispatchEvent(new Event(kind));
    dispatchEvent(new CustomEvent(kind, { detail: { persisted: true } }));
    for (const persisted of [1, 'true', {}, null])
      dispatchEvent(Object.assign(new Event(kind), { persisted }));
  }
  equal([signaling.state, sockets.length], ['open', 1]);
}
