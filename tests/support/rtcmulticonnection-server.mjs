// npm rtcmulticonnection-server, unmodified: the Socket.IO server of RTCMultiConnection 3, which
// also relays an event that clients name.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT } from './servers.mjs';

/**
 * Starts one, as its own `npm start` does. For frames of the seed clients connect with the query `{
 * socketCustomEvent: 'message' }`: the server hands that event to everyone else.
 */
export async function rtcMultiConnectionServer() {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: join(ROOT, 'node_modules/rtcmulticonnection-server'),
    env: { ...process.env, PORT: '0', IP: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const reap = () => child.kill('SIGKILL');
  process.once('exit', reap);
  let out = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (out += text));
  const ended = new Promise((done) => child.once('close', done)).then(() => process.removeListener('exit', reap));
  const url = await new Promise((done, fail) => {
    child.once('error', fail);
    ended.then(() => fail(new Error(`rtcmulticonnection-server ended before it listened:\n${out}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
      const address = /(http:\/\/127\.0\.0\.1:\d+\/)/.exec(out);
      if (address) done(address[1]);
    });
  });
  return { url, pid: child.pid, output: () => out, close: () => (child.kill('SIGKILL'), ended) };
}
