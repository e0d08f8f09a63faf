// R5 of what pages expect of the two functions: readiness comes once, never before the call
// returns, as a method of the config, `callback` before `onopen`.

import {
  clock,
  equal,
  FakeTransport,
  frame,
  inRealTime,
  Notes,
  noting,
  ok,
  Signaling,
  sockets,
} from '../support/index.js';

export function r5_readiness_comes_once_a_second_after_the_call() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const { notes, config } = noting();
  signaling.openSocket(config);
  clock.advance(999);
  equal(notes.take(), []);
  clock.advance(1);
  equal(notes.targets, [config], 'onopen is called as a method of the config');
  equal(notes.take(), [['onopen']], 'with no argument');
  sockets[0].accept();
  clock.advance(100_000);
  sockets[0].end();
  clock.advance(100_000);
  sockets[1].accept();
  clock.advance(100_000);
  equal(notes.take(), [], 'and never again');
}

export function r5_callback_gets_the_handle_and_comes_instead_of_onopen() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const notes = new Notes();
  const config = { onopen: notes.taker('onopen'), callback: notes.taker('callback') };
  const handle = signaling.attach({ channel: 'c' }).openSignalingChannel(config);
  clock.advance(1000);
  equal(notes.calls.length, 1);
  equal(notes.calls[0][0], 'callback');
  ok(
    notes.calls[0].length === 2 && notes.calls[0][1] === handle,
    'the one argument is the handle that was returned',
  );
  ok(notes.targets[0] === config, 'called as a method of the config');
}

export function r5_a_callback_may_say_this_onopen() {
  // As RTCMultiConnection 2 and the openSocket experiments do.
  const notes = new Notes();
  let socket;
  const config = {
    channel: 'private',
    onopen() {
      notes.taker('opened')(this === config, socket.channel);
    },
    callback(handle) {
      socket = handle;
      this.onopen();
    },
  };
  new Signaling({ url: 'ws://server.test/' }).openSocket(config);
  clock.advance(1000);
  equal(notes.calls, [['opened', true, 'private']]);
}

export function r5_readiness_is_never_before_the_call_returns() {
  for (const options of [
    { openDelay: 0 },
    { openDelay: 0, openWhen: 'connected' },
    { openWhen: 'connected' },
  ]) {
    const signaling = new Signaling({ url: 'ws://server.test/', ...options });
    const notes = new Notes();
    const open = (channel) => {
      let returned;
      const handle = signaling.openSocket({
        channel,
        callback: (given) => notes.taker(channel)(given === returned),
      });
      returned = handle;
      return handle;
    };
    open('first');
    equal(notes.take(), [], 'on an idle signaling');
    clock.advance(0);
    sockets.at(-1).accept();
    clock.advance(0);
    equal(notes.take(), [['first', true]]);
    open('second');
    equal(notes.take(), [], 'on an open connection');
    clock.advance(0);
    equal(notes.take(), [['second', true]]);
    // A channel isn't ready inside another one's call either, or inside the callback that opens it.
    signaling.openSocket({
      channel: 'third',
      callback() {
        open('fourth');
        equal(notes.calls, [], 'inside a callback');
      },
    });
    clock.advance(0);
    clock.advance(0);
    equal(notes.take(), [['fourth', true]]);
  }
}

export function r5_the_timer_does_not_wait_for_the_connection() {
  const notes = new Notes();
  /** @type {[object, number][]} */
  const delays = [
    [{}, 1000],
    [{ openWhen: 'timer' }, 1000],
    [{ openDelay: 30 }, 30],
    [{ openDelay: 30, openWhen: 'timer' }, 30],
  ];
  for (const [options, delay] of delays) {
    new Signaling({ url: 'ws://server.test/', ...options }).openSocket({
      onopen: notes.taker('onopen'),
    });
    clock.advance(delay - 1);
    equal(notes.take(), []);
    clock.advance(1);
    equal(notes.take(), [['onopen']]);
    equal(sockets.at(-1).readyState, WebSocket.CONNECTING);
  }
}

export function r5_open_when_connected_waits_for_timer_and_connection() {
  const notes = new Notes();
  const signaling = new Signaling({
    url: 'ws://server.test/',
    openWhen: 'connected',
    openDelay: 100,
    reconnect: { base: 1, cap: 1 },
  });
  signaling.openSocket({ channel: 'a', onopen: notes.taker('a') });
  clock.advance(10_000);
  sockets[0].end();
  clock.advance(10);
  equal(notes.calls, []);
  signaling.openSocket({ channel: 'b', onopen: notes.taker('b') });
  sockets[1].accept();
  equal(notes.take(), [['a']], 'whose time has come');
  clock.advance(99 - 10);
  clock.advance(20);
  equal(notes.take(), [['b']]);
  sockets[1].end();
  clock.advance(10);
  sockets[2].accept();
  clock.advance(1000);
  equal(notes.take(), [], 'not again after a reconnection');
}

export function r5_openings_get_ready_in_their_order() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/' });
  for (const channel of ['a', 'b', 'c']) {
    signaling.openSocket({ channel, onopen: notes.taker(channel) });
    clock.advance(100);
  }
  clock.advance(799);
  clock.early = 0.7;
  clock.advance(250);
  equal(notes.calls, [['a'], ['b'], ['c']]);
}

export function r5_a_channel_closed_before_its_time_never_gets_ready() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const open = (channel) =>
    signaling.openSocket({ channel, onopen: notes.taker(channel), callback: null });
  open('a');
  const closed = open('b');
  open('c');
  closed.close();
  clock.advance(1000);
  equal(notes.take(), [['a'], ['c']]);
  open('d');
  signaling.close();
  clock.advance(1000);
  equal(notes.take(), []);
  equal(clock.timers, 0, 'timers left');
}

export async function r5_readiness_in_real_time() {
  inRealTime();
  const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 5 });
  const before = performance.now();
  const handle = await new Promise((callback) => signaling.openSocket({ callback }));
  ok(performance.now() - before >= 5, 'it came too early');
  equal(handle.channel, 'main-channel');
}

export function r5_with_connected_readiness_comes_before_messages() {
  for (const protocol of ['websocket', 'auto']) {
    const url = 'ws://server.test/';
    const signaling = new Signaling({ url, protocol, openWhen: 'connected' });
    const { notes, config } = noting({ channel: 'room' });
    signaling.openSocket(config);
    sockets.at(-1).accept().deliver(frame('room', 1));
    equal(notes.take(), [['onopen'], ['onmessage', 1]], protocol);
    const later = noting({ channel: 'later' });
    signaling.openSocket(later.config);
    sockets.at(-1).deliver(frame('later', 2));
    clock.advance(1000);
    equal(later.notes.take(), [['onopen'], ['onmessage', 2]], protocol);
  }
}

export function r5_a_transport_that_opens_at_once_makes_nothing_ready_at_once() {
  const transport = new FakeTransport();
  transport.onopening = ({ handlers }) => {
    handlers.onopen();
    handlers.onmessage(frame('room', 1));
  };
  const signaling = new Signaling({ transport, openWhen: 'connected' });
  const { notes, config } = noting({ channel: 'room' });
  signaling.openSocket(config);
  equal(notes.take(), []);
  clock.advance(0);
  equal(notes.take(), [['onopen'], ['onmessage', 1]]);
}
