// Reads the messages of other pages. Anybody on the server can send them, so nothing is believed
// that isn't of the right form and size.

/** @typedef {import('./types.js').Message} Message */
/** @typedef {(value: any) => boolean} Check */

/** How many members a room has at most, whatever its owner allows. */
export const MOST_MEMBERS = 1000;

/** @type {(longest: number) => Check} */
const text = (longest) => (value) => typeof value === 'string' && value !== '' && value.length <= longest;
/** @type {Check} */
const flag = (value) => typeof value === 'boolean';
/** @type {Check} */
const count = (value) => Number.isSafeInteger(value) && value >= 0;
/** @type {Check} */
const time = (value) => Number.isFinite(value);
/** @type {Check} */
const anything = () => true;
/** @type {(check: Check) => Check} */
const maybe = (check) => (value) => value === undefined || check(value);
/** @type {(check: Check) => Check} */
const list = (check) => (value) => Array.isArray(value) && value.length > 0 && value.length <= MOST_MEMBERS && value.every(check);
/** @type {Check} */
const key = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

const name = text(1000);
const user = text(300);
const token = text(64);
/** @type {Check} */
const member = (value) => Array.isArray(value) && value.length === 2 && user(value[0]) && token(value[1]);

/** @type {Record<string, Record<string, Check>>} */
export const KINDS = {
  hello: { since: time },
  taken: { to: token },
  bye: {},
  beat: { id: maybe(token), term: maybe(count), version: maybe(count) },
  ping: { to: user, ask: token },
  pong: { ask: token, extra: anything, broadcasting: maybe(flag), viewers: maybe(count) },
  ask: { room: name },
  list: { identifier: name },
  claim: { room: name, at: time },
  join: { room: name, ask: token, proof: maybe(key), check: maybe(flag) },
  challenge: { ask: token, nonce: token },
  refused: { ask: token, reason: text(100) },
  valid: { ask: token },
  room: {
    room: name,
    id: token,
    term: count,
    version: count,
    at: time,
    members: list(member),
    max: count,
    session: anything,
    extra: anything,
    identifier: maybe(name),
    locked: flag,
    autoClose: flag,
  },
  leave: { id: token },
  closed: { id: token },
  lock: { id: token, nonce: token, key: maybe(key) },
  message: { to: list(user), message: anything, extra: anything },
  part: { to: user },
  extra: { extra: anything },
  custom: { event: name, message: anything },
  view: { broadcast: user, streams: anything },
  source: { to: user, broadcast: user, user, streams: anything },
  relay: { broadcast: user, can: flag },
  rejoin: { to: user, broadcast: user },
};

/**
 * Reads a message. `undefined`: it isn't one.
 *
 * @param {unknown} value
 * @returns {Message | undefined}
 */
export function readMessage(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  const message = /** @type {Record<string, unknown>} */ (value);
  const { v, kind, from, page } = message;
  if (v !== 1 || typeof kind !== 'string' || !user(from) || !token(page)) return undefined;
  const members = Object.hasOwn(KINDS, kind) && KINDS[kind];
  if (!members || !Object.entries(members).every(([member, check]) => check(message[member]))) return undefined;
  return /** @type {any} */ (message);
}
