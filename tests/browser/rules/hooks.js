// R9 and R11 of what pages expect of the two functions: as hooks of a WebRTC library's connection.
//
// What's tested
// * R9: nothing else is written on the connection
// * R11: the hooks know their `this`, and `new` works where a page uses it

import {
  clock,
  configure,
  equal,
  frame,
  ok,
  openSignalingChannel,
  openSocket,
  refused,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export function r9_nothing_else_is_written_on_the_connection() {
  const signaling = configure({ url: 'ws://server.test/' });
  const connection = { channel: 'room', userid: 'mine' };
  equal(signaling.attach(connection), connection);
  const config = { onmessage() {}, callback() {} };
  connection.openSignalingChannel(config);
  const other = { channel: 'room', openSignalingChannel, openSocket };
  other.openSignalingChannel(config);
  other.openSocket(config);
  sockets[0].accept().deliver(frame('room', 1));
  clock.advance(5000);
  equal(Reflect.ownKeys(connection), ['channel', 'userid', 'openSignalingChannel']);
  equal(Reflect.ownKeys(other), ['channel', 'openSignalingChannel', 'openSocket']);
  equal(Reflect.ownKeys(config), ['onmessage', 'callback']);
}

export function r11_the_hooks_are_functions_that_know_their_this() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  for (const hook of [
    signaling.openSocket,
    signaling.openSignalingChannel,
    openSocket,
    openSignalingChannel,
  ]) {
    equal(typeof hook, 'function');
    ok(hook instanceof Function, 'a Function');
  }
  const connection = { channel: 'mine' };
  connection.openSignalingChannel = signaling.openSignalingChannel;
  equal(connection.openSignalingChannel({}).channel, 'mine');
  // A library that keeps the connection's hook under another name, on another object.
  const dataConnection = { channel: 'data', openSignalingChannel: connection.openSignalingChannel };
  equal(dataConnection.openSignalingChannel({}).channel, 'data');
  const inheriting = Object.create(connection, { channel: { value: 'inheriting' } });
  equal(inheriting.openSignalingChannel({}).channel, 'inheriting');
}

export function r11_signaling_is_a_class() {
  const signaling = new Signaling();
  ok(signaling instanceof Signaling, 'an instance');
  ok(new Signaling({}) !== signaling, 'one of its own');
  class Mine extends Signaling {
    constructor() {
      super({ url: 'ws://mine.test/' });
      this.extra = 1;
    }
    room() {
      return this.openSocket({ channel: 'room' });
    }
  }
  const mine = new Mine();
  ok(mine instanceof Mine && mine instanceof Signaling, 'a subclass');
  equal(mine.room().channel, 'room');
  equal(sockets[0].url, 'ws://mine.test/');
  const callable = untyped(Signaling);
  for (const call of [
    () => callable(),
    () => callable({}),
    () => Reflect.apply(callable, undefined, []),
    () => callable.call(undefined, {}),
    () => callable.call(5),
  ]) {
    refused(call, 'bad-config', 'Signaling', 'new');
  }
}
