// What the tests on each protocol's servers share: pages with one signaling, the seed's pages
// beside them, and what is said between the two.

import assert from 'node:assert/strict';
import { launchBrowser } from './browsers.mjs';
import * as classic from './classic-signalr-server.mjs';
import { serveFiles } from './files.mjs';
import { assertNoTroubles, openPage, TEST_MOUNTS } from './pages.mjs';
import * as rtcMultiConnection from './rtcmulticonnection-server.mjs';
import * as servers from './servers.mjs';
import * as core from './signalr-server.mjs';
import * as socketIo from './socket-io-server.mjs';
import * as sse from './sse-server.mjs';
import * as talkers from './talker.mjs';

/* global connected, errors, handle, heard, signaling, states -- of the pages */

export const FILES = { ...servers.MOUNTS, ...TEST_MOUNTS };

/** Servers that a test started; they end with the file, even if the test fails. */
const running = [];
const kept = (start) => async (options) => {
  const server = await start(options);
  running.push(server);
  return server;
};
export const classicSignalRServer = kept(classic.classicSignalRServer);
export const rtcMultiConnectionServer = kept(rtcMultiConnection.rtcMultiConnectionServer);
export const seedServer = kept(servers.seedServer);
export const signalRServer = kept(core.signalRServer);
export const socketIoServer = kept(socketIo.socketIoServer);
export const sseServer = kept(sse.sseServer);
export const talker = kept(talkers.talker);

/** All that JSON has, and where frames are cut and packed. */
export const VALUES = [
  { type: 'offer', sdp: 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n' },
  '',
  -0.5,
  false,
  null,
  [],
  {
    sender: 1,
    channel: 'decoy',
    message: 'decoy',
    H: 'x',
    M: [],
    type: 7,
    target: 'onMessageReceived',
  },
  { 'quo"te': '\\ \b\f\n\r\t \u0001 \\u001e \u001e', 'slash': '</script>' },
  { accents: 'Grüße, 日本語, 🦀', separators: '\u2028\u2029', lone: '\ud83e' },
  ['42["message",{}]', '{"type":1,"target":"onMessageReceived","arguments":["x"]}'],
  'é\u{1f600}"\\'.repeat(2_000),
];
export const TEXTS = VALUES.map((value) => JSON.stringify(value));

let browser;
/** The server of the pages. */
export let files;
/** Pages that no test uses now. */
const idle = [];

/** For `before`: starts the browser and the server of the pages. */
export async function setUp() {
  [browser, files] = await Promise.all([launchBrowser(), serveFiles(FILES)]);
}

/** For `after`: ends them, and every server that a test started. */
export async function tearDown() {
  await browser?.close();
  await Promise.all([files, ...running].map((server) => server?.close()));
}

/**
 * Opens a page with signal-wasm on it, and on channel `main` one signaling with the options that
 * `source` evaluates to there. The page has `signaling`, `handle`, `heard`, `states` (`state:
 * reason`), `gaps` and `errors`.
 */
export async function join(source, { wait = true } = {}) {
  // A page takes a second to open, and one signaling leaves nothing behind for the next.
  let page = idle.pop();
  if (!page) {
    page = await openPage(browser, `${files.origin}/test-pages/bare.html`);
    await page.addScriptTag({ url: '/signal-wasm/global.js' });
  }
  await start(page, source);
  if (wait) await isOpen(page);
  return page;
}

/** Gives the page another signaling, with the options that `source` evaluates to there. */
export async function start(page, source) {
  await page.evaluate(`{
    window.signaling?.close();
    window.asked = 0;
    window.heard = [];
    window.states = [];
    window.errors = [];
    window.gaps = [];
    window.signaling = new SignalWasm.Signaling({
      reconnect: { base: 50, cap: 200 },
      onstatechange: (state, { reason }) => states.push(state + ': ' + reason),
      ongap: (channel) => gaps.push(channel),
      onerror: ({ name, code, message }) => errors.push({ name, code, message }),
      ...(${typeof source === 'string' ? source : JSON.stringify(source)}),
    });
    window.handle = signaling.openSocket({ channel: 'main', onmessage: (message) => heard.push(message) });
  }`);
}

/** Waits until the signaling of a page is open. */
export async function isOpen(page) {
  try {
    await page.waitForFunction(() => signaling.state === 'open');
  } catch (error) {
    const told = await page.evaluate(() => ({ states, errors, stats: signaling.stats() }));
    throw new Error(`not open: ${JSON.stringify(told)}`, { cause: error });
  }
}

/** Waits for the first error of a page. */
export async function firstError(page) {
  try {
    await page.waitForFunction(() => errors.length > 0);
  } catch (error) {
    const told = await page.evaluate(() => ({
      states: states.slice(0, 20),
      stats: signaling.stats(),
    }));
    throw new Error(`no error came: ${JSON.stringify(told)}`, { cause: error });
  }
  return page.evaluate(() => errors[0]);
}

/** Opens a page of the seed. */
export async function old(page, server, origin = files.origin) {
  const opened = await openPage(
    browser,
    `${origin}/test-pages/${page}.html?server=${encodeURIComponent(server)}`,
  );
  await opened.waitForFunction(() => connected());
  return opened;
}

/** Sends each of these JSON texts. */
export function send(page, texts) {
  return page.evaluate((texts) => texts.forEach((text) => handle.send(JSON.parse(text))), texts);
}

/** Sends as soon as the connection is lost: it may be back in a moment. */
export function sendWhenLost(page, texts) {
  return page.evaluate((texts) => {
    signaling.onstatechange = (state) => {
      if (state !== 'waiting') return;
      signaling.onstatechange = null;
      for (const text of texts) handle.send(JSON.parse(text));
    };
  }, texts);
}

/** Waits until a page has heard these JSON texts, and nothing else. */
export async function hears(page, texts) {
  await page.waitForFunction((count) => heard.length >= count, texts.length).catch(() => {});
  assert.deepEqual(
    await page.evaluate(() => heard.map((message) => JSON.stringify(message))),
    texts,
  );
}

/**
 * Both ways, every value, in order. `echo`: whether the server hands the seed's page its own
 * messages too.
 */
export async function converse(ours, seed, { echo = false } = {}) {
  for (const page of [ours, seed]) await page.evaluate(() => void heard.splice(0));
  await send(seed, TEXTS);
  await hears(ours, TEXTS);
  await seed.evaluate(() => void heard.splice(0));
  await ours.evaluate(() => void heard.splice(0));
  await send(ours, TEXTS);
  await hears(seed, TEXTS);
  // What the server gave back to us would have come before what it gives us now.
  await seed.evaluate(() => void heard.splice(0));
  await send(seed, ['"the end"']);
  await hears(ours, ['"the end"']);
  const { bad, own } = await ours.evaluate(() => signaling.stats());
  assert.equal(bad, 0, 'bad frames');
  assert.equal(own, echo ? TEXTS.length : 0, 'own frames');
}

/** Ends what a test did on these pages. */
export async function leave(...pages) {
  await part(pages, []);
}

/** The same for pages on which Chromium itself reports requests and sockets that fail. */
export async function leaveFailing(...pages) {
  await part(pages, [
    /^console: (Failed to load resource|WebSocket connection to|EventSource's response|Access to )/,
  ]);
}

async function part(pages, expected) {
  assertNoTroubles(pages, expected);
  for (const page of pages) {
    page.troubles.splice(0);
    if (await page.evaluate(() => ('signaling' in window ? (signaling.close(), true) : false)))
      idle.push(page);
    else await page.context().close();
  }
}
