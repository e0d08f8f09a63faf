// What the parts of one page's state machine share: who the page is, whom it knows, what it has
// asked, and what is to be done.

import { People } from './people.js';
import { Questions } from './questions.js';

/** @typedef {import('./types.js').Content} Content */
/** @typedef {import('./types.js').Acknowledge} Acknowledge */

/** In milliseconds. */
export const TIMES = {
  /** How long an answer of another page may take. */
  answer: 500,
  /** Between two signs of life. */
  beat: 2500,
  /** A page that has been silent for so long is asked whether it is still there. */
  silent: 6000,
  /** A page that has been silent for so long has left. */
  gone: 9000,
  /** What the others have more, after this page's connection was lost: theirs was too, maybe. */
  grace: 20_000,
};

/** The answers of rtcmulticonnection-server, which pages compare. */
export const ERRORS = {
  notAvailable: 'Room not available',
  wrongPassword: 'Invalid password',
  noUser: 'User ID does not exist',
  denied: 'Room permission denied',
  full: 'Room full',
  noRoom: 'Did not join any room yet',
  noIdentifier: 'publicRoomIdentifier is required',
  userTaken: 'User ID is already taken',
};

export class Self {
  /** @type {import('./types.js').RoomsOutput[]} */
  #outputs = [];

  /**
   * @param {import('./types.js').Profile} profile
   * @param {() => string} token Makes random tokens that nobody can guess.
   * @param {typeof TIMES} times
   */
  constructor(profile, token, times) {
    this.profile = profile;
    this.token = token;
    this.times = times;
    this.page = token();
    this.user = profile.user;
    this.extra = profile.extra;
    this.now = 0;
    this.people = new People();
    this.questions = new Questions();
  }

  /** @param {Content} content */
  send(content) {
    this.#outputs.push({ do: 'send', message: { v: 1, from: this.user, page: this.page, ...content } });
  }

  /** @param {string} name @param {unknown[]} values */
  event(name, ...values) {
    this.#outputs.push({ do: 'event', name, values });
  }

  /** @param {Acknowledge | undefined} acknowledge @param {unknown[]} values */
  acknowledge(acknowledge, ...values) {
    if (acknowledge) this.#outputs.push({ do: 'acknowledge', acknowledge, values });
  }

  /** Sends a question and waits for its answer. @param {import('./questions.js').Question} question */
  ask(question) {
    this.send(question.content);
    this.questions.add(question, this.now);
  }

  /** Whether a message names this page or its user. @param {string} to */
  is(to) {
    return to === this.user || to === this.page;
  }

  take() {
    return this.#outputs.splice(0);
  }
}
