// R10 of what pages expect of the two functions: they may be called from inside every callback, and
// callbacks may throw.

import {
  clock,
  connected,
  equal,
  FakeTransport,
  frame,
  messages,
  Notes,
  noting,
  ok,
  refused,
  reported,
  Signaling,
  sockets,
  thrownBy,
} from '../support/index.js';

export function r10_opening_and_sending_inside_onmessage() {
  // As every library does: the joiner opens a private channel and answers on the default one.
  const notes = new Notes();
  const { signaling, handle, socket } = connected(
    { openDelay: 0 },
    {
      onmessage(message) {
        const inner = signaling.openSocket({
          channel: message.open,
          onmessage: notes.taker(message.open),
          onopen() {
            inner.send({ ready: message.open });
          },
        });
        inner.send({ first: message.open });
        handle.send({ participant: message.open });
      },
    },
  );
  socket.deliver(
    frame('room', { open: 'a' }),
    frame('room', { open: 'b' }),
    frame('a', 1),
    frame('b', 2),
  );
  clock.advance(0);
  equal(notes.take(), [
    ['a', 1],
    ['b', 2],
  ]);
  equal(messages(socket), [
    { first: 'a' },
    { participant: 'a' },
    { first: 'b' },
    { participant: 'b' },
    { ready: 'a' },
    { ready: 'b' },
  ]);
}

export function r10_closing_inside_onmessage() {
  const notes = new Notes();
  const { signaling, handle, socket } = connected(
    {},
    {
      onmessage(message) {
        notes.taker('onmessage')(message);
        handle.close();
        refused(() => handle.send(1), 'channel-closed');
      },
    },
  );
  socket.deliver(frame('room', 1), frame('room', 2));
  equal(notes.take(), [['onmessage', 1]]);
  signaling.openSocket({
    channel: 'room',
    onmessage() {
      signaling.close();
      equal(signaling.state, 'closed');
    },
  });
  socket.deliver(frame('room', 3), frame('room', 4));
  equal(signaling.stats().delivered, 2);
  equal(socket.closings, 1);
}

export function r10_reopening_inside_its_own_onmessage() {
  const notes = new Notes();
  const { signaling, socket } = connected(
    {},
    {
      onmessage() {
        signaling.openSocket({ channel: 'room', onmessage: notes.taker('second') });
      },
    },
  );
  socket.deliver(frame('room', 1), frame('room', 2));
  equal(notes.calls, [['second', 2]]);
}

export function r10_opening_inside_onopen_and_callback() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 10 });
  const open = (depth) =>
    signaling.openSocket({
      channel: `c${depth}`,
      [depth % 2 ? 'callback' : 'onopen']() {
        notes.taker('ready')(depth);
        if (depth < 5) open(depth + 1).send(depth);
      },
    });
  open(0);
  sockets[0].accept();
  clock.advance(60);
  equal(
    notes.calls,
    [0, 1, 2, 3, 4, 5].map((depth) => ['ready', depth]),
  );
  equal(messages(sockets[0]), [0, 1, 2, 3, 4]);
}

export function r10_everything_from_inside_every_handler() {
  const { signaling, handle, socket, notes } = connected({ openDelay: 0 });
  let depth = 0;
  const everything = (name) =>
    function () {
      if (depth > 0) return;
      depth += 1;
      const inner = signaling.openSocket({
        channel: `from ${name}`,
        onmessage: notes.taker(`from ${name}`),
      });
      inner.send(name);
      handle.send(name);
      signaling.stats();
      signaling.attach({});
      inner.close();
      thrownBy(() => handle.send(undefined));
      depth -= 1;
    };
  signaling.onstatechange = everything('onstatechange');
  signaling.onerror = everything('onerror');
  signaling.onframe = everything('onframe');
  socket.deliver(frame('room', 1), 'not JSON', new ArrayBuffer(3), frame('foreign', 1));
  handle.send('sent');
  socket.deliver(socket.frames[0]);
  clock.advance(0);
  socket.end();
  clock.advance(500);
  const next = sockets[1].accept();
  next.deliver(frame('room', 2));
  const kinds = signaling.stats();
  equal([kinds.delivered, kinds.bad, kinds.foreign, kinds.own], [2, 2, 1, 1]);
  equal(kinds.received, 6);
  equal(kinds.sent, socket.frames.length + next.frames.length);
  equal(kinds.channels, 1);
  equal(
    notes.take().filter(([name]) => name === 'onmessage'),
    [
      ['onmessage', 1],
      ['onmessage', 2],
    ],
  );
}

