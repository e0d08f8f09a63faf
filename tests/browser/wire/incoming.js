// The bytes that come in, read as the shim reads them.
//
// What's tested
// * canonical frames and all the other ways to write the same envelope, names of every length,
//   numbers for names
// * binary frames that hold text; several envelopes in a frame, on lines and in arrays
// * what no shim ever sends (no envelope, not UTF-8, too long, hostile members) is dropped, counted
//   and reported once
// * a hundred thousand frames for channels that nobody opened leave nothing behind

import {
  connected,
  equal,
  frame,
  held,
  isOurs,
  keptNothing,
  messages,
  Notes,
} from '../support/index.js';

export function in_every_way_to_write_an_envelope() {
  const { signaling, socket, notes } = connected();
  const written = [
    '{"sender":17,"channel":"room","message":"m"}',
    '{"sender":"17","channel":"room","message":"m"}',
    '{"sender":"peer-é😀","channel":"room","message":"m"}',
    '{"sender":"with \\"quotes\\"","channel":"room","message":"m"}',
    '{"sender":null,"channel":"room","message":"m"}',
    '{"sender":1.5e3,"channel":"room","message":"m"}',
    '{"sender":-1,"channel":"room","message":"m"}',
    '{"sender":12345678901234567890,"channel":"room","message":"m"}',
    '{"sender":{"id":1},"channel":"room","message":"m"}',
    '{"sender":[],"channel":"room","message":"m"}',
    '{"channel":"room","message":"m"}',
    '{"message":"m","channel":"room"}',
    '{"message":"m","channel":"room","sender":17}',
    '{"channel":"room","sender":17,"message":"m"}',
    '{"sender":17,"message":"m","channel":"room"}',
    '{"sender":17,"channel":"room","message":"m","extra":1}',
    '{"id":1,"sender":17,"channel":"room","message":"m"}',
    '{"sender":17,"channel":"room","extra":{"message":"no"},"message":"m"}',
    '{ "sender" : 17 , "channel" : "room" , "message" : "m" }',
    '\n{\t"sender":17,\r\n"channel":"room","message":"m"}\n',
    '{"sender":17,"channel":"room","message":"m"} ',
    '{"sender":17,"channel":"room","message": "m" }',
    '{"sender":17,"channel":"r\\u006fom","message":"m"}',
    '{"sender":17,"ch\\u0061nnel":"room","message":"m"}',
    '{"sender":17,"channel":"room","message":"\\u006d"}',
    '{"sender":17,"channel":["room"],"message":"m"}',
    '{"sender":17,"channel":"room","message":"old","message":"m"}',
    '{"sender":17,"channel":"other","channel":"room","message":"m"}',
  ];
  for (const text of written) {
    socket.deliver(text);
    equal(notes.take(), [['onmessage', 'm']], text);
  }
  equal(signaling.stats().delivered, written.length);
  socket.deliver('{"sender":17,"channel":"room"}');
  equal(notes.take(), [['onmessage', undefined]], 'without a message, as the shim has it');
}

export function in_braces_and_quotes_where_they_belong_to_the_message() {
  const { socket, notes } = connected();
  const messages = [
    '}',
    '"}',
    '\\"}',
    '\\',
    '{"',
    '","channel":"foreign"}',
    { a: { b: { c: {} } } },
    [[[{}]]],
    '}'.repeat(300),
    { '}': '}' },
    { message: { message: '}' } },
  ];
  for (const message of messages) {
    socket.deliver(frame('room', message));
    equal(notes.take(), [['onmessage', message]]);
  }
}

