// Receiving a frame.

import { number, paragraph, range, table, verdict } from './words.mjs';

/** What a frame is to a page. */
const KINDS = {
  foreign: "foreign: for a channel that isn't open here",
  own: 'own, returned by the server',
  delivered: 'delivered',
};

export function browser({ chromium }) {
  return `Chromium ${chromium.split('.')[0]}`;
}

export function ratios({ frames }) {
  const sizes = [...new Set(frames.map(({ size }) => size))];
  const ratio = (kind, size) => frames.find((frame) => frame.kind === kind && frame.size === size).ratio;
  return table(
    ['frame', ...sizes.map(kilobytes)],
    Object.entries(KINDS).map(([kind, title]) => [title, ...sizes.map((size) => number(ratio(kind, size), 2))]),
  );
}

export function goals({ frames, goals }) {
  const isReached = ({ kind, size, ceiling }) => frames.find((frame) => frame.kind === kind && frame.size === size).ratio <= ceiling;
  const judged = goals.map((goal) => ({ text: `${goal.ceiling} (${goal.kind}, ${kilobytes(goal.size)})`, reached: isReached(goal) }));
  const foreign = frames.filter(({ kind }) => kind === 'foreign').map(({ microseconds }) => microseconds['signal-wasm']);
  return paragraph(`${verdict(judged)} A foreign frame costs ${range(foreign, 1)} µs, from the smallest to the largest.`);
}

/** Microseconds for each client: a frame of 1 kB of each kind, and with many channels open. */
export function clients({ frames, channels }) {
  const most = Math.max(...channels.map((row) => row.channels));
  const rows = [
    ...Object.keys(KINDS).map((kind) => [kind, frames.find((row) => row.kind === kind && row.size === 1000)]),
    ...['foreign', 'delivered'].map((kind) => [`${kind}, ${number(most)} channels open`, channels.find((row) => row.kind === kind && row.channels === most)]),
  ];
  return table(
    ['', ...rows.map(([title]) => title)],
    Object.keys(frames[0].microseconds).map((client) => [client, ...rows.map(([, { microseconds }]) => number(microseconds[client], 1))]),
  );
}

function kilobytes(size) {
  return `${size / 1000} kB`;
}
