// The life of a page that reads server-sent events, in a browser as visitors have it: the back
// button, no network, another tab in front, a laptop that sleeps. The server is an ordinary one
// whose events have ids: nothing is missed, and nothing comes twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchVisitorsChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { asleep, goBack, is, networkSwitch, say, told } from '../support/life-pages.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { MOUNTS } from '../support/servers.mjs';
import { sseServer } from '../support/sse-server.mjs';

/* global errors, signaling -- of the pages */

let browser;
let files;
before(async () => {
  const away = () => '<!doctype html><title>away</title>Somewhere else.';
  [browser, files] = await Promise.all([
    launchVisitorsChromium(),
    serveFiles({ ...MOUNTS, ...TEST_MOUNTS, '/away': away }),
  ]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await files?.close();
}, TIMEOUT);

/** Runs `body` with the page in front, and its server. */
async function living(body) {
  const server = await sseServer({ ids: true, refs: true });
  const page = await browser.context.newPage();
  try {
    const query = new URLSearchParams({ url: server.url, protocol: 'sse' });
    await page.goto(`${files.origin}/test-pages/life.html?${query}`);
    await page.bringToFront();
    await is(page, 'open');
    await body(page, server);
    assert.deepEqual(await page.evaluate(() => errors), []);
  } finally {
    await page.close();
    await server.close();
  }
}

/** Somebody else says something. */
function tell(server, ...texts) {
  for (const message of texts) server.say({ sender: 'other', channel: 'life', message });
}

/** What the page said, as far as it arrived. */
function said(server) {
  return server.received.map((text) => JSON.parse(text)).filter(({ sender }) => sender !== 'other').map(({ message }) => message);
}

/** Waits until the page has heard the one list and said the other, and nothing else. */
async function came(page, server, heard, sent) {
  tell(server, 'last');
  await say(page, 'last');
  await page.waitForFunction(() => heard.at(-1) === 'last', undefined, { polling: 50 });
  await until(() => said(server).at(-1) === 'last', 'the last word of the page');
  assert.deepEqual(await page.evaluate(() => heard), [...heard, 'last']);
  assert.deepEqual(said(server), [...sent, 'last']);
  await page.evaluate(() => (heard.length = 0));
}

test('the back button: a page from the cache has what was said meanwhile', TIMEOUT, () =>
  living(async (page, server) => {
    await page.evaluate(() => {
      window.lived = 0;
      addEventListener('pagehide', () => window.handle.send(`farewell ${window.lived}`), { capture: true });
    });
    const sent = [];
    for (const round of [1, 2, 3]) {
      await page.evaluate(() => (window.told.length = 0));
      await page.goto(`${files.origin}/away`);
      await until(() => server.connections() === 0, 'a page that is put away closes its stream');
      tell(server, `meanwhile ${round}.1`, `meanwhile ${round}.2`);
      await goBack(page, () => window.lived !== undefined);
      await is(page, 'open');
      const events = await told(page);
      assert.ok(events.includes('pagehide kept') && events.includes('pageshow kept'), `${events}`);
      sent.push(`farewell ${round - 1}`);
      await came(page, server, [`meanwhile ${round}.1`, `meanwhile ${round}.2`], sent);
      sent.push('last');
      await page.evaluate(() => (window.lived += 1));
    }
  }));

test('offline, what is said waits; online, all is there', TIMEOUT, () =>
  living(async (page, server) => {
    const offline = await networkSwitch(page);
    const sent = [];
    for (const round of [1, 2]) {
      await offline(true);
      await say(page, `said offline ${round}`);
      tell(server, `meanwhile ${round}`);
      await page.waitForFunction(() => signaling.state !== 'open', undefined, { polling: 50 });
      await offline(false);
      await is(page, 'open');
      sent.push(`said offline ${round}`);
      await came(page, server, [`meanwhile ${round}`], sent);
      sent.push('last');
    }
  }));

test('behind another tab, a page comes back from a lost stream by itself', TIMEOUT, () =>
  living(async (page, server) => {
    const front = await browser.context.newPage();
    await front.goto(`${files.origin}/away`);
    await front.bringToFront();
    try {
      await page.waitForFunction(() => document.hidden, undefined, { polling: 50 });
      let refused = 0;
      server.streams = () => ((refused += 1) <= 3 ? { status: 503 } : undefined);
      server.dropStreams();
      tell(server, 'meanwhile');
      await say(page, 'said behind');
      await until(() => refused > 3, 'attempts of a hidden page');
      await is(page, 'open');
      await came(page, server, ['meanwhile'], ['said behind']);
    } finally {
      await front.close();
    }
  }));

test('a laptop that sleeps finds its stream lost on waking', TIMEOUT, () =>
  living(async (page, server) => {
    await say(page, 'good night');
    await until(() => said(server).length === 1, 'the last message before the sleep');
    await asleep(browser, async () => {
      server.dropStreams();
      tell(server, 'meanwhile 1', 'meanwhile 2');
    });
    await page.waitForFunction(() => signaling.stats().reconnects === 1, undefined, { polling: 50 });
    await came(page, server, ['meanwhile 1', 'meanwhile 2'], ['good night']);
  }));
