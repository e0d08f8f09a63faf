// The content of the tarball: exactly the files meant, which publint accepts, and nothing about the
// machine that built it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { TIMEOUT } from '../support/deadline.mjs';
import { ROOT, makeConsumer } from './consumer.mjs';

const FILES = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'dist/call.d.ts',
  'dist/call.js',
  'dist/development.js',
  'dist/global-rtcmulticonnection.d.ts',
  'dist/global-rtcmulticonnection.js',
  'dist/global-transports.d.ts',
  'dist/global-transports.js',
  'dist/global.d.ts',
  'dist/global.js',
  'dist/inline.d.ts',
  'dist/inline.js',
  'dist/react.d.ts',
  'dist/react.js',
  'dist/room.d.ts',
  'dist/room.js',
  'dist/rtcmulticonnection.d.ts',
  'dist/rtcmulticonnection.js',
  'dist/signal_wasm.d.ts',
  'dist/signal_wasm.js',
  'dist/signal_wasm_bg.wasm',
  'dist/transports.d.ts',
  'dist/transports.js',
  'package.json',
];

let consumer;
let installed;

before(async () => {
  consumer = await makeConsumer();
  installed = join(consumer.folder, 'node_modules/signal-wasm');
}, TIMEOUT);
after(() => consumer?.remove(), TIMEOUT);

describe('the tarball', () => {
  it('holds exactly the files meant', () => {
    assert.deepEqual(consumer.files, FILES);
  });

  it('arrives whole, with nothing empty, and brings no other package', async () => {
    const arrived = (await readdir(installed, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.equal(arrived.length, FILES.length);
    for (const path of FILES) assert.ok((await stat(join(installed, path))).size > 0, `${path} is empty`);
    const packages = (await readdir(join(consumer.folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    assert.deepEqual(packages, ['signal-wasm']);
  });

  it('has no dependency and runs nothing when it is installed', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    for (const member of ['dependencies', 'optionalDependencies', 'bundleDependencies', 'bin']) {
      assert.equal(manifest[member], undefined, `${member} in package.json`);
    }
    // Who uses no React gets none.
    assert.deepEqual(Object.keys(manifest.peerDependencies), ['react']);
    assert.deepEqual(manifest.peerDependenciesMeta, { react: { optional: true } });
    // Not `prepare`, which npm runs where a clone is installed, and not for a tarball.
    for (const script of ['preinstall', 'install', 'postinstall']) {
      assert.equal(manifest.scripts?.[script], undefined, `script ${script} in package.json`);
    }
  });

  it('has the version of the crate, and the change log has heard of it', async () => {
    const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    const cargo = await readFile(join(ROOT, 'Cargo.toml'), 'utf8');
    const [, crate] = /^\[package\]$[^[]*?^version = "([^"]+)"$/m.exec(cargo) ?? [];
    assert.equal(version, crate);
    const changes = await readFile(join(installed, 'CHANGELOG.md'), 'utf8');
    const [, newest] = /^## \[?([^\]\s]+)/m.exec(changes) ?? [];
    assert.ok(newest === version || newest === 'Unreleased', `CHANGELOG.md begins with ${newest}; it must be ${version} or Unreleased`);
  });

  it('has each entry also where Parcel looks, which ignores `exports` unless a project sets it', async () => {
    const { exports, main, alias } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    const entries = { '.': main, ...alias, './package.json': './package.json' };
    assert.deepEqual(entries, Object.fromEntries(Object.entries(exports).map(([name, entry]) => [name, entry.default ?? entry])));
  });

  it('keeps the licence and the notice of the shim it replaces', async () => {
    const licence = await readFile(join(installed, 'LICENSE'), 'utf8');
    assert.match(licence, /MIT/);
    assert.match(licence, /Copyright \(c\) 2013 Muaz Khan/);
  });

  it('tells nothing of the machine that built it', async () => {
    // Panic messages have paths of sources in them, which must not be this machine's.
    const places = [ROOT.replace(/[\\/]$/, ''), homedir(), process.env.CARGO_HOME, '/registry/src/', '\\registry\\src\\'].filter((place) => place && place.length > 1);
    for (const path of consumer.files) {
      const text = await readFile(join(installed, path), 'latin1');
      for (const place of places) {
        const at = text.indexOf(place);
        assert.equal(at, -1, `${path} holds ${JSON.stringify(text.slice(Math.max(0, at - 20), at + 120))}`);
      }
    }
  });

  it('has links in its README that lead somewhere', async () => {
    const readme = await readFile(join(installed, 'README.md'), 'utf8');
    const targets = [...readme.matchAll(/\]\((?!https?:|#|mailto:)([^)\s]+)\)/g)].map(([, target]) => target.split('#')[0]);
    // It is the repository's own README, which registries show with links into the repository.
    for (const target of targets) assert.ok(existsSync(join(ROOT, target)), `README.md links to ${target}, which the repository doesn't hold`);
  });

  it('gives publint nothing to say', async () => {
    const file = await readFile(consumer.tarball);
    const tarball = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
    const { messages, pkg } = await publint({ pack: { tarball }, level: 'suggestion', strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });
});
