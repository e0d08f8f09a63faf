// The lifecycle of a page: put into the back/forward cache and shown again, hidden with timers that
// run late.
//
// What's tested
// * a page in the back/forward cache gives up its connection in every state, says so, and
//   reconnects; nothing is lost
// * one that is unloaded, or was never in the cache, changes nothing
// * timers that run late: a hidden page checks the connection when it is shown, and gives up no
//   working one before

import {
  ack,
  clock,
  connected,
  equal,
  greet,
  hello,
  joined,
  kept,
  nextSocket,
  Notes,
  noting,
  ok,
  pageEvents,
  refs,
  SECRET,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function a_page_that_is_put_away_and_comes_back() {
  const notes = new Notes();
  const { signaling, handle, socket } = joined({
    onstatechange: notes.taker('state'),
    onerror: notes.taker('onerror'),
  });
  socket.deliver(kept('room', 1, '1'));
  [1, 2, 3].forEach((message) => handle.send(message));
  socket.deliver(ack(1));
  clock.advance(1000);
  notes.take();
  pageEvents.pagehide();
  equal(notes.take(), [['state', 'waiting', { reason: 'the page was put away' }]]);
  ok(!socket.isHeard && socket.closings === 1, 'a connection would keep the page from being kept');
  handle.send('just before it froze');
  // It stays in the cache for a day: no timer may run.
  equal(clock.timers, 0);
  clock.advance(86_400_000);
  equal([sockets.length, signaling.state], [1, 'waiting']);
  pageEvents.pageshow();
  const [[, state, detail]] = notes.take();
  equal(
    [state, detail.reason, detail.retryIn >= 0 && detail.retryIn <= 1000],
    ['waiting', 'the page is back', true],
  );
  clock.advance(detail.retryIn + 1);
  equal([sockets.length, signaling.state], [2, 'connecting']);
  sockets[1].accept().deliver(hello());
  equal(JSON.parse(sockets[1].frames[0]), {
    open: ['room'],
    after: { room: '1' },
    session: SECRET,
  });
  sockets[1].deliver(ack(2));
  equal(
    [refs(sockets[1]), signaling.stats().queued],
    [
      [
        [3, 3],
        [4, 'just before it froze'],
      ],
      2,
    ],
    'what was not acknowledged goes again',
  );
  equal(signaling.stats().reconnects, 1);
}

export function put_away_in_each_state() {
  const prepare = {
    'connecting': () => {
      const signaling = new Signaling({ url: 'ws://server.test/' });
      signaling.openSocket({ channel: 'room' }).send(1);
      return signaling;
    },
    'open, not greeted': () => {
      const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
      signaling.openSocket({ channel: 'room' }).send(1);
      sockets.at(-1).accept();
      return signaling;
    },
    'open, greeted': () => {
      const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
      signaling.openSocket({ channel: 'room' }).send(1);
      sockets.at(-1).accept().deliver(hello());
      return signaling;
    },
    'open': () => {
      const { signaling, socket, handle } = connected();
      socket.sink();
      handle.send(1);
      sockets.at(-1).end();
      nextSocket().accept();
      handle.send(1);
      return signaling;
    },
    'open, relay': () => {
      const { signaling, handle } = joined();
      handle.send(1);
      return signaling;
    },
    'waiting': () => {
      const { signaling, socket, handle } = connected();
      socket.end();
      handle.send(1);
      return signaling;
    },
  };
  for (const [name, make] of Object.entries(prepare)) {
    const signaling = make();
    const [state] = name.split(',');
    equal(signaling.state, state, name);
    const states = [];
    signaling.onstatechange = (next, { reason }) => states.push([next, reason]);
    pageEvents.pagehide();
    equal([states, signaling.state], [[['waiting', 'the page was put away']], 'waiting'], name);
    // Again, and network events there change nothing.
    const made = sockets.length;
    pageEvents.online();
    pageEvents.offline();
    pageEvents.shown();
    pageEvents.hidden();
    clock.advance(10_000_000);
    equal(
      [sockets.length, signaling.state, sockets.some((socket) => socket.isHeard)],
      [made, 'waiting', false],
      name,
    );
    pageEvents.pageshow();
    clock.advance(1000);
    equal([sockets.length, signaling.state], [made + 1, 'connecting'], name);
    greet(0);
    clock.advance(250);
    equal(signaling.state, 'open', name);
    signaling.close();
  }
  // In these states there is nothing to give up.
  const idle = new Signaling({ url: 'ws://server.test/' });
  const closed = connected().signaling;
  closed.close();
  const told = [];
  idle.onstatechange = closed.onstatechange = (state) => told.push(state);
  pageEvents.pagehide();
  pageEvents.pageshow();
  clock.advance(5000);
  equal([told, idle.state, closed.state], [[], 'idle', 'closed']);
}

export function what_listeners_send_while_the_page_is_being_hidden() {
  const notes = new Notes();
  const { signaling, handle, socket } = joined({
    onstatechange: notes.taker('state'),
    onerror: notes.taker('onerror'),
  });
  const says = (event) => handle.send(event.type);
  addEventListener('pagehide', says);
  addEventListener('visibilitychange', says);
  const freezes = 'onfreeze' in document;
  if (freezes) document.addEventListener('freeze', says);
  const events = ['pagehide', 'visibilitychange', ...(freezes ? ['freeze'] : [])];
  try {
    notes.take();
    socket.frames.length = 0;
    pageEvents.pagehide();
    equal(refs(socket).map(([, said]) => said), events, 'in the last listener, too');
    equal(notes.take(), [['state', 'waiting', { reason: 'the page was put away' }]]);
    ok(!socket.isHeard && socket.closings === 1, 'the connection ends after the last of them');
    pageEvents.pageshow();
    clock.advance(1000);
    sockets[1].accept().deliver(hello(), ack(events.length - 1));
    const [dropped] = notes.take().filter(([kind]) => kind === 'onerror');
    equal(dropped[1].code, 'message-expired', 'the relay never had the last one');
    equal([refs(sockets[1]), signaling.stats().queued], [[], 0], 'the page is back');
    // Without a connection.
    sockets[1].end();
    handle.send('before');
    pageEvents.pagehide();
    equal(notes.take().filter(([kind]) => kind === 'onerror').map(([, { code }]) => code), events.map(() => 'message-expired'));
    equal(signaling.stats().queued, 1);
    pageEvents.pageshow();
    clock.advance(1000);
    equal(refs(greet(2)).map(([, said]) => said), ['before']);
    if (!freezes) return;
    // Frozen in the background: the connection stays.
    pageEvents.freeze();
    equal(signaling.state, 'open');
    equal(refs(sockets[2]).at(-1)[1], 'freeze');
  } finally {
    removeEventListener('pagehide', says);
    removeEventListener('visibilitychange', says);
    document.removeEventListener('freeze', says);
  }
}

/** Only Chromium has that event. */
export function a_browser_without_freeze() {
  const { onfreeze } = Object.getOwnPropertyDescriptors(Document.prototype);
  delete untyped(Document.prototype).onfreeze;
  const { signaling, handle, socket } = joined();
  const says = (event) => handle.send(event.type);
  addEventListener('pagehide', says);
  addEventListener('visibilitychange', says);
  try {
    pageEvents.hiding();
    equal(signaling.state, 'open');
    pageEvents.hidden();
    equal(refs(socket).map(([, said]) => said), ['pagehide', 'visibilitychange']);
    equal([signaling.state, socket.isHeard], ['waiting', false]);
    pageEvents.pageshow();
    clock.advance(1000);
    removeEventListener('visibilitychange', says);
    const second = greet(2);
    // A page that was hidden before isn't hidden again.
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
    pageEvents.hiding();
    equal([signaling.state, second.isHeard], ['waiting', false]);
    pageEvents.pageshow();
    clock.advance(1000);
    delete untyped(document).visibilityState;
    const third = greet(2);
    // The browser tells nothing more.
    pageEvents.hiding();
    equal(signaling.state, 'open');
    pageEvents.pageshow();
    equal([signaling.state, third.isHeard], ['waiting', false]);
    clock.advance(1000);
    equal(signaling.state, 'connecting');
  } finally {
    removeEventListener('pagehide', says);
    removeEventListener('visibilitychange', says);
    if (onfreeze) Object.defineProperty(Document.prototype, 'onfreeze', onfreeze);
  }
}

export function a_page_that_is_put_away_for_good() {
  const states = [];
  const { signaling, handle, socket } = joined({ onstatechange: (state) => states.push(state) });
  states.length = 0;
  // It may yet say goodbye.
  pageEvents.pagehide(false);
  handle.send('goodbye');
  equal([refs(socket), signaling.state], [[[1, 'goodbye']], 'open']);
  // The first `pageshow` of each page isn't persisted.
  pageEvents.pageshow(false);
  clock.advance(2000);
  equal([states, sockets.length], [[], 1]);
  // Shown again without having been hidden.
  pageEvents.pageshow();
  clock.advance(2000);
  equal([states, sockets.length, signaling.state], [[], 1, 'open']);
}

export function put_away_again_and_again() {
  const { signaling, handle } = joined({ reconnect: { attempts: 2 } });
  for (let round = 1; round <= 10; round += 1) {
    handle.send(round);
    pageEvents.pagehide();
    pageEvents.pagehide();
    clock.advance(1000);
    pageEvents.pageshow();
    pageEvents.pageshow();
    pageEvents.online();
    clock.advance(1000);
    equal(sockets.length, round + 1);
    equal(refs(greet(round - 1)).at(-1), [round, round]);
    sockets.at(-1).deliver(ack(round));
  }
  equal([signaling.state, signaling.stats().queued], ['open', 0]);
  // Hidden while the attempt after `pageshow` waits.
  pageEvents.pagehide();
  pageEvents.pageshow();
  pageEvents.pagehide();
  clock.advance(100_000);
  equal([signaling.state, sockets.length], ['waiting', 11]);
  // A signaling that is closed there stays closed.
  signaling.close();
  pageEvents.pageshow();
  clock.advance(100_000);
  equal([signaling.state, sockets.length, clock.timers], ['closed', 11, 0]);
}

export function opening_and_sending_inside_the_showing() {
  const { signaling, handle } = joined();
  let late;
  signaling.onstatechange = (state, { reason }) => {
    if (reason === 'the page was put away') handle.send('last');
    if (reason === 'the page is back')
      (late = signaling.openSocket({ channel: 'late' })).send('first');
  };
  pageEvents.pagehide();
  pageEvents.pageshow();
  clock.advance(1000);
  equal(refs(greet(0)), [
    [1, 'last'],
    [2, 'first'],
  ]);
  equal(late.channel, 'late');
  // A listener of the page's own, before ours or after it.
  pageEvents.pagehide();
  signaling.close();
  pageEvents.pageshow();
  equal(signaling.state, 'closed');
}

export function a_hidden_page_whose_timers_run_once_a_minute() {
  const { signaling, handle, socket } = joined();
  // The relay sends a ping every 25 s. Frames come in time, timers do not.
  clock.late = 60_000;
  for (let at = 0; at < 600_000; at += 25_000) {
    clock.advance(25_000);
    socket.deliver('{"ping":25000}');
    equal(signaling.state, 'open', `after ${at}`);
  }
  ok(socket.frames.filter((text) => text === '{"pong":25000}').length === 24, 'each is answered');
  // The relay is gone. That is noticed when a timer runs, or at the latest when the page is shown.
  clock.advance(34_000);
  equal(signaling.state, 'open');
  clock.advance(1_000);
  pageEvents.shown();
  equal(signaling.state, 'waiting', 'seen at once when shown');
  clock.late = 0;
  handle.send('waits');
  nextSocket();
  equal(refs(greet(0)), [[1, 'waits']]);
}

export function a_page_that_slept() {
  // The lid was closed: no timer ran, and time passed. Whatever is due is done when the page is
  // shown.
  const { signaling, socket } = connected();
  clock.advance(1000);
  clock.late = 1e9;
  socket.end();
  clock.advance(3_600_000);
  equal([signaling.state, sockets.length], ['waiting', 1]);
  pageEvents.shown();
  equal([signaling.state, sockets.length], ['connecting', 2]);
  sockets[1].accept();
  equal(signaling.state, 'open');
  // Readiness, too.
  const late = noting({ channel: 'late' });
  signaling.openSocket(late.config);
  clock.advance(5_000);
  equal(late.notes.take(), []);
  pageEvents.hidden();
  equal(late.notes.take(), [['onopen']]);
  pageEvents.shown();
  equal(late.notes.take(), []);
}
