// Joining a room: what the page passes, and the keys.

import { bytesToHex } from '@noble/hashes/utils';
import { drive } from './drive.js';
import { lockOf } from './lock.js';
import { farewellOf } from './members.js';
import { shown } from './room.js';

const OPTIONS = ['data', 'password', 'signal'];

/** Joins a room. @param {any} signaling @param {string} name @param {any} [options] */
export async function joinRoom(signaling, name, options = {}) {
  for (const [member, type] of Object.entries({ openSocket: 'function', stats: 'function', state: 'string' })) {
    if (typeof signaling?.[member] !== type) throw wrong(`signaling must be a Signaling, such as new Signaling() and configure() give, but its ${member} is ${typeof signaling?.[member]}`);
  }
  if (typeof name !== 'string' || name === '') throw wrong(`the room's name must be a text, but it is ${name === '' ? 'empty' : typeof name}`);
  const unknown = Object.keys(Object(options)).find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) throw wrong(`there is no option ${unknown}; there is ${OPTIONS.join(', ')}`, 'unknown-option');
  const { data, password, signal } = Object(options);
  if (password !== undefined && (typeof password !== 'string' || password === '')) throw wrong('password must be a text that isn\'t empty');
  signal?.throwIfAborted();

  const self = Object.freeze({ id: token(), data: shown('joinRoom', data) });
  const lock = password === undefined ? undefined : await lockOf(password, name);
  const goodbye = farewellOf(self.id);
  const farewell = lock ? await lock.seal(goodbye) : goodbye;
  signal?.throwIfAborted();
  const { room, connected } = drive(signaling, name, self, token, lock, farewell);
  signal?.addEventListener('abort', () => room.leave(), { once: true });
  try {
    await connected;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  return room;
}

/** @param {string} sentence */
function wrong(sentence, code = 'bad-option') {
  return Object.assign(new TypeError(`joinRoom: ${sentence}`), { code });
}

/** 128 random bits. */
function token() {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(16)));
}
