// R6 to R8 of what pages expect of the two functions: messages out and in.
//
// What's tested
// * R6: `send` works at once, in order, and reaches an open socket before it returns
// * R7: delivery as a method, of fresh values; nothing of one's own, nothing for channels that
//   aren't open
// * R8: the last config of a channel wins; nothing depends on the handle being kept

import {
  clock,
  collected,
  connected,
  equal,
  frame,
  isOurs,
  messages,
  Notes,
  noting,
  ok,
  refused,
  reported,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function r6_send_works_at_once_and_in_order() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const a = signaling.openSocket({ channel: 'a' });
  const b = signaling.openSocket({ channel: 'b' });
  for (let count = 0; count < 50; count += 1) {
    (count % 3 ? a : b).send(count);
  }
  equal(sockets[0].frames, []);
  equal(signaling.stats().queued, 50);
  sockets[0].accept();
  equal(
    messages(sockets[0]),
    Array.from({ length: 50 }, (_, count) => count),
  );
  equal(sockets[0].frames.map((sent) => JSON.parse(sent).channel).slice(0, 4), [
    'b',
    'a',
    'a',
    'b',
  ]);
  equal(signaling.stats().queued, 0);
}

export function r6_an_open_socket_has_it_before_send_returns() {
  const { signaling, handle, socket } = connected();
  for (const message of [0, '', false, null, 'text', [1, [2]], { deep: { er: 1 } }]) {
    handle.send(message);
    equal(messages(socket).at(-1), message);
  }
  equal(signaling.stats().sent, 7);
}

export function r6_inside_a_handler_too() {
  const notes = new Notes();
  const { signaling, handle, socket } = connected(
    {},
    {
      onmessage(message) {
        handle.send({ answer: message });
        notes.taker('frames after send')(socket.frames.length);
      },
    },
  );
  socket.deliver(frame('room', 1), frame('room', 2));
  equal(notes.calls, [
    ['frames after send', 1],
    ['frames after send', 2],
  ]);
  signaling.onstatechange = () => {
    throw new Error('not now');
  };
  equal(messages(socket), [{ answer: 1 }, { answer: 2 }]);
}

export function r6_inside_beforeunload_too() {
  const { handle, socket } = connected();
  let frames;
  const leave = () => {
    handle.send({ left: true });
    frames = socket.frames.length;
  };
  for (const type of ['beforeunload', 'pagehide']) {
    addEventListener(type, leave);
    dispatchEvent(new Event(type));
    removeEventListener(type, leave);
  }
  equal(frames, 2);
  equal(messages(socket), [{ left: true }, { left: true }]);
}

export function r7_values_are_fresh_and_plain() {
  const { socket, notes } = connected();
  const text =
    '{"a":[1,{"b":null}],"n":-0.5e3,"s":"\\u00fc\\ud83d\\ude00","__proto__":{"polluted":true}}';
  const sent = `{"sender":17,"channel":"room","message":${text}}`;
  socket.deliver(sent, sent);
  const [[, one], [, two]] = notes.take();
  equal(one, JSON.parse(text));
  ok(
    Object.hasOwn(one, '__proto__') &&
      one.polluted === undefined &&
      Object.getPrototypeOf(one) === Object.prototype,
    '__proto__ is a member like any other',
  );
  equal({}.polluted, undefined);
  ok(one !== two && one.a !== two.a, 'each delivery has its own value');
  one.a.push('mine');
  equal(two.a.length, 2);
  for (const message of [0, -0, '', 'text', true, null, [], {}, [[[]]], 1e308]) {
    socket.deliver(frame('room', message));
    equal(notes.take(), [['onmessage', JSON.parse(JSON.stringify(message))]]);
  }
}

export function r7_onmessage_gets_one_argument() {
  let length;
  const { socket } = connected(
    {},
    {
      onmessage() {
        length = arguments.length;
      },
    },
  );
  socket.deliver(frame('room', 1));
  equal(length, 1);
}

export function r7_ones_own_messages_are_not_delivered() {
  const { signaling, handle, socket, notes } = connected();
  ok(
    Number.isSafeInteger(signaling.userid) && signaling.userid > 0,
    'the userid is a whole number',
  );
  handle.send('echo');
  const [sent] = socket.frames;
  // Each is `==` to the number, which is how the shim looks at it.
  const { userid } = signaling;
  const own = [
    sent,
    frame('room', 1, userid),
    frame('room', 1, String(userid)),
    frame('room', 1, ` ${userid} `),
    frame('room', 1, [userid]),
    frame('room', 1, `0x${userid.toString(16)}`),
    `{"channel":"room","message":1,"sender":${userid}}`,
    `{"sender":${userid}.0,"channel":"room","message":1}`,
    `{"sender":${userid}e0,"channel":"room","message":1}`,
  ];
  socket.deliver(...own);
  equal(notes.take(), []);
  equal(signaling.stats().own, own.length);
  const others = [
    userid - 1,
    `${userid}0`,
    `${userid}x`,
    'me',
    '',
    null,
    true,
    {},
    [],
    [userid, 1],
    0,
    -userid,
  ].map((sender) => frame('room', 2, sender));
  socket.deliver(...others, '{"channel":"room","message":2}');
  equal(notes.take(), Array(others.length + 1).fill(['onmessage', 2]));
}

