// The package without a bundler: each entry on a page of its own, also under a strict
// Content-Security-Policy.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { seedServer } from '../support/servers.mjs';
import { makeConsumer } from './consumer.mjs';
import { load, roundTrip } from './pages.mjs';

const STRICT = "script-src 'self' 'wasm-unsafe-eval'";

/** Entry → the tags of a page that uses it, and the scripts that such tags name. */
const ENTRIES = {
  '.': '<script type="module" src="/page/module.js"></script>',
  './inline': '<script type="module" src="/page/inline.js"></script>',
  './global': '<script src="/signal-wasm/dist/global.js"></script><script src="/project/talk.js"></script><script src="/page/global.js"></script>',
};
const TRANSPORTS = {
  './transports': '<script type="module" src="/page/transports.js"></script>',
  './global-transports':
    '<script src="/signal-wasm/dist/global.js"></script><script src="/signal-wasm/dist/global-transports.js"></script><script src="/project/talk.js"></script><script src="/page/global-transports.js"></script>',
};
const SCRIPTS = {
  'module.js': "import init, * as api from '/signal-wasm/dist/signal_wasm.js';\nimport '/project/talk.js';\nawait init();\ntalk(api);\n",
  'inline.js': "import * as api from '/signal-wasm/dist/inline.js';\nimport '/project/talk.js';\ntalk(api);\n",
  'global.js': 'talk(SignalWasm);\n',
  'transports.js':
    "import * as api from '/signal-wasm/dist/inline.js';\nimport { broadcastChannel } from '/signal-wasm/dist/transports.js';\nimport '/project/talk.js';\ntalk(api, { transport: broadcastChannel() });\n",
  'global-transports.js': 'talk(SignalWasm, { transport: SignalWasm.transports.broadcastChannel() });\n',
};

let browser;
let consumer;
let server;

before(async () => {
  [browser, consumer, server] = await Promise.all([launchChromium(), makeConsumer(), seedServer()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), consumer?.remove(), server?.close()]), TIMEOUT);

/** Serves the page of an entry under a policy, gives its address to `use`, and puts all away. */
async function serving(tags, policy, use) {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"></head><body>${tags}</body></html>`;
  const files = await serveFiles(
    {
      '/': (path) => (path === '' ? { type: 'text/html; charset=utf-8', body: html } : undefined),
      '/page': (path) => (path in SCRIPTS ? { type: 'text/javascript; charset=utf-8', body: SCRIPTS[path] } : undefined),
      '/project': consumer.folder,
      '/signal-wasm': join(consumer.folder, 'node_modules/signal-wasm'),
    },
    { headers: policy ? { 'content-security-policy': policy } : {} },
  );
  try {
    return await use(`${files.origin}/`);
  } finally {
    await files.close();
  }
}

