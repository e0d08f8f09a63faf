// The example of a conference over openSocket, on our relay as `npm start` serves it.

import { after, before, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { DARK, PHONE } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, screenshot, SERVERS } from '../support/pages.mjs';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), SERVERS['our relay']()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), server?.close()]), TIMEOUT);

const open = (options = { viewport: { width: 1280, height: 800 } }) => openPage(browser, `${server.origin}/conference.html#a room`, options);
const start = (page) => page.locator('#start').click();

/** Waits until so many videos play, that of the page itself among them. */
function plays(page, count) {
  return page.waitForFunction((count) => {
    const videos = [...document.querySelectorAll('#videos video')];
    return videos.length === count && videos.every((video) => video.videoWidth > 0 && !video.paused && video.currentTime > 0);
  }, count);
}

test('three pages see each other, two of which start at the same moment, and see one leave', TIMEOUT, async () => {
  const pages = [await open(), await open(), await open({ ...PHONE, ...DARK })];
  await start(pages[0]);
  await plays(pages[0], 1);
  await pages[0].locator('#told').filter({ hasText: 'alone' }).waitFor();
  await Promise.all(pages.slice(1).map(start));
  await Promise.all(pages.map((page) => plays(page, 3)));
  await pages[0].locator('#told').filter({ hasText: '3 are in the room' }).waitFor();
  await screenshot(pages[0], 'conference');
  await screenshot(pages[2], 'conference-phone', { fullPage: true });
  assertNoTroubles(pages);
  await pages[2].close({ runBeforeUnload: true });
  await Promise.all(pages.slice(0, 2).map((page) => plays(page, 2)));
  assertNoTroubles(pages.slice(0, 2));
  await Promise.all(pages.map((page) => page.context().close()));
});
