// The page's part about what the package weighs.

import { bars } from './charts.mjs';

export function size({ entries, others, each }) {
  const list = (sizes, ours) => Object.entries(sizes).map(([name, { brotli }]) => ({ name: name.replace('signal-wasm/', '/'), value: brotli / 1000, ours }));
  const entry = ([name]) => name.startsWith('signal-wasm');
  const parts = [
    `<h2>What the package weighs</h2>
     <p>Minified and compressed by Brotli. A page that loads two entries loads the sum. <code>signal-wasm</code> is the module and
     its glue; <code>/inline</code> and those that begin with <code>/global</code> have them inside.</p>`,
    bars('Entries, beside other libraries', 'kB', [...list(Object.fromEntries(Object.entries(entries).filter(entry)), true), ...list(others, false)]),
  ];
  if (each) parts.push(bars('Each protocol’s part of signal-wasm, and that of all', 'kB', Object.entries(each).map(([name, bytes]) => ({ name, value: bytes / 1000, ours: true }))));
  return parts;
}
