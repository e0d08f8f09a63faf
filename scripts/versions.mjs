// The versions of the crates and npm packages must be equal: they are released together.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** A manifest of cargo's → the crates of ours that it depends on. */
const CRATES = {
  'Cargo.toml': ['signal-wire'],
  'npm/Cargo.toml': [],
  'relay/Cargo.toml': ['signal-wire'],
  'wire/Cargo.toml': [],
};

const LOCKED = ['signal-relay', 'signal-wasm', 'signal-wasm-npm', 'signal-wire'];

/** Where a version stands → the version. */
function all(root) {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  const found = new Map();
  for (const [path, dependencies] of Object.entries(CRATES)) {
    const text = read(path);
    found.set(path, /^\[package\]$[^[]*?^version = "([^"]+)"$/m.exec(text)?.[1]);
    for (const name of dependencies) {
      found.set(`${path}'s ${name}`, new RegExp(`^${name} = .*version = "([^"]+)"`, 'm').exec(text)?.[1]);
    }
  }
  const lock = read('Cargo.lock');
  for (const name of LOCKED) found.set(`Cargo.lock's ${name}`, new RegExp(`^name = "${name}"\nversion = "([^"]+)"$`, 'm').exec(lock)?.[1]);

  const relay = JSON.parse(read('relay/npm/package.json'));
  found.set('relay/npm/package.json', relay.version);
  for (const [name, text] of Object.entries(relay.optionalDependencies)) found.set(`relay/npm/package.json's ${name}`, text);
  found.set('package.json', JSON.parse(read('package.json')).version);
  const npmLock = JSON.parse(read('package-lock.json'));
  found.set('package-lock.json', npmLock.version);
  found.set("package-lock.json's first package", npmLock.packages[''].version);
  return found;
}

/** The version of all. Fails with one sentence if they differ. */
export function version(root) {
  const found = all(root);
  const wanted = found.get('Cargo.toml');
  const others = [...found].filter(([, text]) => text !== wanted).map(([where, text]) => `${where} has ${text}`);
  if (others.length > 0) throw new Error(`the versions differ: Cargo.toml has ${wanted}, but ${others.join(', ')}; make them equal`);
  return wanted;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(version(fileURLToPath(new URL('..', import.meta.url))));
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
