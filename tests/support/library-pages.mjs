// Driving the demo's pages of the older libraries, npm datachannel and npm rtcmulticonnection: who
// is connected with whom, and what is said.

import assert from 'node:assert/strict';

/** Waits until the page shows so many peers as connected. */
export function connectedTo(page, count) {
  return page.waitForFunction((count) => [...document.querySelectorAll('#log .told')].filter((item) => / is connected with you\.$/.test(item.textContent)).length === count, count);
}

export function connectedIds(page) {
  return page.$$eval('#log .told', (items) => items.map((item) => /^(\S+) is connected with you\.$/.exec(item.textContent)?.[1]).filter(Boolean));
}

export function ownId(page) {
  return page.$eval('#log .told', (item) => /^This tab is (\S+)\.$/.exec(item.textContent)[1]);
}

export async function say(page, text) {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

export function hears(page, text) {
  return page.waitForFunction((text) => [...document.querySelectorAll('#log > :not(.told)')].some((item) => item.textContent.endsWith(`: ${text}`)), text);
}

export async function everybodyHears(pages, what) {
  for (const [index, page] of pages.entries()) await say(page, `${what}: from ${index}`);
  for (const [index, page] of pages.entries()) {
    for (const other of pages.keys()) if (other !== index) await hears(page, `${what}: from ${other}`);
  }
}

/**
 * Each library tries to frame a page of its makers', long gone; the page's Content-Security-Policy
 * refuses that, and Chromium says so. `expected` are patterns of more troubles that belong to the
 * test.
 */
export function assertOnlyOwnTroubles(pages, expected = []) {
  const own = [/Framing 'https:\/\/[\w.-]*webrtc-experiment\.com\/' violates/, ...expected];
  for (const page of pages) {
    const left = page.troubles.filter((trouble) => !own.some((pattern) => pattern.test(trouble)));
    assert.deepEqual(left, [], `troubles on ${page.url()}`);
  }
}
