// What a visitor sees of the demo at first sight, on a wide screen and on a phone: whether the call
// fits, how it comes in, and what an empty chat says.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { PHONE, remoteVideoPlays, said, say, seesOthers } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, screenshot, SERVERS } from '../support/pages.mjs';

const WIDE = { viewport: { width: 1280, height: 800 } };
const SCREENS = { wide: WIDE, phone: PHONE };

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

/** The lower edge of what matters of the call, on a page that isn't scrolled. */
function callEnds(page) {
  return page.evaluate(() => Math.max(...[...document.querySelectorAll('.tiles, .tile, .controls > *')].filter((part) => part.offsetParent).map((part) => part.getBoundingClientRect().bottom + scrollY)));
}

describe('the call', () => {
  for (const [screen, options] of Object.entries(SCREENS)) {
    test(`is above the fold on a ${screen} screen, with up to four people`, TIMEOUT, async () => {
      const room = `#fold-${screen}`;
      const { height } = options.viewport;
      const pages = [await open(room, options)];
      const fits = async (what) => {
        const ends = await callEnds(pages[0]);
        assert.ok(ends <= height, `${what}: the call ends at ${ends}, the screen at ${height}`);
        const page = await pages[0].evaluate(() => ({ width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight }));
        assert.equal(page.width, options.viewport.width);
        if (screen === 'phone') assert.ok(page.height < 2 * height, `${what}: the page is ${page.height} high`);
        await screenshot(pages[0], `fold-${screen}-${what.replaceAll(' ', '-')}`);
      };
      try {
        await fits('alone');
        await pages[0].getByRole('button', { name: 'Start the call' }).click();
        await pages[0].waitForFunction(() => document.querySelectorAll('.tile').length === 1);
        await fits('alone in the call');
        for (let count = 2; count <= 4; count += 1) {
          pages.push(await open(room, WIDE));
          await pages.at(-1).getByRole('button', { name: 'Join the call' }).click();
          await pages[0].waitForFunction((count) => document.querySelectorAll('.tile').length === count, count);
          await fits(`${count} people`);
        }
        await remoteVideoPlays(pages[0], 3);
        assertNoTroubles(pages);
      } finally {
        await Promise.all(pages.map((page) => page.context().close()));
      }
    });
  }

  test('comes in as a banner on a phone, wherever the page is scrolled to', TIMEOUT, async () => {
    const [phone, caller] = [await open('#banner', PHONE), await open('#banner', WIDE)];
    const banner = phone.getByRole('region', { name: 'Incoming call' });
    try {
      await seesOthers(phone, 1);
      assert.equal(await banner.isVisible(), false);
      await caller.getByLabel('Your name').fill('Ada');
      await caller.getByLabel('Your name').press('Enter');
      await phone.evaluate(() => scrollTo(0, document.body.scrollHeight));
      await caller.getByRole('button', { name: 'Start the call' }).click();
      await banner.getByText('Ada is calling').waitFor();
      const { top, bottom } = await banner.evaluate((shown) => shown.getBoundingClientRect());
      assert.ok(top >= 0 && bottom <= PHONE.viewport.height, `from ${top} to ${bottom}`);
      await screenshot(phone, 'banner-scrolled');

      // Not now; but the next call is another one.
      await banner.getByRole('button', { name: 'Not now' }).tap();
      await banner.waitFor({ state: 'hidden' });
      await caller.getByRole('button', { name: 'Leave the call' }).click();
      await phone.getByRole('button', { name: 'Start the call' }).waitFor();
      await caller.getByRole('button', { name: 'Start the call' }).click();
      await banner.getByRole('button', { name: 'Answer' }).tap();
      for (const page of [phone, caller]) await remoteVideoPlays(page, 1);
      assert.equal(await banner.isVisible(), false);
      assertNoTroubles([phone, caller]);
    } finally {
      await Promise.all([phone, caller].map((page) => page.context().close()));
    }
  });
});

test('the bar is one line on a phone, with the pages in a menu', TIMEOUT, async () => {
  const page = await open('', PHONE);
  try {
    assert.ok((await page.locator('.top').evaluate((bar) => bar.offsetHeight)) < 64);
    const links = page.getByRole('navigation', { name: 'Pages' });
    assert.equal(await links.isVisible(), false);
    await page.getByRole('button', { name: 'Pages' }).tap();
    assert.equal(await page.getByRole('button', { name: 'Pages' }).getAttribute('aria-expanded'), 'true');
    await links.getByRole('link', { name: 'Bring your own' }).tap();
    await page.waitForURL(/bring-your-own/);
  } finally {
    await page.context().close();
  }
});

test('an empty chat says what to do, until something is said', TIMEOUT, async () => {
  const pages = [await open('#empty', WIDE), await open('#empty', PHONE)];
  try {
    for (const page of pages) {
      const log = page.getByRole('log', { name: 'Messages' });
      assert.equal(await log.evaluate((element) => element.localName), 'div');
      assert.match(await log.innerText(), /second tab.*send somebody the link/);
      await seesOthers(page, 1);
    }
    await say(pages[0], 'hello');
    await said(pages[1], 'hello');
    for (const page of pages) assert.doesNotMatch(await page.getByRole('log').innerText(), /second tab/);
  } finally {
    await Promise.all(pages.map((page) => page.context().close()));
  }
});
