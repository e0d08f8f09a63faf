// Socket.IO's own clients of all generations on our relay, by each transport: texts of any
// characters arrive.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { MOUNT_ARGS, relay } from '../support/servers.mjs';

/* global heard, io, sockets -- of the page */

const CLIENTS = ['1.0', '1.3', '1.7', '2', '4'];
const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];
const TEXTS = ['plain', 'é ß 漢字 😀', 'a'.repeat(100_000), '漢'.repeat(50_000), 'after'];

let browser;
let server;
before(async () => {
  const mounts = Object.entries(TEST_MOUNTS).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]);
  [browser, server] = await Promise.all([launchChromium(), relay({ args: [...MOUNT_ARGS, ...mounts] })]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), server?.close()]), TIMEOUT);

/**
 * Clients 1.3 to 1.7 encode what they post by polling as UTF-8 twice, and those of Socket.IO 2 once;
 * no server can tell them apart.
 */
const sendable = (client, transports) => (['1.3', '1.7'].includes(client) && transports[0] === 'polling' ? TEXTS.filter((text) => /^[a-z]*$/.test(text)) : TEXTS);

for (const client of CLIENTS) {
  for (const transports of TRANSPORTS) {
    test(`client ${client}, ${transports.join(' and then ')}`, TIMEOUT, async () => {
      const space = `${client}-${transports.join('-')}`;
      const page = await openPage(browser, `${server.origin}/test-pages/bare.html`);
      await page.addScriptTag({ url: `/vendor/socket.io-client-${client}/socket.io.js` });
      await page.evaluate(
        ([address, transports]) => {
          window.heard = [[], []];
          window.sockets = heard.map((texts) => {
            const socket = io.connect(address, { transports, forceNew: true });
            socket.on('message', ({ message }) => texts.push(message));
            return socket;
          });
          return Promise.all(sockets.map((socket) => socket.connected || new Promise((done) => socket.on('connect', done))));
        },
        [`${server.origin}/${space}`, transports],
      );
      const other = await rawClient(server.url + space);
      for (const message of TEXTS) other.send(JSON.stringify({ sender: 1, channel: 'any', message }));
      for (const socket of [0, 1]) {
        await page.waitForFunction(([socket, count]) => heard[socket].length === count, [socket, TEXTS.length]);
        assert.deepEqual(await page.evaluate((socket) => heard[socket].splice(0), socket), TEXTS);
      }
      const texts = sendable(client, transports);
      await page.evaluate((texts) => {
        for (const message of texts) sockets[0].emit('message', { sender: 2, channel: 'any', message });
      }, texts);
      await page.waitForFunction((count) => heard[1].length === count, texts.length);
      assert.deepEqual(await page.evaluate(() => heard[1]), texts);
      assertNoTroubles([page]);
      await other.close();
      await page.context().close();
    });
  }
}
