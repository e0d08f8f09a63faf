// Receiving a frame.

import { number, paragraph, table, verdict } from './words.mjs';

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
  const foreign = frames.filter(({ kind }) => kind === 'foreign').map(({ ours }) => ours);
  const costs = [Math.min(...foreign), Math.max(...foreign)].map((value) => number(value, 1));
  return paragraph(`${verdict(judged)} A foreign frame costs ${[...new Set(costs)].join(' to ')} µs, whatever its size.`);
}

function kilobytes(size) {
  return `${size / 1000} kB`;
}
