// The options of `configure` and `new Signaling`: what each may be, and the error when it isn't
// that.
//
// What's tested
// * each option with values of the wrong type and out of range: a `TypeError` with a `code`, which
//   names the option and shows the value
// * unknown options, nested ones among them; options that are no object; getters that throw
// * the bounds of each range, and what the options do at them
// * a browser without random numbers, which each signaling needs

import {
  clock,
  configure,
  equal,
  Notes,
  noting,
  ok,
  refused,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

export function wrong_values_are_named_and_shown() {
  const others = [
    ['text', "'text'"],
    ['', "''"],
    [null, 'null'],
    [true, 'true'],
    [false, 'false'],
    [{}, 'an object'],
    [[], 'an object'],
    [[5], 'an object'],
    [() => 5, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [5n, '5'],
    [new Date(0), 'an object'],
  ];
  const numbers = [
    [0, '0'],
    [-1, '-1'],
    [0.5, '0.5'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    [2 ** 31, '2147483648'],
    [1e300, '1e+300'],
    [5, '5'],
  ];
  /** @type {[any, string][]} */
  const all = untyped([...others, ...numbers]);
  const but = (...right) => all.filter(([value]) => !right.some((one) => Object.is(one, value)));
  const wrong = {
    'url': all.filter(([value]) => typeof value !== 'string' && typeof value !== 'function'),
    'protocol': all,
    'channel': but('text', '', null),
    'openDelay': but(0, 0.5, 5),
    'openWhen': all,
    'maxMessage': but(5),
    'outbox': all.filter(([, shown]) => shown !== 'an object').concat([[[], 'an object']]),
    'outbox.messages': but(5),
    'outbox.bytes': but(5),
    'outbox.overflow': all,
    'reconnect': all
      .filter(([value, shown]) => shown !== 'an object' && value !== false)
      .concat([[[], 'an object']]),
    'reconnect.base': but(5),
    'reconnect.cap': but(5),
    'reconnect.attempts': but(0, 0.5, 5, Infinity, 2 ** 31, 1e300),
    'connectTimeout': but(5),
    'serverTimeout': but(5),
    'keepAlive': all,
    'heartbeat': all.filter(([, shown]) => shown !== 'an object').concat([[[], 'an object']]),
    'heartbeat.interval': all,
    'heartbeat.timeout': but(5),
    'heartbeat.message': but('text'),
    'transport': all,
    'subprotocols': all
      .filter(([value]) => !Array.isArray(value) || value.length > 0)
      .concat(
        [[''], ['a b'], ['a,b'], ['é'], ['chat', 'other', 'chat'], ['chat', null]].map((names) => [
          names,
          'an object',
        ]),
      ),
    'path': but('text'),
    'namespace': but('text'),
    'event': but('text'),
    'target': but('text'),
    'method': but('text'),
    'hub': but('text'),
    'auth': all.filter(([, shown]) => shown !== 'an object' && shown !== 'a function'),
    'query': all.filter(([, shown]) => shown !== 'an object'),
    'accessToken': all.filter(([value]) => !['string', 'function'].includes(typeof value)),
    'credentials': all,
    'headers': all.filter(([, shown]) => shown !== 'an object'),
    'skipNegotiation': but(true, false),
    'onstatechange': all.filter(([value]) => value !== null && typeof value !== 'function'),
    'ongap': all.filter(([value]) => value !== null && typeof value !== 'function'),
    'onerror': all.filter(([value]) => value !== null && typeof value !== 'function'),
    'onframe': all.filter(([value]) => value !== null && typeof value !== 'function'),
  };
  for (const [name, values] of Object.entries(wrong)) {
    const [outer, inner] = name.split('.');
    for (const [value, shown] of values) {
      const options = { url: 'ws://server.test/', [outer]: inner ? { [inner]: value } : value };
      for (const call of [() => new Signaling(options), () => configure(options)]) {
        refused(call, 'bad-option', `the option ${name} is ${shown}; it must be`);
      }
    }
  }
}

export function the_sentence_says_what_it_must_be() {
  const says = (options, ...parts) => refused(() => new Signaling(options), 'bad-option', ...parts);
  says({ protocol: 'carrier-pigeon' }, "'carrier-pigeon'", "'websocket'");
  says({ openWhen: 'soon' }, "'timer' or 'connected'");
  says({ openDelay: -5 }, 'a number from 0 to 2147483647');
  says({ maxMessage: 1.5 }, 'a whole number from 1 to 2147483647');
  says({ reconnect: { attempts: -1 } }, 'a number from 0 to Infinity');
  says({ keepAlive: 999 }, 'a number from 1000 to 2147483647');
  says({ heartbeat: { interval: 1 } }, 'heartbeat.interval', 'a number from 1000 to 2147483647');
  says({ outbox: 5 }, 'an object');
  says({ outbox: { overflow: 'drop' } }, "overflow is 'drop'", "'throw' or 'drop-oldest'");
  says({ onerror: 'x' }, 'a function, or null');
  says({ channel: 5 }, 'a string, or null');
  says(
    { protocol: 'socketio' },
    "'auto' or 'relay' or 'websocket' or 'socket.io' or 'signalr' or 'signalr-classic'",
  );
  for (const name of ['path', 'namespace', 'event', 'target', 'method', 'hub'])
    says({ [name]: '' }, name, "a string that isn't empty");
  says({ auth: 'token' }, "auth is 'token'", 'an object, or a function that gives it');
  says(
    { accessToken: { token: 1 } },
    'accessToken is an object',
    'a string, or a function that gives it',
  );
  says({ skipNegotiation: 'yes' }, 'true or false');
  says({ credentials: 'always' }, "'include' or 'same-origin' or 'omit'");
  for (const [name, value] of /** @type {[string, any][]} */ ([
    ['X-Key', 5],
    ['X-Key', null],
    ['X-Key', 'se\ncret'],
    ['X Key', 'secret'],
    ['', 'secret'],
    ['Grüße', 'secret'],
    ['X-Key', 'secret 漢'],
  ])) {
    const error = refused(
      () => new Signaling({ headers: { 'X-Fine': 'secret', [name]: value } }),
      'bad-option',
      'the option headers is an object',
      `'${name}'`,
    );
    ok(!error.message.includes('secret'), error.message);
  }
  says({ query: 'a=b' }, "query is 'a=b'", 'an object');
  says({ transport: {} }, 'an object with a function send(text)');
  says({ transport: { send: 'text' } }, 'an object with a function send(text)');
  says({ url: 5 }, 'a string or a URL');
  // A long value is cut, so that the sentence stays readable.
  ok(says({ protocol: 'p'.repeat(100_000) }, "'ppp", '…').message.length < 300, 'the value is cut');
}

export function subprotocols_are_offered_on_each_connection() {
  const subprotocols = ['v2.chat', 'Chat', 'chat'];
  const signaling = new Signaling({ url: 'ws://server.test/', subprotocols });
  signaling.openSocket({});
  equal(sockets.at(-1).subprotocols, subprotocols);
  subprotocols.length = 0;
  sockets.at(-1).accept().end();
  clock.advance(1000);
  equal(sockets.length, 2);
  equal(sockets.at(-1).subprotocols, ['v2.chat', 'Chat', 'chat']);
  // What they are isn't shown: some pages pass a token in them.
  const error = refused(() => new Signaling({ subprotocols: ['secret token'] }), 'bad-option');
  ok(!error.message.includes('secret'), error.message);
}

export function undefined_is_the_default() {
  const names = [
    'url',
    'protocol',
    'transport',
    'subprotocols',
    'path',
    'namespace',
    'event',
    'auth',
    'query',
    'target',
    'method',
    'accessToken',
    'skipNegotiation',
    'hub',
    'channel',
    'openDelay',
    'openWhen',
    'maxMessage',
    'outbox',
    'reconnect',
    'connectTimeout',
    'serverTimeout',
    'keepAlive',
    'heartbeat',
    'onstatechange',
    'ongap',
    'onerror',
    'onframe',
  ];
  const none = (names) => Object.fromEntries(names.map((name) => [name, undefined]));
  for (const options of [
    undefined,
    {},
    none(names),
    { outbox: none(['messages', 'bytes', 'overflow']), reconnect: none(['base', 'cap', 'attempts']) },
    { heartbeat: none(['interval', 'timeout', 'message']) },
    Object.freeze({ onerror: null, onframe: null, onstatechange: null }),
    Object.create(null),
  ]) {
    const signaling = new Signaling(options);
    equal(signaling.openSocket({}).channel, 'main-channel');
    equal(sockets.at(-1).url, `ws://${location.host}/`);
    equal(clock.next, 1000);
    signaling.close();
  }
}

export function unknown_options_are_named_and_the_known_ones_listed() {
  const unknown = (options, name) => {
    for (const call of [() => new Signaling(options), () => configure(options)]) {
      refused(
        call,
        'unknown-option',
        `'${name}'`,
        'url',
        'protocol',
        'transport',
        'accessToken',
        'openDelay',
        'outbox.messages',
        'reconnect.attempts',
        'onstatechange',
      );
    }
  };
  for (const name of [
    'uri',
    'URL',
    'Url',
    'onmessage',
    'open',
    '',
    ' url',
    'toString',
    'constructor',
    'transports',
    '5',
  ]) {
    unknown({ [name]: 1 }, name);
    unknown({ [name]: undefined }, name);
  }
  unknown(JSON.parse('{"__proto__":{"url":"ws://x/"}}'), '__proto__');
  unknown({ outbox: { size: 1 } }, 'outbox.size');
  unknown({ outbox: { messages: 1, url: 'x' } }, 'outbox.url');
  unknown({ reconnect: { delay: 1 } }, 'reconnect.delay');
  unknown({ reconnect: { outbox: {} } }, 'reconnect.outbox');
  unknown({ 'outbox.messages': 5 }, 'outbox.messages');
}

export function the_options_must_be_an_object() {
  for (const [options, shown] of [
    [null, 'null'],
    ['ws://server.test/', "'ws://server.test/'"],
    [5, '5'],
    [true, 'true'],
    [[], 'an object'],
    [() => 1, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [1n, '1'],
  ]) {
    for (const call of [() => new Signaling(options), () => configure(options)]) {
      refused(call, 'bad-option', `the options are ${String(shown)}`, 'an object');
    }
  }
}

export function what_a_getter_throws_is_the_pages_own() {
  const own = new RangeError('mine');
  const throwing = (name) => ({
    get [name]() {
      throw own;
    },
  });
  for (const name of [
    'url',
    'protocol',
    'transport',
    'path',
    'auth',
    'query',
    'accessToken',
    'channel',
    'openDelay',
    'outbox',
    'reconnect',
    'onerror',
  ]) {
    equal(
      thrownBy(() => new Signaling(throwing(name))),
      own,
    );
    equal(
      thrownBy(() => configure(throwing(name))),
      own,
    );
  }
  equal(
    thrownBy(() => new Signaling({ outbox: throwing('bytes') })),
    own,
  );
  equal(
    thrownBy(() => new Signaling({ reconnect: throwing('cap') })),
    own,
  );
  equal(
    thrownBy(() => new Signaling({ url: throwing('href') })),
    own,
  );
  equal(
    thrownBy(() => new Signaling({ query: throwing('a') })),
    own,
  );
  equal(
    new Signaling({
      get url() {
        return 'ws://got.test/';
      },
    }).state,
    'idle',
  );
}

export function the_ends_of_each_range_are_taken() {
  const most = 2 ** 31 - 1;
  const taken = [
    { openDelay: 0 },
    { openDelay: 0.25 },
    { openDelay: most },
    { maxMessage: 1 },
    { maxMessage: most },
    { outbox: { messages: 1, bytes: 1 } },
    { outbox: { messages: most, bytes: most } },
    { reconnect: { base: 1, cap: 1, attempts: 0 } },
    { reconnect: { base: most, cap: most, attempts: Infinity } },
    { reconnect: false },
    { reconnect: {} },
    { outbox: {} },
    { outbox: { overflow: 'throw' } },
    { outbox: { overflow: 'drop-oldest' } },
    { channel: null },
    { channel: 'c' },
    { openWhen: 'timer' },
    { openWhen: 'connected' },
    { protocol: 'websocket' },
    { protocol: 'socket.io' },
    { protocol: 'signalr' },
    { protocol: 'signalr-classic' },
    { path: 'x' },
    { namespace: '/x' },
    { event: '"' },
    { auth: {} },
    { auth: () => 1 },
    { query: {} },
    { target: 'x' },
    { method: 'x' },
    { accessToken: '' },
    { accessToken: () => 1 },
    { skipNegotiation: true },
    { skipNegotiation: false },
    { hub: 'x' },
    { transport: { send() {} } },
  ];
  for (const options of taken) {
    equal(new Signaling({ url: 'ws://server.test/', ...options }).state, 'idle');
  }
}

export function the_longest_delay_is_waited_for() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 2 ** 31 - 1 });
  signaling.openSocket({ channel: 'slow', onopen: notes.taker('slow') });
  sockets[0].accept();
  clock.advance(2 ** 31 - 2);
  equal(notes.take(), []);
  clock.advance(1);
  equal(notes.take(), [['slow']]);
}

export function a_timer_that_comes_early_is_set_again() {
  const { notes, config } = noting();
  clock.early = 0.9;
  new Signaling({ url: 'ws://server.test/', openDelay: 10 }).openSocket(config);
  clock.advance(9.9);
  equal(notes.take(), []);
  clock.advance(1.5);
  equal(notes.take(), [['onopen']]);
}

export function the_options_are_read_once() {
  const options = { url: 'ws://first.test/', channel: 'first', outbox: { messages: 1, overflow: 'throw' } };
  const signaling = new Signaling(options);
  Object.assign(options, { url: 'ws://second.test/', channel: 'second', nonsense: 1 });
  options.outbox.messages = 5;
  const handle = signaling.openSocket({});
  equal([handle.channel, sockets[0].url], ['first', 'ws://first.test/']);
  handle.send(1);
  refused(() => handle.send(2), 'outbox-full');
}

export function a_browser_that_gives_no_random_numbers() {
  for (const value of [
    () => {
      throw new DOMException('no entropy', 'OperationError');
    },
    undefined,
  ]) {
    Object.defineProperty(crypto, 'getRandomValues', { value, configurable: true });
    try {
      for (const call of [
        () => new Signaling({ url: 'ws://server.test/' }),
        () => configure({ url: 'ws://no-randomness.test/' }),
      ]) {
        refused(call, 'no-randomness', 'crypto.getRandomValues');
      }
    } finally {
      delete untyped(crypto).getRandomValues;
    }
  }
  equal(new Signaling({ url: 'ws://server.test/' }).state, 'idle');
}
