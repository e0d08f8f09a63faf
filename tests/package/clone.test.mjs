// Packing a clone and installing one, on a machine without Rust.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import { problem } from '../../scripts/stamp.mjs';
import { version } from '../../scripts/versions.mjs';
import { makeClone } from './clone.mjs';
import { ROOT, run } from './consumer.mjs';

let machine;

beforeEach(async () => {
  machine = await makeClone();
}, TIMEOUT);
afterEach(() => machine?.remove(), TIMEOUT);

const npm = (cwd, args) => run('npm', args, { cwd, env: machine.env });
const inClone = (path) => join(machine.clone, path);

/** The one sentence with which npm's script ends, once in all that npm prints. */
async function sentence(npmRuns, pattern) {
  const { message } = await npmRuns.then(
    () => assert.fail('npm succeeded'),
    (error) => error,
  );
  const sentences = message.split('\n').filter((line) => /error: signal-wasm/.test(line));
  assert.equal(sentences.length, 1, message);
  assert.match(sentences[0], pattern);
  assert.match(sentences[0], /no cargo on PATH to build it; install Rust .* or install the tarball of a release/);
  assert.doesNotMatch(message, /^\s+at /m, 'a stack says nothing to a user');
}

const tarballs = async () => (await readdir(machine.clone)).filter((name) => name.endsWith('.tgz'));

describe('npm run pack', () => {
  for (const command of [['run', 'pack'], ['pack']]) {
    it(`makes the tarball of a fresh dist/ without Rust: npm ${command.join(' ')}`, TIMEOUT, async () => {
      await npm(machine.clone, command);
      assert.deepEqual(await tarballs(), [`signal-wasm-${version(ROOT)}.tgz`]);
    });
  }

  const stale = {
    'there is no dist/': () => rm(inClone('dist'), { recursive: true }),
    "dist/ doesn't say what it was built from": () => rm(inClone('dist/stamp.txt')),
    'there is no dist/inline.js': () => rm(inClone('dist/inline.js')),
    'dist/ has been changed since it was built': () => appendFile(inClone('dist/global.js'), '\n'),
    'dist/ was built from other sources': () => appendFile(inClone('src/lib.rs'), '\n'),
  };
  for (const [why, change] of Object.entries(stale)) {
    it(`says what to do where ${why}`, TIMEOUT, async () => {
      await change();
      await sentence(npm(machine.clone, ['run', 'pack']), new RegExp(`: ${why}, and`));
      assert.deepEqual(await tarballs(), []);
    });
  }

  it('knows each source', async () => {
    assert.equal(problem(machine.clone), undefined);
    for (const path of ['wire/src/lib.rs', 'wire/Cargo.toml', 'npm/room/room.js', 'npm/call.d.ts', 'Cargo.lock', 'package-lock.json', 'xtask/src/build/wasm.rs']) {
      const text = await readFile(inClone(path));
      await appendFile(inClone(path), '\n');
      assert.equal(problem(machine.clone), 'dist/ was built from other sources', path);
      await writeFile(inClone(path), text);
    }
    await rename(inClone('src/lib.rs'), inClone('src/library.rs'));
    assert.equal(problem(machine.clone), 'dist/ was built from other sources');
  });

  it('builds by cargo where it is there, and only what is out of date', TIMEOUT, async () => {
    await machine.cargo('echo "$@" >> built.txt');
    await npm(machine.clone, ['run', 'pack']);
    assert.equal(existsSync(inClone('built.txt')), false);
    await appendFile(inClone('npm/index.js'), '\n');
    await npm(machine.clone, ['run', 'pack']);
    assert.equal(await readFile(inClone('built.txt'), 'utf8'), 'xtask package\n');
  });

  it('fails where the build does', TIMEOUT, async () => {
    await machine.cargo('echo "no wasm-pack" >&2; exit 1');
    await rm(inClone('dist'), { recursive: true });
    await assert.rejects(npm(machine.clone, ['run', 'pack']), /no wasm-pack[^]*there is no dist\/, and `cargo xtask package` failed/);
    assert.deepEqual(await tarballs(), []);
  });
});

