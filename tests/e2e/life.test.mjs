// The life of a page, in a browser as visitors have it: the back button, no network, another tab in
// front, frozen, a laptop that sleeps, a relay that dies. Through each of them, messages sent
// meanwhile arrive once and in order, each way; where our relay can't know, the page gets a gap
// event.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchVisitorsChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { asleep, goBack, is, networkSwitch, say, told } from '../support/life-pages.mjs';
import { rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { MOUNTS, relay, seedServer } from '../support/servers.mjs';

/* global errors, gaps, handle, heard, lived, signaling -- of the pages */

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([launchVisitorsChromium(), serveFiles({ ...MOUNTS, ...TEST_MOUNTS, '/away': () => '<!doctype html><title>away</title>Somewhere else.' })]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await files?.close();
}, TIMEOUT);

/**
 * Runs `body` with the page in front, its network (a proxy before the server), and another client
 * of the server, which receives everything: `{ page, network, other }`. `other.said()` gives what
 * the page has sent so far.
 */
async function living(body, { start = relay, options = {} } = {}) {
  const stage = { server: await start() };
  const page = await browser.context.newPage();
  try {
    stage.network = await proxy(() => stage.server?.port);
    stage.other = await correspondent(stage.server.url);
    stage.page = page;
    const query = new URLSearchParams({ url: stage.network.url, ...options });
    await page.goto(`${files.origin}/test-pages/life.html?${query}`);
    await page.bringToFront();
    await is(page, 'open');
    await body(stage);
    assert.deepEqual(await page.evaluate(() => errors), []);
  } finally {
    await page.close();
    await stage.other?.close();
    await stage.network?.close();
    await stage.server?.close();
  }
}

/** A client with a plain WebSocket. */
async function correspondent(url) {
  const client = await rawClient(url);
  return {
    say: (...texts) => texts.forEach((text) => client.send(JSON.stringify({ sender: 'other', channel: 'life', message: text }))),
    said: () => client.frames.map((frame) => JSON.parse(frame)).filter(({ channel }) => channel === 'life').map(({ message }) => message),
    close: () => client.close(),
  };
}

/**
 * Waits until the page and the other have received as much as they should, gives them a chance to
 * receive too much, and compares.
 */
async function bothHeard({ page, other }, heard, said) {
  await page.waitForFunction((count) => heard.length >= count, heard.length, { polling: 50 });
  await until(() => other.said().length >= said.length, `${said.length} messages of the page`);
  // What comes twice comes before what is sent after it.
  other.say('last');
  await say(page, 'last');
  await page.waitForFunction(() => heard.at(-1) === 'last', undefined, { polling: 50 });
  await until(() => other.said().at(-1) === 'last', 'the last word of the page');
  assert.deepEqual(await page.evaluate(() => heard), [...heard, 'last']);
  assert.deepEqual(other.said(), [...said, 'last']);
  await page.evaluate(() => (heard.length = 0));
}

const count = (page, name) => page.evaluate((name) => signaling.stats()[name], name);

describe('the back button', () => {
  test('a page from the back/forward cache has what was said meanwhile, as often as one goes back', TIMEOUT, () =>
    living(async (stage) => {
      const { page, other } = stage;
      await page.evaluate(() => {
        window.lived = 0;
        // One before the library's own listener, one after.
        addEventListener('pagehide', () => handle.send(`first farewell ${lived}`), { capture: true });
        addEventListener('pagehide', () => handle.send(`second farewell ${lived}`));
      });
      const said = [];
      for (const round of [1, 2, 3]) {
        await page.evaluate(() => (told.length = 0));
        await page.goto(`${files.origin}/away`);
        await until(() => stage.network.links().length === 0, 'a page that is put away closes its connection');
        other.say(`meanwhile ${round}.1`, `meanwhile ${round}.2`);
        await goBack(page, () => window.lived !== undefined);
        await is(page, 'open');

        const events = await told(page);
        assert.ok(events.includes('pagehide kept') && events.includes('pageshow kept'), `it came from the cache: ${events}`);
        assert.ok(events.indexOf('waiting') < events.indexOf('pageshow kept') && events.indexOf('pagehide kept') < events.indexOf('waiting'), `it disconnected as it was put away: ${events}`);
        said.push(`first farewell ${round - 1}`, `second farewell ${round - 1}`);
        await bothHeard(stage, [`meanwhile ${round}.1`, `meanwhile ${round}.2`], said);
        said.push('last');
        await page.evaluate(() => (window.lived += 1));
      }
      assert.equal(await count(page, 'reconnects'), 3);
      assert.deepEqual(await page.evaluate(() => gaps), []);
    }));

  test('on a server that keeps nothing the page is back, too, and hears what is said from then on', TIMEOUT, () =>
    living(
      async (stage) => {
        const { page, other } = stage;
        await page.evaluate(() => (window.lived = true));
        await page.goto(`${files.origin}/away`);
        await until(() => stage.network.links().length === 0, 'a page that is put away closes its connection');
        await goBack(page, () => window.lived);
        await is(page, 'open');
        assert.ok((await told(page)).includes('pageshow kept'));
        other.say('welcome back');
        await say(page, 'thanks');
        await bothHeard(stage, ['welcome back'], ['thanks']);
      },
      { start: seedServer },
    ));
});

