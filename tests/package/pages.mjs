// Two pages that talk: the proof that a package not only loads but works.

import assert from 'node:assert/strict';
import { newContext } from '../support/chromium.mjs';

/**
 * Opens `address` twice, sends a message from each page, and checks that the other page received it
 * once, and that no page had an error.
 * The pages run talk.js; `server` is a signaling server as tests/support gives it.
 */
export async function roundTrip(browser, address, server) {
  const context = await newContext(browser);
  try {
    const [first, second] = await Promise.all([open(context, address, server), open(context, address, server)]);
    const offer = { from: 'first', sdp: 'v=0\r\n' };
    const answer = { from: 'second', text: 'é 🙂 "' };
    await say(first, second, offer);
    await say(second, first, answer);
    for (const [{ page, problems }, heard] of [[first, [answer]], [second, [offer]]]) {
      assert.deepEqual(await page.evaluate(() => ({ heard: window.page.heard, errors: window.page.errors })), { heard, errors: [] });
      assert.deepEqual(problems, []);
    }
    return await first.page.evaluate(() => ({ evalAllowed: window.evalAllowed, stats: window.page.signaling.stats() }));
  } finally {
    await context.close();
  }
}

/** Loads a page and waits until its channel is open; an error in the page ends the wait. */
async function open(context, address, server) {
  const url = new URL(address);
  url.searchParams.set('server', server.url);
  const { page, problems, broken } = await load(context, url.href);
  await Promise.race([broken, page.waitForFunction(() => window.page?.ready)]);
  return { page, problems };
}

/** Loads a page and records its problems: exceptions, errors on its console, failed requests. */
export async function load(context, address) {
  const page = await context.newPage();
  const problems = [];
  const broken = new Promise((_, fail) => {
    page.on('pageerror', (error) => {
      problems.push(String(error));
      fail(new Error(`${address}: ${error}`));
    });
  });
  broken.catch(() => {});
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('response', (response) => response.status() >= 400 && problems.push(`${response.url()}: ${response.status()}`));
  await page.goto(address);
  return { page, problems, broken };
}

async function say(from, to, message) {
  await from.page.evaluate((message) => window.page.handle.send(message), message);
  await to.page.waitForFunction(() => window.page.heard.length > 0);
}
