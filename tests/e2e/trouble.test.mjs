// A page that follows neither errors nor changes of state, on a server that doesn't answer as it is
// configured: the browser's console says what the server is.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { openPage } from '../support/pages.mjs';
import { files, seedServer, setUp, socketIoServer, tearDown } from '../support/protocol-pages.mjs';

/* global SignalWasm -- of the pages */

let browser;
before(async () => {
  [browser] = await Promise.all([launchChromium(), setUp()]);
}, TIMEOUT);
after(async () => {
  await Promise.all([browser?.close(), tearDown()]);
}, TIMEOUT);

/** What the library writes to the console, when it says something. */
async function warning(options) {
  const page = await openPage(browser, `${files.origin}/test-pages/bare.html`);
  const warnings = [];
  page.on('console', (message) => {
    if (message.type() === 'warning' && message.text().startsWith('signal-wasm')) warnings.push(message.text());
  });
  await page.addScriptTag({ url: '/signal-wasm/global.js' });
  await page.evaluate((options) => {
    const signaling = new SignalWasm.Signaling({ reconnect: { base: 10, cap: 20 }, ...options });
    signaling.openSocket({ channel: 'main' });
    window.signaling = signaling;
  }, options);
  await until(() => warnings.length > 0, 'a warning');
  // Many attempts later there is still only one.
  await page.waitForFunction(() => window.signaling.stats().connects === 0);
  await page.context().close();
  assert.equal(warnings.length, 1);
  return warnings[0];
}

describe('the console tells', { concurrency: 2 }, () => {
  test('a Socket.IO server', TIMEOUT, async () => {
    const { url } = await socketIoServer();
    const text = await warning({ url: `${url}?token=secret` });
    assert.match(text, /a Socket\.IO server; set the option protocol to 'socket\.io'/);
    assert.ok(text.includes(new URL(url).host), text);
    assert.doesNotMatch(text, /secret/);
  });

  test('a web server', TIMEOUT, async () => {
    const text = await warning({ url: `${files.origin}/test-pages/bare.html` });
    assert.match(text, /a web page, with HTTP status 200; the option url must be/);
  });

  test('nothing that may be read', TIMEOUT, async () => {
    const server = await seedServer();
    await server.close();
    const text = await warning({ url: server.url });
    assert.match(text, /no connection to ws:\S+ could be made\. It keeps trying/);
  });

  test('the end, where the server speaks another protocol', TIMEOUT, async () => {
    const { url } = await seedServer({ greeting: '{"hello":1}' });
    const text = await warning({ url, protocol: 'socket.io' });
    assert.match(text, /is lost for good.*the option protocol may have to be 'websocket'/);
  });
});
