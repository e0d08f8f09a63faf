// Reverse proxies in front of servers: Debian's nginx, HAProxy and Caddy, or those that variables
// name. `cargo xtask test` unpacks them where they are missing.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, start } from './children.mjs';
import { deadline, until } from './deadline.mjs';
import { programPath } from './programs.mjs';

/** The configurations that documentation shows, in `tests/support/proxies`. */
export const FOLDER = new URL('./proxies/', import.meta.url);

/**
 * After so many seconds of silence the proxies of `relayProxy` drop a connection: more on a busy
 * machine, where answers take longer too.
 */
export const IDLE = Math.min(30, Math.ceil(deadline(4_000) / 1000));

/**
 * Each proxy: the variable that names its program, the ending of its configurations, and
 *
 * * `complete(folder, text)`: a configuration for a test, of one that may be part of a larger;
 * * `args(folder, file)`: how it runs in the foreground with it;
 * * `changes(port, relay)`: what tests change in a configuration of `FOLDER`.
 */
const PROXIES = {
  nginx: {
    variable: 'NGINX_PROGRAM',
    ending: 'conf',
    complete: nginxFile,
    args: (folder, file) => ['-p', folder, '-e', 'stderr', '-c', file],
    changes: (port, relay) => [
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['127.0.0.1:8888', relay],
      ['60s', `${IDLE}s`],
    ],
  },
  haproxy: {
    variable: 'HAPROXY_PROGRAM',
    ending: 'cfg',
    complete: (folder, text) => `global\n    stats socket ${socketPath(folder)}\n\n${text}`,
    args: (folder, file) => ['-db', '-f', file],
    changes: (port, relay) => [
      ['bind :80', `bind 127.0.0.1:${port}`],
      // Without a time-out of its own, a check must be answered within the time between two.
      ['timeout connect 5s', 'timeout connect 5s\n    timeout check 60s'],
      ['127.0.0.1:8888 check', `${relay} check inter 1s`],
      ['60s', `${IDLE}s`],
    ],
  },
  caddy: {
    variable: 'CADDY_PROGRAM',
    ending: 'caddyfile',
    complete: (folder, text) => `{\n\tadmin off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n${text}`,
    args: (folder, file) => ['run', '--adapter', 'caddyfile', '--config', file],
    changes: (port, relay) => [
      ['example.org {', `http://:${port} {\n\tbind 127.0.0.1`],
      // It has no time-outs by itself. With them, a connection that it keeps for later requests would
      // time out meanwhile and fail the next one.
      ['127.0.0.1:8888', `${relay} {\ntransport http {\nkeepalive off\nread_timeout ${IDLE}s\nwrite_timeout ${IDLE}s\n}\n}`],
    ],
  },
};

export const NAMES = Object.keys(PROXIES);

/** The configuration for three relays that share NATS. */
export const CLUSTER = 'haproxy-cluster.cfg';

/** Starts HAProxy in front of the relays at these addresses, with the configuration that documentation shows. */
export async function clusterProxy(addresses) {
  return proxy('haproxy', async (port) => {
    let text = await readFile(new URL(CLUSTER, FOLDER), 'utf8');
    text = text.replace('bind :80', `bind 127.0.0.1:${port}`).replace('timeout connect 5s', 'timeout connect 5s\n    timeout check 60s');
    const servers = [...text.matchAll(/10\.0\.0\.\d:8888/g)];
    if (servers.length !== addresses.length) throw new Error(`${CLUSTER} has ${servers.length} relays`);
    for (const [index, [server]] of servers.entries()) text = text.replace(server, addresses[index]);
    return text;
  });
}

/** The three ways to have a relay behind a proxy: the file's name, and the path where it is found. */
export const PLACES = { 'site': '/', 'prefix-kept': '/signal/', 'prefix-removed': '/signal/' };

/** The file with the configuration of one way. */
export const fileName = (name, place) => `${name}-${place}.${PROXIES[name].ending}`;

/** Why there can be no such proxy here, or `false`: for the option `skip` of tests. */
export function missingProxy(name) {
  try {
    path(name);
    return false;
  } catch (error) {
    return error.message;
  }
}

/**
 * Starts a proxy in front of the relay at that address, with a configuration that documentation
 * shows. Gives the same as `proxy`, and `ask(command)` for HAProxy's socket.
 */
export async function relayProxy(name, place, relay) {
  return proxy(name, async (port) => {
    let text = await readFile(new URL(fileName(name, place), FOLDER), 'utf8');
    for (const [from, to] of PROXIES[name].changes(port, relay)) {
      if (!text.includes(from)) throw new Error(`${fileName(name, place)} has no ${from}`);
      text = text.replaceAll(from, to);
    }
    return text;
  });
}

/**
 * Starts a proxy, as this user, in a temporary folder, with the configuration that `configure(port)`
 * makes. Gives `{ port, origin, url, ask(command), close() }`.
 */
export async function proxy(name, configure) {
  const { complete, args } = PROXIES[name];
  const folder = await mkdtemp(join(tmpdir(), `signal-${name}-`));
  const port = await freePort();
  const file = join(folder, 'configuration');
  await writeFile(file, complete(folder, await configure(port)));
  // Caddy has its data there.
  const { ended, end } = start(path(name), args(folder, file), { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder });
  const close = async () => {
    await end();
    await rm(folder, { recursive: true });
  };
  // HAProxy's socket has its name a moment after the port is open.
  const isReady = async () => (await listens(port)) && (name !== 'haproxy' || existsSync(socketPath(folder)));
  try {
    await Promise.race([ended, until(isReady, name)]);
  } catch (error) {
    await close();
    throw error;
  }
  const host = `127.0.0.1:${port}`;
  return { port, origin: `http://${host}`, url: `ws://${host}/`, ask: (command) => ask(socketPath(folder), command), close };
}

function path(name) {
  return programPath({ what: name, variable: PROXIES[name].variable, names: [name], debian: name });
}

const socketPath = (folder) => join(folder, 'socket');

/** One process in the foreground, which ends by one signal. */
function nginxFile(folder, text) {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr warn;
events {}
http {
  access_log off;
${kinds.map((kind) => `  ${kind}_temp_path ${folder}/${kind};`).join('\n')}
${text}
}
`;
}

function listens(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** What a program answers to a command on its socket. */
function ask(socket, command) {
  return new Promise((done, fail) => {
    let answer = '';
    const connection = connect(socket, () => connection.write(`${command}\n`));
    connection.setEncoding('utf8').on('data', (text) => (answer += text));
    connection.once('error', fail).once('close', () => done(answer));
  });
}
