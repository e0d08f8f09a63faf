// npm's RTCMultiConnection 3.7.1, unmodified: data, over each server that signal-wasm speaks with,
// and over rtcmulticonnection-server with Socket.IO's own client, for which it was written.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles } from '../support/pages.mjs';
import { rtcMultiConnectionServer } from '../support/rtcmulticonnection-server.mjs';
import { connectedTo, converse, enter, joinTogether, leave, openConnection, openOriginal, PATIENT, ROOM_SERVERS, serveOriginals, serveRooms, talk, userOf } from '../support/rtcmulticonnection-pages.mjs';

/* global connection -- of the pages */

let browser;
let files;
let originals;
before(async () => {
  [browser, files, originals] = await Promise.all([launchChromium(), serveRooms(), serveOriginals()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close(), originals?.close()]), TIMEOUT);

const SERVERS = { ...ROOM_SERVERS, 'rtcmulticonnection-server': [rtcMultiConnectionServer] };

for (const [name, [start, protocol]] of Object.entries(SERVERS)) {
  describe(`over ${name}`, () => {
    let server;
    before(async () => {
      server = await start();
    }, TIMEOUT);
    after(() => server?.close(), TIMEOUT);
    const open = () => (protocol ? openConnection(browser, files.origin, { url: server.url, protocol }) : openOriginal(browser, originals.origin, server.url));

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

    // On rtcmulticonnection-server they aren't.
    if (protocol) {
      test('pages that join at one moment are connected with each other', TIMEOUT, async () => {
        const pages = [await open(), await open(), await open(), await open()];
        assert.equal((await enter(pages[0], 'open', 'at once'))[0], true);
        await joinTogether(pages.slice(1), 'at once');
        await converse(pages, 'all');
        await leave(pages);
      });
    }
  });
}

test('over BroadcastChannel, without a server: five tabs, all with all', TIMEOUT, async () => {
  const context = await newContext(browser);
  await context.addInitScript((patient) => {
    window.rtcMultiConnectionOptions = {
      ...patient,
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
  }, PATIENT);
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
