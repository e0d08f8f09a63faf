// R2 to R4 of what pages expect of the two functions: the channel's name and the handle.
//
// What's tested
// * R2: the channel is `config.channel`, else `this.channel`, else the default, wherever the
//   functions are put
// * R3: the handle is a plain, extensible, mutable object, returned at once
// * R4: its `channel` is the exact name

import {
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
  untyped,
} from '../support/index.js';

export function r2_the_configs_channel_comes_first() {
  const signaling = configure({ url: 'ws://server.test/' });
  const connection = signaling.attach({ channel: 'connections' });
  equal(connection.openSignalingChannel({ channel: 'configs' }).channel, 'configs');
  const page = {
    channel: 'connections',
    openSocket,
    openSignalingChannel,
    hook: signaling.openSocket,
  };
  equal(page.openSocket({ channel: 'configs' }).channel, 'configs');
  equal(page.openSignalingChannel({ channel: 'configs' }).channel, 'configs');
  equal(page.hook({ channel: 'configs' }).channel, 'configs');
}

export function r2_then_that_of_the_object_that_the_hook_hangs_on() {
  const signaling = configure({ url: 'ws://server.test/' });
  equal(signaling.attach({ channel: 'attached' }).openSignalingChannel({}).channel, 'attached');
  const page = {
    channel: 'pages',
    openSocket,
    openSignalingChannel,
    one: signaling.openSocket,
    two: signaling.openSignalingChannel,
  };
  for (const hook of ['openSocket', 'openSignalingChannel', 'one', 'two']) {
    equal(page[hook]({}).channel, 'pages', hook);
    equal(page[hook](() => undefined).channel, 'pages', hook);
  }
  // The name is read at each call, as libraries change it.
  page.channel = 'changed';
  equal(page.two({}).channel, 'changed');
  equal(signaling.openSocket.call({ channel: 'called' }, {}).channel, 'called');
  equal(signaling.openSignalingChannel.apply({ channel: 'applied' }, [{}]).channel, 'applied');
  equal(signaling.openSocket.bind({ channel: 'bound' })({}).channel, 'bound');
  // A connection's class may have it as a getter.
  class Connection {
    get channel() {
      return 'got';
    }
  }
  equal(signaling.attach(new Connection()).openSignalingChannel({}).channel, 'got');
}

export function r2_then_the_default() {
  const signaling = configure({ url: 'ws://server.test/' });
  equal(openSocket({}).channel, 'main-channel');
  equal(openSignalingChannel({}).channel, 'main-channel');
  const { openSocket: detached, openSignalingChannel: other } = signaling;
  equal(detached({}).channel, 'main-channel');
  equal(other({}).channel, 'main-channel');
  equal(signaling.openSocket({}).channel, 'main-channel');
  equal({ openSocket }.openSocket({}).channel, 'main-channel');
  const named = new Signaling({ url: 'ws://server.test/', channel: 'lobby' });
  equal(named.openSocket({}).channel, 'lobby');
  for (const falsy of [undefined, null, '', 0, NaN, false]) {
    equal(named.openSocket(untyped({ channel: falsy })).channel, 'lobby', String(falsy));
    equal(
      named.openSocket.call({ channel: falsy }, untyped({ channel: falsy })).channel,
      'lobby',
      String(falsy),
    );
  }
  for (const self of [undefined, null, 5, 'text', Symbol('s')]) {
    equal(named.openSocket.call(self, {}).channel, 'lobby', String(self));
  }
}

export function r2_where_the_shim_has_no_channel_messages_carry_none() {
  const bare = '{"sender":17,"message":"bare"}';
  const named = frame('main-channel', 'named');
  for (const open of [
    (signaling, config) => signaling.openSignalingChannel(config),
    (signaling, config) => signaling.attach({}).openSignalingChannel(config),
    (signaling, config) => (0, signaling.openSignalingChannel)(config),
  ]) {
    const notes = new Notes();
    const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'websocket' });
    const handle = open(signaling, { onmessage: notes.taker('onmessage') });
    equal(handle.channel, 'main-channel');
    handle.send('from here');
    const socket = sockets.at(-1).accept();
    equal(socket.frames, [`{"sender":${signaling.userid},"message":"from here"}`]);
    socket.deliver(bare, named);
    equal(notes.take(), [
      ['onmessage', 'bare'],
      ['onmessage', 'named'],
    ]);
    equal(signaling.stats().channels, 1);
    handle.close();
    refused(() => handle.send(1), 'channel-closed', "'main-channel'");
    socket.deliver(bare, named);
    equal([notes.take(), signaling.stats().foreign], [[], 2]);
    signaling.close();
  }
  // Where the page or the library has a name, messages carry it; so do those of `openSocket`.
  /** @type {[{ channel?: string }, (signaling: any, config: any) => any][]} */
  const namedSomewhere = [
    [{}, (signaling, config) => signaling.openSocket(config)],
    [{ channel: 'main-channel' }, (signaling, config) => signaling.openSignalingChannel(config)],
    [{}, (signaling, config) => signaling.openSignalingChannel.call({ channel: 'main-channel' }, config)],
    [{}, (signaling, config) => signaling.openSignalingChannel({ ...config, channel: 'main-channel' })],
  ];
  for (const [options, open] of namedSomewhere) {
    const notes = new Notes();
    const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'websocket', ...options });
    open(signaling, { onmessage: notes.taker('onmessage') }).send(1);
    const socket = sockets.at(-1).accept();
    equal(socket.frames, [frame('main-channel', 1, signaling.userid)]);
    socket.deliver(bare, named);
    equal(notes.take().length, 2, 'what has no channel is for the default one');
    signaling.close();
  }
  const other = new Signaling({ url: 'ws://server.test/', protocol: 'websocket', channel: null });
  other.openSocket({ channel: 'main-channel' });
  sockets.at(-1).accept().deliver(bare);
  equal(other.stats().foreign, 1, 'there is no default channel');
}

