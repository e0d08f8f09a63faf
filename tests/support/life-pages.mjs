// Driving tests/e2e/pages/life.html: its signaling, the back button, the network, a computer that
// sleeps.

import process from 'node:process';

/* global handle -- of the pages */

/** Waits until the page's signaling is in that state. */
export function is(page, state) {
  return page.waitForFunction((state) => window.signaling?.state === state, state, { polling: 50 });
}

/** Sends these texts. */
export function say(page, ...texts) {
  return page.evaluate((texts) => texts.forEach((text) => handle.send(text)), texts);
}

/** What the browser told the page, and where its signaling stood. */
export const told = (page) => page.evaluate(() => window.told);

/** Goes back, and waits until the page is there of which `known` is true. */
export async function goBack(page, known) {
  // The page that is asked goes away before it has answered.
  await page.evaluate(() => void setTimeout(() => window.history.back()));
  await page.waitForFunction(known, undefined, { polling: 50 });
}

/** A function that takes the page's network away (`true`) or gives it back. */
export async function networkSwitch(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  return (offline) => session.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
}

/** What happens while no process of the browser runs. */
export async function asleep(browser, dream) {
  const processes = await browser.processes();
  for (const id of processes) process.kill(id, 'SIGSTOP');
  try {
    await dream();
  } finally {
    for (const id of processes) process.kill(id, 'SIGCONT');
  }
}
