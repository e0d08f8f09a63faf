// Who is in a room: one page's state machine. It has no clock and no I/O.
//
// The server only passes messages on. A page that joins says `hello`. Each of the others answers
// `here`, and the newcomer answers that with `ready`. `here` and `ready` repeat a number that the
// receiver has just made up, so nobody gets in by repeating what was said before. Each page numbers
// what it sends, and nothing is taken whose number is not higher than that of the last.
//
// Pages say from time to time that they are there. Where our relay says it, they needn't.

import { read } from './messages.js';
import { Watch } from './watch.js';

/** In milliseconds. */
export const TIMES = {
  /** A page says that often that it is there. */
  beat: 10_000,
  /** Who is silent for so long is asked for a sign of life. */
  silence: 25_000,
  /** Who gives none for so long has left. */
  answer: 15_000,
};

/** How many others a room has at most. */
const MOST_PEERS = 256;
/** How many pages that have left are remembered, with the number of their last message. */
const MOST_LEFT = 1000;
/** Answers to strangers: so many at once, and so many a second. */
const ANSWERS = { most: 512, perSecond: 32 };
/** The number of a page's last message, which no other may follow. */
const LAST = Number.MAX_SAFE_INTEGER;

/** @typedef {import('./types.js').Content} Content */
/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Output} Output */

/**
 * @typedef {object} Known
 * @property {string} id
 * @property {unknown} data
 * @property {number} number That of its last message.
 * @property {number} heard When it was last heard.
 * @property {number} [asked] When it was asked for a sign of life since.
 */

/** The last message of a page. It can be made at any time, because it has the last number. @param {string} id */
export function farewellOf(id) {
  return { v: 1, from: id, number: LAST, kind: 'bye' };
}

export class Members {
  /** @type {Map<string, Known>} */
  peers = new Map();

  #id;
  #token;
  #times;
  #data;
  #number = 0;
  /** What others repeat to show that they answer now. */
  #nonce;
  /** The numbers of those who have left. @type {Map<string, number>} */
  #left = new Map();
  /** Those who were lost. They may come back, with what they have said meanwhile. @type {Map<string, Known>} */
  #lost = new Map();
  /** @type {Output[]} */
  #outputs = [];
  #watch = new Watch();
  #isOnline = false;
  #now = 0;
  #beaten = 0;
  #answers = ANSWERS.most;
  #answersAt = 0;
  #isFull = false;

  /**
   * @param {string} id This page's.
   * @param {unknown} data What the others see of it.
   * @param {() => string} token Makes up a random text.
   * @param {Partial<typeof TIMES>} [times]
   */
  constructor(id, data, token, times) {
    this.#id = id;
    this.#data = data;
    this.#token = token;
    this.#nonce = token();
    this.#times = { ...TIMES, ...times };
  }

