// The classic scripts of the release: the tags beside them load them in a browser, and no other
// bytes in their place.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { ROOT } from './consumer.mjs';

const RELEASE = join(ROOT, 'release');
const SCRIPTS = ['global.js', 'global-transports.js', 'global-rtcmulticonnection.js'];

let browser;
let tags;

before(async () => {
  browser = await launchChromium();
  tags = (await readFile(join(RELEASE, 'scripts.html'), 'utf8')).match(/^<script .*<\/script>$/gm);
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

/** A page of one site with tags that name scripts of another: its globals, and what failed. */
async function page(html, change = (text) => text) {
  const scripts = await serveFiles(
    { '/': async (name) => (SCRIPTS.includes(name) ? { type: 'text/javascript; charset=utf-8', body: change(await readFile(join(RELEASE, name), 'utf8')) } : undefined) },
    { headers: { 'access-control-allow-origin': '*' } },
  );
  const site = await serveFiles({
    '/': () => ({ type: 'text/html; charset=utf-8', body: `<!doctype html><title>page</title><link rel="icon" href="data:,">${html.replaceAll('src="', `src="${scripts.origin}/`)}` }),
  });
  const context = await newContext(browser);
  try {
    const opened = await context.newPage();
    const problems = [];
    opened.on('console', (message) => problems.push(message.text()));
    opened.on('pageerror', (error) => problems.push(error.message));
    await opened.goto(`${site.origin}/`);
    return { ...(await opened.evaluate(() => ({ names: Object.keys(window.SignalWasm ?? {}), transports: Object.keys(window.SignalWasm?.transports ?? {}), io: typeof window.io }))), problems };
  } finally {
    await context.close();
    await Promise.all([scripts.close(), site.close()]);
  }
}

describe('scripts.html', () => {
  it('has a tag for each script, in the order in which they are loaded', () => {
    assert.deepEqual(
      tags.map((tag) => /src="([^"]+)"/.exec(tag)[1]),
      SCRIPTS,
    );
  });

  it('loads global.js with its transports', TIMEOUT, async () => {
    assert.deepEqual(await page(tags.slice(0, 2).join('\n')), {
      names: ['Signaling', 'configure', 'openSignalingChannel', 'openSocket', 'transports'],
      transports: ['broadcastChannel', 'hubConnection', 'hubProxy', 'socketIo', 'websync'],
      io: 'undefined',
      problems: [],
    });
  });

  it('loads global-rtcmulticonnection.js', TIMEOUT, async () => {
    const { io, problems } = await page(tags[2]);
    assert.deepEqual({ io, problems }, { io: 'function', problems: [] });
  });

  it('loads no script that has been changed', TIMEOUT, async () => {
    for (const tag of [tags[0], tags[2]]) {
      const { names, io, problems } = await page(tag, (text) => `${text} `);
      assert.deepEqual({ names, io }, { names: [], io: 'undefined' });
      assert.match(problems.join('\n'), /integrity/);
    }
  });
});
