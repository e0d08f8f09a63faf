// Programs that tests start, and that end with them.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import process from 'node:process';

/** Runs a program that ends when its standard input does, as it does when this process is killed. */
const UNTIL_END = '"$@" & while read -r line; do :; done; kill $!';

/**
 * Starts a program that runs until `end()`, or until this process ends. `ended` rejects when it does.
 *
 * @param {string} path
 * @param {string[]} args
 * @param {Record<string, string>} variables
 * @param {string} [cwd]
 */
export function start(path, args, variables = {}, cwd = process.cwd()) {
  const child = spawn('sh', ['-c', UNTIL_END, 'sh', path, ...args], {
    cwd,
    env: { ...process.env, ...variables },
    stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
  });
  const closed = new Promise((done) => child.once('error', done).once('close', done));
  const ended = closed.then(() => Promise.reject(new Error(`${path} has ended`)));
  ended.catch(() => {});
  const end = () => {
    child.stdin.end();
    return closed;
  };
  return { child, ended, end };
}

/**
 * A port that is free at the moment, for programs that can't pick one by themselves. It is none that
 * the system gives to those that can, so none of these takes it before the program does.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const isFree = await new Promise((done) => {
      const server = createServer().once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (isFree) return port;
  }
}
