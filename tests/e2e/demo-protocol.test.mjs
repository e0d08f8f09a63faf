// The demo while its protocol is changed: name, chat and call go on, and the pill says what is
// spoken.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { DESKTOP, openAllowed, PROTOCOLS, remoteVideoPlays, said, say, seesOthers, stat } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, SERVERS } from '../support/pages.mjs';

/* global connections, missing -- of the pages */

let browser;
before(async () => {
  browser = await launchChromium({ args: FAKE_CAMERA });
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

/** In the page: remembers its connections, to see which are still open. */
function rememberConnections() {
  window.connections = [];
  window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, values, made) {
      const connection = Reflect.construct(target, values, made);
      window.connections.push(connection);
      return connection;
    },
  });
}

/** Notes from now on whenever the other's picture isn't shown. */
function watchPicture(page) {
  return page.evaluate(() => {
    window.missing = [];
    const look = () => {
      const videos = [...document.querySelectorAll('.tile[data-who="other"] video')];
      const found = videos.map((video) => (video.srcObject?.active ? 'active' : 'ended')).join();
      if (found !== 'active') window.missing.push(found);
    };
    new MutationObserver(look).observe(document.getElementById('tiles'), { childList: true });
    setInterval(look, 20);
  });
}

const choose = (page, label) => page.getByLabel('Protocol').selectOption({ label });
const speaks = (page, name) => page.waitForFunction((name) => document.getElementById('state').dataset.state === 'open' && document.getElementById('state-protocol').textContent === name, name);
/** Waits until the page shows the other one, and what it speaks. */
const sees = (page, ...parts) =>
  page.waitForFunction((parts) => {
    const others = [...document.querySelectorAll('.person')].slice(1);
    return others.length === 1 && parts.every((part) => others[0].textContent.includes(part));
  }, parts);
const leftNotes = (page) => page.$$eval('#chat-log .told', (lines) => lines.filter((line) => /has left/.test(line.textContent)).length);

