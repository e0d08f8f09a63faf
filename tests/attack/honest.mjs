// Two pages of a real browser that talk on a space of their own, and newcomers, while a relay is
// attacked.

import { WebSocket } from 'ws';
import { deadline } from '../support/deadline.mjs';
import { openPage } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';

/* global SignalWasm -- of the pages */

/** From one message of a page to its next, in milliseconds. */
const PACE = 50;

/**
 * Opens the pair. Their connections go through proxies, and are cut now and then: what they miss
 * then, the relay has to have kept. An old page is beside them, which hears everything.
 */
export async function honestPair(browser, files, relay) {
  const ways = await Promise.all([proxy(() => relay.port), proxy(() => relay.port)]);
  const pages = await Promise.all(ways.map((way, index) => honestPage(browser, files, `${way.url}honest`, `page ${index}`)));
  const old = await oldPage(relay);
  let cuts = 0;
  return {
    /** How often the old page was disconnected. */
    disconnected: old.disconnected,
    /** Cuts the connection of one of the two, and keeps it away for a second. */
    cut() {
      const way = ways[cuts % 2];
      cuts += 1;
      way.cut();
      way.refuse(1000);
    },
    /** Talks so many milliseconds. Gives what was sent, lost, repeated and reordered, and how late it was. */
    async talk(milliseconds, every, act) {
      await Promise.all(pages.map((page) => page.evaluate((pace) => window.talk(pace), PACE)));
      const end = Date.now() + milliseconds;
      while (Date.now() < end) {
        await new Promise((done) => setTimeout(done, Math.min(every, Math.max(0, end - Date.now()))));
        if (Date.now() < end) act();
      }
      const sent = await Promise.all(pages.map((page) => page.evaluate(() => window.hush())));
      // All of it arrives, or else it is lost.
      await Promise.all(pages.map((page, index) => page.waitForFunction((count) => window.heard.length >= count, sent[1 - index], { timeout: deadline(30_000) }).catch(() => {})));
      return judge(sent, await Promise.all(pages.map((page) => page.evaluate(() => ({ heard: window.heard, errors: window.errors })))));
    },
    async close() {
      old.close();
      await Promise.all(pages.map((page) => page.context().close()));
      await Promise.all(ways.map((way) => way.close()));
    },
  };
}

async function honestPage(browser, files, url, name) {
  const page = await openPage(browser, `${files.origin}/test-pages/bare.html`);
  await page.addScriptTag({ url: '/signal-wasm/global.js' });
  await page.evaluate(
    async ([url, name]) => {
      window.heard = [];
      window.errors = [];
      const signaling = new SignalWasm.Signaling({ url, protocol: 'relay', reconnect: { base: 50, cap: 1000 }, onerror: ({ code }) => window.errors.push(code), ongap: () => window.errors.push('gap') });
      const opened = new Promise((done) => {
        window.handle = signaling.openSocket({ channel: 'main', openWhen: 'connected', onopen: done, onmessage: ({ from, n, at }) => from !== name && window.heard.push([n, Date.now() - at]) });
      });
      let timer;
      let last;
      window.talk = (pace) => {
        window.heard.length = 0;
        window.errors.length = 0;
        last = 0;
        timer = setInterval(() => window.handle.send({ from: name, n: (last += 1), at: Date.now() }), pace);
      };
      window.hush = () => (clearInterval(timer), last);
      await opened;
    },
    [url, name],
  );
  return page;
}

/** A client that knows nothing but WebSockets, and connects again whenever it is disconnected. */
async function oldPage(relay) {
  let disconnected = 0;
  let over = false;
  let socket;
  const connect = () =>
    new Promise((done) => {
      socket = new WebSocket(`ws://127.0.0.1:${relay.port}/honest`);
      socket.once('open', done);
      socket.on('message', () => {});
      socket.on('error', () => {});
      socket.once('close', () => {
        if (over) return;
        disconnected += 1;
        setTimeout(connect, 500);
      });
    });
  await connect();
  return { disconnected: () => disconnected, close: () => ((over = true), socket.terminate()) };
}

function judge(sent, results) {
  const late = [];
  const found = { sent: sent[0] + sent[1], lost: 0, repeated: 0, reordered: 0, errors: results.flatMap(({ errors }) => errors) };
  results.forEach(({ heard }, index) => {
    const numbers = heard.map(([n]) => n);
    const different = new Set(numbers);
    found.lost += sent[1 - index] - different.size;
    found.repeated += numbers.length - different.size;
    found.reordered += numbers.filter((n, place) => place > 0 && n < numbers[place - 1]).length;
    late.push(...heard.map(([, milliseconds]) => milliseconds));
  });
  late.sort((one, other) => one - other);
  return { ...found, median: late[Math.floor(late.length / 2)], worst: late.at(-1) };
}

/** Whether somebody new is let in: to a WebSocket, to a polling session, and to `/healthz`. */
export async function newcomer(relay) {
  const url = `ws://127.0.0.1:${relay.port}/honest`;
  const hello = new Promise((done, fail) => {
    const socket = new WebSocket(url, { handshakeTimeout: deadline(5000) });
    socket.once('message', () => (socket.terminate(), done()));
    socket.once('close', () => fail(new Error('closed before the hello')));
    socket.once('error', fail);
  });
  const request = async (path) => {
    const response = await fetch(`${relay.origin}${path}`, { signal: AbortSignal.timeout(deadline(5000)) });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return response.text();
  };
  const tried = await Promise.allSettled([hello, request('/socket.io/?EIO=4&transport=polling'), request('/healthz')]);
  return tried.filter(({ status }) => status === 'fulfilled').length === tried.length;
}
