// A peer in a call.

/** @typedef {import('./link.js').Link} Link */

/** How much may come so early: a description and its candidates. */
const MOST_EARLY = 200;

export class CallPeer {
  /** @type {Link | undefined} */
  #link;
  /** What came before there was a connection to give it to. @type {unknown[]} */
  #early = [];

  /** It left the room without having said so. */
  isLost = false;

  /** @param {any} peer Of the room. @param {number} number That it has in the call. */
  constructor(peer, number) {
    this.peer = peer;
    this.number = number;
  }

  get id() {
    return /** @type {string} */ (this.peer.id);
  }

  get data() {
    return this.peer.data;
  }

  get link() {
    return this.#link;
  }

  get connection() {
    return this.#link?.connection;
  }

  get state() {
    return this.#link?.connection.connectionState ?? 'new';
  }

  /** @param {Link} link */
  start(link) {
    this.#link = link;
    for (const content of this.#early.splice(0)) link.hear(content);
  }

  /** @param {unknown} content */
  hear(content) {
    if (this.#link) this.#link.hear(content);
    else if (this.#early.length < MOST_EARLY) this.#early.push(content);
  }

  close() {
    this.#link?.close();
  }
}
