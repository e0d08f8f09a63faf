// The folder of a release as a whole: what it holds belongs to one version and one build.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { version } from '../../scripts/versions.mjs';
import { ROOT } from './consumer.mjs';

const RELEASE = join(ROOT, 'release');
const SCRIPTS = ['global.js', 'global-transports.js', 'global-rtcmulticonnection.js'];

describe('release/', () => {
  it('has the version in the names of its packages and in its scripts', async () => {
    const number = version(ROOT);
    const names = await readdir(RELEASE);
    for (const name of names.filter((each) => /(gz|crate)$/.test(each))) assert.ok(name.includes(`-${number}`), name);
    for (const name of SCRIPTS) assert.ok((await readFile(join(RELEASE, name), 'utf8')).startsWith(`/*! signal-wasm ${number} `), name);
    assert.match(await readFile(join(RELEASE, 'scripts.html'), 'utf8'), new RegExp(`signal-wasm ${number}\\. `));
    for (const name of [`signal-wasm-${number}.tgz`, `signal-relay-${number}.tgz`]) assert.ok(names.includes(name), name);
  });

  it('has the checksum of each file', async () => {
    const sums = await readFile(join(RELEASE, 'SHA256SUMS'), 'utf8');
    const named = sums.trim().split('\n').map((line) => line.split(/\s+/)[1]);
    assert.deepEqual([...named, 'SHA256SUMS'].sort(), (await readdir(RELEASE)).sort());
    execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: RELEASE });
  });

  it('has the dist/ of this build in its package', async () => {
    const packed = execFileSync('tar', ['-xzOf', join(RELEASE, `signal-wasm-${version(ROOT)}.tgz`), 'package/dist/global.js']);
    assert.ok(packed.equals(await readFile(join(RELEASE, 'global.js'))));
    assert.ok(packed.equals(await readFile(join(ROOT, 'dist/global.js'))));
  });

  it('has the crates, with their own sources and nothing else of the repository', async () => {
    const KNOWN = ['.cargo_vcs_info.json', 'CHANGELOG.md', 'Cargo.lock', 'Cargo.toml', 'Cargo.toml.orig', 'LICENSE', 'README.md'];
    for (const name of ['signal-relay', 'signal-wasm', 'signal-wire']) {
      const folder = `${name}-${version(ROOT)}`;
      const packed = execFileSync('tar', ['-tzf', join(RELEASE, `${folder}.crate`)], { encoding: 'utf8' }).trim().split('\n');
      const outside = packed.map((path) => path.slice(folder.length + 1)).filter((path) => !path.startsWith('src/'));
      assert.ok(outside.length < packed.length, name);
      assert.deepEqual(outside.filter((path) => !KNOWN.includes(path)), [], name);
    }
  });
});
