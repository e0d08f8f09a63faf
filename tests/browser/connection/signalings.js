// Signalings of one page: several, the default one, and those attached to a connection.

import {
  clock,
  configure,
  connected,
  equal,
  FakeTransport,
  frame,
  freshModule,
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

export function two_signalings_on_one_page_stay_apart() {
  const one = connected({ url: 'ws://one.test/' });
  const two = connected({ url: 'ws://two.test/' });
  ok(one.signaling.userid !== two.signaling.userid, 'each has an id of its own');
  one.handle.send('from one');
  two.handle.send('from two');
  equal([messages(one.socket), messages(two.socket)], [['from one'], ['from two']]);
  one.socket.deliver(frame('room', 'to one'));
  // The other signaling's message is like that of any other page.
  two.socket.deliver(one.socket.frames[0]);
  equal(
    [one.notes.take(), two.notes.take()],
    [[['onmessage', 'to one']], [['onmessage', 'from one']]],
  );
  one.handle.close();
  two.socket.deliver(frame('room', 'still'));
  equal(two.notes.take(), [['onmessage', 'still']]);
  one.signaling.close();
  equal([one.signaling.state, two.signaling.state], ['closed', 'open']);
  two.handle.send('still');
  two.socket.end();
  clock.advance(500);
  equal(messages(sockets.at(-1).accept()), []);
  equal(two.signaling.state, 'open');
}

export function the_default_signaling_is_configured_before_its_first_channel() {
  const first = configure({ url: 'ws://first.test/' });
  const second = configure({ url: 'ws://second.test/' });
  openSocket({ channel: 'room' });
  equal(
    sockets.map(({ url }) => url),
    ['ws://second.test/'],
    'until then the last one counts',
  );
  refused(() => configure({ url: 'ws://third.test/' }), 'in-use', 'configure', 'new Signaling');
  sockets[0].accept();
  refused(() => configure(), 'in-use');
  sockets[0].end();
  refused(() => configure(), 'in-use');
  equal(second.stats().channels, 1, 'and what is in use goes on');
  // The replaced signaling still works.
  equal(first.openSocket({ channel: 'own' }).channel, 'own');
  equal(sockets.at(-1).url, 'ws://first.test/');
  second.close();
  refused(() => openSocket({}), 'signaling-closed', 'configure()');
  const third = configure({ url: 'ws://third.test/' });
  openSignalingChannel({}).send(1);
  equal([sockets.at(-1).url, third.stats().queued], ['ws://third.test/', 1]);
}

export async function a_configure_that_is_repeated_is_no_error() {
  const url = async () => 'ws://server.test/';
  const options = () => ({ url, auth: { token: 'x' }, outbox: { messages: 5 }, openDelay: undefined });
  const first = configure({ ...options(), onstatechange: () => {} });
  ok(configure(options()) === first, 'before its first channel');
  openSocket({ channel: 'room' });
  const latest = () => {};
  ok(configure({ onstatechange: latest, ...options() }) === first, 'in use');
  equal([first.onstatechange === latest, first.stats().channels], [true, 1], 'its handlers are the latest');
  ok(configure({ ...options(), ongap: latest }) === first && first.onstatechange === latest, 'those that aren’t given stay');
  for (const other of [
    { ...options(), url: async () => 'ws://server.test/' },
    { ...options(), auth: { token: 'y' } },
    { ...options(), channel: 'x' },
    { url },
    undefined,
  ]) {
    refused(() => configure(other), 'in-use');
  }
  refused(() => configure({ ...options(), onerror: 5 }), 'bad-option', 'onerror');
  // The page's own object may change afterwards.
  first.close();
  const own = { url: 'ws://server.test/', query: { room: 'a' }, protocol: 'socket.io' };
  const second = configure(own);
  ok(second !== first, 'a closed one isn’t given again');
  own.query.room = 'b';
  ok(configure({ url: new URL('ws://server.test/'), query: { room: 'a' }, protocol: 'socket.io' }) === second, 'as it was');
  ok(configure(own) !== second, 'it is another now');
  // A transport is itself.
  const transport = new FakeTransport();
  const third = configure({ transport });
  third.openSocket({});
  ok(configure({ transport }) === third, 'the very same');
  refused(() => configure({ transport: new FakeTransport() }), 'in-use');
  third.close();
}

export function a_disconnected_default_is_in_use() {
  const first = configure({ url: 'ws://first.test/' });
  const handle = openSocket({ channel: 'room' });
  first.disconnect();
  refused(() => configure({ url: 'ws://second.test/' }), 'in-use');
  handle.close();
  configure({ url: 'ws://second.test/' }).close();
}

export function a_refused_configure_changes_nothing() {
  configure({ url: 'ws://first.test/', channel: 'first' });
  refused(() => configure({ url: 'nonsense://' }), 'bad-url');
  refused(() => configure({ openDelay: -1 }), 'bad-option');
  equal(openSocket({}).channel, 'first');
  equal(sockets[0].url, 'ws://first.test/');
}

export async function nothing_need_be_configured() {
  const fresh = await freshModule();
  const connection = { channel: 'room', openSignalingChannel: fresh.openSignalingChannel };
  const handle = connection.openSignalingChannel({});
  equal([handle.channel, sockets[0].url], ['room', `ws://${location.host}/`]);
  const error = thrownBy(() => fresh.configure({ url: 'ws://server.test/' }));
  equal([error.name, error.code], ['SignalingError', 'in-use']);
  handle.send(1);
  sockets[0].accept();
  equal(sockets[0].frames, [], 'a relay would greet now');
  clock.advance(20);
  equal(messages(sockets[0]), [1]);
  equal(fresh.openSocket({}).channel, 'main-channel');
  equal(sockets.length, 1);
  sockets[0].end(4500);
  equal(thrownBy(() => fresh.openSocket({})).code, 'signaling-closed');
  fresh.configure({ url: 'ws://server.test/' });
  fresh.openSocket({});
  equal(sockets[1].url, 'ws://server.test/');
}

export function attach() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const connection = { channel: 'room', openSignalingChannel: () => 'the old one' };
  ok(signaling.attach(connection) === connection, 'the connection comes back');
  equal(untyped(connection).openSignalingChannel({}).channel, 'room');
  const { attach } = signaling;
  function Connection() {}
  ok(attach(Connection) === Connection, 'a function is an object, too');
  const inheriting = Object.create(new Proxy({ channel: 'far' }, {}));
  equal(attach(inheriting).openSignalingChannel({}).channel, 'far');
  for (const [value, shown] of [
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    ['text', "'text'"],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [1n, '1'],
  ]) {
    refused(
      () => signaling.attach(untyped(value)),
      'bad-config',
      'attach',
      shown,
      'RTCMultiConnection',
    );
  }
  for (const closed of [
    Object.freeze({}),
    Object.seal({}),
    Object.preventExtensions({}),
    {
      get openSignalingChannel() {
        return null;
      },
    },
    Object.defineProperty({}, 'openSignalingChannel', { value: 1 }),
    new Proxy({}, { set: () => false }),
  ]) {
    refused(
      () => signaling.attach(closed),
      'bad-config',
      'attach',
      'openSignalingChannel',
      'an object',
    );
  }
  refused(
    () =>
      signaling.attach(
        new Proxy(
          {},
          {
            set() {
              throw new Error('mine');
            },
          },
        ),
      ),
    'bad-config',
  );
  refused(() => untyped(signaling).attach(), 'bad-config');
}

