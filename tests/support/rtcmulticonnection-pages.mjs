// Pages of npm's RTCMultiConnection 3.7.1, unmodified: they load the package's classic script as
// /socket.io/socket.io.js.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serveFiles } from './files.mjs';
import { openPage, TEST_MOUNTS } from './pages.mjs';
import { MOUNTS, ROOT } from './servers.mjs';

/* global connection, heard, opened -- of the pages */

const script = await readFile(join(ROOT, 'dist/global-rtcmulticonnection.js'), 'utf8');

export const ROOM_FILES = {
  ...MOUNTS,
  ...TEST_MOUNTS,
  '/socket.io': (path) => (path === 'socket.io.js' ? script : undefined),
};

/** Serves the pages and the script. */
export function serveRooms() {
  return serveFiles(ROOM_FILES);
}

/**
 * Opens a page whose script gets `options`, and whose connection gets `members`. `context`: the
 * browser context, if pages share one.
 */
export async function openConnection(browser, origin, options, members = {}) {
  const page = await openPage(browser, `${origin}/test-pages/rtcmulticonnection-3.html`, {
    prepare: `window.rtcMultiConnectionOptions = ${JSON.stringify({ reconnect: { base: 50, cap: 500 }, ...options })};`,
  });
  await page.evaluate((members) => Object.assign(connection, members), members);
  return page;
}

/** Opens or joins a room. Gives what the library says of it. */
export function enter(page, how, room) {
  return page.evaluate(([how, room]) => new Promise((done) => connection[how](room, (...values) => done(values))), [how, room]);
}

export function userOf(page) {
  return page.evaluate(() => connection.userid);
}

/** Waits until the page has open data channels to exactly these many others. */
export async function connectedTo(page, count) {
  try {
    await page.waitForFunction((count) => new Set(opened).size >= count && connection.getAllParticipants().length === count, count);
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
