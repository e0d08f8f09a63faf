// The room of one page: opening, joining and leaving it, and who owns it.
//
// A room has one owner, whose page decides and tells the members its state. A page that wants a
// room claims it for a moment; an owner objects, and of several claims the earliest wins. When the
// owner leaves, the member that joined first goes on. Two rooms of one name, which happen when
// pages couldn't hear each other, become one: the younger room's members join the older, unless
// theirs has a password.

import { entrance } from './entrance.js';
import { keyOf, masked } from './password.js';
import { isOneWay, listingOf, presenceOf, Room } from './room.js';
import { ERRORS } from './self.js';

/** @typedef {import('./types.js').Acknowledge} Acknowledge */
/** @typedef {import('./types.js').RoomState} RoomState */
/** @typedef {import('./types.js').Message} Message */
/** @template {string} K @typedef {Extract<Message, { kind: K }>} MessageOf */

/** The shortest time between two messages with the room's state, in milliseconds. */
const PAUSE = 20;
/** How many rooms a list of public rooms has at most. */
const MOST_LISTED = 500;

export class Membership {
  /** @type {Room | undefined} */
  room;
  /** When this page last asked for the room's state. */
  #refreshed = -Infinity;
  /** When this page last told the room's state. */
  #told = -Infinity;
  /** The room's state has changed since, or was asked for. */
  isTelling = false;
  #entrance;

  /**
   * @param {import('./self.js').Self} self
   * @param {(person: import('./people.js').Person) => void} onGone Called with a page that has left.
   */
  constructor(self, onGone) {
    this.self = self;
    this.onGone = onGone;
    this.#entrance = entrance(self);
  }

  get isOwner() {
    return this.room?.owner === this.self.page;
  }

  /** `open-room` @param {any} options @param {Acknowledge | undefined} acknowledge */
  open(options, acknowledge) {
    const { self } = this;
    const { times, now, page } = self;
    const name = this.#nameOf(options);
    this.leave();
    const fail = () => self.acknowledge(acknowledge, false, ERRORS.notAvailable);
    const at = now;
    self.ask({
      content: { kind: 'claim', room: name, at },
      wait: times.answer,
      onAnswer(message) {
        if (message.room !== name) return false;
        const isEarlier = message.at < at || (message.at === at && message.page < page);
        if (message.kind !== 'room' && !(message.kind === 'claim' && isEarlier)) return false;
        fail();
        return true;
      },
      onSilence: () => {
        this.leave();
        this.#create(name, at, options);
        self.acknowledge(acknowledge, true);
      },
    });
  }

