// NATS servers with JetStream: one, or three that form a cluster.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { freePort } from './children.mjs';
import { until } from './deadline.mjs';
import { programPath } from './programs.mjs';

const PROGRAM = { what: 'nats-server', variable: 'NATS_PROGRAM', names: ['nats-server'], debian: 'nats-server' };

/** Why there can be no NATS here, or `false`: for the option `skip` of tests. */
export function missingNats() {
  try {
    programPath(PROGRAM);
    return false;
  } catch (error) {
    return error.message;
  }
}

/**
 * Starts so many servers. `ports` are those for clients, `pids` their first processes. `kill(index)` ends one at once, and
 * `restart(index)` starts it again with what is in its files. `close()` ends all.
 */
export async function nats(count = 1) {
  const program = programPath(PROGRAM);
  const folder = await mkdtemp(join(tmpdir(), 'signal-nats-'));
  const free = () => Promise.all(Array.from({ length: count }, freePort));
  const [ports, routes] = [await free(), await free()];
  const children = [];

  const begin = async (index) => {
    const child = spawn(program, ['--config', join(folder, `${index}.conf`)], { stdio: 'ignore' });
    const reap = () => child.kill('SIGKILL');
    process.once('exit', reap);
    const ended = new Promise((done) => child.once('close', done));
    ended.then(() => process.removeListener('exit', reap));
    children[index] = { child, ended };
    await until(() => answers(ports[index]));
  };
  for (const index of ports.keys()) {
    await writeFile(join(folder, `${index}.conf`), configuration(index, folder, ports, routes));
    await begin(index);
  }
  const kill = (index) => (children[index].child.kill('SIGKILL'), children[index].ended);
  return {
    ports,
    pids: children.map(({ child }) => child.pid),
    kill,
    restart: begin,
    close: async () => {
      await Promise.all(ports.map((_, index) => kill(index)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(index, folder, ports, routes) {
  const alone = `
listen: 127.0.0.1:${ports[index]}
server_name: "nats-${index}"
jetstream { store_dir: "${join(folder, String(index))}" }
`;
  if (ports.length === 1) return alone;
  const others = routes.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  // Clients aren't told of the others: tests cut them off from all.
  return `${alone}
cluster { name: tests, listen: "127.0.0.1:${routes[index]}", no_advertise: true, routes: [${others}] }
`;
}

function answers(port) {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('data', () => (socket.destroy(), done(true))).once('error', () => done(false));
  });
}
