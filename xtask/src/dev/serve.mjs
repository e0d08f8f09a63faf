// `npm run dev`: serves the demo as `npm start` does, watches the sources, builds what has changed,
// and reloads the open pages.
//
// ```text
// pages ── this server ──► relay     HTML gets a script that waits for `reload`
// ```
//
// `cargo xtask dev` starts it in the root of the project, with the relay's program, the program that
// builds (`xtask`), and the folders to serve. Other arguments go to the relay.

import { spawn } from 'node:child_process';
import { existsSync, statSync, watch } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';
import { basename } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

/** What is watched. Pages need no build of the first. */
const FOLDERS = ['www', 'npm', 'src', 'wire', 'relay'];
const UNBUILT = 'www';
/** Editors write a file in several steps: so many milliseconds after the last one it is whole. */
const CALM = 50;

const RELOAD = '/@dev/reload.js';
const EVENTS = '/@dev/events';
const SCRIPT = `new EventSource('${EVENTS}').onmessage = () => location.reload();\n`;

const { values: options, positionals: others } = parseArgs({
  allowPositionals: true,
  options: {
    relay: { type: 'string' },
    builder: { type: 'string' },
    mount: { type: 'string', multiple: true, default: [] },
    listen: { type: 'string', default: '127.0.0.1:8888' },
  },
});

let relay;
/** The open pages. */
const pages = new Set();
/** The folders that have changed. */
const changed = new Set();
let calm;
let isUpdating = false;

await startRelay();
for (const folder of FOLDERS.filter((folder) => existsSync(folder))) {
  watch(folder, { recursive: true }, (_, path) => {
    // Editors' own files.
    if (/^\.|~$/.test(basename(path ?? ''))) return;
    changed.add(folder);
    clearTimeout(calm);
    calm = setTimeout(update, CALM);
  });
}
serve();

/** Builds if that is needed, and reloads the pages. */
async function update() {
  // What changes meanwhile is looked at afterwards.
  if (isUpdating) return;
  isUpdating = true;
  while (changed.size > 0) {
    const folders = [...changed];
    changed.clear();
    console.log(`Changed: ${folders.join(', ')}`);
    if (folders.every((folder) => folder === UNBUILT) || (await build())) reload();
  }
  isUpdating = false;
}

/** Whether it could be built. */
async function build() {
  const began = performance.now();
  const child = spawn(options.builder, ['build', '--dev'], { stdio: 'inherit' });
  const code = await new Promise((done) => child.once('close', done).once('error', done));
  if (code !== 0) {
    console.log('The build failed. Pages stay as they are until the next change.');
    return false;
  }
  console.log(`Built in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  if (builtAt() !== relay.builtAt) await startRelay();
  return true;
}

function reload() {
  for (const page of pages) page.write('data: reload\n\n');
}

/** Starts the relay on a free port, in place of the one that runs. */
async function startRelay() {
  if (relay) {
    relay.child.removeAllListeners('close');
    relay.child.kill();
  }
  const made = builtAt();
  const mounts = options.mount.flatMap((mount) => ['--mount', mount]);
  const child = spawn(options.relay, ['--listen', '127.0.0.1:0', ...mounts, ...others], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.once('error', fail);
  child.once('close', (code) => fail(new Error(`the relay ended (${code})`)));
  let said = '';
  const port = await new Promise((done) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const line = /^signal-relay listening on \S+:(\d+)\/\s*$/m.exec(said);
      if (line) done(Number(line[1]));
    });
  });
  relay = { child, port, builtAt: made };
}

/** When the relay's program was built. */
function builtAt() {
  return statSync(options.relay).mtimeMs;
}

function serve() {
  const at = options.listen.lastIndexOf(':');
  const [host, port] = [options.listen.slice(0, at), Number(options.listen.slice(at + 1))];
  const server = createServer(answer);
  server.on('upgrade', tunnel);
  server.on('error', fail);
  server.listen(port, host, () => console.log(`The demo is at http://${host}:${server.address().port}/ and follows each change of ${FOLDERS.join(', ')}.`));
}

function answer(request, response) {
  if (request.url === RELOAD) {
    response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' });
    response.end(SCRIPT);
  } else if (request.url === EVENTS) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    pages.add(response);
    response.once('close', () => pages.delete(response));
  } else {
    pass(request, response);
  }
}

/** Lets the relay answer. */
function pass(request, response) {
  const headers = { ...request.headers };
  // HTML comes whole and plain, because a line is added.
  if (headers.accept?.includes('text/html')) {
    for (const name of ['accept-encoding', 'if-none-match', 'if-modified-since', 'range']) delete headers[name];
  }
  const onward = ask({ host: '127.0.0.1', port: relay.port, method: request.method, path: request.url, headers }, (from) => {
    const isPage = from.statusCode === 200 && request.method === 'GET' && from.headers['content-type']?.startsWith('text/html') && !from.headers['content-encoding'];
    if (!isPage) {
      response.writeHead(from.statusCode, from.headers);
      from.pipe(response);
      return;
    }
    const parts = [];
    from.on('data', (part) => parts.push(part));
    from.on('end', () => {
      const body = Buffer.concat([...parts, Buffer.from(`<script src="${RELOAD}"></script>\n`)]);
      response.writeHead(200, { ...from.headers, 'content-length': body.length, 'cache-control': 'no-store' });
      response.end(body);
    });
  });
  onward.on('error', () => response.destroy());
  response.once('close', () => onward.destroy());
  request.pipe(onward);
}

/** Lets the relay answer a WebSocket, byte by byte. */
function tunnel(request, near, head) {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let at = 0; at < request.rawHeaders.length; at += 2) lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
  const far = connect(relay.port, '127.0.0.1', () => {
    far.write(`${lines.join('\r\n')}\r\n\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
  });
  for (const [one, other] of [[near, far], [far, near]]) {
    one.on('error', () => other.destroy());
    one.once('close', () => other.destroy());
  }
}

function fail(error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}

process.once('exit', () => relay?.child.kill());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
