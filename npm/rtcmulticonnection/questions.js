// The questions of one page to the others, each until its answer or its end. A question is asked
// twice, because a connection may lose the first.

/**
 * @typedef {object} Question
 * @property {import('./types.js').Content} content What is sent.
 * @property {number} wait How long an answer may take, in milliseconds.
 * @property {(message: any) => boolean} onAnswer Whether a message has answered it.
 * @property {() => void} onSilence There was no answer in time.
 * @property {number} [until]
 * @property {boolean} [isRepeated]
 */

/** How many may be open at a time. */
const MOST = 200;

export class Questions {
  /** @type {Set<Question>} */
  #open = new Set();

  get size() {
    return this.#open.size;
  }

  /**
   * Adds a question. The caller sends it. Without room for it, it ends at once.
   *
   * @param {Question} question
   * @param {number} now
   */
  add(question, now) {
    if (this.#open.size >= MOST) return question.onSilence();
    question.until = now + question.wait;
    this.#open.add(question);
  }

  /** Gives a question the whole time again. @param {Question} question @param {number} now */
  prolong(question, now) {
    question.until = now + question.wait;
    question.isRepeated = false;
  }

  /** Asks everything again: the connection was lost. @param {number} now */
  restart(now) {
    for (const question of this.#open) this.prolong(question, now);
    return [...this.#open].map(({ content }) => content);
  }

  /** @param {any} message */
  answer(message) {
    for (const question of [...this.#open]) {
      if (this.#open.has(question) && question.onAnswer(message)) this.#open.delete(question);
    }
  }

  /**
   * Ends those whose time is over. Gives what is to be sent again.
   *
   * @param {number} now
   */
  tick(now) {
    const again = [];
    for (const question of [...this.#open]) {
      const { until = now, wait } = question;
      if (until <= now) {
        this.#open.delete(question);
        question.onSilence();
      } else if (!question.isRepeated && until - wait / 2 <= now) {
        question.isRepeated = true;
        again.push(question.content);
      }
    }
    return again;
  }
}
