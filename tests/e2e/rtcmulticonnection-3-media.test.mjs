// npm's RTCMultiConnection 3.7.1, unmodified: sound and pictures, over each server that signal-wasm
// speaks with.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles } from '../support/pages.mjs';
import { enter, openConnection, ROOM_SERVERS, serveRooms } from '../support/rtcmulticonnection-pages.mjs';

/* global streams -- of the pages */

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), serveRooms()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close()]), TIMEOUT);

for (const [name, [start, protocol]] of Object.entries(ROOM_SERVERS)) {
  describe(`over ${name}`, () => {
    let server;
    before(async () => {
      server = await start();
    }, TIMEOUT);
    after(() => server?.close(), TIMEOUT);
    const open = (members) => openConnection(browser, files.origin, { url: server.url, protocol }, members);

    test('video: two pages, then three, all see all', TIMEOUT, async () => {
      const session = { audio: true, video: true };
      const pages = [];
      for (const how of ['open', 'join', 'join']) {
        const page = await open({ session, sdpConstraints: { mandatory: { OfferToReceiveAudio: true, OfferToReceiveVideo: true } } });
        assert.equal((await enter(page, how, 'video'))[0], true);
        pages.push(page);
        await Promise.all(pages.map((page) => seesOthers(page, pages.length - 1)));
      }
      assertNoTroubles(pages);
      await Promise.all(pages.map((page) => page.context().close()));
    });
  });
}

/** Waits until so many remote videos play. */
async function seesOthers(page, count) {
  try {
    await page.waitForFunction((count) => {
      const remote = new Set(streams.filter(([type]) => type === 'remote').map(([, user]) => user));
      const playing = [...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0 && !video.paused && video.currentTime > 0);
      return remote.size === count && playing.length >= count + 1;
    }, count);
  } catch (error) {
    throw new Error(`${JSON.stringify(await page.evaluate(() => [streams, window.told]))} ${page.troubles}`, { cause: error });
  }
}
