// What our relay says of who is there. On other servers it says nothing, and the pages ask each
// other. relay/src/protocols/referee/present.rs has the messages. It has no clock and no I/O.

/** With what the names of the channels begin on which a page talks with the relay. */
export const PREFIX = 'signal-wasm-presence/';
/** How many pages are kept at most. The relay has no more on one channel. */
const MOST = 1024;
/** How many are greeted at one time. A stranger can make up any number of pages. */
const MOST_UNMET = 16;

export class Watch {
  /** The others that the relay watches, and whether each was greeted. @type {Map<string, boolean>} */
  #ids = new Map();
  /** Names the relay until it is started again. @type {unknown} */
  #relay;
  #isCurrent = false;
  #isShown = false;

  /** Whether the relay tells the others when this page vanishes. */
  get isShown() {
    return this.#isShown;
  }

  /** Whether the relay would say that this page has vanished. @param {string} id */
  has(id) {
    return this.#isCurrent && this.#ids.has(id);
  }

  /** The connection is down: what the relay says meanwhile isn't heard. */
  lost() {
    this.#isCurrent = false;
    this.#isShown = false;
  }

  /** The relay has said this. @param {unknown} value @returns {string[]} Who is gone. */
  hear(value) {
    const { present, shown, relay, came, gone } = Object(value);
    if (Array.isArray(present)) return this.#begin(present, shown === true, relay);
    if (typeof came === 'string') this.#add(came);
    if (typeof gone !== 'string') return [];
    this.#ids.delete(gone);
    return [gone];
  }

  /** Those who are there and not among these, each once, a few at a time. @param {ReadonlyMap<string, unknown>} known */
  unmet(known) {
    const unmet = [...this.#ids].filter(([id, isGreeted]) => !isGreeted && !known.has(id));
    const ids = unmet.slice(0, MOST_UNMET).map(([id]) => id);
    for (const id of ids) this.#ids.set(id, true);
    return ids;
  }

  /** @param {unknown[]} present @param {boolean} isShown @param {unknown} relay */
  #begin(present, isShown, relay) {
    const before = this.#ids;
    this.#ids = new Map();
    for (const id of present) this.#add(id);
    const isSame = relay !== undefined && relay === this.#relay;
    this.#relay = relay;
    this.#isCurrent = true;
    this.#isShown = isShown;
    // A relay that was started again knows those only who have come back already.
    return isSame ? [...before.keys()].filter((id) => !this.#ids.has(id)) : [];
  }

  /** @param {unknown} id */
  #add(id) {
    if (typeof id === 'string' && this.#ids.size < MOST) this.#ids.set(id, false);
  }
}
