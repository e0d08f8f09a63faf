// Makes the page of what `npm run bench` has measured: target/bench/index.html, with the figures of
// all JSON files beside it. It needs no script and no network.

import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';

const [folder] = process.argv.slice(2);
const { document } = new JSDOM().window;

const read = async (name) => {
  try {
    return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** What a frame is to a page. */
const KINDS = {
  foreign: 'Foreign: for a channel that isn’t open here',
  own: 'Own: returned by the server',
  delivered: 'Delivered to the page',
};

const parts = [];
const receive = await read('receive');
if (receive) parts.push(...receivePart(receive));
const relay = await read('relay');
if (relay) parts.push(...relayPart(relay));

const path = join(folder, 'index.html');
await writeFile(path, page(parts.join('\n')));
console.log(`\n${path}`);

function receivePart({ chromium, frames }) {
  const rows = frames.map((frame) => ({ ...frame, name: `${frame.size / 1000} kB` }));
  return [
    `<h2>Receiving a frame</h2>
     <p>In Chromium ${chromium}, as a multiple of the time that the shim takes: less is better, and 1 is the same.
     A server that broadcasts sends a page mostly foreign frames.</p>`,
    ...Object.entries(KINDS).map(([kind, title]) => bars(title, rows.filter((row) => row.kind === kind), 'ratio', 'multiple of the shim’s time', 1)),
  ];
}

function relayPart({ loads, idle, node }) {
  const list = (servers, of) => Object.entries(servers).map(([name, run]) => ({ name, value: of(run) }));
  return [
    `<h2>What the relay costs</h2>
     <p>Beside servers of npm’s ws and socket.io on Node ${node}, which do the same work: one client publishes, all others
     receive. Processor time of the server’s process.</p>`,
    ...loads.map(({ receivers, size, servers }) => bars(`${receivers} receivers, ${size / 1000} kB`, list(servers, (run) => run.processorMicrosecondsPerDelivery), 'value', 'µs of processor time for each delivery')),
    ...loads.map(({ receivers, size, servers }) => bars(`${receivers} receivers, ${size / 1000} kB, half of its full load`, list(servers, (run) => run.latencyMicroseconds['99'] / 1000), 'value', 'ms until a delivery, 99 % of them')),
    ...idle.map(({ connections, servers }) => bars(`${connections} idle connections`, list(servers, (run) => run.bytesPerConnection / 1000), 'value', 'kB of memory for each')),
  ];
}

/** A bar for each row, with its number. `mark`: a line at this value. */
function bars(title, rows, value, unit, mark) {
  const fill = (row) => (row.name.startsWith('relay') || value === 'ratio' ? 'var(--ours)' : 'var(--others)');
  const chart = Plot.plot({
    document,
    width: 420,
    marginLeft: 115,
    marginRight: 45,
    marginTop: 0,
    marginBottom: 4,
    style: { background: 'none', color: 'currentColor', fontSize: '13px' },
    x: { axis: null },
    y: { label: null, tickSize: 0 },
    marks: [
      Plot.barX(rows, { x: value, y: 'name', fill, sort: { y: null } }),
      Plot.text(rows, { x: value, y: 'name', text: (row) => row[value].toPrecision(3), dx: 6, textAnchor: 'start', fill: 'currentColor' }),
      Plot.ruleX(mark === undefined ? [0] : [0, mark], { stroke: 'currentColor' }),
    ],
  });
  return `<figure><figcaption>${title}<br><small>${unit}</small></figcaption>${chart.outerHTML}</figure>`;
}

function page(content) {
  const machine = `${cpus()[0].model}, ${cpus().length} cores`;
  const raw = [['receive', receive], ['relay', relay]].filter(([, part]) => part).map(([name]) => `<a href="${name}.json">${name}.json</a>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>signal-wasm: what was measured</title>
<style>
  :root { color-scheme: light dark; --ours: light-dark(#0a6e4f, #4fd1a1); --others: light-dark(#8a8f98, #80858f); }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  figure { margin: 1.5rem 0; }
  figcaption { font-weight: 600; }
  small { font-weight: normal; }
  svg { max-width: 32rem; width: 100%; height: auto; }
</style>
<h1>What was measured</h1>
<p>On ${machine}. Compare within one chart only: other work on a machine makes times longer. ${raw.join(' ')}</p>
${content}
</html>
`;
}
