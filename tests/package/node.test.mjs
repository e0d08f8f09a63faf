// The package in Node alone: every entry can be imported without a browser, as server-side
// rendering does.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import { makeConsumer, run } from './consumer.mjs';

let consumer;

before(async () => {
  consumer = await makeConsumer();
}, TIMEOUT);
after(() => consumer?.remove(), TIMEOUT);

/** Runs a module in the project and gives what it prints, as JSON. */
async function node(name, source) {
  const file = join(consumer.folder, `${name}.mjs`);
  await writeFile(file, source);
  return JSON.parse(await run(process.execPath, ['--no-warnings', file], { cwd: consumer.folder }));
}

// Node 22 and later have a WebSocket of their own; these tests are about a place that has none.
const ASK = `
delete globalThis.WebSocket;
function ask(use) {
  try {
    use();
    return 'no error';
  } catch (error) {
    return { code: error.code, message: error.message, isError: error instanceof Error };
  }
}
`;

describe('bare Node', () => {
  it('imports every entry, which adds nothing to the globals but SignalWasm and io', async () => {
    const before = 'const before = new Set(Object.getOwnPropertyNames(globalThis));';
    const added = await node(
      'import-all',
      `${before}
      const entries = {};
      for (const entry of ['signal-wasm', 'signal-wasm/inline', 'signal-wasm/transports', 'signal-wasm/room', 'signal-wasm/call', 'signal-wasm/rtcmulticonnection']) entries[entry] = Object.keys(await import(entry)).sort();
      entries.before = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name));
      await import('signal-wasm/global');
      entries.added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name));
      entries.global = Object.keys(SignalWasm).sort();
      await import('signal-wasm/global-transports');
      entries['global-transports'] = [...Object.keys(SignalWasm).filter((name) => !entries.global.includes(name)), Object.keys(SignalWasm.transports).sort()];
      await import('signal-wasm/global-rtcmulticonnection');
      entries['global-rtcmulticonnection'] = [...Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)), typeof SignalWasm.rtcMultiConnectionSocket, typeof io.connect];
      console.log(JSON.stringify(entries));`,
    );
    const transports = ['broadcastChannel', 'hubConnection', 'hubProxy', 'socketIo', 'websync'];
    const names = ['Signaling', 'configure', 'openSignalingChannel', 'openSocket'];
    assert.deepEqual(added, {
      'signal-wasm': ['Signaling', 'configure', 'default', 'initSync', 'openSignalingChannel', 'openSocket'],
      'signal-wasm/inline': names,
      'signal-wasm/transports': transports,
      'signal-wasm/room': ['joinRoom'],
      'signal-wasm/call': ['Call'],
      'signal-wasm/rtcmulticonnection': ['rtcMultiConnectionSocket'],
      before: [],
      added: ['SignalWasm'],
      global: names,
      'global-transports': ['transports', transports],
      'global-rtcmulticonnection': ['SignalWasm', 'io', 'function', 'function'],
    });
  });

  it('says which script is missing where the transports come before the library', async () => {
    const message = await node('too-soon', `console.log(JSON.stringify(await import('signal-wasm/global-transports').then(() => 'no error', ({ message }) => message)));`);
    assert.match(message, /global\.js/);
  });

  it('leaves nothing running: the process ends by itself', async () => {
    assert.deepEqual(await node('ends', `await import('signal-wasm/inline');\nconsole.log('"done"');`), 'done');
  });

  it('answers a call before init with code not-initialised', async () => {
    const answer = await node(
      'early',
      `${ASK}
      const { openSocket } = await import('signal-wasm');
      console.log(JSON.stringify(ask(() => openSocket({}))));`,
    );
    assert.equal(answer.code, 'not-initialised');
    assert.match(answer.message, /\binit\b/);
    assert.equal(answer.isError, true);
  });

  it('answers a call without a page to belong to with code bad-url', async () => {
    const answer = await node(
      'nowhere',
      `${ASK}
      const { openSocket } = await import('signal-wasm/inline');
      console.log(JSON.stringify(ask(() => openSocket({}))));`,
    );
    assert.equal(answer.code, 'bad-url');
    assert.match(answer.message, /\burl\b/);
  });

  it('tells the page where there is no WebSocket', async () => {
    const answer = await node(
      'no-socket',
      `${ASK}
      const { readFile } = await import('node:fs/promises');
      const { initSync, Signaling } = await import('signal-wasm');
      const { fileURLToPath } = await import('node:url');
      initSync({ module: await readFile(fileURLToPath(import.meta.resolve('signal-wasm/signal_wasm_bg.wasm'))) });
      const errors = [];
      const signaling = new Signaling({ url: 'ws://127.0.0.1:1/', onerror: ({ code, message }) => errors.push({ code, message }) });
      const thrown = ask(() => signaling.openSocket({}));
      // An error that isn't thrown is reported before the next task.
      setTimeout(() => {
        const state = signaling.state;
        signaling.close();
        console.log(JSON.stringify({ thrown, errors, state }));
      });`,
    );
    const error = answer.thrown === 'no error' ? answer.errors[0] : answer.thrown;
    assert.ok(error, `nothing was thrown and nothing told; state ${answer.state}`);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /WebSocket/);
  });

  it('goes on after handlers that throw, with no reportError and a console that throws', async () => {
    const { received, sent, state } = await node(
      'throwing',
      `const { Signaling } = await import('signal-wasm/inline');
      delete globalThis.reportError;
      const say = console.log;
      console.error = () => { throw new Error('of the console'); };
      const fail = () => { throw new Error('of the page'); };
      const received = [], sent = [];
      const transport = { send: (text) => sent.push(JSON.parse(text).message) };
      const signaling = new Signaling({ transport, onstatechange: fail, onframe: fail, onerror: fail });
      signaling.openSocket({ channel: 'a', onmessage: fail });
      const handle = signaling.openSocket({ channel: 'b', onmessage: (message) => received.push(message) });
      for (const text of ['{"sender":1,"channel":"a","message":1}', 'no envelope', '{"sender":1,"channel":"b","message":2}']) transport.onmessage(text);
      handle.send(3);
      say(JSON.stringify({ received, sent, state: signaling.state }));
      signaling.close();`,
    );
    assert.deepEqual({ received, sent, state }, { received: [2], sent: [3], state: 'open' });
  });

  it('fires events', async () => {
    const fired = await node(
      'events',
      `const { configure, Signaling } = await import('signal-wasm/inline');
      const fired = [];
      for (const make of [configure, (options) => new Signaling(options)]) {
        const transport = { send() {} };
        const signaling = make({ transport });
        for (const type of ['statechange', 'error']) signaling.addEventListener(type, ({ state, error }) => fired.push(state ?? error.code));
        signaling.openSocket({ channel: 'a' });
        transport.onmessage('no envelope');
        signaling.close();
      }
      await new Promise((done) => setTimeout(done));
      console.log(JSON.stringify(fired));`,
    );
    const once = ['connecting', 'open', 'bad-frame', 'closed'];
    assert.deepEqual(fired, [...once, ...once]);
  });

  it('can be required, where Node can require modules', async (context) => {
    if (!process.features.require_module) {
      const why = `Node ${process.version} can't require modules; 20.19 and later can`;
      assert.notEqual(process.env.CI, 'true', why);
      return context.skip(why);
    }
    const names = await node(
      'requires',
      `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      console.log(JSON.stringify(Object.keys(require('signal-wasm/inline')).sort()));`,
    );
    assert.ok(names.includes('openSocket'), `it gave ${names.join(', ')}`);
  });
});