export function r10_a_socket_that_answers_inside_send() {
  // An in-memory server, or a page's own wrapper around WebSocket, calls back before send returns.
  const { signaling, handle, socket, notes } = connected();
  socket.onsent = (sent) => socket.deliver(frame('room', `answer to ${JSON.parse(sent).message}`));
  handle.send(1);
  handle.send(2);
  equal(notes.take(), [
    ['onmessage', 'answer to 1'],
    ['onmessage', 'answer to 2'],
  ]);
  socket.onsent = () => signaling.close();
  handle.send(3);
  equal(signaling.state, 'closed');
  equal(messages(socket), [1, 2, 3]);
  equal(socket.closings, 1);
}

export function r10_a_transport_that_answers_each_message_of_a_long_outbox() {
  const transport = new FakeTransport();
  const { notes, config } = noting({ channel: 'room' });
  const handle = new Signaling({ transport }).openSocket(config);
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  numbers.forEach((number) => handle.send(number));
  transport.onsent = (text) => transport.onmessage(frame('room', JSON.parse(text).message));
  transport.onopen();
  equal(
    transport.texts.map((text) => JSON.parse(text).message),
    numbers,
  );
  equal(
    notes.take(),
    numbers.map((number) => ['onmessage', number]),
  );
}

export function r10_a_socket_that_ends_inside_send() {
  const { signaling, handle, socket } = connected();
  socket.onsent = () => socket.end();
  handle.send(1);
  handle.send(2);
  equal(signaling.state, 'waiting');
  clock.advance(500);
  equal(messages(sockets[1].accept()), [2]);
  equal(signaling.stats().sent, 2);
}

export function r10_handlers_that_throw_are_reported_and_the_rest_still_run() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const failing = (name) => () => {
    throw new Error(name);
  };
  const names = () => reported().map((error) => error.message);
  Object.assign(signaling, {
    onstatechange: failing('onstatechange'),
    onerror: failing('onerror'),
    onframe: failing('onframe'),
  });
  const { notes, config } = noting({ channel: 'b' });
  signaling.openSocket({
    channel: 'a',
    onmessage: failing('onmessage'),
    callback: failing('callback'),
  });
  signaling.openSocket({ channel: 'c', onopen: failing('onopen') });
  signaling.openSocket(config).send(1);
  equal(names(), ['onstatechange']);
  const socket = sockets[0].accept();
  equal(names(), ['onframe', 'onstatechange']);
  equal(messages(socket), [1]);
  socket.deliver(frame('a', 1), frame('b', 2), 'not JSON');
  equal(names(), ['onframe', 'onmessage', 'onframe', 'onframe', 'onerror']);
  clock.advance(1000);
  equal(names(), ['callback', 'onopen']);
  equal(notes.take(), [['onmessage', 2], ['onopen']]);
  equal(signaling.state, 'open');
  equal(signaling.stats().delivered, 2);
}

export function r10_whatever_is_thrown_is_reported() {
  const thrown = [undefined, null, 0, 'text', Symbol('s'), {}, new RangeError('r')];
  const values = [...thrown];
  const { socket } = connected(
    {},
    {
      onmessage() {
        throw values.shift();
      },
    },
  );
  thrown.forEach(() => socket.deliver(frame('room', 1)));
  equal(reported().map(String), [
    'undefined',
    'null',
    '0',
    'text',
    'Symbol(s)',
    '[object Object]',
    'RangeError: r',
  ]);
}

export function r10_a_handler_that_recurses_without_end_breaks_nobody_else() {
  const { signaling, socket, notes } = connected();
  signaling.openSocket({
    channel: 'endless',
    onmessage() {
      // A call in tail position takes no stack in WebKit, and would never end.
      const again = () => 1 + again();
      again();
    },
  });
  socket.deliver(frame('endless', 1), frame('room', 2));
  const [error, ...others] = reported();
  // Firefox has its own word.
  ok(['RangeError', 'InternalError'].includes(error.name), error.name);
  equal(others, []);
  equal(notes.take(), [['onmessage', 2]]);
}

export function r10_a_handler_that_reports_errors_itself() {
  // window.onerror runs inside reportError: it may call us, too.
  const { handle, socket } = connected(
    {},
    {
      onmessage() {
        throw new Error('mine');
      },
    },
  );
  const tell = () => handle.send({ error: true });
  addEventListener('error', tell);
  socket.deliver(frame('room', 1));
  removeEventListener('error', tell);
  equal(reported().length, 1);
  equal(messages(socket), [{ error: true }]);
}