export function in_names_of_every_length() {
  // Only a frame's head enters wasm, and it is cut for the longest name.
  for (const letter of ['x', 'é', '😀', '"']) {
    const { signaling, socket, notes } = connected({}, { channel: letter.repeat(150) });
    for (let length = 1; length <= 400; length += 1) {
      socket.deliver(frame(letter.repeat(length), length));
    }
    equal(notes.take(), [['onmessage', 150]], letter);
    equal(signaling.stats().foreign, 399, letter);
    equal(
      signaling.openSocket({ channel: letter.repeat(400), onmessage: notes.taker('400') }).channel
        .length,
      letter.length * 400,
    );
    socket.deliver(
      frame(letter.repeat(400), 1),
      frame(letter.repeat(150), 2),
      frame(letter.repeat(399), 3),
      frame(letter.repeat(401), 4),
      frame(letter.repeat(4000), 5),
    );
    equal(
      notes.take(),
      [
        ['400', 1],
        ['onmessage', 2],
      ],
      letter,
    );
    signaling.close();
  }
}

export function in_a_long_sender_hides_no_channel() {
  const { signaling, socket, notes } = connected();
  for (const length of [1, 16, 50, 70, 80, 90, 100, 200, 5000]) {
    socket.deliver(
      frame('room', length, 'p'.repeat(length)),
      frame('foreign', length, 'p'.repeat(length)),
    );
  }
  equal(notes.take().length, 9);
  equal(signaling.stats().foreign, 9);
}

export function in_prototype_names_are_names_like_any_other() {
  const { signaling, socket, notes } = connected();
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'undefined',
    'null',
    'true',
    'NaN',
    '[object Object]',
  ];
  names.forEach((name) => socket.deliver(frame(name, { polluted: true })));
  socket.deliver(
    '{"__proto__":{"sender":1,"channel":"room","message":1}}',
    '{"sender":1,"__proto__":{"channel":"room"},"message":1}',
    '{"constructor":{"prototype":{"polluted":true}}}',
  );
  equal(notes.take(), []);
  equal({}.polluted, undefined);
  equal(signaling.stats().foreign, names.length + 3);
  for (const name of names) {
    signaling.openSocket({ channel: name, onmessage: notes.taker(name) });
    socket.deliver(frame(name, 1));
    equal(notes.take(), [[name, 1]]);
  }
  // An envelope without a channel goes to the channel `undefined`, as in the shim's lookup;
  // likewise the others.
  socket.deliver(
    '{"message":1}',
    '{"channel":null,"message":2}',
    '{"channel":true,"message":3}',
    '{"channel":{},"message":4}',
  );
  equal(notes.take(), [
    ['undefined', 1],
    ['null', 2],
    ['true', 3],
    ['[object Object]', 4],
  ]);
}

export function in_of_a_member_named_twice_the_head_counts() {
  // No JSON.stringify writes such a frame. Whoever writes one by hand can't reach other channels.
  const { signaling, socket, notes } = connected();
  socket.deliver(
    '{"sender":17,"channel":"foreign","message":1,"channel":"room"}',
    `{"sender":${signaling.userid},"channel":"room","message":1,"sender":17}`,
  );
  equal(notes.take(), []);
  socket.deliver(
    '{"sender":17,"channel":"room","message":1,"channel":"foreign"}',
    `{"sender":17,"channel":"room","message":1,"sender":${signaling.userid}}`,
  );
  equal(notes.take(), []);
  equal([signaling.stats().own, signaling.stats().foreign], [2, 2]);
}

