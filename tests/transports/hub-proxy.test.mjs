// hubProxy with the official client of ASP.NET SignalR 2, which wants a page: a browser, jQuery,
// and a scripted server that also gives the generated proxy; then on our relay; and with a proxy
// that has nothing but `client` and `server`.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hubProxy } from '../../npm/transports.js';
import { launchChromium } from '../support/chromium.mjs';
import { classicSignalRServer } from '../support/classic-signalr-server.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { openPage } from '../support/pages.mjs';
import { relay, ROOT } from '../support/servers.mjs';
import { follow, frame } from './follow.mjs';

const FILES = {
  '/jquery': join(ROOT, 'node_modules/jquery/dist'),
  '/signalr-client': join(ROOT, 'node_modules/signalr'),
  '/npm': join(ROOT, 'npm'),
  '/tests': join(ROOT, 'tests'),
};

let browser;
before(async () => {
  browser = await launchChromium();
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

/** The two kinds of proxy that the official client has. */
const PROXIES = {
  'the generated proxy': () => window.$.connection.webRtcHub3,
  'a proxy of createHubProxy': () => window.$.hubConnection().createHubProxy('webRtcHub3'),
};

/**
 * Opens a page of that server with the client's scripts, makes the transport of the proxy that
 * `give` gives, and follows it on `window.page`.
 */
async function openFollowed(context, server, give, options = {}) {
  const page = await openPage(browser, `${server.origin}/tests/transports/hub-proxy.html`);
  context.after(() => page.context().close());
  await page.evaluate(
    async ({ give, options }) => {
      const [{ hubProxy }, { follow }] = await Promise.all([import('/npm/transports.js'), import('/tests/transports/follow.mjs')]);
      // eslint-disable-next-line no-new-func -- a function of the test, sent as its text
      window.proxy = new Function(`return (${give})()`)();
      window.page = follow(hubProxy(window.proxy, options));
    },
    { give: String(give), options },
  );
  return page;
}

const up = (page) => page.evaluate(() => window.page.up());
const open = (page) => page.evaluate(() => window.page.open());
const send = (page, text) => page.evaluate((text) => window.page.send(text), text);
const texts = (page, count) => page.evaluate((count) => window.page.texts(count), count);
const lost = (page, count) => page.evaluate((count) => window.page.lost(count), count);
const opened = (page) => page.evaluate(() => window.page.opened);

for (const [name, give] of Object.entries(PROXIES)) {
  describe(`hubProxy on a scripted server, ${name}`, () => {
    async function setUp(context, { pages: count = 1, options, ...settings } = {}) {
      const server = await classicSignalRServer({ files: FILES, ...settings });
      context.after(() => server.close());
      return { server, pages: await Promise.all(Array.from({ length: count }, () => openFollowed(context, server, give, options))) };
    }

    it('starts the connection, calls the hub, and hears what the hub hands to all', TIMEOUT, async (context) => {
      const { server, pages: [first, second] } = await setUp(context, { pages: 2 });
      await Promise.all([up(first), up(second)]);
      await send(first, frame(1, { text: 'é 🙂 "' }));
      assert.deepEqual(await texts(second, 1), [frame(1, { text: 'é 🙂 "' })]);
      // The seed's hub calls the caller too; the library knows its own by `sender`.
      assert.deepEqual(await texts(first, 1), [frame(1, { text: 'é 🙂 "' })]);
      assert.deepEqual(server.received, [frame(1, { text: 'é 🙂 "' })]);
    });

    it('a connection that the page starts itself is not started twice', TIMEOUT, async (context) => {
      const { server, pages: [page] } = await setUp(context);
      // While it connects, then several times when it is up.
      await page.evaluate(() => void window.proxy.connection.start());
      await up(page);
      await open(page);
      await open(page);
      assert.equal(await opened(page), 3);
      server.call('onMessageReceived', 'one');
      server.call('onMessageReceived', 'two');
      assert.deepEqual(await texts(page, 2), ['one', 'two']);
      assert.equal(server.requests.filter(({ url }) => url.includes('/negotiate')).length, 1);
    });

    it('leaves reconnecting to the client', TIMEOUT, async (context) => {
      const { server, pages: [page] } = await setUp(context);
      await up(page);
      // What is sent while it is away throws: the library keeps it.
      await page.evaluate(() => {
        const RECONNECTING = 2;
        window.proxy.connection.stateChanged(({ newState }) => {
          if (newState !== RECONNECTING) return;
          try {
            window.page.send('x');
          } catch (error) {
            window.thrown = String(error);
          }
        });
      });
      server.end();
      await lost(page, 1);
      assert.match(await page.evaluate(() => window.thrown), /down/);
      await up(page);
      server.call('onMessageReceived', 'once');
      server.call('onMessageReceived', 'and on');
      assert.deepEqual(await texts(page, 2), ['once', 'and on']);
      assert.equal(server.requests.filter(({ url }) => url.includes('/negotiate')).length, 1);
    });

    it('starts it again when the client has given up', TIMEOUT, async (context) => {
      const { server, pages: [page] } = await setUp(context, { disconnectTimeout: 0.2 });
      await up(page);
      server.end();
      await lost(page, 1);
      // Opened while it still tries, it reports that it has given up.
      await open(page);
      await lost(page, 2);
      await up(page);
      assert.equal(server.requests.filter(({ url }) => url.includes('/negotiate')).length, 2);
    });

    it('tells a server that refuses, in its words, and gets in later', TIMEOUT, async (context) => {
      const { server, pages: [page] } = await setUp(context);
      server.negotiation = { status: 503, body: 'gone for lunch' };
      await open(page);
      assert.match(await lost(page, 1), /\w+ \w+/);
      server.negotiation = undefined;
      await up(page);
    });

    it('what the hub refuses is refused, in the hub’s words, and the connection goes on', TIMEOUT, async (context) => {
      const { pages: [page] } = await setUp(context, { options: { method: 'Refuse' } });
      if (name === 'the generated proxy') await page.evaluate(() => delete window.proxy.client.refuse);
      await up(page);
      const sent = (text) => page.evaluate((text) => window.page.send(text).then(String, ({ code, message }) => `${code}: ${message}`), text);
      assert.match(await sent(frame(1, 'x')), /^message-refused: the hub refused Refuse: .*not on this hub/);
      assert.deepEqual(await page.evaluate(() => [window.page.closed, window.proxy.connection.state]), [[], 1]);
    });

    it('close stops the connection and tells nothing; opening again is fine', TIMEOUT, async (context) => {
      const { server, pages: [page] } = await setUp(context);
      await up(page);
      await page.evaluate(() => window.page.close());
      await until(() => server.connections() === 0);
      await up(page);
      assert.deepEqual(await page.evaluate(() => window.page.closed), []);
      assert.equal(server.connections(), 1);
    });
  });
}

describe('hubProxy on our relay', () => {
  it('carries text to the others, once, and not back', TIMEOUT, async (context) => {
    const server = await relay({ args: Object.entries(FILES).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]) });
    context.after(() => server.close());
    const [first, second] = await Promise.all(Object.values(PROXIES).map((give) => openFollowed(context, server, give)));
    await Promise.all([up(first), up(second)]);
    await send(first, frame(1, 'one'));
    assert.deepEqual(await texts(second, 1), [frame(1, 'one')]);
    await send(second, frame(2, 'two'));
    assert.deepEqual(await texts(first, 1), [frame(2, 'two')]);
  });
});

describe('hubProxy with `client` and `server` alone', () => {
  it('puts its function in `client`, and calls the method as generated proxies have it', TIMEOUT, async () => {
    let told;
    const sent = [];
    const connection = {
      state: 4,
      stateChanged: (listener) => (told = listener),
      start: async () => {
        connection.state = 1;
        told({ oldState: 0, newState: 1 });
      },
      stop: () => {},
    };
    const proxy = { connection, client: {}, server: { send: (text) => void sent.push(text) } };
    const page = follow(hubProxy(proxy), until);
    await page.up();
    page.send('out');
    proxy.client.onMessageReceived('in');
    assert.deepEqual([sent, page.heard, page.opened], [['out'], ['in'], 1]);
    connection.lastError = new Error('the wire was cut');
    connection.state = 2;
    told({ oldState: 1, newState: 2 });
    assert.equal(await page.lost(1), 'the wire was cut');
  });
});
