// A room and its peers, as the page sees them.

import { isData, LONGEST_DATA } from './messages.js';

/**
 * @typedef {object} Actions
 * @property {(message: unknown, where: { to?: string, topic?: string }) => void} say
 * @property {(data: unknown) => void} setData
 * @property {() => void} leave
 */

/** Another page in the room. */
class Peer {
  #say;

  /** @param {import('./types.js').Seen} seen @param {Actions['say']} say */
  constructor({ id, data }, say) {
    this.id = id;
    this.data = data;
    this.#say = say;
  }

  /** @param {unknown} message */
  send(message) {
    this.#say(copied('send', message), { to: this.id });
  }
}

/** Messages of one kind. */
class Topic extends EventTarget {
  #say;

  /** @param {(content: unknown, to?: string) => void} say */
  constructor(say) {
    super();
    this.#say = say;
  }

  /** @param {unknown} content @param {string} [to] */
  send(content, to) {
    this.#say(copied('send', content), to);
  }
}

/** Made by `joinRoom`. */
export class Room extends EventTarget {
  /** @type {Map<string, Peer>} */
  peers = new Map();
  #actions;
  /** @type {Map<string, Topic>} */
  #topics = new Map();

  /** @param {string} name @param {import('./types.js').Seen} self @param {Actions} actions */
  constructor(name, self, actions) {
    super();
    this.name = name;
    this.self = self;
    this.#actions = actions;
  }

  /** @param {unknown} message */
  send(message) {
    this.#actions.say(copied('send', message), {});
  }

  /** @param {string} id */
  to(id) {
    const peer = this.peers.get(id);
    if (!peer) throw Object.assign(new Error(`to: there is no peer ${String(id)} in the room`), { code: 'no-peer' });
    return peer;
  }

  /** @param {string} name */
  topic(name) {
    if (typeof name !== 'string' || name === '' || name.length > 64) throw Object.assign(new TypeError(`topic: the name must be a text of 1 to 64 characters, but it is ${JSON.stringify(name)}`), { code: 'bad-option' });
    const topic = this.#topics.get(name) ?? new Topic((content, to) => this.#actions.say(content, to === undefined ? { topic: name } : { topic: name, to: this.to(to).id }));
    this.#topics.set(name, topic);
    return topic;
  }

  /** @param {unknown} data */
  setData(data) {
    const copy = shown('setData', data);
    this.self = Object.freeze({ id: this.self.id, data: copy });
    this.#actions.setData(copy);
  }

  leave() {
    this.#actions.leave();
  }

  /** @param {import('./types.js').RoomEvent} event */
  take(event) {
    if (event.name === 'full') return this.fail(Object.assign(new Error(`the room has ${event.most} other pages, and takes no more`), { code: 'room-full' }));
    const peer = this.peers.get(event.peer.id) ?? new Peer(event.peer, this.#actions.say);
    if (event.name === 'message') {
      const { message, topic, isPrivate } = event;
      const target = topic === undefined ? this : this.#topics.get(topic);
      target?.dispatchEvent(eventOf('message', { peer, message, isPrivate }));
      return;
    }
    peer.data = event.peer.data;
    if (event.name === 'leave') this.peers.delete(peer.id);
    else this.peers.set(peer.id, peer);
    this.#fire(event.name, event.name === 'leave' ? { peer, isLost: event.isLost } : { peer });
  }

  /** @param {unknown} error */
  fail(error) {
    this.#fire('error', { error });
  }

  /** The signaling is closed. */
  end() {
    this.peers.clear();
    this.#fire('close', {});
  }

  /** @param {string} name @param {object} detail */
  #fire(name, detail) {
    this.dispatchEvent(eventOf(name, detail));
  }
}

if (Symbol.dispose) Object.defineProperty(Room.prototype, Symbol.dispose, { value: Room.prototype.leave });

/** @param {string} name @param {object} members */
function eventOf(name, members) {
  return Object.assign(new Event(name), members);
}

/** What others get of what a page shows. @param {string} call @param {unknown} data */
export function shown(call, data) {
  const copy = data === undefined ? undefined : copied(call, data);
  if (!isData(copy)) throw Object.assign(new TypeError(`${call}: data must be no longer than ${LONGEST_DATA} characters of JSON, but it has ${JSON.stringify(copy).length}; send more as a message`), { code: 'bad-option' });
  return copy;
}

/** What others get of a value. @param {string} call @param {unknown} value @returns {unknown} */
export function copied(call, value) {
  const text = JSON.stringify(value);
  if (text === undefined) throw Object.assign(new TypeError(`${call}: what is sent must be a value that JSON can hold, but it is ${typeof value}`), { code: 'bad-message' });
  return JSON.parse(text);
}