for (const [entry, tags] of Object.entries(ENTRIES)) {
  describe(`entry ${entry}`, () => {
    it('lets two pages talk', () => serving(tags, undefined, (address) => roundTrip(browser, address, server)));

    it(`lets two pages talk under ${STRICT}`, async () => {
      const { evalAllowed } = await serving(tags, STRICT, (address) => roundTrip(browser, address, server));
      assert.equal(evalAllowed, false, 'the policy was not in force');
    });

    it('needs nothing but scripts and the socket', async () => {
      const policy = `default-src 'none'; ${STRICT}; connect-src 'self' ${server.url}; img-src data:`;
      await serving(tags, policy, (address) => roundTrip(browser, address, server));
    });

    it('has at run time what its types promise', async () => {
      await serving(tags, undefined, async (address) => {
        const context = await newContext(browser);
        try {
          const { page } = await load(context, `${address}?server=${encodeURIComponent(server.url)}`);
          await page.waitForFunction(() => window.page?.handle);
          const found = await page.evaluate(async (entry) => {
            const api = { '.': '/signal-wasm/dist/signal_wasm.js', './inline': '/signal-wasm/dist/inline.js' }[entry];
            const { Signaling } = api ? await import(api) : window.SignalWasm;
            const made = { configure: window.page.signaling, new: new Signaling({ url: 'ws://127.0.0.1:1/' }) };
            const describe = (signaling) => ({
              isSignaling: signaling instanceof Signaling,
              missing: ['attach', 'close', 'openSignalingChannel', 'openSocket', 'stats', 'flushed', 'connect', 'disconnect', 'reconnect', 'channel', Symbol.dispose].filter((name) => typeof signaling[name] !== 'function').map(String),
              userid: Number.isSafeInteger(signaling.userid),
              state: typeof signaling.state,
              stats: Object.entries(signaling.stats()).filter(([name, value]) => !['roundTrip', 'protocol', 'relay'].includes(name) && (!Number.isInteger(value) || value < 0)),
              roundTrip: signaling.stats().roundTrip,
              relay: signaling.stats().relay,
              isTarget: signaling instanceof EventTarget,
              closed: signaling.closed instanceof Promise,
              counters: Object.keys(signaling.stats()).sort(),
            });
            const handle = window.page.handle;
            return {
              configure: describe(made.configure),
              new: describe(made.new),
              handle: { keys: Object.keys(handle).sort(), extensible: Object.isExtensible(handle), channel: handle.channel },
            };
          }, entry);
          const counters = ['bad', 'channels', 'connects', 'control', 'delivered', 'dropped', 'foreign', 'gaps', 'own', 'protocol', 'queued', 'queuedBytes', 'received', 'receivedBytes', 'reconnects', 'relay', 'roundTrip', 'sent', 'sentBytes'];
          const promised = { isSignaling: true, missing: [], userid: true, state: 'string', stats: [], roundTrip: undefined, relay: false, isTarget: true, closed: true, counters };
          assert.deepEqual(found, {
            configure: promised,
            new: promised,
            handle: { keys: ['channel', 'close', 'send'], extensible: true, channel: 'package-test' },
          });
        } finally {
          await context.close();
        }
      });
    });

    it('says so where wasm is not allowed, as the browser words it', async () => {
      await serving(tags, "script-src 'self'", async (address) => {
        const context = await newContext(browser);
        try {
          const { broken } = await load(context, address);
          await assert.rejects(broken, /WebAssembly/);
        } finally {
          await context.close();
        }
      });
    });
  });
}

for (const [entry, tags] of Object.entries(TRANSPORTS)) {
  describe(`entry ${entry}`, () => {
    it('lets two pages talk without a server, under a policy that allows no connection', async () => {
      const policy = `default-src 'none'; ${STRICT}; img-src data:`;
      const { evalAllowed, stats } = await serving(tags, policy, (address) => roundTrip(browser, address, server));
      assert.equal(evalAllowed, false, 'the policy was not in force');
      assert.deepEqual({ connects: stats.connects, sent: stats.sent, delivered: stats.delivered }, { connects: 1, sent: 1, delivered: 1 });
    });
  });
}

describe('entry ./global-transports before ./global', () => {
  it('says which script is to come first', async () => {
    await serving('<script src="/signal-wasm/dist/global-transports.js"></script>', undefined, async (address) => {
      const context = await newContext(browser);
      try {
        const { broken } = await load(context, address);
        await assert.rejects(broken, /load dist\/global\.js before it/);
      } finally {
        await context.close();
      }
    });
  });
});

describe('entry . before init', () => {
  it('answers each call with code not-initialised and a sentence that says what to do', async () => {
    await serving('', undefined, async (address) => {
      const context = await newContext(browser);
      try {
        const { page, problems } = await load(context, address);
        const answers = await page.evaluate(async () => {
          const { default: init, configure, openSignalingChannel, openSocket, Signaling } = await import('/signal-wasm/dist/signal_wasm.js');
          const uses = {
            configure: () => configure({}),
            openSignalingChannel: () => openSignalingChannel({}),
            openSocket: () => openSocket({}),
            Signaling: () => new Signaling(),
          };
          const answers = {};
          for (const [name, use] of Object.entries(uses)) {
            try {
              use();
              answers[name] = 'no error';
            } catch (error) {
              answers[name] = { name: error.name, code: error.code, helps: /\binit\b/.test(error.message), isError: error instanceof Error };
            }
          }
          // Too early is not too late.
          await init();
          answers.afterwards = configure({ url: 'ws://127.0.0.1:1/' }).state;
          return answers;
        });
        const early = { name: 'SignalingError', code: 'not-initialised', helps: true, isError: true };
        assert.deepEqual(answers, { configure: early, openSignalingChannel: early, openSocket: early, Signaling: early, afterwards: 'idle' });
        assert.deepEqual(problems, []);
      } finally {
        await context.close();
      }
    });
  });
});
