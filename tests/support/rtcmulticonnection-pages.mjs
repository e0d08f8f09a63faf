// Pages of npm's RTCMultiConnection 3.7.1, unmodified: they load the package's classic script as
// /socket.io/socket.io.js.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newContext } from './chromium.mjs';
import { classicSignalRServer } from './classic-signalr-server.mjs';
import { serveFiles } from './files.mjs';
import { assertNoTroubles, openPage, TEST_MOUNTS } from './pages.mjs';
import { MOUNTS, relay, ROOT, seedServer } from './servers.mjs';
import { signalRServer } from './signalr-server.mjs';
import { socketIoServer } from './socket-io-server.mjs';
import { sseServer } from './sse-server.mjs';

/* global connection, heard, opened, told -- of the pages */

const script = await readFile(join(ROOT, 'dist/global-rtcmulticonnection.js'), 'utf8');

const ROOM_FILES = {
  ...MOUNTS,
  ...TEST_MOUNTS,
  '/socket.io': (path) => (path === 'socket.io.js' ? script : undefined),
};

/** Servers that only pass messages on: how each is started, and the protocol. */
export const ROOM_SERVERS = {
  'a plain WebSocket server': [() => seedServer(), 'websocket'],
  'a Socket.IO server that broadcasts': [() => socketIoServer(), 'socket.io'],
  'a SignalR hub': [() => signalRServer(), 'signalr'],
  'a classic SignalR hub': [() => classicSignalRServer(), 'signalr-classic'],
  'an HTTP server with server-sent events': [() => sseServer(), 'sse'],
  'our relay': [() => relay(), 'auto'],
};

/** Serves the pages and Socket.IO's own client. */
export function serveOriginals() {
  return serveFiles({ ...MOUNTS, ...TEST_MOUNTS });
}

/**
 * Opens a page with Socket.IO's own client, as if its server served it: that server takes no pages
 * of other origins. Its connection gets `members`.
 */
export async function openOriginal(browser, origin, server, members = {}) {
  const context = await newContext(browser);
  // Chromium doesn't know where a page from `route` comes from, and asks before it may use a
  // WebSocket of this machine.
  await context.grantPermissions(['local-network-access']);
  await context.route(/\/(test-pages|vendor|socket\.io)\/[^?]*\.(html|js)$/, async (route) => {
    const response = await fetch(origin + new URL(route.request().url()).pathname);
    await route.fulfill({ contentType: response.headers.get('content-type'), body: await response.text() });
  });
  const page = await context.newPage();
  page.troubles = [];
  page.on('pageerror', (error) => page.troubles.push(String(error)));
  await page.goto(`${server}test-pages/rtcmulticonnection-3.html`);
  await page.evaluate((members) => Object.assign(connection, members), members);
  return page;
}

/**
 * Opens a page with Socket.IO's own client that our relay serves. Its connection gets `members`.
 * With `through`, the address of a proxy, it connects by WebSocket alone: the proxy's links follow
 * nothing else.
 */
export async function openServed(browser, origin, members = {}, through = undefined) {
  const page = await openPage(browser, `${origin}/test-pages/rtcmulticonnection-3.html`);
  await page.evaluate(
    ([members, through]) => {
      Object.assign(connection, members);
      if (!through) return;
      connection.socketURL = through;
      const { io } = window;
      window.io = (address) => io(address, { transports: ['websocket'] });
    },
    [members, through],
  );
  return page;
}

/** Serves the pages and the script. */
export function serveRooms() {
  return serveFiles(ROOM_FILES);
}

/** For a machine that is busy with other tests. */
export const PATIENT = { answerTimeout: 2000 };

/**
 * Opens a page whose script gets `options`, and whose connection gets `members`.
 */
export async function openConnection(browser, origin, options, members = {}) {
  const page = await openPage(browser, `${origin}/test-pages/rtcmulticonnection-3.html`, {
    prepare: `window.rtcMultiConnectionOptions = ${JSON.stringify({ ...PATIENT, reconnect: { base: 50, cap: 500 }, ...options })};`,
  });
  await page.evaluate((members) => Object.assign(connection, members), members);
  return page;
}

/** Opens or joins a room, or asks for it. Gives what the library says of it. */
export function enter(page, how, room) {
  return page.evaluate(([how, room]) => new Promise((done) => connection[how](room, (...values) => done(values))), [how, room]);
}

/**
 * The pages join a room at one moment: all of them are in it before one asks the others for
 * connections.
 */
export async function joinTogether(pages, room) {
  for (const page of pages) {
    const [isIn] = await page.evaluate(async (room) => {
      await new Promise((done) => connection.connectSocket(done));
      const { socket } = connection;
      const { emit } = socket;
      const isReleased = new Promise((done) => (window.release = done));
      socket.emit = (name, ...values) => {
        if (!values[0]?.message?.newParticipationRequest) return emit.call(socket, name, ...values);
        isReleased.then(() => emit.call(socket, name, ...values));
        return socket;
      };
      return new Promise((done) => connection.join(room, (...values) => done(values)));
    }, room);
    if (isIn !== true) throw new Error(`a page can't join ${room}`);
  }
  await Promise.all(pages.map((page) => page.evaluate(() => window.release())));
}

/** What the server answers to an event. */
export function ask(page, event, ...values) {
  return page.evaluate(([event, values]) => new Promise((done) => connection.socket.emit(event, ...values, (...answer) => done(answer))), [event, values]);
}

export function userOf(page) {
  return page.evaluate(() => connection.userid);
}

/** Waits until the page has open data channels to exactly these many others. */
export async function connectedTo(page, count) {
  try {
    await page.waitForFunction((count) => {
      const all = connection.getAllParticipants();
      return all.length === count && all.every((user) => opened.includes(user));
    }, count);
  } catch (error) {
    const told = await page.evaluate(() => JSON.stringify({ opened, told: window.told, left: window.left, all: connection.getAllParticipants() }));
    throw new Error(`not connected with ${count}: ${told}`, { cause: error });
  }
}

/** Each page says something, and all others hear it. */
export async function talk(pages, what) {
  for (const [index, page] of pages.entries()) await page.evaluate((text) => connection.send(text), `${what} ${index}`);
  for (const [index, page] of pages.entries()) {
    for (const other of pages.keys()) {
      if (other !== index) await page.waitForFunction((text) => heard.some(([, data]) => data === text), `${what} ${other}`);
    }
  }
}

/** All pages are connected with all others, and hear each other. */
export async function converse(pages, what) {
  for (const page of pages) await connectedTo(page, pages.length - 1);
  await talk(pages, what);
}

/** Closes pages on which nothing went wrong but what is expected. */
export async function leave(pages, expected) {
  assertNoTroubles(pages, expected);
  await Promise.all(pages.map((page) => page.context().close()));
}

/** Opens pages on a server that are no part of the other tests' world. */
export function opener(browser, origin, url, members = {}) {
  const channel = `rooms ${Math.random()}`;
  return (own = {}, ownUrl = url) => openConnection(browser, origin, { url: ownUrl, protocol: 'websocket', channel }, { ...members, ...own });
}

/** Waits until the page has been told this of a user or a room. */
export function saw(page, ...event) {
  return page.waitForFunction((event) => told.some((one) => JSON.stringify(one).startsWith(event)), JSON.stringify(event).slice(0, -1));
}
