// Thousands of generated envelopes, valid and broken, by every protocol, against the shim.

import { connectedBy, equal, Notes, ok, servers } from '../support/index.js';

export async function thousands_of_envelopes_as_the_shim_reads_them() {
  // A generator that gives the same envelopes each time (mulberry32).
  let seed = 20261122;
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
  const below = (bound) => Math.floor(random() * bound);
  const pick = (list) => list[below(list.length)];
  const open = [
    'room',
    '5',
    'é😀',
    'quo"te',
    'back\\slash',
    'a long name '.repeat(12),
    'undefined',
  ];
  for (const [protocol, server] of Object.entries(servers)) {
    if (protocol === 'websocket') continue;
    const notes = new Notes();
    const { signaling, socket } = await connectedBy(protocol);
    open.forEach((channel) => signaling.openSocket({ channel, onmessage: notes.taker(channel) }));
    let expected = [];
    const shim = (text) => {
      const data = JSON.parse(text);
      // eslint-disable-next-line eqeqeq -- as the shim compares
      if (Array.isArray(data) || data.sender == signaling.userid) return;
      const channel = String(data.channel);
      if (open.includes(channel)) expected.push([channel, data.message]);
    };
    const name = () =>
      pick([
        ...open,
        ...open,
        'foreign',
        'roo',
        'room ',
        '',
        'f'.repeat(below(300)),
        '"'.repeat(below(100)),
        '\\'.repeat(below(100)),
      ]);
    const sender = () =>
      pick([
        '17',
        '"17"',
        String(signaling.userid),
        `"${signaling.userid}"`,
        `${signaling.userid}.0`,
        '"peer"',
        '"é"',
        'null',
        '{}',
        '-3',
        `"${'s'.repeat(below(150))}"`,
        '"a\\"b"',
      ]);
    const value = () =>
      pick([
        () => String(below(1000)),
        () => 'null',
        () =>
          JSON.stringify(
            pick([
              '',
              '}',
              '"',
              '\\',
              '\\"',
              '😀',
              ']}',
              '"]}]}',
              '"]}\u001e',
              '"}]',
              ',"channel":"room"',
              '\n',
            ]),
          ),
        () => `{"a":[${below(9)},"b"]}`,
        () => '[]',
      ])();
    const canonical = () =>
      `{"sender":${sender()},"channel":${JSON.stringify(name())},"message":${value()}}`;
    const shuffled = () =>
      `{${[
        ['sender', sender()],
        ['channel', JSON.stringify(name())],
        ['message', value()],
        ['extra', value()],
      ]
        .filter(() => below(8) > 0)
        .sort(() => random() - 0.5)
        .map(([member, content]) => `"${member}":${content}`)
        .join(',')}}`;
    const broken = () => {
      const whole = canonical();
      const at = below(whole.length + 1);
      return pick([
        () => whole.slice(0, at),
        () => whole.slice(at),
        () => whole.slice(0, at) + pick(['"', '}', '{', ',', '\\', 'x']) + whole.slice(at),
        () => whole + whole,
        () => `[${whole}]`,
      ])();
    };
    const kinds = { delivered: 0, silent: 0 };
    for (let count = 0; count < 2500; count += 1) {
      const given = pick([canonical, canonical, shuffled, broken])();
      expected = [];
      let valid = true;
      try {
        shim(given);
      } catch {
        valid = false;
      }
      // Socket.IO's envelope is part of the frame's own JSON: a broken one may be read as something
      // else.
      if (!valid && protocol === 'socket.io') {
        let event;
        try {
          event = JSON.parse(`["message",${given}]`);
        } catch {
          /* nothing */
        }
        if (event !== undefined) continue;
      }
      socket.deliver(server.wrap(given));
      equal(notes.take(), expected, `${protocol}: ${given}`);
      kinds[expected.length ? 'delivered' : 'silent'] += 1;
    }
    ok(
      kinds.delivered > 400 && kinds.silent > 400,
      `the generator makes both kinds: ${JSON.stringify(kinds)}`,
    );
    equal(signaling.state, 'open');
    signaling.close();
  }
}
