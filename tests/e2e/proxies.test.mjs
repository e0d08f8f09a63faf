// Our relay behind nginx, HAProxy and Caddy, with the configurations that documentation shows: for a
// whole site, and under a path that the proxy keeps or removes.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { CLUSTER, fileName, FOLDER, IDLE, missingProxy, NAMES, PLACES, relayProxy } from '../support/proxies.mjs';
import { MOUNT_ARGS, relay, ROOT } from '../support/servers.mjs';

/* global socketIoBegan, talks, withLibrary, withOthers -- of the page */

const HOST = 'relay.example.test';
const PROTOCOLS = ['plain', 'socket-io', 'signalr', 'signalr-classic', 'sse'];
const MOUNTS = [...MOUNT_ARGS, ...Object.entries(TEST_MOUNTS).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`])];
/** Requests whose proxy is at 127.0.0.1, too. */
const ELSEWHERE = '127.0.0.9';

let browser;
before(async () => {
  browser = await launchChromium({ args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] });
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

/** A relay that doesn't know its own port at the site, and the proxy in front of it. */
async function site(t, name, place, { args = [], ping = '1s' } = {}) {
  const base = PLACES[place];
  const server = await relay({
    args: ['--base-path', base, '--host', HOST, '--trusted-proxy', '127.0.0.1', '--ping-interval', ping, '--log-format', 'json', ...MOUNTS, ...args],
  });
  t.after(() => server.kill());
  const proxy = await relayProxy(name, place, `127.0.0.1:${server.port}`);
  t.after(() => proxy.close());
  const host = `${HOST}:${proxy.port}`;
  return { server, proxy, host, origin: `http://${host}`, base };
}

/** A plain client of the site from a page of that origin; resolves to its socket or to the status. */
function connect({ proxy, host }, path, { origin, ...headers } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}${path}`, { localAddress: ELSEWHERE, headers: { ...headers, Host: host }, origin });
  socket.on('error', () => {});
  return new Promise((done) => {
    socket.once('open', () => done(socket)).once('unexpected-response', (_, { statusCode }) => (socket.terminate(), done(statusCode)));
  });
}

async function openProxied({ origin, base }) {
  const page = await openPage(browser, `${origin}${base}test-pages/proxied.html`);
  await page.waitForFunction(() => window.ready === true);
  return page;
}

/** Each says three things over each protocol; the other hears them in order. */
async function converse(pages, round) {
  const said = [1, 2, 3].map((number) => `${round} ${number}`);
  for (const page of pages) {
    await page.evaluate((said) => Object.values(talks).forEach(({ say }) => said.forEach((text) => say(text))), said);
  }
  for (const page of pages) {
    const all = (count) => Object.values(talks).every(({ heard }) => heard.length >= count);
    await page.waitForFunction(all, said.length).catch(() => {});
    const told = await page.evaluate(() => Object.entries(talks).map(([name, { heard, lost }]) => [name, heard.splice(0), lost]));
    assert.deepEqual(told, PROTOCOLS.map((name) => [name, said, []]));
  }
}

/** Waits until the relay has been silent but for its pings for longer than the proxy waits. */
async function beIdle(server) {
  const watcher = await rawClient(`${server.url}watcher`);
  watcher.send('{"open":["nothing"]}');
  await watcher.got(IDLE + 3, (frame) => frame.startsWith('{"ping"'));
  await watcher.close();
}

for (const name of NAMES) {
  describe(name, { concurrency: 5, skip: missingProxy(name) }, () => {
    for (const place of Object.keys(PLACES)) {
      test(`${place}: pages reach each other by every protocol, and still after an idle time`, TIMEOUT, async (t) => {
        const its = await site(t, name, place);
        const pages = await Promise.all([openProxied(its), openProxied(its)]);
        await pages[0].evaluate(() => withLibrary());
        await pages[1].evaluate(() => withOthers());
        for (const page of pages) await page.waitForFunction(() => Object.values(talks).every(({ isOpen }) => isOpen()));
        assert.equal(await pages[1].evaluate(() => socketIoBegan), 'polling');
        await converse(pages, 'before');
        await beIdle(its.server);
        await converse(pages, 'after');
        assertNoTroubles(pages);
        await Promise.all(pages.map((page) => page.context().close()));
      });

      test(`${place}: files, redirects and checks`, TIMEOUT, async (t) => {
        const its = await site(t, name, place, { args: ['--mount', `/redirected=${ROOT}`] });
        const { proxy, base } = its;
        const ask = (path, headers) => fetch(`${proxy.origin}${base}${path}`, { redirect: 'manual', headers });
        for (const check of ['healthz', 'readyz']) assert.equal((await ask(check)).status, 200);
        for (const [path, to] of [['redirected', 'redirected/'], ['redirected/tests?a=1', 'redirected/tests/?a=1']]) {
          const answer = await ask(path);
          assert.deepEqual([answer.status, answer.headers.get('location')], [307, `${base}${to}`]);
        }
        const compressed = async () => {
          const answer = await ask('signal-wasm/global.js', { 'accept-encoding': 'br' });
          return answer.headers.get('content-encoding') === 'br' && answer.text();
        };
        const plain = await ask('signal-wasm/global.js', { 'accept-encoding': 'identity' });
        assert.equal(await until(compressed), await plain.text());
        // The rest of the site is somebody else's.
        for (const path of base === '/' ? [] : ['/', '/signals/', '/other/signal/']) {
          assert.equal(typeof (await connect(its, path)), 'number', path);
        }
      });
    }

    test('the relay knows its clients’ addresses', TIMEOUT, async (t) => {
      const its = await site(t, name, 'prefix-kept');
      const socket = await connect(its, '/signal/addressed', { 'X-Forwarded-For': '203.0.113.7' });
      socket.close();
      const line = () => its.server.stderr().split('\n').find((line) => line.includes('"/addressed"') && line.includes('disconnected'));
      const { address } = JSON.parse(await until(line));
      assert.equal(address, ELSEWHERE);
    });

    test('only pages of the site may connect, and its port is part of it', TIMEOUT, async (t) => {
      const its = await site(t, name, 'prefix-kept');
      const socket = await connect(its, '/signal/', { origin: its.origin });
      socket.terminate();
      for (const origin of [`http://${HOST}`, `http://${HOST}:1`, `http://other.example.test:${its.proxy.port}`]) {
        assert.equal(await connect(its, '/signal/', { origin }), 403, origin);
      }
    });

    test('without pings, an idle connection is cut', TIMEOUT, async (t) => {
      const its = await site(t, name, 'prefix-kept', { ping: '1h' });
      const socket = await connect(its, '/signal/');
      await new Promise((done) => socket.once('close', done));
    });
  });
}

