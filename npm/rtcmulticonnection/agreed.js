// Rooms that the pages agree on, where the server only passes messages on: one page's state
// machine. It has no clock and no I/O.
//
// * `membership.js`: the room that the page is in. `entrance.js`: how pages get in.
// * `talk.js`: what users tell each other. `broadcast.js`: scalable broadcasts.
// * `people.js`: who is there. `questions.js`: what waits for an answer.

import { Broadcast } from './broadcast.js';
import { Membership } from './membership.js';
import { readMessage } from './messages.js';
import { Self, TIMES } from './self.js';
import { Talk } from './talk.js';

/** @typedef {import('./types.js').Acknowledge} Acknowledge */
/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Rooms} Rooms */
/** @typedef {import('./people.js').Person} Person */

/** What other pages can't make happen by a custom event. */
const RESERVED = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'extra-data-updated',
  'user-connected',
  'user-disconnected',
  'closed-entire-session',
  'userid-already-taken',
  'set-isInitiator-true',
  'logs',
  'number-of-broadcast-viewers-updated',
  'join-broadcaster',
  'rejoin-broadcast',
  'broadcast-stopped',
  'start-broadcasting',
]);

/** How many custom events a page has at most. */
const MOST_CUSTOM = 100;
/** How many silent pages are asked for a sign of life in the time that an answer may take. */
const MOST_PINGS = 40;

/** @implements {Rooms} */
export class AgreedRooms {
  #self;
  #membership;
  #talk;
  #broadcast;
  /** The custom events that the page sends. */
  #custom;
  #isOnline = false;
  /** When the page first connected. @type {number | undefined} */
  #since;
  #beaten = 0;
  /** Until then the others have longer to come back. */
  #patientUntil = 0;
  /** When a silent page was asked for a sign of life. @type {WeakMap<Person, number>} */
  #pinged = new WeakMap();
  /** How many were asked since `#pingsSince`. */
  #pings = 0;
  #pingsSince = 0;

