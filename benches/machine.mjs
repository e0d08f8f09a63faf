// What figures hold for, to be named in each JSON file.

import { cpus } from 'node:os';
import process from 'node:process';
import { readFileSync } from 'node:fs';

export function machine() {
  return { processor: cpus()[0].model, cores: cpus().length, node: process.version };
}

/** The versions of these npm packages. */
export function versions(...names) {
  const read = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'));
  return Object.fromEntries(names.map((name) => [name, read(name).version]));
}
