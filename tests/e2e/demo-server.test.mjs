// The servers that a link to the demo names: nothing connects to them before the visitor agrees. And
// “Reconnect now”.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { DESKTOP, NO_SERVER, said, say, seesOthers } from '../support/demo-pages.mjs';
import { assertNoTroubles, openPage, SERVERS } from '../support/pages.mjs';
import { MOUNT_ARGS, relay, seedServer } from '../support/servers.mjs';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchChromium({ args: FAKE_CAMERA }), SERVERS['our relay']()]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await server?.close();
}, TIMEOUT);

const opened = (query, options = DESKTOP) => openPage(browser, `${server.origin}/${query}`, options);
const card = (page, name = 'Another server') => page.getByRole('region', { name });
const focused = (page) => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);

describe('?server=', () => {
  for (const path of ['', 'datachannel.html', 'rtcmulticonnection.html']) {
    test(`/${path} connects to another server only after it has asked`, TIMEOUT, async () => {
      const other = await seedServer();
      const page = await opened(`${path}?server=${encodeURIComponent(other.url)}`);
      const requests = [];
      page.on('websocket', (socket) => requests.push(socket.url()));
      try {
        const host = new URL(other.url).host;
        await card(page).getByRole('heading', { name: `Connect to ${host}?` }).waitFor();
        // Long enough for a page that doesn't ask: another one connects meanwhile.
        const meanwhile = await opened(path);
        await meanwhile.waitForSelector('#state[data-state="open"]');
        await meanwhile.context().close();
        assert.deepEqual([other.connections(), requests, await page.locator('#state').getAttribute('data-state')], [0, [], 'idle']);
        assert.equal(await page.locator('#state-word').textContent(), 'Not connected');

        await card(page).getByRole('button', { name: `Connect to ${host}` }).click();
        await page.waitForSelector('#state[data-state="open"]');
        await until(() => other.connections() === 1);
        assert.deepEqual(requests, [other.url]);
        assert.equal(await card(page).count(), 0);

        // The tab remembers it, and no other tab does.
        await page.reload();
        await page.waitForSelector('#state[data-state="open"]');
        const another = await opened(`${path}?server=${encodeURIComponent(other.url)}`);
        await card(another).waitFor();
        await another.context().close();
        // What DataChannel.js would frame, and its page's policy doesn't let it.
        assertNoTroubles([page], [/Framing 'https:\/\/cdn\.webrtc-experiment\.com/]);
      } finally {
        await page.context().close();
        await other.close();
      }
    });
  }

  test('who declines gets the page’s own', TIMEOUT, async () => {
    const page = await opened('?server=wss://example.org/&protocol=relay#declined');
    try {
      await card(page).waitFor();
      // By the keyboard alone.
      assert.equal(await focused(page), 'Another server');
      await page.keyboard.press('Tab');
      assert.equal(await focused(page), 'Use the server of this page');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(page.url(), `${server.origin}/?protocol=relay#declined`);
      assertNoTroubles([page]);
    } finally {
      await page.context().close();
    }
  });

  test('the page’s own needs no question, however it is written', TIMEOUT, async () => {
    for (const own of ['/', './', server.url, server.origin, `${server.url}?a=b`]) {
      const page = await opened(`?server=${encodeURIComponent(own)}`);
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await card(page).count(), 0, own);
      await page.context().close();
    }
  });

  test('names the server that it would connect to, whatever the value looks like', TIMEOUT, async () => {
    const { host } = new URL(server.origin);
    const hostile = {
      'wss://evil.example/"><img src=x onerror=alert(1)><script>alert(1)</script>': 'evil.example',
      [`wss://${host}@evil.example/`]: 'evil.example',
      [`wss://${host}.evil.example/`]: `${host.replace(/:.*/, '')}.evil.example`,
      '//evil.example/': 'evil.example',
      '\\\\evil.example\\': 'evil.example',
      ' \twss://evil.example:8443/ ': 'evil.example:8443',
      'wss://еvil.example/': 'xn--vil-tld.example',
      [`wss://evil.example/${'x'.repeat(20_000)}`]: 'evil.example',
      [`wss://${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.example/`]: 'zzz.example',
    };
    for (const [value, named] of Object.entries(hostile)) {
      const page = await opened(`?server=${encodeURIComponent(value)}`);
      const dialogs = [];
      page.on('dialog', (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
      if (value.includes(`${host}.evil`)) {
        // With a port in the middle it is no address at all, and nothing is connected.
        await page.getByRole('alert').waitFor();
      } else {
        const title = await card(page).getByRole('heading').textContent();
        assert.ok(title.endsWith(`${named}?`) || (named.startsWith('xn--') && /^Connect to xn--[\w-]+\.example\?$/.test(title)), `${value}: ${title}`);
        assert.equal(await card(page).locator('img, script').count(), 0);
        assert.ok((await card(page).innerText()).length < 1000);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), DESKTOP.viewport.width);
      }
      assert.notEqual(await page.locator('#state').getAttribute('data-state'), 'open');
      assert.deepEqual(dialogs, []);
      await page.context().close();
    }
  });
});

describe('?stun=', () => {
  const own = 'stun:127.0.0.1:1';
  const other = 'stun:stun.example.org:3478';
  const query = `?stun=${encodeURIComponent(own)}&stun=${encodeURIComponent(other)}`;
  const stunCard = (page) => card(page, 'A STUN server');

  test('is used only after the page has asked', TIMEOUT, async () => {
    const prepare = () => {
      window.configured = [];
      window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
        construct(target, values, made) {
          window.configured.push(values[0]?.iceServers);
          return Reflect.construct(target, values, made);
        },
      });
    };
    const page = await opened(`${query}#stun`, { ...DESKTOP, prepare });
    const second = await opened('#stun');
    try {
      await stunCard(page).waitFor();
      assert.equal(await focused(page), 'A STUN server');
      const told = await stunCard(page).innerText();
      assert.ok(told.includes(other) && !told.includes(own), told);
      assert.equal(await page.locator('#state').getAttribute('data-state'), 'idle');
      await stunCard(page).getByRole('button', { name: 'Use it' }).click();
      await seesOthers(page, 1);
      assert.equal(await stunCard(page).count(), 0);
      await page.getByRole('button', { name: 'Start the call' }).click();
      await second.getByRole('button', { name: 'Join the call' }).click();
      await page.waitForFunction(() => window.configured.length > 0);
      assert.deepEqual(await page.evaluate(() => window.configured[0]), [{ urls: [own, other] }]);

      // The tab remembers it.
      await page.reload();
      await seesOthers(page, 1);
      assert.equal(await stunCard(page).count(), 0);
    } finally {
      await page.context().close();
      await second.context().close();
    }
  });

  test('who declines does without', TIMEOUT, async () => {
    const page = await opened(`${query}&protocol=relay#declined`);
    try {
      await stunCard(page).getByRole('button', { name: 'Go on without it' }).click();
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(page.url(), `${server.origin}/?protocol=relay#declined`);
    } finally {
      await page.context().close();
    }
  });

  test('asks for all but those on the page’s own host', TIMEOUT, async () => {
    const { hostname } = new URL(server.origin);
    const values = {
      [`stun:${hostname}`]: false,
      [`STUNS:${hostname}:5349`]: false,
      [`turn:${hostname}`]: true,
      [`stun:${hostname}.evil.example`]: true,
      [`stun:${hostname}@evil.example:3478`]: true,
      [`stun:${hostname}:3478:evil.example`]: true,
      [` stun:evil.example?${hostname}`]: true,
      [`stun:evil.example/${'x'.repeat(20_000)}`]: true,
      '"><img src=x onerror=alert(1)>': true,
    };
    for (const [value, asks] of Object.entries(values)) {
      const page = await opened(`?stun=${encodeURIComponent(value)}`);
      if (asks) {
        await stunCard(page).waitFor();
        assert.equal(await stunCard(page).locator('img, script').count(), 0);
        assert.ok((await stunCard(page).innerText()).length < 1000);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), DESKTOP.viewport.width);
      } else {
        await page.waitForSelector('#state[data-state="open"]');
        assert.equal(await stunCard(page).count(), 0, value);
      }
      await page.context().close();
    }
  });
});

