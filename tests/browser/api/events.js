// A signaling as an event target: its events beside the handlers.

import {
  clock,
  connected,
  equal,
  frame,
  isOurs,
  joined,
  Notes,
  ok,
  reported,
  Signaling,
  sockets,
} from '../support/index.js';

export function it_is_an_event_target() {
  const signaling = new Signaling({ url: 'ws://server.test/' });
  ok(signaling instanceof EventTarget, 'by its class');
  let target;
  signaling.addEventListener('of my own', (event) => ({ target } = event));
  signaling.dispatchEvent(new Event('of my own'));
  ok(target === signaling, 'the target of its events');
  class Mine extends Signaling {}
  ok(new Mine({ url: 'ws://server.test/' }) instanceof Mine, 'it can be extended');
}

export function changes_of_state() {
  const notes = new Notes();
  const signaling = new Signaling({ url: 'ws://server.test/', onstatechange: (state) => notes.taker('handler')(state) });
  signaling.addEventListener('statechange', function ({ type, state, reason, retryIn, code }) {
    notes.taker('listener')(type, state, this.state, typeof reason, typeof retryIn, code);
  });
  signaling.openSocket({});
  equal(notes.take(), [
    ['handler', 'connecting'],
    ['listener', 'statechange', 'connecting', 'connecting', 'string', 'undefined', undefined],
  ]);
  sockets[0].accept();
  notes.take();
  sockets[0].end(1006);
  equal(notes.take()[1], ['listener', 'statechange', 'waiting', 'waiting', 'string', 'number', 1006]);
  signaling.close();
  equal(notes.take()[1], ['listener', 'statechange', 'closed', 'closed', 'string', 'undefined', undefined]);
}

export function errors_and_gaps() {
  const notes = new Notes();
  const { signaling, socket } = joined({ onerror: notes.taker('onerror'), ongap: notes.taker('ongap') });
  signaling.addEventListener('error', ({ error }) => notes.taker('error')(error));
  signaling.addEventListener('gap', ({ channel }) => notes.taker('gap')(channel));
  socket.deliver('{"gap":"room"}');
  equal(notes.take(), [['ongap', 'room'], ['gap', 'room']]);
  socket.deliver('nonsense');
  const [[, told], [name, heard]] = notes.take();
  isOurs(told, 'bad-frame');
  equal([name, heard === told], ['error', true]);
}

export function frames_from_the_first_listener_on() {
  const { signaling, handle, socket } = connected();
  const notes = new Notes();
  const listener = ({ kind, frame }) => notes.taker('frame')(kind, frame);
  handle.send(1);
  signaling.addEventListener('frame', listener);
  handle.send(2);
  socket.deliver(frame('room', 3));
  equal(
    notes.take().map(([, kind, text]) => [kind, JSON.parse(text).message]),
    [['sent', 2], ['delivered', 3]],
  );
  // A handler that comes and goes changes nothing for it.
  signaling.onframe = notes.taker('onframe');
  socket.deliver(frame('room', 4));
  equal(notes.take().map(([name]) => name), ['onframe', 'frame']);
  signaling.onframe = null;
  socket.deliver(frame('room', 5));
  equal(notes.take().map(([name]) => name), ['frame']);
  signaling.removeEventListener('frame', listener);
  socket.deliver(frame('room', 6));
  equal(notes.take(), []);
}

export function a_listener_that_throws_stops_nothing() {
  const { signaling, socket, notes } = connected();
  const events = new Notes();
  for (const type of ['statechange', 'error', 'frame']) {
    signaling.addEventListener(type, () => {
      throw new Error(type);
    });
    signaling.addEventListener(type, () => events.taker(type)());
  }
  socket.deliver(frame('room', 1), 'nonsense');
  equal(notes.take(), [['onmessage', 1]]);
  socket.end();
  clock.advance(500);
  sockets.at(-1).accept();
  equal([signaling.state, events.take().map(([type]) => type)], ['open', ['frame', 'frame', 'error', 'statechange', 'statechange', 'statechange']]);
  equal(reported().length, 6);
}

export function a_listener_may_call_back() {
  const { signaling, handle, socket } = connected();
  signaling.addEventListener('error', () => handle.send('from the listener'));
  socket.deliver('nonsense');
  equal(socket.frames.length, 1);
  signaling.addEventListener('statechange', () => signaling.close());
  socket.end();
  equal([signaling.state, clock.timers], ['closed', 0]);
}

export function a_page_that_listens_needs_no_warning() {
  const { warn } = console;
  let warnings = 0;
  console.warn = () => (warnings += 1);
  try {
    for (const type of ['gap', 'error', 'statechange']) {
      warnings = 0;
      const signaling = new Signaling({ url: 'ws://server.test/', reconnect: false });
      signaling.addEventListener(type, () => {});
      signaling.openSocket({});
      sockets.at(-1).end();
      equal([signaling.state, warnings], ['closed', type === 'gap' ? 1 : 0], type);
    }
  } finally {
    console.warn = warn;
  }
}

