// What a page has asked of its rooms, so that other rooms can take their place: a relay that was
// started again, or the pages by themselves.

import { Letters } from './letters.js';
import { ERRORS } from './self.js';

/** @typedef {import('./types.js').Acknowledge} Acknowledge */

/** How often a page tries to join its room before it opens it, and the milliseconds between. */
const MOST_ATTEMPTS = 4;
const PAUSE = 400;
/** How many custom events are remembered, and how many users. */
const MOST_EVENTS = 100;
const MOST_KNOWN = 1000;

/** What is asked with an acknowledgement in any case. */
const NOTED = new Set(['open-room', 'join-room', 'set-password', 'close-entire-session', 'changed-uuid']);
/** What is always answered, and so asked again of other rooms. */
const ANSWERED = new Set([
  'open-room',
  'join-room',
  'check-presence',
  'set-password',
  'is-valid-password',
  'get-public-rooms',
  'get-remote-user-extra-data',
  'close-entire-session',
  'disconnect-with',
  'check-broadcast-presence',
  'get-number-of-users-in-specific-broadcast',
]);

export class Memory {
  #profile;
  #rooms;
  #letters;
  /** The room that the page is in. @type {{ options: any, isOwner: boolean } | undefined} */
  #room;
  /** The page has joined it, and is about to ask the others for connections. */
  #isNew = false;
  /** @type {Set<string>} */
  #events = new Set();
  /** The users that the page is connected with. @type {Set<unknown>} */
  #known = new Set();
  /** What has no answer yet. @type {Map<Acknowledge, [string, unknown[]]>} */
  #pending = new Map();
  /** It is being restored; since then. @type {{ attempts: number, due: number } | undefined} */
  #restoring;

  /**
   * @param {import('./types.js').Profile} profile Gets the page's user id and extra data.
   * @param {string} page Names this page to others.
   * @param {{
   *   ask: (name: string, values: unknown[], acknowledge: Acknowledge | undefined) => void,
   *   event: (name: string, ...values: unknown[]) => void,
   *   restored: () => void,
   *   now: () => number,
   *   mayLose: () => boolean,
   * }} rooms `restored` is called when the page is again what it was; `mayLose`: what users send each
   *   other can be lost with the one who decides on the rooms.
   */
  constructor(profile, page, rooms) {
    this.#profile = profile;
    this.#letters = new Letters(page);
    this.#rooms = rooms;
  }

  get isRestoring() {
    return this.#restoring !== undefined;
  }

