// What the sections have in common that measure clients in a page, in rounds.
//
// Other work on the machine only ever adds time, and never to all rounds. So each client is judged
// by its best round in a page, which is what the code costs when it is left alone. The engine makes
// something a little different of the code in each page, so there are several, and the median page
// counts.

import { fileURLToPath } from 'node:url';
import { serveFiles } from '../tests/support/files.mjs';
import { MOUNTS } from '../tests/support/servers.mjs';
import { median } from './median.mjs';

const WARM_UP = 2;

/** The two of the clients in benches/page/clients.mjs that are always there. */
export const SHIM = 'shim';
export const OURS = 'signal-wasm';

/** Enough frames that a round is long beside a tick of the page's clock (5 µs), in groups of eight. */
export const SIZES = [
  { size: 100, frames: 2000 },
  { size: 1000, frames: 2000 },
  { size: 3000, frames: 2000 },
  { size: 10000, frames: 800 },
  { size: 60000, frames: 320 },
];

/** What Chromium is to be launched with, so that the pages can collect garbage. */
export const ARGS = ['--js-flags=--expose-gc'];

/**
 * Measures in a fresh page, `rounds` times: `[{ kind, size, microseconds, median }]`, with the best and
 * the median round of each client.
 */
export async function inPage(browser, name, { clients, channels = 8, sizes = SIZES, kinds = [], rounds }) {
  const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
  const server = await serveFiles(
    { ...MOUNTS, '/': path('page'), '/support': path('../tests/support') },
    { headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' } },
  );
  const page = await browser.newPage();
  try {
    const broken = new Promise((_, fail) => page.on('pageerror', fail));
    broken.catch(() => {});
    await page.goto(`${server.origin}/${name}.html`);
    await Promise.race([broken, page.waitForFunction(() => typeof window.prepare === 'function')]);
    await page.evaluate(([clients, channels]) => window.prepare(clients, channels), [clients, channels]);
    const all = [];
    for (let turn = 0; turn < WARM_UP + rounds; turn++) {
      const rows = await page.evaluate(([sizes, kinds, turn]) => window.round(sizes, kinds, turn), [sizes, kinds, turn]);
      if (turn >= WARM_UP) all.push(rows);
    }
    return all[0].map((row, i) => ({
      ...row,
      microseconds: perClient(clients, (client) => Math.min(...all.map((rows) => rows[i].microseconds[client]))),
      median: perClient(clients, (client) => median(all.map((rows) => rows[i].microseconds[client]))),
    }));
  } finally {
    await page.close();
    await server.close();
  }
}

/** The median of the pages, each of which has the same rows. `ratio` is that of signal-wasm to the shim. */
export function medianPage(pages) {
  return pages[0].map(({ microseconds, ...row }, i) => {
    const of = (member) => perClient(Object.keys(microseconds), (client) => median(pages.map((rows) => rows[i][member][client])));
    return {
      ...row,
      ratio: median(pages.map((rows) => rows[i].microseconds[OURS] / rows[i].microseconds[SHIM])),
      microseconds: of('microseconds'),
      median: of('median'),
    };
  });
}

/** Prints the microseconds of each client, after the row's own columns. */
export function printRows(rows, columns) {
  const clients = Object.keys(rows[0].microseconds);
  console.log(`| ${[...columns, ...clients, `${OURS} to the ${SHIM}`].join(' | ')} |`);
  console.log(`|${' --- |'.repeat(columns.length + clients.length + 1)}`);
  for (const row of rows) {
    const cells = [...columns.map((column) => row[column]), ...clients.map((client) => row.microseconds[client].toFixed(2)), row.ratio.toFixed(3)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function perClient(clients, of) {
  return Object.fromEntries(clients.map((client) => [client, of(client)]));
}
