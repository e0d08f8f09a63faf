// The npm package `signal-relay`, installed from the release's tarballs: it runs the relay as if the
// relay itself had been started.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { WebSocket } from 'ws';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { version } from '../../scripts/versions.mjs';
import { ROOT, run } from './consumer.mjs';

const VERSION = version(ROOT);
const HERE = `signal-relay-${process.platform}-${process.arch}`;
const SERVE = ['--listen', '127.0.0.1:0'];

/** npm's own variables belong to the repository, and nothing is fetched. */
const env = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))), npm_config_offline: 'true' };

let folder;

const release = (name) => join(ROOT, 'release', `${name}-${VERSION}.tgz`);
const modules = (...path) => join(folder, 'node_modules', ...path);
const launcher = () => modules('.bin/signal-relay');
const launch = (args, { path = launcher(), options = {} } = {}) => {
  const child = spawn(path, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const relay = { child, output: '', ended: once(child, 'close') };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      relay.output += text;
    });
  }
  return relay;
};

/** Starts the relay, gives its address to `use`, and ends it. */
async function serving(use, how) {
  const relay = launch(SERVE, how);
  try {
    const address = await until(() => /listening on http:(\S+)/.exec(relay.output)?.[1], `the relay's address in\n${relay.output}`);
    return await use(relay, `ws:${address}`);
  } finally {
    if (relay.child.exitCode === null && relay.child.signalCode === null) relay.child.kill('SIGTERM');
    await relay.ended;
  }
}

/** The first frame that a client receives. */
async function hello(address) {
  const socket = new WebSocket(address);
  try {
    const [frame] = await once(socket, 'message');
    return JSON.parse(String(frame));
  } finally {
    socket.terminate();
  }
}

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'signal-relay-npm-')));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'page', private: true }));
  await run('npm', ['install', '--no-audit', '--no-fund', release('signal-relay'), release(HERE)], { cwd: folder, env });
}, TIMEOUT);
after(() => folder && rm(folder, { recursive: true, force: true }), TIMEOUT);

describe('the packages', () => {
  it('have exactly the files meant', async () => {
    assert.deepEqual((await readdir(modules('signal-relay'))).sort(), ['LICENSE', 'README.md', 'launcher.js', 'package.json']);
    assert.deepEqual((await readdir(modules(HERE))).sort(), ['LICENSE', 'THIRD-PARTY.txt', 'package.json', 'signal-relay']);
  });

  it('run nothing when they are installed, and need no other', async () => {
    for (const name of ['signal-relay', HERE]) {
      const manifest = JSON.parse(await readFile(modules(name, 'package.json'), 'utf8'));
      assert.deepEqual([manifest.name, manifest.version, manifest.scripts, manifest.dependencies], [name, VERSION, undefined, undefined]);
    }
  });

  it('have the program of the archive, for this platform only', async () => {
    const manifest = JSON.parse(await readFile(modules(HERE, 'package.json'), 'utf8'));
    assert.deepEqual([manifest.os, manifest.cpu], [[process.platform], [process.arch]]);
    const command = JSON.parse(await readFile(modules('signal-relay/package.json'), 'utf8'));
    assert.equal(command.optionalDependencies[HERE], VERSION);
    const archive = (await readdir(join(ROOT, 'release'))).find((name) => name.endsWith('.tar.gz'));
    await run('tar', ['-xzf', join(ROOT, 'release', archive), '--strip-components=1', '--wildcards', '*/signal-relay'], { cwd: folder });
    assert.ok((await readFile(join(folder, 'signal-relay'))).equals(await readFile(modules(HERE, 'signal-relay'))));
  });

  it('give publint nothing to say', async () => {
    for (const name of ['signal-relay', HERE]) {
      const file = await readFile(release(name));
      const tarball = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
      const { messages, pkg } = await publint({ pack: { tarball }, level: 'suggestion', strict: true });
      assert.deepEqual(messages.map((message) => formatMessage(message, pkg, { color: false })), []);
    }
  });

  it('have links that lead into the repository', async () => {
    const readme = await readFile(modules('signal-relay/README.md'), 'utf8');
    assert.deepEqual([...readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, target]) => target), []);
  });
});

