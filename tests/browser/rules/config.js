// R1 of what pages expect of the two functions: the config.
//
// What's tested
// * the config is an object or a bare function; its members are optional, and it is only read
// * a misspelt member is reported once in the console
// * anything else is refused, and so are members of the wrong type; what a getter throws is passed
//   on

import {
  clock,
  configure,
  connected,
  equal,
  frame,
  messages,
  Notes,
  ok,
  openSignalingChannel,
  openSocket,
  refused,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

export function r1_the_config_is_an_object() {
  const { socket, notes, config } = connected();
  socket.deliver(frame('room', { offer: 1 }));
  equal(notes.calls, [['onmessage', { offer: 1 }]]);
  equal(notes.targets, [config]);
}

export function r1_the_config_is_a_bare_function() {
  const notes = new Notes();
  const meeting = {
    channel: 'meeting',
    openSignalingChannel: new Signaling({ url: 'ws://server.test/' }).openSignalingChannel,
  };
  const handle = meeting.openSignalingChannel(notes.taker('onmessage'));
  equal(handle.channel, 'meeting');
  clock.advance(5000);
  handle.send('{"text":1}');
  const socket = sockets[0].accept();
  socket.deliver(frame('meeting', '{"text":2}'));
  equal(notes.calls, [['onmessage', '{"text":2}']]);
  equal(messages(socket), ['{"text":1}']);
}

export function r1_all_members_are_optional_and_the_config_is_only_read() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  for (const config of [
    {},
    { channel: null, onmessage: null, onopen: undefined, callback: null },
    Object.create(null),
    [],
    new (class Config {})(),
  ]) {
    const handle = signaling.openSocket(Object.freeze(config));
    equal(handle.channel, 'main-channel');
  }
  sockets[0].accept().deliver(frame('main-channel', 1));
  clock.advance(5000);
  equal(signaling.stats().delivered, 1);
}

export function r1_inherited_members_count() {
  const notes = new Notes();
  class Config {
    get channel() {
      return 'inherited';
    }
    onmessage(message) {
      notes.taker('onmessage').call(this, message);
    }
  }
  const config = new Config();
  const handle = new Signaling({ url: 'ws://server.test/' }).openSocket(config);
  equal(handle.channel, 'inherited');
  sockets[0].accept().deliver(frame('inherited', 1));
  equal(notes.calls, [['onmessage', 1]]);
  equal(notes.targets, [config]);
}

export function r1_anything_else_is_refused() {
  const signaling = configure({ url: 'ws://server.test/' });
  const connection = signaling.attach({ channel: 'room' });
  const shown = [
    [undefined, 'undefined'],
    [null, 'null'],
    ['room', "'room'"],
    [7, '7'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [10n, '10'],
  ];
  for (const [config, text] of shown) {
    for (const open of [
      openSocket,
      openSignalingChannel,
      signaling.openSocket,
      signaling.openSignalingChannel,
    ]) {
      refused(
        () => open(untyped(config)),
        'bad-config',
        `the config is ${String(text)}`,
        'channel, onmessage, onopen',
      );
    }
    refused(() => connection.openSignalingChannel(untyped(config)), 'bad-config', text);
  }
  refused(() => openSocket(), 'bad-config', 'undefined');
  equal(sockets.length, 0, 'sockets made for refused configs');
  equal(signaling.state, 'idle');
  equal(signaling.stats().channels, 0);
}

export function r1_members_of_the_wrong_type_are_refused_by_name() {
  configure({ url: 'ws://server.test/' });
  for (const member of ['onmessage', 'onopen', 'callback']) {
    for (const [value, text] of [
      ['later', "'later'"],
      [1, '1'],
      [true, 'true'],
      [{}, 'an object'],
      [[], 'an object'],
      [Symbol('s'), 'Symbol(s)'],
    ]) {
      refused(
        () => openSocket({ channel: 'room', [member]: value }),
        'bad-config',
        `${member} is ${String(text)}`,
      );
    }
  }
  for (const [value, text] of [
    [true, 'true'],
    [{}, 'an object'],
    [['a'], 'an object'],
    [() => 'a', 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [5n, '5'],
  ]) {
    refused(
      () => openSocket({ channel: value }),
      'bad-config',
      `config.channel is ${String(text)}`,
    );
  }
  equal(sockets.length, 0);
}

export function r1_what_a_getter_of_the_config_throws_is_the_pages_own() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  for (const member of ['channel', 'onmessage', 'onopen', 'callback']) {
    const own = new RangeError(member);
    equal(
      thrownBy(() =>
        signaling.openSocket({
          get [member]() {
            throw own;
          },
        }),
      ),
      own,
    );
  }
  equal(
    thrownBy(() =>
      signaling.openSocket(
        new Proxy(
          {},
          {
            get() {
              throw 'mine';
            },
          },
        ),
      ),
    ),
    'mine',
  );
  equal(signaling.stats().channels, 0);
  signaling.openSocket({});
  equal(signaling.stats().channels, 1);
}

export function r1_misspelt_members_are_told_once() {
  const lines = [];
  const real = console.warn;
  console.warn = (line) => lines.push(line);
  try {
    const signaling = new Signaling({ url: 'ws://server.test/' });
    const misspelt = { chanel: 'room', onMessage: () => undefined, onOpen: () => undefined };
    equal(signaling.openSocket(untyped(misspelt)).channel, 'main-channel');
    equal(
      lines.map((line) => /has the member '(\w+)'.*the member is '(\w+)'/.exec(line)?.slice(1)),
      [
        ['chanel', 'channel'],
        ['onMessage', 'onmessage'],
        ['onOpen', 'onopen'],
      ],
    );
    lines.length = 0;
    signaling.openSocket(untyped({ ...misspelt, callBack: () => undefined }));
    signaling.openSignalingChannel(untyped(misspelt));
    equal(lines.length, 1, 'each once');
    ok(lines[0].includes("'callBack'") && lines[0].includes("'callback'"), lines[0]);
    lines.length = 0;
    // What is there isn't missing; what libraries pass is theirs; a proxy may refuse to tell.
    signaling.openSocket(untyped({ channel: 'a', channels: {}, onmessage: () => 1, onMessage: 1 }));
    signaling.openSocket(
      untyped({ onclose: 1, onerror: 1, message: 1, open: 1, extra: {}, userid: 1, [Symbol('chanel')]: 1 }),
    );
    signaling.openSocket(() => undefined);
    const secretive = { ownKeys: () => { throw new Error('mine'); } };
    signaling.openSocket(new Proxy({}, secretive));
    equal(lines, []);
    // Another signaling is another page's part.
    new Signaling({ url: 'ws://server.test/' }).openSocket(untyped({ chanel: 'room' }));
    equal(lines.length, 1);
  } finally {
    console.warn = real;
  }
}