describe('a change of protocol', () => {
  test('keeps name, chat and call', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const pages = [await openPage(browser, `${server.origin}/#change`, { ...DESKTOP, prepare: rememberConnections }), await openPage(browser, `${server.origin}/#change`, { ...DESKTOP, prepare: rememberConnections })];
    const [first, second] = pages;
    try {
      for (const page of pages) await seesOthers(page, 1);
      await first.getByLabel('Your name').fill('Ada');
      await first.getByLabel('Your name').press('Enter');
      await sees(second, 'Ada', 'our relay');
      await say(first, 'before');
      await said(second, 'before', 'Ada');
      await first.getByRole('button', { name: 'Start the call' }).click();
      await second.getByRole('button', { name: 'Join the call' }).click();
      for (const page of pages) {
        await remoteVideoPlays(page, 1);
        await watchPicture(page);
      }

      const labels = { 'socket.io': 'Socket.IO', sse: 'HTTP: server-sent events', signalr: 'SignalR', relay: 'Our relay' };
      for (const [id, label] of Object.entries(labels)) {
        await choose(first, label);
        await speaks(first, PROTOCOLS[id]);
        await sees(second, 'Ada', PROTOCOLS[id], 'in the call');
        assert.equal(new URL(first.url()).searchParams.get('protocol'), id);
        await say(first, `by ${id}`);
        await said(second, `by ${id}`, 'Ada');
        await say(second, `to ${id}`);
        await said(first, `to ${id}`);
        for (const page of pages) await remoteVideoPlays(page, 1);
      }

      for (const page of pages) {
        // A second connection has taken the place of the first, which ends.
        await page.waitForFunction(() => connections.length >= 5 && connections.filter(({ connectionState }) => connectionState === 'connected').length === 1);
        assert.deepEqual(await page.evaluate(() => missing), []);
        assert.equal(await page.locator('#chat-log .said').count(), 9, 'each once');
        assert.equal(await leftNotes(page), 0);
        assert.equal(await page.locator('.person').count(), 2);
      }
      assert.equal(await first.getByLabel('Your name').inputValue(), 'Ada');

      // The call is left like any other.
      await second.getByRole('button', { name: 'Leave the call' }).click();
      await first.waitForFunction(() => document.querySelectorAll('.tile[data-who="other"]').length === 0);
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('to one that reaches nobody leaves the room and not the call', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const pages = [await openPage(browser, `${server.origin}/#apart`, DESKTOP), await openPage(browser, `${server.origin}/#apart`, DESKTOP)];
    const [first, second] = pages;
    try {
      for (const page of pages) await seesOthers(page, 1);
      await first.getByRole('button', { name: 'Start the call' }).click();
      await second.getByRole('button', { name: 'Join the call' }).click();
      for (const page of pages) await remoteVideoPlays(page, 1);
      await choose(first, 'No server: tabs only');
      await speaks(first, 'tabs only');
      for (const page of pages) {
        await seesOthers(page, 0);
        await remoteVideoPlays(page, 1);
      }
      await first.getByRole('button', { name: 'Leave the call' }).click();
      await second.waitForFunction(() => document.querySelectorAll('.tile[data-who="other"]').length === 0);
      // And back again.
      await choose(first, 'Automatic');
      for (const page of pages) await seesOthers(page, 1);
      await first.getByRole('button', { name: 'Join the call' }).click();
      for (const page of pages) await remoteVideoPlays(page, 1);
      assertNoTroubles(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('takes along what the former connection couldn’t send', TIMEOUT, async () => {
    const server = await SERVERS['our relay']();
    const pages = [await openPage(browser, `${server.origin}/?protocol=sse#unsent`, DESKTOP), await openPage(browser, `${server.origin}/#unsent`, DESKTOP)];
    const [first, second] = pages;
    try {
      for (const page of pages) await seesOthers(page, 1);
      await first.context().route('**/sse?*', (route) => route.abort());
      await first.context().route('**/sse', (route) => route.abort());
      await say(first, 'written without a connection');
      await stat(first, 'queued', (count) => count >= 1);
      await choose(first, 'Our relay');
      await said(second, 'written without a connection');
      await speaks(first, 'our relay');
      await say(first, 'written with one');
      await said(second, 'written with one');
      assert.equal(await second.locator('#chat-log .said').count(), 2);
      assertNoTroubles(pages, [/ERR_FAILED/]);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });

  test('to one that the server doesn’t speak lets the room go on by the former', TIMEOUT, async () => {
    const server = await SERVERS['the seed’s server']();
    const pages = [await openAllowed(browser, `${server.origin}/${server.query}`, DESKTOP), await openAllowed(browser, `${server.origin}/${server.query}`, DESKTOP)];
    const [first, second] = pages;
    try {
      for (const page of pages) {
        await seesOthers(page, 1);
        await speaks(page, 'WebSocket');
      }
      await choose(first, 'Socket.IO');
      await first.waitForSelector('#state[data-state="connecting"]');
      await say(first, 'still here');
      await said(second, 'still here');
      await say(second, 'so am I');
      await said(first, 'so am I');
      // It says why, and is back where it was.
      await first.waitForFunction(() => [...document.querySelectorAll('#chat-log .told')].some((line) => /^Not changed to Socket\.IO: .*Engine\.IO/.test(line.textContent)));
      assert.equal(await first.getByLabel('Protocol').inputValue(), 'auto');
      await speaks(first, 'WebSocket');
      // Of two that are chosen one after the other, the last counts.
      await choose(first, 'SignalR');
      await choose(first, 'WebSocket');
      await speaks(first, 'WebSocket');
      await say(first, 'and back');
      await said(second, 'and back');
      for (const page of pages) {
        assert.equal(await leftNotes(page), 0);
        assert.equal(await page.locator('#chat-log .said').count(), 3);
      }
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
      await server.close();
    }
  });
});

test('the pill says what is spoken, and nothing while nothing is', TIMEOUT, async () => {
  const server = await SERVERS['our relay']();
  const pages = await Promise.all(['', 'datachannel.html'].map((path) => openPage(browser, `${server.origin}/${path}`, DESKTOP)));
  let isClosed = false;
  try {
    for (const page of pages) await speaks(page, 'our relay');
    await server.close();
    isClosed = true;
    for (const page of pages) {
      await page.waitForSelector('#state[data-state="waiting"]');
      await until(async () => (await page.locator('#state-protocol').textContent()) === '', 'a pill without a protocol');
    }
  } finally {
    await Promise.all(pages.map((page) => page.context().close()));
    if (!isClosed) await server.close();
  }
});
