// The door of a room: how a page asks to be let in, and how the owner's page decides.

import { proofOf } from './password.js';
import { ERRORS } from './self.js';

/** @typedef {import('./types.js').Message} Message */

/** How many challenges an owner remembers at most. */
const MOST_CHALLENGES = 500;
/** How many challenges a page answers to get in once. */
const MOST_PROOFS = 4;

/** @param {import('./self.js').Self} self */
export function entrance(self) {
  /** The open challenges, by the pages that have to answer them. @type {Map<string, string>} */
  const challenges = new Map();
  /** When pages were asked whether they are still there. @type {WeakMap<object, number>} */
  const probes = new WeakMap();

  return {
    /**
     * Asks to join a room, or only whether the password is right.
     *
     * @param {string} room
     * @param {() => string | undefined} makeKey
     * @param {boolean} check
     * @param {(problem: string | undefined, state?: any, key?: string) => void} onEnd
     */
    ask(room, makeKey, check, onEnd) {
      const ask = self.token();
      /** @type {string | undefined} */
      let key;
      let proofs = 0;
      /** @type {import('./questions.js').Question} */
      const question = {
        content: { kind: 'join', room, ask, ...(check && { check }) },
        // The owner may be about to open the room.
        wait: 2 * self.times.answer,
        onAnswer(message) {
          if (message.kind === 'room' && !check && message.room === room && message.members.some(isSelf)) {
            onEnd(undefined, message, key);
            return true;
          }
          if (message.ask !== ask) return false;
          if (message.kind === 'challenge') return !answer(message.nonce);
          if (message.kind !== 'refused' && message.kind !== 'valid') return false;
          onEnd(message.kind === 'refused' ? message.reason : undefined);
          return true;
        },
        onSilence: () => onEnd(ERRORS.notAvailable),
      };
      /** @param {[string, string]} member */
      const isSelf = ([, page]) => page === self.page;
      /** @param {string} nonce */
      const answer = (nonce) => {
        proofs += 1;
        key ??= makeKey();
        if (key === undefined || proofs > MOST_PROOFS) {
          onEnd(ERRORS.wrongPassword);
          return false;
        }
        question.content = { ...question.content, ...{ proof: proofOf(key, nonce, self.page) } };
        self.questions.prolong(question, self.now);
        self.send(question.content);
        return true;
      };
      self.ask(question);
    },

    /**
     * Whether the owner lets a page in; if not, the page gets a reason.
     *
     * @param {Extract<Message, { kind: 'join' }>} message
     * @param {import('./room.js').Room} room
     * @param {(page: string) => void} onGone Called with a member that has left without a word.
     */
    admit({ from, page, ask, proof, check }, room, onGone) {
      /** @param {string} reason */
      const refuse = (reason) => {
        self.send({ kind: 'refused', ask, reason });
        return false;
      };
      if (room.has(page) && !check) return true;
      if (check && !room.key) return refuse('This room do not have any password.');
      if (room.key) {
        const nonce = challenges.get(page);
        if (proof === undefined || nonce === undefined) {
          challenge(page, ask);
          return false;
        }
        challenges.delete(page);
        if (proof !== proofOf(room.key, nonce, page)) return refuse(ERRORS.wrongPassword);
      }
      if (check) {
        self.send({ kind: 'valid', ask });
        return false;
      }
      // The same user: the page was closed or reloaded, or it is another page's user id.
      const same = room.members.find((member) => member.user === from && member.page !== page);
      if (same) {
        const isThere = presence(same.page);
        if (isThere === true) return refuse(ERRORS.userTaken);
        if (isThere === undefined) return false;
        onGone(same.page);
      }
      return room.members.length < room.max || refuse(ERRORS.full);
    },
  };

  /**
   * Whether a member's page is still there. `undefined`: it has been asked. The page that wants to
   * join asks again in the meantime.
   *
   * @param {string} page
   */
  function presence(page) {
    const { now, people, times } = self;
    const person = people.onPage(page);
    if (!person) return page === self.page;
    const asked = probes.get(person);
    if (asked === undefined || now - asked > 4 * times.answer) {
      probes.set(person, now);
      self.send({ kind: 'ping', to: page, ask: self.token() });
      return undefined;
    }
    if (person.heard > asked) return true;
    return now - asked < times.answer / 2 ? undefined : false;
  }

  /** @param {string} page @param {string} ask */
  function challenge(page, ask) {
    const nonce = self.token();
    challenges.delete(page);
    challenges.set(page, nonce);
    const [oldest] = challenges.keys();
    if (challenges.size > MOST_CHALLENGES) challenges.delete(oldest);
    self.send({ kind: 'challenge', ask, nonce });
  }
}
