// Driving the demo: what its pages show, who is there, what is said, and whether a video plays.

import { until } from './deadline.mjs';
import { openPage } from './pages.mjs';

/* global sampleBrightness -- of the pages */

export const DESKTOP = { viewport: { width: 1280, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DARK = { colorScheme: 'dark' };

// Chromium's own words when a server is away.
export const NO_SERVER = [/WebSocket connection to 'ws:[^']*' failed/, /net::ERR_CONNECTION_REFUSED/];

/** The protocols that can be chosen on a server, as its page calls them. */
export const PROTOCOLS = { websocket: 'WebSocket', 'socket.io': 'Socket.IO', signalr: 'SignalR', 'signalr-classic': 'classic SignalR', sse: 'server-sent events', relay: 'our relay' };

/** Opens a page of the demo that has another server in its address, and lets it connect there. */
export async function openAllowed(browser, address, options) {
  const page = await openPage(browser, address, options);
  if (new URL(address).searchParams.has('server')) await page.getByRole('button', { name: /^Connect to/ }).click();
  return page;
}

/** Opens the cards that are folded on a phone. */
export function unfold(page) {
  return page.$$eval('details.fold', (cards) => cards.forEach((card) => (card.open = true)));
}

/**
 * Joins the demo's room with a bare client, as someone who may send anything; so many `others` are
 * there. Returns the function that sends a message of the room.
 */
export async function joinBare(client, { id, data, others, channel = 'lobby' }) {
  let number = 0;
  const say = (content) => client.send(JSON.stringify({ sender: id, channel, message: { v: 1, from: id, number: (number += 1), ...content } }));
  say({ kind: 'hello', nonce: 'anything', data });
  const heard = () => client.frames.map((frame) => JSON.parse(frame).message).filter((message) => message?.kind === 'here' && message.to === id);
  await until(() => heard().length === others, 'the answers to hello');
  for (const { from, nonce } of heard()) say({ kind: 'ready', to: from, echo: nonce, data });
  return say;
}

/** Waits until the number shown for that counter is as wanted. */
export async function stat(page, name, wanted) {
  const shown = () => page.locator(`[data-stat="${name}"]`).textContent().then((text) => Number(text.replaceAll(/\D/g, '')));
  await until(async () => wanted(await shown()), `${name}: ${wanted}`);
}

/** What became of the numbers that the others send each second, once it is as wanted. */
export async function numbers(page, wanted = () => true) {
  return until(async () => {
    const found = /: ([\d,]+) came, ([\d,]+) never did, ([\d,]+) came twice/.exec(await page.locator('#pulse-note').textContent());
    const [came, missed, again] = found?.slice(1).map((text) => Number(text.replaceAll(',', ''))) ?? [0, 0, 0];
    return wanted({ came, missed, again }) && { came, missed, again };
  }, `numbers: ${wanted}`);
}

/** What the card shows of the connection, newest first. */
export function told(page) {
  return page.$$eval('#events li span', (lines) => lines.map((line) => line.textContent));
}

export function logged(page, text) {
  return page.waitForFunction((text) => [...document.querySelectorAll('#log > :not(.told)')].some((item) => item.textContent.endsWith(`: ${text}`)), text);
}

export function seesOthers(page, count) {
  return page.waitForFunction((count) => document.querySelectorAll('.person').length === count + 1, count);
}

export async function say(page, text) {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('textbox', { name: 'Message' }).press('Enter');
}

export function said(page, text, who = '') {
  return page.waitForFunction(
    ({ text, who }) => [...document.querySelectorAll('#chat-log .said:not(.mine)')].some((item) => item.querySelector('.said-text').textContent === text && item.querySelector('.said-who').textContent.startsWith(who)),
    { text, who },
  );
}

export async function counters(page) {
  return page.$$eval('.counter', (tiles) => Object.fromEntries(tiles.map((tile) => [tile.dataset.kind, Number(tile.querySelector('b').textContent.replace(/\D/g, ''))])));
}

export async function remoteVideoPlays(page, count) {
  await page.waitForFunction(
    (count) => {
      const videos = [...document.querySelectorAll('.tile[data-who="other"] video')];
      return videos.length === count && videos.every((video) => video.videoWidth > 0 && !video.paused && video.readyState >= 3);
    },
    count,
  );
  // Time must go on from here, whatever it was.
  const from = await page.$$eval('.tile[data-who="other"] video', (videos) => videos.map((video) => video.currentTime));
  await page.waitForFunction((from) => [...document.querySelectorAll('.tile[data-who="other"] video')].every((video, index) => video.currentTime > from[index] + 0.3), from);
}

export async function brightness(page) {
  await page.evaluate(() => {
    window.sampleBrightness = () => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 16;
      const paint = canvas.getContext('2d');
      paint.drawImage(document.querySelector('.tile[data-who="other"] video'), 0, 0, 16, 16);
      const { data } = paint.getImageData(0, 0, 16, 16);
      let brightest = 0;
      for (let index = 0; index < data.length; index += 4) brightest = Math.max(brightest, data[index], data[index + 1], data[index + 2]);
      return brightest;
    };
  });
  return page.evaluate(() => sampleBrightness());
}
