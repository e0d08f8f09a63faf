// What the package weighs.

import { list, number, paragraph, table } from './words.mjs';

/** What the protocols are called in sentences. */
const PROTOCOLS = { 'relay': "our relay's", 'socket-io': 'Socket.IO', 'signalr': 'SignalR', 'signalr-classic': 'classic SignalR', 'sse': '`sse`' };

export function entries({ entries, others }) {
  const ours = Object.entries(entries).filter(([name]) => name.startsWith('signal-wasm'));
  const row = (name, { raw, gzip, brotli }) => [name, number(raw), number(gzip), number(brotli)];
  return table(
    ['', 'raw', 'gzip', 'brotli'],
    [
      ...ours.map(([name, sizes]) => row(name === 'signal-wasm' ? '`signal-wasm`, minified module and wasm' : `\`${name}\``, sizes)),
      ...Object.entries(others).map(([name, sizes]) => row(name, sizes)),
    ],
  );
}

export function protocols({ each: { all, ...each } }) {
  const costs = Object.entries(each).sort(([, a], [, b]) => b - a);
  const parts = costs.map(([name, bytes]) => `${PROTOCOLS[name] ?? name} ${number(bytes)}`);
  return paragraph(`The protocols besides the plain one are ${number(all)} of these bytes, with what they share: ${list(parts)} (\`npm run size -- --each\`).`);
}

/** Module and glue, in a sentence. */
export function module({ entries }) {
  return kilobytes(entries['signal-wasm']);
}

/** The same in one file, in a sentence. */
export function inline({ entries }) {
  return kilobytes(entries['signal-wasm/inline']);
}

function kilobytes({ brotli }) {
  return `${Math.round(brotli / 1000)} kB`;
}
