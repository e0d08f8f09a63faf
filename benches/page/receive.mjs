// Times the receive path of clients in one page: the same work for all, frame by frame.
//
// Only the receive path runs against the clock. A stand-in for WebSocket takes the handlers, real
// MessageEvents are made beforehand, and the handler is called with one after the other.

import { connect } from './clients.mjs';
import { GROUP, frameMaker } from './messages.mjs';

const WARM_UP = 5;

/** Connects the clients, and defines `round`, to be called again and again. */
window.prepare = async (names, channels) => {
  if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated, so its clock is too coarse to time frames');
  const clients = await connect(names, channels);
  const expected = {};
  window.round = async (sizes, kinds, turn) => {
    const times = [];
    for (const { size, frames } of sizes) {
      for (const kind of kinds) {
        const row = { kind, size, microseconds: {} };
        // Who comes later finds warm caches, so they take turns.
        for (const client of turn % 2 ? clients.toReversed() : clients) {
          row.microseconds[client.name] = await time(client, kind, size, frames);
        }
        expected[kind] = (expected[kind] ?? 0) + frames + WARM_UP * GROUP;
        times.push(row);
      }
    }
    for (const { name, counted } of clients) {
      if (!counted) continue;
      const stats = counted();
      for (const kind of kinds) {
        if (stats[kind] !== expected[kind]) throw new Error(`${name} was given ${expected[kind]} ${kind} frames and counted ${stats[kind]}`);
      }
    }
    return times;
  };
};

/**
 * Microseconds for each frame.
 *
 * Frames are made and received a few at a time, as they arrive from the network: what was written a
 * moment ago is still in the processor's cache. A batch made in advance would be cold, and most of
 * the time measured would be the memory's. The clock's ticks are coarse beside such a group, but
 * Chromium rounds them at random, so their sum is right.
 */
async function time(client, kind, size, frames) {
  const make = frameMaker(client, kind, size);
  const before = client.seen.messages;
  const events = new Array(GROUP);
  let elapsed = 0;

  // Garbage of the round before must not be collected now. The first frames after a collection are
  // slow for every client, so they are a warm-up.
  window.gc?.();
  for (let group = -WARM_UP; group < frames / GROUP; group++) {
    for (let i = 0; i < GROUP; i++) events[i] = new MessageEvent('message', { data: make() });
    const took = client.later ? await receiveLater(client, events) : receive(client, events);
    if (group >= 0) elapsed += took;
  }

  const seen = client.seen.messages - before;
  const wanted = kind === 'delivered' ? frames + WARM_UP * GROUP : 0;
  if (seen !== wanted) throw new Error(`${client.name} was to deliver ${wanted} ${kind} frames of ${size} characters and delivered ${seen}`);
  return (elapsed * 1000) / frames;
}

function receive({ socket }, events) {
  const handler = socket.handler('message');
  const start = performance.now();
  for (let i = 0; i < GROUP; i++) handler.call(socket, events[i]);
  return performance.now() - start;
}

/** Lets the microtasks of each frame run before the next, as the browser does. */
async function receiveLater({ socket }, events) {
  const handler = socket.handler('message');
  const start = performance.now();
  for (let i = 0; i < GROUP; i++) {
    handler.call(socket, events[i]);
    await undefined;
  }
  return performance.now() - start;
}
