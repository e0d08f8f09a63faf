// Loading the entry `signal-wasm`: what `init` and `initSync` take, several calls, and failures.
//
// What's tested:
// ✔ every way to name the module, and wasm-bindgen's older `init(url)`
// ✔ streaming only where the server names the type application/wasm
// ✔ calls at the same time share one loading; further calls load nothing
// ✔ a failed loading is worded, and can be repeated
// ✔ initSync, also while init is loading
// ✔ a call before init is refused with the function's name; `Signaling` keeps its name

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { ROOT } from './consumer.mjs';

const DIST = pathToFileURL(join(ROOT, 'dist/'));
const TYPES = { 'streamed.wasm': 'application/wasm', 'plain.wasm': 'application/octet-stream' };

let bytes;
let server;
let requests;
let isThere;
before(async () => {
  // Node 20 has none, and no connection is needed to see that a channel was opened.
  globalThis.WebSocket = class extends EventTarget {
    close() {}
  };
  bytes = await readFile(new URL('signal_wasm_bg.wasm', DIST));
  server = await serveFiles({
    '/': (path) => {
      requests.push(path);
      return path in TYPES && isThere ? { type: TYPES[path], body: bytes } : undefined;
    },
  });
}, TIMEOUT);
after(() => server?.close(), TIMEOUT);
beforeEach(() => {
  requests = [];
  isThere = true;
}, TIMEOUT);

const url = (path = 'streamed.wasm') => `${server.origin}/${path}`;

/** The entry, not loaded yet: with another query it is another module. */
let count = 0;
const fresh = () => import(`${new URL('signal_wasm.js', DIST)}?${count++}`);

/** Whether the entry's functions can be called. */
function works({ Signaling }) {
  const signaling = new Signaling({ url: 'ws://127.0.0.1:1/' });
  return signaling instanceof Signaling && signaling.state === 'idle';
}

describe('init', () => {
  const ways = {
    'a string': () => url(),
    'a URL': () => new URL(url()),
    'a Request': () => new Request(url()),
    'a Response': () => fetch(url()),
    'an ArrayBuffer': () => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    'a Uint8Array': () => bytes,
    'a compiled module': () => WebAssembly.compile(bytes),
  };
  for (const [name, make] of Object.entries(ways)) {
    it(`takes ${name}`, async () => {
      const entry = await fresh();
      assert.equal(await entry.default({ module_or_path: await make() }), undefined);
      assert.ok(works(entry));
    });
  }

  it('takes a promise as module_or_path, and the older form without a member', async () => {
    for (const argument of [{ module_or_path: Promise.resolve(url()) }, url(), new URL(url()), bytes, fetch(url())]) {
      const entry = await fresh();
      await entry.default(argument);
      assert.ok(works(entry));
    }
  });

  it('compiles while it loads only where the server names the right type', async (context) => {
    const streaming = context.mock.method(WebAssembly, 'compileStreaming');
    for (const [path, calls] of [['plain.wasm', 0], ['streamed.wasm', 1]]) {
      const entry = await fresh();
      await entry.default({ module_or_path: url(path) });
      assert.ok(works(entry));
      assert.equal(streaming.mock.callCount(), calls, path);
    }
  });

  it('loads once for calls at the same time, and nothing afterwards', async () => {
    const entry = await fresh();
    await Promise.all([1, 2, 3].map(() => entry.default({ module_or_path: url() })));
    const { configure } = entry;
    const signaling = configure({ url: 'ws://127.0.0.1:1/' });
    await entry.default({ module_or_path: url() });
    entry.initSync({ module: bytes });
    assert.deepEqual(requests, ['streamed.wasm']);
    // The module is still the one that made this signaling.
    signaling.openSocket({ channel: 'a' });
    assert.throws(() => configure({}), { code: 'in-use' });
    signaling.close();
  });

  it('says where no module was, to each call, and can be called again', async () => {
    const entry = await fresh();
    isThere = false;
    const calls = await Promise.allSettled([1, 2].map(() => entry.default({ module_or_path: url() })));
    for (const { reason } of calls) {
      assert.match(reason.message, /^init: no module at .*streamed\.wasm \(answered with 404\); .*module_or_path/);
    }
    assert.deepEqual(requests, ['streamed.wasm']);
    await assert.rejects(entry.default({ module_or_path: 'http://127.0.0.1:1/a.wasm' }), /no module at http:\/\/127\.0\.0\.1:1\/a\.wasm \(TypeError: /);
    await assert.rejects(entry.default({ module_or_path: new Uint8Array([1, 2, 3, 4]) }), WebAssembly.CompileError);
    isThere = true;
    await entry.default({ module_or_path: url() });
    assert.ok(works(entry));
  });
});

describe('initSync', () => {
  it('takes bytes and a compiled module', async () => {
    for (const module of [bytes, await WebAssembly.compile(bytes)]) {
      const entry = await fresh();
      assert.equal(entry.initSync({ module }), undefined);
      assert.ok(works(entry));
    }
  });

  it('counts, and not the init that is still loading', async () => {
    const entry = await fresh();
    const loading = entry.default({ module_or_path: url() });
    entry.initSync({ module: bytes });
    const signaling = entry.configure({ url: 'ws://127.0.0.1:1/' });
    signaling.openSocket({ channel: 'a' });
    await loading;
    assert.throws(() => entry.configure({}), { code: 'in-use' });
    signaling.close();
  });
});

describe('the functions', () => {
  it('are refused by name before init', async () => {
    const { configure, openSignalingChannel, openSocket, Signaling } = await fresh();
    const calls = {
      configure: () => configure({}),
      openSignalingChannel: () => openSignalingChannel({}),
      openSocket: () => openSocket({}),
      'new Signaling': () => new Signaling({}),
    };
    for (const [name, call] of Object.entries(calls)) {
      assert.throws(call, (error) => {
        assert.deepEqual([error.name, error.code], ['SignalingError', 'not-initialised']);
        assert.ok(error.message.startsWith(`${name} was called before signal-wasm was initialised: \`await init()\``), error.message);
        return true;
      });
    }
  });

  it('keep the name of the class at every entry, and make instances of it', async () => {
    await import(new URL('global.js', DIST));
    const entry = await fresh();
    entry.initSync({ module: bytes });
    for (const { Signaling, configure } of [entry, await import(new URL('inline.js', DIST)), globalThis.SignalWasm]) {
      assert.equal(Signaling.name, 'Signaling');
      assert.ok(configure({ url: 'ws://127.0.0.1:1/' }) instanceof Signaling);
    }
  });
});