export function in_what_is_no_envelope_is_counted_and_reported_once() {
  const notes = new Notes();
  const {
    signaling,
    socket,
    notes: channel,
  } = connected({ onerror: notes.taker('onerror'), onframe: notes.taker('onframe') });
  notes.take();
  const bad = [
    '',
    ' ',
    'hello',
    '{',
    '}',
    '{"sender":17,"channel":"room","message":',
    '{"sender":17,"channel":"room","message":}',
    '{"sender":17,"channel":"room","message":1',
    '{"sender":17,"channel":"room","message":1}}',
    '{"sender":17,"channel":"room","message":"}',
    '{"sender":17,"channel":"room"',
    '{"sender":17,"channel":"ro',
    "{'sender':17}",
    'undefined',
    'null',
    'true',
    '5',
    '"text"',
    '[]',
    '[[{"sender":17,"channel":"room","message":1}]]',
    '\ufeff{"sender":17,"channel":"room","message":1}',
    new Uint8Array([255]).buffer,
    new Uint8Array([34, 195]).buffer,
    new Uint8Array([123, 0, 125, 0]).buffer,
    new ArrayBuffer(8),
  ];
  socket.deliver(...bad);
  equal(channel.take(), []);
  equal(signaling.stats().bad, bad.length);
  equal(signaling.stats().received, bad.length);
  const calls = notes.take();
  equal(calls.filter(([name]) => name === 'onerror').length, 1);
  isOurs(
    calls.find(([name]) => name === 'onerror')?.[1],
    'bad-frame',
    "isn't JSON",
    'ws://server.test/',
    'stats().bad',
  );
  equal(
    calls.filter(([name]) => name === 'onframe').map(([, kind, text]) => [kind, text]),
    bad.map((text) => ['bad', text]),
  );
  socket.deliver(frame('room', 1));
  equal(channel.take(), [['onmessage', 1]], 'and the connection goes on');
  equal(signaling.state, 'open');
}

export function in_the_report_says_what_was_wrong() {
  for (const [bad, words] of [
    ['x', "isn't JSON"],
    ['[]', "isn't an object"],
    ['null', "isn't an object"],
    [new Uint8Array([255]).buffer, "a binary frame that isn't UTF-8 text"],
    [new ArrayBuffer(1), 'binary'],
    [new Uint8Array(5000).buffer, 'maxMessage'],
    ['x'.repeat(2000), 'maxMessage'],
  ]) {
    const notes = new Notes();
    const { socket, signaling } = connected({ maxMessage: 100, onerror: notes.taker('onerror') });
    socket.deliver(bad);
    isOurs(notes.calls[0][1], 'bad-frame', words);
    equal(notes.targets[0], signaling);
    signaling.close();
  }
}

export function in_binary_frames_come_as_buffers() {
  equal(
    connected().socket.binaryType,
    'arraybuffer',
    'what a browser reads without a detour by a Blob',
  );
  const { signaling, socket } = connected();
  socket.deliver(new Blob(['{}']));
  equal(signaling.stats().bad, 1);
}

export function in_binary_frames_are_the_text_in_them() {
  const { signaling, socket, notes } = connected({ onframe: null });
  const text = frame('room', 'Grüße, 日本語, 🦀');
  const bytes = new TextEncoder().encode(text);
  const shifted = new Uint8Array(bytes.length + 9);
  shifted.set(bytes, 7);
  const shared = new Uint8Array(shifted.buffer, 7, bytes.length);
  const kinds = [];
  signaling.onframe = (kind, shown) => kinds.push([kind, shown === text]);
  // A browser hands over a buffer; a page's transport may hand over views of one.
  socket.deliver(bytes.buffer, bytes, shared, new DataView(shifted.buffer, 7, bytes.length));
  equal(notes.take(), Array(4).fill(['onmessage', 'Grüße, 日本語, 🦀']));
  equal(kinds, Array(4).fill(['delivered', true]));
  socket.deliver(new TextEncoder().encode(frame('foreign', 1)).buffer);
  socket.deliver(new TextEncoder().encode(`${frame('foreign', 1)}\n[${text}]`).buffer);
  equal(notes.take(), [['onmessage', 'Grüße, 日本語, 🦀']]);
  equal([signaling.stats().foreign, signaling.stats().bad], [2, 0]);
  signaling.onframe = null;
  const strange = [undefined, null, 5, {}, { byteLength: 2 }, new Date(0)];
  socket.deliver(...strange, shifted.buffer);
  equal(signaling.stats().bad, strange.length + 1);
}

