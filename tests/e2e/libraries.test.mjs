// npm datachannel 1.0.0 and npm rtcmulticonnection 2.2.5, unmodified, on the project's own pages
// with one line changed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertOnlyOwnTroubles, connectedIds, connectedTo, everybodyHears, hears, ownId, say } from '../support/library-pages.mjs';
import { openAllowed } from '../support/demo-pages.mjs';
import { openPage, screenshot, SERVERS } from '../support/pages.mjs';
import { ROOT } from '../support/servers.mjs';

/* global connected, connection, heard -- of the pages */

let browser;
before(async () => {
  browser = await launchChromium();
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

test('the libraries are the versions that are named, and the pages change one line', TIMEOUT, async () => {
  for (const [name, version] of Object.entries({ datachannel: '1.0.0', rtcmulticonnection: '2.2.5' })) {
    assert.equal(JSON.parse(await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version, version);
    const script = await readFile(join(ROOT, 'www/js', `${name}-page.js`), 'utf8');
    assert.deepEqual(
      script.split('\n').filter((line) => /openSignalingChannel/.test(line)).map((line) => line.trim()),
      ['connection.openSignalingChannel = SignalWasm.openSignalingChannel; // the changed line'],
    );
  }
});

/** Takes WebRTC's old names away, as Firefox has. */
function withoutOldNames() {
  delete window.webkitRTCPeerConnection;
}

/** Takes WebRTC away, as WebKitGTK is built in Debian. */
function withoutWebRtc() {
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'RTCSessionDescription', 'RTCIceCandidate']) delete window[name];
  for (const name of ['getUserMedia', 'webkitGetUserMedia', 'mediaDevices']) delete Navigator.prototype[name];
}

describe('in other browsers', { concurrency: true }, () => {
  let server;
  before(async () => {
    server = await SERVERS['our relay']();
  }, TIMEOUT);
  after(() => server?.close(), TIMEOUT);

  for (const library of ['datachannel', 'rtcmulticonnection']) {
    test(`${library} where WebRTC has no old names`, TIMEOUT, async () => {
      const open = () => openPage(browser, `${server.origin}/${library}.html#old-names`, { prepare: withoutOldNames });
      const pages = [await open()];
      await pages[0].getByRole('button', { name: 'Open a session' }).click();
      pages.push(await open());
      for (const page of pages) await connectedTo(page, 1);
      await everybodyHears(pages, 'without old names');
      assertOnlyOwnTroubles(pages);
      await Promise.all(pages.map((page) => page.context().close()));
    });

    test(`${library} where there is no WebRTC`, TIMEOUT, async () => {
      const page = await openPage(browser, `${server.origin}/${library}.html#no-webrtc`, { prepare: withoutWebRtc });
      await page.getByRole('alert').filter({ hasText: 'no WebRTC' }).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Open a session' }).isDisabled(), true);
      assert.doesNotMatch(await page.locator('main').innerText(), /undefined/);
      await page.context().close();
    });
  }
});

for (const [name, start] of Object.entries(SERVERS)) {
  // At the same time, each in a room of its own: these libraries mostly wait for timers of theirs.
  describe(`on ${name}`, { concurrency: true }, () => {
    let server;
    before(async () => {
      server = await start();
    }, TIMEOUT);
    after(() => server?.close(), TIMEOUT);

    for (const library of ['datachannel', 'rtcmulticonnection']) {
      test(`${library}: two peers, then three, everybody with everybody, and data flows between all`, TIMEOUT, async () => {
        const address = `${server.origin}/${library}.html${server.query}#${library}`;
        const pages = [];
        // One after the other: these libraries don't pair two newcomers that come in the same
        // moment.
        for (let count = 1; count <= 3; count += 1) {
          pages.push(await openAllowed(browser, address));
          if (count === 1) await pages[0].getByRole('button', { name: 'Open a session' }).click();
          else for (const page of pages) await connectedTo(page, count - 1);
          if (count > 1) await everybodyHears(pages, `${count} peers`);
        }
        const ids = await Promise.all(pages.map(ownId));
        assert.equal(new Set(ids).size, 3);
        for (const [index, page] of pages.entries()) {
          assert.deepEqual((await connectedIds(page)).sort(), ids.filter((_, other) => other !== index).sort());
        }
        await screenshot(pages[0], `${library}-${name === 'our relay' ? 'relay' : 'seed'}`, { fullPage: true });

        // From here on channels break, and the libraries say so on the console.
        assertOnlyOwnTroubles(pages);

        // The library sends its goodbye in beforeunload.
        await pages[2].close({ runBeforeUnload: true });
        for (const page of pages.slice(0, 2)) {
          await page.waitForFunction((id) => [...document.querySelectorAll('#log .told')].some((item) => item.textContent === `${id} has left.`), ids[2]);
        }
        await Promise.all(pages.map((page) => page.context().close()));
      });
    }

    test('datachannel: one peer on the old shim and two on signal-wasm are one room', TIMEOUT, async () => {
      const room = 'mixed';
      const old = await openPage(browser, `${server.origin}/test-pages/datachannel-shim.html?server=${encodeURIComponent(server.url)}#${room}`);
      await old.waitForFunction(() => window.ready === true);
      await old.evaluate(() => connection.open());
      const pages = [];
      for (let count = 1; count <= 2; count += 1) {
        pages.push(await openAllowed(browser, `${server.origin}/datachannel.html${server.query}#${room}`));
        for (const page of pages) await connectedTo(page, count);
        await old.waitForFunction((count) => connected.length === count, count);
      }
      await old.evaluate(() => connection.send('from the shim'));
      for (const [index, page] of pages.entries()) {
        await hears(page, 'from the shim');
        await say(page, `from signal-wasm ${index}`);
      }
      await old.waitForFunction(() => heard.length >= 2);
      assert.deepEqual(await old.evaluate(() => heard.map(({ message }) => message).sort()), ['from signal-wasm 0', 'from signal-wasm 1']);
      assertOnlyOwnTroubles(pages);
      await Promise.all([old, ...pages].map((page) => page.context().close()));
    });
  });
}
