// What pages send each other on a room's channel, and what is let in.

/** @typedef {import('./types.js').Message} Message */

/** The longest id and number of a page, in characters. */
const LONGEST_ID = 64;
/** The longest JSON text of what a page shows, in characters. Every other page keeps it. */
export const LONGEST_DATA = 16 * 1024;

const isId = (/** @type {unknown} */ value) => typeof value === 'string' && value !== '' && value.length <= LONGEST_ID;
const any = () => true;

/** Whether a page may show this. @param {unknown} data */
export function isData(data) {
  return data === undefined || JSON.stringify(data).length <= LONGEST_DATA;
}

/** The members that each kind needs. */
const NEEDS = /** @type {const} */ ({
  hello: { nonce: isId },
  here: { to: isId, nonce: isId, echo: isId },
  ready: { to: isId, echo: isId },
  beat: {},
  ping: { to: isId },
  update: {},
  message: { message: any },
  bye: {},
});

/**
 * The message that this is, if it is one.
 *
 * @param {unknown} value
 * @returns {Message | undefined}
 */
export function read(value) {
  const message = Object(value);
  const { v, from, number, kind, to, topic } = message;
  if (v !== 1 || !isId(from) || !Number.isSafeInteger(number) || !Object.hasOwn(NEEDS, kind)) return undefined;
  if ((to !== undefined && !isId(to)) || (topic !== undefined && !isId(topic))) return undefined;
  const needs = Object.entries(NEEDS[/** @type {keyof typeof NEEDS} */ (kind)]);
  if (!isData(message.data)) return undefined;
  return needs.every(([name, isRight]) => Object.hasOwn(message, name) && isRight(message[name])) ? message : undefined;
}
