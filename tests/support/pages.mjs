// What the page tests share: pages that remember their errors, a bare WebSocket client, the two
// servers under one roof, and waiting.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { newContext } from './chromium.mjs';
import { deadline } from './deadline.mjs';
import { serveFiles } from './files.mjs';
import { MOUNT_ARGS, MOUNTS, relay, ROOT, seedServer } from './servers.mjs';

/** Beside the demo's mounts: what the tests bring themselves, and what the seed's pages load. */
export const TEST_MOUNTS = {
  '/test-support': join(ROOT, 'tests/support'),
  '/test-pages': join(ROOT, 'tests/e2e/pages'),
  '/vendor/socket.io-client-4': join(ROOT, 'node_modules/socket.io-client/dist'),
  '/vendor/socket.io-client-1.0': join(ROOT, 'node_modules/socket.io-client-1.0'),
  '/vendor/socket.io-client-1.3': join(ROOT, 'node_modules/socket.io-client-1.3'),
  '/vendor/socket.io-client-1.7': join(ROOT, 'node_modules/socket.io-client-1.7/dist'),
  '/vendor/socket.io-client-2': join(ROOT, 'node_modules/socket.io-client-2/dist'),
  '/vendor/signalr-core': join(ROOT, 'node_modules/@microsoft/signalr/dist/browser'),
  '/vendor/signalr-classic': join(ROOT, 'node_modules/signalr'),
  '/vendor/jquery': join(ROOT, 'node_modules/jquery/dist'),
};

/**
 * The two servers that every page must work with. Each function gives `{ origin, url, query,
 * close() }`: where pages are served, where the signaling is, and what to add to the address of a
 * demo page to use it.
 */
export const SERVERS = {
  'the seed’s server': async () => {
    const [files, server] = await Promise.all([serveFiles({ ...MOUNTS, ...TEST_MOUNTS }), seedServer()]);
    return {
      origin: files.origin,
      url: server.url,
      query: `?server=${encodeURIComponent(server.url)}`,
      close: () => Promise.all([files.close(), server.close()]),
    };
  },
  'our relay': async () => {
    const mounts = Object.entries(TEST_MOUNTS).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]);
    const server = await relay({ args: [...MOUNT_ARGS, ...mounts] });
    return { origin: server.origin, url: server.url, query: '', close: () => server.close() };
  },
};

/** How Firefox reports a connection that failed: late, and as if the page had thrown something. */
const NOT_CONNECTED = /^(Firefox can’t establish a connection|The connection to \S+ was interrupted|Cross-Origin Request Blocked)/;

/**
 * Opens a page of its own browser context. `page.troubles` fills with everything that went wrong on
 * it. `prepare` is called in it before its own scripts.
 */
export async function openPage(browser, address, { prepare, ...options } = {}) {
  const context = await newContext(browser, options);
  if (prepare) await context.addInitScript(prepare);
  const page = await context.newPage();
  page.troubles = [];
  page.on('pageerror', (error) => {
    const text = String(error.stack ?? error);
    if (!NOT_CONNECTED.test(text)) page.troubles.push(`uncaught: ${text}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') page.troubles.push(`console: ${message.text()}`);
  });
  await page.goto(address);
  return page;
}

/**
 * Fails if anything went wrong on one of the pages. `expected` are patterns of troubles that belong
 * to the test.
 */
export function assertNoTroubles(pages, expected = []) {
  for (const page of pages) {
    const left = page.troubles.filter((trouble) => !expected.some((pattern) => pattern.test(trouble)));
    assert.deepEqual(left, [], `troubles on ${page.url()}`);
  }
}

/**
 * A WebSocket client with no library at all: sees every frame as the bytes it came in, and can send
 * anything.
 */
export async function rawClient(url) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const frames = [];
  const waiting = new Set();
  socket.on('message', (data, binary) => {
    frames.push(binary ? data : data.toString('utf8'));
    for (const check of waiting) check();
  });
  socket.on('error', () => {});
  await new Promise((done, fail) => socket.once('open', done).once('error', fail));
  return {
    frames,
    send: (data) => socket.send(data),
    /** Resolves once `count` frames that pass `filter` have come, with those. */
    got(count, filter = () => true) {
      return new Promise((done, fail) => {
        const settle = (finish, value) => {
          clearTimeout(timer);
          waiting.delete(check);
          finish(value);
        };
        const check = () => {
          const found = frames.filter(filter);
          if (found.length >= count) settle(done, found);
        };
        const timer = setTimeout(() => settle(fail, new Error(`${frames.filter(filter).length} of ${count} frames came:\n${frames.map((frame) => String(frame).slice(0, 200)).join('\n')}`)), deadline(60_000));
        waiting.add(check);
        check();
      });
    },
    close: () =>
      new Promise((done) => {
        // A server may have closed it long ago.
        if (socket.readyState === WebSocket.CLOSED) return done();
        socket.once('close', done);
        socket.terminate();
      }),
  };
}

/** Writes a screenshot into target/screenshots, for people to look at. */
export async function screenshot(page, name, options = {}) {
  const folder = join(ROOT, 'target/screenshots');
  await mkdir(folder, { recursive: true });
  return page.screenshot({ path: join(folder, `${name}.png`), ...options });
}
