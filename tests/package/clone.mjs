// A clone of this repository, with the files that packing and installing need, on a machine whose
// programs a test chooses.

import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { programPath } from '../support/programs.mjs';
import { SOURCES } from '../../scripts/stamp.mjs';
import { ROOT } from './consumer.mjs';

const FILES = ['scripts', 'npm', 'relay/Cargo.toml', 'relay/npm', 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'dist'];

/** What npm runs, and what git is made of. */
const PROGRAMS = ['basename', 'cp', 'git', 'node', 'npm', 'sed', 'sh', 'uname'];

/**
 * Makes the clone, and a folder `bin` with the programs that npm needs: `env` has it as `PATH`, so
 * that there is no cargo. `cargo(script)` puts a shell script there in its place.
 */
export async function makeClone() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'signal-wasm-clone-')));
  const [clone, bin] = [join(folder, 'clone'), join(folder, 'bin')];
  for (const path of new Set([...SOURCES, ...FILES])) await cp(join(ROOT, path), join(clone, path), { recursive: true });
  // npm installs these first when it prepares a package from git; the tests are offline.
  const manifest = JSON.parse(await readFile(join(clone, 'package.json'), 'utf8'));
  delete manifest.devDependencies;
  delete manifest.overrides;
  await writeFile(join(clone, 'package.json'), JSON.stringify(manifest));

  await mkdir(bin);
  for (const name of PROGRAMS) {
    await symlink(programPath({ what: name, variable: '', names: [name], debian: name }), join(bin, name));
  }
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|path$|cargo)/i.test(name)));
  return {
    folder,
    clone,
    env: { ...env, PATH: bin, npm_config_offline: 'true', npm_config_cache: join(folder, 'cache'), npm_config_audit: 'false', npm_config_fund: 'false' },
    cargo: (script) => writeFile(join(bin, 'cargo'), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
