// The example pages of RTCMultiConnection 3, on our relay as `npm start` serves them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { DARK, DESKTOP, PHONE } from '../support/demo-pages.mjs';
import { openPage, screenshot, SERVERS } from '../support/pages.mjs';
import { leave, PATIENT } from '../support/rtcmulticonnection-pages.mjs';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), SERVERS['our relay']()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), server?.close()]), TIMEOUT);

const open = (example, options = DESKTOP) => openPage(browser, `${server.origin}/${example}.html#a room`, { ...options, prepare: `window.rtcMultiConnectionOptions = ${JSON.stringify(PATIENT)};` });
const start = (page) => page.locator('#start').click();
const says = (page, text) => page.locator('#told').filter({ hasText: text }).waitFor();

/** Waits until so many videos play, that of the page itself among them. */
function plays(page, count) {
  return page.waitForFunction((count) => {
    const videos = [...document.querySelectorAll('#videos video')];
    return videos.length === count && videos.every((video) => video.videoWidth > 0 && !video.paused && video.currentTime > 0);
  }, count);
}

describe('examples', { concurrency: 2 }, () => {
  test('video conference: three pages see each other', TIMEOUT, async () => {
    const pages = [await open('video-conference'), await open('video-conference'), await open('video-conference', { ...PHONE, ...DARK })];
    for (const [index, page] of pages.entries()) {
      await start(page);
      await Promise.all(pages.slice(0, index + 1).map((page) => plays(page, index + 1)));
    }
    await screenshot(pages[0], 'rmc3-video-conference', { fullPage: true });
    await screenshot(pages[2], 'rmc3-video-conference-phone', { fullPage: true });
    await leave(pages);
  });

  test('screen sharing: one page’s screen is seen by two others', TIMEOUT, async () => {
    const pages = [await open('screen-sharing'), await open('screen-sharing'), await open('screen-sharing')];
    await start(pages[0]);
    await plays(pages[0], 1);
    for (const page of pages.slice(1)) await start(page);
    for (const page of pages.slice(1)) await plays(page, 1);
    await screenshot(pages[1], 'rmc3-screen-sharing', { fullPage: true });
    await leave(pages);
  });

  test('file sharing: a file arrives as it is', TIMEOUT, async () => {
    const pages = [await open('file-sharing'), await open('file-sharing')];
    await start(pages[0]);
    await says(pages[0], 'opened the room');
    await start(pages[1]);
    for (const page of pages) await says(page, 'Connected with 1');
    const buffer = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256));
    await pages[0].locator('#file').setInputFiles({ name: 'bytes.bin', mimeType: 'application/octet-stream', buffer });
    const link = pages[1].locator('#files a');
    await link.waitFor();
    const got = await link.evaluate(async ({ href }) => [...new Uint8Array(await (await fetch(href)).arrayBuffer())]);
    assert.ok(Buffer.from(got).equals(buffer), `${got.length} bytes`);
    await screenshot(pages[1], 'rmc3-file-sharing', { fullPage: true });
    await leave(pages);
  });

  test('scalable broadcast: the fourth viewer receives from another viewer, and again when that leaves', TIMEOUT, async () => {
    const pages = [];
    for (let count = 0; count < 4; count += 1) {
      const page = await open('scalable-broadcast');
      pages.push(page);
      await start(page);
      await plays(page, 1);
      await says(page, count ? 'receive the broadcast' : 'You are the broadcaster');
    }
    const [first, second, last] = await Promise.all(pages.slice(1).map((page) => page.locator('#told').textContent()));
    for (const told of [first, second]) assert.match(told, /from the broadcaster/);
    const [, source] = last.match(/from another viewer, (\w+)\./);
    await pages[0].locator('#viewers').filter({ hasText: 'Viewers: 3' }).waitFor();
    await screenshot(pages[3], 'rmc3-scalable-broadcast', { fullPage: true });
    const relaying = first.startsWith(`You, ${source},`) ? pages[1] : pages[2];
    await relaying.close({ runBeforeUnload: true });
    await pages[0].locator('#viewers').filter({ hasText: 'Viewers: 2' }).waitFor();
    await says(pages[3], 'from the broadcaster');
    await plays(pages[3], 1);
    await leave(pages.filter((page) => page !== relaying));
  });
});
