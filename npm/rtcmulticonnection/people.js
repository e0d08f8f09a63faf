// The pages that one page deals with: those in its room, and those it is connected with.

/**
 * @typedef {object} Person
 * @property {string} user
 * @property {string} page
 * @property {number} heard When the page was last heard.
 * @property {boolean} isConnected The page exchanges messages with this one.
 * @property {boolean} isMember The page is in the same room.
 * @property {boolean} isInBroadcast The page takes part in the same scalable broadcast.
 */

/** How many pages outside the room are remembered at most. So there is always room for its members. */
const MOST_STRANGERS = 1000;

/** A table of pages, by their random ids. A user has one page. */
export class People {
  /** @type {Map<string, Person>} */
  #byPage = new Map();
  /** @type {Map<string, Person>} */
  #byUser = new Map();

  /** @param {string} page */
  onPage(page) {
    return this.#byPage.get(page);
  }

  /** @param {string} user */
  named(user) {
    return this.#byUser.get(user);
  }

  /** Those that are remembered. */
  all() {
    return [...this.#byPage.values()];
  }

  get size() {
    return this.#byPage.size;
  }

  /** @param {string} page @param {number} now */
  heard(page, now) {
    const person = this.#byPage.get(page);
    if (person) person.heard = now;
  }

  /** All have been heard just now. @param {number} now */
  refresh(now) {
    for (const person of this.#byPage.values()) person.heard = now;
  }

  /**
   * Remembers a page under its user's current id. `undefined` if the id is another page's, or
   * if there is no room for another stranger.
   *
   * @param {string} user
   * @param {string} page
   * @param {number} now
   * @returns {Person | undefined}
   */
  meet(user, page, now, isMember = false) {
    const other = this.#byUser.get(user);
    if (other && other.page !== page) return undefined;
    let person = this.#byPage.get(page);
    if (!person) {
      if (!isMember && this.#strangers() >= MOST_STRANGERS) return undefined;
      person = { user, page, heard: now, isConnected: false, isMember, isInBroadcast: false };
      this.#byPage.set(page, person);
    }
    this.#byUser.delete(person.user);
    person.user = user;
    this.#byUser.set(user, person);
    return person;
  }

  #strangers() {
    return this.all().filter(({ isMember }) => !isMember).length;
  }

  /** @param {Person} person */
  forget({ user, page }) {
    this.#byPage.delete(page);
    this.#byUser.delete(user);
  }

  /** Forgets those that this page has nothing to do with any more. */
  tidy() {
    for (const person of this.#byPage.values()) {
      if (!person.isConnected && !person.isMember && !person.isInBroadcast) this.forget(person);
    }
  }
}
