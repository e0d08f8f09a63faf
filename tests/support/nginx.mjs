// nginx in front of a server: that of Debian, or $NGINX_PROGRAM. (nginx itself reads a variable NGINX.)

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, start } from './children.mjs';
import { until } from './deadline.mjs';
import { programPath } from './programs.mjs';

/** What a `location` needs to hand WebSockets on to the server at that loopback port. */
export const handOn = (port) => `
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;`;

/** Why there can be none here, or `false`: for the option `skip` of tests. */
export function missingNginx() {
  try {
    path();
    return false;
  } catch (error) {
    return error.message;
  }
}

/**
 * Starts one, as this user, in a temporary folder. `server` is what its one `server` block holds
 * besides `listen`. Gives `{ port, origin, url, close() }`.
 *
 * @param {string} server
 */
export async function nginx(server) {
  const folder = await mkdtemp(join(tmpdir(), 'signal-nginx-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, config(folder, port, server));
  const { ended, end } = start(path(), ['-p', folder, '-e', 'stderr', '-c', file]);
  const close = async () => {
    await end();
    await rm(folder, { recursive: true });
  };
  try {
    await Promise.race([ended, until(() => listens(port), 'nginx')]);
  } catch (error) {
    await close();
    throw error;
  }
  const host = `127.0.0.1:${port}`;
  return { port, origin: `http://${host}`, url: `ws://${host}/`, close };
}

function path() {
  return programPath({ what: 'nginx', variable: 'NGINX_PROGRAM', names: ['nginx'], debian: 'nginx' });
}

/** One process in the foreground, which ends by one signal. */
function config(folder, port, server) {
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
  server {
    listen 127.0.0.1:${port};
${server}
  }
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
