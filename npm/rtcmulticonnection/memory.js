// What a page has asked of its rooms, so that other rooms can take their place: a relay that was
// started again, or the pages by themselves.

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
  /** The room that the page is in. @type {{ options: any, isOwner: boolean } | undefined} */
  #room;
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
   * @param {{
   *   ask: (name: string, values: unknown[], acknowledge: Acknowledge | undefined) => void,
   *   event: (name: string, ...values: unknown[]) => void,
   *   restored: () => void,
   * }} rooms `restored` is called when the page is again what it was.
   */
  constructor(profile, rooms) {
    this.#profile = profile;
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
    if (!acknowledge && !NOTED.has(name)) return this.#rooms.ask(name, values, undefined);
    /** @param {any[]} answer */
    const noted = (...answer) => {
      this.#pending.delete(noted);
      this.#note(name, values, answer);
      acknowledge?.(...answer);
    };
    if (ANSWERED.has(name)) this.#pending.set(noted, [name, values]);
    return this.#rooms.ask(name, values, noted);
  }

  /** The page hears an event. @param {string} name @param {unknown[]} values */
  heard(name, [first]) {
    if (name === 'user-connected' && this.#known.size < MOST_KNOWN) this.#known.add(first);
    if (name === 'user-disconnected') this.#known.delete(first);
    if (!this.#room || this.#room.options.sessionid !== first) return;
    if (name === 'set-isInitiator-true') this.#room.isOwner = true;
    if (name === 'closed-entire-session') this.#room = undefined;
  }

  /** The page leaves for good. */
  leave() {
    this.#room = undefined;
    this.#restoring = undefined;
    this.#pending.clear();
  }

  /** The others know that the page is gone, and have ended their connections. */
  forgotten() {
    for (const user of this.#known) this.#rooms.event('user-disconnected', user);
    this.#known.clear();
  }

  /** Makes the page what it was, in rooms that know nothing of it. @param {number} now */
  restore(now) {
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
    const opens = restoring.attempts >= MOST_ATTEMPTS || (isOwner && restoring.attempts === 1);
    this.#rooms.ask(opens ? 'open-room' : 'join-room', [options], (isIn, problem) => {
      if (this.#restoring !== restoring) return;
      if (isIn === true) {
        if (opens && !isOwner) this.#rooms.event('set-isInitiator-true', options.sessionid);
        this.#room = { options, isOwner: opens };
        if (!opens) this.#meet();
        this.#restored();
      } else if (problem === ERRORS.notAvailable && restoring.attempts < MOST_ATTEMPTS) {
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

  /** Asks those for connections who have joined the room in the meantime. */
  #meet() {
    const { messageEvent } = this.#profile;
    this.#rooms.ask('participants', [], (/** @type {unknown} */ users) => {
      const strangers = Array.isArray(users) ? users.filter((user) => !this.#known.has(user)) : [];
      // What the page sends when it joins by itself.
      const message = { newParticipationRequest: true };
      for (const user of strangers) this.#rooms.ask(messageEvent, [{ remoteUserId: user, message, sender: this.#profile.user }], undefined);
    });
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
      this.#profile.user = String(first);
    }
  }
}

