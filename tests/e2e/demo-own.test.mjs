// The demo's page for signalings of one's own: each source that it shows runs, and what can go
// wrong with one is reported.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { DESKTOP, logged, NO_SERVER, say } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, screenshot, SERVERS } from '../support/pages.mjs';
import { MOUNT_ARGS, relay, ROOT } from '../support/servers.mjs';

let browser;
before(async () => {
  browser = await launchChromium();
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

describe('bring your own', () => {
  const CHOICES = ['publish-subscribe', 'storage', 'socket-io-client', 'hub-connection', 'hub-proxy', 'broadcast-channel'];

  for (const choice of CHOICES) {
    test(`${choice}: the source that is shown runs, and two tabs talk over it`, TIMEOUT, async () => {
      const server = await SERVERS['our relay']();
      const first = await openPage(browser, `${server.origin}/bring-your-own.html?transport=${choice}#own`, DESKTOP);
      try {
        await first.waitForSelector('#state[data-state="open"]');
        assert.equal(await first.locator('#source').textContent(), (await readFile(join(ROOT, `www/js/own/${choice}.js`), 'utf8')).trimEnd());
        assert.equal(await first.getByLabel('What is to carry the messages?').inputValue(), choice);
        const [second] = await Promise.all([first.context().waitForEvent('page'), first.getByRole('link', { name: 'Open a second tab' }).click()]);
        await second.waitForSelector('#state[data-state="open"]');
        await say(first, 'é 🙂 "from the first"');
        await logged(second, 'é 🙂 "from the first"');
        await say(second, '<b>and back</b>');
        await logged(first, '<b>and back</b>');
        for (const page of [first, second]) {
          assert.equal(await page.locator('#log > :not(.told)').count(), 2, 'each is shown once');
          assert.equal(await page.getByRole('alert').count(), 0);
        }
        await screenshot(first, `own-${choice}`, { fullPage: true });
        assertNoTroubles([first]);
      } finally {
        await first.context().close();
        await server.close();
      }
    });
  }

  test('the clients that a page has already hear each other, whichever they are', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const choices = ['socket-io-client', 'hub-connection', 'hub-proxy'];
    const pages = await Promise.all(choices.map((choice) => openPage(browser, `${server.origin}/bring-your-own.html?transport=${choice}#own`, DESKTOP)));
    try {
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]');
      for (const [index, page] of pages.entries()) {
        await say(page, `by ${choices[index]}`);
        await Promise.all(pages.filter((other) => other !== page).map((other) => logged(other, `by ${choices[index]}`)));
      }
      for (const page of pages) assert.equal(await page.locator('#log > :not(.told)').count(), 3, 'each is heard once');
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('a transport of the page’s lives through a relay that goes and comes back', TIMEOUT, async () => {
    let server = await SERVERS['our relay']();
    const choices = ['publish-subscribe', 'socket-io-client', 'hub-connection', 'hub-proxy'];
    const pages = await Promise.all(choices.map((choice) => openPage(browser, `${server.origin}/bring-your-own.html?transport=${choice}#own`, DESKTOP)));
    const port = new URL(server.origin).port;
    try {
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]');
      await server.close();
      for (const page of pages) await page.waitForSelector('#state:not([data-state="open"])');
      // Sent meanwhile: it waits.
      await say(pages[1], 'said while nothing was there');
      server = await relay({ args: [...MOUNT_ARGS, '--listen', `127.0.0.1:${port}`] });
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]');
      await say(pages[1], 'and on it goes');
      for (const page of pages.slice(2)) await logged(page, 'and on it goes');
      assertNoTroubles(pages, [...NO_SERVER, /negotiat|Failed to (start|complete)|WebSocket|Failed to fetch|hub/i, /Failed to load resource: .*(ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|503)/]);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('a choice that isn’t there, and a client that can’t be loaded, are reported in words', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    try {
      const page = await openPage(browser, `${server.origin}/bring-your-own.html?transport=smoke-signs`, DESKTOP);
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').textContent(), /smoke-signs.*publish-subscribe/);
      await page.getByLabel('What is to carry the messages?').selectOption('storage');
      await page.waitForSelector('#state[data-state="open"]');
      await page.context().close();

      const context = await newContext(browser, DESKTOP);
      await context.route('**/vendor/**', (route) => route.fulfill({ status: 404, body: '' }));
      const lost = await context.newPage();
      await lost.goto(`${server.origin}/bring-your-own.html?transport=hub-proxy`);
      await lost.getByRole('alert').waitFor();
      assert.match(await lost.getByRole('alert').textContent(), /vendor\/jquery.*could not be loaded.*npm start/);
      await context.close();
    } finally {
      await server.close();
    }
  });
});
