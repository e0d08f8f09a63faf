// What users tell each other: the messages of RTCMultiConnection, extra data, custom events, and
// who is connected with whom.

import { ERRORS } from './self.js';

/** @typedef {import('./types.js').Acknowledge} Acknowledge */
/** @typedef {import('./types.js').Message} Message */
/** @template {string} K @typedef {Extract<Message, { kind: K }>} MessageOf */

/** How many messages wait at most until their senders are known as members, and how long. */
const MOST_HELD = 100;
const HELD_FOR = 5000;

export class Talk {
  /** @type {{ message: MessageOf<'message'>, until: number }[]} */
  #held = [];

  /**
   * @param {import('./self.js').Self} self
   * @param {import('./membership.js').Membership} membership
   */
  constructor(self, membership) {
    this.self = self;
    this.membership = membership;
  }

  /** The page sends a message. @param {any} options @param {Acknowledge | undefined} acknowledge */
  send(options, acknowledge) {
    const { self } = this;
    const { remoteUserId, message } = Object(options);
    if (remoteUserId === undefined || remoteUserId === null || String(remoteUserId) === self.user) return;
    const to = String(remoteUserId);
    // RTCMultiConnection before 3.4 asks for users in this way.
    if (to === 'system') return this.#detect(message, acknowledge);
    const isForRoom = message?.newParticipationRequest && to === this.membership.room?.name && !self.profile.relays;
    const users = isForRoom ? this.membership.introductions() : [to];
    if (!users.length) return;
    if (!isForRoom && !message?.userLeft) this.#connect(self.people.named(to));
    self.send({ kind: 'message', to: users, message, extra: self.extra });
  }

  /** `disconnect-with` @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  part(value, acknowledge) {
    const { self } = this;
    const user = String(value);
    this.#disconnect(self.people.named(user));
    self.send({ kind: 'part', to: user });
    self.people.tidy();
    self.acknowledge(acknowledge);
  }

  /** `extra-data-updated` @param {unknown} extra */
  setExtra(extra) {
    this.self.extra = extra;
    this.membership.ownExtra(extra);
    this.self.send({ kind: 'extra', extra });
  }

  /** `get-remote-user-extra-data` @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  extraOf(value, acknowledge) {
    const { self } = this;
    const user = String(value);
    if (user === self.user) return self.acknowledge(acknowledge, self.extra, user, null);
    this.ping(user, (message) => {
      if (message) self.acknowledge(acknowledge, message.extra, user, null);
      else self.acknowledge(acknowledge, ERRORS.noUser, user, ERRORS.noUser);
    });
  }

  /**
   * Asks a user for an answer.
   *
   * @param {string} user
   * @param {(message: MessageOf<'pong'> | undefined) => void} onEnd
   */
  ping(user, onEnd) {
    const { self } = this;
    const ask = self.token();
    self.ask({
      content: { kind: 'ping', to: user, ask },
      wait: self.times.answer,
      onAnswer(message) {
        if (message.kind !== 'pong' || message.ask !== ask) return false;
        onEnd(message);
        return true;
      },
      onSilence: () => onEnd(undefined),
    });
  }

  /** @param {MessageOf<'message'>} message */
  onMessage(message) {
    const { self } = this;
    if (!message.to.includes(self.user)) return;
    const { room } = this.membership;
    // Only members have shown that they know the password. The owner's word that this one is a
    // member may be on its way.
    if (room?.isLocked && !self.profile.relays && !room.has(message.page)) {
      if (this.#held.length < MOST_HELD) this.#held.push({ message, until: self.now + HELD_FOR });
      return;
    }
    this.#deliver(message);
  }

  /** Delivers what has waited for its senders to become members. */
  release() {
    const { now } = this.self;
    const held = this.#held.filter(({ until }) => until > now);
    this.#held = [];
    for (const { message } of held) this.onMessage(message);
  }

  /** @param {MessageOf<'part'>} message */
  onPart({ to, page }) {
    if (to === this.self.user) this.#disconnect(this.self.people.onPage(page));
    this.self.people.tidy();
  }

  /** @param {MessageOf<'extra'>} message */
  onExtra({ from, page, extra }) {
    if (this.self.people.onPage(page)) this.self.event('extra-data-updated', from, extra);
  }

  /** A page has left. @param {import('./people.js').Person} person */
  gone(person) {
    this.#disconnect(person);
  }

  /** @param {MessageOf<'message'>} message */
  #deliver({ from, page, message, extra }) {
    const { self } = this;
    const { newParticipationRequest, userLeft } = Object(message);
    const person = self.people.meet(from, page, self.now);
    if (!person) return;
    if (!newParticipationRequest && !userLeft) this.#connect(person);
    self.event(self.profile.messageEvent, { remoteUserId: self.user, message: message ?? '', sender: from, extra });
    self.people.tidy();
  }

  /** @param {any} message @param {Acknowledge | undefined} acknowledge */
  #detect(message, acknowledge) {
    if (!message?.detectPresence) return;
    const user = String(message.userid);
    if (user === this.self.user) return this.self.acknowledge(acknowledge, false, user);
    this.ping(user, (answer) => this.self.acknowledge(acknowledge, answer !== undefined, user));
  }

  /** @param {import('./people.js').Person | undefined} person */
  #connect(person) {
    if (!person || person.isConnected) return;
    person.isConnected = true;
    this.self.event('user-connected', person.user);
  }

  /** @param {import('./people.js').Person | undefined} person */
  #disconnect(person) {
    if (!person?.isConnected) return;
    person.isConnected = false;
    this.self.event('user-disconnected', person.user);
  }
}
