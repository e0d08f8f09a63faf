// Messages by every protocol: the same channels, the same values, the same counters, however
// envelopes are framed.
//
// What's tested
// * the outbox goes out when the server is ready and not before, in order, and before the page's
//   `open`
// * messages and channel names of every kind, out and in; own and foreign envelopes; frames that
//   are no envelope
// * frames for others are not parsed, however long they are

import {
  connectedBy,
  END,
  equal,
  frame,
  Notes,
  ok,
  servers,
  settled,
  Signaling,
} from '../support/index.js';

export async function the_outbox_goes_out_when_the_server_is_ready() {
  for (const [protocol, server] of Object.entries(servers)) {
    const heard = [];
    const signaling = new Signaling({
      url: 'ws://server.test/',
      protocol,
      onstatechange: (state) => {
        heard.push(state);
        if (state === 'open') handle.send('told');
      },
    });
    const handle = signaling.openSocket({ channel: 'room' });
    const sent = [];
    signaling.onframe = (kind, frame) => {
      if (kind === 'sent') sent.push(server.unwrap(String(frame)));
    };
    ['é', { a: '"' }, 3].forEach((message) => handle.send(message));
    await settled();
    equal([heard, sent, signaling.stats().queued], [['connecting'], [], 3], protocol);
    const socket = await server.up();
    equal(heard, ['connecting', 'open'], protocol);
    const envelopes = ['é', { a: '"' }, 3, 'told'].map((message) => ({
      sender: signaling.userid,
      channel: 'room',
      message,
    }));
    equal(sent, envelopes, protocol);
    equal(
      socket.frames.slice(-4).map((sent) => server.unwrap(sent)),
      envelopes,
      protocol,
    );
    handle.send('later');
    equal(server.unwrap(socket.frames.at(-1)).message, 'later', protocol);
    equal(
      [signaling.stats().sent, signaling.stats().queued, signaling.stats().connects],
      [5, 0, 1],
      protocol,
    );
  }
}

export async function envelopes_are_delivered_dropped_and_counted() {
  for (const protocol of Object.keys(servers)) {
    const frames = [];
    const { signaling, handle, socket, notes, server } = await connectedBy(protocol, {
      onframe: (...frame) => frames.push(frame),
    });
    const before = signaling.stats();
    frames.length = 0;
    handle.send({ from: 'me' });
    const own = server.wrap(JSON.stringify(server.unwrap(socket.frames[0])));
    const kinds = [
      ['delivered', frame('room', { sdp: 'v=0\r\n"é😀' })],
      ['own', frame('room', 1, signaling.userid)],
      ['own', frame('room', 1, String(signaling.userid))],
      ['foreign', frame('rooms', 1)],
      // The whole has to be read of these.
      ['delivered', '{"message":2,"channel":"room","sender":17}'],
      ['delivered', '{"sender":17,"channel":"\\u0072oom","message":3}'],
      ['delivered', ' {"channel":"room","message":4}'],
      ['own', `{"channel":"room","sender":${signaling.userid},"message":5}`],
      ['foreign', '{"message":6,"channel":"other"}'],
      // For no channel here.
      ['bad', '[]'],
      ['bad', 'null'],
      ['bad', '5'],
    ].map(([kind, envelope]) => [kind, server.wrap(envelope)]);
    kinds.push(['own', own]);
    socket.deliver(...kinds.map(([, text]) => text));
    equal(
      notes.take(),
      [
        ['onmessage', { sdp: 'v=0\r\n"é😀' }],
        ['onmessage', 2],
        ['onmessage', 3],
        ['onmessage', 4],
      ],
      protocol,
    );
    // Where records were cut out of a frame, a record of SignalR is shown without its terminator.
    const shown = frames.map(([kind, text]) => [kind, text.replace(END, '')]);
    equal(
      shown,
      [['sent', socket.frames[0]], ...kinds].map(([kind, text]) => [kind, text.replace(END, '')]),
      protocol,
    );
    const { delivered, own: owns, foreign, bad, control, received } = signaling.stats();
    equal(
      [delivered, owns, foreign, bad, control - before.control, received - before.received],
      [4, 4, 2, 3, 0, 13],
      protocol,
    );
  }
}

