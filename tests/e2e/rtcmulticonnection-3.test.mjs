// npm's RTCMultiConnection 3.7.1, unmodified, over each server that signal-wasm speaks with.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium, newContext } from '../support/chromium.mjs';
import { classicSignalRServer } from '../support/classic-signalr-server.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles } from '../support/pages.mjs';
import { connectedTo, enter, openConnection, serveRooms, talk, userOf } from '../support/rtcmulticonnection-pages.mjs';
import { relay, seedServer } from '../support/servers.mjs';
import { signalRServer } from '../support/signalr-server.mjs';
import { socketIoServer } from '../support/socket-io-server.mjs';
import { sseServer } from '../support/sse-server.mjs';

/* global connection, streams -- of the pages */

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), serveRooms()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close()]), TIMEOUT);

const SERVERS = {
  'a plain WebSocket server': [() => seedServer(), 'websocket'],
  'a Socket.IO server that broadcasts': [() => socketIoServer(), 'socket.io'],
  'a SignalR hub': [() => signalRServer(), 'signalr'],
  'a classic SignalR hub': [() => classicSignalRServer(), 'signalr-classic'],
  'an HTTP server with server-sent events': [() => sseServer(), 'sse'],
  'our relay': [() => relay(), 'auto'],
};

for (const [name, [start, protocol]] of Object.entries(SERVERS)) {
  describe(`over ${name}`, { concurrency: 2 }, () => {
    let server;
    before(async () => {
      server = await start();
    }, TIMEOUT);
    after(() => server?.close(), TIMEOUT);
    const open = (members) => openConnection(browser, files.origin, { url: server.url, protocol }, members);

    test('data: two pages, then three, all with all; presence; the owner leaves', TIMEOUT, async () => {
      const pages = [await open(), await open(), await open()];
      const room = 'a room & "more"';
      assert.equal((await enter(pages[0], 'checkPresence', room))[0], false);
      assert.deepEqual(await enter(pages[0], 'open', room), [true, room]);
      assert.equal((await enter(pages[1], 'checkPresence', room))[0], true);
      assert.deepEqual((await enter(pages[1], 'join', room)).slice(0, 2), [true, room]);
      for (const page of pages.slice(0, 2)) await connectedTo(page, 1);
      assert.deepEqual((await enter(pages[2], 'openOrJoin', room))[0], true);
      for (const page of pages) await connectedTo(page, 2);
      await talk(pages, 'hello');
      const owner = await userOf(pages[0]);
      assertNoTroubles(pages);
      await pages[0].close({ runBeforeUnload: true });
      for (const page of pages.slice(1)) await page.waitForFunction((owner) => window.left.includes(owner), owner);
      await pages[1].waitForFunction(() => connection.isInitiator);
      assert.equal(await pages[2].evaluate(() => connection.isInitiator), false);
      await Promise.all(pages.map((page) => page.context().close()));
    });

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

test('over BroadcastChannel, without a server: five tabs, all with all', TIMEOUT, async () => {
  const context = await newContext(browser);
  await context.addInitScript(() => {
    window.rtcMultiConnectionOptions = {
      transport: {
        open() {
          this.tabs = new BroadcastChannel('rooms');
          this.tabs.onmessage = ({ data }) => this.onmessage(data);
          this.onopen();
        },
        send(text) {
          this.tabs.postMessage(text);
        },
        close() {
          this.tabs.close();
        },
      },
    };
  });
  const pages = [];
  for (let count = 0; count < 5; count += 1) {
    const page = await context.newPage();
    await page.goto(`${files.origin}/test-pages/rtcmulticonnection-3.html`);
    pages.push(page);
  }
  assert.equal((await enter(pages[0], 'open', 'tabs'))[0], true);
  // At the same moment.
  const joined = await Promise.all(pages.slice(1).map((page) => enter(page, 'join', 'tabs')));
  assert.deepEqual(joined.map(([isIn]) => isIn), [true, true, true, true]);
  for (const page of pages) await connectedTo(page, 4);
  await talk(pages, 'tab');
  await context.close();
});