export function attach_to_several() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const connections = ['a', 'b', 'c'].map((channel) =>
    signaling.attach({ channel, notes: new Notes() }),
  );
  const handles = connections.map((connection) =>
    connection.openSignalingChannel({ onmessage: connection.notes.taker(connection.channel) }),
  );
  const socket = sockets[0].accept();
  handles.forEach((handle) => handle.send(handle.channel));
  equal(messages(socket), ['a', 'b', 'c']);
  socket.deliver(frame('b', 1));
  equal(
    connections.map(({ notes }) => notes.take()),
    [[], [['b', 1]], []],
  );
}

export function a_closed_signaling_attaches_to_nothing() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  signaling.close();
  const connection = { openSignalingChannel: 1 };
  refused(() => signaling.attach(connection), 'signaling-closed');
  equal(connection, { openSignalingChannel: 1 });
}

export function the_signaling_is_the_pages_own_object() {
  for (const signaling of [new Signaling(), configure()]) {
    untyped(signaling).mine = 1;
    equal(untyped(signaling).mine, 1);
    for (const method of ['openSocket', 'openSignalingChannel', 'attach', 'stats', 'close']) {
      equal(typeof signaling[method], 'function', method);
    }
    equal(
      [signaling.onstatechange, signaling.onerror, signaling.onframe],
      [undefined, undefined, undefined],
    );
    // Methods work when taken off the object.
    const { stats, close } = signaling;
    equal(stats().channels, 0);
    close();
    equal(signaling.state, 'closed');
  }
}
