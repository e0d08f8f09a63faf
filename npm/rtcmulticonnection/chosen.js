// Who decides on a page's rooms: our relay, if the server is one, or else the pages by themselves.
// The choice is made again with each connection. The page notices no change: what it was is
// restored, as it is when the relay has forgotten the page. It has no clock and no I/O.

import { AgreedRooms } from './agreed.js';
import { Memory } from './memory.js';
import { RefereedRooms } from './refereed.js';

/** @typedef {import('./types.js').Acknowledge} Acknowledge */
/** @typedef {import('./types.js').Output} Output */

/**
 * The protocol of our relay. An older relay, which has no rooms, speaks it too. In the other
 * protocols only a relay with rooms says that it is one.
 */
const OWN_PROTOCOL = 'relay';
/** How many requests wait at most until the rooms are there. */
const MOST_WAITING = 1000;

export class ChosenRooms {
  #profile;
  #token;
  #channel;
  #times;
  /** @type {Output[]} */
  #outputs = [];
  #referee;
  /** The rooms that were chosen. @type {AgreedRooms | RefereedRooms | undefined} */
  #rooms;
  #memory;
  /**
   * What the page has asked for, to be passed on.
   *
   * @type {[string, unknown[], Acknowledge | undefined][]}
   */
  #waiting = [];
  #isOnline = false;
  /** The page knows that it is connected. */
  #isConnected = false;
  #now = 0;

  /**
   * @param {import('./types.js').Profile} profile
   * @param {() => string} token
   * @param {{ channel: string, group: string | undefined, answer: number }} options
   *   The channel on which pages agree; the name of their rooms at the relay.
   */
  constructor(profile, token, { channel, group, answer }) {
    this.#profile = { ...profile };
    this.#token = token;
    this.#channel = channel;
    this.#times = { answer };
    this.#referee = new RefereedRooms(this.#profile, token(), group);
    // A signaling connects with its first channel. Other servers than relays learn nothing of it.
    this.#outputs.push({ do: 'listen', channel: this.#referee.channel });
    this.#memory = new Memory(this.#profile, token(), {
      ask: (name, values, acknowledge) => this.#rooms?.request(this.#now, name, values, acknowledge),
      event: (name, ...values) => this.#outputs.push({ do: 'event', name, values }),
      restored: () => this.#passOn(),
      now: () => this.#now,
      mayLose: () => this.#rooms === this.#referee,
    });
  }

  get isWaiting() {
    return this.#memory.isRestoring || (this.#rooms?.isWaiting ?? false);
  }

  take() {
    this.#collect();
    return this.#outputs.splice(0);
  }

  /**
   * @param {number} now
   * @param {string} protocol The protocol that is spoken.
   * @param {boolean} isRelay Whether the server has said that it is our relay.
   */
  connected(now, protocol, isRelay) {
    this.#now = now;
    this.#isOnline = true;
    const agreed = this.#agreed;
    if (agreed) {
      agreed.connected(now);
      this.#connect();
    }
    if (protocol === OWN_PROTOCOL || isRelay) this.#referee.connected(now, protocol === OWN_PROTOCOL);
    else if (!agreed) this.#agree();
  }

  lost() {
    this.#isOnline = false;
    this.#isConnected = false;
    this.#agreed?.lost();
    this.#referee.lost();
  }

  /** @param {number} now @param {boolean} isSure */
  flushed(now, isSure) {
    this.#now = now;
    this.#referee.flushed(now, isSure);
    this.#settle();
  }

  /**
   * @param {number} now
   * @param {string} name
   * @param {unknown[]} values
   * @param {Acknowledge | undefined} acknowledge
   */
  request(now, name, values, acknowledge) {
    this.#now = now;
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push([name, values, acknowledge]);
    this.#passOn();
  }

  /** @param {number} now @param {unknown} value @param {string} channel */
  receive(now, value, channel) {
    this.#now = now;
    if (channel !== this.#referee.channel) return this.#agreed?.receive(now, value);
    this.#referee.receive(now, value);
    return this.#settle();
  }

  /** @param {number} now */
  tick(now) {
    this.#now = now;
    this.#agreed?.tick(now);
    this.#referee.tick(now);
    this.#memory.tick(now);
  }

  /** @param {number} now */
  leave(now) {
    this.#now = now;
    this.#rooms?.leave(now);
    this.#memory.leave();
    this.#waiting = [];
  }

  get #agreed() {
    return this.#rooms instanceof AgreedRooms ? this.#rooms : undefined;
  }

  /** Acts on what the relay has said. */
  #settle() {
    const { standing } = this.#referee;
    if (standing === 'absent' && !this.#agreed) this.#agree();
    if (standing !== 'user' && standing !== 'nobody') return;
    const isNew = this.#rooms !== this.#referee;
    if (isNew) this.#choose(this.#referee);
    this.#connect();
    if (standing !== 'user') return;
    const change = this.#referee.takeChange();
    if (change === 'forgotten') this.#memory.forgotten();
    if (change || isNew) this.#memory.restore(this.#now);
    this.#passOn();
  }

  /** The pages agree by themselves. */
  #agree() {
    const rooms = new AgreedRooms({ ...this.#profile }, this.#token, this.#times);
    this.#choose(rooms);
    this.#outputs.push({ do: 'listen', channel: this.#channel });
    rooms.connected(this.#now);
    this.#collect();
    this.#connect();
    this.#memory.restore(this.#now);
    this.#passOn();
  }

  /** @param {AgreedRooms | RefereedRooms} rooms */
  #choose(rooms) {
    const before = this.#agreed;
    if (before) {
      before.leave(this.#now);
      this.#collect();
      this.#outputs.push({ do: 'unlisten', channel: this.#channel });
    }
    this.#rooms = rooms;
  }

  /** Tells the page that it is connected, once on each connection. */
  #connect() {
    if (this.#isOnline && !this.#isConnected) this.#outputs.push({ do: 'connect' });
    this.#isConnected = this.#isOnline;
  }

  /** Passes on what has waited. Pages that agree take it without a connection too. */
  #passOn() {
    const isTaken = () => !this.#memory.isRestoring && (this.#agreed || (this.#rooms && this.#referee.standing === 'user'));
    while (this.#waiting.length && isTaken()) {
      const [request] = this.#waiting.splice(0, 1);
      if (request) this.#memory.ask(...request);
    }
  }

  #collect() {
    const agreed = this.#agreed;
    if (agreed) this.#add(agreed.take(), this.#channel);
    this.#add(this.#referee.take(), this.#referee.channel);
  }

  /** @param {import('./types.js').RoomsOutput[]} outputs @param {string} channel */
  #add(outputs, channel) {
    for (const output of outputs) {
      if (output.do === 'event' && !this.#memory.hears(output.name, output.values)) continue;
      this.#outputs.push(output.do === 'send' ? { ...output, channel } : output);
    }
  }
}
