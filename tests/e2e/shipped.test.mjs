// The package as it ships, under the same tests as the crate: the modules of tests/browser, run on
// dist/.
//
// wasm-pack tests a debug build with wasm-bindgen's own glue. What ships is built without the
// standard library, optimised, and its glue is rewritten by xtask. None of that may change what a
// page sees.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';

const FOLDER = new URL('../browser/', import.meta.url);

/** The modules of tests/browser that hold tests; the others are what the tests share. */
const modules = readdirSync(FOLDER, { recursive: true })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.js') && !path.startsWith('support/'))
  .sort();

/** The names of the tests that a module exports. */
function testsOf(module) {
  const source = readFileSync(new URL(module, FOLDER), 'utf8');
  const names = [...source.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name);
  assert.ok(names.length > 0, `tests/browser/${module} exports no test`);
  return names;
}

/** What the tests import under the name that wasm-pack gives to its module. */
function shipped(path) {
  if (path === '') return '<!doctype html><title>signal-wasm as it ships</title><body>';
  if (/^wasm-bindgen-test(\.js)?$/.test(path)) return { type: 'text/javascript', body: readFileSync('dist/signal_wasm.js') };
  if (path === 'wasm-bindgen-test_bg.wasm') return { type: 'application/wasm', body: readFileSync('dist/signal_wasm_bg.wasm') };
  return undefined;
}

let browser;
let server;
let page;
before(async () => {
  [browser, server] = await Promise.all([
    launchChromium({ args: ['--js-flags=--expose-gc'] }),
    serveFiles({ '/': shipped, '/tests/browser': 'tests/browser' }),
  ]);
  page = await (await newContext(browser)).newPage();
  await page.goto(server.origin);
  await page.evaluate(async () => {
    // Our `init` returns nothing, and the leak tests want to see wasm's memory.
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async (...values) => {
      const made = await instantiate(...values);
      globalThis.wasmExports ??= (made.instance ?? made).exports;
      return made;
    };
    const { default: init } = await import('/wasm-bindgen-test');
    await init('/wasm-bindgen-test_bg.wasm');
    globalThis.tests = await import('/tests/browser/support/page.js');
  });
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await server?.close();
}, TIMEOUT);

for (const module of modules) {
  describe(`tests/browser/${module}, on dist/`, () => {
    for (const name of testsOf(module)) {
      test(name, TIMEOUT, () =>
        page.evaluate(([module, name]) => globalThis.tests.run(module, name), [module, name]),
      );
    }
  });
}
