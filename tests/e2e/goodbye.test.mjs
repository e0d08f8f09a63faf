// What a page sends while it is being hidden, in a browser as visitors have it: on every protocol
// it reaches the server at once, and nothing of it surprises the others when the page is back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchVisitorsChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { goBack, is, say, told } from '../support/life-pages.mjs';
import { rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { MOUNTS, relay, seedServer } from '../support/servers.mjs';

/* global errors, handle -- of the pages */

/** The path on our relay. */
const PROTOCOLS = {
  'auto': '/',
  'relay': '/',
  'websocket': '/',
  'socket.io': '/',
  'signalr': '/hub',
  'signalr-classic': '/signalr',
  'sse': '/sse',
};

/** In the order in which Chromium fires them. The first may be called off. */
const EVENTS = ['beforeunload', 'pagehide', 'visibilitychange', 'freeze'];

/** A page that leaves as soon as it is connected. */
const HASTY = `<!doctype html>
<title>hasty</title>
<script type="module">
  import init, { Signaling } from '/signal-wasm/signal_wasm.js';
  await init();
  const signaling = new Signaling({ url: new URL(location).searchParams.get('url') });
  const handle = signaling.openSocket({ channel: 'main', onmessage() {} });
  addEventListener('beforeunload', () => {
    for (const text of ['first', 'last']) handle.send(text);
  });
  signaling.onstatechange = (state) => state === 'open' && location.assign('/away');
</script>`;

let browser;
let files;
before(async () => {
  const away = () => '<!doctype html><title>away</title>Somewhere else.';
  [browser, files] = await Promise.all([
    launchVisitorsChromium(),
    serveFiles({ ...MOUNTS, ...TEST_MOUNTS, '/away': away, '/hasty': () => HASTY }),
  ]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await files?.close();
}, TIMEOUT);

/**
 * Runs `body` with a page that says goodbye twice in each of the events, with listeners that were
 * added after those of the library; the proxy before our relay; and what the page said, as far as
 * another client heard it.
 */
async function leaving(protocol, body) {
  const server = await relay();
  const page = await browser.context.newPage();
  let network;
  let other;
  try {
    network = await proxy(() => server.port);
    other = await rawClient(server.url);
    const { host } = new URL(network.url);
    const query = new URLSearchParams({ url: `http://${host}${PROTOCOLS[protocol]}`, protocol });
    await page.goto(`${files.origin}/test-pages/life.html?${query}`);
    await page.bringToFront();
    await is(page, 'open');
    await page.evaluate((events) => {
      for (const event of events) {
        document.addEventListener(event, () => handle.send(`${event} at the document`));
        addEventListener(event, () => handle.send(`${event} at the window`), { capture: true });
        addEventListener(event, () => handle.send(`${event} at the window, last`));
      }
    }, EVENTS);
    const said = () =>
      other.frames
        .map((frame) => JSON.parse(frame))
        .filter(({ channel }) => channel === 'life')
        .map(({ message }) => message);
    await body({ page, network, said });
  } finally {
    await page.close();
    await other?.close();
    await network?.close();
    await server.close();
  }
}

/** What the listeners say as the page goes away. `freeze` doesn't bubble. */
const GOODBYES = [
  'beforeunload at the window',
  'beforeunload at the window, last',
  'pagehide at the window',
  'pagehide at the window, last',
  'visibilitychange at the window',
  'visibilitychange at the document',
  'visibilitychange at the window, last',
  'freeze at the window',
  'freeze at the document',
];

describe('a page that goes into the back/forward cache', () => {
  for (const protocol of Object.keys(PROTOCOLS)) {
    test(`says goodbye at once, and not when it is back: ${protocol}`, TIMEOUT, () =>
      leaving(protocol, async ({ page, said }) => {
        await page.evaluate(() => (window.lived = true));
        await page.goto(`${files.origin}/away`);
        await until(() => said().length >= GOODBYES.length, 'all goodbyes');
        await goBack(page, () => window.lived);
        await is(page, 'open');
        assert.ok((await told(page)).includes('pageshow kept'), 'it came from the cache');
        await say(page, 'back');
        await until(() => said().includes('back'), 'the page is back');
        // Between the two is what its listeners said when it was shown.
        const shown = said().slice(GOODBYES.length, -1);
        assert.deepEqual([...said().slice(0, GOODBYES.length)].sort(), [...GOODBYES].sort());
        assert.ok(shown.every((text) => text.startsWith('visibilitychange')), `${shown}`);
        assert.deepEqual(await page.evaluate(() => errors), []);
      }));
  }

  test('does not say goodbye later, if it had no connection', TIMEOUT, () =>
    leaving('relay', async ({ page, network, said }) => {
      await page.evaluate(() => (window.lived = true));
      network.refuse();
      network.cut();
      await is(page, 'waiting');
      await say(page, 'sent before');
      await page.goto(`${files.origin}/away`);
      network.accept();
      await goBack(page, () => window.lived);
      await is(page, 'open');
      await say(page, 'back');
      await until(() => said().includes('back'), 'the page is back');
      const goodbyes = said().filter((text) => text.startsWith('pagehide') || text.startsWith('freeze'));
      assert.deepEqual(goodbyes, []);
      assert.equal(said().filter((text) => text === 'sent before').length, 1);
      const dropped = await page.evaluate(() => errors);
      assert.ok(dropped.length >= 4 && dropped.every((error) => error.includes('hidden')), `${dropped}`);
    }));
});

describe('a page that is unloaded', () => {
  for (const protocol of Object.keys(PROTOCOLS)) {
    test(`says goodbye before it ends: ${protocol}`, TIMEOUT, () =>
      leaving(protocol, async ({ page, said }) => {
        // Chromium doesn't keep a page that listens to this.
        await page.evaluate(() => addEventListener('unload', () => {}));
        await page.goto(`${files.origin}/away`);
        const goodbyes = GOODBYES.filter((text) => !text.startsWith('freeze'));
        await until(() => said().length >= goodbyes.length, 'all goodbyes');
        assert.deepEqual([...said()].sort(), [...goodbyes].sort());
      }));
  }
});

// What is sent as a connection opens waits a moment for the hello of a relay.
test('a page says goodbye to a plain server even as it connects', TIMEOUT, async () => {
  const server = await seedServer();
  const page = await browser.context.newPage();
  let other;
  try {
    other = await rawClient(server.url);
    const query = new URLSearchParams({ url: server.url });
    await page.goto(`${files.origin}/hasty?${query}`, { waitUntil: 'commit' });
    await other.got(2);
    const said = other.frames.map((frame) => JSON.parse(frame).message);
    assert.deepEqual(said, ['first', 'last']);
  } finally {
    await page.close();
    await other?.close();
    await server.close();
  }
});
