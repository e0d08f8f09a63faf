// What two pages write to each other while they set up a connection. A relay that dies takes some of
// it along, and no page says such a thing twice: the two would never be connected. So letters are
// numbered and kept for a minute. A page that is in its rooms again tells the others up to which number
// it has read theirs, and they repeat the rest. Only for a while after that are letters dropped: one
// that comes again, and one before which others are missing, which is repeated too. At all other times
// each is heard as it comes. No clock, no I/O.
//
// A letter is a message of RTCMultiConnection with one more member, `letter`:
//
// | member | |
// | --- | --- |
// | `page` | names the page that wrote it |
// | `part`, `number` | the letters of a part have the numbers 1, 2, …; a later part has a higher number. A part ends when its reader or its writer asks for a connection: what was written before counts no longer |
// | `knows` | the page and the part of its reader that its writer knew: who has asked for a connection drops what was written before that was read |
// | `isRepeated` | it is repeated: what is missing before it is gone |
// | `read` | this is an inquiry, without content: the page, the part and the number up to which the letters of its receiver were read |
// | `isAnswer` | an inquiry that needs no other one |
//
// Pages with Socket.IO's own client neither write nor read it, and hear what they always heard.

/** @typedef {{ page: string, part: number, number: number, knows: [string, number], isRepeated?: boolean }} Mark */
/** @typedef {{ page: string, read: [string, number, number], isAnswer: boolean }} Inquiry */
/** @typedef {{ user: string, part: number, number: number, text: string, at: number, repeats: number }} Kept */

/** How long a letter can be repeated, in milliseconds; how many are kept, and how many characters. */
const LONGEST = 60_000;
const MOST_KEPT = 512;
const MOST_CHARACTERS = 2 ** 20;
/** How often one is repeated. */
const MOST_REPEATS = 8;
/** How long letters are dropped that come again or too early, in milliseconds. */
const CATCHING_UP = 15_000;
/** After so many milliseconds a page asks again for what is missing. */
const PAUSE = 500;
/** How many users are remembered. */
const MOST_USERS = 1000;
const LONGEST_NAME = 64;

/** What is known of another user's letters, and of those to it. */
class Contact {
  /** When the two had to do with each other last. */
  at = 0;
  /** The page that its letters came from, and the last one of them. */
  page = '';
  part = 0;
  number = 0;
  /** Until when some of them may be missing, and when they were asked for. */
  until = 0;
  inquired = -Infinity;
  /** The part and the last number of the letters to it. */
  ownPart = 0;
  ownNumber = 0;
  /** The part with which it was asked for a connection. */
  asked = 0;
}

export class Letters {
  #page;
  #parts = 0;
  /** Until when letters may be missing. */
  #until = 0;
  /** @type {Kept[]} */
  #kept = [];
  #characters = 0;
  /** @type {Map<string, Contact>} */
  #contacts = new Map();

  /** @param {string} page Names this page. */
  constructor(page) {
    this.#page = page;
  }

