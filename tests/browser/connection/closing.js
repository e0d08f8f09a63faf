// `close`: handlers detached, connection closed, nothing left, from wherever it is called.

import { clock, connected, equal, frame, Notes, ok, Signaling, sockets, untyped } from '../support/index.js';

export function close_lets_go_of_everything() {
  const prepare = {
    idle: () => new Signaling({ url: 'ws://server.test/' }),
    connecting: () => {
      const signaling = new Signaling({ url: 'ws://server.test/' });
      signaling.openSocket({});
      return signaling;
    },
    open: () => connected().signaling,
    waiting: () => {
      const { signaling, socket } = connected();
      socket.end();
      return signaling;
    },
  };
  // WebKitGTK 2.50 doesn't have it.
  const dispose = Symbol.dispose ?? 'close';
  for (const [state, make] of Object.entries(prepare)) {
    for (const how of ['close', dispose]) {
      const before = sockets.length;
      const signaling = make();
      const socket = sockets.length > before ? sockets.at(-1) : null;
      equal(signaling.state, state);
      const notes = new Notes();
      signaling.onstatechange = (...change) => notes.taker('onstatechange')(...change);
      signaling.onerror = notes.taker('onerror');
      equal(signaling[how](), undefined);
      equal(signaling.state, 'closed');
      equal(notes.take(), [['onstatechange', 'closed', { reason: 'closed by the page' }]]);
      signaling.close();
      signaling[how]();
      equal(notes.take(), [], 'closing twice');
      equal(clock.timers, 0);
      if (socket !== null) {
        ok(!socket.isHeard, 'detached');
        equal(socket.closings, 1);
        socket.accept();
        socket.deliver(frame('room', 1));
        socket.end();
      }
      clock.advance(100_000);
      equal(notes.take(), []);
      equal(sockets.length, before + (socket === null ? 0 : 1));
      equal(signaling.stats().channels, 0);
    }
  }
}

export function close_tells_of_messages_that_were_never_sent() {
  let told;
  const signaling = new Signaling({
    url: 'ws://server.test/',
    onstatechange: (state, detail) => {
      told = detail;
    },
  });
  signaling.openSocket({}).send(1);
  signaling.close();
  equal(told.reason, "closed by the page, with messages that the server hadn't taken");
}

export function what_waits_on_an_open_connection_is_sent_before_it_closes() {
  const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' });
  const { send } = signaling.openSocket({ channel: 'room' });
  const socket = sockets.at(-1);
  // The connection may be one to a relay: messages wait a moment for its hello.
  socket.accept();
  send(1);
  send(2);
  equal(socket.frames.length, 0);
  signaling.close();
  equal(socket.frames.map((text) => JSON.parse(text).message), [1, 2]);
}

export function close_inside_each_handler() {
  const closing = {
    'onstatechange': (signaling, socket) => {
      signaling.onstatechange = () => signaling.close();
      socket.end();
    },
    'onerror': (signaling, socket) => {
      signaling.onerror = () => signaling.close();
      socket.deliver('bad');
    },
    'onframe': (signaling, socket) => {
      signaling.onframe = () => signaling.close();
      socket.deliver(frame('room', 1));
    },
    'onframe of a send': (signaling, socket, handle) => {
      signaling.onframe = () => signaling.close();
      handle.send(1);
    },
    'onmessage': (signaling, socket, handle, config) => {
      config.onmessage = () => signaling.close();
      socket.deliver(frame('room', 1), frame('room', 2));
    },
    'onopen': (signaling, socket, handle, config) => {
      config.onopen = () => signaling.close();
      clock.advance(1000);
    },
  };
  for (const [name, provoke] of Object.entries(closing)) {
    const { signaling, socket, handle, config } = connected();
    provoke(signaling, socket, handle, config);
    equal(signaling.state, 'closed', name);
    equal(
      [socket.isHeard, clock.timers, signaling.stats().channels, signaling.stats().queued],
      [false, 0, 0, 0],
      name,
    );
  }
}

export function closing_where_there_is_no_symbol_dispose() {
  const { Symbol } = globalThis;
  // A stand-in, because `Symbol.dispose` can't be deleted.
  globalThis.Symbol = untyped({ iterator: Symbol.iterator });
  const signaling = new Signaling({ url: 'ws://server.test/' });
  globalThis.Symbol = Symbol;
  ok(!Object.hasOwn(signaling, Symbol.dispose ?? ''), 'nothing stands for it');
  signaling.openSocket({});
  signaling.close();
  equal(signaling.state, 'closed');
}
