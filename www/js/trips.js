// How long messages take to our relay and back, as the frames tell that go by: each has a number, and the relay acknowledges it.
//
// The library measures a round trip of its own (`stats().roundTrip`), but seldom: each ping costs a frame.

const NUMBERED = /^\{"sender":\d+,"channel":"(?:[^"\\]|\\.)*","ref":(\d+),/;
const ACKNOWLEDGED = /^\{"ack":(\d+)\}$/;
/** The longest head worth looking at. */
const HEAD = 1000;
/** So many wait for an answer at most; the oldest is given up. */
const MOST = 1000;

/** Gives the handler for `onframe`, which calls `measured` with milliseconds. */
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
      // One answer serves all that were sent before.
      for (const earlier of sent.keys()) {
        if (earlier <= number) sent.delete(earlier);
      }
    }
  };
}
