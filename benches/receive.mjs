// npm run bench -- receive: the receive path of signal-wasm in a page of a browser, beside the seed's
// shim, socket.io-client and @microsoft/signalr.
//
// A broadcast server sends every page every frame, so frames that are not for this page (own,
// foreign) count at least as much as those that are (delivered). Prints microseconds for each
// frame. With `--gate` it measures signal-wasm and the shim only, and fails if a ratio is above its
// ceiling. Only ratios are judged, because both run in turns on the same machine in the same minute.
// A ratio that is too high is measured once more before it counts.

import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { launchChromium } from '../tests/support/chromium.mjs';
import { ARGS, inPage, medianPage, OURS, printRows, SHIM } from './in-page.mjs';
import { machine, versions } from './machine.mjs';

const { values: options } = parseArgs({
  options: { gate: { type: 'boolean', default: false }, pages: { type: 'string', default: '3' }, json: { type: 'string' } },
});
const PAGES = Number(options.pages);
if (!Number.isInteger(PAGES) || PAGES < 1) throw new Error(`--pages is ${options.pages}; give a whole number from 1 up`);
const ROUNDS = 9;
const KINDS = ['own', 'foreign', 'delivered'];
const CLIENTS = options.gate ? [SHIM, OURS] : [SHIM, OURS, 'socket.io-client', 'signal-wasm, Socket.IO', '@microsoft/signalr', 'signal-wasm, SignalR'];

/** How many channels are open in one page. */
const CHANNELS = [1, 100, 10000];
const CHANNEL_SIZES = [{ size: 1000, frames: 2000 }];

// The ceilings: signal-wasm's time as a part of the shim's.
const GATES = [
  { kind: 'foreign', size: 3000, ceiling: 0.25 },
  { kind: 'foreign', size: 60000, ceiling: 0.02 },
  { kind: 'delivered', size: 1000, ceiling: 1.5 },
  { kind: 'delivered', size: 3000, ceiling: 1.35 },
  { kind: 'delivered', size: 10000, ceiling: 1.2 },
  { kind: 'delivered', size: 60000, ceiling: 1.2 },
];

const browser = await launchChromium({ args: ARGS });
try {
  console.log(`Receive path in Chromium ${browser.version()}: microseconds for each frame, best of ${ROUNDS} rounds, median of ${PAGES} pages.\n`);
  const pages = await measure({ clients: CLIENTS, kinds: KINDS, rounds: ROUNDS });
  print(pages, ['kind', 'size']);
  if (options.gate) await gate(pages);
  else await finish(pages);
} finally {
  await browser.close();
}

async function measure(settings) {
  const pages = [];
  while (pages.length < PAGES) pages.push(await inPage(browser, 'receive', settings));
  return pages;
}

function print(pages, columns) {
  printRows(medianPage(pages).toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)), columns);
}

/** Measures by the number of channels too, and writes all. */
async function finish(pages) {
  const channels = [];
  for (const count of CHANNELS) {
    const measured = await measure({ clients: CLIENTS, channels: count, sizes: CHANNEL_SIZES, kinds: ['foreign', 'delivered'], rounds: 5 });
    channels.push(...medianPage(measured).map((row) => ({ channels: count, ...row })));
  }
  console.log('\nBy the number of channels that are open in the page:\n');
  printRows(channels, ['channels', 'kind', 'size']);
  if (!options.json) return;
  const result = { ...machine(), chromium: browser.version(), versions: versions('socket.io-client', '@microsoft/signalr'), frames: medianPage(pages), channels, goals: GATES };
  await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
}

async function gate(pages) {
  let missed = check(pages);
  if (missed.length > 0) {
    console.log('\nMeasuring once more, and judging by both.\n');
    pages.push(...(await measure({ clients: CLIENTS, kinds: KINDS, rounds: ROUNDS })));
    print(pages, ['kind', 'size']);
    missed = check(pages);
  }
  if (missed.length > 0) {
    console.error(`\nThe receive path is too slow:\n${missed.map((name) => `  ${name}`).join('\n')}`);
    process.exitCode = 1;
  }
}

/** Prints each ratio beside its ceiling, and gives those that are above it. */
function check(pages) {
  console.log();
  const rows = medianPage(pages);
  const missed = [];
  for (const { kind, size, ceiling } of GATES) {
    const name = `${kind}, ${size / 1000} kB: at most ${ceiling} of the shim`;
    const { ratio } = rows.find((row) => row.kind === kind && row.size === size);
    // `!(a <= b)` and not `a > b`, so that NaN is a miss.
    const miss = !(ratio <= ceiling);
    if (miss) missed.push(name);
    console.log(`${miss ? 'MISSED' : 'ok    '} ${name}: ${ratio.toFixed(3)}`);
  }
  return missed;
}
