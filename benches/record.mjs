// Records what `npm run bench` has measured: copies the JSON of a section from a folder to
// benches/recorded.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { record } from './recorded.mjs';

const [folder, section] = process.argv.slice(2);
await record(section, JSON.parse(await readFile(join(folder, `${section}.json`), 'utf8')));
