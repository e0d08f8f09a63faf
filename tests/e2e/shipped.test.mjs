// The package as it ships, under the same tests as the crate: those of tests/browser that are written in JavaScript, run on dist/.
//
// wasm-pack tests a debug build with wasm-bindgen's own glue. What ships is built without the standard library, optimised, and its glue is
// rewritten by xtask; nothing of that may change what a page sees.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { serveFiles } from '../support/files.mjs';
import { TIMEOUT } from '../support/pages.mjs';

const FOLDER = new URL('../browser/', import.meta.url);
const RUNNERS = { page: 'run', page_awaiting: 'runAwaiting', page_in_real_time: 'runInRealTime' };

/** The tests of one file: `{ name, runner, body }`. */
function testsOf(file) {
  const source = readFileSync(new URL(file, FOLDER), 'utf8');
  // Some begin with what several of them share: `&format!("{SHARED}{}", r#"…"#)`.
  const shared = new Map([...source.matchAll(/const (\w+): &str = r#"([^]*?)"#;/g)].map(([, name, text]) => [name, text]));
  const tests = [...source.matchAll(/fn (\w+)\(\) -> Verdict \{\s*(\w+)\(\s*(?:&format!\(\s*"\{(\w+)\}\{\}",\s*)?r#"([^]*?)"#/g)].map(([, name, runner, before, body]) => ({
    name,
    runner: RUNNERS[runner],
    body: before ? shared.get(before) + body : body,
  }));
  assert.equal(tests.length, source.split('-> Verdict {').length - 1, `not every test of ${file} was understood`);
  assert.ok(tests.every(({ runner }) => runner), `a test of ${file} is run in a way that isn't known here`);
  return tests;
}

const suites = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.rs'))
  .map((file) => [file, testsOf(file)])
  .filter(([, tests]) => tests.length > 0);

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
  page = await (await browser.newContext()).newPage();
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
    globalThis.tests = await import('/tests/browser/page.js');
  });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

for (const [file, tests] of suites) {
  describe(`tests/browser/${file}, on dist/`, () => {
    for (const { name, runner, body } of tests) {
      test(name, TIMEOUT, () => page.evaluate(([runner, body]) => globalThis.tests[runner](body), [runner, body]));
    }
  });
}
