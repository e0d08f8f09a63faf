// A static file server for tests and benches: folders under path prefixes, on a free port of the
// loopback interface or beside another server's.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, isAbsolute, join, relative, resolve } from 'node:path';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};

/**
 * Serves `mounts`, such as `{ '/': 'www', '/signal-wasm': 'dist' }`; the longest prefix wins, a
 * folder gives its index.html. A mount may also be a function `(path) => undefined | string | {
 * type, body }` for pages that a test makes up.
 *
 * `headers` go with every answer, for instance a Content-Security-Policy.
 */
export async function serveFiles(mounts, options = {}) {
  const server = createServer(fileHandler(mounts, options));
  await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** What `serveFiles` does with each request, for servers that have other things to answer too. */
export function fileHandler(mounts, { headers = {} } = {}) {
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);

  return async (request, response) => {
    const answer = (status, type, body) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache', ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    try {
      const path = decodeURIComponent(new URL(request.url, 'http://local/').pathname);
      const found = await find(path);
      if (found) answer(200, found.type, found.body);
      else answer(404, 'text/plain; charset=utf-8', `there is no ${path} here\n`);
    } catch (error) {
      answer(400, 'text/plain; charset=utf-8', `${error}\n`);
    }
  };

  async function find(path) {
    for (const prefix of prefixes) {
      const base = prefix.replace(/\/+$/, '');
      if (path !== base && !path.startsWith(`${base}/`)) continue;
      const rest = path.slice(base.length + 1);
      const mount = mounts[prefix];
      if (typeof mount === 'function') {
        const made = await mount(rest);
        if (made === undefined) continue;
        return typeof made === 'string' ? { type: TYPES[extname(rest)] ?? TYPES['.html'], body: made } : made;
      }
      return file(mount, rest);
    }
    return undefined;
  }
}

async function file(folder, rest) {
  const root = resolve(folder);
  const wanted = resolve(join(root, rest));
  const inside = relative(root, wanted);
  if (inside.startsWith('..') || isAbsolute(inside)) return undefined;
  for (const path of rest === '' || rest.endsWith('/') ? [join(wanted, 'index.html')] : [wanted]) {
    try {
      return { type: TYPES[extname(path)] ?? 'application/octet-stream', body: await readFile(path) };
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'EISDIR' && error.code !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}
