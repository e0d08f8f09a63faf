// What the package holds on to, in a real browser, after garbage collection: ten thousand
// reconnections and a hundred thousand channels leave wasm's memory and the JavaScript heap where
// they were.
//
// Ten thousand reconnections are made on a stand-in for the socket, the relay and the clock, where
// each takes a fraction of a millisecond; some hundreds by real sockets to the real relay. The
// channels are opened on the real relay. That the measurement would notice is shown by leaks made
// for it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { MOUNTS, relay, ROOT } from '../support/servers.mjs';

/* global connected, gc, memory, standIn, talking -- of the pages */

/** Per reconnection or channel, in bytes of the JavaScript heap. The smallest object takes more. */
const NOTHING = 12;
/** What the heap moves by itself, such as code that is compiled on the way. */
const NOISE = 80_000;

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([
    launchChromium({ args: ['--js-flags=--expose-gc'] }),
    serveFiles({ ...MOUNTS, ...TEST_MOUNTS, '/tests/browser': `${ROOT}/tests/browser`, '/bare': () => '<!doctype html><title>memory</title><link rel="icon" href="data:,">' }),
  ]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await files?.close();
}, TIMEOUT);

/** Runs `body` with a page that has the module as `memory`, and a function that measures. */
async function measured(body) {
  const context = await newContext(browser);
  const page = await context.newPage();
  const session = await page.context().newCDPSession(page);
  try {
    await page.goto(`${files.origin}/bare`);
    await page.evaluate(async () => {
      window.memory = await import('/test-pages/memory.js');
    });
    const weigh = async () => {
      // What a finaliser releases is collected in the next round.
      for (let round = 0; round < 3; round += 1) await session.send('HeapProfiler.collectGarbage');
      const { usedSize, embedderHeapUsedSize = 0 } = await session.send('Runtime.getHeapUsage');
      return { wasm: await page.evaluate(() => memory.wasmBytes()), heap: usedSize, embedder: embedderHeapUsedSize };
    };
    await body({ page, weigh });
  } finally {
    await page.context().close();
  }
}

/** By how much each grew. */
function growth(before, after) {
  return Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]));
}

function assertNothingKept(grown, count, t) {
  t.diagnostic(`${count} times: ${JSON.stringify(grown)}`);
  assert.equal(grown.wasm, 0, `wasm's memory: ${JSON.stringify(grown)}`);
  for (const name of ['heap', 'embedder']) assert.ok(grown[name] < NOISE + NOTHING * count, `${name} of the page: ${JSON.stringify(grown)}`);
}

function assertSeen(grown, name, count) {
  assert.ok(grown[name] > (name === 'wasm' ? 0 : NOISE + NOTHING * count), `a leak made for the test wasn't seen in ${name}: ${JSON.stringify(grown)}`);
}

describe('memory', () => {
  test('ten thousand reconnections on a stand-in', TIMEOUT, (t) =>
    measured(async ({ page, weigh }) => {
      // What JavaScript holds of wasm, such as handlers, goes when the collector has come by, which
      // it doesn't within one task.
      const reconnect = async (count, keep = () => undefined) => {
        for (let done = 0; done < count; done += 1_000) {
          await page.evaluate(`standIn.reconnect(1_000, ${keep})`);
          await page.evaluate(() => gc());
        }
        return page.evaluate(() => standIn.reconnect(0));
      };
      await page.evaluate(() => void (window.standIn = memory.onStandIn()));
      await reconnect(2_000);
      const before = await weigh();
      const { state, reconnects, heard, gaps, queued } = await reconnect(10_000);
      assert.deepEqual({ state, reconnects, heard, gaps, queued }, { state: 'open', reconnects: 12_000, heard: 12_000, gaps: 0, queued: 0 });
      const after = await weigh();
      assertNothingKept(growth(before, after), 10_000, t);

      // An empty object kept for each would be seen.
      await reconnect(10_000, () => ({}));
      assertSeen(growth(after, await weigh()), 'heap', 10_000);
    }));

  test('hundreds of reconnections to the real relay', TIMEOUT, (t) =>
    measured(async ({ page, weigh }) => {
      const server = await relay();
      const network = await proxy(() => server.port);
      try {
        await page.evaluate(async (url) => void (window.connected = await memory.onServer(url)), network.url);
        let all = 0;
        const reconnect = async (count) => {
          for (let index = 0; index < count; index += 1) {
            network.cut();
            all += 1;
            await page.evaluate((all) => connected.reconnected(all), all);
          }
        };
        await reconnect(100);
        const before = await weigh();
        await reconnect(300);
        assertNothingKept(growth(before, await weigh()), 300, t);
        await until(() => network.links().length === 1, 'one connection is left');
      } finally {
        await network.close();
        await server.close();
      }
    }));

  test('a hundred thousand messages, each sent before the last is acknowledged', TIMEOUT, (t) =>
    measured(async ({ page, weigh }) => {
      const talk = (count) => page.evaluate((count) => talking.talk(count), count);
      await page.evaluate(() => void (window.talking = memory.neverEmpty()));
      await talk(5_000);
      const before = await weigh();
      assert.deepEqual(await talk(100_000), { sent: 105_000, queued: 1 });
      assertNothingKept(growth(before, await weigh()), 100_000, t);
    }));

  test('a hundred thousand channels on the real relay', TIMEOUT, (t) =>
    measured(async ({ page, weigh }) => {
      const server = await relay();
      try {
        await page.evaluate(async (url) => void (window.connected = await memory.onServer(url)), server.url);
        const channels = (count) => page.evaluate((count) => connected.channels(count), count);
        await channels(5_000);
        const before = await weigh();
        const { state, channels: open, connects, queued } = await channels(100_000);
        assert.deepEqual({ state, open, connects, queued }, { state: 'open', open: 1, connects: 1, queued: 0 });
        const after = await weigh();
        assertNothingKept(growth(before, after), 100_000, t);

        // Handles that are kept would be seen in the heap, channels that stay open in wasm's
        // memory.
        await page.evaluate(() => connected.channels(10_000, (channel) => channel));
        assertSeen(growth(after, await weigh()), 'heap', 10_000);
        await page.evaluate(() => memory.leaveOpen(connected.signaling, 5_000));
        assertSeen(growth(after, await weigh()), 'wasm');
      } finally {
        await server.close();
      }
    }));
});
