// The package in the places where code runs that isn't a page: test runners, workers, a file that a
// browser opens from the disk, and Node with npm's ws.

import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { relay } from '../support/servers.mjs';
import { makeConsumer, ROOT, run } from './consumer.mjs';

const require = createRequire(import.meta.url);

/** Opens two signalings and gives what one of them hears of the other. */
const HEARS = `
async function hears({ Signaling }, url) {
  const [one, other] = [new Signaling({ url }), new Signaling({ url })];
  try {
    return await new Promise((resolve, reject) => {
      one.onerror = other.onerror = reject;
      const { send } = one.openSocket({ channel: 'runtimes' });
      other.openSocket({ channel: 'runtimes', onmessage: resolve });
      const repeated = setInterval(() => send('hello'), 50);
      other.closed.then(() => clearInterval(repeated));
    });
  } finally {
    one.close();
    other.close();
  }
}
`;

let consumer;
let server;

before(async () => {
  [consumer, server] = await Promise.all([makeConsumer(), relay()]);
  // As if the project had installed them.
  for (const name of ['jest', 'jest-environment-jsdom', 'jsdom', 'vitest', 'ws']) {
    await symlink(dirname(require.resolve(`${name}/package.json`)), join(consumer.folder, 'node_modules', name));
  }
}, TIMEOUT);
after(() => Promise.all([consumer?.remove(), server?.close()]), TIMEOUT);

/** Makes a folder in the project with these files. */
async function project(name, files) {
  const folder = join(consumer.folder, name);
  await mkdir(folder);
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  return folder;
}

/** What a test runner's own variables would change. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_TEST_CONTEXT|NODE_OPTIONS|npm_)/.test(name)));

describe('Node with npm’s ws', () => {
  it('talks', TIMEOUT, async () => {
    const folder = await project('node-ws', {
      'main.mjs': `import { WebSocket } from 'ws';\nimport * as api from 'signal-wasm/inline';\n${HEARS}\nglobalThis.WebSocket = WebSocket;\nconsole.log(await hears(api, ${JSON.stringify(server.url)}));\n`,
    });
    assert.equal(await run(process.execPath, [join(folder, 'main.mjs')], { cwd: folder, env }), 'hello\n');
  });
});

describe('Vitest', () => {
  for (const environment of ['node', 'jsdom']) {
    it(`runs tests in the environment ${environment}`, TIMEOUT, async () => {
      // Node 20 has no WebSocket, and that of jsdom doesn't take Vitest's events.
      const socket = "import { WebSocket } from 'ws';\nglobalThis.WebSocket = WebSocket;\n";
      const folder = await project(`vitest-${environment}`, {
        'talk.test.js': `import { expect, test } from 'vitest';\nimport * as api from 'signal-wasm/inline';\n${socket}${HEARS}\ntest('talks', async () => {\n  expect(await hears(api, ${JSON.stringify(server.url)})).toBe('hello');\n}, 60_000);\n`,
      });
      const said = await run(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--environment', environment, '--no-color'], { cwd: folder, env });
      assert.match(said, /Tests\s+1 passed/);
    });
  }
});

describe('Jest', () => {
  /** Runs the test, whose environment has no TextDecoder unless the set-up file gives it one. */
  async function jest(name, type, setup, test, options = []) {
    const folder = await project(name, {
      'package.json': JSON.stringify({ type, jest: { testEnvironment: 'jsdom', setupFiles: ['./setup.js'] } }),
      'setup.js': setup,
      'talk.test.js': `${test}\n${HEARS}\ntest('talks', async () => {\n  expect(await hears(api, ${JSON.stringify(server.url)})).toBe('hello');\n}, 60_000);\n`,
    });
    const result = join(folder, 'result.json');
    await run(process.execPath, [...options, join(ROOT, 'node_modules/jest/bin/jest.js'), '--rootDir', folder, '--json', '--outputFile', result], { cwd: folder, env });
    const { numPassedTests, success } = require(result);
    assert.deepEqual([numPassedTests, success], [1, true]);
  }

  it('runs tests that are CommonJS, with the classic script', TIMEOUT, () =>
    jest('jest-commonjs', 'commonjs', "const { TextDecoder, TextEncoder } = require('node:util');\nObject.assign(globalThis, { TextDecoder, TextEncoder });", "require('signal-wasm/global');\nconst api = SignalWasm;"));

  it('runs tests that are modules', TIMEOUT, () =>
    jest('jest-modules', 'module', "import { TextDecoder, TextEncoder } from 'node:util';\nObject.assign(globalThis, { TextDecoder, TextEncoder });", "import * as api from 'signal-wasm/inline';", ['--experimental-vm-modules', '--no-warnings']));
});

