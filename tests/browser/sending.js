// What `send` refuses, at which bound exactly, and what the error says.
//
// What's tested
// * values that JSON can't hold
// * `maxMessage`, in bytes of the frame, and a server with a lower limit
// * the outbox's bounds, by count and by bytes
// * channels and signalings that are closed
// * a refused message changes nothing

import {
  comeBack,
  connected,
  equal,
  isOurs,
  jsonError,
  messages,
  Notes,
  ok,
  refused,
  Signaling,
  sockets,
  untyped,
} from './support/index.js';

export function values_that_json_cannot_hold() {
  const { signaling, handle, socket } = connected();
  const cycle = {};
  cycle.self = cycle;
  const bad = [
    [undefined, 'undefined'],
    [() => 1, 'a function'],
    [Signaling, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [5n, 'BigInt'],
    [{ deep: [5n] }, 'BigInt'],
    [cycle, jsonError(cycle)],
    [
      {
        toJSON() {
          throw new Error('not today');
        },
      },
      'not today',
    ],
    [
      {
        get offer() {
          throw new RangeError('no offer');
        },
      },
      'no offer',
    ],
    [
      {
        toJSON() {
          return undefined;
        },
      },
      'an object',
    ],
  ];
  for (const [message, says] of bad) {
    refused(() => handle.send(message), 'bad-message', 'send', says);
  }
  refused(() => untyped(handle).send(), 'bad-message', 'undefined');
  refused(
    () =>
      handle.send({
        toJSON() {
          throw {
            toString() {
              throw 1;
            },
          };
        },
      }),
    'bad-message',
  );
  equal(socket.frames, []);
  equal([signaling.stats().sent, signaling.stats().queued], [0, 0]);
  handle.send(1);
  equal(messages(socket), [1]);
}

export function the_same_while_it_queues() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const handle = signaling.openSocket({});
  refused(() => handle.send(undefined), 'bad-message');
  refused(() => handle.send(5n), 'bad-message');
  equal(signaling.stats().queued, 0);
}

export function max_message_counts_bytes_of_the_frame() {
  const { signaling: sample, handle: sampled, socket } = connected();
  sampled.send('');
  const empty = socket.frames[0].replace(String(sample.userid), '').length;
  for (const open of [true, false]) {
    // The digits of the sender differ from page to page.
    const signaling = new Signaling({ url: 'ws://server.test/', maxMessage: 1000 });
    const handle = signaling.openSocket({ channel: 'room' });
    if (open) sockets.at(-1).accept();
    const room = 1000 - empty - String(signaling.userid).length;
    /** @type {[string, number][]} */
    const parts = [
      ['x', 1],
      ['é', 2],
      ['漢', 3],
      ['😀', 4],
      ['"', 2],
      ['\u0000', 6],
    ];
    const just = parts.map(([text, bytes]) => {
      const count = Math.floor(room / bytes);
      return text.repeat(count) + 'x'.repeat(room - count * bytes);
    });
    for (const message of just) {
      refused(
        () => handle.send(`${message}x`),
        'message-too-large',
        '1001 bytes',
        'maxMessage allows 1000',
      );
      handle.send(message);
    }
    const { sent, queued } = signaling.stats();
    equal(sent + queued, just.length);
  }
}

export function max_message_is_a_million_bytes_by_default() {
  const { handle, socket } = connected();
  handle.send('x'.repeat(999_900));
  equal(socket.frames.length, 1);
  // What a Socket.IO server with its defaults closes the connection over.
  for (const long of [
    '漢'.repeat(400_000),
    'x'.repeat(999_990),
    '😀'.repeat(340_000),
    'é'.repeat(500_000),
  ])
    refused(() => handle.send(long), 'message-too-large', '1000000');
  equal(socket.frames.length, 1);
}

export function a_server_closes_the_connection_over_a_message() {
  const notes = new Notes();
  const { signaling, handle, socket } = connected({ onerror: notes.taker('onerror') });
  handle.send('漢'.repeat(50_000));
  handle.send('next');
  socket.end(1009);
  equal(notes.calls.length, 1);
  isOurs(notes.take()[0][1], 'message-given-up', "'room'", 'maxMessage');
  equal(signaling.stats().queued, 1);
  equal(messages(comeBack(socket).accept()), ['next']);
}

