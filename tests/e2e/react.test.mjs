// `signal-wasm/react` in pages of React 18 and 19 in development, with StrictMode and Fast Refresh:
// pages talk, and nothing is left of what is gone.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { createElement, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { useChannel, useRoom, useSignaling } from 'signal-wasm/react';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { assertNoTroubles, openPage } from '../support/pages.mjs';
import { relay, ROOT, seedServer } from '../support/servers.mjs';

/* global refresh, render, say, told, unmount, view -- of the pages */

const SERVERS = { 'our relay': relay, 'a plain WebSocket server': seedServer };
const VERSIONS = {
  18: { react: 'react-18', 'react-dom': 'react-dom-18' },
  19: {},
};

let browser;
before(async () => {
  browser = await launchBrowser();
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

const opened = [];
afterEach(() => Promise.all(opened.splice(0).map(({ close }) => close())), TIMEOUT);

for (const [major, alias] of Object.entries(VERSIONS)) {
  describe(`React ${major}`, () => {
    let files;
    before(async () => {
      const script = await bundle(alias);
      files = await serveFiles({ '/': (path) => (path === 'page.js' ? { type: 'text/javascript', body: script } : PAGE) });
    }, TIMEOUT);
    after(() => files?.close(), TIMEOUT);

    /** A page, with the WebSockets that it has made. */
    async function open() {
      const page = await openPage(browser, 'about:blank', { prepare: countListeners });
      opened.push({ close: () => page.context().close() });
      page.sockets = 0;
      page.on('websocket', () => (page.sockets += 1));
      await page.goto(`${files.origin}/`);
      await page.waitForFunction(() => window.ready);
      assert.match(await page.evaluate(() => window.version), new RegExp(`^${major}\\.`));
      return page;
    }
    async function start(kind = seedServer) {
      const server = await kind();
      opened.push(server);
      return server;
    }

    for (const [name, kind] of Object.entries(SERVERS)) {
      test(`two pages talk by useChannel and useRoom on ${name}, each with one connection`, TIMEOUT, async () => {
        const server = await start(kind);
        const pages = [await open(), await open()];
        const [ann, bob] = pages;
        const props = (named) => ({ options: { url: server.url }, chats: [{ channel: 'chat', label: 'one' }], lobby: { name: 'lobby', data: { name: named } } });
        await ann.evaluate((props) => render(props), props('Ann'));
        await bob.evaluate((props) => render(props), props('Bob'));
        await showsPeers(ann, ['Bob']);
        await showsPeers(bob, ['Ann']);

        await ann.evaluate(() => say('hello'));
        await isTold(bob, ['channel', 'one', 'hello', 0]);
        await bob.evaluate(() => view.send({ text: 'to all' }));
        await isTold(ann, ['room', 'Bob', { text: 'to all' }, 0]);
        await ann.evaluate(() => view.peers[0].send('to one'));
        await isTold(bob, ['room', 'Ann', 'to one', 0]);

        // Options, data and handlers are new in each rendering.
        for (let round = 1; round <= 20; round += 1) await ann.evaluate((props) => render(props), { ...props('Ann'), round });
        await ann.waitForFunction(() => document.querySelector('ul').title === 'round 20');
        await bob.evaluate(() => say('later'));
        await isTold(ann, ['channel', 'one', 'later', 20]);

        const before = await bob.evaluateHandle(() => view.peers[0]);
        await ann.evaluate((props) => render(props), props('Anna'));
        await showsPeers(bob, ['Anna']);
        assert.ok(await bob.evaluate((before) => before.data.name === 'Ann' && view.peers[0].id === before.id, before), 'a peer that React has seen was changed');
        assert.equal(await ann.evaluate(() => view.self.data.name), 'Anna');

        await ann.evaluate(() => unmount());
        await showsPeers(bob, []);
        assert.deepEqual(pages.map(({ sockets }) => sockets), [1, 1]);
        assertNoTroubles(pages);
      });
    }

    test('what a component sends while it mounts arrives', TIMEOUT, async () => {
      const server = await start();
      const [ann, bob] = [await open(), await open()];
      const options = { url: server.url };
      await bob.evaluate((props) => render(props), { options, chats: [{ channel: 'chat', label: 'one' }] });
      await until(() => server.connections() === 1);
      await ann.evaluate((props) => render(props), { options, chats: [{ channel: 'chat', label: 'one', first: 'at once' }] });
      await isTold(bob, ['channel', 'one', 'at once', 0]);
      assertNoTroubles([ann, bob]);
    });

    test('components share a channel, and those that stay go on receiving', TIMEOUT, async () => {
      const server = await start();
      const [ann, bob] = [await open(), await open()];
      const options = { url: server.url };
      const chats = ['one', 'two', 'three'].map((label) => ({ channel: 'chat', label }));
      const count = (message) => ann.evaluate((message) => told.filter((what) => what[2] === message).map((what) => what[1]).sort(), message);
      await ann.evaluate((props) => render(props), { options, chats });
      await bob.evaluate((props) => render(props), { options, chats: [chats[0], { channel: 'end', label: 'end' }] });
      await until(() => server.connections() === 2);
      await bob.evaluate((props) => render(props), { options, chats: [chats[0]] });
      await bob.waitForFunction(() => window.signaling.stats().channels === 1);
      await bob.evaluate(() => say('first'));
      await isTold(ann, ['channel', 'three', 'first', 0]);
      assert.deepEqual(await count('first'), ['one', 'three', 'two']);

      // The last that opened it goes, and the first.
      await ann.evaluate((props) => render(props), { options, chats: [chats[1]] });
      await ann.waitForFunction(() => window.signaling.stats().channels === 1);
      await bob.evaluate(() => say('second'));
      await isTold(ann, ['channel', 'two', 'second', 0]);
      assert.deepEqual(await count('second'), ['two']);
      assertNoTroubles([ann, bob]);
    });

    test('mounting and unmounting leaves no connection, no member of the room and no listener', TIMEOUT, async () => {
      const server = await start();
      const [ann, bob] = [await open(), await open()];
      const options = { url: server.url };
      const lobby = (name) => ({ name: 'lobby', data: { name } });
      await bob.evaluate((props) => render(props), { options, lobby: lobby('Bob') });
      await until(() => server.connections() === 1);

      let listeners;
      for (let round = 0; round < 25; round += 1) {
        await ann.evaluate((props) => render(props), { options, chats: [{ channel: 'chat', label: 'one' }], lobby: lobby(`Ann ${round}`) });
        // Some are gone before they are connected.
        if (round % 5 === 0) await showsPeers(bob, [`Ann ${round}`]);
        await ann.evaluate(() => unmount());
        await until(() => server.connections() === 1);
        await showsPeers(bob, []);
        if (round === 0) listeners = await ann.evaluate(() => window.listeners());
      }
      assert.equal(await ann.evaluate(() => window.listeners()), listeners);
      assert.ok(ann.sockets <= 25, `${ann.sockets} WebSockets for 25 times`);
      assert.equal(bob.sockets, 1);
      assertNoTroubles([ann, bob], [/WebSocket is closed before the connection is established/]);
    });

    test('other options connect again, others of the component don’t, and a wrong one is thrown', TIMEOUT, async () => {
      const [first, second] = [await start(), await start()];
      const page = await open();
      const chats = [{ channel: 'chat', label: 'one' }];
      const show = (options, round) => page.evaluate((props) => render(props), { options, chats, round });
      await show({ url: first.url, reconnect: { base: 100, cap: 200 } }, 0);
      await until(() => first.connections() === 1);
      // In another order, and with what doesn't count.
      await show({ reconnect: { cap: 200, base: 100, attempts: undefined }, url: first.url }, 1);
      await page.waitForFunction(() => document.querySelector('ul').title === 'round 1');
      await show({ url: second.url }, 2);
      await until(() => second.connections() === 1 && first.connections() === 0);
      await isTold(page, ['state', 'open', 2]);
      assert.equal(page.sockets, 2);
      assertNoTroubles([page]);

      await show({ url: second.url, protocol: 'carrier pigeon' }, 3);
      await until(() => second.connections() === 0);
      await until(() => page.troubles.some((trouble) => trouble.includes('carrier pigeon')));
    });

    test('another key, another name, another password: the page is in one room only', TIMEOUT, async () => {
      const server = await start();
      const [ann, bob, cal] = [await open(), await open(), await open()];
      const show = (page, named, lobby, key = 'app') => page.evaluate((props) => render(props), { key, options: { url: server.url }, lobby: { name: 'lobby', data: { name: named }, ...lobby } });
      await show(ann, 'Ann');
      await show(bob, 'Bob');
      await show(cal, 'Cal', { name: 'other' });
      await showsPeers(ann, ['Bob']);
      await show(ann, 'Ann', {}, 'again');
      await showsPeers(ann, ['Bob']);
      await showsPeers(bob, ['Ann']);
      await until(() => server.connections() === 3);
      await show(ann, 'Ann', { name: 'other' });
      await showsPeers(cal, ['Ann']);
      await showsPeers(bob, []);

      await show(ann, 'Ann', { name: 'other', password: 'secret' });
      await cal.waitForFunction(() => view.error?.code === 'wrong-password');
      await showsPeers(cal, []);
      await show(cal, 'Cal', { name: 'other', password: 'secret' });
      await showsPeers(cal, ['Ann']);
      assert.equal(await cal.evaluate(() => view.error), undefined);
      await ann.evaluate(() => window.signaling.close());
      await ann.waitForFunction(() => view.state === 'closed' && view.peers.length === 0);
      assertNoTroubles([ann, bob, cal]);
    });

    test('Fast Refresh keeps the connection and the room, or makes them again if state is lost', TIMEOUT, async () => {
      const server = await start();
      const [ann, bob] = [await open(), await open()];
      const props = (named) => ({ options: { url: server.url }, chats: [{ channel: 'chat', label: 'one' }], lobby: { name: 'lobby', data: { name: named } } });
      await ann.evaluate((props) => render(props), props('Ann'));
      await bob.evaluate((props) => render(props), props('Bob'));
      await showsPeers(bob, ['Ann']);
      const id = () => bob.evaluate(() => view.peers[0].id);
      const before = await id();
      for (let saved = 0; saved < 5; saved += 1) await ann.evaluate(() => refresh('first'));
      await ann.evaluate(() => view.send('still here'));
      await isTold(bob, ['room', 'Ann', 'still here', 0]);
      await bob.evaluate(() => say('hello'));
      await isTold(ann, ['channel', 'one', 'hello', 0]);
      assert.equal(await id(), before);
      assert.equal(ann.sockets, 1);

      await ann.evaluate(() => refresh('second'));
      await bob.waitForFunction((before) => view.peers.length === 1 && view.peers[0].id !== before, before);
      await until(() => server.connections() === 2);
      assert.equal(ann.sockets, 2);
      assertNoTroubles([ann, bob]);
    });
  });
}

test('a server renders the hooks, which connect nowhere there', TIMEOUT, async () => {
  const server = await seedServer();
  opened.push(server);
  function App() {
    const signaling = useSignaling({ url: server.url });
    useChannel(signaling, 'chat', () => {});
    const { state, peers } = useRoom(signaling, 'lobby', { data: { name: 'Ann' } });
    return createElement('p', null, `${signaling} ${state} ${peers.length}`);
  }
  assert.equal(renderToString(createElement(StrictMode, null, createElement(App))), '<p>undefined joining 0</p>');
  assert.equal(server.connections(), 0);
});

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>React</title><link rel="icon" href="data:,">
<body><script type="module" src="page.js"></script></html>
`;

/** The page of tests/e2e/pages/react.js, in development. */
async function bundle(alias) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, 'tests/e2e/pages/react.js')],
    bundle: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"development"' },
    alias,
    write: false,
    logLevel: 'warning',
  });
  return Buffer.from(outputFiles[0].contents);
}

/** Runs in the page before all: `listeners()` tells how many there are on window and document. */
function countListeners() {
  const present = new Set();
  const keyOf = (target, name, listener) => {
    listener.number ??= countListeners.last = (countListeners.last ?? 0) + 1;
    return `${target === window ? 'window' : 'document'} ${name} ${listener.number}`;
  };
  countListeners.last = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const isCounted = (target, listener) => (target === window || target === document) && listener;
  EventTarget.prototype.addEventListener = function (name, listener, options) {
    if (isCounted(this, listener)) present.add(keyOf(this, name, listener));
    return addEventListener.call(this, name, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (name, listener, options) {
    if (isCounted(this, listener)) present.delete(keyOf(this, name, listener));
    return removeEventListener.call(this, name, listener, options);
  };
  window.listeners = () => present.size;
}

const showsPeers = (page, names) => page.waitForFunction((names) => JSON.stringify(window.view?.peers.map(({ data }) => data.name)) === JSON.stringify(names) && JSON.stringify([...document.querySelectorAll('li')].map((item) => item.textContent)) === JSON.stringify(names), names);
const isTold = (page, wanted) => page.waitForFunction((wanted) => told.some((what) => JSON.stringify(what) === JSON.stringify(wanted)), wanted);
