// Whether dist/ was made of the sources that are here. Contents are compared and not times, which
// git doesn't keep.
//
// The build records what dist/ was made of in dist/stamp.txt, a line `<name> <hash>` for each hash.
// It calls this file for them, so that npm finds out without Rust what cargo finds out:
//
//     node scripts/stamp.mjs sources|dist

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The sources of dist/, those of the build among them. */
export const SOURCES = ['src', 'wire/src', 'wire/Cargo.toml', 'npm', 'Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'package-lock.json', 'xtask/src/build'];

/** All files below a folder of `root`, sorted, or the path itself if it is a file. */
function listDeep(root, path) {
  if (statSync(join(root, path)).isFile()) return [path];
  const inside = readdirSync(join(root, path), { recursive: true }).map((name) => `${path}/${name.split(sep).join('/')}`);
  return inside.filter((name) => statSync(join(root, name)).isFile()).sort();
}

function hash(root, paths) {
  const sum = createHash('sha256');
  for (const path of paths) {
    const content = readFileSync(join(root, path));
    // The length counts too, so that it matters where a file ends.
    sum.update(`${path}\n${content.length}\n`).update(content);
  }
  return sum.digest('hex');
}

/** The hash of the sources of dist/ in the repository `root`. */
export function sources(root) {
  return hash(root, SOURCES.flatMap((path) => listDeep(root, path)));
}

/** The hash of the files of dist/ that are published. */
export function dist(root) {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return hash(root, files.filter((path) => path.startsWith('dist/')));
}

/** Why dist/ can't be published, or undefined if it can. */
export function problem(root) {
  if (!existsSync(join(root, 'dist'))) return 'there is no dist/';
  if (!existsSync(join(root, 'dist/stamp.txt'))) return "dist/ doesn't say what it was built from";
  const recorded = readFileSync(join(root, 'dist/stamp.txt'), 'utf8').split('\n');
  if (!recorded.includes(`sources ${sources(root)}`)) return 'dist/ was built from other sources';
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const missing = files.find((path) => !existsSync(join(root, path)));
  if (missing) return `there is no ${missing}`;
  if (!recorded.includes(`dist ${dist(root)}`)) return 'dist/ has been changed since it was built';
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const print = { sources, dist }[process.argv[2]];
  if (!print) throw new Error(`node scripts/stamp.mjs sources|dist, but got ${process.argv[2]}`);
  console.log(print(fileURLToPath(new URL('..', import.meta.url))));
}
