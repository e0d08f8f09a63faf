// A room, as its members know it.

import { MOST_MEMBERS } from './messages.js';

/** @typedef {import('./types.js').RoomState} RoomState */

export class Room {
  /**
   * @param {RoomState} state
   * @param {string} owner The owner's page.
   * @param {string | undefined} key Of its password, if this page knows it.
   */
  constructor(state, owner, key) {
    const { room, id, term, version, at, members, max, session, extra, identifier, autoClose } = state;
    this.name = room;
    this.id = id;
    this.term = term;
    this.version = version;
    this.at = at;
    this.members = members.map(([user, page]) => ({ user, page }));
    this.max = Math.min(max, MOST_MEMBERS);
    this.session = session;
    this.extra = extra;
    this.identifier = identifier;
    this.autoClose = autoClose;
    this.isLocked = state.locked;
    this.owner = owner;
    this.key = key;
    /** Whether this page has still to introduce itself to those who were there before. */
    this.isNew = true;
  }

  /** @returns {RoomState} */
  state() {
    return {
      room: this.name,
      id: this.id,
      term: this.term,
      version: this.version,
      at: this.at,
      members: this.members.map(({ user, page }) => [user, page]),
      max: this.max,
      session: this.session,
      extra: this.extra,
      identifier: this.identifier,
      autoClose: this.autoClose,
      locked: this.isLocked,
    };
  }

  /** @param {string} page */
  has(page) {
    return this.members.some((member) => member.page === page);
  }

  /** @param {string} page */
  remove(page) {
    const before = this.members.length;
    this.members = this.members.filter((member) => member.page !== page);
    return this.members.length < before;
  }

  /** Whether only the owner talks with the others. */
  get isOneWay() {
    return isOneWay(this.session);
  }

  /** The same for all pages: of two rooms with one name, whether this one stays. @param {Room} other */
  precedes(other) {
    return this.at < other.at || (this.at === other.at && this.id < other.id);
  }

  /** Of two states of the same room, whether this one is the later. @param {Room} other */
  supersedes(other) {
    if (this.term !== other.term) return this.term > other.term;
    if (this.owner !== other.owner) return this.owner < other.owner;
    return this.version >= other.version;
  }
}

/** Whether in rooms of such a session only the owner talks with the others. @param {any} session */
export function isOneWay(session) {
  return session?.oneway === true || session?.broadcast === true;
}

/** What `check-presence` answers of a room. @param {RoomState} state */
export function presenceOf({ extra, members, max, locked }) {
  const shown = typeof extra === 'object' && extra !== null ? { ...extra } : { value: extra };
  return { ...shown, _room: { isFull: members.length >= max, isPasswordProtected: locked } };
}

/** What `get-public-rooms` answers of a room. @param {RoomState} state @param {string} owner */
export function listingOf({ room, members, max, session, extra, locked }, owner) {
  return {
    maxParticipantsAllowed: max,
    owner,
    participants: members.map(([user]) => user),
    extra,
    session,
    sessionid: room,
    isRoomFull: members.length >= max,
    isPasswordProtected: locked,
  };
}
