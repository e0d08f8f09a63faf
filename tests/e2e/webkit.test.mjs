// WebKitGTK: pages with each entry, and two tabs by each protocol.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { SERVERS, TEST_MOUNTS } from '../support/pages.mjs';
import { classicSignalRServer } from '../support/classic-signalr-server.mjs';
import { MOUNTS, seedServer } from '../support/servers.mjs';
import { signalRServer } from '../support/signalr-server.mjs';
import { socketIoServer } from '../support/socket-io-server.mjs';
import { sseServer } from '../support/sse-server.mjs';
import { launchWebKit } from '../support/webkit.mjs';

/* global errors, handle, heard, signaling -- of the pages */

let browser;
let files;
let relay;
before(async () => {
  [browser, files, relay] = await Promise.all([
    launchWebKit(),
    serveFiles({ ...MOUNTS, ...TEST_MOUNTS }),
    SERVERS['our relay'](),
  ]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await Promise.all([files?.close(), relay?.close()]);
}, TIMEOUT);

test('the entries load, get ready and hear each other', TIMEOUT, async () => {
  const entries = ['module', 'inline', 'global'];
  const pages = [];
  for (const entry of entries) {
    const page = await browser.open(`${relay.origin}/test-pages/${entry}.html`);
    await page.waitForFunction(() => window.ready === true);
    pages.push(page);
  }
  for (const [index, page] of pages.entries()) {
    // A page that is ready may not be connected yet, so it says hello until all have heard it.
    await page.evaluate((entry) => {
      window.repeat = setInterval(() => handle.send(entry), 100);
    }, entries[index]);
  }
  for (const [index, page] of pages.entries()) {
    const others = entries.filter((_, other) => other !== index);
    await page.waitForFunction((names) => names.every((name) => heard.includes(name)), others);
    assert.ok(!(await page.evaluate((entry) => heard.includes(entry), entries[index])));
  }
});

describe('two tabs exchange messages', () => {
  const PROTOCOLS = {
    'auto': async () => ({ url: relay.url, close: () => {} }),
    'websocket': () => seedServer(),
    'socket.io': () => socketIoServer(),
    'signalr': () => signalRServer(),
    'signalr-classic': () => classicSignalRServer(),
    'sse': () => sseServer(),
  };
  for (const [protocol, makeServer] of Object.entries(PROTOCOLS)) {
    test(protocol, TIMEOUT, async () => {
      const server = await makeServer();
      const pages = [await join(server.url, protocol), await join(server.url, protocol)];
      for (const [from, to] of [pages, [...pages].reverse()]) {
        const values = [{ type: 'offer', sdp: 'v=0\r\n' }, 'Grüße, 日本語, 🦀', null, [1, 2.5]];
        await from.evaluate((values) => values.forEach((value) => handle.send(value)), values);
        await to.waitForFunction((count) => heard.length >= count, values.length);
        assert.deepEqual(await to.evaluate(() => heard.splice(0)), values);
        assert.deepEqual(await from.evaluate(() => heard), []);
      }
      for (const page of pages) {
        assert.deepEqual(await page.evaluate(() => errors), []);
        await page.evaluate(() => signaling.close());
      }
      await server.close();
    });
  }
});

/** A tab with one signaling that is open. */
async function join(url, protocol) {
  const page = await browser.open(`${files.origin}/test-pages/bare.html`);
  await page.evaluate(
    async ([url, protocol]) => {
      const { default: init, Signaling } = await import('/signal-wasm/signal_wasm.js');
      await init();
      window.heard = [];
      window.errors = [];
      addEventListener('error', ({ message }) => errors.push(message));
      window.signaling = new Signaling({
        url,
        protocol,
        reconnect: { base: 50, cap: 200 },
        onerror: ({ code, message }) => errors.push(`${code}: ${message}`),
      });
      window.handle = signaling.openSocket({
        channel: 'main',
        onmessage: (message) => heard.push(message),
      });
    },
    [url, protocol],
  );
  await page.waitForFunction(() => signaling.state === 'open');
  return page;
}
