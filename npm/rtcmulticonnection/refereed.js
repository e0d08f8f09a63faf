// Rooms that our relay decides on: what one page tells it and hears of it, on a private channel. It
// has no clock and no I/O.
//
// The relay numbers what it sends, and keeps it until the page says that it has seen it. The page
// numbers its requests. So nothing is lost with a connection, and nothing happens twice. The
// numbers count within one life of the page's user at the relay. relay/src/protocols/referee.rs has
// the messages.

import { queryOf } from './query.js';

/** @typedef {import('./types.js').Acknowledge} Acknowledge */
/** @typedef {import('./types.js').Standing} Standing */
/** @typedef {import('./types.js').Rooms} Rooms */

const PREFIX = 'rtcmulticonnection-relay/';
/** After so many deliveries the page says that it has seen them, or after so many milliseconds. */
const MOST_UNSEEN = 8;
const LONGEST_UNSEEN = 1000;
/** How many requests wait for an answer at most. Most messages get none. */
const MOST_WAITING = 1000;

/** @implements {Rooms} */
export class RefereedRooms {
  /** The name is the page's secret. */
  channel;
  /** @type {Standing} */
  standing = 'unknown';
  #profile;
  #group;
  /** @type {import('./types.js').RoomsOutput[]} */
  #outputs = [];
  /** @type {string | undefined} */
  #life;
  /** Names the relay until it is started again. @type {unknown} */
  #relay;
  /** @type {'forgotten' | 'restarted' | undefined} */
  #change;
  #asked = 0;
  /** @type {Map<number, Acknowledge>} */
  #waiting = new Map();
  #seen = 0;
  #unseen = 0;
  #seenDue = Infinity;

  /**
   * @param {import('./types.js').Profile} profile Its user and extra data may change.
   * @param {string} token
   * @param {string | undefined} group The rooms of this name, apart from those of the space.
   */
  constructor(profile, token, group) {
    this.channel = PREFIX + token;
    this.#profile = profile;
    this.#group = group;
  }

  get isWaiting() {
    return false;
  }

  take() {
    return this.#outputs.splice(0);
  }

  /**
   * What has happened since the last call, if the relay knows nothing of the page any more: it was
   * started again, or has told the others that the page is gone.
   */
  takeChange() {
    const change = this.#change;
    this.#change = undefined;
    return change;
  }

  connected() {
    this.standing = 'asked';
    this.#send({ query: this.#query() });
    this.#outputs.push({ do: 'flush' });
  }

  lost() {
    this.standing = 'unknown';
  }

  /**
   * All that was sent when `flush` was asked for has come. A relay answers before it says so.
   *
   * @param {boolean} isSure Whether it came on the connection on which it was sent.
   */
  flushed(isSure) {
    if (this.standing !== 'asked') return;
    if (isSure) this.standing = 'absent';
    else this.connected();
  }

  /**
   * @param {number} _now
   * @param {string} name
   * @param {unknown[]} values
   * @param {Acknowledge | undefined} acknowledge
   */
  request(_now, name, values, acknowledge) {
    this.#asked += 1;
    if (acknowledge) this.#waiting.set(this.#asked, acknowledge);
    if (this.#waiting.size > MOST_WAITING) this.#waiting.delete([...this.#waiting.keys()][0] ?? 0);
    this.#send({ query: this.#query(), ask: this.#asked, event: [name, ...values] });
  }

  /** @param {number} now @param {unknown} value */
  receive(now, value) {
    const { life, relay, taken, refused, number, event, answer, values } = Object(value);
    if (typeof life === 'string') return this.#entered(life, relay);
    if (Array.isArray(taken)) return this.#refused(taken);
    if (typeof refused === 'string') return this.#refused(['error', new Error(refused)]);
    // It was sent again, and had come already.
    if (!(number > this.#seen)) return undefined;
    this.#seen = number;
    this.#unseen += 1;
    this.#seenDue = Math.min(this.#seenDue, now + LONGEST_UNSEEN);
    if (Array.isArray(event)) this.#event(event);
    else this.#answered(answer, values);
    if (this.#unseen >= MOST_UNSEEN) this.#send({});
  }

  /** @param {number} now */
  tick(now) {
    if (now >= this.#seenDue && this.standing === 'user') this.#send({});
  }

  leave() {
    this.#send({ event: ['disconnect'] });
    this.#life = undefined;
    this.standing = 'unknown';
  }

  /** @param {object} content */
  #send(content) {
    const life = this.#life;
    this.#unseen = 0;
    this.#seenDue = Infinity;
    this.#outputs.push({ do: 'send', message: { ...(life && { life, seen: this.#seen }), ...content } });
  }

  #query() {
    return queryOf(this.#profile, this.#group);
  }

  /** @param {string} life @param {unknown} relay */
  #entered(life, relay) {
    this.standing = 'user';
    if (life === this.#life) return;
    if (this.#life !== undefined) this.#change = relay === this.#relay ? 'forgotten' : 'restarted';
    this.#life = life;
    this.#relay = relay;
    this.#asked = 0;
    this.#waiting.clear();
    this.#seen = 0;
  }

  /** @param {[string, ...unknown[]] | any[]} event */
  #refused(event) {
    this.standing = 'nobody';
    this.#event(event);
  }

  /** @param {any[]} event */
  #event([name, ...values]) {
    this.#outputs.push({ do: 'event', name: String(name), values });
  }

  /** @param {number} ask @param {unknown} values */
  #answered(ask, values) {
    const acknowledge = this.#waiting.get(ask);
    // Answers come in order: what was asked before gets none any more.
    for (const earlier of this.#waiting.keys()) if (earlier <= ask) this.#waiting.delete(earlier);
    if (acknowledge && Array.isArray(values)) this.#outputs.push({ do: 'acknowledge', acknowledge, values });
  }
}
