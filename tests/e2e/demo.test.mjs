// The demo, as a newcomer uses it: two tabs chat and call each other, see frames go by, live
// through a relay that goes away and comes back; and what the pages say when something is missing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { brightness, counters, DARK, DESKTOP, joinBare, NO_SERVER, openAllowed, PHONE, remoteVideoPlays, said, say, seesOthers } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, rawClient, screenshot, SERVERS } from '../support/pages.mjs';
import { MOUNT_ARGS, relay } from '../support/servers.mjs';

/* global sampleBrightness -- of the pages */

let browser;
before(async () => {
  browser = await launchChromium({ args: FAKE_CAMERA });
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

for (const [name, start] of Object.entries(SERVERS)) {
  describe(`on ${name}`, () => {
    let server;
    let first;
    let second;

    before(async () => {
      server = await start();
      // Two tabs of the bare address meet: no room has to be chosen first.
      first = await openAllowed(browser, `${server.origin}/${server.query}`, DESKTOP);
      second = await openAllowed(browser, `${server.origin}/${server.query}`, { ...DESKTOP, ...DARK });
      await Promise.all([first, second].map((page) => seesOthers(page, 1)));
    }, TIMEOUT);
    after(async () => {
      await first?.context().close();
      await second?.context().close();
      await server?.close();
    }, TIMEOUT);

    test('two tabs chat', TIMEOUT, async () => {
      for (const page of [first, second]) await page.waitForSelector('#state[data-state="open"]');
      await first.getByLabel('Your name').fill('Ada');
      await first.getByLabel('Your name').press('Enter');
      await second.waitForFunction(() => [...document.querySelectorAll('.person')].some((person) => person.textContent.includes('Ada')));

      await say(first, 'Hello from the first tab');
      await said(second, 'Hello from the first tab', 'Ada');
      await say(second, '<b>no markup</b> & “all” of Unicode 🦀');
      await said(first, '<b>no markup</b> & “all” of Unicode 🦀');
      assert.equal(await first.locator('#chat-log .said').count(), 2, 'own messages are shown once');
      assertNoTroubles([first, second]);
    });

    test('the inspector counts what goes by, and shows it', TIMEOUT, async () => {
      const before = await counters(first);
      assert.ok(before.sent >= 3 && before.delivered >= 2, JSON.stringify(before));

      const stranger = await rawClient(server.url);
      stranger.send('{"sender":1,"channel":"another room","message":{"kind":"chat","text":"not for you"}}');
      stranger.send(`{"sender":1,"channel":"lobby","message":{"kind":"something long","list":${JSON.stringify(Array(2000).fill('entry'))}}}`);
      // Our relay knows which channels a page has open; the seed's server sends everything to
      // everybody.
      const foreign = name === 'our relay' ? 0 : 1;
      await first.waitForFunction(({ foreign, delivered }) => Number(document.querySelector('.counter[data-kind="foreign"] b').textContent) === foreign && Number(document.querySelector('.counter[data-kind="delivered"] b').textContent) >= delivered + 1, { ...before, foreign: before.foreign + foreign });

      // A frame opens to its envelope, indented and cut off where it gets long.
      const newest = first.locator('#frames li[data-kind="delivered"]').filter({ hasText: 'something long' }).first();
      await newest.locator('summary').click();
      const text = await newest.locator('pre').textContent();
      assert.match(text, /^\{\n {2}"sender": 1,\n {2}"channel": "lobby",\n( {2}"id": "\d+",\n)? {2}"message": \{\n {4}"kind": "something long"/);
      assert.match(text, /more characters$/);
      assert.ok(text.length < 5_000);

      // Hidden by kind, and paused.
      await first.getByRole('button', { name: /delivered/ }).click();
      assert.equal(await first.locator('#frames li[data-kind="delivered"]:visible').count(), 0);
      assert.ok((await first.locator('#frames li[data-kind="sent"]:visible').count()) > 0);
      await first.getByRole('button', { name: /delivered/ }).click();
      assert.ok((await first.locator('#frames li[data-kind="delivered"]:visible').count()) > 0);

      await first.getByRole('button', { name: 'Pause' }).click();
      const shown = await first.locator('#frames li').count();
      const { delivered } = await counters(first);
      stranger.send('{"sender":1,"channel":"lobby","message":"while paused"}');
      await first.getByRole('button', { name: /Go on \(\d+ went by\)/ }).waitFor();
      assert.equal(await first.locator('#frames li').count(), shown);
      // Counters go on while the list is paused.
      await first.waitForFunction((delivered) => Number(document.querySelector('.counter[data-kind="delivered"] b').textContent) > delivered, delivered);
      await first.getByRole('button', { name: /Go on/ }).click();
      await stranger.close();
      assertNoTroubles([first]);
    });

    test('messages of strangers, of any shape, don’t disturb the room', TIMEOUT, async () => {
      const stranger = await rawClient(server.url);
      const frame = (message) => stranger.send(JSON.stringify({ sender: 'stranger', channel: 'lobby', message }));
      for (const message of [null, 5, 'text', [], {}, { v: 1 }, { v: 1, kind: 'hello' }, { v: 1, from: 5, number: 1, kind: 'hello', nonce: 'x' }, { v: 1, from: 'x', number: -0.5, kind: 'hello', nonce: 'x' }, { v: 1, from: 'x', number: 1, kind: 'message', message: { id: '1', text: 'not in the room' } }]) {
        frame(message);
      }
      const say = await joinBare(stranger, { id: 'stranger', others: 2, data: { tab: 'not a number', name: { not: 'a name' }, protocol: 5, call: 'yes' } });
      for (const page of [first, second]) await seesOthers(page, 2);
      assert.equal(await first.locator('#incoming').getAttribute('hidden'), '');
      for (const message of [null, 5, 'text', {}, { id: 5, text: 'no id' }, { id: '1', text: {} }, { id: '2', number: 'no number' }]) say({ kind: 'message', message });
      for (const message of [null, 5, { in: 'x' }, { from: 1, to: 1, description: 'none' }]) say({ kind: 'message', topic: 'call', message });
      say({ kind: 'update', data: null });
      say({ kind: 'update', data: { name: 'x'.repeat(5_000) } });
      await first.waitForFunction(() => [...document.querySelectorAll('.person')].some((person) => person.textContent.includes('x'.repeat(40)) && !person.textContent.includes('x'.repeat(41))));
      say({ kind: 'bye' });
      for (const page of [first, second]) {
        await seesOthers(page, 1);
        assert.equal(await page.locator('#chat-log .said').count(), 2, 'of the test before');
      }
      assertNoTroubles([first, second]);
      await stranger.close();
    });

    test('a video call: the other’s video really plays, in both tabs', TIMEOUT, async () => {
      await first.getByRole('button', { name: 'Start the call' }).click();
      await second.getByRole('button', { name: 'Join the call' }).click();
      for (const page of [first, second]) {
        await remoteVideoPlays(page, 1);
        assert.equal(await page.getByRole('switch', { name: 'Microphone' }).getAttribute('aria-checked'), 'false');
        assert.equal(await page.getByRole('listitem').filter({ hasText: 'in the call' }).count(), 2);
      }
      // Pictures of this test: both tabs, in light and in dark.
      for (const [page, scheme] of [[first, 'light'], [second, 'dark']]) {
        await page.evaluate(() => scrollTo(0, 0));
        await screenshot(page, `call-${scheme}-${name === 'our relay' ? 'relay' : 'seed'}`, { fullPage: true });
      }

      // The picture is made of what the other sends: with the other's camera off it turns black.
      assert.ok((await brightness(first)) > 30);
      await second.getByRole('switch', { name: 'Camera' }).click();
      await first.waitForFunction(() => sampleBrightness() < 10);

      await second.getByRole('button', { name: 'Leave the call' }).click();
      await first.waitForFunction(() => document.querySelectorAll('.tile[data-who="other"]').length === 0);
      assert.equal(await second.locator('.tile').count(), 0);

      // And again, so that nothing of the first call is left in the way.
      await second.getByRole('button', { name: 'Join the call' }).click();
      for (const page of [first, second]) await remoteVideoPlays(page, 1);
      assertNoTroubles([first, second]);
    });

    test('a third tab joins chat and call, and goes again', TIMEOUT, async () => {
      const third = await openAllowed(browser, `${server.origin}/${server.query}`, { ...PHONE });
      for (const page of [first, second, third]) await seesOthers(page, 2);
      await third.getByRole('button', { name: 'Join the call' }).tap();
      for (const page of [first, second, third]) await remoteVideoPlays(page, 2);
      await say(third, 'from the phone');
      for (const page of [first, second]) await said(page, 'from the phone');
      // A room and its calls need one channel, however many are there; and one to ask our relay who is.
      const channels = name === 'our relay' ? '2' : '1';
      await third.waitForFunction((channels) => document.querySelector('[data-stat="channels"]').textContent === channels, channels);

      await third.evaluate(() => scrollTo(0, 0));
      await screenshot(third, `phone-${name === 'our relay' ? 'relay' : 'seed'}`, { fullPage: true });
      assertNoTroubles([third]);
      await third.close({ runBeforeUnload: true });
      for (const page of [first, second]) {
        await seesOthers(page, 1);
        await remoteVideoPlays(page, 1);
      }
      await third.context().close();
    });
  });
}

describe('the demo', () => {
  test('says where the connection stands when the relay goes and comes back, and carries on', TIMEOUT, async () => {
    let server = await relay({ args: MOUNT_ARGS });
    const address = `${server.origin}/#outage`;
    const pages = [await openPage(browser, address, DESKTOP), await openPage(browser, address, DESKTOP)];
    try {
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]');
        await seesOthers(page, 1);
      }
      await server.close();
      for (const page of pages) {
        // Asked at one moment: the next attempt may begin between two questions.
        await page.waitForFunction(() => document.getElementById('state').dataset.state === 'waiting' && document.getElementById('state-word').textContent === 'Connection lost');
      }
      await pages[0].waitForFunction(() => /next attempt in \d+ s|trying again/.test(document.getElementById('state-more').textContent));
      // A reason in words comes before it.
      await pages[0].waitForFunction(() => /^[^,]*\w+ \w+.*, (next attempt|trying)/.test(document.getElementById('state-more').textContent));
      await screenshot(pages[0], 'connection-lost');

      // Sent while there is no connection: it waits, and the page shows that.
      await say(pages[0], 'sent while the relay was away');
      await pages[0].waitForFunction(() => Number(document.querySelector('[data-stat="queued"]').textContent) >= 1);
      assert.match(await pages[0].locator('#chat-note').textContent(), /waits/);

      const port = String(server.port);
      server = await relay({ args: [...MOUNT_ARGS, '--listen', `127.0.0.1:${port}`] });
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]');
        await page.waitForFunction(() => document.querySelector('[data-stat="connects"]').textContent === '2');
        await page.waitForFunction(() => document.querySelector('[data-stat="queued"]').textContent === '0');
        assert.equal(await page.locator('#chat-note').textContent(), '');
      }
      await say(pages[0], 'and on it goes');
      await said(pages[1], 'and on it goes');
      assertNoTroubles(pages, NO_SERVER);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('rooms are apart, links keep the room, a new room has a name of its own', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    // The second sees everything of the server: our relay would keep it from the foreign.
    const pages = await Promise.all(['#red', '?protocol=websocket#blue'].map((room) => openPage(browser, `${server.origin}/${room}`, DESKTOP)));
    try {
      const [red, blue] = pages;
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]');
      await say(red, 'in the red room');
      await blue.waitForFunction(() => Number(document.querySelector('.counter[data-kind="foreign"] b').textContent) >= 1);
      assert.equal(await blue.locator('.person').count(), 1);
      assert.equal(await blue.locator('#chat-log .said').count(), 0);

      assert.equal(await red.getByRole('link', { name: 'Open a second tab' }).getAttribute('href'), `${server.origin}/#red`);
      assert.equal(await red.getByRole('navigation').getByRole('link', { name: 'DataChannel.js' }).evaluate((link) => link.href), `${server.origin}/datachannel.html#red`);
      const [opened] = await Promise.all([red.context().waitForEvent('page'), red.getByRole('link', { name: 'Open a second tab' }).click()]);
      await seesOthers(opened, 1);
      await seesOthers(red, 1);

      await red.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await red.bringToFront();
      await red.getByRole('button', { name: 'Copy link' }).click();
      await red.getByRole('button', { name: 'Copied' }).waitFor();
      assert.equal(await red.evaluate(() => navigator.clipboard.readText()), `${server.origin}/#red`);

      await Promise.all([opened.waitForEvent('load'), opened.getByRole('button', { name: 'New' }).click()]);
      await opened.waitForSelector('#state[data-state="open"]');
      assert.match(new URL(opened.url()).hash, /^#[a-z2-9]{8}$/);
      await seesOthers(red, 0);
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('without a camera the chat works, the page says so, and a drawn picture takes its place', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    // As on a machine without devices, or where the visitor refuses.
    const without = (page, name) =>
      page.addInitScript((name) => {
        MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('no', name));
      }, name);
    const pages = [];
    try {
      for (const [name, words] of [['NotFoundError', /no camera here/], ['NotAllowedError', /didn’t allow/]]) {
        const context = await newContext(browser, DESKTOP);
        const page = await context.newPage();
        page.troubles = [];
        page.on('pageerror', (error) => page.troubles.push(String(error)));
        await without(page, name);
        await page.goto(`${server.origin}/#no-camera`);
        pages.push(page);
        await page.waitForSelector('#state[data-state="open"]');
        await page.getByRole('button', { name: /(Start|Join) the call/ }).click();
        await page.waitForFunction((source) => new RegExp(source).test(document.getElementById('call-note').textContent), words.source);
      }
      for (const page of pages) await remoteVideoPlays(page, 1);
      await say(pages[0], 'still here');
      await said(pages[1], 'still here');
      await screenshot(pages[0], 'no-camera', { fullPage: true });
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('where there is no WebRTC, the page says so, and all but the call works', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const prepare = () => {
      for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) delete window[name];
    };
    const without = await openPage(browser, server.origin, { ...DESKTOP, prepare });
    const other = await openPage(browser, server.origin, DESKTOP);
    const pages = [without, other];
    try {
      for (const page of pages) await seesOthers(page, 1);
      const note = () => document.getElementById('call-note').textContent.includes('no WebRTC');
      await without.waitForFunction(note);
      assert.equal(await without.getByRole('button', { name: 'Start the call' }).isDisabled(), true);
      await other.getByRole('button', { name: 'Start the call' }).click();
      await say(other, 'by signaling alone');
      await said(without, 'by signaling alone');
      // A chat message comes after the news that the other has joined the call.
      assert.equal(await without.evaluate(note), true);
      assert.doesNotMatch(await without.locator('#people').innerText(), /you.*in the call/);
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('a bad server in the address, and a library that is missing, are reported in words', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    try {
      for (const path of ['', 'datachannel.html', 'rtcmulticonnection.html']) {
        const page = await openPage(browser, `${server.origin}/${path}?server=${encodeURIComponent('ftp://example.org/')}`, DESKTOP);
        await page.getByRole('alert').waitFor();
        assert.match(await page.getByRole('alert').textContent(), /ftp:\/\/example\.org\//);
        await page.context().close();

        const context = await newContext(browser, DESKTOP);
        await context.route('**/signal-wasm/**', (route) => route.fulfill({ status: 404, body: '' }));
        const lost = await context.newPage();
        await lost.goto(`${server.origin}/${path}`);
        await lost.getByRole('alert').waitFor();
        assert.match(await lost.getByRole('alert').textContent(), /could not be loaded.*npm start/);
        await context.close();
      }
    } finally {
      await server.close();
    }
  });

  test('every page fits a phone, in light and dark, and names all its controls', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    try {
      for (const path of ['', 'datachannel.html', 'rtcmulticonnection.html', 'bring-your-own.html']) {
        for (const width of [320, 360, 390]) {
          const page = await openPage(browser, `${server.origin}/${path}#a-room-with-a-rather-long-name-that-goes-on`, { ...PHONE, viewport: { width, height: 844 }, ...(width === 390 ? DARK : {}) });
          await page.waitForSelector('#state[data-state="open"]');
          const { scroll, inner, unnamed } = await page.evaluate(() => ({
            scroll: document.documentElement.scrollWidth,
            inner: innerWidth,
            unnamed: [...document.querySelectorAll('button, a[href], input, select')]
              .filter((control) => !(control.textContent.trim() || control.labels?.length || control.ariaLabel))
              .map((control) => control.outerHTML),
          }));
          // A phone widens its layout to what doesn't fit, so that nothing would seem to scroll:
          // the width itself must be the phone's.
          assert.deepEqual({ scroll, inner }, { scroll: width, inner: width }, `/${path} at ${width}`);
          assert.deepEqual(unnamed, []);
          await screenshot(page, `${path.replace('.html', '') || 'demo'}-${width}`, { fullPage: true });
          await page.context().close();
        }
      }
    } finally {
      await server.close();
    }
  });
});
