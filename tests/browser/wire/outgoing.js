// The bytes that go out: each frame equals the shim's `JSON.stringify({ sender, channel, message
// })`, for awkward channels and awkward messages.

import { connected, equal, messages, ok, refused, Signaling, sockets } from '../support/index.js';

export function out_awkward_channels() {
  const { signaling, socket } = connected();
  const channels = [
    'a',
    '"',
    '\\',
    '\\"',
    '/',
    "'",
    '</script>',
    '\u007f',
    '\u0080',
    'é',
    '😀',
    '\u2028\u2029',
    '\ufeff',
    '\ufffd',
    '\uffff',
    '__proto__',
    'constructor',
    '{"sender":1}',
    'x'.repeat(50_000),
    '😀'.repeat(20_000),
  ];
  for (let code = 0; code < 0x30; code += 1) {
    channels.push(`<${String.fromCharCode(code)}>`);
  }
  for (const channel of channels) {
    signaling.openSocket({ channel }).send({ offer: channel });
    equal(
      socket.frames.at(-1),
      JSON.stringify({ sender: signaling.userid, channel, message: { offer: channel } }),
    );
  }
}

export function out_half_a_surrogate_pair_in_a_channels_name_is_refused() {
  // It can't come back from the wire as what it was, so the two ends would never meet.
  const signaling = new Signaling({ url: 'ws://server.test/' });
  for (const channel of ['\ud800', 'a\udc00b', '😀\ud83d', '\udc00\ud800']) {
    refused(() => signaling.openSocket({ channel }), 'bad-config', 'config.channel', 'well-formed');
    refused(
      () => signaling.attach({ channel }).openSignalingChannel({}),
      'bad-config',
      'this.channel',
      'well-formed',
    );
  }
  equal(signaling.openSocket({ channel: '\ud83d\ude00' }).channel, '😀');
}

export function out_awkward_messages() {
  const { signaling, handle, socket } = connected();
  const sdp =
    'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=candidate:1 1 UDP 2122252543 192.168.0.1 1 typ host\r\n';
  const messages = [
    0,
    -0,
    1e21,
    1e-7,
    -1.5,
    NaN,
    Infinity,
    '',
    '"',
    '}',
    '{',
    ',"channel":"room"',
    '\u0000',
    '\ud800',
    'a\udfffb',
    '😀',
    '\u2028',
    sdp,
    sdp.repeat(2000),
    true,
    false,
    null,
    [],
    {},
    [undefined, () => 1, Symbol('s')],
    { gone: undefined, also: () => 1, kept: null },
    { __proto__: null, a: 1 },
    JSON.parse('{"__proto__":1}'),
    new Date(0),
    new Map([[1, 2]]),
    Object(true),
    Object('text'),
    { toJSON: () => ({ as: 'told' }) },
    { sender: 1, channel: 'other', message: 2 },
    Object.assign(Array(2), { 1: 1 }),
    new (class Offer {
      type = 'offer';
      get sdp() {
        return 'no';
      }
    })(),
    Array.from({ length: 3 }, (_, i) => ({ i })),
  ];
  for (const message of messages) {
    handle.send(message);
    equal(
      socket.frames.at(-1),
      JSON.stringify({ sender: signaling.userid, channel: 'room', message }),
    );
  }
  equal(signaling.stats().sent, messages.length);
}

export function out_a_message_is_what_it_was_when_it_was_sent() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const handle = signaling.openSocket({ channel: 'room' });
  const message = { step: 1 };
  handle.send(message);
  message.step = 2;
  handle.send(message);
  equal(messages(sockets[0].accept()), [{ step: 1 }, { step: 2 }]);
}

export function out_the_sender_is_a_number_of_53_random_bits() {
  const ids = new Set();
  let highest = 0;
  for (let count = 0; count < 200; count += 1) {
    const { userid } = new Signaling();
    ok(Number.isSafeInteger(userid) && userid >= 0, `${userid} is a whole number`);
    ids.add(userid);
    highest = Math.max(highest, userid);
  }
  equal(ids.size, 200);
  ok(highest > 2 ** 52, 'the upper half is used');
}
