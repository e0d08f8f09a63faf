// A user's project: a folder with the packed tarball installed, and nothing else of this
// repository.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = fileURLToPath(new URL('pages', import.meta.url));

/** `npm pack` of the repository into `folder`: `{ tarball, files }`, the paths inside it sorted. */
export async function pack(folder) {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('there is no dist/ to pack; run: cargo xtask build');
  // Scripts stay out: `prepack` would build what this run has built already.
  const [{ filename, files }] = JSON.parse(await npm(ROOT, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]));
  return { tarball: join(folder, filename), files: files.map(({ path }) => path).sort() };
}

/**
 * Makes the project in a new folder of `parent`, with the files of `pages` copied into it, and gives
 * its folder, the tarball's path and its files.
 * `remove()` deletes all of it.
 */
export async function makeConsumer({ parent = tmpdir(), pages = PAGES } = {}) {
  const folder = await realpath(await mkdtemp(join(parent, 'signal-wasm-consumer-')));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const packed = await pack(folder);
    const project = join(folder, 'project');
    await cp(pages, project, { recursive: true });
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    // Offline: the package has no dependencies, and a test that fetched some would hide it.
    await npm(project, ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', packed.tarball]);
    return { folder: project, ...packed, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Runs a program of Node's to its end: its standard output, or an error with all that it said. */
export function run(file, args, { cwd, env = process.env, shell = false } = {}) {
  return new Promise((done, fail) => {
    execFile(file, args, { cwd, env, shell, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) fail(new Error(`${[file, ...args].join(' ')} ended with ${error.code ?? error.signal}:\n${stdout}${stderr}`));
      else done(stdout);
    });
  });
}

function npm(cwd, args) {
  // `npm test` passes its own settings on. They are for the repository, not for the project.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package_|lifecycle_|command)/i.test(name)));
  const windows = process.platform === 'win32';
  return run(windows ? 'npm.cmd' : 'npm', args, { cwd, env, shell: windows });
}
