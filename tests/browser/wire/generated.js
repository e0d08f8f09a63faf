// Thousands of generated frames, valid and broken, against the shim itself.

import { equal, Notes, ok, reported, Signaling, sockets } from '../support/index.js';

export function in_thousands_of_frames_as_the_shim_reads_them() {
  // A generator that gives the same frames each time (mulberry32).
  let seed = 20260101;
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
  const below = (bound) => Math.floor(random() * bound);
  const pick = (list) => list[below(list.length)];

  const notes = new Notes();
  const open = ['room', '5', 'é😀', 'quo"te', 'a long name '.repeat(12), 'undefined', '__proto__'];
  const signaling = new Signaling({ url: 'ws://server.test/' });
  open.forEach((channel) => signaling.openSocket({ channel, onmessage: notes.taker(channel) }));
  const socket = sockets[0].accept();

  // The shim, with a map for its object, and without its readiness.
  const channels = new Map(
    open.map((channel) => [channel, (message) => expected.push([channel, message])]),
  );
  let expected = [];
  const shim = (text) => {
    const data = JSON.parse(text);
    // The one difference: an array is no envelope to us, and to the shim one for the channel
    // `undefined`.
    if (Array.isArray(data)) return;
    // eslint-disable-next-line eqeqeq -- as the shim compares
    if (data.sender == signaling.userid) return;
    channels.get(String(data.channel))?.(data.message);
  };

  const escaped = (text) =>
    `"${[...JSON.stringify(text).slice(1, -1)].map((letter) => (letter !== '\\' && /[a-z]/.test(letter) && below(4) === 0 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter)).join('')}"`;
  const name = () =>
    pick([...open, ...open, 'foreign', 'roo', 'room ', '', 'f'.repeat(below(300))]);
  const text = (value) =>
    below(6) > 0 || /[\\"]/.test(value) ? JSON.stringify(value) : escaped(value);
  const sender = () =>
    pick([
      () => '17',
      () => '"17"',
      () => String(signaling.userid),
      () => JSON.stringify(String(signaling.userid)),
      () => `" ${signaling.userid}"`,
      () => `${signaling.userid}.0`,
      () => `[${signaling.userid}]`,
      () => '"peer"',
      () => '"é"',
      () => 'null',
      () => 'true',
      () => '{}',
      () => '1e5',
      () => '-3',
      () => '"7up"',
      () => '9007199254740993',
      () => `"${'s'.repeat(below(150))}"`,
      () => '"\\u0061"',
    ])();
  const value = (depth) =>
    pick([
      () => String(below(1000)),
      () => '-0.5e-3',
      () => 'true',
      () => 'null',
      () => text(pick(['', '}', '"', '😀', ',"channel":"room"', '\\', '\n', 'candidate:1 1 UDP'])),
      ...(depth > 3
        ? []
        : [
            () =>
              `[${Array.from({ length: below(4) }, () => value(depth + 1)).join(space() + ',')}]`,
            () =>
              `{${Array.from({ length: below(4) }, (_, at) => `${JSON.stringify(pick(['a', 'message', 'channel', '__proto__']) + at)}:${space()}${value(depth + 1)}`).join(',')}}`,
          ]),
    ])();
  const space = () => (below(12) > 0 ? '' : pick([' ', '\n', '\t', '\r', '  ']));
  const canonical = () => `{"sender":${sender()},"channel":${text(name())},"message":${value(0)}}`;
  const shuffled = () => {
    const members = [
      ['sender', sender()],
      [
        'channel',
        pick([() => text(name()), () => text(name()), () => '5', () => '["room"]', () => 'null'])(),
      ],
      ['message', value(0)],
      ['extra', value(2)],
    ]
      .filter(() => below(8) > 0)
      .sort(() => random() - 0.5);
    return `${space()}{${members.map(([member, content]) => `${space()}"${member}"${space()}:${space()}${content}`).join(space() + ',')}${space()}}${space()}`;
  };
  const broken = () => {
    const whole = canonical();
    const at = below(whole.length + 1);
    return pick([
      () => whole.slice(0, at),
      () => whole.slice(at),
      () =>
        whole.slice(0, at) +
        pick(['"', '}', '{', ',', ' ', '\\', '0', 'x', '\u0000', '😀']) +
        whole.slice(at),
      () => whole.slice(0, at) + whole.slice(at + 1),
      () => whole + whole,
      () => whole + '}',
      () => `[[${whole}]]`,
    ])();
  };

  const kinds = { delivered: 0, silent: 0 };
  for (let count = 0; count < 6000; count += 1) {
    const given = pick([canonical, canonical, shuffled, broken])();
    expected = [];
    try {
      shim(given);
    } catch {
      // The shim would have thrown: nothing is delivered.
    }
    socket.deliver(given);
    equal(notes.take(), expected, given);
    kinds[expected.length ? 'delivered' : 'silent'] += 1;
  }
  reported().forEach((error) => {
    throw error;
  });
  ok(
    kinds.delivered > 1000 && kinds.silent > 1000,
    `the generator makes both kinds: ${JSON.stringify(kinds)}`,
  );
  const { delivered, own, foreign, bad, received } = signaling.stats();
  equal(delivered, kinds.delivered);
  ok(own > 100 && foreign > 100 && bad > 100, 'all kinds came up');
  equal(received, 6000);
}