export function the_outbox_is_bounded_in_messages() {
  const signaling = new Signaling({ url: 'ws://server.test/', outbox: { messages: 3, overflow: 'throw' } });
  const handle = signaling.openSocket({});
  for (const message of [1, 2, 3]) {
    handle.send(message);
  }
  refused(
    () => handle.send(4),
    'outbox-full',
    '3 of 3 messages',
    '6 of 8388608 bytes',
    'outbox',
    "'open'",
  );
  refused(() => handle.send(''), 'outbox-full');
  equal([signaling.stats().queued, signaling.stats().queuedBytes], [3, 6]);
  const socket = sockets[0].accept();
  equal(messages(socket), [1, 2, 3]);
  handle.send(5);
  equal(messages(socket), [1, 2, 3, 5]);
  equal([signaling.stats().queued, signaling.stats().queuedBytes], [0, 0]);
}

export function the_outbox_is_bounded_in_bytes_as_memory_has_them() {
  const signaling = new Signaling({ url: 'ws://server.test/', outbox: { bytes: 32, overflow: 'throw' } });
  const handle = signaling.openSocket({});
  handle.send('é');
  equal(signaling.stats().queuedBytes, 6);
  handle.send('😀');
  equal(signaling.stats().queuedBytes, 14);
  handle.send('\u20ac\n');
  equal(signaling.stats().queuedBytes, 24);
  refused(() => handle.send('xxx'), 'outbox-full', '3 of 1000 messages', '24 of 32 bytes');
  handle.send('xx');
  equal(signaling.stats().queuedBytes, 32);
  refused(() => handle.send(1), 'outbox-full', '32 of 32 bytes');
  equal(messages(sockets[0].accept()), ['é', '😀', '\u20ac\n', 'xx']);
  // On an open connection nothing waits. A message over the bound is refused there too: the
  // connection may be going down.
  handle.send('x'.repeat(14));
  refused(() => handle.send('x'.repeat(15)), 'outbox-full', '0 of 1000 messages', '0 of 32 bytes');
  equal([signaling.stats().sent, signaling.stats().queued], [5, 0]);
}

export function the_outboxs_default_bounds() {
  const outbox = { overflow: 'throw' };
  const many = new Signaling({ url: 'ws://server.test/', outbox });
  const one = many.openSocket({});
  for (let count = 0; count < 1000; count += 1) {
    one.send(count);
  }
  refused(() => one.send(1), 'outbox-full', '1000 of 1000');
  const large = new Signaling({ url: 'ws://server.test/', outbox });
  const two = large.openSocket({});
  for (let count = 0; count < 8; count += 1) {
    two.send('x'.repeat(524288 - 2));
  }
  refused(() => two.send(1), 'outbox-full', '8388608 of 8388608');
  equal(sockets[1].accept().frames.length, 8);
  equal(messages(sockets[0].accept()).at(-1), 999);
}

export function a_full_outbox_drops_its_oldest_message_and_says_so() {
  for (const hook of ['openSocket', 'openSignalingChannel']) {
    const notes = new Notes();
    const outbox = { messages: 3 };
    const onerror = notes.taker('onerror');
    const signaling = new Signaling({ url: 'ws://server.test/', outbox, onerror });
    const handle = signaling[hook]({ channel: 'room' });
    // As libraries repeat their announcements.
    for (let count = 1; count <= 5; count += 1) handle.send(count);
    equal(notes.calls.length, 2);
    notes.calls.forEach(([, error]) => isOurs(error, 'outbox-full', "'room'", 'option outbox'));
    const { queued, dropped } = signaling.stats();
    equal([queued, dropped], [3, 2]);
    equal(messages(sockets.at(-1).accept()), [3, 4, 5]);
  }
}

export function closed_channels_and_signalings_say_so() {
  for (const state of ['connecting', 'open', 'waiting']) {
    const signaling = new Signaling({ url: 'ws://server.test/' });
    const handle = signaling.openSocket({ channel: 'a' });
    const other = signaling.openSocket({ channel: 'b' });
    if (state !== 'connecting') sockets.at(-1).accept();
    if (state === 'waiting') sockets.at(-1).end();
    equal(signaling.state, state);
    handle.close();
    refused(() => handle.send(1), 'channel-closed', "'a'");
    other.send(1);
    signaling.close();
    refused(() => other.send(1), 'signaling-closed', 'new Signaling()');
    refused(() => handle.send(1), 'signaling-closed');
    for (const open of [signaling.openSocket, signaling.openSignalingChannel]) {
      refused(() => open({}), 'signaling-closed', 'configure()');
    }
    other.close();
  }
}

export function a_long_name_is_cut_in_the_sentence() {
  const { handle } = connected({}, { channel: 'long '.repeat(10_000) });
  handle.close();
  ok(refused(() => handle.send(1), 'channel-closed', "'long long").message.length < 200, 'cut');
}