describe('in Chromium', () => {
  let browser;
  let files;
  before(async () => {
    const dist = join(consumer.folder, 'node_modules/signal-wasm/dist');
    const work = (api) => `${HEARS}\nconst url = ${JSON.stringify(server.url)};\nconst answer = (port) => hears(${api}, url).then((heard) => port.postMessage(heard), (error) => port.postMessage(String(error)));\n`;
    const SCRIPTS = {
      'classic.js': `importScripts('/dist/global.js');\n${work('SignalWasm')}answer(self);\n`,
      'module.js': `import init, * as api from '/dist/signal_wasm.js';\n${work('api')}await init();\nanswer(self);\n`,
      'shared.js': `import * as api from '/dist/inline.js';\n${work('api')}self.onconnect = ({ ports: [port] }) => answer(port);\n`,
      'service.js': `import * as api from '/dist/inline.js';\n${work('api')}self.oninstall = () => self.skipWaiting();\nself.onmessage = (event) => event.waitUntil(answer(event.source));\n`,
    };
    const text = (type, body) => ({ type: `${type}; charset=utf-8`, body });
    browser = await launchChromium();
    files = await serveFiles({
      '/': (path) => (path === '' ? text('text/html', '<!doctype html><title>workers</title><link rel="icon" href="data:,">') : path in SCRIPTS ? text('text/javascript', SCRIPTS[path]) : undefined),
      '/dist': dist,
    });
  }, TIMEOUT);
  after(() => Promise.all([browser?.close(), files?.close()]), TIMEOUT);

  /** What a page answers to this function, at this address. */
  async function onPage(address, ask) {
    const context = await newContext(browser);
    try {
      const page = await context.newPage();
      await page.goto(address);
      return await page.evaluate(ask);
    } finally {
      await context.close();
    }
  }

  const WORKERS = {
    'a classic worker': () =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/classic.js');
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    'a module worker': () =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/module.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    'a shared worker': () =>
      new Promise((resolve, reject) => {
        const worker = new SharedWorker('/shared.js', { type: 'module' });
        worker.port.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    'a service worker': async () => {
      await navigator.serviceWorker.register('/service.js', { type: 'module' });
      const { active } = await navigator.serviceWorker.ready;
      return new Promise((resolve) => {
        navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
        navigator.serviceWorker.startMessages();
        active.postMessage('hears?');
      });
    },
  };
  for (const [name, ask] of Object.entries(WORKERS)) {
    it(`${name} talks`, TIMEOUT, async () => {
      assert.equal(await onPage(files.origin, ask), 'hello');
    });
  }

  it('a file that is opened from the disk talks', TIMEOUT, async (context) => {
    const open = await relay({ args: ['--origin', 'null', '--origin', 'file://'] });
    context.after(() => open.close());
    const folder = await project('file', {
      'index.html': `<!doctype html><title>file</title><script src="../node_modules/signal-wasm/dist/global.js"></script><script>${HEARS}\nwindow.heard = hears(SignalWasm, ${JSON.stringify(open.url)});</script>`,
    });
    assert.equal(await onPage(pathToFileURL(join(folder, 'index.html')).href, () => window.heard), 'hello');
  });
});
