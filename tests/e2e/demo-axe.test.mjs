// What axe finds on the pages of the demo: nothing, on a wide screen and on a phone, in light and in
// dark.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { DARK, PHONE, remoteVideoPlays, said, say, seesOthers, unfold } from '../support/demo-pages.mjs';
import { openPage, screenshot, SERVERS } from '../support/pages.mjs';

/* global axe -- of the pages */

const WIDE = { viewport: { width: 1280, height: 800 } };
const SCREENS = { wide: WIDE, phone: PHONE };
const PAGES = ['', 'datachannel.html', 'rtcmulticonnection.html', 'bring-your-own.html', 'conference.html', 'video-conference.html', 'screen-sharing.html', 'file-sharing.html', 'scalable-broadcast.html'];
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), SERVERS['our relay']()]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await server?.close();
}, TIMEOUT);

/** Opens a page, connected. */
async function open(path, options) {
  const page = await openPage(browser, `${server.origin}/${path}`, options);
  await page.waitForSelector('#state[data-state="open"]');
  return page;
}

/** Fails with what axe finds on the page, as a visitor sees it now. */
async function assertAccessible(page, what) {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  assert.ok(passes.length > 10, 'axe has looked');
  assert.deepEqual(violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`)), [], what);
}

describe('axe finds nothing', () => {
  for (const [screen, options] of Object.entries(SCREENS)) {
    for (const [scheme, colours] of Object.entries({ light: {}, dark: DARK })) {
      test(`on a ${screen} screen in ${scheme}, out of a call, in one, and without a connection`, TIMEOUT, async () => {
        const room = `#axe-${screen}-${scheme}`;
        const [page, other] = [await open(room, { ...options, ...colours }), await open(room, WIDE)];
        try {
          await seesOthers(page, 1);
          await assertAccessible(page, 'out of a call');
          await unfold(page);
          await say(other, 'hello');
          await said(page, 'hello');
          await say(page, 'hello yourself');
          await other.getByRole('button', { name: 'Start the call' }).click();
          await page.getByRole('button', { name: 'Join the call' }).waitFor();
          await page.evaluate(() => scrollTo(0, 0));
          await assertAccessible(page, 'while somebody calls');
          await screenshot(page, `look-${screen}-${scheme}-incoming`);
          await page.getByRole('button', { name: 'Join the call' }).click();
          await remoteVideoPlays(page, 1);
          await page.evaluate(() => scrollTo(0, 0));
          await screenshot(page, `look-${screen}-${scheme}`);
          await assertAccessible(page, 'in a call');
          // A frame that is open, and one kind that is hidden.
          await page.locator('#frames summary').first().click();
          await page.getByRole('button', { name: /control/ }).click();
          await page.getByRole('button', { name: 'Keep it cut for 5 s' }).click();
          await page.getByRole('button', { name: 'Reconnect now' }).waitFor();
          await assertAccessible(page, 'without a connection');
          await screenshot(page, `look-${screen}-${scheme}-lost`, { fullPage: true });
        } finally {
          await Promise.all([page, other].map((page) => page.context().close()));
        }
      });

      test(`on a ${screen} screen in ${scheme}, on each page`, TIMEOUT, async () => {
        for (const path of PAGES) {
          const page = await openPage(browser, `${server.origin}/${path}`, { ...options, ...colours });
          await page.getByRole('heading', { level: 1 }).waitFor();
          await assertAccessible(page, `/${path}`);
          await page.context().close();
        }
        const page = await openPage(browser, `${server.origin}/?server=wss://example.org/`, { ...options, ...colours });
        await page.getByRole('button', { name: 'Connect to example.org' }).waitFor();
        await assertAccessible(page, 'the question');
        await screenshot(page, `question-${screen}-${scheme}`);
        await page.context().close();
      });
    }
  }
});
