// How soon a page sends.

import { number, table } from './words.mjs';

export function times({ clients, baseline }) {
  const first = clients[baseline];
  const cells = (times, visit) => [number(times[visit].loaded), number(times[visit].sent), number(times[visit].sent / first[visit].sent, 2)];
  return table(
    ['', 'first visit: library ready', 'message there', 'ratio', 'later visit: library ready', 'message there', 'ratio'],
    Object.entries(clients).map(([name, times]) => [name, ...cells(times, 'cold'), ...cells(times, 'warm')]),
  );
}

export function rounds({ rounds }) {
  return `median of ${rounds} rounds`;
}

/** Milliseconds to compile the module, in a sentence. */
export function compile({ compileMilliseconds }) {
  const parts = Object.entries(compileMilliseconds).map(([how, value]) => `${number(value, 1)} ms ${how}`);
  return parts.join(', ');
}
