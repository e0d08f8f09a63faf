// A connection's states and why, and when it is made again, in virtual time.
//
// What's tested
// * each change of state with its reason, its close code and the time of the next attempt
// * reconnecting: when, how often, which close codes end it, `reconnect: false`
// * a browser that makes no WebSocket

import {
  clock,
  connected,
  equal,
  isOurs,
  Notes,
  ok,
  refuse,
  refused,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function states_come_with_their_reasons() {
  const notes = new Notes();
  const signaling = new Signaling({
    url: 'ws://server.test/',
    onstatechange(state, detail) {
      ok(this === signaling, 'called as a method of the signaling');
      equal(signaling.state, state, 'what the signaling itself says');
      equal(arguments.length, 2);
      notes.taker(state)(detail);
    },
  });
  equal(signaling.state, 'idle');
  clock.advance(60_000);
  equal(sockets.length, 0, 'no socket without a channel');
  signaling.openSocket({});
  equal(notes.take(), [['connecting', { reason: 'the first channel was opened' }]]);
  sockets[0].accept();
  equal(notes.take(), [['open', { reason: 'connected' }]]);
  sockets[0].end(1011, 'out of memory');
  let [[state, detail]] = notes.take();
  equal(state, 'waiting');
  equal(Object.keys(detail), ['reason', 'code', 'retryIn']);
  equal(detail.code, 1011);
  ok(detail.reason.includes('out of memory'), detail.reason);
  const late = Number(clock.next) - detail.retryIn;
  ok(late > -1e-6 && late < 1, 'the timer runs then, in whole milliseconds');
  clock.advance(detail.retryIn + 1);
  equal(notes.take(), [['connecting', { reason: 'trying again' }]]);
  sockets[1].end(1006);
  [[state, detail]] = notes.take();
  equal([state, detail.code], ['waiting', 1006]);
  ok(detail.reason.includes('ws://server.test/'), detail.reason);
  clock.advance(detail.retryIn + 1);
  sockets[2].accept().end(1006);
  [[, detail]] = notes.take().slice(-1);
  ok(detail.reason.includes('lost'), detail.reason);
  signaling.close();
  equal(notes.take(), [['closed', { reason: 'closed by the page' }]]);
}

export function the_next_attempt_comes_at_its_time_and_not_before() {
  const { signaling, socket } = connected();
  let retryIn;
  signaling.onstatechange = (state, detail) => {
    retryIn = detail.retryIn ?? retryIn;
  };
  socket.end();
  ok(retryIn >= 0 && retryIn <= 500, `${retryIn} is within the base`);
  clock.advance(retryIn - 0.001);
  equal([sockets.length, signaling.state], [1, 'waiting']);
  // Timers have whole milliseconds.
  clock.advance(1);
  equal([sockets.length, signaling.state], [2, 'connecting']);
}

export function attempts_come_later_and_later_up_to_the_cap() {
  // Full jitter: from nothing up to a bound that doubles.
  const waits = [];
  for (let run = 0; run < 30; run += 1) {
    const signaling = new Signaling({
      url: 'ws://server.test/',
      reconnect: { base: 100, cap: 1000 },
    });
    signaling.openSocket({});
    for (let attempt = 0; attempt < 8; attempt += 1) {
      let retryIn;
      signaling.onstatechange = (state, detail) => {
        retryIn = detail.retryIn ?? retryIn;
      };
      sockets.at(-1).end();
      (waits[attempt] ??= []).push(retryIn);
      clock.advance(retryIn + 1);
    }
    signaling.close();
  }
  const bounds = [100, 200, 400, 800, 1000, 1000, 1000, 1000];
  waits.forEach((drawn, attempt) => {
    const longest = Math.max(...drawn);
    ok(
      longest <= bounds[attempt] && longest > bounds[attempt] / 2,
      `attempt ${attempt}: ${longest} of at most ${bounds[attempt]}`,
    );
    ok(Math.min(...drawn) < bounds[attempt] / 2, `attempt ${attempt}: ${Math.min(...drawn)}`);
  });
}

export function a_connection_that_worked_restarts_the_count() {
  const { signaling } = connected({ reconnect: { attempts: 2, base: 1, cap: 1 } });
  const lose = (after) => {
    clock.advance(after);
    sockets.at(-1).end();
    clock.advance(1);
    if (signaling.state === 'connecting') sockets.at(-1).accept();
  };
  for (let count = 0; count < 10; count += 1) {
    lose(5000);
    equal(signaling.state, 'open');
  }
  // A connection that is lost at once never worked.
  lose(4000);
  equal(signaling.state, 'open');
  lose(4000);
  equal(signaling.state, 'closed');
}

export function attempts_are_counted() {
  const notes = new Notes();
  const signaling = new Signaling({
    url: 'ws://server.test/',
    reconnect: { attempts: 2, base: 10 },
    onerror: notes.taker('onerror'),
    onstatechange: (state) => notes.taker(state)(),
  });
  const handle = signaling.openSocket({});
  handle.send(1);
  handle.send(2);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    sockets.at(-1).end();
    clock.advance(1000);
  }
  equal(sockets.length, 3);
  const calls = notes.take();
  equal(
    calls.map(([name]) => name),
    ['connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'onerror', 'closed'],
  );
  isOurs(calls[5][1], 'connection-failed', 'ws://server.test/', '2 unsent');
  refused(() => handle.send(3), 'signaling-closed');
  equal([clock.timers, signaling.stats().queued, signaling.stats().channels], [0, 0, 0]);
}

export function reconnect_false_means_never() {
  for (const reconnect of [false, { attempts: 0 }]) {
    for (const open of [true, false]) {
      const notes = new Notes();
      const signaling = new Signaling({
        url: 'ws://server.test/',
        reconnect,
        onerror: notes.taker('onerror'),
      });
      signaling.openSocket({});
      if (open) sockets.at(-1).accept();
      const made = sockets.length;
      sockets.at(-1).end(1001, 'bye');
      equal(signaling.state, 'closed');
      isOurs(notes.calls[0][1], 'connection-failed', 'bye');
      clock.advance(60_000);
      equal(sockets.length, made);
    }
  }
}

export function final_close_codes_are_final() {
  const ends = (code) => {
    const notes = new Notes();
    const { signaling, socket } = connected({
      onerror: notes.taker('onerror'),
      onstatechange: notes.taker('onstatechange'),
    });
    notes.take();
    socket.end(code, 'told');
    const { state } = signaling;
    if (state === 'closed') {
      isOurs(notes.calls[0][1], 'connection-failed', 'told');
      equal(notes.calls[1][2].code, code);
      clock.advance(100_000);
      equal(sockets.at(-1), socket);
    }
    signaling.close();
    return state;
  };
  for (const code of [3500, 3501, 3999, 4500, 4501, 4999]) {
    equal(ends(code), 'closed', `code ${code}`);
  }
  for (const code of [
    1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 3000, 3499, 4000, 4499,
  ]) {
    equal(ends(code), 'waiting', `code ${code}`);
  }
}

export function a_browser_that_refuses_to_make_a_socket() {
  const notes = new Notes();
  const signaling = new Signaling({
    url: 'ws://server.test:25/',
    onerror: notes.taker('onerror'),
    onstatechange: (state) => notes.taker(state)(),
  });
  refuse(new DOMException('the port 25 is blocked', 'SecurityError'));
  refused(
    () => signaling.openSocket({}),
    'connection-failed',
    'ws://server.test:25/',
    'the port 25 is blocked',
  );
  equal(signaling.state, 'closed');
  const calls = notes.take();
  equal(
    calls.map(([name]) => name),
    ['connecting', 'onerror', 'closed'],
  );
  isOurs(calls[1][1], 'connection-failed');
  refused(() => signaling.openSocket({}), 'signaling-closed');
  equal([clock.timers, signaling.stats().channels], [0, 0]);

  const { WebSocket } = globalThis;
  delete untyped(globalThis).WebSocket;
  refused(
    () => new Signaling({ url: 'ws://server.test/' }).openSocket({}),
    'connection-failed',
    'WebSocket',
  );
  untyped(globalThis).WebSocket = class {
    constructor() {
      throw null;
    }
  };
  refused(
    () => new Signaling({ url: 'ws://server.test/' }).openSocket({}),
    'connection-failed',
    'null',
  );
  globalThis.WebSocket = WebSocket;
}

/** As WebKit tells of a blocked port. */
export function an_error_event_alone_can_be_the_end() {
  const notes = new Notes();
  const { signaling, socket } = connected({
    onstatechange: (state, detail) => notes.taker(state)(detail),
    onerror: notes.taker('onerror'),
  });
  notes.take();
  // An error of a socket that is still open ends nothing.
  socket.err();
  equal([signaling.state, notes.take()], ['open', []]);
  const made = sockets.length;
  socket.block();
  const [[state, { code, reason }], ...more] = notes.take();
  equal([state, code, reason, more], ['waiting', 1006, 'the connection was lost', []]);
  clock.advance(500);
  equal(sockets.length, made + 1);
  sockets.at(-1).block();
  const [, { reason: why }] = notes.take().slice(-1)[0];
  equal(why, 'no connection to ws://server.test/ could be made');
  // Where `close` follows, it says nothing new.
  clock.advance(1000);
  notes.take();
  sockets.at(-1).end(1006);
  equal(notes.take().map(([state]) => state), ['waiting']);
}

export function a_refusal_at_the_next_attempt_ends_it_too() {
  const notes = new Notes();
  const { signaling, handle, socket } = connected({ onerror: notes.taker('onerror') });
  socket.end();
  handle.send(1);
  refuse(new DOMException('an insecure connection from a secure page', 'SecurityError'));
  clock.advance(500);
  equal(signaling.state, 'closed');
  isOurs(notes.calls[0][1], 'connection-failed', 'insecure', '1 unsent');
  refused(() => signaling.openSocket({}), 'signaling-closed');
}
