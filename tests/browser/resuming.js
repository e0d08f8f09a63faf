// Reconnecting to our relay: what is subscribed again, what is sent again, and when the page is
// told of a gap.
//
// What's tested
// * the session of the first hello, the ids of the last messages, whichever way they were parsed; a
//   second and a third loss
// * unacknowledged messages go again, in order, with their refs, and none twice on one connection;
//   what was sent while it was down
// * losses in between: before the hello, before the answer, amid the outbox
// * channels opened and closed while the connection was down, and both
// * a restarted relay: a gap on each channel that it knew, and on no other
// * close codes that blame a message, and those that don't; reasons and codes as the page sees them

import {
  ack,
  clock,
  comeBack,
  equal,
  greet,
  hello,
  isOurs,
  joined,
  kept,
  Notes,
  noting,
  refs,
  SECRET,
  sockets,
} from './support/index.js';

export function behind_the_last_message_on_each_channel() {
  const { signaling, socket, notes } = joined({}, { onopen: null });
  signaling.openSocket({ channel: 'silent' });
  signaling.openSocket({ channel: 'a' });
  // By its head, and read as a whole.
  socket.deliver(
    kept('room', 1, '10'),
    '{ "sender": 17, "channel": "a", "id": "11", "message": 2 }',
    kept('room', 3, '12'),
    kept('foreign', 4, '13'),
    kept('room', 5, '14', signaling.userid),
  );
  const second = comeBack(socket).accept();
  second.deliver(hello({ session: 'f'.repeat(32) }));
  equal(second.frames, [
    `{"open":["a","room","silent"],"after":{"a":"11","room":"12"},"session":"${SECRET}"}`,
  ]);
  second.deliver(ack(0), kept('room', 6, '15'));
  equal(
    notes.take().map(([, message]) => message),
    [1, 3, 6],
  );
  // Lost again, before anything more came; and before the answer.
  const third = comeBack(second).accept();
  third.deliver(hello({ session: 'e'.repeat(32) }));
  equal(third.frames, [
    `{"open":["a","room","silent"],"after":{"a":"11","room":"15"},"session":"${SECRET}"}`,
  ]);
  const fourth = comeBack(third).accept();
  fourth.deliver(hello({ session: 'd'.repeat(32) }));
  equal(fourth.frames, third.frames);
  fourth.deliver(ack(0));
  equal(
    [
      signaling.state,
      signaling.stats().connects,
      signaling.stats().reconnects,
      signaling.stats().gaps,
    ],
    ['open', 3, 2, 0],
  );
}

export function what_was_not_acknowledged_goes_again() {
  const { signaling, handle, socket } = joined();
  [1, 2, 3, 4].forEach((message) => handle.send(message));
  socket.deliver(ack(2));
  const next = comeBack(socket);
  handle.send('while it was down');
  next.accept().deliver(hello());
  equal([refs(next), signaling.stats().queued], [[], 3]);
  // The relay had accepted one more than it could acknowledge.
  next.deliver(ack(3));
  equal(
    [refs(next), signaling.stats().queued],
    [
      [
        [4, 4],
        [5, 'while it was down'],
      ],
      2,
    ],
  );
  handle.send(6);
  equal(
    [refs(next).at(-1), next.frames.filter((text) => text.startsWith('{"sender"'))[0]],
    [[6, 6], `{"sender":${signaling.userid},"channel":"room","ref":4,"message":4}`],
  );
  // Lost again, with nothing acknowledged.
  comeBack(next);
  equal(refs(greet(3)), [
    [4, 4],
    [5, 'while it was down'],
    [6, 6],
  ]);
  // And with everything acknowledged.
  comeBack(sockets.at(-1));
  equal(refs(greet(6)), []);
  equal([signaling.stats().queued, signaling.stats().sent], [0, 10]);
  handle.send(7);
  equal(refs(sockets.at(-1)), [[7, 7]]);
}

