// The demo, as a newcomer uses it: two tabs chat and call each other, on one protocol or on different ones, see frames go by, cut their connection,
// live through a relay that goes away and comes back, and do without any; and the page for signalings of one's own.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { until } from '../support/listen.mjs';
import { assertNoTroubles, openPage, rawClient, screenshot, SERVERS, TIMEOUT } from '../support/pages.mjs';
import { MOUNT_ARGS, relay, ROOT } from '../support/servers.mjs';

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DARK = { colorScheme: 'dark' };

// Chromium's own words when a server is away.
const NO_SERVER = [/WebSocket connection to 'ws:[^']*' failed/, /net::ERR_CONNECTION_REFUSED/];

let browser;
before(async () => {
  browser = await launchChromium({ args: FAKE_CAMERA });
});
after(() => browser?.close());

for (const [name, start] of Object.entries(SERVERS)) {
  describe(`on ${name}`, () => {
    let server;
    let first;
    let second;

    before(async () => {
      server = await start();
      // Two tabs of the bare address meet: nobody has to make up a room first.
      first = await openPage(browser, `${server.origin}/${server.query}`, DESKTOP);
      second = await openPage(browser, `${server.origin}/${server.query}`, { ...DESKTOP, ...DARK });
      await Promise.all([first, second].map((page) => seesOthers(page, 1)));
    });
    after(async () => {
      await first?.context().close();
      await second?.context().close();
      await server?.close();
    });

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
      // Our relay knows which channels a page has open; the seed's server sends everything to everybody.
      const foreign = name === 'our relay' ? 0 : 1;
      await first.waitForFunction(({ foreign, delivered }) => Number(document.querySelector('.counter[data-kind="foreign"] b').textContent) === foreign && Number(document.querySelector('.counter[data-kind="delivered"] b').textContent) >= delivered + 1, { ...before, foreign: before.foreign + foreign });

      // A frame opens to its envelope, indented and cut off where it gets long.
      const newest = first.locator('#frames li[data-kind="delivered"]').first();
      await newest.locator('summary').click();
      const text = await newest.locator('pre').textContent();
      assert.match(text, /^\{\n  "sender": 1,\n  "channel": "lobby",\n(  "id": "\d+",\n)?  "message": \{\n    "kind": "something long"/);
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
      assert.ok((await counters(first)).delivered > delivered, 'counters go on while the list is paused');
      await first.getByRole('button', { name: /Go on/ }).click();
      await stranger.close();
      assertNoTroubles([first]);
    });

    test('messages of strangers, of any shape, don’t disturb the room', TIMEOUT, async () => {
      const stranger = await rawClient(server.url);
      const say = (message) => stranger.send(JSON.stringify({ sender: 'stranger', channel: 'lobby', message }));
      for (const message of [null, 5, 'text', [], {}, { kind: 5 }, { kind: 'hello' }, { kind: 'hello', from: 'x' }, { kind: 'hello', from: -0.5 }, { kind: 'chat', from: 1 }, { kind: 'chat', from: 1, text: {} }]) {
        say(message);
      }
      say({ kind: 'hello', from: 12345, name: { not: 'a name' }, call: 'not a number' });
      await seesOthers(first, 2);
      say({ kind: 'here', from: 12345, name: 'x'.repeat(5_000), call: null });
      await first.waitForFunction(() => [...document.querySelectorAll('.person')].some((person) => person.textContent.includes('x'.repeat(40)) && !person.textContent.includes('x'.repeat(41))));
      say({ kind: 'bye', from: 12345 });
      for (const page of [first, second]) await seesOthers(page, 1);
      assertNoTroubles([first, second]);
      await stranger.close();
    });

    test('a video call: the other’s video really plays, in both tabs', TIMEOUT, async () => {
      await first.getByRole('button', { name: 'Start the call' }).click();
      await second.getByRole('button', { name: 'Join the call' }).click();
      for (const page of [first, second]) {
        await remoteVideoPlays(page, 1);
        assert.equal(await page.getByRole('switch', { name: 'Microphone' }).getAttribute('aria-checked'), 'false');
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
      const third = await openPage(browser, `${server.origin}/${server.query}`, { ...PHONE });
      for (const page of [first, second, third]) await seesOthers(page, 2);
      await third.getByRole('button', { name: 'Join the call' }).tap();
      for (const page of [first, second, third]) await remoteVideoPlays(page, 2);
      await say(third, 'from the phone');
      for (const page of [first, second]) await said(page, 'from the phone');
      // What the other two say to each other passes by the third unopened.
      await third.waitForFunction(() => document.querySelector('[data-stat="channels"]').textContent === '3');

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
        await page.waitForSelector('#state[data-state="waiting"]');
        assert.equal(await page.locator('#state-word').textContent(), 'Connection lost');
      }
      await pages[0].waitForFunction(() => /next attempt in \d+ s|trying again/.test(document.getElementById('state-more').textContent));
      // A reason in words stands before it.
      await pages[0].waitForFunction(() => /^[^,]*\w+ \w+.*, (next attempt|trying)/.test(document.getElementById('state-more').textContent));
      await screenshot(pages[0], 'connection-lost');

      // Said while there is no connection: it waits, and the page says that it does.
      await say(pages[0], 'sent while the relay was away');
      await pages[0].waitForFunction(() => Number(document.querySelector('[data-stat="queued"]').textContent) >= 1);
      assert.match(await pages[0].locator('#chat-note').textContent(), /waits/);

      const port = String(server.port);
      server = await relay({ args: [...MOUNT_ARGS, '--listen', `127.0.0.1:${port}`] });
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]', { timeout: 60_000 });
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
    // As on a machine without devices, and as where the visitor says no.
    const without = (page, name) =>
      page.addInitScript((name) => {
        MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('no', name));
      }, name);
    const pages = [];
    try {
      for (const [name, words] of [['NotFoundError', /no camera here/], ['NotAllowedError', /didn’t allow/]]) {
        const context = await browser.newContext(DESKTOP);
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

  test('a bad server in the address, and a library that is missing, are told in words', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    try {
      for (const path of ['', 'datachannel.html', 'rtcmulticonnection.html']) {
        const page = await openPage(browser, `${server.origin}/${path}?server=${encodeURIComponent('ftp://example.org/')}`, DESKTOP);
        await page.getByRole('alert').waitFor();
        assert.match(await page.getByRole('alert').textContent(), /ftp:\/\/example\.org\//);
        await page.context().close();

        const context = await browser.newContext(DESKTOP);
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
          // A phone widens its layout to what doesn't fit, so that nothing would seem to scroll: the width itself must be the phone's.
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

describe('the connection’s card', () => {
  test('a cut is told, marked and mended; through our relay nothing is missed and nothing comes twice', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const pages = [await openPage(browser, `${server.origin}/#cut`, DESKTOP), await openPage(browser, `${server.origin}/#cut`, { ...PHONE, ...DARK })];
    const [first, second] = pages;
    try {
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]');
        assert.equal(await page.locator('#state-protocol').textContent(), 'our relay');
        await seesOthers(page, 1);
        await page.getByRole('switch', { name: 'Send a number each second' }).click();
      }
      for (const page of pages) {
        await numbers(page, ({ came }) => came >= 2);
        await page.waitForFunction(() => /^\d+(\.\d)? ms$/.test(document.querySelector('[data-stat="roundTrip"]').textContent) && document.querySelectorAll('.plot-trip').length >= 2);
        for (const stat of ['sentBytes', 'receivedBytes']) assert.match(await page.locator(`[data-stat="${stat}"]`).textContent(), /^[1-9][\d.]* k?B$/);
        assert.equal(await page.locator('.plot-mark').count(), 0);
      }

      await first.getByRole('button', { name: 'Cut it' }).click();
      await stat(first, 'reconnects', (count) => count === 1);
      await first.waitForFunction(() => document.querySelectorAll('.plot-back').length === 1);
      assert.deepEqual((await told(first)).toReversed().map((line) => line.replace(/[:,].*/, '')), ['Connected', 'You cut the connection', 'Connection lost', 'Connected again']);

      // Kept cut: the outbox fills, and empties when the connection is back.
      await first.getByRole('button', { name: 'Keep it cut for 5 s' }).click();
      await first.waitForFunction(() => /^Cut for another [1-5] s$/.test(document.getElementById('cut-longer').textContent));
      await say(first, 'written while it was cut');
      await say(second, 'said while the other was cut');
      await stat(first, 'queued', (count) => count >= 3);
      assert.equal(await first.locator('#link').getAttribute('data-waiting'), 'true');
      assert.ok(await first.locator('.plot-queue').getAttribute('d'));
      assert.equal(await first.locator('#link-word').textContent(), await first.locator('#state-word').textContent());
      await first.waitForFunction(() => /\w+ \w+.*, (next attempt in \d+ s|trying again)/.test(document.getElementById('link-more').textContent));
      await screenshot(first, 'connection-cut', { fullPage: true });

      await stat(first, 'reconnects', (count) => count === 2);
      await stat(first, 'queued', (count) => count === 0);
      await said(second, 'written while it was cut');
      await said(first, 'said while the other was cut');
      await first.getByRole('button', { name: 'Keep it cut for 5 s' }).waitFor();
      const { came } = await numbers(second);
      await numbers(second, (now) => now.came >= came + 3);
      for (const page of pages) {
        const { missed, again } = await numbers(page);
        assert.deepEqual({ missed, again }, { missed: 0, again: 0 });
        assert.equal(await page.locator('#chat-log .said').count(), 2, 'each is shown once');
        assert.equal(await page.locator('[data-stat="gaps"]').textContent(), '0');
        assert.equal(await page.locator('.person').count(), 2);
      }
      assert.match(await first.locator('#plot').getAttribute('aria-label'), /Round trips between [\d.]+ and [\d.]+ ms; 2 reconnections, 0 gaps/);

      // Switched off, no more numbers come.
      await first.getByRole('switch', { name: 'Send a number each second' }).click();
      assert.equal(await first.getByRole('switch', { name: 'Send a number each second' }).getAttribute('aria-checked'), 'false');
      await second.evaluate(() => scrollTo(0, document.getElementById('link').offsetTop));
      await screenshot(second, 'connection-phone');
      await screenshot(first, 'connection-after', { fullPage: true });
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('what a relay forgot by its death is told as a gap', TIMEOUT, async () => {
    let server = await relay({ args: MOUNT_ARGS });
    const page = await openPage(browser, `${server.origin}/#gap`, DESKTOP);
    try {
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await page.locator('.plot-gap').count(), 0);
      await server.kill();
      await page.waitForSelector('#state[data-state="waiting"]');
      server = await relay({ args: [...MOUNT_ARGS, '--listen', `127.0.0.1:${server.port}`] });
      await stat(page, 'gaps', (count) => count === 1);
      await page.waitForFunction(() => document.querySelectorAll('.plot-gap').length === 1);
      assert.equal((await told(page)).filter((line) => line === 'Something may have been missed on “gap”').length, 1);
      await page.waitForFunction(() => [...document.querySelectorAll('#chat-log .told')].some((item) => /may be missing/.test(item.textContent)));
      assertNoTroubles([page], NO_SERVER);
    } finally {
      await page.context().close();
      await server.close();
    }
  });

  test('every protocol can be cut, and comes back; tabs without a server can’t', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const pages = await Promise.all(Object.keys(PROTOCOLS).map((protocol) => openPage(browser, `${server.origin}/?protocol=${protocol}#cuts`, DESKTOP)));
    try {
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]');
        await seesOthers(page, pages.length - 1);
      }
      for (const [index, page] of pages.entries()) {
        await page.getByRole('button', { name: 'Cut it' }).click();
        await stat(page, 'connects', (count) => count === 2);
        await page.waitForSelector('#state[data-state="open"]');
        await say(page, `back by ${Object.keys(PROTOCOLS)[index]}`);
        await Promise.all(pages.filter((other) => other !== page).map((other) => said(other, `back by ${Object.keys(PROTOCOLS)[index]}`)));
      }
      // Their servers measure no round trip.
      for (const page of pages.slice(0, -1)) assert.equal(await page.locator('[data-stat="roundTrip"]').textContent(), '–');
      assertNoTroubles(pages);

      const alone = await openPage(browser, `${server.origin}/?protocol=tabs`, DESKTOP);
      await alone.waitForSelector('#state[data-state="open"]');
      for (const name of ['Cut it', 'Keep it cut for 5 s']) assert.ok(await alone.getByRole('button', { name }).isDisabled());
      await alone.context().close();
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });
});

const PROTOCOLS = { websocket: 'WebSocket', 'socket.io': 'Socket.IO', signalr: 'SignalR', 'signalr-classic': 'classic SignalR', relay: 'our relay' };

describe('tabs on different protocols', () => {
  let server;
  let pages;

  before(async () => {
    server = await SERVERS['our relay']();
    pages = await Promise.all(Object.keys(PROTOCOLS).map((protocol) => openPage(browser, `${server.origin}/?protocol=${protocol}#mixed`, DESKTOP)));
  });
  after(async () => {
    await Promise.all((pages ?? []).map((page) => page.context().close()));
    await server?.close();
  });

  test('see each other, each with its protocol, and chat', TIMEOUT, async () => {
    for (const [index, name] of Object.values(PROTOCOLS).entries()) {
      await pages[index].waitForSelector('#state[data-state="open"]');
      assert.equal(await pages[index].locator('#state-protocol').textContent(), name);
      await seesOthers(pages[index], 4);
      const shown = await pages[index].$$eval('.person small', (notes) => notes.map((note) => note.textContent));
      assert.deepEqual(shown.toSorted(), Object.values(PROTOCOLS).map((other) => (other === name ? `you, ${name}` : other)).toSorted());
    }
    for (const [index, name] of Object.values(PROTOCOLS).entries()) {
      await say(pages[index], `é 🙂 "said" by ${name}`);
      await Promise.all(pages.filter((page) => page !== pages[index]).map((page) => said(page, `é 🙂 "said" by ${name}`)));
    }
    for (const page of pages) assert.equal(await page.locator('#chat-log .said').count(), 5, 'each is heard once');
    assertNoTroubles(pages);
  });

  test('the inspector finds the envelope in each protocol’s frames, and shows what is the protocol’s own', TIMEOUT, async () => {
    for (const [index, protocol] of Object.keys(PROTOCOLS).entries()) {
      const page = pages[index];
      const newest = page.locator('#frames li[data-kind="delivered"]').first();
      assert.equal(await newest.locator('.frame-channel').textContent(), 'mixed', protocol);
      assert.match(await newest.locator('.frame-text').textContent(), /^chat é 🙂 "said" by /, protocol);
      assert.equal(await page.locator('#frames li[data-kind="sent"]').first().locator('.frame-channel').textContent(), 'mixed', protocol);
      const { control, bad, foreign } = await counters(page);
      // Plain WebSockets have nothing but messages; each of the others begins with a handshake.
      assert.equal(control > 0, protocol !== 'websocket', `${protocol}: ${control} control frames`);
      // The counter has those that were received, the list also those that were sent.
      assert.ok((await page.locator('#frames li[data-kind="control"]').count()) >= control);
      // Our relay's greeting is a frame like any other to a page that asked for plain WebSocket.
      assert.deepEqual({ bad, foreign }, { bad: 0, foreign: protocol === 'websocket' ? 1 : 0 }, protocol);
    }
    const first = pages[1].locator('#frames li[data-kind="control"]').last();
    await first.locator('summary').click();
    assert.match(await first.locator('pre').textContent(), /^0\{\n  "sid": "/);
    await pages[1].getByRole('button', { name: /control/ }).click();
    assert.equal(await pages[1].locator('#frames li[data-kind="control"]:visible').count(), 0);
    const events = pages[1].locator('#frames li[data-kind="sent"]').first();
    await events.locator('summary').click();
    assert.match(await events.locator('pre').textContent(), /^42\[\n  "message",\n  \{\n    "sender": \d+,\n    "channel": "mixed"/);
    assertNoTroubles(pages);
  });

  for (const [one, other] of [[0, 2], [1, 3], [4, 0]]) {
    test(`a video call between ${Object.values(PROTOCOLS)[one]} and ${Object.values(PROTOCOLS)[other]}`, TIMEOUT, async () => {
      const [caller, callee] = [pages[one], pages[other]];
      await caller.getByRole('button', { name: 'Start the call' }).click();
      await callee.getByRole('button', { name: 'Join the call' }).click();
      for (const page of [caller, callee]) await remoteVideoPlays(page, 1);
      await caller.evaluate(() => scrollTo(0, 0));
      await screenshot(caller, `mixed-call-${Object.keys(PROTOCOLS)[one]}`, { fullPage: true });
      for (const page of [caller, callee]) await page.getByRole('button', { name: 'Leave the call' }).click();
      for (const page of pages) await page.getByRole('button', { name: 'Start the call' }).waitFor();
      assertNoTroubles(pages);
    });
  }
});

describe('the choice of protocol', () => {
  test('goes into the address, and with it into every link; no server is one too', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const page = await openPage(browser, `${server.origin}/?stun=stun:127.0.0.1:1#chosen`, DESKTOP);
    try {
      const choice = page.getByLabel('Protocol');
      assert.equal(await choice.inputValue(), 'auto');
      await Promise.all([page.waitForURL(/protocol=socket\.io/), choice.selectOption({ label: 'Socket.IO' })]);
      const here = `${server.origin}/?stun=stun%3A127.0.0.1%3A1&protocol=socket.io#chosen`;
      assert.equal(page.url(), here);
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await page.getByLabel('Protocol').inputValue(), 'socket.io');
      assert.equal(await page.getByRole('link', { name: 'Open a second tab' }).getAttribute('href'), here);
      assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Bring your own' }).evaluate((link) => link.href), here.replace('/?', '/bring-your-own.html?'));

      // A second tab with another protocol, from its link.
      const [other] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'classic SignalR', exact: true }).click()]);
      await other.waitForSelector('#state[data-state="open"]');
      assert.equal(await other.locator('#state-protocol').textContent(), 'classic SignalR');
      await seesOthers(page, 1);
      await seesOthers(other, 1);
      await other.close({ runBeforeUnload: true });

      // The other pages take it too.
      await page.getByRole('navigation').getByRole('link', { name: 'DataChannel.js' }).click();
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await page.locator('#state-protocol').textContent(), 'Socket.IO');
      await page.goto(here);
      // And the usual one leaves no trace.
      await Promise.all([page.waitForURL((url) => !url.searchParams.has('protocol')), page.getByLabel('Protocol').selectOption({ index: 0 })]);
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await page.locator('#state-protocol').textContent(), 'our relay', 'what the automatic choice came to');
      // What DataChannel.js would frame, and its page's policy doesn't let it.
      assertNoTroubles([page], [/Framing 'https:\/\/cdn\.webrtc-experiment\.com/]);
    } finally {
      await page.context().close();
      await server.close();
    }
  });

  test('one that isn’t there is told in words, on every page', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    try {
      for (const path of ['', 'datachannel.html', 'rtcmulticonnection.html']) {
        const page = await openPage(browser, `${server.origin}/${path}?protocol=carrier-pigeon`, DESKTOP);
        await page.getByRole('alert').waitFor();
        assert.match(await page.getByRole('alert').textContent(), /carrier-pigeon.*socket\.io/);
        assert.equal(await page.locator('#state-word').textContent(), 'Not started');
        await page.context().close();
      }
      const page = await openPage(browser, `${server.origin}/?protocol=carrier-pigeon#out`, DESKTOP);
      // And the way out is at hand.
      await page.getByLabel('Protocol').selectOption({ label: 'SignalR' });
      await page.waitForSelector('#state[data-state="open"]');
      await page.context().close();
    } finally {
      await server.close();
    }
  });

  test('without a server the tabs of one browser chat and call, when nothing is there any more but they', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const first = await openPage(browser, `${server.origin}/?protocol=tabs#offline`, DESKTOP);
    let closed = false;
    try {
      const second = await first.context().newPage();
      second.troubles = [];
      second.on('pageerror', (error) => second.troubles.push(String(error)));
      await second.goto(first.url());
      const pages = [first, second];
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]');
        assert.equal(await page.locator('#state-protocol').textContent(), 'tabs only');
        await seesOthers(page, 1);
      }
      await server.close();
      closed = true;
      await say(first, 'no server needed');
      await said(second, 'no server needed');
      await first.getByRole('button', { name: 'Start the call' }).click();
      await second.getByRole('button', { name: 'Join the call' }).click();
      for (const page of pages) {
        await page.bringToFront();
        await remoteVideoPlays(page, 1);
      }
      const { sent, delivered, own, bad } = await counters(first);
      assert.ok(sent > 3 && delivered > 3, JSON.stringify({ sent, delivered }));
      assert.deepEqual({ own, bad }, { own: 0, bad: 0 });
      await screenshot(first, 'offline', { fullPage: true });
      await second.close({ runBeforeUnload: true });
      await seesOthers(first, 0);
      // Chromium asks for a page's icon again when it likes to.
      assertNoTroubles(pages, NO_SERVER);
    } finally {
      await first.context().close();
      if (!closed) await server.close();
    }
  });
});