describe('npm install of a clone', () => {
  let project;

  beforeEach(async () => {
    project = join(machine.folder, 'project');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
  });

  const installed = (path) => join(project, 'node_modules/signal-wasm', path);
  const importIt = () => run('node', ['--input-type=module', '--eval', "console.log(typeof (await import('signal-wasm/inline')).openSocket)"], { cwd: project });

  /** Commits the clone as git has it, without dist/, and gives its address. */
  async function commit() {
    await rename(inClone('dist'), join(machine.folder, 'dist'));
    const git = (...args) => run('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: machine.clone, env: machine.env });
    await git('init', '--quiet');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'all');
    return `git+file://${machine.clone}`;
  }

  it('from git fails with a sentence without Rust', TIMEOUT, async () => {
    await sentence(npm(project, ['install', await commit()]), /there is no dist\//);
    assert.equal(existsSync(installed('package.json')), false);
  });

  it('from git builds dist/ with Rust', TIMEOUT, async () => {
    await machine.cargo(`cp -R ${join(machine.folder, 'dist')} dist`);
    await npm(project, ['install', await commit()]);
    assert.equal(await importIt(), 'function\n');
  });

  for (const options of [[], ['--install-links']]) {
    const how = ['from its folder', ...options].join(' ');
    it(`${how} fails with a sentence without dist/ and Rust`, TIMEOUT, async () => {
      await rm(inClone('dist'), { recursive: true });
      await sentence(npm(project, ['install', ...options, machine.clone]), /there is no dist\//);
    });

    it(`${how} works without Rust where dist/ is fresh`, TIMEOUT, async () => {
      await npm(project, ['install', ...options, machine.clone]);
      assert.equal(await importIt(), 'function\n');
    });
  }

  it('builds nothing when the clone installs its own tools', TIMEOUT, async () => {
    await machine.cargo('echo "$@" >> built.txt');
    await rm(inClone('dist'), { recursive: true });
    await npm(machine.clone, ['install']);
    assert.equal(existsSync(inClone('built.txt')), false);
  });
});

describe('versions', () => {
  it('must be equal everywhere', async () => {
    assert.equal(version(machine.clone), version(ROOT));
    const places = {
      'Cargo.toml has 9.8.7': ['Cargo.toml', /^version = ".*"/m, 'version = "9.8.7"'],
      "Cargo.toml's signal-wire has 9.8.7": ['Cargo.toml', /(path = "wire", version = )".*?"/, '$1"9.8.7"'],
      'npm/Cargo.toml has 9.8.7': ['npm/Cargo.toml', /^version = ".*"/m, 'version = "9.8.7"'],
      'relay/Cargo.toml has 9.8.7': ['relay/Cargo.toml', /^version = ".*"/m, 'version = "9.8.7"'],
      "relay/Cargo.toml's signal-wire has 9.8.7": ['relay/Cargo.toml', /(path = "..\/wire", version = )".*?"/, '$1"9.8.7"'],
      'relay/npm/package.json has 9.8.7': ['relay/npm/package.json', /"version": ".*?"/, '"version": "9.8.7"'],
      "relay/npm/package.json's signal-relay-linux-x64 has 9.8.7": ['relay/npm/package.json', /(-linux-x64": )".*?"/, '$1"9.8.7"'],
      'wire/Cargo.toml has 9.8.7': ['wire/Cargo.toml', /^version = ".*"/m, 'version = "9.8.7"'],
      "Cargo.lock's signal-relay has 9.8.7": ['Cargo.lock', /(name = "signal-relay"\nversion = )".*"/, '$1"9.8.7"'],
      'package.json has 9.8.7': ['package.json', /"version":".*?"/, '"version":"9.8.7"'],
      'package-lock.json has 9.8.7': ['package-lock.json', /"version": ".*?"/, '"version": "9.8.7"'],
    };
    for (const [complaint, [path, from, to]] of Object.entries(places)) {
      const text = await readFile(inClone(path), 'utf8');
      await writeFile(inClone(path), text.replace(from, to));
      assert.throws(() => version(machine.clone), ({ message }) => message.startsWith('the versions differ: ') && message.includes(complaint), complaint);
      await writeFile(inClone(path), text);
    }
  });
});