export function in_several_envelopes_in_a_frame_each_count() {
  const { signaling, socket, notes } = connected();
  const own = frame('room', 0, signaling.userid);
  socket.deliver(
    [frame('foreign', 0), frame('room', 1), own, '', 'x', frame('room', 2), ''].join('\n'),
    [frame('room', 3), frame('room', 4)].join('\r\n'),
    `[${frame('foreign', 0)},${frame('room', 5)},${JSON.stringify(frame('room', 6))}]`,
    JSON.stringify(frame('room', 7)),
    `{\n"sender":17,\n"channel":"room",\n"message":8}`,
  );
  equal(
    notes.take().map(([, message]) => message),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  const { received, delivered, foreign, bad } = signaling.stats();
  equal({ received, delivered, foreign, own: signaling.stats().own, bad }, { received: 12, delivered: 8, foreign: 2, own: 1, bad: 1 });
  socket.deliver('{}\n'.repeat(300_000), `[${'{},'.repeat(300_000)}{}]`);
  equal(signaling.stats().bad, 3, 'a frame of countless ones is one bad frame');
}

export function in_too_long_a_frame_is_not_even_read() {
  const { signaling, socket, notes } = connected({ maxMessage: 1000 });
  const text = (length) => 'x'.repeat(length - 2);
  socket.deliver(frame('room', text(1000)));
  equal(notes.take(), [['onmessage', text(1000)]]);
  // There is room for the envelope around the longest message, and no more.
  const tooLong = frame('room', text(5000));
  for (const given of [
    tooLong,
    frame('foreign', text(5000)),
    frame('room', text(5000), signaling.userid),
    'x'.repeat(5000),
  ]) {
    socket.deliver(given);
  }
  equal(notes.take(), []);
  equal(signaling.stats().bad, 4);
  equal(signaling.stats().delivered, 1);
  socket.deliver(' '.repeat(50_000_000));
  equal(signaling.stats().bad, 5);
}

export async function in_hostile_members_harm_nobody() {
  const { signaling, handle, socket, notes } = connected();
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  const hostile = [
    '{"sender":{"valueOf":1,"toString":1},"channel":"room","message":1}',
    '{"sender":{"toString":null},"channel":"room","message":1}',
    `{"sender":${deep},"channel":"room","message":1}`,
    '{"sender":17,"channel":{"toString":1,"valueOf":1},"message":1}',
    `{"sender":17,"channel":${deep},"message":1}`,
    `{"channel":${deep}}`,
    deep,
    `{"sender":17,"channel":"room","message":${'{"a":'.repeat(1000)}`,
    '{"length":5,"0":"a","sender":17}',
    '{"then":1,"sender":17,"channel":"foreign","message":1}',
  ];
  socket.deliver(...hostile);
  const before = await held();
  // An exception that crossed wasm would leak a piece of its stack each time, until none is left.
  for (let round = 0; round < 2000; round += 1) {
    socket.deliver(hostile[0], hostile[1], hostile[3]);
  }
  for (let round = 0; round < 3; round += 1) {
    socket.deliver(...hostile);
  }
  await keptNothing(before, 6_000);
  equal(signaling.stats().received, 10 + 6000 + 30);
  notes.take();
  socket.deliver(frame('room', 'still here'));
  handle.send('still here');
  equal(notes.take(), [['onmessage', 'still here']]);
  equal(messages(socket), ['still here']);
}

export async function in_a_hundred_thousand_channels_that_nobody_opened() {
  const { signaling, socket, notes } = connected();
  const names = (from, to) => {
    for (let count = from; count < to; count += 1) {
      socket.deliver(
        `{"sender":${count},"channel":"c${count}","message":{"candidate":"candidate:1 1 UDP 2122252543 192.168.0.1 1 typ host"}}`,
      );
      if (count % 10 === 0) {
        socket.deliver(
          `{"channel":"c${count}","sender":"x","message":1}`,
          frame('é'.repeat(count % 500), 1),
          `{"sender":1,"channel":"${'\\u0041'.repeat(count % 50)}","message":1}`,
        );
      }
    }
  };
  names(0, 5_000);
  const before = await held();
  names(5_000, 100_000);
  await keptNothing(before, 95_000);
  equal(signaling.stats().foreign, 130_000);
  equal(signaling.stats().channels, 1);
  equal(notes.take(), []);
  socket.deliver(frame('room', 1));
  equal(notes.take(), [['onmessage', 1]]);
}