test('what kept the page from starting is hidden once another protocol works', TIMEOUT, async () => {
  const prepare = () => {
    const { fetch } = window;
    window.fetch = (address, ...values) => (String(address.url ?? address).includes('/negotiate') ? Promise.resolve(new Response('', { status: 404 })) : fetch(address, ...values));
  };
  const page = await opened('?protocol=signalr#again', { ...DESKTOP, prepare });
  try {
    await page.getByRole('alert').filter({ hasText: '404' }).waitFor();
    await page.getByLabel('Protocol').selectOption({ label: 'WebSocket' });
    await page.waitForSelector('#state[data-state="open"]');
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    assert.equal(await page.getByRole('textbox', { name: 'Message' }).isEnabled(), true);
  } finally {
    await page.context().close();
  }
});

/** In the page: once `isPatient` is set, long waits never end. */
function makePatient() {
  const after = window.setTimeout;
  window.setTimeout = (work, milliseconds, ...values) => (window.isPatient && milliseconds > 2000 ? 0 : after(work, milliseconds, ...values));
}

test('“Reconnect now” doesn’t wait for the next attempt', TIMEOUT, async () => {
  let own = await relay({ args: MOUNT_ARGS });
  const address = `${own.origin}/#now`;
  const options = { ...DESKTOP, prepare: makePatient };
  const pages = [await openPage(browser, address, options), await openPage(browser, `${own.origin}/datachannel.html#now`, options)];
  const button = (page) => page.getByRole('button', { name: 'Reconnect now' });
  try {
    for (const page of pages) {
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await button(page).isVisible(), false);
      await page.evaluate(() => (window.isPatient = true));
    }
    await own.close();
    // One attempt after the other fails, until the page would wait for long. That attempt is due, and
    // never comes by itself.
    const isDue = () => {
      const waits = document.getElementById('state').dataset.state === 'waiting' && document.getElementById('state-more').textContent.includes('trying again');
      window.dueSince = waits ? (window.dueSince ?? Date.now()) : undefined;
      return waits && Date.now() > window.dueSince + 2000;
    };
    await Promise.all(pages.map((page) => page.waitForFunction(isDue)));
    own = await relay({ args: [...MOUNT_ARGS, '--listen', `127.0.0.1:${own.port}`] });
    for (const page of pages) {
      assert.equal(await page.locator('#state').getAttribute('data-state'), 'waiting');
      await button(page).click();
      await page.waitForSelector('#state[data-state="open"]');
      assert.equal(await button(page).isVisible(), false);
    }
    const other = await openPage(browser, address, DESKTOP);
    await seesOthers(pages[0], 1);
    await say(other, 'there again');
    await said(pages[0], 'there again');
    await other.context().close();
    assertNoTroubles(pages, [...NO_SERVER, /Framing 'https:\/\/cdn/]);
  } finally {
    await Promise.all(pages.map((page) => page.context().close()));
    await own.close();
  }
});