  /**
   * Asks the rooms for what the page asks for.
   *
   * @param {string} name
   * @param {any[]} values
   * @param {Acknowledge | undefined} acknowledge
   */
  ask(name, values, acknowledge) {
    if (name === 'extra-data-updated') this.#setExtra(values[0]);
    if (name === 'set-custom-socket-event-listener' && this.#events.size < MOST_EVENTS) this.#events.add(String(values[0]));
    if (name === 'join-broadcast' && values[0]?.userid !== undefined) this.#profile.user = String(values[0].userid);
    if (this.#isRequest(name, values)) {
      this.#isNew = false;
      this.#letters.endAll();
    }
    if (name === 'disconnect-with') this.#letters.forget(String(values[0]));
    const passed = this.#written(name, values);
    if (!acknowledge && !NOTED.has(name)) return this.#rooms.ask(name, passed, undefined);
    /** @param {any[]} answer */
    const noted = (...answer) => {
      this.#pending.delete(noted);
      this.#note(name, values, answer);
      acknowledge?.(...answer);
    };
    if (ANSWERED.has(name)) this.#pending.set(noted, [name, values]);
    return this.#rooms.ask(name, passed, noted);
  }

  /** An event comes. Returns whether the page is to hear it. @param {string} name @param {unknown[]} values */
  hears(name, [first]) {
    if (name === this.#profile.messageEvent) {
      const { isHeard, send } = this.#letters.read(this.#rooms.now(), first, this.#profile.user);
      for (const message of send) this.#rooms.ask(name, [message], undefined);
      return isHeard;
    }
    if (name === 'user-connected') {
      const now = this.#rooms.now();
      this.#letters.meet(now, String(first));
      this.#isNew = false;
      // A relay that was started again tells it once more.
      if (this.#known.has(first) && this.#letters.isCatchingUp(now)) return false;
      if (this.#known.size < MOST_KNOWN) this.#known.add(first);
    } else if (name === 'user-disconnected') {
      this.#known.delete(first);
      this.#letters.forget(String(first));
    } else if (this.#room && this.#room.options.sessionid === first) {
      if (name === 'set-isInitiator-true') this.#room.isOwner = true;
      if (name === 'closed-entire-session') this.#room = undefined;
    }
    return true;
  }

  /** The page leaves for good. */
  leave() {
    this.#room = undefined;
    this.#restoring = undefined;
    this.#pending.clear();
    this.#letters.forgetAll();
  }

  /** The others know that the page is gone, and have ended their connections. */
  forgotten() {
    for (const user of this.#known) this.#rooms.event('user-disconnected', user);
    this.#known.clear();
    this.#letters.forgetAll();
  }

  /** Makes the page what it was, in rooms that know nothing of it. @param {number} now */
  restore(now) {
    this.#letters.lose(now);
    for (const event of this.#events) this.#rooms.ask('set-custom-socket-event-listener', [event], undefined);
    this.#restoring = { attempts: 0, due: Infinity };
    if (!this.#room) return this.#restored();
    return this.#enter(now);
  }

  /** @param {number} now */
  tick(now) {
    if (this.#restoring && now >= this.#restoring.due) this.#enter(now);
  }

  /** Opens the page's room, or joins it. @param {number} now */
  #enter(now) {
    const room = this.#room;
    const restoring = this.#restoring;
    if (!restoring || !room) return;
    const { options, isOwner } = room;
    restoring.due = Infinity;
    restoring.attempts += 1;
    const opens = restoring.attempts === MOST_ATTEMPTS || (isOwner && restoring.attempts === 1);
    this.#rooms.ask(opens ? 'open-room' : 'join-room', [options], (isIn, problem) => {
      if (this.#restoring !== restoring) return;
      if (isIn === true) {
        if (opens && !isOwner) this.#rooms.event('set-isInitiator-true', options.sessionid);
        this.#room = { options, isOwner: opens };
        // A page that is new asks by itself.
        if (!opens && !this.#isNew) return this.#meet(restoring);
        this.#inquire();
        this.#restored();
      } else if (problem === ERRORS.notAvailable && (opens || restoring.attempts < MOST_ATTEMPTS)) {
        // Another has opened it meanwhile, or is about to.
        if (opens) this.#enter(now);
        else restoring.due = now + restoring.attempts * PAUSE;
      } else {
        this.#room = undefined;
        this.#rooms.event('closed-entire-session', options.sessionid, options.extra ?? {});
        this.#restored();
      }
    });
  }

  /**
   * Asks those for connections who have joined the room in the meantime, then the others for what is
   * missing. What the page has said meanwhile comes after that.
   *
   * @param {object} restoring
   */
  #meet(restoring) {
    const { messageEvent } = this.#profile;
    this.#rooms.ask('participants', [], (/** @type {unknown} */ users) => {
      if (this.#restoring !== restoring) return;
      const now = this.#rooms.now();
      const mayLose = this.#rooms.mayLose();
      const recent = new Set(mayLose ? this.#letters.recent(now) : []);
      const isStranger = (/** @type {any} */ user) => !this.#known.has(user) && !recent.has(user);
      const strangers = Array.isArray(users) ? users.filter(isStranger) : [];
      for (const user of strangers) {
        // What the page sends when it joins by itself.
        const request = { remoteUserId: user, message: { newParticipationRequest: true }, sender: this.#profile.user };
        this.#rooms.ask(messageEvent, [mayLose ? this.#letters.ask(now, user, request) : request], undefined);
      }
      this.#inquire(recent);
      this.#restored();
    });
  }

  /** Asks users for what they have written and the page hasn't read. */
  #inquire(users = new Set(this.#letters.recent(this.#rooms.now()))) {
    if (!this.#rooms.mayLose()) return;
    const now = this.#rooms.now();
    for (const user of users) this.#rooms.ask(this.#profile.messageEvent, [this.#letters.inquire(now, user)], undefined);
  }

  /** Whether the page asks others for connections. @param {string} name @param {any[]} values */
  #isRequest(name, [first]) {
    return name === this.#profile.messageEvent && Boolean(first?.message?.newParticipationRequest);
  }

  /** A message of the page to a user becomes a letter. @param {string} name @param {any[]} values */
  #written(name, values) {
    const [first, ...more] = values;
    const { remoteUserId } = Object(first);
    const user = String(remoteUserId);
    // A request may go to a room: each in it would have to number it.
    const isForUser = remoteUserId !== undefined && remoteUserId !== null && user !== this.#profile.user && user !== 'system';
    const isLetter = name === this.#profile.messageEvent && isForUser && !this.#isRequest(name, values);
    return isLetter && this.#rooms.mayLose() ? [this.#letters.write(this.#rooms.now(), user, first), ...more] : values;
  }

  #restored() {
    this.#restoring = undefined;
    for (const [noted, [name, values]] of this.#pending) this.#rooms.ask(name, values, noted);
    this.#rooms.restored();
  }

  /** @param {unknown} extra */
  #setExtra(extra) {
    this.#profile.extra = extra;
    if (this.#room) this.#room.options = { ...this.#room.options, extra };
  }

  /** @param {string} name @param {any[]} values @param {any[]} answer */
  #note(name, [first], [isDone, problem]) {
    if (name === 'open-room' || name === 'join-room') {
      const options = { ...Object(first) };
      const isSame = this.#room?.options.sessionid === options.sessionid;
      if (isDone === true) {
        if (options.extra !== undefined) this.#profile.extra = options.extra;
        this.#isNew = name === 'join-room' && !isSame;
        this.#room = { options, isOwner: name === 'open-room' || (isSame && this.#room?.isOwner === true) };
      } else if (!isSame && problem !== ERRORS.denied) {
        // Who asks for another room has left its own.
        this.#room = undefined;
      }
    } else if (name === 'set-password' && isDone === true && this.#room) {
      this.#room.options = { ...this.#room.options, password: first };
    } else if (name === 'close-entire-session' && isDone === true) {
      this.#room = undefined;
    } else if (name === 'changed-uuid') {
      if (this.#profile.user !== String(first)) this.#letters.forgetAll();
      this.#profile.user = String(first);
    }
  }
}