export function r2_no_channel_to_be_had_is_an_error() {
  const signaling = new Signaling({ url: 'ws://server.test/', channel: null });
  refused(
    () => signaling.openSocket({}),
    'no-channel',
    'config.channel',
    'this.channel',
    'option channel',
  );
  refused(() => signaling.openSignalingChannel(() => undefined), 'no-channel');
  equal(sockets.length, 0);
  equal(signaling.openSocket({ channel: 'named' }).channel, 'named');
}

export function r2_numbers_are_names_too() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const notes = new Notes();
  const handle = signaling.openSocket({ channel: 5, onmessage: notes.taker('five') });
  equal(handle.channel, '5');
  equal(signaling.openSignalingChannel.call({ channel: 1.5 }, {}).channel, '1.5');
  equal(signaling.openSocket({ channel: -7e30 }).channel, '-7e+30');
  const socket = sockets[0].accept();
  socket.deliver(
    '{"sender":1,"channel":5,"message":"number"}',
    '{"sender":1,"channel":"5","message":"string"}',
  );
  equal(notes.calls, [
    ['five', 'number'],
    ['five', 'string'],
  ]);
}

export function r2_a_this_that_is_no_connection() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  // openSocket hangs on a config of the page's, whose channel may be anything: an RTCDataChannel,
  // say.
  equal(signaling.openSocket.call({ channel: { label: 'data' } }, {}).channel, 'main-channel');
  refused(
    () => signaling.openSignalingChannel.call({ channel: { label: 'data' } }, {}),
    'bad-config',
    'this.channel is an object',
  );
}

export function r3_the_handle_is_a_plain_extensible_mutable_object() {
  const { signaling } = connected();
  const connection = signaling.attach({ channel: 'private' });
  for (const handle of untyped([
    signaling.openSocket({ channel: 'a' }),
    connection.openSignalingChannel({ channel: 'b' }),
  ])) {
    equal(Object.getPrototypeOf(handle), Object.prototype);
    ok(Object.isExtensible(handle), 'extensible');
    equal(Object.keys(handle), ['send', 'channel', 'close']);
    for (const member of Object.keys(handle)) {
      const { writable, enumerable, configurable } = untyped(
        Object.getOwnPropertyDescriptor(handle, member),
      );
      ok(writable && enumerable && configurable, `${member} is a plain member`);
    }
    equal(handle.then, undefined, 'a member that would make it a promise');
    handle.index = 3;
    handle.userid = 'u';
    delete handle.close;
    equal(Object.keys(handle), ['send', 'channel', 'index', 'userid']);
  }
}

export function r3_libraries_replace_send() {
  const { handle, socket } = untyped(connected());
  handle.__push = handle.send;
  handle.send = function (message) {
    message.userid = 'me';
    handle.__push(message);
  };
  handle.send({ left: true });
  equal(messages(socket), [{ left: true, userid: 'me' }]);
  const { send } = connected().handle;
  send('detached');
  handle.emit = handle.__push;
  handle.emit('emitted');
  equal(messages(sockets[1]), ['detached']);
  equal(messages(socket).at(-1), 'emitted');
}

export function r4_the_handles_channel_is_the_very_name() {
  const { signaling, socket } = connected();
  for (const channel of [
    'a',
    ' spaces ',
    'ünïcödé',
    '😀',
    'quo"te',
    'back\\slash',
    'new\nline',
    '\u0000',
    '\u2028',
    '__proto__',
    'constructor',
    'toString',
    'x'.repeat(10_000),
  ]) {
    const notes = new Notes();
    const handle = signaling.openSocket({ channel, onmessage: notes.taker('onmessage') });
    equal(handle.channel, channel);
    handle.send(1);
    equal(JSON.parse(socket.frames.at(-1)).channel, channel);
    socket.deliver(frame(channel, 2));
    equal(notes.calls, [['onmessage', 2]], channel.slice(0, 20));
  }
}
