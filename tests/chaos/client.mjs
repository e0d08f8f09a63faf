// One member of a chaos run that is no page: a thread of Node's, where the package finds npm ws as
// its WebSocket.

import { parentPort } from 'node:worker_threads';
import { Signaling } from 'signal-wasm/inline';
import { WebSocket } from 'ws';
import { member, tap } from './member.mjs';

// npm ws is an EventEmitter too: an error that nobody listens to ends the thread. A browser's
// WebSocket has no such rule.
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on('error', () => {});
  }
};
const seen = tap(globalThis);
let made;

parentPort.on('message', ({ id, method, argument }) => {
  try {
    if (method === 'make') made = member({ Signaling, seen, ...argument });
    const value = method === 'make' ? undefined : made[method](...(argument ?? []));
    parentPort.postMessage({ id, value });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error?.stack ?? error) });
  }
});
