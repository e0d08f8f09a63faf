// Connects a state machine of rooms with a socket, a channel, the clock and the page's life.

import { guarded, Socket } from './socket.js';

/** In milliseconds: while something waits for the signaling or an answer, and else. */
const SOON = 20;
const LATER = 250;

/**
 * The socket of a page in rooms.
 *
 * @param {import('./types.js').Rooms} rooms
 * @param {ReturnType<typeof import('./hub.js').hubOf>} hub
 * @param {string} id
 */
export function drive(rooms, hub, id) {
  const { signaling } = hub;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** When the timer is due. */
  let due = Infinity;
  let isBusy = false;
  let isEnded = false;
  let isUp = false;
  /** How often the signaling had connected when that was last seen. */
  let connects = 0;

  const socket = new Socket(id, emit, end);
  hub.join(receive);
  globalThis.addEventListener?.('pagehide', goodbye);
  signaling.closed?.then(({ reason = '' } = {}) => {
    if (isEnded) return;
    down();
    socket.fire('error', new Error(`the signaling is closed: ${reason}`));
    end();
  });
  // Never inside the call that makes the socket: the page hasn't its listeners yet.
  schedule(0);
  return socket;

  /** @param {string} name @param {unknown[]} values @param {((...values: any[]) => void) | undefined} acknowledge */
  function emit(name, values, acknowledge) {
    rooms.request(now(), name, values, acknowledge);
    perform();
  }

  /** @param {unknown} value */
  function receive(value) {
    rooms.receive(now(), value);
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
    const times = signaling.stats().connects;
    if (isUp && times === connects) return;
    down();
    connects = times;
    isUp = true;
    rooms.connected(now());
    perform();
    socket.setConnected(true);
  }

  function down() {
    if (!isUp) return;
    isUp = false;
    rooms.lost();
    socket.setConnected(false);
    socket.fire('disconnect', 'transport close');
  }

  /** Does what the state machine asks for. What a listener of the page emits meanwhile comes after. */
  function perform() {
    if (isBusy) return;
    isBusy = true;
    for (let outputs = rooms.take(); outputs.length; outputs = rooms.take()) outputs.forEach(carryOut);
    isBusy = false;
    schedule(rooms.isWaiting || !isUp ? SOON : LATER);
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
    else {
      try {
        hub.send(output.message, receive);
      } catch (error) {
        // It is too large, or the outbox is full.
        socket.fire('error', error);
      }
    }
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
    hub.leave(receive);
  }
}

/** The time of all pages, as well as their clocks agree. It never goes back. */
function now() {
  return performance.timeOrigin + performance.now();
}
