#!/usr/bin/env node
// The command of the npm package `signal-relay`. The program itself is in an optional package, of
// which npm installs the one for this platform.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';

/** Those that a program can be asked to end by, and those that mean something to the relay. */
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1'];

/** Those that a terminal sends to all programs in it, the relay among them. */
const OF_TERMINALS = ['SIGHUP', 'SIGINT', 'SIGQUIT'];

const require = createRequire(import.meta.url);
const { optionalDependencies: packages } = require('./package.json');

/** Ends with one sentence. */
function fail(sentence) {
  console.error(`signal-relay: ${sentence}`);
  process.exit(1);
}

/** Such as `linux-x64`. The programs for Linux need glibc. */
function platform() {
  const name = `${process.platform}-${process.arch}`;
  const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
  return isMusl ? `${name}-musl` : name;
}

/** The path of the program for this platform. */
function program() {
  const name = `signal-relay-${process.platform}-${process.arch}`;
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), process.platform === 'win32' ? 'signal-relay.exe' : 'signal-relay');
  } catch {
    const wanted = `signal-relay-${platform()}`;
    if (wanted in packages) return fail(`the package ${wanted} isn't installed, which has the program for this platform; install signal-relay again on this platform, and without --omit=optional`);
    const known = Object.keys(packages).map((each) => each.slice('signal-relay-'.length));
    return fail(`there is no program for ${platform()}, only for ${known.join(', ')}; build it with Rust from the sources of signal-wasm: cargo install --path relay --profile relay --locked`);
  }
}

const path = program();
const relay = spawn(path, process.argv.slice(2), { stdio: 'inherit' });
for (const signal of SIGNALS) {
  process.on(signal, () => {
    // A second SIGINT would stop the relay at once, without a word to its clients.
    const hasIt = process.stdin.isTTY && OF_TERMINALS.includes(signal);
    if (!hasIt && process.platform !== 'win32') relay.kill(signal);
  });
}
relay.on('error', ({ message }) => fail(`can't start ${path}: ${message}`));
relay.on('exit', (code, signal) => {
  if (!signal) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
