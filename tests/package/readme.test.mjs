// The README's first example, as it stands there, in a project with Vite: two pages see each other.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer } from 'vite';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { seedServer } from '../support/servers.mjs';
import { makeConsumer } from './consumer.mjs';
import { firstExample } from './readme.mjs';

const SERVER = 'ws://127.0.0.1:8888/';

let browser;
let consumer;
let server;
let example;

before(async () => {
  [browser, consumer, server] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), makeConsumer(), seedServer()]);
  example = await firstExample();
}, TIMEOUT);
after(() => Promise.all([browser?.close(), consumer?.remove(), server?.close()]), TIMEOUT);

describe('the README’s first example', () => {
  it('shows two pages each other, with Vite’s development server', TIMEOUT, async () => {
    assert.ok(example.includes(SERVER));
    await writeFile(join(consumer.folder, 'example.ts'), example.replace(SERVER, server.url));
    await writeFile(join(consumer.folder, 'example.html'), '<!doctype html><title>example</title><body><script type="module" src="example.ts"></script>');
    const developing = await createServer({ root: consumer.folder, configFile: false, logLevel: 'silent', server: { host: '127.0.0.1', port: 0, hmr: false } });
    try {
      await developing.listen();
      const contexts = await Promise.all([browser.newContext(), browser.newContext()]);
      const pages = await Promise.all(contexts.map((context) => context.newPage()));
      for (const page of pages) await page.goto(`http://127.0.0.1:${developing.httpServer.address().port}/example.html`);
      for (const page of pages) {
        await page.waitForFunction(() => {
          const videos = [...document.querySelectorAll('video')];
          return videos.length === 1 && videos[0].videoWidth > 0 && videos[0].currentTime > 0;
        });
      }
      await Promise.all(contexts.map((context) => context.close()));
    } finally {
      await developing.close();
    }
  });
});
