// Measures how long a message takes to our relay and back: each has a number, which the relay
// acknowledges.
//
// The library also measures round trips (`stats().roundTrip`), but rarely, because each ping costs
// a frame.

const NUMBERED = /^\{"sender":\d+,"channel":"(?:[^"\\]|\\.)*","ref":(\d+),/;
const ACKNOWLEDGED = /^\{"ack":(\d+)\}$/;
/** How many characters of a frame are searched. */
const HEAD = 1000;
/** How many messages may wait for an answer; beyond that the oldest is dropped. */
const MOST = 1000;

/** Returns the handler for `onframe`. It calls `measured` with milliseconds. */
export function trips(measured) {
  const sent = new Map();
  return (kind, frame) => {
    if (kind === 'sent') {
      const number = NUMBERED.exec(frame.slice(0, HEAD))?.[1];
      if (number === undefined) return;
      sent.delete(Number(number));
      sent.set(Number(number), performance.now());
      if (sent.size > MOST) sent.delete(sent.keys().next().value);
    } else if (kind === 'control') {
      const number = Number(ACKNOWLEDGED.exec(frame)?.[1]);
      const at = sent.get(number);
      if (at !== undefined) measured(performance.now() - at);
      // One acknowledgement is for all earlier messages, too.
      for (const earlier of sent.keys()) {
        if (earlier <= number) sent.delete(earlier);
      }
    }
  };
}