export function r7_channels_that_are_not_open_are_dropped_not_kept() {
  const { signaling, socket, notes } = connected();
  socket.deliver(
    frame('later', 1),
    frame('ROOM', 1),
    frame('roo', 1),
    frame('rooms', 1),
    frame('', 1),
  );
  const late = noting({ channel: 'later' });
  signaling.openSocket(late.config);
  clock.advance(5000);
  equal(late.notes.take(), [['onopen']]);
  equal(notes.take(), [['onopen']]);
  equal(signaling.stats().foreign, 5);
  socket.deliver(frame('later', 2));
  equal(late.notes.take(), [['onmessage', 2]]);
}

export function r7_a_channel_gets_messages_before_it_is_ready() {
  const { socket, notes } = connected();
  socket.deliver(frame('room', 'early'));
  equal(notes.take(), [['onmessage', 'early']]);
}

export function r7_handlers_are_looked_up_at_each_delivery() {
  const { socket, notes, config, signaling } = connected();
  config.onmessage = notes.taker('replaced');
  socket.deliver(frame('room', 1));
  equal(notes.take(), [['replaced', 1]]);
  delete untyped(config).onmessage;
  socket.deliver(frame('room', 2));
  equal(notes.take(), []);
  untyped(config).onmessage = 'no function any more';
  socket.deliver(frame('room', 3));
  isOurs(reported()[0], 'bad-config', 'onmessage', "'no function any more'");
  equal(signaling.stats().delivered, 3);
}

export function r8_the_last_config_of_a_channel_wins() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const open = (name) =>
    signaling.openSocket({
      channel: 'room',
      onmessage: notes.taker(`message ${name}`),
      onopen: notes.taker(`open ${name}`),
    });
  const first = open('first');
  clock.advance(500);
  const second = open('second');
  const socket = sockets[0].accept();
  equal(sockets.length, 1, 'sockets');
  equal(signaling.stats().channels, 1);
  socket.deliver(frame('room', 1));
  equal(notes.take(), [['message second', 1]]);
  clock.advance(500);
  equal(notes.take(), [['open first']], 'the first is ready all the same');
  clock.advance(500);
  equal(notes.take(), [['open second']]);
  // Libraries keep both handles and use both.
  first.send('by the first');
  second.send('by the second');
  equal(messages(socket), ['by the first', 'by the second']);
  // Closing the superseded handle closes nothing.
  first.close();
  socket.deliver(frame('room', 2));
  equal(notes.take(), [['message second', 2]]);
  second.close();
  socket.deliver(frame('room', 3));
  equal(notes.take(), []);
  equal(signaling.stats().channels, 0);
  open('third');
  socket.deliver(frame('room', 4));
  equal(notes.take(), [['message third', 4]]);
}

export function r8_closing_a_channel() {
  const { signaling, handle, socket, notes } = connected();
  const neighbour = noting({ channel: 'neighbour' });
  signaling.openSocket(neighbour.config);
  handle.send('before');
  const { close, send } = handle;
  equal(close(), undefined);
  close();
  handle.close();
  refused(() => send('after'), 'channel-closed', "'room'", 'open it again');
  socket.deliver(frame('room', 1), frame('neighbour', 2));
  equal(notes.take(), []);
  equal(neighbour.notes.take(), [['onmessage', 2]]);
  equal(messages(socket), ['before']);
  equal(socket.closings, 0, 'the connection stays');
  equal(signaling.state, 'open');
}

export function r8_messages_sent_before_the_close_still_go_out() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send('bye');
  handle.close();
  equal(messages(sockets[0].accept()), ['bye']);
}

export async function r8_nothing_depends_on_the_handle_being_kept() {
  const notes = new Notes();
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 0 });
  (() => {
    for (let count = 0; count < 20; count += 1) {
      const dropped = {};
      registry.register(dropped, count);
      signaling.openSocket({ channel: `c${count}`, onmessage: notes.taker('onmessage') });
    }
  })();
  // The registry shows that garbage was collected in between.
  ok(await collected(() => gone === 20), 'nothing was collected');
  const socket = sockets[0].accept();
  for (let count = 0; count < 20; count += 1) {
    socket.deliver(frame(`c${count}`, count));
  }
  equal(notes.calls.length, 20);
}
