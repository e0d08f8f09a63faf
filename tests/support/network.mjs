// Hosts on a network of their own, each a network namespace of Linux, for faults that only a network
// has: packets vanish without a sign. All of it is inside the namespace of this program, and ends with
// it (see `isolated`). Needs root, and Debian's iproute2 and util-linux.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import { until } from './deadline.mjs';

const run = promisify(execFile);
const ip = (...words) => run('ip', words);
const ISOLATED = 'SIGNAL_ISOLATED';

/**
 * Runs this program once more, with the same arguments, in a network namespace of its own, and gives
 * its exit code. `undefined`: it runs in one already.
 */
export async function isolated() {
  if (process.env[ISOLATED]) return undefined;
  if (process.getuid?.() !== 0) throw new Error('network namespaces need root');
  const words = ['--net', process.execPath, ...process.argv.slice(1)];
  const child = spawn('unshare', words, { stdio: 'inherit', env: { ...process.env, [ISOLATED]: '1' } });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** A network of 10.0.0.0/24, on which this program is 10.0.0.254. */
export async function network() {
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', 'switch', 'type', 'bridge');
  await ip('address', 'add', '10.0.0.254/24', 'dev', 'switch');
  await ip('link', 'set', 'switch', 'up');
  const hosts = [];

  /** Adds the host 10.0.0.`number`. */
  async function host(number) {
    const address = `10.0.0.${number}`;
    const name = `host${number}`;
    // It ends when nobody can write to it any more: also if this program is killed.
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const own = await readlink('/proc/self/ns/net');
    await until(async () => (await readlink(`/proc/${holder.pid}/ns/net`)) !== own);
    const enter = ['nsenter', '--target', String(holder.pid), '--net'];
    const inside = (...words) => run(enter[0], [...enter.slice(1), 'ip', ...words]);
    await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid));
    await ip('link', 'set', name, 'master', 'switch', 'up');
    await inside('address', 'add', `${address}/24`, 'dev', 'eth0');
    await inside('link', 'set', 'eth0', 'up');
    await inside('link', 'set', 'lo', 'up');
    hosts.push(holder);
    return {
      address,
      /** With this before its own words a program runs on the host. */
      enter,
      /** Its cable is pulled out, or put in again. */
      connect: (isConnected) => ip('link', 'set', name, isConnected ? 'up' : 'down'),
      /** Its packets to another host vanish, or no longer do. */
      block: (other, isBlocked) => inside('route', isBlocked ? 'add' : 'delete', 'blackhole', `${other}/32`),
    };
  }

  return {
    host,
    close: async () => {
      for (const holder of hosts) holder.stdin.end();
      await ip('link', 'delete', 'switch');
    },
  };
}