describe('npx signal-relay', () => {
  it('prints its version', TIMEOUT, async () => {
    assert.equal(await run('npx', ['signal-relay', '--version'], { cwd: folder, env }), `signal-relay ${VERSION}\n`);
  });

  it('serves a hello, and stops with npx', TIMEOUT, async () => {
    const how = { path: 'npx', options: { detached: true } };
    const relay = launch(['signal-relay', ...SERVE], how);
    // As Ctrl+C does, to npx, its shell, the launcher and the relay.
    const interrupt = (signal) => process.kill(-relay.child.pid, signal);
    try {
      const address = await until(() => /listening on http:(\S+)/.exec(relay.output)?.[1], "the relay's address");
      assert.equal((await hello(`ws:${address}`)).signal, 1);
      interrupt('SIGINT');
      await relay.ended;
      await assert.rejects(hello(`ws:${address}`), { code: 'ECONNREFUSED' });
    } catch (error) {
      interrupt('SIGKILL');
      throw error;
    }
  });
});

describe('the launcher', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`passes ${signal} on, and the relay's exit code back`, TIMEOUT, async () => {
      await serving(async (relay, address) => {
        assert.equal((await hello(address)).signal, 1);
        relay.child.kill(signal);
        assert.deepEqual(await relay.ended, [0, null], relay.output);
        assert.ok(relay.output.includes(signal), relay.output);
      });
    });
  }

  it('passes on what the relay does without ending', TIMEOUT, async () => {
    await serving(async (relay, address) => {
      relay.child.kill('SIGHUP');
      await until(() => relay.output.includes('SIGHUP: no setting has changed'));
      relay.child.kill('SIGUSR1');
      await until(() => relay.output.includes('Connected now: '));
      assert.equal((await hello(address)).signal, 1);
    });
  });

  it('ends by the signal that ended the relay', TIMEOUT, async () => {
    await serving(async (relay) => {
      const { pid } = relay.child;
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      process.kill(Number(children.trim()), 'SIGKILL');
      assert.deepEqual(await relay.ended, [null, 'SIGKILL']);
    });
  });

  it('stops the relay once when a terminal sends Ctrl+C to both', TIMEOUT, async () => {
    const how = { path: 'script', options: { stdio: ['pipe', 'pipe', 'pipe'] } };
    // At Ctrl+C a terminal discards what it hasn't shown, which may be the relay's answer.
    const command = `stty noflsh && exec ${launcher()} ${SERVE.join(' ')}`;
    const relay = launch(['--quiet', '--return', '--command', command, '/dev/null'], how);
    await until(() => relay.output.includes('listening on'), "the relay's address");
    relay.child.stdin.write('\x03');
    assert.deepEqual(await relay.ended, [0, null], relay.output);
    assert.equal(relay.output.match(/SIGINT/g)?.length, 1, relay.output);
  });

  it("gives the relay's exit code for arguments that it refuses", async () => {
    const relay = launch(['--no-such-option']);
    assert.deepEqual(await relay.ended, [2, null]);
    assert.match(relay.output, /--no-such-option/);
  });

  it('says what to do where the program is missing', async () => {
    const away = join(folder, 'away');
    await rename(modules(HERE), away);
    try {
      const relay = launch(['--version']);
      assert.deepEqual(await relay.ended, [1, null]);
      assert.equal(relay.output, `signal-relay: the package ${HERE} isn't installed, which has the program for this platform; install signal-relay again on this platform, and without --omit=optional\n`);
    } finally {
      await rename(away, modules(HERE));
    }
  });

  it('says so on a platform without a program', async () => {
    const platform = "data:text/javascript,Object.defineProperty(process, 'platform', { value: 'freebsd' })";
    const relay = launch(['--import', platform, launcher(), '--version'], { path: process.execPath });
    assert.deepEqual(await relay.ended, [1, null]);
    assert.match(relay.output, /^signal-relay: there is no program for freebsd-x64, only for darwin-arm64, .*; build it with Rust .*\n$/);
  });
});
