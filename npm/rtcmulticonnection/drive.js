// Connects a state machine of rooms with a socket, its channels, the clock and the page's life.

import { hubOf } from './hub.js';
import { guarded, Socket } from './socket.js';

/** What is spoken with a signaling that doesn't say it. */
const PLAIN = 'websocket';
/** In milliseconds: while something waits for the signaling or an answer, and else. */
const SOON = 20;
const LATER = 250;
/** So long after a stream of events has begun, in milliseconds, its server must have said what it is. */
const LONGEST_HELLO = 250;

/**
 * The socket of a page in rooms.
 *
 * @param {import('./chosen.js').ChosenRooms} rooms
 * @param {any} signaling
 * @param {string} id
 */
export function drive(rooms, signaling, id) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** When the timer is due. */
  let due = Infinity;
  let isBusy = false;
  let isEnded = false;
  let isUp = false;
  /** How often the signaling had connected when that was last seen, and when that was. */
  let connects = 0;
  let since = 0;
  /** What it spoke then. @type {string | undefined} */
  let spoken;
  /** The server had said then that it is our relay. */
  let isRelay = false;
  /** Who hears which channel. @type {Map<string, (value: unknown) => void>} */
  const receivers = new Map();

  const socket = new Socket(id, emit, end);
  globalThis.addEventListener?.('pagehide', goodbye);
  signaling.closed?.then(({ reason = '' } = {}) => {
    if (isEnded) return;
    down();
    socket.fire('error', new Error(`the signaling is closed: ${reason}`));
    end();
  });
  perform();
  // Never inside the call that makes the socket: the page hasn't its listeners yet.
  schedule(0);
  return socket;

  /** @param {string} name @param {unknown[]} values @param {((...values: any[]) => void) | undefined} acknowledge */
  function emit(name, values, acknowledge) {
    rooms.request(now(), name, values, acknowledge);
    perform();
  }

  function turn() {
    due = Infinity;
    watch();
    rooms.tick(now());
    perform();
  }

  /** Polls the signaling's state, because its handlers belong to the page. */
  function watch() {
    if (signaling.state !== 'open') return down();
    const { connects: times, protocol, relay } = { protocol: PLAIN, relay: false, ...signaling.stats() };
    const isSame = times === connects;
    if (isUp && isSame && protocol === spoken && relay === isRelay) return;
    if (!isSame) {
      down();
      since = now();
    }
    connects = times;
    // It isn't known yet who the server is.
    if (!protocol || (protocol === 'sse' && !relay && !isUp && now() < since + LONGEST_HELLO)) return;
    spoken = protocol;
    isRelay = relay;
    isUp = true;
    rooms.connected(now(), protocol, isRelay);
    perform();
  }

  function down() {
    if (!isUp) return;
    isUp = false;
    rooms.lost();
    if (!socket.connected) return;
    socket.setConnected(false);
    socket.fire('disconnect', 'transport close');
  }

  /** Does what the state machine asks for. What a listener of the page emits meanwhile comes after. */
  function perform() {
    if (isBusy) return;
    isBusy = true;
    for (let outputs = rooms.take(); outputs.length; outputs = rooms.take()) outputs.forEach(carryOut);
    isBusy = false;
    schedule(rooms.isWaiting || !isUp || !socket.connected ? SOON : LATER);
  }

  /** Makes the next turn come no later than so. @param {number} wait In milliseconds. */
  function schedule(wait) {
    const at = now() + wait;
    if (isEnded || at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(turn, wait);
  }

  /** @param {import('./types.js').Output} output */
  function carryOut(output) {
    if (output.do === 'acknowledge') guarded(() => output.acknowledge(...output.values));
    else if (output.do === 'event') socket.fire(output.name, ...output.values);
    else if (output.do === 'send') send(output.channel, output.message);
    else if (output.do === 'listen') listen(output.channel);
    else if (output.do === 'unlisten') unlisten(output.channel);
    else if (output.do === 'flush') flush();
    else if (isUp && !socket.connected) socket.setConnected(true);
  }

  /** @param {string} channel @param {unknown} message */
  function send(channel, message) {
    const receive = receivers.get(channel);
    try {
      if (receive) hubOf(signaling, channel).send(message, receive);
    } catch (error) {
      // It is too large, or the outbox is full.
      socket.fire('error', error);
    }
  }

  /** @param {string} channel */
  function listen(channel) {
    const receive = (/** @type {unknown} */ value) => {
      rooms.receive(now(), value, channel);
      perform();
    };
    receivers.set(channel, receive);
    hubOf(signaling, channel).join(receive);
  }

  /** @param {string} channel */
  function unlisten(channel) {
    const receive = receivers.get(channel);
    receivers.delete(channel);
    if (receive) hubOf(signaling, channel).leave(receive);
  }

  /** Tells the rooms when the server has all that was sent until now. */
  function flush() {
    const { connects: times, dropped } = signaling.stats();
    signaling.flushed().then(
      () => {
        if (isEnded) return;
        const after = signaling.stats();
        rooms.flushed(now(), after.connects === times && after.dropped === dropped);
        perform();
      },
      () => {},
    );
  }

  /** The page is being closed, or kept for the back button. */
  function goodbye() {
    if (!isUp) return;
    rooms.leave(now());
    perform();
    down();
  }

  function end() {
    if (isEnded) return;
    goodbye();
    isEnded = true;
    clearTimeout(timer);
    globalThis.removeEventListener?.('pagehide', goodbye);
    for (const channel of [...receivers.keys()]) unlisten(channel);
  }
}

/** The time of all pages, as well as their clocks agree. It never goes back. */
function now() {
  return performance.timeOrigin + performance.now();
}
