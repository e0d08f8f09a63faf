// Passwords of rooms. The channel is open to everybody on the server, so a password never travels:
// whoever wants to join proves to the owner's page that they know it.

// The browser's own functions for this are asynchronous, and missing on pages without HTTPS.
import { hmac } from '@noble/hashes/hmac';
import { pbkdf2 } from '@noble/hashes/pbkdf2';
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils';

/** How often a password is hashed, which makes each guess at a recorded proof more expensive. */
const STRETCH = 2000;

/**
 * The key that a room's pages keep instead of its password; `undefined` without a password.
 *
 * @param {unknown} password
 * @param {string} room
 * @returns {string | undefined} 64 hexadecimal digits.
 */
export function keyOf(password, room) {
  if (password === undefined || password === null || password === '' || password === false) return undefined;
  return bytesToHex(pbkdf2(sha256, String(password), room, { c: STRETCH, dkLen: 32 }));
}

/**
 * Proves that the page knows the key, for this challenge only.
 *
 * @param {string} key
 * @param {string} nonce Of the challenge.
 * @param {string} page
 */
export function proofOf(key, nonce, page) {
  return bytesToHex(hmac(sha256, hexToBytes(key), utf8ToBytes(JSON.stringify(['proof', nonce, page]))));
}

/**
 * A new key as it travels to those who have the old one, and back: it is the same operation.
 *
 * @param {string} key
 * @param {string | undefined} oldKey
 * @param {string} nonce
 */
export function masked(key, oldKey, nonce) {
  const mask = hmac(sha256, hexToBytes(oldKey ?? ''), utf8ToBytes(JSON.stringify(['mask', nonce])));
  return bytesToHex(hexToBytes(key).map((byte, index) => byte ^ mask[index]));
}
