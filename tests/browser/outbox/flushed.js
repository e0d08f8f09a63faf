// `flushed()`: the promise that the server has taken what was sent.
//
// What's tested
// * nothing waits; handed to an ordinary server; acknowledged by our relay; across losses; what was
//   dropped; closed; several

import {
  ack,
  clock,
  comeBack,
  connected,
  equal,
  frame,
  greet,
  hello,
  isOurs,
  joined,
  kept,
  nextSocket,
  ok,
  reported,
  settled,
  Signaling,
  sockets,
} from '../support/index.js';

/** Watches promises, by name, and notes in which order they settle and how. */
function watchPromises() {
  const heard = [];
  return {
    heard,
    watch(name, promise) {
      promise.then(
        (value) => heard.push([name, value]),
        (error) => heard.push([name, error.code]),
      );
    },
    async take() {
      await settled();
      return heard.splice(0);
    },
  };
}

export async function flushed_when_nothing_waits() {
  const idle = new Signaling({ url: 'ws://server.test/' });
  ok(idle.flushed() instanceof Promise, 'a promise');
  equal(await idle.flushed(), undefined);
  equal([idle.state, sockets.length], ['idle', 0], 'asking connects nothing');
  idle.openSocket({});
  equal(await idle.flushed(), undefined, 'nothing was sent');
  const { flushed } = connected().signaling;
  equal(await flushed(), undefined, 'taken off the object');
  const { signaling, handle, socket } = joined();
  equal(await signaling.flushed(), undefined);
  handle.send(1);
  socket.deliver(ack(1));
  equal(await signaling.flushed(), undefined);
}

export async function flushed_to_an_ordinary_server() {
  const { watch, take } = watchPromises();
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const handle = signaling.openSocket({});
  handle.send(1);
  watch('first', signaling.flushed());
  handle.send(2);
  watch('second', signaling.flushed());
  watch('second again', signaling.flushed());
  equal(await take(), []);
  sockets[0].accept();
  clock.advance(900);
  equal(await take(), [], 'the server may still refuse it');
  clock.advance(200);
  equal(
    (await take()).map(([name]) => name).sort(),
    ['first', 'second', 'second again'],
    'no refusal is all that can be known',
  );
  handle.send(3);
  watch('third', signaling.flushed());
  equal(await take(), []);
  clock.advance(1100);
  equal(await take(), [['third', undefined]]);
  const next = comeBack(sockets[0]);
  handle.send(4);
  watch('fourth', signaling.flushed());
  equal(await take(), []);
  next.end();
  equal(await take(), []);
  nextSocket().accept();
  clock.advance(1100);
  equal(await take(), [['fourth', undefined]]);
}

export async function flushed_to_our_relay() {
  const { watch, take } = watchPromises();
  const { signaling, handle, socket } = joined();
  for (const message of [1, 2, 3]) {
    handle.send(message);
    watch(`up to ${message}`, signaling.flushed());
  }
  equal(await take(), [], 'handed over is not taken');
  socket.deliver(ack(1));
  equal(await take(), [['up to 1', undefined]]);
  socket.deliver(ack(1), ack(0), '{"ack":"9"}');
  equal(await take(), []);
  const next = comeBack(socket);
  equal(await take(), []);
  handle.send(4);
  watch('up to 4', signaling.flushed());
  next.accept().deliver(hello());
  equal(await take(), []);
  next.deliver(ack(3));
  equal(
    (await take()).map(([name]) => name),
    ['up to 2', 'up to 3'],
    'in their order',
  );
  next.deliver(ack(4));
  equal(await take(), [['up to 4', undefined]]);
  // Messages sent afterwards are not waited for.
  handle.send(5);
  watch('up to 5', signaling.flushed());
  handle.send(6);
  next.deliver(ack(5));
  equal(await take(), [['up to 5', undefined]]);
  // Closing the channel meanwhile changes nothing.
  handle.send(7);
  watch('up to 7', signaling.flushed());
  handle.close();
  equal(await take(), []);
  next.deliver(ack(7));
  equal(await take(), [['up to 7', undefined]]);
}