  /** `join-room` @param {any} options @param {Acknowledge | undefined} acknowledge */
  join(options, acknowledge) {
    const name = this.#nameOf(options);
    if (this.room?.name === name) {
      // The page asks the others for connections again.
      this.room.isNew = false;
      return this.self.acknowledge(acknowledge, true);
    }
    this.leave();
    this.#enter(name, keyMaker(options?.password, name), (problem) => {
      if (problem) this.self.acknowledge(acknowledge, false, problem);
      else this.self.acknowledge(acknowledge, true);
    });
  }

  /** Leaves the room, which goes to another member or is closed. */
  leave() {
    if (!this.room) return;
    const { id, autoClose } = this.room;
    this.self.send({ kind: this.isOwner && autoClose ? 'closed' : 'leave', id });
    this.#drop();
  }

  /** `close-entire-session` @param {Acknowledge | undefined} acknowledge */
  close(acknowledge) {
    const { self, room } = this;
    if (!room) return self.acknowledge(acknowledge, false, ERRORS.notAvailable);
    if (!this.isOwner) return self.acknowledge(acknowledge, false, ERRORS.denied);
    self.send({ kind: 'closed', id: room.id });
    this.#drop();
    self.acknowledge(acknowledge, true);
  }

  /** `check-presence` @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  presence(value, acknowledge) {
    const { self } = this;
    const name = String(value);
    if (this.room?.name === name) return self.acknowledge(acknowledge, true, name, presenceOf(this.room.state()));
    const nothing = { _room: { isFull: false, isPasswordProtected: false } };
    self.ask({
      content: { kind: 'ask', room: name },
      wait: self.times.answer,
      onAnswer(message) {
        if (message.kind !== 'room' || message.room !== name) return false;
        self.acknowledge(acknowledge, true, name, presenceOf(message));
        return true;
      },
      onSilence: () => self.acknowledge(acknowledge, false, name, nothing),
    });
  }

  /** `get-public-rooms` @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  list(value, acknowledge) {
    const { self } = this;
    const identifier = String(value ?? '');
    if (!identifier.trim()) return self.acknowledge(acknowledge, null, ERRORS.noIdentifier);
    const found = new Map();
    /** @param {RoomState} state @param {string} owner */
    const add = (state, owner) => found.size < MOST_LISTED && found.set(state.room, listingOf(state, owner));
    const { room } = this;
    if (room?.identifier === identifier) {
      const owner = room.members.find(({ page }) => page === room.owner);
      add(room.state(), owner?.user ?? self.user);
    }
    self.ask({
      content: { kind: 'list', identifier },
      wait: self.times.answer,
      onAnswer(message) {
        if (message.kind === 'room' && message.identifier === identifier) add(message, message.from);
        return false;
      },
      onSilence: () => self.acknowledge(acknowledge, [...found.values()]),
    });
  }

  /** `set-password` @param {unknown} password @param {Acknowledge | undefined} acknowledge */
  setPassword(password, acknowledge) {
    const { self, room } = this;
    if (!room) return self.acknowledge(acknowledge, null, null, ERRORS.noRoom);
    if (!this.isOwner) return self.acknowledge(acknowledge, false, room.name, ERRORS.denied);
    const key = keyOf(password, room.name);
    const nonce = self.token();
    self.send({ kind: 'lock', id: room.id, nonce, ...(key && { key: masked(key, room.key, nonce) }) });
    room.key = key;
    room.isLocked = key !== undefined;
    this.#changed();
    self.acknowledge(acknowledge, true, room.name, null);
  }

  /** `is-valid-password` @param {unknown} password @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  checkPassword(password, value, acknowledge) {
    const { self, room } = this;
    const name = String(value ?? '');
    /** @param {unknown} result @param {unknown} problem */
    const end = (result, problem) => self.acknowledge(acknowledge, result, name, problem);
    if (!String(password ?? '').trim()) return end(false, 'You did not enter the password.');
    if (!name.trim()) return end(false, 'You did not enter the room-id.');
    if (room?.name === name && (this.isOwner || room.key)) {
      if (!room.key) return end(false, 'This room do not have any password.');
      const isRight = keyOf(password, name) === room.key;
      return isRight ? end(true, false) : end(false, ERRORS.wrongPassword);
    }
    this.#entrance.ask(name, keyMaker(password, name), true, (problem) => end(!problem, problem ?? false));
  }

  /** The page's own extra data have changed. @param {unknown} extra */
  ownExtra(extra) {
    if (this.room && this.isOwner) this.room.extra = extra;
  }

  /** The connection is up. */
  connected() {
    if (this.isOwner) this.tell();
  }

  /** What a sign of life says of the room. */
  summary() {
    return this.room && { id: this.room.id, term: this.room.term, version: this.room.version };
  }

  /** @param {MessageOf<'claim'> | MessageOf<'ask'>} message */
  onQuestion(message) {
    if (this.isOwner && this.room?.name === message.room) this.tell();
  }

  /** @param {MessageOf<'list'>} message */
  onList({ identifier }) {
    if (this.isOwner && this.room?.identifier === identifier) this.tell();
  }

  /** @param {MessageOf<'join'>} message */
  onJoin(message) {
    const { room } = this;
    if (!room || !this.isOwner || room.name !== message.room) return;
    const isAdmitted = this.#entrance.admit(message, room, (member) => {
      const person = this.self.people.onPage(member);
      if (person) this.onGone(person);
      else room.remove(member);
    });
    if (!isAdmitted) return;
    if (!room.has(message.page)) {
      room.members.push({ user: message.from, page: message.page });
      this.#changed();
    } else this.tell();
  }

  /** @param {MessageOf<'room'>} message */
  onRoom(message) {
    const { room, self } = this;
    if (room?.name !== message.room || !message.members.some(([, page]) => page === message.page)) return;
    const other = new Room(message, message.page, room.key);
    if (other.id !== room.id) {
      // Anybody could make up an older room, whose owner doesn't know this one's password.
      if (other.precedes(room) && !room.isLocked) this.#move(room);
      else if (this.isOwner) this.tell();
    } else if (!other.supersedes(room)) {
      if (this.isOwner && message.page !== self.page) this.tell();
    } else if (room.has(message.page) || message.page === room.owner) {
      if (other.has(self.page)) this.#adopt(other, room.isNew);
      else this.#move(room);
    }
  }

  /** @param {MessageOf<'beat'>} message */
  onBeat({ id, term, version, page }) {
    const { room, self } = this;
    // It has moved to an older room of the same name.
    if (room && page === room.owner && id !== room.id) return this.gone(page);
    if (!room || id !== room.id || term === undefined || version === undefined) return;
    const isLate = term > room.term || (page === room.owner && version > room.version);
    if (isLate && self.now - this.#refreshed >= self.times.answer) {
      this.#refreshed = self.now;
      self.send({ kind: 'ask', room: room.name });
    }
  }

  /** @param {MessageOf<'leave'>} message */
  onLeave({ id, page }) {
    if (this.room?.id !== id) return;
    const person = this.self.people.onPage(page);
    if (person) person.isMember = false;
    this.gone(page);
    this.self.people.tidy();
  }

  /** @param {MessageOf<'closed'>} message */
  onClosed({ id, page }) {
    if (this.room?.id === id && this.room.owner === page) this.#closed();
  }

  /** @param {MessageOf<'lock'>} message */
  onLock({ id, page, nonce, key }) {
    const { room } = this;
    if (!room || room.id !== id || room.owner !== page) return;
    room.key = key && masked(key, room.key, nonce);
    room.isLocked = key !== undefined;
  }

  /** Another page's extra data have changed. @param {MessageOf<'extra'>} message */
  onExtra({ page, extra }) {
    if (this.room?.owner === page) this.room.extra = extra;
  }

  /** A member has another user id. @param {string} page @param {string} user */
  renamed(page, user) {
    const member = this.room?.members.find((member) => member.page === page);
    if (!member || member.user === user) return;
    member.user = user;
    if (this.isOwner) this.#changed();
  }

  /** A page has left. @param {string} page */
  gone(page) {
    const { room, self } = this;
    if (!room?.has(page)) return;
    const wasOwner = room.owner === page;
    room.remove(page);
    if (wasOwner) {
      if (room.autoClose) return this.#closed();
      room.owner = room.members[0]?.page ?? self.page;
      if (!this.isOwner) return;
      room.term += 1;
      room.version = 0;
      self.event('set-isInitiator-true', room.name);
    }
    if (this.isOwner) this.#changed();
  }

  /** Tells all the room's state. Many who ask at the same moment get one answer. */
  tell() {
    this.isTelling = true;
    this.tick();
  }

  /** Tells what could not be told before. */
  tick() {
    const { self, room } = this;
    if (!this.isTelling || self.now - this.#told < PAUSE) return;
    this.isTelling = false;
    this.#told = self.now;
    if (room && this.isOwner) self.send({ kind: 'room', ...room.state() });
  }

  #changed() {
    const { room } = this;
    if (!room) return;
    room.version += 1;
    this.#meetMembers(room);
    this.tell();
  }

  /** @param {any} options */
  #nameOf(options) {
    const isScalable = this.self.profile.relays > 0;
    return String((isScalable && options?.extra?.broadcastId) || options?.sessionid);
  }

  /** @param {string} name @param {number} at @param {any} options */
  #create(name, at, options) {
    const { user, page, profile, token } = this.self;
    const { session, extra, identifier, password } = Object(options);
    const key = keyOf(password, name);
    const state = {
      room: name,
      id: token(),
      term: 1,
      version: 1,
      at,
      members: /** @type {[string, string][]} */ ([[user, page]]),
      max: profile.max,
      session,
      extra: extra ?? {},
      ...(identifier && { identifier: String(identifier) }),
      autoClose: profile.autoClose || isOneWay(session),
      locked: key !== undefined,
    };
    this.room = new Room(state, page, key);
    this.tell();
  }

  /**
   * @param {string} name
   * @param {() => string | undefined} key
   * @param {(problem: string | undefined) => void} onEnd
   */
  #enter(name, key, onEnd) {
    this.#entrance.ask(name, key, false, (problem, state, usedKey) => {
      if (state) {
        this.leave();
        this.#adopt(new Room(state, state.page, usedKey), true);
      }
      onEnd(problem);
    });
  }

  /** Joins the room that goes on under the name of this one. @param {Room} room */
  #move(room) {
    const { self } = this;
    this.#drop();
    this.#enter(room.name, () => room.key, (problem) => {
      if (problem) return self.event('closed-entire-session', room.name, room.extra);
      const to = this.introductions();
      const strangers = to.filter((user) => !self.people.named(user)?.isConnected);
      // What the page sends when it joins by itself.
      if (strangers.length) self.send({ kind: 'message', to: strangers, message: { newParticipationRequest: true }, extra: self.extra });
    });
  }

  /** Whom the page asks for connections: those that were there before, or once more all. */
  introductions() {
    const { room, self } = this;
    if (!room) return [];
    const others = room.members.filter(({ page }) => page !== self.page);
    const place = room.members.findIndex(({ page }) => page === self.page);
    const before = room.isNew ? room.members.slice(0, place) : others;
    room.isNew = false;
    return (room.isOneWay ? others.filter(({ page }) => page === room.owner) : before).map(({ user }) => user);
  }

  /** @param {Room} room @param {boolean} isNew */
  #adopt(room, isNew) {
    this.room = room;
    room.isNew = isNew;
    this.#meetMembers(room);
  }

  /** @param {Room} room */
  #meetMembers(room) {
    const { people, page: own, now } = this.self;
    for (const person of people.all()) person.isMember = room.has(person.page);
    for (const { user, page } of [...room.members]) {
      if (page === own) continue;
      const other = people.named(user);
      if (other && other.page !== page && !room.has(other.page)) this.onGone(other);
      const person = people.meet(user, page, now, true);
      if (person) person.isMember = true;
    }
    people.tidy();
  }

  #closed() {
    const { room } = this;
    if (!room) return;
    this.#drop();
    this.self.event('closed-entire-session', room.name, room.extra);
  }

  #drop() {
    this.room = undefined;
    for (const person of this.self.people.all()) person.isMember = false;
    this.self.people.tidy();
  }
}

/** The key of a password, which takes a while to make. @param {unknown} password @param {string} room */
function keyMaker(password, room) {
  return () => keyOf(password, room);
}
