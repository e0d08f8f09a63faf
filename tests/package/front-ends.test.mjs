// The Rust front ends of examples/, in Chromium on our relay: two pages of each, and one of each
// framework with the other.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles, openPage } from '../support/pages.mjs';
import { relay, ROOT } from '../support/servers.mjs';

const PAGES = join(ROOT, 'target/front-ends/pages');
const NAMES = ['leptos-chat', 'yew-chat'];

let browser;
let server;
before(async () => {
  assert.ok(existsSync(PAGES), 'no pages of the Rust front ends; run: cargo xtask examples');
  const mounts = NAMES.flatMap((name) => ['--mount', `/${name}=${join(PAGES, name)}`]);
  [browser, server] = await Promise.all([launchChromium(), relay({ args: mounts })]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), server?.close()]), TIMEOUT);

/** Opens a page, waits until it is connected, and notes its WebSockets. */
async function open(name) {
  const page = await openPage(browser, 'about:blank');
  page.sockets = [];
  page.on('websocket', (socket) => page.sockets.push(socket));
  await page.goto(`${server.origin}/${name}/`);
  await hasState(page, 'connected');
  return page;
}

const hasState = (page, state) => page.locator('#state', { hasText: new RegExp(`^${state}$`) }).waitFor();
const hasLine = (page, line) => page.locator('#lines li', { hasText: line }).waitFor();

async function say(page, text) {
  await page.locator('#text').fill(text);
  await page.locator('form button').click();
  await hasLine(page, `I: ${text}`);
}

for (const [one, other] of [
  [NAMES[0], NAMES[0]],
  [NAMES[1], NAMES[1]],
  NAMES,
]) {
  describe(`${one} and ${other}`, () => {
    it('say something to each other, leave and come back', TIMEOUT, async () => {
      const [ann, ben] = await Promise.all([open(one), open(other)]);
      await say(ann, 'Hello.');
      await hasLine(ben, 'Hello.');
      await say(ben, 'Hello yourself.');
      await hasLine(ann, 'Hello yourself.');
      assert.equal(await ann.locator('#text').inputValue(), '');

      // What is unmounted is closed: nothing but dropping it does that.
      assert.equal(ben.sockets.length, 1);
      const closed = ben.sockets[0].isClosed() || ben.sockets[0].waitForEvent('close');
      await ben.locator('#leave').click();
      await ben.locator('#state').waitFor({ state: 'detached' });
      await closed;
      await say(ann, 'Are you there?');
      await ben.locator('#leave').click();
      await hasState(ben, 'connected');
      await say(ann, 'Welcome back.');
      await hasLine(ben, 'Welcome back.');
      assert.equal(await ben.locator('#lines li').count(), 1);
      assertNoTroubles([ann, ben]);
      await Promise.all([ann.context().close(), ben.context().close()]);
    });
  });
}
