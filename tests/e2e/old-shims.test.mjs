// Pages with shims for other servers, unmodified, on our relay: they and pages with signal-wasm on
// the same channel hear each other.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, TEST_MOUNTS } from '../support/pages.mjs';
import { MOUNT_ARGS, relay, ROOT } from '../support/servers.mjs';

/* global answers, ask, connected, connection, handle, heard, SignalWasm, start -- of the pages */

const CHANNEL = 'old-room';

/** 1.0 speaks an Engine.IO of its own; those before 1.4 poll binary payloads only. */
const SOCKET_IO_CLIENTS = ['1.0', '1.3', '1.7', '2', '4'];

/** What each shim needs, and the channel on which signal-wasm hears it. */
const SHIMS = {
  'websocket-over-nodejs': { shim: 'websocketOverNodejs', presence: 'websocketPresence', clients: [''] },
  'socketio-over-nodejs': { shim: 'socketioOverNodejs', presence: 'socketioPresence', clients: SOCKET_IO_CLIENTS },
  'reliable-signaler': { shim: 'reliableSignaler', clients: SOCKET_IO_CLIENTS },
  'bare Socket.IO': { shim: 'bareSocketio', clients: SOCKET_IO_CLIENTS, channel: 'undefined' },
};

let browser;
let server;
before(async () => {
  const mounts = Object.entries(TEST_MOUNTS).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]);
  [browser, server] = await Promise.all([
    launchChromium(),
    // Pages of websocket-over-nodejs take every frame for a message of theirs, a hello too.
    relay({ args: [...MOUNT_ARGS, ...mounts, '--hello-delay', '5s'] }),
  ]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), server?.close()]), TIMEOUT);

function openOld({ shim, presence = '' }, client, channel) {
  const address = shim === 'websocketOverNodejs' ? server.url : `${server.origin}/`;
  const query = new URLSearchParams({ shim, presence, client, server: address });
  return openPage(browser, `${server.origin}/test-pages/old-shims.html?${query}#${channel}`);
}

async function openOurs(channel, options = {}) {
  const page = await openPage(browser, `${server.origin}/test-pages/bare.html`);
  await page.addScriptTag({ url: '/signal-wasm/global.js' });
  await page.evaluate(
    ([channel, options]) =>
      new Promise((done) => {
        window.heard = [];
        const signaling = new SignalWasm.Signaling(options);
        window.handle = signaling.openSocket({ channel, onmessage: (message) => heard.push(message), onopen: done });
      }),
    [channel, { url: server.url, openWhen: 'connected', ...options }],
  );
  return page;
}

const hears = (page, message) => page.waitForFunction((message) => heard.some((one) => JSON.stringify(one) === message), JSON.stringify(message));

for (const [name, shim] of Object.entries(SHIMS)) {
  describe(name, () => {
    for (const client of shim.clients) {
      test(`beside signal-wasm, both ways${client && `, Socket.IO client ${client}`}`, TIMEOUT, async () => {
        const channel = `${CHANNEL}-${shim.shim}-${client}`;
        const old = await openOld(shim, client, channel);
        if (shim.presence) {
          await old.evaluate(() => ask());
          await old.waitForFunction(() => answers.length > 0);
          assert.deepEqual(await old.evaluate(() => answers), [false]);
        }
        await old.evaluate(() => start());
        await old.waitForFunction(() => window.ready === true);
        const second = await openOld(shim, client, channel);
        await second.evaluate(() => start());
        await second.waitForFunction(() => window.ready === true);
        const ours = await openOurs(shim.channel ?? channel);

        const message = { sender: 'Ann', text: `from ${name}` };
        await second.evaluate((message) => handle.send(message), { ready: true });
        await hears(old, { ready: true });
        await old.evaluate((message) => handle.send(message), message);
        await Promise.all([hears(ours, message), hears(second, message)]);
        await ours.evaluate(() => handle.send({ text: 'from signal-wasm' }));
        await Promise.all([hears(old, { text: 'from signal-wasm' }), hears(second, { text: 'from signal-wasm' })]);
        const all = await second.evaluate(() => heard);
        assert.deepEqual(all, [message, { text: 'from signal-wasm' }], 'nothing else, and no hello');

        if (shim.presence) {
          await second.evaluate(() => ask());
          await second.waitForFunction(() => answers.length > 0);
          assert.deepEqual(await second.evaluate(() => answers), [true]);
        }
        if (shim.shim === 'socketioOverNodejs') {
          await old.close();
          await second.waitForFunction(() => window.left === 'Ann');
          await hears(ours, { userLeft: 'Ann' });
        }
        assertNoTroubles([old, second, ours]);
        await Promise.all([old, second, ours].map((page) => page.context().close()));
      });
    }
  });
}

test('reliable-signaler: a guest finds a room as soon as its owner keeps it', TIMEOUT, async () => {
  const [owner, guest] = await Promise.all(['4', '2'].map((client) => openOld(SHIMS['reliable-signaler'], client, 'kept')));
  for (const page of [owner, guest]) await page.evaluate(() => start());
  const found = guest.evaluate(() => new Promise((done) => window.findRoom('kept', done)));
  await owner.evaluate(() => new Promise((done) => window.keepRoom('kept', done)));
  assert.equal(await found, 'kept');
  await Promise.all([owner, guest].map((page) => page.context().close()));
});

test('rtcmulticonnection 2.2.5: one script tag more instead of its Firebase', TIMEOUT, async () => {
  const asked = [];
  const pages = [];
  for (const address of ['/test-pages/rtcmulticonnection-default.html#tag', '/test-pages/rtcmulticonnection-default.html#tag']) {
    const page = await openPage(browser, server.origin + address);
    page.on('request', (request) => asked.push(request.url()));
    await page.waitForFunction(() => window.ready === true);
    if (pages.length === 0) await page.evaluate(() => connection.open());
    pages.push(page);
  }
  for (const page of pages) await page.waitForFunction(() => connected.length === 1);
  await pages[0].evaluate(() => connection.send('over data channels'));
  await hears(pages[1], 'over data channels');
  assert.deepEqual(asked.filter((url) => !url.startsWith(server.origin) && !url.startsWith('data:')), []);
  await Promise.all(pages.map((page) => page.context().close()));
});

test('the table of docs/old-pages.md names each of these shims', TIMEOUT, async () => {
  const text = await readFile(join(ROOT, 'docs/old-pages.md'), 'utf8');
  for (const name of Object.keys(SHIMS)) assert.match(text, new RegExp(`^\\| ${name.replace('bare', 'bare messages of')}`, 'm'));
});