describe('the network', () => {
  test('offline, what is said waits; online, all is there', TIMEOUT, () =>
    living(async (stage) => {
      const { page, other } = stage;
      const offline = await networkSwitch(page);
      await offline(true);
      await page.waitForFunction(() => told.includes('offline'), undefined, { polling: 50 });
      // Chromium doesn't close WebSockets then, it holds what goes over them back: the library asks
      // for a sign of life, and gets none.
      await page.waitForFunction(() => signaling.state !== 'open', undefined, { polling: 50 });
      other.say('meanwhile 1', 'meanwhile 2');
      await say(page, 'said offline');
      await offline(false);
      await page.waitForFunction(() => told.includes('online'), undefined, { polling: 50 });
      await is(page, 'open');
      await bothHeard(stage, ['meanwhile 1', 'meanwhile 2'], ['said offline']);
      assert.deepEqual(await page.evaluate(() => gaps), []);
    }));

  test('a moment offline loses nothing, whether or not the connection outlives it', TIMEOUT, () =>
    living(async (stage) => {
      const { page, other } = stage;
      const offline = await networkSwitch(page);
      const heard = [];
      const said = [];
      for (const round of [1, 2, 3]) {
        await offline(true);
        other.say(`meanwhile ${round}`);
        await say(page, `said in moment ${round}`);
        await offline(false);
        heard.push(`meanwhile ${round}`);
        said.push(`said in moment ${round}`);
      }
      await bothHeard(stage, heard, said);
      assert.deepEqual(await page.evaluate(() => gaps), []);
    }));
});

describe('out of sight', () => {
  test('behind another tab, a page comes back from a cut by itself', TIMEOUT, () =>
    living(async (stage) => {
      const { page, other, network } = stage;
      const front = await inFront();
      try {
        await page.waitForFunction(() => document.hidden, undefined, { polling: 50 });
        // Some attempts fail, so that timers set timers: those of a hidden page run late.
        network.refuse();
        network.cut();
        other.say('meanwhile 1', 'meanwhile 2');
        await say(page, 'said behind');
        await until(() => network.refused() >= 3, 'attempts of a hidden page');
        network.accept();
        await is(page, 'open');
        assert.ok(await page.evaluate(() => document.hidden), 'it was hidden all the time');
        await bothHeard(stage, ['meanwhile 1', 'meanwhile 2'], ['said behind']);
        assert.deepEqual(await page.evaluate(() => gaps), []);
      } finally {
        await front.close();
      }
    }));

  for (const cut of [false, true]) {
    test(`frozen, a page loses nothing${cut ? ', though its connection breaks' : ''}`, TIMEOUT, () =>
      living(async (stage) => {
        const { page, other, network } = stage;
        const front = await inFront();
        try {
          await page.waitForFunction(() => document.hidden, undefined, { polling: 50 });
          const session = await page.context().newCDPSession(page);
          await session.send('Page.setWebLifecycleState', { state: 'frozen' });
          await until(async () => (await told(page)).includes('freeze'), 'the page is frozen');
          other.say('meanwhile 1', 'meanwhile 2');
          if (cut) network.cut();
          other.say('meanwhile 3');
          await session.send('Page.setWebLifecycleState', { state: 'active' });
          await until(async () => (await told(page)).includes('resume'), 'the page is awake');
          if (cut) await page.waitForFunction(() => signaling.stats().reconnects === 1, undefined, { polling: 50 });
          await say(page, 'awake');
          await bothHeard(stage, ['meanwhile 1', 'meanwhile 2', 'meanwhile 3'], ['awake']);
          assert.deepEqual(await page.evaluate(() => gaps), []);
        } finally {
          await front.close();
        }
      }));
  }
});

