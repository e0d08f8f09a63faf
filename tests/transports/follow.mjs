// The library's side of a transport, in Node and in pages: notes what it hears, and opens again
// only when the test says so.

import { poll } from '../support/poll.mjs';

/**
 * Puts the three handlers on the transport, as the library does before each `open`, and notes what
 * they are called with. `wait` is how it waits: `until`, or in a page for as long as the test has
 * time.
 */
export function follow(transport, wait = (condition) => poll(condition)) {
  const told = {
    opened: 0,
    heard: [],
    closed: [],
    open() {
      transport.onopen = () => (told.opened += 1);
      transport.onmessage = (text) => told.heard.push(text);
      transport.onclose = (reason) => told.closed.push(reason);
      transport.open();
    },
    /** Opens, and waits until that is done. */
    async up() {
      const before = told.opened;
      told.open();
      await wait(() => told.opened > before, 'onopen');
    },
    send: (text) => transport.send(text),
    close: () => transport.close(),
    /** Waits for that many texts, and gives all. */
    async texts(count) {
      await wait(() => told.heard.length >= count, `${count} texts`);
      return told.heard;
    },
    /** Waits until the connection has been lost that many times, and gives the last reason. */
    async lost(count) {
      await wait(() => told.closed.length >= count, `${count} losses`);
      return told.closed.at(-1);
    },
  };
  return told;
}

/** A frame as the library sends it. */
export function frame(sender, message, channel = 'room') {
  return JSON.stringify({ sender, channel, message });
}
