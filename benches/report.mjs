// Makes the page of what `npm run bench` has measured: target/bench/index.html, with the figures of
// all JSON files beside it. It needs no script and no network.

import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { STYLE } from './report/charts.mjs';
import { chaos, cluster } from './report/chaos.mjs';
import { join as joining } from './report/join.mjs';
import { load } from './report/load.mjs';
import { outage } from './report/outage.mjs';
import { receive } from './report/receive.mjs';
import { relay } from './report/relay.mjs';
import { scale } from './report/scale.mjs';
import { send } from './report/send.mjs';
import { size } from './report/size.mjs';
import { start } from './report/start.mjs';

/** For each JSON file, in the page's order, the function that makes HTML of it. */
const SECTIONS = { size, receive, send, start, relay, scale, outage, join: joining, load, chaos, cluster };

const [folder] = process.argv.slice(2);
const parts = [];
const raw = [];
for (const [name, part] of Object.entries(SECTIONS)) {
  const figures = await read(name);
  if (!figures) continue;
  parts.push(...part(figures));
  raw.push(`<a href="${name}.json">${name}.json</a>`);
}
const path = join(folder, 'index.html');
await writeFile(path, page());
console.log(`\n${path}`);

async function read(name) {
  try {
    return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function page() {
  const machine = `${cpus()[0].model}, ${cpus().length} cores`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>signal-wasm: what was measured</title>
<style>
  :root { color-scheme: light dark; }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  figure { margin: 1.5rem 0; }
  figcaption { font-weight: 600; }
  small { font-weight: normal; }
  svg { max-width: 32rem; width: 100%; height: auto; }${STYLE}</style>
<h1>What was measured</h1>
<p>On ${machine}. Compare within one chart only: other work on a machine makes times longer. ${raw.join(' ')}</p>
${parts.join('\n')}
</html>
`;
}
