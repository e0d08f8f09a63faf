// The two kinds of signaling server that tests and benches talk to: the seed's broadcast server, on
// npm ws, and our own relay.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The mounts of `npm start`, for `serveFiles`. */
export const MOUNTS = {
  '/': join(ROOT, 'www'),
  '/signal-wasm': join(ROOT, 'dist'),
  '/vendor/datachannel': join(ROOT, 'node_modules/datachannel'),
  '/vendor/rtcmulticonnection': join(ROOT, 'node_modules/rtcmulticonnection'),
  '/vendor/rtcmulticonnection-3': join(ROOT, 'node_modules/rtcmulticonnection-3/dist'),
  '/vendor/webrtc-adapter': join(ROOT, 'node_modules/webrtc-adapter/out'),
  '/vendor/fbr': join(ROOT, 'node_modules/fbr'),
  '/socket.io': join(ROOT, 'node_modules/socket.io-client/dist'),
  '/vendor/@microsoft/signalr': join(ROOT, 'node_modules/@microsoft/signalr/dist/browser'),
  '/vendor/signalr': join(ROOT, 'node_modules/signalr'),
  '/vendor/jquery-3': join(ROOT, 'node_modules/jquery/dist'),
};

/** The same mounts as arguments for `relay`. */
export const MOUNT_ARGS = Object.entries(MOUNTS).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]);

/**
 * The server that the seed describes (`socket.broadcast.emit`), on plain WebSocket: every message
 * goes to all others. `connections()` tells how many pages are connected, `port` lets a test start
 * it again in the same place, `echo` makes it one of those that send every message back to its
 * sender too, `greeting` is sent to each page that connects, `frame` makes the frame that others are
 * sent of a message, `subprotocol` is what it speaks alone.
 */
export async function seedServer({ port = 0, echo = false, greeting, frame, subprotocol } = {}) {
  const handleProtocols = (offered) => offered.has(subprotocol) && subprotocol;
  const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, handleProtocols });
  await new Promise((done, fail) => server.once('listening', done).once('error', fail));

  server.on('connection', (socket) => {
    socket.on('error', () => {});
    if (greeting !== undefined) socket.send(greeting);
    socket.on('message', (data, binary) => {
      for (const other of server.clients) {
        if ((!echo && other === socket) || other.readyState !== WebSocket.OPEN) continue;
        if (frame) other.send(frame(data));
        else other.send(data, { binary });
      }
    });
  });

  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    port: server.address().port,
    connections: () => server.clients.size,
    close: () =>
      new Promise((done) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => done());
      }),
  };
}

/** The relay's binary: `$SIGNAL_RELAY`, else what `cargo xtask build` made. */
export function relayPath() {
  const path = process.env.SIGNAL_RELAY || join(ROOT, 'target/relay', process.platform === 'win32' ? 'signal-relay.exe' : 'signal-relay');
  if (existsSync(path)) return path;
  throw new Error(`no relay at ${path}; run: cargo xtask build (or set SIGNAL_RELAY to the path of the binary)`);
}

/**
 * Starts our relay on a free port, with `args` added to its command line, and waits until it
 * accepts connections. `program` is another build of it; `enter` are words before it. `close()` ends it as a service manager would (SIGTERM) and gives `{ code,
 * signal }`; `kill()` ends it at once (SIGKILL).
 */
export async function relay({ args = [], program = relayPath(), enter = [] } = {}) {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const [first, ...words] = [...enter, program, ...listen, ...args];
  const child = spawn(first, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const reap = () => child.kill('SIGKILL');
  process.once('exit', reap);

  let out = '';
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  const ended = new Promise((done) =>
    child.once('close', (code, signal) => {
      process.removeListener('exit', reap);
      done({ code, signal });
    }),
  );

  const origin = await new Promise((done, fail) => {
    child.once('error', fail);
    ended.then(({ code, signal }) => fail(new Error(`signal-relay ended (${signal ?? code}) before it listened:\n${out}${err}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
      const line = /^signal-relay listening on (http:\/\/[^\s/]+)\/\s*$/m.exec(out);
      if (line) done(line[1]);
    });
  });

  return {
    origin,
    url: `${origin.replace(/^http/, 'ws')}/`,
    port: Number(new URL(origin).port),
    pid: child.pid,
    stdout: () => out,
    stderr: () => err,
    close: () => (child.kill('SIGTERM'), ended),
    kill: () => (child.kill('SIGKILL'), ended),
  };
}
