// Rooms with a password: what pages send is encrypted, so no server reads it or makes it up.

/** How often the password is hashed, which makes each guess expensive. */
const STRETCH = 210_000;
/** Bytes of the random number in front of each message. */
const NONCE = 12;

/** @typedef {Awaited<ReturnType<typeof lockOf>>} Lock */

/**
 * The lock of a room.
 *
 * @param {string} password
 * @param {string} room
 */
export async function lockOf(password, room) {
  const { subtle } = crypto;
  if (!subtle) throw Object.assign(new Error('joinRoom: a password needs Web Crypto, which pages have that come by HTTPS or from localhost'), { code: 'no-webcrypto' });
  const additionalData = bytesOf(`signal-wasm/room ${room}`);
  const material = await subtle.importKey('raw', bytesOf(password), 'PBKDF2', false, ['deriveKey']);
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: additionalData, iterations: STRETCH };
  const key = await subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  return {
    /** What travels instead of a message. @param {unknown} message */
    async seal(message) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE));
      const sealed = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, bytesOf(JSON.stringify(message)));
      const all = new Uint8Array(NONCE + sealed.byteLength);
      all.set(iv);
      all.set(new Uint8Array(sealed), NONCE);
      return { v: 1, sealed: textOf(all) };
    },

    /** The message in what has travelled. It fails if that wasn't sealed with this password in this room. @param {string} sealed */
    async open(sealed) {
      const all = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
      const iv = all.subarray(0, NONCE);
      const opened = await subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, all.subarray(NONCE));
      return /** @type {unknown} */ (JSON.parse(new TextDecoder().decode(opened)));
    },
  };
}

/** @param {string} text */
function bytesOf(text) {
  return new TextEncoder().encode(text);
}

/** In base64. @param {Uint8Array} bytes */
function textOf(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
