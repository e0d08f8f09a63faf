// Connects the state machine of a room with its channel, the clock and the page's life.

import { Members } from './members.js';
import { Room } from './room.js';
import { PREFIX } from './watch.js';

/** The protocol of our relay. In the other protocols a relay says that it is one. */
const OWN_PROTOCOL = 'relay';
/** How often the connection is looked at, in milliseconds: until it is up, and then. */
const SOON = 20;
const LATER = 1000;
/** How many messages may wait to be decrypted. */
const MOST_WAITING = 1000;
/** How often a page hears of those with another password, in milliseconds. */
const STRANGERS = 10_000;

/**
 * Enters a room.
 *
 * @param {any} signaling
 * @param {string} name
 * @param {import('./types.js').Seen} self
 * @param {() => string} token
 * @param {import('./lock.js').Lock | undefined} lock
 * @param {unknown} farewell What is sent last, ready to travel: a page that is being closed has no time to encrypt.
 * @returns {{ room: Room, connected: Promise<void> }} The room, and when it is connected for the first time.
 */
export function drive(signaling, name, self, token, lock, farewell) {
  const members = new Members(self.id, self.data, token);
  const room = new Room(name, self, { say, setData, leave });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isUp = false;
  let isEnded = false;
  let isClosed = false;
  let isBusy = false;
  /** How often the signaling had connected when that was last seen. */
  let connects = 0;
  /** The relay was asked on this connection who is there. */
  let isAsked = false;
  /** Where it is asked. @type {ReturnType<typeof signaling.openSocket> | undefined} */
  let relayChannel;
  let waiting = 0;
  let strangersAt = -Infinity;
  /** What is encrypted and decrypted, one after the other. */
  let sending = Promise.resolve();
  let receiving = Promise.resolve();
  /** @type {() => void} */
  let whenConnected;
  /** @type {(error: unknown) => void} */
  let whenEnded;
  /** @type {Promise<void>} */
  const connected = new Promise((done, fail) => {
    whenConnected = done;
    whenEnded = fail;
  });
  // The page may not wait for it.
  connected.catch(() => {});

  const channel = signaling.openSocket({ channel: name, onmessage: receive });
  globalThis.addEventListener?.('pagehide', onHide);
  signaling.closed?.then((/** @type {{ reason?: string }} */ { reason = '' } = {}) => {
    if (isEnded) return;
    isClosed = true;
    stop(coded('signaling-closed', `joinRoom: the signaling is closed: ${reason}`));
    room.end();
  });
  watch();
  return { room, connected };

  /** @param {unknown} message @param {{ to?: string, topic?: string }} where */
  function say(message, where) {
    if (isEnded) throw Object.assign(new Error('send: the page has left the room'), { code: 'room-left' });
    members.say(message, where);
    perform();
  }

  /** @param {unknown} data */
  function setData(data) {
    if (isEnded) return;
    members.setData(data);
    perform();
  }

  /**
   * Looks at the connection. A listener would do it sooner, but a signaling with one no longer warns
   * in the console of what is wrong.
   */
  function watch() {
    timer = setTimeout(watch, isUp ? LATER : SOON);
    if (signaling.state !== 'open') {
      if (isUp) members.lost();
      isUp = false;
      return;
    }
    const { connects: times, protocol, relay } = signaling.stats();
    if (!isUp || times !== connects) {
      isUp = true;
      connects = times;
      isAsked = false;
      members.connected(now());
      whenConnected();
    }
    if (!isAsked && (relay || protocol === OWN_PROTOCOL)) {
      isAsked = true;
      relayChannel ??= signaling.openSocket({ channel: PREFIX + token(), onmessage: told });
      post(relayChannel, { present: self.id, on: name });
    }
    members.tick(now());
    perform();
  }

  /** @param {unknown} value */
  function receive(value) {
    const { v, sealed } = Object(value);
    // Others may use the channel for something else.
    if (v !== 1) return;
    const isSealed = typeof sealed === 'string';
    if (isSealed !== (lock !== undefined)) return stranger();
    if (!lock) return take(value);
    if (waiting >= MOST_WAITING) return room.fail(coded('too-many-messages', `a message was dropped, because ${MOST_WAITING} wait to be decrypted`));
    waiting += 1;
    receiving = receiving
      .then(() => lock.open(sealed))
      .then(take, stranger)
      .then(() => {
        waiting -= 1;
      });
  }

  /** @param {unknown} value */
  function take(value) {
    if (isEnded) return;
    members.receive(now(), value);
    perform();
  }

  /** The relay has said something. On another server others may pretend to be one. @param {unknown} value */
  function told(value) {
    if (isEnded || !isUp || !isAsked) return;
    members.told(now(), value);
    perform();
  }

  /** Somebody has another password, or none. */
  function stranger() {
    if (isEnded || now() - strangersAt < STRANGERS) return;
    strangersAt = now();
    room.fail(coded('wrong-password', 'somebody in the room has another password, or none; neither can read the other'));
  }

  /** Does what the state machine asks for. What a listener of the page asks for comes after. */
  function perform() {
    if (isBusy) return;
    isBusy = true;
    for (let outputs = members.take(); outputs.length > 0; outputs = members.take()) {
      outputs.forEach(carryOut);
    }
    isBusy = false;
  }

  /** @param {import('./types.js').Output} output */
  function carryOut(output) {
    if (output.do === 'send') transmit(output.message);
    else if (!isEnded) room.take(output.event);
  }

  /** @param {unknown} message */
  function transmit(message) {
    if (!lock) return post(channel, message);
    sending = sending.then(() => lock.seal(message)).then((sealed) => post(channel, sealed), room.fail.bind(room));
  }

  /** @param {{ send(message: unknown): void }} where @param {unknown} message */
  function post(where, message) {
    if (isClosed) return;
    try {
      where.send(message);
    } catch (error) {
      // It is too large, or the outbox is full.
      room.fail(error);
    }
  }

  function leave() {
    if (isEnded) return;
    stop(coded('room-left', 'joinRoom: the page has left the room'));
    room.peers.clear();
    // After what is still being encrypted.
    sending = sending.then(close);
    if (!lock) close();
  }

  /** The page is being closed, or kept for the back button: then it may come back. @param {PageTransitionEvent} event */
  function onHide({ persisted }) {
    if (persisted) return;
    leave();
    close();
  }

  /** @param {Error} error For who waits for the room. */
  function stop(error) {
    isEnded = true;
    clearTimeout(timer);
    globalThis.removeEventListener?.('pagehide', onHide);
    whenEnded(error);
  }

  /** Says goodbye, and closes the channel. */
  function close() {
    if (isClosed) return;
    post(channel, farewell);
    if (isAsked) post(relayChannel, { absent: true });
    isClosed = true;
    channel.close();
    relayChannel?.close();
  }
}

/** @param {string} code @param {string} sentence */
function coded(code, sentence) {
  return Object.assign(new Error(sentence), { code });
}

function now() {
  return performance.now();
}
