// The demo's connection: its card, with a cut and a relay's death, and the choice of protocol,
// which may be another on each tab, or none that needs a server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { counters, DARK, DESKTOP, NO_SERVER, numbers, PHONE, PROTOCOLS, remoteVideoPlays, said, say, seesOthers, stat, told, unfold } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, screenshot, SERVERS } from '../support/pages.mjs';
import { MOUNT_ARGS, relay } from '../support/servers.mjs';

let browser;
before(async () => {
  browser = await launchChromium({ args: FAKE_CAMERA });
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

describe('the connection’s card', () => {
  test('a cut is reported, marked and mended; through our relay nothing is missed and nothing comes twice', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const pages = [await openPage(browser, `${server.origin}/#cut`, DESKTOP), await openPage(browser, `${server.origin}/#cut`, { ...PHONE, ...DARK })];
    const [first, second] = pages;
    try {
      await unfold(second);
      for (const page of pages) {
        await page.waitForSelector('#state[data-state="open"]');
        await page.getByText('our relay', { exact: true }).and(page.locator('#state-protocol')).waitFor();
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
      // At one moment: attempts begin and end meanwhile.
      await first.waitForFunction(() => {
        const [link, word, more, state] = ['link', 'link-word', 'link-more', 'state-word'].map((id) => document.getElementById(id));
        const isTold = /\w+ \w+.*, (next attempt in \d+ s|trying again)/.test(more.textContent) && word.textContent === state.textContent;
        return isTold && link.dataset.waiting === 'true' && document.querySelector('.plot-queue').hasAttribute('d');
      });
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

  test('what a relay forgot by its death is reported as a gap', TIMEOUT, async () => {
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

describe('tabs on different protocols', () => {
  let server;
  let pages;

  before(async () => {
    server = await SERVERS['our relay']();
    pages = await Promise.all(Object.keys(PROTOCOLS).map((protocol) => openPage(browser, `${server.origin}/?protocol=${protocol}#mixed`, DESKTOP)));
  }, TIMEOUT);
  after(async () => {
    await Promise.all((pages ?? []).map((page) => page.context().close()));
    await server?.close();
  }, TIMEOUT);

  test('see each other, each with its protocol, and chat', TIMEOUT, async () => {
    for (const [index, name] of Object.values(PROTOCOLS).entries()) {
      await pages[index].waitForSelector('#state[data-state="open"]');
      assert.equal(await pages[index].locator('#state-protocol').textContent(), name);
      await seesOthers(pages[index], pages.length - 1);
      const shown = await pages[index].$$eval('.person small', (notes) => notes.map((note) => note.textContent));
      assert.deepEqual(shown.toSorted(), Object.values(PROTOCOLS).map((other) => (other === name ? `you, ${name}` : other)).toSorted());
    }
    for (const [index, name] of Object.values(PROTOCOLS).entries()) {
      await say(pages[index], `é 🙂 "said" by ${name}`);
      await Promise.all(pages.filter((page) => page !== pages[index]).map((page) => said(page, `é 🙂 "said" by ${name}`)));
    }
    for (const page of pages) assert.equal(await page.locator('#chat-log .said').count(), pages.length, 'each is heard once');
    assertNoTroubles(pages);
  });

  test('the inspector finds the envelope in each protocol’s frames, and shows what is the protocol’s own', TIMEOUT, async () => {
    for (const [index, protocol] of Object.keys(PROTOCOLS).entries()) {
      const page = pages[index];
      const newest = page.locator('#frames li[data-kind="delivered"]').filter({ hasText: /message é 🙂 "said" by / }).first();
      assert.equal(await newest.locator('.frame-channel').textContent(), 'mixed', protocol);
      assert.equal(await page.locator('#frames li[data-kind="sent"]').first().locator('.frame-channel').textContent(), 'mixed', protocol);
      const { control, bad, foreign } = await counters(page);
      // These have nothing but messages; each of the others begins with a handshake.
      assert.equal(control === 0, ['websocket', 'sse'].includes(protocol), `${protocol}: ${control} control frames`);
      // The counter has those that were received, the list also those that were sent.
      assert.ok((await page.locator('#frames li[data-kind="control"]').count()) >= control);
      // Our relay's greeting is a frame like any other to a page that asked for plain WebSocket.
      assert.deepEqual({ bad, foreign }, { bad: 0, foreign: protocol === 'websocket' ? 1 : 0 }, protocol);
    }
    const first = pages[1].locator('#frames li[data-kind="control"]').last();
    await first.locator('summary').click();
    assert.match(await first.locator('pre').textContent(), /^0\{\n {2}"sid": "/);
    await pages[1].getByRole('button', { name: /control/ }).click();
    assert.equal(await pages[1].locator('#frames li[data-kind="control"]:visible').count(), 0);
    const events = pages[1].locator('#frames li[data-kind="sent"]').first();
    await events.locator('summary').click();
    assert.match(await events.locator('pre').textContent(), /^42\[\n {2}"message",\n {2}\{\n {4}"sender": \d+,\n {4}"channel": "mixed"/);
    assertNoTroubles(pages);
  });

  for (const [one, other] of [[0, 2], [1, 3], [4, 0], [5, 4]]) {
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
      // What the automatic choice came to.
      await page.getByText('our relay', { exact: true }).and(page.locator('#state-protocol')).waitFor();
      // What DataChannel.js would frame, and its page's policy doesn't let it.
      assertNoTroubles([page], [/Framing 'https:\/\/cdn\.webrtc-experiment\.com/]);
    } finally {
      await page.context().close();
      await server.close();
    }
  });

  test('one that isn’t there is reported in words, on every page', TIMEOUT, async () => {
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