export async function awkward_messages_and_names_go_out_and_come_in() {
  const texts = [
    '',
    '"',
    '\\',
    '\\"',
    '\\\\',
    '\n\r\t\b\f\0',
    '\u001e',
    '{"a":"b"}',
    ']}\u001e',
    '"}]}',
    ']',
    '\u2028\u2029',
    '\ufeff',
    '\ud800',
    'é',
    '😀',
    '</script>',
    '<method>',
    '#',
    'x'.repeat(5000),
    '😀'.repeat(2000),
  ];
  for (const protocol of Object.keys(servers)) {
    const { signaling, socket, server } = await connectedBy(protocol);
    const names = texts.filter((text) => !/\p{Surrogate}/u.test(text) && text !== '');
    for (const channel of names) {
      const notes = new Notes();
      const handle = signaling.openSocket({ channel, onmessage: notes.taker('onmessage') });
      for (const message of [...texts, { [channel]: channel }, [null, 0.5]]) {
        handle.send(message);
        const envelope = JSON.stringify({ sender: signaling.userid, channel, message });
        equal(JSON.stringify(server.unwrap(socket.frames.pop())), envelope, protocol);
        socket.deliver(server.wrap(frame(channel, message)));
        equal(notes.take(), [['onmessage', message]], protocol);
      }
      handle.close();
    }
    equal(signaling.stats().bad, 0, protocol);
    signaling.close();
  }
}

export async function names_of_every_length() {
  // Only a frame's head enters wasm, and it is cut for the longest name.
  for (const protocol of Object.keys(servers)) {
    for (const letter of ['x', 'é', '😀', '"', '\\', '\n']) {
      const { signaling, socket, notes, server } = await connectedBy(
        protocol,
        {},
        { channel: letter.repeat(150) },
      );
      for (let length = 1; length <= 320; length += 1) {
        socket.deliver(server.wrap(frame(letter.repeat(length), length)));
      }
      equal(notes.take(), [['onmessage', 150]], `${protocol} ${letter}`);
      equal([signaling.stats().foreign, signaling.stats().bad], [319, 0], `${protocol} ${letter}`);
      for (const sender of ['p', 'p'.repeat(100), '12345678901234567', signaling.userid]) {
        socket.deliver(
          server.wrap(frame(letter.repeat(150), 1, sender)),
          server.wrap(frame(letter.repeat(149), 2, sender)),
          server.wrap(frame(letter.repeat(151), 3, sender)),
        );
      }
      equal(notes.take(), Array(3).fill(['onmessage', 1]), `${protocol} ${letter}`);
      equal(signaling.stats().own, 3, `${protocol} ${letter}`);
      signaling.close();
    }
  }
}

export async function of_frames_for_others_nothing_is_parsed() {
  const { parse } = JSON;
  let parsed = [];
  try {
    for (const protocol of Object.keys(servers)) {
      const { signaling, handle, socket, notes, server } = await connectedBy(protocol);
      // The server's capitals and cursors are learnt from the first frame.
      socket.deliver(server.wrap(frame('room', 'first')));
      notes.take();
      const long = { sdp: 'x"\\\n'.repeat(20_000) };
      handle.send(long);
      const own = server.wrap(JSON.stringify(server.unwrap(socket.frames[0])));
      const foreign = [
        frame('other', long),
        frame('other', long, 'peer'),
        frame('r', 1),
        frame('a far longer name than any that is open here'.repeat(9), long),
      ].map(server.wrap);
      const control = {
        'websocket': [],
        'socket.io': ['2', '3', '6'],
        'signalr': [],
        'signalr-classic': [],
      }[protocol];
      const before = signaling.stats();
      JSON.parse = (text) => {
        parsed.push(text);
        return parse(text);
      };
      for (let round = 0; round < 50; round += 1) socket.deliver(...foreign, own, ...control);
      equal(parsed.splice(0), [], protocol);
      const after = signaling.stats();
      equal([after.foreign - before.foreign, after.own - before.own], [200, 50], protocol);
      // The spy sees what is delivered: the message's text, and no more of the frame.
      const delivered = server.wrap(frame('room', long));
      socket.deliver(delivered);
      ok(parsed.length > 0 && parsed.every((text) => text.length < delivered.length), protocol);
      JSON.parse = parse;
      equal(notes.take(), [['onmessage', long]], protocol);
      parsed = [];
      signaling.close();
    }
  } finally {
    JSON.parse = parse;
  }
}