  /**
   * @param {import('./types.js').Profile} profile
   * @param {() => string} token
   * @param {Partial<typeof TIMES>} [times]
   */
  constructor(profile, token, times) {
    const self = (this.#self = new Self(profile, token, { ...TIMES, ...times }));
    this.#custom = new Set([profile.customEvent, ...(profile.relays ? ['scalable-broadcast-message'] : [])]);
    this.#membership = new Membership(self, (person) => this.#gone(person));
    this.#talk = new Talk(self, this.#membership);
    this.#broadcast = new Broadcast(self, this.#talk, (user) => this.#rename(user));
  }

  get isWaiting() {
    return this.#self.questions.size > 0 || this.#membership.isTelling;
  }

  take() {
    return this.#self.take();
  }

  /** @param {number} now */
  connected(now) {
    const self = this.#self;
    if (this.#since === undefined) this.#since = now;
    else this.#patientUntil = now + self.times.grace;
    self.now = now;
    this.#isOnline = true;
    this.#beaten = now;
    self.people.refresh(now);
    this.#hello();
    this.#membership.connected();
    for (const content of self.questions.restart(now)) self.send(content);
  }

  lost() {
    this.#isOnline = false;
  }

  /**
   * @param {number} now
   * @param {string} name
   * @param {unknown[]} values
   * @param {Acknowledge | undefined} acknowledge
   */
  request(now, name, [first, second], acknowledge) {
    const self = this.#self;
    self.now = now;
    switch (name) {
      case self.profile.messageEvent:
        return this.#talk.send(first, acknowledge);
      case 'open-room':
        this.#takeExtra(first);
        return this.#membership.open(first, acknowledge);
      case 'join-room':
        this.#takeExtra(first);
        return this.#membership.join(first, acknowledge);
      case 'check-presence':
        return this.#membership.presence(first, acknowledge);
      case 'get-public-rooms':
        return this.#membership.list(first, acknowledge);
      case 'set-password':
        return this.#membership.setPassword(first, acknowledge);
      case 'is-valid-password':
        return this.#membership.checkPassword(first, second, acknowledge);
      case 'close-entire-session':
        return this.#membership.close(acknowledge);
      case 'disconnect-with':
        return this.#talk.part(first, acknowledge);
      case 'extra-data-updated':
        return this.#talk.setExtra(first);
      case 'get-remote-user-extra-data':
        return this.#talk.extraOf(first, acknowledge);
      case 'changed-uuid':
        this.#rename(String(first));
        return self.acknowledge(acknowledge);
      case 'participants':
        return self.acknowledge(acknowledge, this.#membership.introductions());
      case 'set-custom-socket-event-listener':
        if (this.#custom.size < MOST_CUSTOM) this.#custom.add(String(first));
        return undefined;
      case 'join-broadcast':
        return this.#broadcast.join(first);
      case 'can-relay-broadcast':
        return this.#broadcast.relay(true);
      case 'can-not-relay-broadcast':
        return this.#broadcast.relay(false);
      case 'check-broadcast-presence':
        return this.#broadcast.presence(first, acknowledge);
      case 'get-number-of-users-in-specific-broadcast':
        return this.#broadcast.count(first, acknowledge);
      default:
        if (this.#custom.has(name) && !this.#isReserved(name)) self.send({ kind: 'custom', event: name, message: first });
        return undefined;
    }
  }

  /** @param {number} now @param {unknown} value */
  receive(now, value) {
    const self = this.#self;
    const message = readMessage(value);
    if (!message || message.page === self.page) return;
    self.now = now;
    if (!this.#isFromItsUser(message)) return;
    self.people.heard(message.page, now);
    self.questions.answer(message);
    this.#handle(message);
    this.#talk.release();
    // The timers of a hidden page are slow.
    this.#membership.tick();
  }

  /** @param {number} now */
  tick(now) {
    const self = this.#self;
    self.now = now;
    if (!this.#isOnline) return;
    for (const content of self.questions.tick(now)) self.send(content);
    this.#membership.tick();
    if (now - this.#beaten >= self.times.beat) {
      this.#beaten = now;
      if (self.people.size || this.#membership.room) self.send({ kind: 'beat', ...this.#membership.summary() });
    }
    // The room's members come first.
    for (const isMember of [true, false]) {
      for (const person of self.people.all()) if (person.isMember === isMember) this.#watch(person);
    }
  }

  /** @param {number} now */
  leave(now) {
    this.#self.now = now;
    this.#membership.leave();
    this.#self.send({ kind: 'bye' });
  }

  /** @param {Message} message */
  #handle(message) {
    const self = this.#self;
    switch (message.kind) {
      case 'hello':
        return this.#onHello(message);
      case 'taken':
        if (message.to === self.page && message.from === self.user) this.#taken();
        return undefined;
      case 'bye':
        return this.#gone(self.people.onPage(message.page));
      case 'beat':
        return this.#membership.onBeat(message);
      case 'ping':
        if (!self.is(message.to)) return undefined;
        return self.send({ kind: 'pong', ask: message.ask, extra: self.extra, broadcasting: this.#broadcast.isBroadcaster, viewers: this.#broadcast.viewers });
      case 'claim':
      case 'ask':
        return this.#membership.onQuestion(message);
      case 'list':
        return this.#membership.onList(message);
      case 'join':
        return this.#membership.onJoin(message);
      case 'room':
        return this.#membership.onRoom(message);
      case 'leave':
        return this.#membership.onLeave(message);
      case 'closed':
        return this.#membership.onClosed(message);
      case 'lock':
        return this.#membership.onLock(message);
      case 'message':
        return this.#talk.onMessage(message);
      case 'part':
        return this.#talk.onPart(message);
      case 'extra':
        this.#membership.onExtra(message);
        return this.#talk.onExtra(message);
      case 'custom':
        if (!this.#isReserved(message.event)) self.event(message.event, message.message);
        return undefined;
      case 'view':
        return this.#broadcast.onView(message);
      case 'relay':
        return this.#broadcast.onRelay(message);
      case 'rejoin':
        return this.#broadcast.onRejoin(message);
      default:
        // An answer, which has found its question or comes too late.
        return undefined;
    }
  }

  /**
   * Whether a message is from the user that it names, as far as pages can know: a known page may
   * take a new user id, but no other page's.
   *
   * @param {Message} message
   */
  #isFromItsUser({ kind, from, page }) {
    const self = this.#self;
    // These are about user ids that two pages have.
    if (kind === 'hello' || kind === 'taken' || kind === 'join' || kind === 'bye') return true;
    if (from === self.user) return false;
    const named = self.people.named(from);
    if (named && named.page !== page) return false;
    const person = self.people.onPage(page);
    if (person && person.user !== from) this.#meet(page, from);
    return true;
  }

  /** @param {string} page @param {string} user */
  #meet(page, user) {
    this.#self.people.meet(user, page, this.#self.now);
    this.#membership.renamed(page, user);
  }

  /** @param {Extract<Message, { kind: 'hello' }>} message */
  #onHello({ from, page, since }) {
    const self = this.#self;
    if (from === self.user) {
      const own = this.#since ?? self.now;
      const isFirst = own < since || (own === since && self.page < page);
      return isFirst ? self.send({ kind: 'taken', to: page }) : this.#taken();
    }
    if (self.people.onPage(page) && !self.people.named(from)) this.#meet(page, from);
    // It may have missed what has changed meanwhile.
    if (this.#membership.isOwner && this.#membership.room?.has(page)) this.#membership.tell();
    return undefined;
  }

  /** The page's extra data may be newer than its socket. @param {any} options */
  #takeExtra(options) {
    if (options?.extra !== undefined) this.#self.extra = options.extra;
  }

  #hello() {
    this.#self.send({ kind: 'hello', since: this.#since ?? this.#self.now });
  }

  #taken() {
    this.#self.event('userid-already-taken', this.#self.user, this.#self.token());
  }

  /** @param {string} user */
  #rename(user) {
    const self = this.#self;
    if (user === self.user) return;
    self.user = user;
    this.#membership.renamed(self.page, user);
    this.#hello();
  }

  /** Asks a silent page for a sign of life, or takes it for gone. @param {Person} person */
  #watch(person) {
    const { now, times, token } = this.#self;
    const silence = now - person.heard;
    const grace = now < this.#patientUntil ? times.grace : 0;
    const asked = this.#pinged.get(person) ?? -Infinity;
    if (silence < times.silent || now - asked < times.answer) return undefined;
    if (silence >= times.gone + grace && asked > person.heard) return this.#gone(person);
    // A hidden page's timers are slow, but it answers.
    if (now - asked < times.beat || !this.#mayPing()) return undefined;
    this.#pinged.set(person, now);
    return this.#self.send({ kind: 'ping', to: person.page, ask: token() });
  }

  /** Strangers must not make this page flood the server with questions for them. */
  #mayPing() {
    const { now, times } = this.#self;
    if (now - this.#pingsSince >= times.answer) {
      this.#pingsSince = now;
      this.#pings = 0;
    }
    this.#pings += 1;
    return this.#pings <= MOST_PINGS;
  }

  /** @param {Person | undefined} person */
  #gone(person) {
    if (!person) return;
    this.#self.people.forget(person);
    this.#talk.gone(person);
    this.#broadcast.gone(person);
    this.#membership.gone(person.page);
  }

  /** @param {string} name */
  #isReserved(name) {
    return RESERVED.has(name) || name === this.#self.profile.messageEvent;
  }
}