export async function flushed_of_what_was_dropped() {
  const { heard, watch, take } = watchPromises();
  const { signaling, handle, socket } = joined({
    onerror: (error) => heard.push(['onerror', error.code]),
  });
  handle.send('poison');
  watch('poison', signaling.flushed());
  comeBack(socket, 1009);
  greet(0).end(1009);
  equal(
    await take(),
    [
      ['onerror', 'message-given-up'],
      ['poison', undefined],
    ],
    'nothing waits for it any more',
  );
  handle.send('stale', { ttl: 10 });
  watch('stale', signaling.flushed());
  nextSocket();
  greet(0);
  equal(await take(), [
    ['onerror', 'message-expired'],
    ['stale', undefined],
  ]);
}

export async function flushed_and_closed() {
  const { watch, take } = watchPromises();
  const ends = {
    'close': (signaling) => signaling.close(),
    'a final code': () => sockets.at(-1).end(4500),
    'close inside a handler': (signaling) => {
      signaling.onframe = () => signaling.close();
      sockets.at(-1).deliver(frame('x', 1));
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    const { signaling, handle } = joined();
    watch('before', signaling.flushed());
    handle.send(1);
    watch('a', signaling.flushed());
    watch('b', signaling.flushed());
    end(signaling);
    watch('after', signaling.flushed());
    equal(
      (await take()).sort(),
      [
        ['a', 'signaling-closed'],
        ['after', 'signaling-closed'],
        ['b', 'signaling-closed'],
        ['before', undefined],
      ],
      name,
    );
  }
  // An unhandled rejection is reported like any other, but only for a promise that the page asked
  // for.
  const { signaling, handle } = joined();
  handle.send(1);
  signaling.close();
  await settled();
  equal(reported(), []);
  const error = await joined()
    .signaling.flushed()
    .then(() => signaling.flushed())
    .catch((thrown) => thrown);
  isOurs(error, 'signaling-closed', 'new Signaling()');
  // A signaling that was never used, too.
  const unused = new Signaling({ url: 'ws://server.test/' });
  unused.close();
  isOurs(await unused.flushed().catch((thrown) => thrown), 'signaling-closed');
}

export async function flushed_inside_handlers() {
  const { heard, watch, take } = watchPromises();
  const { signaling, handle, socket } = joined(
    {
      onstatechange(state) {
        if (state === 'open') watch('at open', this.flushed());
      },
    },
    {
      onmessage(message) {
        handle.send(message);
        watch(`echo ${message}`, signaling.flushed());
      },
    },
  );
  equal(await take(), [['at open', undefined]]);
  socket.deliver(kept('room', 1, '1'), kept('room', 2, '2'));
  equal(await take(), []);
  socket.deliver(ack(1));
  equal(await take(), [['echo 1', undefined]]);
  // A promise's reaction may send, ask and close.
  signaling.flushed().then(() => {
    handle.send('behind');
    watch('behind', signaling.flushed());
  });
  socket.deliver(ack(2));
  await settled();
  heard.length = 0;
  signaling.onframe = (kind) => {
    if (kind === 'control') watch('in onframe', signaling.flushed());
  };
  socket.deliver(ack(3));
  equal((await take()).map(([name]) => name).sort(), ['behind', 'in onframe']);
}

export async function many_at_once() {
  const { signaling, handle, socket } = joined({ outbox: { messages: 5_000 } });
  let resolved = 0;
  const all = [];
  for (let message = 1; message <= 2_000; message += 1) {
    handle.send(message);
    all.push(
      signaling.flushed().then(() => {
        resolved += 1;
      }),
    );
  }
  socket.deliver(ack(999));
  await settled();
  equal(resolved, 999);
  socket.deliver(ack(2_000));
  await Promise.all(all);
  equal(resolved, 2_000);
}