  /** The page has to do with a user. @param {number} now @param {string} user */
  meet(now, user) {
    const contact = this.#contacts.get(user) ?? new Contact();
    contact.at = now;
    // The map is in the order of their times.
    this.#contacts.delete(user);
    this.#contacts.set(user, contact);
    const [first] = this.#contacts.keys();
    if (this.#contacts.size > MOST_USERS && first !== undefined) this.forget(first);
    return contact;
  }

  /** The users that the page had to do with lately. @param {number} now */
  recent(now) {
    return [...this.#contacts].filter(([, { at }]) => now < at + LONGEST).map(([user]) => user);
  }

  /** The one who decides on the rooms is another: what was on its way may be gone. @param {number} now */
  lose(now) {
    if (this.recent(now).length) this.#until = now + CATCHING_UP;
  }

  /** Whether that was a moment ago. @param {number} now */
  isCatchingUp(now) {
    return now < this.#until;
  }

  /** A user is gone. @param {string} user */
  forget(user) {
    this.#contacts.delete(user);
    this.#drop((kept) => kept.user === user);
  }

  /** All users are gone, or know the page by another id. */
  forgetAll() {
    for (const user of [...this.#contacts.keys()]) this.forget(user);
  }

  /** The page asks everybody for connections: its letters until now count no longer. */
  endAll() {
    for (const user of this.#contacts.keys()) this.#end(user);
  }

  /**
   * Makes a letter of a message.
   *
   * @template {object} Message
   * @param {number} now
   * @param {string} user
   * @param {Message} message
   */
  write(now, user, message) {
    const contact = this.meet(now, user);
    if (!contact.ownNumber) contact.ownPart = this.#parts += 1;
    const letter = { page: this.#page, part: contact.ownPart, number: contact.ownNumber + 1, knows: [contact.page, contact.part] };
    const text = textOf({ ...message, letter });
    // The signaling says why.
    if (text === undefined) return message;
    contact.ownNumber = letter.number;
    this.#kept.push({ user, part: letter.part, number: letter.number, text, at: now, repeats: 0 });
    this.#characters += text.length;
    this.#tidy(now);
    return { ...message, letter };
  }

  /**
   * The same for one that asks for a connection. What the user has written before counts no longer.
   *
   * @template {object} Message
   * @param {number} now
   * @param {string} user
   * @param {Message} message
   */
  ask(now, user, message) {
    this.#end(user);
    const letter = this.write(now, user, message);
    const contact = this.meet(now, user);
    contact.asked = contact.ownPart;
    return letter;
  }

  /**
   * Asks a user for the letters that weren't read. The relay says who asks.
   *
   * @param {number} now
   * @param {string} user
   * @param {boolean} [isAnswer]
   */
  inquire(now, user, isAnswer = false) {
    const contact = this.#contacts.get(user);
    if (contact) contact.inquired = now;
    const { page, part, number } = contact ?? new Contact();
    return { remoteUserId: user, message: {}, letter: { page: this.#page, read: [page, part, number], isAnswer } };
  }

  /**
   * Takes a message. Returns whether the page is to hear it, and what is to be sent.
   *
   * @param {number} now
   * @param {any} message
   * @param {string} own The page's user.
   * @returns {{ isHeard: boolean, send: object[] }}
   */
  read(now, message, own) {
    const { sender, letter, message: content } = Object(message);
    if (typeof sender !== 'string') return { isHeard: true, send: [] };
    if (isInquiry(letter)) return { isHeard: false, send: this.#answer(now, sender, letter) };
    const contact = this.meet(now, sender);
    const asks = Boolean(content?.newParticipationRequest);
    if (isMark(letter)) {
      const dropped = this.#dropped(now, sender, contact, { letter, asks, own });
      if (dropped) return { isHeard: false, send: dropped };
      const { page, part, number } = letter;
      Object.assign(contact, { page, part, number });
    }
    if (asks) this.#end(sender);
    return { isHeard: true, send: [] };
  }

  /**
   * What is to be sent if a letter isn't to be heard, else nothing.
   *
   * @param {number} now
   * @param {string} sender
   * @param {Contact} contact
   * @param {{ letter: Mark, asks: boolean, own: string }} read
   */
  #dropped(now, sender, contact, { letter, asks, own }) {
    if (now >= Math.max(this.#until, contact.until)) return undefined;
    const { page, part, number, isRepeated } = letter;
    if (page === contact.page && (part < contact.part || (part === contact.part && number <= contact.number))) return [];
    const isBefore = this.#hasAsked(sender, contact.asked, letter.knows);
    if (isBefore && !asks) return [];
    const expected = page === contact.page && part === contact.part ? contact.number + 1 : 1;
    if (number !== expected && !isRepeated) return now < contact.inquired + PAUSE ? [] : [this.inquire(now, sender, true)];
    if (!isBefore || own > sender) return undefined;
    // Two requests have crossed. One of them counts, and may have been lost.
    Object.assign(contact, { page, part, number });
    return this.#repeat(sender, () => false);
  }

  /** Whether a user who knows so much hasn't read yet that it is asked for a connection. @param {string} user @param {number} asked @param {[string, number]} knows */
  #hasAsked(user, asked, [page, part]) {
    return (page !== this.#page || part < asked) && this.#kept.some((kept) => kept.user === user && kept.part === asked);
  }

  /** @param {number} now @param {string} user @param {Inquiry} inquiry */
  #answer(now, user, { page: from, read: [page, part, number], isAnswer }) {
    this.#tidy(now);
    // A page that was loaded again is another one.
    const known = this.#contacts.get(user)?.page;
    if (known && known !== from) this.forget(user);
    const letters = this.#repeat(user, (kept) => page === this.#page && (kept.part < part || (kept.part === part && kept.number <= number)));
    if (isAnswer) return letters;
    // It has come back, and so has what waited for that.
    this.meet(now, user).until = now + CATCHING_UP;
    return [...letters, this.inquire(now, user, true)];
  }

  /** The letters that a user hasn't read. @param {string} user @param {(kept: Kept) => boolean} isRead */
  #repeat(user, isRead) {
    const missing = this.#kept.filter((kept) => kept.user === user && !isRead(kept));
    const letters = missing.map((kept) => {
      kept.repeats += 1;
      const message = JSON.parse(kept.text);
      return { ...message, letter: { ...message.letter, isRepeated: true } };
    });
    this.#drop(({ repeats }) => repeats >= MOST_REPEATS);
    return letters;
  }

  /** The letters to a user count no longer. @param {string} user */
  #end(user) {
    this.#drop((kept) => kept.user === user);
    const contact = this.#contacts.get(user);
    if (contact) Object.assign(contact, { ownNumber: 0, asked: 0 });
  }

  /** @param {number} now */
  #tidy(now) {
    let characters = this.#characters;
    let count = this.#kept.length;
    this.#drop(({ text, at }) => {
      const isOver = now >= at + LONGEST || count > MOST_KEPT || characters > MOST_CHARACTERS;
      if (isOver) {
        count -= 1;
        characters -= text.length;
      }
      return isOver;
    });
  }

  /** @param {(kept: Kept) => boolean} isOver */
  #drop(isOver) {
    this.#kept = this.#kept.filter((kept) => {
      const stays = !isOver(kept);
      if (!stays) this.#characters -= kept.text.length;
      return stays;
    });
  }
}

/** The JSON text of a message. `undefined`: it has none. @param {object} message */
function textOf(message) {
  try {
    return JSON.stringify(message);
  } catch {
    return undefined;
  }
}

/** @param {unknown} value */
function isCount(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** @param {unknown} value */
function isName(value) {
  return typeof value === 'string' && value.length <= LONGEST_NAME;
}

/** @param {any} letter @returns {letter is Mark} */
function isMark(letter) {
  const { page, part, number, knows } = Object(letter);
  return isName(page) && isCount(part) && isCount(number) && Array.isArray(knows) && isName(knows[0]) && isCount(knows[1]);
}

/** @param {any} letter @returns {letter is Inquiry} */
function isInquiry(letter) {
  const { page, read } = Object(letter);
  return isName(page) && Array.isArray(read) && isName(read[0]) && isCount(read[1]) && isCount(read[2]);
}
