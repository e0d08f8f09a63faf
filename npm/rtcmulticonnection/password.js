// Passwords of rooms. The channel is open to everybody on the server, so a password never travels:
// whoever wants to join proves to the owner's page that they know it.

import { fromHex, hmac, sha256, toHex } from './digest.js';

/** How often a password is hashed, which makes each guess at a recorded proof that much dearer. */
const STRETCH = 2000;

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);

/**
 * The key that a room's pages keep instead of its password; `undefined` without a password.
 *
 * @param {unknown} password
 * @param {string} room
 * @returns {string | undefined} 64 hexadecimal digits.
 */
export function keyOf(password, room) {
  if (password === undefined || password === null || password === '' || password === false) return undefined;
  let key = sha256(bytes(JSON.stringify([String(password), room])));
  for (let round = 1; round < STRETCH; round += 1) key = sha256(key);
  return toHex(key);
}

/**
 * Proves that the page knows the key, for this challenge only.
 *
 * @param {string} key
 * @param {string} nonce Of the challenge.
 * @param {string} page
 */
export function proofOf(key, nonce, page) {
  return toHex(hmac(fromHex(key), bytes(JSON.stringify(['proof', nonce, page]))));
}

/**
 * A new key as it travels to those who have the old one, and back: it is the same operation.
 *
 * @param {string} key
 * @param {string | undefined} oldKey
 * @param {string} nonce
 */
export function masked(key, oldKey, nonce) {
  const mask = hmac(fromHex(oldKey ?? ''), bytes(JSON.stringify(['mask', nonce])));
  return toHex(fromHex(key).map((byte, index) => byte ^ mask[index]));
}
