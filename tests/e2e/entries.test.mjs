// The three ways to load signal-wasm, each in a page of its own, on one channel; and what happens
// before init.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, SERVERS } from '../support/pages.mjs';

/* global SignalWasm, handle, heard -- of the pages */

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchBrowser(), SERVERS['our relay']()]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await server?.close();
}, TIMEOUT);

describe('the entries', () => {
  test('module, inline and global load, get ready, and hear each other with nothing configured', TIMEOUT, async () => {
    const entries = ['module', 'inline', 'global'];
    const pages = await Promise.all(entries.map((entry) => openPage(browser, `${server.origin}/test-pages/${entry}.html`)));
    for (const page of pages) await page.waitForFunction(() => window.ready === true);
    // Readiness is a timer, so each page sends hello until all have received all: that is what a
    // connection means.
    for (const [index, page] of pages.entries()) {
      await page.evaluate((entry) => {
        window.repeat = setInterval(() => handle.send(entry), 100);
      }, entries[index]);
    }
    for (const [index, page] of pages.entries()) {
      const others = entries.filter((_, other) => other !== index);
      await page.waitForFunction((others) => others.every((entry) => heard.includes(entry)), others);
      assert.ok(!(await page.evaluate((entry) => heard.includes(entry), entries[index])), 'a page heard itself');
    }
    assertNoTroubles(pages);
    await Promise.all(pages.map((page) => page.context().close()));
  });

  test('each offers the same functions, and the same class', TIMEOUT, async () => {
    const page = await openPage(browser, `${server.origin}/test-pages/global.html`);
    const names = await page.evaluate(async () => {
      const own = async (entry) => Object.keys(await import(entry)).filter((name) => !['default', 'initSync'].includes(name)).sort();
      return { module: await own('/signal-wasm/signal_wasm.js'), inline: await own('/signal-wasm/inline.js'), global: Object.keys(SignalWasm).sort() };
    });
    for (const name of ['Signaling', 'configure', 'openSignalingChannel', 'openSocket']) {
      for (const [entry, has] of Object.entries(names)) assert.ok(has.includes(name), `${entry} has no ${name}`);
    }
    assert.deepEqual(names.module, names.inline);
    assert.deepEqual(names.inline, names.global);
    await page.context().close();
  });

  test('use before init says what to do, and works after it', TIMEOUT, async () => {
    const page = await openPage(browser, `${server.origin}/test-pages/bare.html`);
    const outcome = await page.evaluate(async () => {
      const { default: init, configure, openSignalingChannel, openSocket, Signaling } = await import('/signal-wasm/signal_wasm.js');
      const uses = {
        openSocket: () => openSocket({ channel: 'x', onmessage() {} }),
        openSignalingChannel: () => openSignalingChannel.call({ channel: 'x' }, { onmessage() {} }),
        configure: () => configure({}),
        Signaling: () => new Signaling(),
      };
      const before = {};
      for (const [name, use] of Object.entries(uses)) {
        try {
          use();
          before[name] = 'no error';
        } catch (error) {
          before[name] = { name: error.name, code: error.code, message: error.message, isError: error instanceof Error };
        }
      }
      await init();
      return { before, after: typeof openSocket({ channel: 'x', onmessage() {} }).send };
    });
    for (const [name, error] of Object.entries(outcome.before)) {
      assert.deepEqual({ name: error.name, code: error.code, isError: error.isError }, { name: 'SignalingError', code: 'not-initialised', isError: true }, name);
      assert.match(error.message, /await init\(\)/, `${name} must say what to do: ${error.message}`);
    }
    assert.equal(outcome.after, 'function');
    assertNoTroubles([page]);
    await page.context().close();
  });
});
