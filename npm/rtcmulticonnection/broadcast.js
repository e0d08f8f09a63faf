// Scalable broadcasts: viewers relay what they receive to other viewers. The broadcaster's page
// decides who relays to whom.

/** @typedef {import('./types.js').Acknowledge} Acknowledge */
/** @typedef {import('./types.js').Message} Message */
/** @template {string} K @typedef {Extract<Message, { kind: K }>} MessageOf */

/**
 * @typedef {object} Viewer
 * @property {string} user
 * @property {string | undefined} source The user that relays to it.
 * @property {boolean} canRelay
 * @property {unknown} streams
 */

/** How many viewers a broadcast has at most. */
const MOST_VIEWERS = 1000;

export class Broadcast {
  /** The broadcast that this page takes part in. @type {string | undefined} */
  #id;
  /** Of the broadcaster's page: its viewers, by page. @type {Map<string, Viewer>} */
  #viewers = new Map();
  /** @type {unknown} */
  #streams;

  /**
   * @param {import('./self.js').Self} self
   * @param {import('./talk.js').Talk} talk
   * @param {(user: string) => void} rename
   */
  constructor(self, talk, rename) {
    this.self = self;
    this.talk = talk;
    this.rename = rename;
  }

  get isBroadcaster() {
    return this.#id !== undefined && this.#id === this.self.user;
  }

  get viewers() {
    return this.#viewers.size;
  }

  /** `join-broadcast` @param {any} options */
  join(options) {
    const { self } = this;
    const { userid, broadcastId, typeOfStreams } = Object(options);
    if (broadcastId === undefined) return;
    const id = String(broadcastId);
    this.rename(String(userid ?? self.user));
    this.#id = id;
    this.#streams = typeOfStreams ?? { audio: true, video: true };
    if (this.isBroadcaster) return self.event('start-broadcasting', this.#streams);
    self.ask({
      content: { kind: 'view', broadcast: id, streams: this.#streams },
      wait: 2 * self.times.answer,
      onAnswer(message) {
        if (message.kind !== 'source' || message.to !== self.user || message.broadcast !== id) return false;
        const person = self.people.meet(message.from, message.page, self.now);
        if (person) person.isInBroadcast = true;
        self.event('join-broadcaster', { typeOfStreams: message.streams, userid: message.user, broadcastId: id });
        return true;
      },
      onSilence: () => self.event('broadcast-stopped', id),
    });
  }

  /** `can-relay-broadcast` and `can-not-relay-broadcast` @param {boolean} can */
  relay(can) {
    if (this.#id !== undefined) this.self.send({ kind: 'relay', broadcast: this.#id, can });
  }

  /** `check-broadcast-presence` @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  presence(value, acknowledge) {
    const { self } = this;
    if (String(value) === self.user) return self.acknowledge(acknowledge, this.isBroadcaster);
    this.talk.ping(String(value), (message) => self.acknowledge(acknowledge, message?.broadcasting === true));
  }

  /** `get-number-of-users-in-specific-broadcast` @param {unknown} value @param {Acknowledge | undefined} acknowledge */
  count(value, acknowledge) {
    const { self } = this;
    if (String(value) === self.user) return self.acknowledge(acknowledge, this.viewers);
    this.talk.ping(String(value), (message) => self.acknowledge(acknowledge, message?.viewers ?? 0));
  }

  /** @param {MessageOf<'view'>} message */
  onView({ from, page, broadcast, streams }) {
    const { self } = this;
    if (!this.isBroadcaster || broadcast !== this.#id) return;
    const person = self.people.meet(from, page, self.now);
    if (!person) return;
    let viewer = this.#viewers.get(page);
    if (!viewer) {
      if (this.#viewers.size >= MOST_VIEWERS) return self.people.tidy();
      viewer = { user: from, source: undefined, canRelay: false, streams };
      this.#viewers.set(page, viewer);
      this.#tellCount();
    }
    person.isInBroadcast = true;
    viewer.user = from;
    viewer.source ??= this.#sourceFor(from);
    const relaying = [...this.#viewers.values()].find(({ user }) => user === viewer.source);
    self.send({ kind: 'source', to: from, broadcast, user: viewer.source, streams: relaying?.streams ?? this.#streams });
  }

  /** @param {MessageOf<'relay'>} message */
  onRelay({ page, broadcast, can }) {
    const viewer = this.#viewers.get(page);
    if (viewer && broadcast === this.#id) viewer.canRelay = can;
  }

  /** @param {MessageOf<'rejoin'>} message */
  onRejoin({ from, to, broadcast }) {
    if (to !== this.self.user || broadcast !== this.#id || from !== broadcast) return;
    this.self.event('rejoin-broadcast', broadcast);
  }

  /** A page has left. @param {import('./people.js').Person} person */
  gone({ user, page }) {
    const { self } = this;
    if (user === this.#id && !this.isBroadcaster) {
      this.#id = undefined;
      self.event('broadcast-stopped', user);
    }
    if (!this.#viewers.delete(page)) return;
    this.#tellCount();
    for (const viewer of this.#viewers.values()) {
      if (viewer.source !== user) continue;
      viewer.source = undefined;
      viewer.canRelay = false;
      self.send({ kind: 'rejoin', to: viewer.user, broadcast: self.user });
    }
  }

  /** The user that relays to a viewer. @param {string} viewer */
  #sourceFor(viewer) {
    const { user, profile } = this.self;
    const all = [...this.#viewers.values()];
    /** @param {string} source */
    const isFree = (source) => all.filter((other) => other.source === source).length < profile.relays;
    if (isFree(user)) return user;
    const relaying = all.find((other) => other.canRelay && other.user !== viewer && isFree(other.user));
    return relaying?.user ?? user;
  }

  #tellCount() {
    const { self } = this;
    self.event('number-of-broadcast-viewers-updated', { numberOfBroadcastViewers: this.viewers, broadcastId: self.user });
  }
}
