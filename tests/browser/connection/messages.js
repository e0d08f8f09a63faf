// Messages of a connection that is lost, or about to be: they go out once and in order.
//
// What's tested
// * messages sent while the connection is down, or going down
// * events of a socket that was given up; one socket for all channels

import {
  clock,
  configure,
  connected,
  equal,
  frame,
  messages,
  Notes,
  noting,
  ok,
  openSignalingChannel,
  openSocket,
  Signaling,
  sockets,
} from '../support/index.js';

export function messages_sent_while_it_is_down_go_out_once_and_in_order() {
  const { signaling, handle, socket } = connected();
  handle.send(1);
  socket.end();
  handle.send(2);
  clock.advance(500);
  handle.send(3);
  sockets[1].end();
  handle.send(4);
  clock.advance(1000);
  const other = signaling.openSocket({ channel: 'other' });
  other.send(5);
  sockets[2].accept();
  handle.send(6);
  equal(messages(socket), [1]);
  equal(sockets[1].frames.length + sockets[1].swallowed.length, 0);
  equal(messages(sockets[2]), [2, 3, 4, 5, 6]);
  equal([signaling.stats().sent, signaling.stats().queued, signaling.stats().connects], [6, 0, 2]);
}

export function channels_stay_open_across_a_loss() {
  const { signaling, socket, notes } = connected();
  clock.advance(1000);
  notes.take();
  socket.end();
  clock.advance(500);
  const late = noting({ channel: 'late' });
  signaling.openSocket(late.config);
  sockets[1].accept().deliver(frame('room', 1), frame('late', 2));
  equal(notes.take(), [['onmessage', 1]]);
  equal(late.notes.take(), [['onmessage', 2]]);
}

export function a_socket_that_is_going_down_loses_no_message() {
  for (const gone of [
    (socket) => socket.sink(),
    (socket) => {
      socket.readyState = WebSocket.CLOSED;
    },
    (socket) => {
      socket.send = () => {
        throw new Error('no');
      };
    },
  ]) {
    const notes = new Notes();
    const { signaling, handle, socket } = connected();
    signaling.onstatechange = (state, { reason }) => notes.taker(state)(reason);
    handle.send(1);
    gone(socket);
    handle.send('é');
    handle.send(3);
    equal(notes.take(), [['waiting', 'the connection went down']]);
    equal(
      [signaling.stats().sent, signaling.stats().queued, signaling.stats().queuedBytes],
      [1, 2, 8],
    );
    ok(!socket.isHeard && socket.closings === 1, 'the old socket is let go');
    socket.end();
    clock.advance(500);
    equal(messages(socket), [1]);
    equal(socket.swallowed, []);
    equal(messages(sockets.at(-1).accept()), ['é', 3]);
    signaling.close();
  }
}

export function a_socket_that_goes_down_amid_the_outbox() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  const handle = signaling.openSocket({});
  [1, 2, 3, 4].forEach((message) => handle.send(message));
  sockets[0].onsent = (sent) => {
    if (JSON.parse(sent).message === 2) sockets[0].sink();
  };
  sockets[0].accept();
  equal(messages(sockets[0]), [1, 2]);
  equal(signaling.state, 'waiting');
  clock.advance(500);
  equal(messages(sockets[1].accept()), [3, 4]);
  equal(signaling.stats().sent, 4);
}

export function the_outbox_goes_out_before_the_page_hears_that_it_is_open() {
  const { signaling, handle, socket } = connected();
  socket.end();
  handle.send('waited');
  signaling.onstatechange = (state) => {
    if (state === 'open') handle.send('told');
  };
  clock.advance(500);
  equal(messages(sockets[1].accept()), ['waited', 'told']);
}

export function late_events_of_an_old_socket_are_nobodys() {
  const states = [];
  const { signaling, socket, notes } = connected();
  socket.end();
  clock.advance(500);
  const next = sockets[1];
  signaling.onstatechange = (state) => states.push(state);
  socket.accept();
  socket.deliver(frame('room', 'late'));
  socket.end(4500);
  equal([states, signaling.state], [[], 'connecting']);
  next.accept();
  socket.deliver(frame('room', 'late'));
  socket.end(4500);
  next.deliver(frame('room', 'new'));
  equal([states, signaling.state], [['open'], 'open']);
  equal(
    notes.take().filter(([name]) => name === 'onmessage'),
    [['onmessage', 'new']],
  );
  equal(signaling.stats().received, 1);
}

export function one_socket_serves_all_channels() {
  const signaling = configure({ url: 'ws://server.test/' });
  for (let count = 0; count < 20; count += 1) {
    [openSocket, openSignalingChannel, signaling.openSocket][count % 3]({ channel: count + 1 });
  }
  equal(sockets.length, 1);
  sockets[0].end();
  openSocket({ channel: 'while it waits' });
  equal(sockets.length, 1);
  clock.advance(500);
  openSocket({ channel: 'while it connects' });
  equal(sockets.length, 2);
  equal(signaling.stats().channels, 22);
}