describe('haproxy’s check', { skip: missingProxy('haproxy') }, () => {
  test('finds out whether the relay takes connections', TIMEOUT, async (t) => {
    const { server, proxy } = await site(t, 'haproxy', 'prefix-kept');
    const state = async () => {
      const [names, ...lines] = (await proxy.ask('show stat')).replace(/^# /, '').split('\n');
      const line = lines.find((line) => line.startsWith('signal,relay,')).split(',');
      return Object.fromEntries(names.split(',').map((name, index) => [name, line[index]]));
    };
    // It takes a server for up until it has asked.
    const { status, check_code: code } = await until(async () => {
      const now = await state();
      return now.check_status === 'L7OK' && now;
    });
    assert.deepEqual([status, code], ['UP', '200']);
    await server.close();
    await until(async () => (await state()).status === 'DOWN');
    assert.equal((await fetch(`${proxy.origin}/signal/healthz`)).status, 503);
  });
});

describe('documentation', () => {
  test('shows the configurations that are tested, as they are', TIMEOUT, async () => {
    const tested = new Map();
    for (const name of NAMES) {
      for (const place of Object.keys(PLACES)) {
        const file = fileName(name, place);
        tested.set(file, await readFile(new URL(file, FOLDER), 'utf8'));
      }
    }
    tested.set(CLUSTER, await readFile(new URL(CLUSTER, FOLDER), 'utf8'));
    assert.deepEqual((await readdir(FOLDER)).sort(), [...tested.keys()].sort());
    const docs = (await readdir(ROOT)).includes('docs') ? (await readdir(join(ROOT, 'docs'))).map((file) => `docs/${file}`) : [];
    const shown = [];
    for (const file of ['relay/README.md', ...docs.filter((file) => file.endsWith('.md'))]) {
      const text = await readFile(join(ROOT, file), 'utf8');
      for (const [, block] of text.matchAll(/^```(?:nginx|haproxy|caddyfile)\n([^]*?)^```$/gm)) shown.push([file, block]);
    }
    for (const [file, block] of shown) assert.ok([...tested.values()].includes(block), `${file} shows what isn't tested:\n${block}`);
    assert.ok(shown.length >= NAMES.length, 'documentation shows one of each proxy');
  });
});
