// A connection lost, and a signaling closed, at each step of every protocol's handshake; what comes
// afterwards is ignored.

import {
  clock,
  equal,
  frame,
  GREETING_4,
  NEGOTIATED,
  NEGOTIATED_CLASSIC,
  Notes,
  ok,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
} from '../support/index.js';

export async function a_connection_lost_at_each_step_is_tried_again() {
  // Each handshake as steps; a test can stop after any of them.
  const answer = (body) => async () => {
    requests.at(-1).answer(body);
    await settled();
  };
  const talks = {
    'websocket': [],
    'socket.io': [() => sockets.at(-1).accept(), () => sockets.at(-1).deliver(GREETING_4)],
    'signalr': [answer(NEGOTIATED), () => sockets.at(-1).accept()],
    'signalr-classic': [
      answer(NEGOTIATED_CLASSIC),
      () => sockets.at(-1).accept(),
      () => sockets.at(-1).deliver('{"C":"d-1","S":1,"M":[]}'),
    ],
  };
  for (const [protocol, steps] of Object.entries(talks)) {
    for (let stop = 0; stop <= steps.length; stop += 1) {
      const what = `${protocol}, stopped behind step ${stop}`;
      const made = [sockets.length, requests.length];
      const signaling = new Signaling({ url: 'ws://server.test/', protocol });
      const handle = signaling.openSocket({ channel: 'room' });
      handle.send('waits');
      await settled();
      for (const step of steps.slice(0, stop)) await step();
      equal(signaling.state, 'connecting', what);
      const [socket] = sockets.slice(made[0]).slice(-1);
      const [request] = requests.slice(made[1]).slice(-1);
      // Whatever is under way is lost.
      const asked = protocol.startsWith('signalr') && (stop === 0 || stop === 3);
      if (asked) {
        request.fail();
        await settled();
      } else {
        socket.end();
      }
      equal(signaling.state, 'waiting', what);
      clock.advance(500);
      await settled();
      equal(signaling.state, 'connecting', what);
      // Frames that the lost connection still brings are ignored.
      socket?.deliver('0{}', '{}\x1e', '{"C":"d-9","S":1,"M":[]}', '40');
      request?.answer('late', 403);
      await settled();
      equal(signaling.state, 'connecting', what);
      const next = await servers[protocol].up();
      equal(
        [signaling.state, signaling.stats().connects, signaling.stats().queued],
        ['open', 1, 0],
        what,
      );
      equal(servers[protocol].unwrap(next.frames.at(-1)).message, 'waits', what);
      signaling.close();
    }
  }
}

export async function a_signaling_closed_at_each_step_is_closed() {
  const answer = (body) => async () => {
    requests.at(-1).answer(body);
    await settled();
  };
  const talks = {
    'websocket': [() => sockets.at(-1).accept()],
    'socket.io': [
      () => sockets.at(-1).accept(),
      () => sockets.at(-1).deliver(GREETING_4),
      () => sockets.at(-1).deliver('40{"sid":"x"}'),
    ],
    'signalr': [
      answer(NEGOTIATED),
      () => sockets.at(-1).accept(),
      () => sockets.at(-1).deliver('{}\x1e'),
    ],
    'signalr-classic': [
      answer(NEGOTIATED_CLASSIC),
      () => sockets.at(-1).accept(),
      () => sockets.at(-1).deliver('{"C":"d-1","S":1,"M":[]}'),
      answer({ Response: 'started' }),
    ],
  };
  for (const [protocol, steps] of Object.entries(talks)) {
    for (let stop = 0; stop <= steps.length; stop += 1) {
      const what = `${protocol}, closed behind step ${stop}`;
      sockets.length = requests.length = 0;
      const notes = new Notes();
      const signaling = new Signaling({
        url: 'ws://server.test/',
        protocol,
        onstatechange: notes.taker('onstatechange'),
        onerror: notes.taker('onerror'),
        onframe: notes.taker('onframe'),
      });
      signaling.openSocket({ channel: 'room', onmessage: notes.taker('onmessage') });
      await settled();
      for (const step of steps.slice(0, stop)) await step();
      notes.take();
      signaling.close();
      equal(
        notes.take().map(([name, state]) => [name, state]),
        [['onstatechange', 'closed']],
        what,
      );
      const made = [sockets.length, requests.length];
      ok(
        sockets.every((socket) => !socket.isHeard && socket.closings === 1),
        what,
      );
      equal(clock.timers, 0, what);
      for (const socket of sockets) {
        socket.accept();
        socket.deliver(
          '0{}',
          '{}\x1e',
          '{"C":"d-9","S":1,"M":[]}',
          '40',
          servers[protocol].wrap(frame('room', 1)),
        );
        socket.end();
      }
      requests.forEach((request, at) =>
        at % 2
          ? request.fail()
          : request.answer(protocol === 'signalr' ? NEGOTIATED : NEGOTIATED_CLASSIC),
      );
      await settled();
      clock.advance(100_000);
      await settled();
      equal(
        [notes.take(), signaling.state, sockets.length, requests.length],
        [[], 'closed', ...made],
        what,
      );
    }
  }
}
