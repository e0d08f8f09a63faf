// The network of a page goes away and comes back, and its old connection leads nowhere: nothing
// arrives, and neither end is notified. On every protocol the page is back on a new connection by
// itself, and what it sent meanwhile arrives once. A connection to a plain server that was alive
// after all misses nothing meanwhile, and delivers nothing twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchVisitorsChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { is, networkSwitch, say } from '../support/life-pages.mjs';
import { rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { MOUNTS, relay, seedServer } from '../support/servers.mjs';

/* global errors, heard, told -- of the pages */

/** The server, and the path on it. */
const PROTOCOLS = {
  'auto': [relay, '/'],
  'websocket': [seedServer, '/'],
  'auto, not our relay': [seedServer, '/'],
  'socket.io': [relay, '/'],
  'signalr': [relay, '/hub'],
  'signalr-classic': [relay, '/signalr'],
  'sse': [relay, '/sse'],
};

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([
    launchVisitorsChromium(),
    serveFiles({ ...MOUNTS, ...TEST_MOUNTS }),
  ]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await files?.close();
}, TIMEOUT);

for (const [name, [start, path]] of Object.entries(PROTOCOLS)) {
  test(`${name}: a dead connection is replaced when the network is back`, TIMEOUT, async () => {
    const server = await start();
    const page = await browser.context.newPage();
    let network;
    let other;
    try {
      network = await proxy(() => server.port);
      other = await rawClient(server.url);
      const { host } = new URL(network.url);
      const [protocol] = name.split(',');
      const query = new URLSearchParams({ url: `http://${host}${path}`, protocol });
      await page.goto(`${files.origin}/test-pages/life.html?${query}`);
      await page.bringToFront();
      await is(page, 'open');
      await say(page, 'before');
      const said = () => other.frames.map((frame) => JSON.parse(frame).message).filter(Boolean);
      await until(() => said().includes('before'), 'the message before');

      const offline = await networkSwitch(page);
      const dead = network.links();
      for (const link of dead) for (const direction of ['up', 'down']) link.stall(direction);
      // What came before would be a sign of life after it.
      await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
      await offline(true);
      await page.waitForFunction(() => told.includes('offline'), undefined, { polling: 50 });
      await say(page, 'meanwhile 1', 'meanwhile 2');
      await offline(false);
      await page.waitForFunction(() => told.includes('online'), undefined, { polling: 50 });
      await page.waitForFunction(() => told.lastIndexOf('open') > told.indexOf('offline'), undefined, { polling: 50 });
      await is(page, 'open');
      assert.ok(network.links().some((link) => !dead.includes(link)), 'on a new connection');
      await say(page, 'after');
      await until(() => said().includes('after'), 'the message after');
      assert.deepEqual(said(), ['before', 'meanwhile 1', 'meanwhile 2', 'after']);
      other.send(JSON.stringify({ sender: 'other', channel: 'life', message: 'welcome back' }));
      await page.waitForFunction(() => heard.includes('welcome back'), undefined, { polling: 50 });
      assert.deepEqual(await page.evaluate(() => errors), []);
    } finally {
      await page.close();
      await other?.close();
      await network?.close();
      await server.close();
    }
  });
}

for (const protocol of ['auto', 'websocket']) {
  test(`${protocol}, a plain server: a connection that is alive misses nothing`, TIMEOUT, async () => {
    const server = await seedServer();
    const page = await browser.context.newPage();
    let network;
    let other;
    try {
      network = await proxy(() => server.port);
      other = await rawClient(server.url);
      const { host } = new URL(network.url);
      const query = new URLSearchParams({ url: `http://${host}/`, protocol });
      await page.goto(`${files.origin}/test-pages/life.html?${query}`);
      await page.bringToFront();
      await is(page, 'open');
      let sent = 0;
      const sendOne = () => {
        sent += 1;
        other.send(JSON.stringify({ sender: 'other', channel: 'life', message: sent }));
      };
      const hearsAll = () =>
        page.waitForFunction((count) => heard.length >= count, sent, { polling: 50 });
      sendOne();
      await hearsAll();

      // It is silent, and another connection is made beside it.
      const [first] = network.links();
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await until(() => network.links().length === 2, 'the second connection');
      assert.ok(network.links().includes(first), 'the first is kept');
      // What the server sends now may go to one of them or to both.
      await until(() => {
        sendOne();
        return network.links().length === 1;
      }, 'one connection');
      sendOne();
      await hearsAll();
      const expected = Array.from({ length: sent }, (_, at) => at + 1);
      assert.deepEqual(await page.evaluate(() => heard), expected);

      // It stays silent: the second takes its place.
      const [kept] = network.links();
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await until(() => !network.links().includes(kept), 'the second connection alone');
      await is(page, 'open');
      sendOne();
      await hearsAll();
      assert.equal(await page.evaluate(() => heard.at(-1)), sent);
      assert.deepEqual(await page.evaluate(() => errors), []);
    } finally {
      await page.close();
      await other?.close();
      await network?.close();
      await server.close();
    }
  });
}
