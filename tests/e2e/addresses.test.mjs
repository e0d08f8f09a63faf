// What relative addresses mean where a page or worker has no ordinary address of its own: with a
// `<base>`, in `srcdoc` and blob frames, in workers; and in a page that has none at all. Our relay
// serves the pages, so that what they send is seen under the path that they meant.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { openPage, rawClient, SERVERS } from '../support/pages.mjs';
import { ROOT } from '../support/servers.mjs';

/* global SignalWasm -- of the pages */

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchChromium(), SERVERS['our relay']()]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await server?.close();
}, TIMEOUT);

/** Runs in a page or worker: sends a message to each address, or to the default one. */
const SPEAK = `function speak(urls) {
  for (const url of urls) {
    new SignalWasm.Signaling({ url }).openSocket({ channel: 'room' }).send('to ' + url);
  }
}`;

/** Where each address leads from a document at `/base/page`. */
const FROM_BASE = { './x': '/base/x', 'room': '/base/room', '../y': '/y', '/z': '/z', '?a': '/base/page' };

describe('relative addresses', { concurrency: 3 }, () => {
  /** Opens a page, and in it what `source` makes; what it says must arrive under these paths. */
  async function arrives(expected, run) {
    const listeners = await Promise.all(
      Object.values(expected).map((path) => rawClient(new URL(path, server.url.replace('http', 'ws')).href)),
    );
    const page = await openPage(browser, `${server.origin}/test-pages/bare.html`);
    await run(page, Object.keys(expected));
    const said = (url) => (frame) => String(frame).includes(`"message":"to ${url}"`);
    await Promise.all(listeners.map((listener, at) => listener.got(1, said(Object.keys(expected)[at]))));
    assert.deepEqual(page.troubles, []);
    listeners.forEach((listener) => listener.close());
    await page.context().close();
  }

  /** A document that sends to these addresses. */
  const html = (origin, urls, base = '') => `<!doctype html>${base}
    <script src="${origin}/signal-wasm/global.js"></script>
    <script>${SPEAK} speak(${JSON.stringify(urls)});</script>`;

  const frame = (page, attribute, value) =>
    page.evaluate(([attribute, value]) => {
      const frame = document.createElement('iframe');
      frame[attribute] = attribute === 'src' ? URL.createObjectURL(new Blob([value], { type: 'text/html' })) : value;
      document.body.append(frame);
    }, [attribute, value]);

  test('a page with a base', TIMEOUT, () =>
    arrives(FROM_BASE, async (page, urls) => {
      await page.addScriptTag({ url: '/signal-wasm/global.js' });
      await page.evaluate(() => {
        const base = document.createElement('base');
        base.href = '/base/page';
        document.head.append(base);
      });
      await page.evaluate(`{ ${SPEAK} speak(${JSON.stringify(urls)}); }`);
    }));

  test('a srcdoc frame has the base of its page', TIMEOUT, () =>
    arrives({ './x': '/test-pages/x', '/z': '/z' }, (page, urls) =>
      frame(page, 'srcdoc', html(server.origin, urls)),
    ));

  test('a srcdoc frame with a base', TIMEOUT, () =>
    arrives(FROM_BASE, (page, urls) =>
      frame(page, 'srcdoc', html(server.origin, urls, '<base href="/base/page">')),
    ));

  test('a blob frame has the origin of its page', TIMEOUT, () =>
    arrives({ './x': '/x', '/z': '/z' }, (page, urls) =>
      frame(page, 'src', html(server.origin, urls)),
    ));

  test('a blob frame with a base', TIMEOUT, () =>
    arrives(FROM_BASE, (page, urls) =>
      frame(page, 'src', html(server.origin, urls, `<base href="${server.origin}/base/page">`)),
    ));

  test('a worker from a blob has the origin of its page', TIMEOUT, () =>
    arrives({ './x': '/x', '/z': '/z' }, (page, urls) =>
      page.evaluate(
        (source) => void new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))),
        `importScripts('${server.origin}/signal-wasm/global.js'); ${SPEAK} speak(${JSON.stringify(urls)});`,
      ),
    ));

  test('a worker has its own address', TIMEOUT, () =>
    arrives({ './x': '/test-pages/x', '/z': '/z' }, async (page, urls) => {
      await page.evaluate((urls) => new Worker('/test-pages/speaker.js').postMessage(urls), urls);
    }));

  test('a page without an origin is asked to name the server', TIMEOUT, async () => {
    const page = await openPage(browser, 'about:blank');
    await page.addScriptTag({ path: join(ROOT, 'dist/global.js') });
    const errors = await page.evaluate(() =>
      [
        () => SignalWasm.openSocket({}),
        () => SignalWasm.configure(),
        () => new SignalWasm.Signaling({ url: '/' }),
      ].map((call) => {
        try {
          return call();
        } catch ({ name, code, message }) {
          return { name, code, message };
        }
      }),
    );
    for (const { name, code } of errors) assert.deepEqual([name, code], ['TypeError', 'bad-url']);
    assert.match(errors[0].message, /'about:blank'.*configure\(\{ url: 'wss:\/\/example\.org\/' \}\)/);
    assert.match(errors[2].message, /option url is '\/'/);
    await page.context().close();
  });
});
