// The archive with the relay: exactly the files meant, nothing about the machine that built it, and a
// program that runs with the settings beside it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { deadline, TIMEOUT } from '../support/deadline.mjs';
import { ROOT, run } from './consumer.mjs';
import { unpack } from './release.mjs';

const FILES = [
  'LICENSE',
  'README.md',
  'THIRD-PARTY.txt',
  'dashboard.json',
  'operating.md',
  'signal-relay',
  'signal-relay.service',
  'signal-relay.toml',
];

let release;
let relay;

before(async () => {
  release = await unpack();
  relay = join(release.unpacked, 'signal-relay');
}, TIMEOUT);
after(() => release?.remove(), TIMEOUT);

const file = (name, encoding = 'utf8') => readFile(join(release.unpacked, name), encoding);

/** The first line of the program's output that matches. */
async function line(stream, pattern) {
  for await (const text of createInterface({ input: stream })) {
    const found = pattern.exec(text);
    if (found) return found;
  }
  throw new Error(`the relay has ended without a line like ${pattern}`);
}

describe('the archive', () => {
  it('holds exactly the files meant, in one folder', async () => {
    assert.deepEqual((await readdir(release.folder)).sort(), ['SHA256SUMS', release.archive.replace('.tar.gz', ''), release.archive]);
    assert.deepEqual((await readdir(release.unpacked)).sort(), FILES);
  });

  it('is sorted, belongs to root, and has one time for all', async () => {
    const list = await run('tar', ['--list', '--verbose', '--numeric-owner', '--full-time', '--utc', '-zf', release.archive], { cwd: release.folder, env: { ...process.env, LC_ALL: 'C' } });
    const entries = list.trim().split('\n').map((text) => text.split(/\s+/));
    const times = new Set(entries.map(([, , , date, time]) => `${date} ${time}`));
    assert.equal(times.size, 1, list);
    for (const [mode, owner, , , , name] of entries) {
      assert.equal(owner, '0/0', list);
      const runs = mode.startsWith('d') || name.endsWith('/signal-relay');
      assert.equal(mode.slice(1), runs ? 'rwxr-xr-x' : 'rw-r--r--', list);
    }
    const names = entries.map((entry) => entry[5]);
    assert.deepEqual(names, names.toSorted());
  });

  it('tells nothing of the machine that built it', async () => {
    const places = [ROOT.replace(/[\\/]$/, ''), homedir(), process.env.CARGO_HOME, '/registry/src/'].filter((place) => place && place.length > 1);
    for (const name of FILES) {
      const text = await file(name, 'latin1');
      for (const place of places) {
        const at = text.indexOf(place);
        assert.equal(at, -1, `${name} holds ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 120))}`);
      }
    }
  });

  it('has the licence of each crate that is linked, and of no other', async () => {
    const [list, texts] = (await file('THIRD-PARTY.txt')).split('\nTheir texts:\n');
    const tree = await run(
      process.env.CARGO ?? 'cargo',
      ['tree', '--locked', '--package', 'signal-relay', '--edges', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}|{l}'],
      { cwd: ROOT },
    );
    const crates = tree
      .split('\n')
      .filter((text) => text && !text.includes(ROOT))
      .map((text) => text.replace(/ v([^\s|]+)[^|]*/, ' $1').replace(/ \(\*\)$/, ''));
    const listed = list.split('\n').map((text) => text.replace(/ {2,}/, '|'));
    for (const crate of new Set(crates)) assert.ok(listed.includes(crate), `${crate} isn't listed`);
    const titles = listed.filter((text) => text.includes('|')).map((text) => text.split('|')[0]);
    assert.equal(titles.length, new Set(crates).size + 1, 'the standard library is listed besides');
    for (const title of titles) assert.match(texts, new RegExp(`^(.*, )?${title.replace(/[.+]/g, '\\$&')}(,|$)`, 'm'));
  });

  it('has links in its documents that lead somewhere', async () => {
    for (const name of FILES.filter((path) => path.endsWith('.md'))) {
      const text = await file(name);
      const { repository } = /^repository = "(?<repository>.*)"$/m.exec(await readFile(join(ROOT, 'Cargo.toml'), 'utf8')).groups;
      for (const [, target] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        const path = target.startsWith(repository) ? join(ROOT, target.slice(`${repository}/blob/main`.length)) : join(release.unpacked, target);
        assert.ok(/^https?:/.test(target) || existsSync(path), `${name} links to ${target}`);
        if (target.startsWith(repository)) assert.ok(existsSync(path), `${name} links to ${target}`);
      }
    }
  });
});

describe('the program', () => {
  it('has the version of the crate', async () => {
    const manifest = await readFile(join(ROOT, 'relay/Cargo.toml'), 'utf8');
    const [, version] = /^version = "(.*)"$/m.exec(manifest);
    assert.equal(await run(relay, ['--version']), `signal-relay ${version}\n`);
    assert.ok(release.archive.startsWith(`signal-relay-${version}-`));
  });

  it('accepts the settings beside it, also those that are commented out', async () => {
    await run(relay, ['--config', 'signal-relay.toml', '--check'], { cwd: release.unpacked });
    const all = (await file('signal-relay.toml')).replaceAll(/^#(?=[a-z-]+ = )/gm, '');
    // Those that name files, which this machine doesn't have, can't be checked.
    const known = await run(relay, ['--help']);
    for (const [, name] of all.matchAll(/^([a-z-]+) = /gm)) assert.match(known, new RegExp(`--${name} `), name);
  });

  it('starts with them, answers, and stops', TIMEOUT, async () => {
    const child = spawn(relay, ['--config', 'signal-relay.toml', '--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0'], { cwd: release.unpacked, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    try {
      const [[, address], [, metrics]] = await Promise.all([line(child.stdout, /listening on (http:\S+)\//), line(child.stderr, /metrics on (http:\S+)$/)]);
      const signal = AbortSignal.timeout(deadline(30_000));
      assert.equal((await fetch(`${address}/healthz`, { signal })).status, 200);
      assert.match(await (await fetch(metrics, { signal })).text(), /^signal_relay_build_info/m);
      child.stderr.resume();
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