  /** What is to be done since the last call. */
  take() {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** The connection is up, for the first time or again. @param {number} now */
  connected(now) {
    this.#now = now;
    this.#isOnline = true;
    this.#watch.lost();
    this.#beaten = now;
    // Nobody could be heard meanwhile.
    for (const peer of this.peers.values()) this.#live(peer);
    this.#hello();
  }

  /** The connection is down. */
  lost() {
    this.#isOnline = false;
    this.#watch.lost();
  }

  /** The relay has said this of who is there. @param {number} now @param {unknown} value */
  told(now, value) {
    this.#now = now;
    for (const id of this.#watch.hear(value)) {
      const peer = this.peers.get(id);
      if (peer) this.#remove(peer, true);
    }
  }

  /** @param {unknown} data */
  setData(data) {
    this.#data = data;
    this.#send({ kind: 'update', data });
  }

  /** A message of the page, to one peer or to all. @param {unknown} message @param {{ to?: string, topic?: string }} where */
  say(message, where = {}) {
    this.#send({ kind: 'message', message, ...where });
  }

  /** Time has passed. @param {number} now */
  tick(now) {
    if (!this.#isOnline) return;
    this.#now = now;
    if (now - this.#beaten < this.#times.beat) return;
    this.#beaten = now;
    if (!this.#watch.isShown) this.#send({ kind: 'beat' });
    // Something of their beginning was lost.
    for (const id of this.#watch.unmet(this.peers)) if (this.#mayAnswer()) this.#hello(id);
    for (const peer of [...this.peers.values()]) {
      if (this.#watch.has(peer.id)) this.#live(peer);
      if (now - peer.heard < this.#times.silence) continue;
      if (peer.asked !== undefined && now - peer.asked >= this.#times.answer) this.#remove(peer, true);
      else {
        peer.asked ??= now;
        this.#send({ kind: 'ping', to: peer.id });
      }
    }
  }

  /** Another page has sent this. @param {number} now @param {unknown} value */
  receive(now, value) {
    this.#now = now;
    const message = read(value);
    if (!message || message.from === this.#id) return;
    const peer = this.peers.get(message.from) ?? this.#found(message);
    if (peer) this.#hear(peer, message);
    else this.#meet(message);
  }

  /** The page that was lost and has said this, which is news. @param {Message} message */
  #found({ from, number, kind }) {
    const peer = this.#lost.get(from);
    if (!peer || number <= peer.number) return undefined;
    if (kind === 'bye') peer.number = number;
    if (kind === 'bye' || this.peers.size >= MOST_PEERS) return undefined;
    this.#lost.delete(from);
    this.#left.delete(from);
    this.peers.set(from, peer);
    this.#event({ name: 'join', peer });
    return peer;
  }

  /** @param {Known} peer @param {Message} message */
  #hear(peer, message) {
    if (message.number <= peer.number) return;
    peer.number = message.number;
    this.#live(peer);
    const isForMe = message.to === undefined || message.to === this.#id;
    switch (message.kind) {
      case 'hello':
        this.#see(peer, message.data);
        if (isForMe) this.#answer(message);
        return;
      case 'here':
        this.#see(peer, message.data);
        // It answers a hello of its own time, and waits for its number.
        if (isForMe && message.echo === this.#nonce) this.#ready(message);
        return;
      case 'update':
        return this.#see(peer, message.data);
      case 'message':
        if (isForMe) this.#event({ name: 'message', peer, message: message.message, isPrivate: message.to !== undefined, ...(message.topic !== undefined && { topic: message.topic }) });
        return;
      case 'ping':
        if (isForMe) this.#send({ kind: 'beat' });
        return;
      case 'bye':
        return this.#remove(peer, false);
      default:
        // A sign of life.
        return;
    }
  }

  /** A message of a page that isn't known. @param {Message} message */
  #meet(message) {
    const { kind, from, number, to } = message;
    if (number <= (this.#left.get(from) ?? -1) || kind === 'bye') return;
    const isForMe = to === this.#id;
    if (kind === 'hello') {
      if (to === undefined || isForMe) this.#answer(message);
    } else if ((kind === 'here' || kind === 'ready') && isForMe && message.echo === this.#nonce) {
      this.#add(message);
      if (kind === 'here') this.#ready(message);
    } else if (kind === 'beat' && this.#mayAnswer()) {
      // Something of its beginning was lost.
      this.#hello(from);
    }
  }

  /** @param {Extract<Message, { kind: 'hello' }>} message */
  #answer({ from, nonce }) {
    if (this.#mayAnswer()) this.#send({ kind: 'here', to: from, nonce: this.#nonce, echo: nonce, data: this.#data });
  }

  /** @param {Extract<Message, { kind: 'here' }>} message */
  #ready({ from, nonce }) {
    this.#send({ kind: 'ready', to: from, echo: nonce, data: this.#data });
  }

  /** @param {string} [to] */
  #hello(to) {
    const content = /** @type {const} */ ({ kind: 'hello', nonce: this.#nonce, data: this.#data });
    this.#send(to === undefined ? content : { ...content, to });
  }

  /** Whether there is an answer left for a stranger, who may be anybody. */
  #mayAnswer() {
    const passed = Math.max(0, this.#now - this.#answersAt);
    this.#answersAt = this.#now;
    this.#answers = Math.min(ANSWERS.most, this.#answers + (passed * ANSWERS.perSecond) / 1000);
    if (this.#answers < 1) return false;
    this.#answers -= 1;
    return true;
  }

  /** @param {Extract<Message, { kind: 'here' | 'ready' }>} message */
  #add({ from, number, data }) {
    if (this.peers.size >= MOST_PEERS) {
      if (!this.#isFull) this.#event({ name: 'full', most: MOST_PEERS });
      this.#isFull = true;
      return;
    }
    this.#left.delete(from);
    this.#lost.delete(from);
    const peer = { id: from, data, number, heard: this.#now };
    this.peers.set(from, peer);
    this.#event({ name: 'join', peer });
  }

  /** It has given a sign of life. @param {Known} peer */
  #live(peer) {
    peer.heard = this.#now;
    delete peer.asked;
  }

  /** @param {Known} peer @param {unknown} data */
  #see(peer, data) {
    if (JSON.stringify(data) === JSON.stringify(peer.data)) return;
    peer.data = data;
    this.#event({ name: 'update', peer });
  }

  /** @param {Known} peer @param {boolean} isLost It hasn't said that it leaves. */
  #remove(peer, isLost) {
    this.peers.delete(peer.id);
    this.#isFull = false;
    this.#left.set(peer.id, peer.number);
    if (this.#left.size > MOST_LEFT) {
      // What was said to the old nonce doesn't count any more, so nobody needs to be remembered.
      this.#left.clear();
      this.#nonce = this.#token();
    }
    if (isLost) this.#remember(peer);
    this.#event({ name: 'leave', peer, isLost });
  }

  /** @param {Known} peer */
  #remember(peer) {
    this.#lost.set(peer.id, peer);
    const [first] = this.#lost.keys();
    if (this.#lost.size > MOST_PEERS && first !== undefined) this.#lost.delete(first);
  }

  /** @param {import('./types.js').RoomEvent} event */
  #event(event) {
    this.#outputs.push({ do: 'event', event });
  }

  /** @param {Content} content */
  #send(content) {
    this.#number += 1;
    this.#outputs.push({ do: 'send', message: { v: 1, from: this.#id, number: this.#number, ...content } });
  }
}
