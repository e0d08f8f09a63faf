// The network of a page, online and offline.
//
// What's tested
// * online in every state: the next attempt comes within a second
// * offline and online make the library ask our relay whether it is there, and replace any other
//   connection that stays silent: a plain one when a second is open beside it
// * another kind of network is as good as one that is back; its speed is of no interest

import {
  clock,
  connected,
  equal,
  frame,
  greet,
  joined,
  kept,
  nextSocket,
  ok,
  pageEvents,
  refs,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function online_hurries_what_waits() {
  const delays = [];
  for (let round = 0; round < 40; round += 1) {
    const { signaling } = connected({ reconnect: { base: 1_000_000, cap: 1_000_000 } });
    sockets.at(-1).end();
    const made = sockets.length;
    const told = [];
    signaling.onstatechange = (state, detail) => told.push([state, detail]);
    const before = clock.next;
    pageEvents.online();
    if (told.length === 0) {
      // It was due sooner.
      ok(before !== undefined && before <= 1000, `${before}`);
    } else {
      equal(
        [told.length, told[0][0], told[0][1].reason, Object.keys(told[0][1])],
        [1, 'waiting', 'the network is back', ['reason', 'retryIn']],
      );
      delays.push(told[0][1].retryIn);
      // Timers have whole milliseconds.
      const late = Number(clock.next) - told[0][1].retryIn;
      ok(late > -1e-6 && late < 1, 'the timer is set again');
    }
    clock.advance(1001);
    equal([sockets.length, signaling.state], [made + 1, 'connecting']);
    signaling.close();
  }
  ok(
    Math.max(...delays) > 500 && Math.min(...delays) < 500 && Math.max(...delays) <= 1000,
    'at random within a second',
  );
}

export function online_restarts_the_count() {
  const { signaling } = connected({ reconnect: { attempts: 3, base: 1, cap: 1 } });
  for (let round = 0; round < 10; round += 1) {
    sockets.at(-1).end();
    pageEvents.online();
    clock.advance(1000);
    equal(signaling.state, 'connecting', `round ${round}`);
  }
}

export function online_and_offline_in_the_other_states() {
  const told = [];
  const idle = new Signaling({
    url: 'ws://server.test/',
    onstatechange: (state) => told.push(state),
  });
  for (const what of ['online', 'offline', 'shown', 'hidden']) pageEvents[what]();
  equal([idle.state, sockets.length, clock.timers], ['idle', 0, 0]);
  idle.openSocket({});
  told.length = 0;
  for (const what of ['online', 'offline', 'shown', 'hidden']) pageEvents[what]();
  equal([told, idle.state, sockets.length], [[], 'connecting', 1]);
  sockets[0].accept();
  told.length = 0;
  for (const what of ['shown', 'hidden']) pageEvents[what]();
  clock.advance(100_000);
  equal([told, idle.state, sockets[0].frames, sockets.length], [[], 'open', [], 1]);
  idle.close();
  told.length = 0;
  for (const what of ['online', 'offline', 'shown', 'hidden']) pageEvents[what]();
  clock.advance(100_000);
  equal([told, sockets.length], [[], 1]);
}

export function a_connection_that_is_doubted() {
  for (const event of ['online', 'offline']) {
    const states = [];
    const { signaling, handle, socket } = joined({
      onstatechange: (state, { reason }) => states.push([state, reason]),
    });
    clock.advance(10_000);
    socket.deliver('{"pong":1}');
    socket.frames.length = states.length = 0;
    // It answers.
    pageEvents[event]();
    equal(socket.frames, ['{"ping":1}'], 'it is asked at once');
    clock.advance(2_000);
    socket.deliver('{"pong":1}');
    equal(signaling.stats().roundTrip, 2_000);
    clock.advance(30_000);
    equal([signaling.state, states], ['open', []], event);
    socket.deliver('{"pong":1}');
    // Any other frame is as good as an answer.
    pageEvents[event]();
    clock.advance(2_999);
    socket.deliver(kept('other', 1, '1'));
    clock.advance(5_000);
    equal(signaling.state, 'open');
    // It is gone, and no close event will come.
    handle.send('into the void');
    pageEvents[event]();
    clock.advance(2_999);
    pageEvents[event]();
    equal(signaling.state, 'open', 'not too soon');
    clock.advance(1);
    equal(states, [['waiting', 'the server fell silent']], 'a second doubt gives no more time');
    nextSocket();
    equal(refs(greet(0)), [[1, 'into the void']]);
    signaling.close();
  }
}

export function a_connection_that_cannot_be_asked_is_replaced_if_it_stays_silent() {
  for (const event of ['online', 'offline']) {
    const states = [];
    const { signaling, handle, socket, notes } = connected({
      onstatechange: (state, { reason }) => states.push([state, reason]),
    });
    states.length = 0;
    // It delivers: nothing changes.
    pageEvents[event]();
    handle.send('waits');
    equal(socket.frames, [], 'it might be lost');
    clock.advance(900);
    socket.deliver(frame('other', 1));
    equal(socket.frames.length, 1, 'the doubt is over');
    clock.advance(100_000);
    equal([states, socket.closings], [[], 0]);
    // It doesn't: a second connection is made beside it.
    pageEvents[event]();
    handle.send('waits');
    const made = sockets.length;
    clock.advance(2_001);
    const second = sockets.at(-1);
    equal(
      [states, socket.frames.length, socket.closings, sockets.length],
      [[], 1, 0, made + 1],
      'the silent one is kept',
    );
    second.accept().deliver(frame('room', 'new'));
    equal([states, socket.closings], [[], 0], 'something may still be on its way');
    clock.advance(100);
    equal(
      [states.map(([state]) => state), socket.isHeard, socket.closings],
      [['connecting', 'open'], false, 1],
      'only when the second is open',
    );
    equal(notes.take().at(-1), ['onmessage', 'new']);
    equal([signaling.state, JSON.parse(second.frames[0]).message], ['open', 'waits']);
    signaling.close();
    equal(second.closings, 1);
  }
}

export function a_connection_that_was_alive_after_all_is_kept() {
  const states = [];
  const { signaling, handle, socket, notes } = connected({
    onstatechange: (state) => states.push(state),
  });
  states.length = 0;
  for (const round of [1, 2]) {
    pageEvents.offline();
    pageEvents.online();
    clock.advance(2_001);
    const second = sockets.at(-1);
    handle.send(`waits ${round}`);
    // The server sends it to both.
    if (round === 2) second.accept().deliver(frame('room', round));
    socket.deliver(frame('room', round));
    equal([second.isHeard, second.closings], [false, 1]);
    clock.advance(100_000);
    equal(JSON.parse(socket.frames.at(-1)).message, `waits ${round}`);
  }
  const heard = notes.take().filter(([name]) => name === 'onmessage');
  equal(heard, [['onmessage', 1], ['onmessage', 2]]);
  equal([states, socket.closings, sockets.length], [[], 0, 3]);
  // The page ends both.
  pageEvents.offline();
  clock.advance(2_001);
  signaling.close();
  equal([socket.closings, sockets.at(-1).closings, sockets.at(-1).isHeard], [1, 1, false]);
}

export function another_kind_of_network() {
  // Firefox and WebKit on a desktop say nothing about their network.
  const isMissing = !('connection' in navigator);
  if (isMissing) {
    Object.defineProperty(navigator, 'connection', { configurable: true, value: new EventTarget() });
  }
  const { connection } = untyped(navigator);
  let type = 'wifi';
  Object.defineProperty(connection, 'type', { configurable: true, get: () => type });
  try {
    const { signaling } = connected();
    const made = sockets.length;
    // Its speed has changed.
    connection.dispatchEvent(new Event('change'));
    clock.advance(3_000);
    equal(sockets.length, made);
    type = 'cellular';
    connection.dispatchEvent(new Event('change'));
    clock.advance(3_000);
    equal([sockets.length, signaling.state], [made + 1, 'open'], 'a second is made');
    signaling.close();
    type = 'wifi';
    connection.dispatchEvent(new Event('change'));
    clock.advance(3_000);
    equal([sockets.length, clock.timers], [made + 1, 0]);
  } finally {
    delete connection.type;
    if (isMissing) delete untyped(navigator).connection;
  }
}
