// Rooms that our relay decides on: what one page tells it and hears of it, on a private channel. It
// has no clock and no I/O.
//
// The relay numbers what it sends, and keeps it until the page says that it has seen it. The page
// numbers its requests, and keeps them until it knows that they have come. (In the relay's own
// protocol the signaling does that.) So nothing is lost with a connection, and nothing happens
// twice. The numbers count within one life of the page's user at the relay.
// relay/src/protocols/referee.rs has the messages.

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
/** After so many requests the page asks which of them have come. */
const MOST_UNCONFIRMED = 32;
/** How many it keeps at most. */
const MOST_KEPT = 1000;
/** After so many milliseconds without an answer the page asks again what it is. */
const LONGEST_ASKED = 10_000;

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
  /** The signaling sends again what was lost with a connection. */
  #isReliable = true;
  /** When an answer to what the page is must have come. */
  #answerDue = Infinity;
  /** Requests that may be lost with the connection. @type {{ ask: number, event: unknown[] }[]} */
  #kept = [];
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

  /**
   * @param {number} now
   * @param {boolean} isReliable
   *   The signaling sends again what was lost with a connection, and a relay that has no rooms
   *   says nothing before `flush` is done.
   */
  connected(now, isReliable) {
    this.standing = 'asked';
    this.#isReliable = isReliable;
    this.#answerDue = isReliable ? Infinity : now + LONGEST_ASKED;
    this.#send({ query: this.#query() });
    if (isReliable) this.#outputs.push({ do: 'flush' });
  }

  lost() {
    this.standing = 'unknown';
    this.#answerDue = Infinity;
  }

  /**
   * All that was sent when `flush` was asked for has come. A relay answers before it says so.
   *
   * @param {number} now
   * @param {boolean} isSure Whether it came on the connection on which it was sent.
   */
  flushed(now, isSure) {
    if (this.standing !== 'asked' || !this.#isReliable) return;
    if (isSure) this.standing = 'absent';
    else this.connected(now, true);
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
    const request = { ask: this.#asked, event: [name, ...values] };
    if (this.#isReliable) return this.#send({ query: this.#query(), ...request });
    this.#keep(request);
    // Without a query it is done only on a connection that the relay has answered, where all
    // earlier ones have come.
    return this.#send(request);
  }

  /** @param {number} now @param {unknown} value */
  receive(now, value) {
    // Others may know the channel by now, and pretend to be a relay.
    if (this.standing === 'absent') return undefined;
    const { life, relay, asked, taken, refused, number, event, answer, values } = Object(value);
    if (typeof life === 'string') return this.#entered(life, relay, asked);
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
    if (now >= this.#answerDue) this.connected(now, false);
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

  /** @param {{ ask: number, event: unknown[] }} request */
  #keep(request) {
    this.#kept.push(request);
    // Not by a query: on a connection that has lost earlier requests it would enter the rooms, and
    // later requests would be done first.
    if (this.#kept.length % MOST_UNCONFIRMED === 0) this.#send({ asked: this.#asked });
    if (this.#kept.length <= MOST_KEPT) return;
    const [lost] = this.#kept.splice(0, 1);
    this.#event(['error', new Error(`${lost?.event[0]} may be lost: the relay confirms nothing`)]);
  }

  /** The requests up to this number have come. @param {unknown} asked */
  #confirmed(asked) {
    this.#kept = this.#kept.filter(({ ask }) => !(ask <= Number(asked)));
  }

  /** @param {string} life @param {unknown} relay @param {unknown} asked */
  #entered(life, relay, asked) {
    const isFirst = this.standing !== 'user';
    this.standing = 'user';
    this.#answerDue = Infinity;
    if (life === this.#life) {
      this.#confirmed(asked);
      if (isFirst) for (const request of this.#kept) this.#send(request);
      return;
    }
    if (this.#life !== undefined) this.#change = relay === this.#relay ? 'forgotten' : 'restarted';
    this.#life = life;
    this.#relay = relay;
    // A page that left and came back may be the user that it was.
    this.#asked = Number(asked) || 0;
    this.#kept = [];
    this.#waiting.clear();
    this.#seen = 0;
  }

  /** @param {[string, ...unknown[]] | any[]} event */
  #refused(event) {
    this.standing = 'nobody';
    this.#answerDue = Infinity;
    this.#event(event);
  }

  /** @param {any[]} event */
  #event([name, ...values]) {
    this.#outputs.push({ do: 'event', name: String(name), values });
  }

  /** @param {number} ask @param {unknown} values */
  #answered(ask, values) {
    this.#confirmed(ask);
    const acknowledge = this.#waiting.get(ask);
    // Answers come in order: what was asked before gets none any more.
    for (const earlier of this.#waiting.keys()) if (earlier <= ask) this.#waiting.delete(earlier);
    if (acknowledge && Array.isArray(values)) this.#outputs.push({ do: 'acknowledge', acknowledge, values });
  }
}
