// cargo xtask figures: writes the figures in the documents from those that were recorded. In a
// document they stand between `<!-- figures: relay.table -->` and `<!-- end -->`: what the function
// `table` of figures/relay.mjs makes of recorded/relay.json. With `--check` it writes nothing, and
// fails if a document says something else.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as chaos from './figures/chaos.mjs';
import * as cluster from './figures/cluster.mjs';
import * as joining from './figures/join.mjs';
import * as load from './figures/load.mjs';
import { machines } from './figures/machines.mjs';
import * as outage from './figures/outage.mjs';
import * as receive from './figures/receive.mjs';
import { rewrite } from './figures/regions.mjs';
import * as relay from './figures/relay.mjs';
import * as scale from './figures/scale.mjs';
import * as send from './figures/send.mjs';
import * as size from './figures/size.mjs';
import * as start from './figures/start.mjs';
import { recorded } from './recorded.mjs';

const SECTIONS = { size, receive, send, start, relay, scale, outage, join: joining, load, chaos, cluster };

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const docs = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
const figures = {};
for (const name of Object.keys(SECTIONS)) figures[name] = await recorded(name);

const changed = [];
for (const path of ['README.md', 'relay/README.md', ...docs]) {
  const text = await readFile(join(ROOT, path), 'utf8');
  const written = rewrite(text, path, write);
  if (written === text) continue;
  changed.push(path);
  if (!options.check) await writeFile(join(ROOT, path), written);
}
if (!options.check) console.log(changed.length > 0 ? `Written: ${changed.join(', ')}` : 'The documents have these figures already.');
else if (changed.length > 0) {
  console.error(`Other figures than those in benches/recorded: ${changed.join(', ')}. Write them: npm run figures`);
  process.exitCode = 1;
}

function write(name) {
  if (name === 'machines') return machines(figures);
  const [section, part] = name.split('.');
  const template = SECTIONS[section]?.[part];
  if (!template) throw new Error(`no figures are named ${name}`);
  if (!figures[section]) throw new Error(`nothing is recorded for ${name}; measure: npm run bench -- ${section} --record`);
  return template(figures[section]);
}
