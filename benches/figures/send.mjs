// What a call of `send` costs.

import { number, table } from './words.mjs';

/** Microseconds for each client, by the size of the message. */
export function clients({ messages }) {
  return table(
    ['', ...messages.map(({ size }) => `${size / 1000} kB`)],
    Object.keys(messages[0].microseconds).map((client) => [client, ...messages.map(({ microseconds }) => number(microseconds[client], 1))]),
  );
}
