// The figures that the documents show: benches/recorded/<section>.json, each with the machine that
// it comes from.

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('recorded', import.meta.url));

/** What was recorded of a section, or nothing. */
export async function recorded(section) {
  try {
    return JSON.parse(await readFile(join(FOLDER, `${section}.json`), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The sections of which something was recorded. */
export async function recordedSections() {
  const names = await readdir(FOLDER);
  return names.filter((name) => name.endsWith('.json')).map((name) => name.replace(/\.json$/, '')).sort();
}

/** Records what was measured of a section now, on this machine. */
export async function record(section, figures) {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0].model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release().split('.', 2).join('.')}, ${arch()}`,
    node: process.version,
  };
  await writeFile(join(FOLDER, `${section}.json`), `${JSON.stringify({ about, ...figures }, undefined, 2)}\n`);
  console.log(`\nRecorded in benches/recorded/${section}.json. The documents with it: npm run figures`);
}