export function losses_in_the_midst() {
  const { signaling, handle, socket } = joined();
  [1, 2].forEach((message) => handle.send(message));
  // Before the hello, before the answer.
  let next = comeBack(socket).accept();
  next = comeBack(next).accept();
  next.deliver(hello());
  next = comeBack(next).accept();
  // The socket is lost amid the outbox, before any event.
  next.onsent = (text) => {
    if (text.includes('"ref":1')) next.sink();
  };
  next.deliver(hello(), ack(0));
  equal([refs(next), signaling.state], [[[1, 1]], 'waiting']);
  handle.send(3);
  for (let wait = 0; wait < 40 && sockets.at(-1) === next; wait += 1) clock.advance(500);
  equal(refs(greet(0)), [
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  equal(signaling.stats().queued, 3);
  // An answer on the old connection doesn't count for the new one.
  const late = sockets.at(-1);
  comeBack(late);
  late.deliver(ack(3));
  equal(signaling.stats().queued, 3);
  equal(refs(greet(1)), [
    [2, 2],
    [3, 3],
  ]);
}

export function channels_opened_and_closed_while_it_was_down() {
  const { signaling, handle, socket } = joined();
  const [a, b] = ['a', 'b'].map((channel) => signaling.openSocket({ channel }));
  socket.deliver(kept('a', 1, '1'), kept('b', 1, '2'));
  const next = comeBack(socket);
  a.close();
  signaling.openSocket({ channel: 'c' });
  next.accept();
  signaling.openSocket({ channel: 'd' });
  b.close();
  next.deliver(hello());
  const opened = JSON.parse(next.frames[0]);
  equal(
    [opened.open, opened.after, opened.session],
    [['room'], {}, SECRET],
    'what is not among these was closed',
  );
  equal(
    next.frames.slice(1),
    ['{"open":["c"],"after":{}}', '{"open":["d"],"after":{}}'],
    'and these are new',
  );
  next.deliver(ack(0), kept('a', 2, '3'), kept('b', 2, '4'));
  equal(signaling.stats().foreign, 2);
  equal(handle.channel, 'room');
}

// The relay's session still has the channel's first subscription, and would replay all of it if the
// channel were listed with the others.
export function a_channel_closed_and_opened_again_while_it_was_down() {
  const { signaling, handle, socket } = joined();
  socket.deliver(kept('room', 'heard', '1'));
  const next = comeBack(socket);
  handle.close();
  const { notes, config } = noting({ channel: 'room', onopen: null });
  signaling.openSocket(config);
  next.accept().deliver(hello());
  equal(next.frames, [
    `{"open":[],"after":{},"session":"${SECRET}"}`,
    '{"open":["room"],"after":{}}',
  ]);
  next.deliver(ack(0), ack(0), kept('room', 'new', '2'));
  equal(notes.take(), [['onmessage', 'new']]);
  // From then on it is like the others.
  const third = comeBack(next).accept();
  third.deliver(hello());
  equal(third.frames, [`{"open":["room"],"after":{"room":"2"},"session":"${SECRET}"}`]);
}

export function a_relay_that_was_started_again() {
  const gaps = [];
  const { signaling, handle, socket, notes } = joined(
    { ongap: (channel) => gaps.push([channel, signaling.state]) },
    { onopen: null },
  );
  signaling.openSocket({ channel: 'other' });
  const closed = signaling.openSocket({ channel: 'closed' });
  socket.deliver(kept('room', 1, '10'));
  [1, 2, 3].forEach((message) => handle.send(message));
  socket.deliver(ack(1));
  closed.close();
  const next = comeBack(socket);
  signaling.openSocket({ channel: 'new' });
  next.accept();
  const secret = 'a'.repeat(32);
  next.deliver(hello({ session: secret, epoch: 'epoch 2' }));
  equal(next.frames, ['{"open":["new","other","room"],"after":{}}'], 'as one who was never there');
  next.deliver(ack(0, secret));
  equal(
    gaps.map(([channel]) => channel).sort(),
    ['other', 'room'],
    'each that the relay knew, once',
  );
  equal(
    [refs(next), signaling.stats().gaps],
    [
      [
        [2, 2],
        [3, 3],
      ],
      2,
    ],
  );
  next.deliver(kept('room', 2, '1'));
  equal(notes.take(), [
    ['onmessage', 1],
    ['onmessage', 2],
  ]);
  // From now on the session is the new relay's.
  const third = comeBack(next).accept();
  third.deliver(hello({ session: 'b'.repeat(32), epoch: 'epoch 2' }));
  equal(third.frames, [
    `{"open":["new","other","room"],"after":{"room":"1"},"session":"${secret}"}`,
  ]);
  third.deliver(ack(3, secret));
  equal([gaps.length, signaling.stats().queued], [2, 0]);
  // Again, now also for the channel that was new.
  gaps.length = 0;
  comeBack(third)
    .accept()
    .deliver(hello({ epoch: 'epoch 3' }), ack(0));
  equal(gaps.map(([channel]) => channel).sort(), ['new', 'other', 'room']);
}

export function a_gap_is_told_before_what_comes_behind_it() {
  const heard = [];
  const { signaling, socket } = joined(
    { ongap: (channel) => heard.push(`gap ${channel}`) },
    { onmessage: (message) => heard.push(message) },
  );
  socket.deliver(kept('room', 1, '1'));
  comeBack(socket)
    .accept()
    .deliver(hello(), ack(0), '{"gap":"room"}', kept('room', 5, '5'), kept('room', 6, '6'));
  equal(heard, [1, 'gap room', 5, 6]);
  const next = comeBack(sockets.at(-1)).accept();
  next.deliver(hello());
  equal(JSON.parse(next.frames[0]).after, { room: '6' });
  equal(signaling.stats().gaps, 1);
}

export function a_message_that_brings_the_connection_down_twice() {
  for (const code of [1002, 1003, 1007, 1009]) {
    const notes = new Notes();
    const { signaling, handle, socket } = joined({ onerror: notes.taker('onerror') });
    ['taken', 'poison', 'behind'].forEach((message) => handle.send(message));
    socket.deliver(ack(1));
    comeBack(socket, code);
    let next = greet(1);
    equal(
      [refs(next), notes.calls],
      [
        [
          [2, 'poison'],
          [3, 'behind'],
        ],
        [],
      ],
      'it gets another chance',
    );
    comeBack(next, code);
    equal(notes.calls.length, 1);
    isOurs(notes.take()[0][1], 'message-given-up', "'room'", 'twice');
    next = greet(1);
    equal(
      [refs(next), signaling.stats().dropped, signaling.stats().queued],
      [[[3, 'behind']], 1, 1],
    );
    // The next message has not been blamed so far.
    comeBack(next, code);
    next = greet(1);
    equal([refs(next), notes.calls], [[[3, 'behind']], []]);
    signaling.close();
  }
}

export function codes_that_blame_nobody() {
  const notes = new Notes();
  const { signaling, handle } = joined({ onerror: notes.taker('onerror') });
  handle.send('waits');
  for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 3000, 4000]) {
    comeBack(sockets.at(-1), code);
    equal(refs(greet(0)), [[1, 'waits']], `${code}`);
  }
  // A message that was never sent is not blamed.
  for (let round = 0; round < 3; round += 1) {
    comeBack(sockets.at(-1), 1009);
    if (round > 0) break;
    greet(0);
  }
  equal(
    [notes.calls.map(([, error]) => error.code), signaling.stats().queued],
    [['message-given-up'], 0],
  );
  handle.send('new');
  for (let round = 0; round < 5; round += 1) comeBack(sockets.at(-1), 1009);
  equal([notes.calls.length, refs(greet(0)), signaling.stats().queued], [1, [[2, 'new']], 1]);
}

export function final_codes_are_final() {
  const notes = new Notes();
  const { signaling, handle, socket } = joined({ onerror: notes.taker('onerror') });
  [1, 2].forEach((message) => handle.send(message));
  socket.deliver(ack(1));
  socket.end(4501, 'this session was taken over');
  equal([signaling.state, clock.timers], ['closed', 0]);
  isOurs(notes.calls[0][1], 'connection-failed', '1 unsent', 'taken over');
}

export function closing_says_nothing_of_a_channel() {
  const { signaling, handle, socket } = joined();
  handle.send(1);
  socket.frames.length = 0;
  signaling.close();
  equal([socket.frames, socket.closings, clock.timers, signaling.state], [[], 1, 0, 'closed']);
}