describe('bring your own', () => {
  const CHOICES = ['publish-subscribe', 'storage', 'socket-io-client', 'hub-connection', 'hub-proxy', 'broadcast-channel'];

  for (const choice of CHOICES) {
    test(`${choice}: the source that is shown runs, and two tabs talk over it`, TIMEOUT, async () => {
      const server = await SERVERS['our relay']();
      const first = await openPage(browser, `${server.origin}/bring-your-own.html?transport=${choice}#own`, DESKTOP);
      try {
        await first.waitForSelector('#state[data-state="open"]');
        assert.equal(await first.locator('#source').textContent(), (await readFile(join(ROOT, `www/js/own/${choice}.js`), 'utf8')).trimEnd());
        assert.equal(await first.getByLabel('What is to carry the messages?').inputValue(), choice);
        const [second] = await Promise.all([first.context().waitForEvent('page'), first.getByRole('link', { name: 'Open a second tab' }).click()]);
        await second.waitForSelector('#state[data-state="open"]');
        await say(first, 'é 🙂 "from the first"');
        await logged(second, 'é 🙂 "from the first"');
        await say(second, '<b>and back</b>');
        await logged(first, '<b>and back</b>');
        for (const page of [first, second]) {
          assert.equal(await page.locator('#log li:not(.told)').count(), 2, 'each is shown once');
          assert.equal(await page.getByRole('alert').count(), 0);
        }
        await screenshot(first, `own-${choice}`, { fullPage: true });
        assertNoTroubles([first]);
      } finally {
        await first.context().close();
        await server.close();
      }
    });
  }

  test('the clients that a page has already hear each other, whichever they are', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const choices = ['socket-io-client', 'hub-connection', 'hub-proxy'];
    const pages = await Promise.all(choices.map((choice) => openPage(browser, `${server.origin}/bring-your-own.html?transport=${choice}#own`, DESKTOP)));
    try {
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]');
      for (const [index, page] of pages.entries()) {
        await say(page, `by ${choices[index]}`);
        await Promise.all(pages.filter((other) => other !== page).map((other) => logged(other, `by ${choices[index]}`)));
      }
      for (const page of pages) assert.equal(await page.locator('#log li:not(.told)').count(), 3, 'each is heard once');
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('a transport of the page’s lives through a relay that goes and comes back', TIMEOUT, async () => {
    let server = await SERVERS['our relay']();
    const choices = ['publish-subscribe', 'socket-io-client', 'hub-connection', 'hub-proxy'];
    const pages = await Promise.all(choices.map((choice) => openPage(browser, `${server.origin}/bring-your-own.html?transport=${choice}#own`, DESKTOP)));
    const port = new URL(server.origin).port;
    try {
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]');
      await server.close();
      for (const page of pages) await page.waitForSelector('#state:not([data-state="open"])');
      // Said meanwhile: it waits.
      await say(pages[1], 'said while nothing was there');
      server = await relay({ args: [...MOUNT_ARGS, '--listen', `127.0.0.1:${port}`] });
      for (const page of pages) await page.waitForSelector('#state[data-state="open"]', { timeout: 60_000 });
      await say(pages[1], 'and on it goes');
      for (const page of pages.slice(2)) await logged(page, 'and on it goes');
      assertNoTroubles(pages, [...NO_SERVER, /negotiat|Failed to (start|complete)|WebSocket|Failed to fetch|hub/i]);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('a choice that isn’t there, and a client that can’t be loaded, are told in words', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    try {
      const page = await openPage(browser, `${server.origin}/bring-your-own.html?transport=smoke-signs`, DESKTOP);
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').textContent(), /smoke-signs.*publish-subscribe/);
      await page.getByLabel('What is to carry the messages?').selectOption('storage');
      await page.waitForSelector('#state[data-state="open"]');
      await page.context().close();

      const context = await browser.newContext(DESKTOP);
      await context.route('**/vendor/**', (route) => route.fulfill({ status: 404, body: '' }));
      const lost = await context.newPage();
      await lost.goto(`${server.origin}/bring-your-own.html?transport=hub-proxy`);
      await lost.getByRole('alert').waitFor();
      assert.match(await lost.getByRole('alert').textContent(), /vendor\/jquery.*could not be loaded.*npm start/);
      await context.close();
    } finally {
      await server.close();
    }
  });
});

/** Waits until the number shown for that counter is as wanted. */
async function stat(page, name, wanted) {
  const shown = () => page.locator(`[data-stat="${name}"]`).textContent().then((text) => Number(text.replaceAll(/\D/g, '')));
  await until(async () => wanted(await shown()), `${name}: ${wanted}`);
}

/** What became of the numbers that the others send each second, once it is as wanted. */
async function numbers(page, wanted = () => true) {
  return until(async () => {
    const found = /: ([\d,]+) came, ([\d,]+) never did, ([\d,]+) came twice/.exec(await page.locator('#pulse-note').textContent());
    const [came, missed, again] = found?.slice(1).map((text) => Number(text.replaceAll(',', ''))) ?? [0, 0, 0];
    return wanted({ came, missed, again }) && { came, missed, again };
  }, `numbers: ${wanted}`);
}

/** What the card tells of the connection, newest first. */
function told(page) {
  return page.$$eval('#events li span', (lines) => lines.map((line) => line.textContent));
}

function logged(page, text) {
  return page.waitForFunction((text) => [...document.querySelectorAll('#log li:not(.told)')].some((item) => item.textContent.endsWith(`: ${text}`)), text);
}

function seesOthers(page, count) {
  return page.waitForFunction((count) => document.querySelectorAll('.person').length === count + 1, count);
}

async function say(page, text) {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('textbox', { name: 'Message' }).press('Enter');
}

function said(page, text, who = '') {
  return page.waitForFunction(
    ({ text, who }) => [...document.querySelectorAll('#chat-log .said:not(.mine)')].some((item) => item.querySelector('.said-text').textContent === text && item.querySelector('.said-who').textContent.startsWith(who)),
    { text, who },
  );
}

async function counters(page) {
  return page.$$eval('.counter', (tiles) => Object.fromEntries(tiles.map((tile) => [tile.dataset.kind, Number(tile.querySelector('b').textContent.replace(/\D/g, ''))])));
}

async function remoteVideoPlays(page, count) {
  await page.waitForFunction(
    (count) => {
      const videos = [...document.querySelectorAll('.tile[data-who="other"] video')];
      return videos.length === count && videos.every((video) => video.videoWidth > 0 && !video.paused && video.readyState >= 3);
    },
    count,
    { timeout: 45_000 },
  );
  // Time must go on from here, whatever it was.
  const from = await page.$$eval('.tile[data-who="other"] video', (videos) => videos.map((video) => video.currentTime));
  await page.waitForFunction((from) => [...document.querySelectorAll('.tile[data-who="other"] video')].every((video, index) => video.currentTime > from[index] + 0.3), from);
}

async function brightness(page) {
  await page.evaluate(() => {
    window.sampleBrightness = () => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 16;
      const paint = canvas.getContext('2d');
      paint.drawImage(document.querySelector('.tile[data-who="other"] video'), 0, 0, 16, 16);
      const { data } = paint.getImageData(0, 0, 16, 16);
      let brightest = 0;
      for (let index = 0; index < data.length; index += 4) brightest = Math.max(brightest, data[index], data[index + 1], data[index + 2]);
      return brightest;
    };
  });
  return page.evaluate(() => sampleBrightness());
}
