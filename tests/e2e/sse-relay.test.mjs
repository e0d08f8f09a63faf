// signal-wasm on our relay by server-sent events: with pages that speak other protocols, through
// lost streams and answers, a relay that dies, and a network that lets no WebSocket through.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { httpProxy } from '../support/http-proxy.mjs';
import {
  assertOnlyOwnTroubles,
  connectedTo,
  everybodyHears,
} from '../support/library-pages.mjs';
import { openPage, rawClient, SERVERS } from '../support/pages.mjs';
import {
  hears,
  isOpen,
  join,
  leave,
  leaveFailing,
  send,
  setUp,
  start,
  tearDown,
  TEXTS,
} from '../support/protocol-pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { relay } from '../support/servers.mjs';

/* global gaps, heard, signaling, states -- of the pages */

const numbers = (from, to) => Array.from({ length: to - from }, (_, at) => String(from + at));
const sse = (origin, space = '') => ({ url: `${origin}${space}/sse`, protocol: 'sse' });
const reconnects = (page) => page.waitForFunction(() => signaling.state === 'open' && signaling.stats().reconnects > 0);

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

describe('server-sent events on our relay', { concurrency: 3 }, () => {
  /** A relay that ends with the test. */
  async function running(t, options) {
    const server = await relay(options);
    t.after(() => server.kill());
    return server;
  }

  test('pages of three protocols share a space, and none hears itself', TIMEOUT, async (t) => {
    const { origin } = await running(t);
    const pages = [
      await join(sse(origin, '/room')),
      await join(sse(origin, '/room')),
      await join({ url: `${origin}/room`, protocol: 'relay' }),
      await join({ url: origin, protocol: 'socket.io', namespace: '/room' }),
    ];
    for (const from of pages) {
      for (const page of pages) await page.evaluate(() => void heard.splice(0));
      await send(from, TEXTS);
      for (const page of pages) if (page !== from) await hears(page, TEXTS);
      assert.deepEqual(await from.evaluate(() => heard), []);
    }
    for (const page of pages) {
      const { own, bad, gaps } = await page.evaluate(() => signaling.stats());
      assert.deepEqual([own, bad, gaps], [0, 0, 0]);
    }
    await leave(...pages);
  });

  test('a message whose answer was lost is published once', TIMEOUT, async (t) => {
    const server = await running(t);
    let lost = 0;
    const network = await httpProxy(() => server.port, {
      onanswer: ({ method }) => (method === 'POST' && (lost += 1) % 3 !== 0 ? 'cut' : undefined),
    });
    t.after(() => network.close());
    const ours = await join(sse(network.origin));
    const other = await join({ url: server.origin, protocol: 'relay' });
    await send(ours, numbers(0, 20));
    await hears(other, numbers(0, 20));
    await ours.evaluate(() => signaling.flushed());
    assert.ok(lost > 40, `${lost} answers`);
    assert.equal((await other.evaluate(() => heard)).length, 20);
    await leaveFailing(ours, other);
  });

  test('a stream that comes back has what was missed, even if nothing came before', TIMEOUT, async (t) => {
    const server = await running(t);
    const network = await proxy(() => server.port);
    t.after(() => network.close());
    const ours = await join(sse(network.url.replace(/^ws(.*)\/$/, 'http$1')));
    const other = await join({ url: server.origin, protocol: 'relay' });
    for (const round of [0, 10, 20]) {
      network.refuse();
      network.cut();
      await ours.waitForFunction(() => signaling.state === 'waiting');
      await send(other, numbers(round, round + 10));
      await other.evaluate(() => signaling.flushed());
      await send(ours, numbers(round, round + 10));
      network.accept();
      await hears(ours, numbers(0, round + 10));
      await hears(other, numbers(0, round + 10));
    }
    assert.deepEqual(await ours.evaluate(() => gaps), []);
    await leaveFailing(ours, other);
  });

  test('while both send, streams and requests are cut: once each, in order', TIMEOUT, async (t) => {
    const server = await running(t);
    const network = await proxy(() => server.port);
    t.after(() => network.close());
    const origin = network.url.replace(/^ws(.*)\/$/, 'http$1');
    const [one, other] = [await join(sse(origin)), await join(sse(origin))];
    await Promise.all([one, other].map((page) => send(page, numbers(0, 100))));
    for (const count of [10, 30, 50, 70, 90]) {
      await one.waitForFunction((count) => heard.length >= count, count);
      network.cut(count % 20 === 10 ? 'reset' : 'end');
    }
    await hears(one, numbers(0, 100));
    await hears(other, numbers(0, 100));
    for (const page of [one, other]) assert.deepEqual(await page.evaluate(() => gaps), []);
    await leaveFailing(one, other);
  });

  test('killed and started again: the page comes back, and learns of a gap', TIMEOUT, async (t) => {
    const first = await running(t);
    const ours = await join(sse(first.origin));
    await send(ours, ['1']);
    await ours.evaluate(() => signaling.flushed());
    await first.kill();
    await ours.waitForFunction(() => signaling.state === 'waiting');
    await send(ours, ['2', '3']);
    const second = await running(t, { args: ['--listen', `127.0.0.1:${first.port}`] });
    await reconnects(ours);
    await ours.waitForFunction(() => gaps.length > 0);
    await ours.evaluate(() => signaling.flushed());
    const other = await join({ url: second.origin, protocol: 'relay' });
    await send(ours, ['4']);
    await send(other, ['5']);
    await hears(other, ['4']);
    await hears(ours, ['5']);
    assert.deepEqual(await ours.evaluate(() => gaps), ['main']);
    await leaveFailing(ours, other);
  });

  test('more than is kept was missed: that is reported, and what is kept comes', TIMEOUT, async (t) => {
    const server = await running(t, { args: ['--history-messages', '5'] });
    const network = await proxy(() => server.port);
    t.after(() => network.close());
    const ours = await join(sse(network.url.replace(/^ws(.*)\/$/, 'http$1')));
    const [other, witness] = await Promise.all([rawClient(server.url), rawClient(server.url)]);
    network.refuse();
    network.cut();
    await ours.waitForFunction(() => signaling.state === 'waiting');
    for (const number of numbers(0, 20)) other.send(`{"sender":5,"channel":"main","message":${number}}`);
    await witness.got(20, (frame) => frame.includes('"sender":5'));
    network.accept();
    await hears(ours, numbers(15, 20));
    assert.deepEqual(await ours.evaluate(() => gaps), ['main']);
    await Promise.all([other, witness].map((client) => client.close()));
    await leaveFailing(ours);
  });

  test('a network that lets no WebSocket through', TIMEOUT, async (t) => {
    const server = await running(t);
    const network = await httpProxy(() => server.port);
    t.after(() => network.close());
    const ours = await join({ url: network.origin }, { wait: false });
    await until(() => network.upgrades() >= 3);
    const told = await ours.evaluate(() => states);
    assert.ok(told.some((line) => /^waiting: no connection to .* could be made/.test(line)), told.join('\n'));
    await start(ours, sse(network.origin));
    await isOpen(ours);
    const other = await join({ url: server.origin, protocol: 'relay' });
    await send(ours, TEXTS);
    await send(other, TEXTS);
    await hears(ours, TEXTS);
    await hears(other, TEXTS);
    await leaveFailing(ours, other);
  });
});

describe('a call that is set up through it', () => {
  for (const library of ['datachannel', 'rtcmulticonnection']) {
    test(`${library}, where no WebSocket gets through`, TIMEOUT, async (t) => {
      const browser = await launchChromium();
      t.after(() => browser.close());
      const server = await SERVERS['our relay']();
      t.after(() => server.close());
      const network = await httpProxy(() => new URL(server.origin).port);
      t.after(() => network.close());
      const address = `${network.origin}/${library}.html?protocol=sse#${library}`;
      const pages = [await openPage(browser, address)];
      await pages[0].getByRole('button', { name: 'Open a session' }).click();
      pages.push(await openPage(browser, address));
      for (const page of pages) await connectedTo(page, 1);
      await everybodyHears(pages, 'by server-sent events');
      assert.equal(network.upgrades(), 0);
      assertOnlyOwnTroubles(pages);
    });
  }
});
