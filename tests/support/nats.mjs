// NATS servers with JetStream: one, or three that form a cluster.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
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

/** The version of the servers, such as 2.9.10. */
export async function natsVersion() {
  const { stdout } = await promisify(execFile)(programPath(PROGRAM), ['--version']);
  return /\d\S*/.exec(stdout)[0];
}

/**
 * Starts so many servers, on this host or each on one of a network (see network.mjs). `ports` are those for clients, `addresses` have the hosts too, `pids` are their first processes. `kill(index)` ends one at once, and
 * `restart(index)` starts it again with what is in its files. `logs()` gives what each has logged. `close()` ends all.
 */
export async function nats(count = 1, hosts = undefined) {
  const program = programPath(PROGRAM);
  const folder = await mkdtemp(join(tmpdir(), 'signal-nats-'));
  const places = await Promise.all(Array.from({ length: count }, async (_, index) => (hosts ? { ...hosts[index], port: 4222, route: 6222 } : { address: '127.0.0.1', enter: [], port: await freePort(), route: await freePort() })));
  const children = [];

  const begin = async (index) => {
    const { address, port, enter } = places[index];
    const [first, ...words] = [...enter, program, '--config', join(folder, `${index}.conf`)];
    const child = spawn(first, words, { stdio: 'ignore' });
    const reap = () => child.kill('SIGKILL');
    process.once('exit', reap);
    const ended = new Promise((done) => child.once('close', done));
    ended.then(() => process.removeListener('exit', reap));
    children[index] = { child, ended };
    await until(() => answers(address, port));
  };
  for (const index of places.keys()) {
    await writeFile(join(folder, `${index}.conf`), configuration(index, folder, places));
    await begin(index);
  }
  const kill = (index) => (children[index].child.kill('SIGKILL'), children[index].ended);
  return {
    ports: places.map(({ port }) => port),
    addresses: places.map(({ address, port }) => `${address}:${port}`),
    pids: children.map(({ child }) => child.pid),
    kill,
    restart: begin,
    logs: () => Promise.all(places.map((_, index) => readFile(log(folder, index), 'utf8'))),
    close: async () => {
      await Promise.all(places.map((_, index) => kill(index)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(index, folder, places) {
  const { address, port, route } = places[index];
  const alone = `
listen: ${address}:${port}
server_name: "nats-${index}"
log_file: "${log(folder, index)}"
jetstream { store_dir: "${join(folder, String(index))}" }
`;
  if (places.length === 1) return alone;
  const others = places.map(({ address, route }) => `nats://${address}:${route}`).join(', ');
  // Clients aren't told of the others: tests cut them off from all.
  return `${alone}
cluster { name: tests, listen: "${address}:${route}", no_advertise: true, routes: [${others}] }
`;
}

function log(folder, index) {
  return join(folder, `${index}.log`);
}

function answers(host, port) {
  return new Promise((done) => {
    const socket = connect({ host, port });
    socket.once('data', () => (socket.destroy(), done(true))).once('error', () => done(false));
  });
}