describe('a laptop that sleeps', () => {
  test('finds its connection broken on waking', TIMEOUT, () =>
    living(async (stage) => {
      await say(stage.page, 'good night');
      await until(() => stage.other.said().length === 1, 'the last message before the sleep');
      await asleep(browser, async () => {
        stage.network.cut();
        stage.other.say('meanwhile 1', 'meanwhile 2');
      });
      await stage.page.waitForFunction(() => signaling.state === 'open' && signaling.stats().reconnects === 1, undefined, { polling: 50 });
      await bothHeard(stage, ['meanwhile 1', 'meanwhile 2'], ['good night']);
      assert.deepEqual(await stage.page.evaluate(() => gaps), []);
    }));

  test('finds by itself that its connection leads nowhere any more', TIMEOUT, () =>
    living(
      async (stage) => {
        const { page, other, network } = stage;
        const [link] = network.links();
        await asleep(browser, async () => {
          // As with a router that has forgotten the connection: nothing arrives, and neither end is
          // notified.
          link.stall('up');
          link.stall('down');
          other.say('meanwhile 1', 'meanwhile 2');
          // Longer than a connection may be silent, by the clock: while all of the browser stands
          // still, there is nothing else to wait for.
          await new Promise((done) => setTimeout(done, 12_000));
        });
        await say(page, 'said into the void');
        await page.waitForFunction(() => signaling.state === 'open' && signaling.stats().reconnects === 1, undefined, { polling: 50 });
        assert.ok(network.links().some((other) => other !== link), 'by a connection of its own');
        await bothHeard(stage, ['meanwhile 1', 'meanwhile 2'], ['said into the void']);
        assert.deepEqual(await page.evaluate(() => gaps), []);
      },
      { options: { ping: '1000' } },
    ));
});

describe('the relay', () => {
  test('killed and started again: the page comes back, what it said meanwhile arrives, and it learns of a gap', TIMEOUT, () =>
    living(async (stage) => {
      const { page, network } = stage;
      await say(page, 'before');
      await until(() => stage.other.said().length === 1, 'the message before');
      for (const round of [1, 2]) {
        const { port } = stage.server;
        await stage.server.kill();
        await is(page, 'waiting');
        await stage.other.close();
        await say(page, `while it was dead ${round}.1`, `while it was dead ${round}.2`);
        network.refuse();
        stage.server = await relay({ args: ['--listen', `127.0.0.1:${port}`] });
        // Connected before the page, so that it receives what the page sends.
        stage.other = await correspondent(stage.server.url);
        network.accept();
        await is(page, 'open');
        await bothHeard(stage, [], [`while it was dead ${round}.1`, `while it was dead ${round}.2`]);
        assert.deepEqual(await page.evaluate(() => gaps), Array(round).fill('life'), 'once each time');
      }
      assert.equal(await count(page, 'gaps'), 2);
    }));

  test('while a page was away more was said than is kept: that is reported, and what is still kept comes', TIMEOUT, () =>
    living(
      async (stage) => {
        const { page, other, network } = stage;
        other.say('heard');
        await page.waitForFunction(() => heard.length === 1, undefined, { polling: 50 });
        network.refuse();
        network.cut();
        await is(page, 'waiting');
        other.say(...Array.from({ length: 20 }, (_, index) => `meanwhile ${index}`));
        await say(page, 'said meanwhile');
        network.accept();
        await is(page, 'open');
        await bothHeard(stage, ['heard', ...Array.from({ length: 5 }, (_, index) => `meanwhile ${15 + index}`)], ['said meanwhile']);
        assert.deepEqual(await page.evaluate(() => gaps), ['life']);
      },
      { start: () => relay({ args: ['--history-messages', '5'] }) },
    ));
});

/** A tab before all others. */
async function inFront() {
  const page = await browser.context.newPage();
  await page.goto(`${files.origin}/away`);
  await page.bringToFront();
  return page;
}
