// Through our relay, all reach all: each protocol as sender and each as receiver, pages
// of the seed and pages of signal-wasm.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, SERVERS } from '../support/pages.mjs';

/* global SignalWasm, connected, handle, heard, ours -- of the pages */

// What each participant sends. The corners are those of JSON inside JSON, and of frames that are
// cut or packed.
const VALUES = [
  { type: 'offer', sdp: 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n' },
  'a string',
  null,
  [1, [2, { deep: [null, true, 1.5e300] }]],
  { sender: 1, channel: 'decoy', message: 'decoy', H: 'x', type: 7 },
  { 'quo"te': '\\ \b\f\n\r\t \u0001 \\u001e', slash: '</script>', end: '\u001e' },
  { accents: 'Grüße, 日本語, 🦀', separators: '\u2028\u2029' },
  '42["message",{}]',
  'é\u{1f600}'.repeat(3_000),
  'last',
];

/**
 * Old pages: where each is, given the address of the signaling. The classic one has its server's
 * address in it, which is that of the space `/`.
 */
const OLD = {
  'seed, Socket.IO 4': (server) => `seed-socketio-4.html?server=${encodeURIComponent(server)}`,
  'seed, Socket.IO 2': (server) => `seed-socketio-2.html?server=${encodeURIComponent(server)}`,
  'seed, WebSocket': (server) => `seed-websocket.html?server=${encodeURIComponent(server)}`,
  'seed, SignalR Core': (server) => `seed-signalr-core.html?server=${encodeURIComponent(`${server.replace(/\/$/, '')}/hub`)}`,
  'seed, SignalR 2': (server) => (new URL(server).pathname === '/' ? 'seed-signalr-classic.html?' : undefined),
};

/** signal-wasm: the options of each, given the origin and the space. */
const OURS = {
  'ours, websocket': (origin, space) => ({ url: origin + space, protocol: 'websocket' }),
  'ours, socket.io': (origin, space) => ({ url: origin, protocol: 'socket.io', namespace: space }),
  'ours, signalr': (origin, space) => ({ url: `${origin}${space.replace(/\/$/, '')}/hub`, protocol: 'signalr' }),
  'ours, signalr without negotiation': (origin, space) => ({ url: `${origin}${space.replace(/\/$/, '')}/hub`, protocol: 'signalr', skipNegotiation: true }),
  'ours, signalr-classic': (origin, space) => ({ url: `${origin}${space.replace(/\/$/, '')}/signalr`, protocol: 'signalr-classic' }),
  'ours, sse': (origin, space) => ({ url: `${origin}${space.replace(/\/$/, '')}/sse`, protocol: 'sse' }),
};

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchBrowser(), SERVERS['our relay']()]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await server?.close();
}, TIMEOUT);

/**
 * Opens every participant of a space on channel `main`: `{ name: { page, send(values), heard() }
 * }`.
 */
async function gather(space) {
  const everyone = {};
  await Promise.all(
    Object.entries(OLD).map(async ([name, address]) => {
      const where = address(server.origin + space);
      if (!where) return;
      const page = await openPage(browser, `${server.origin}/test-pages/${where}`);
      await page.waitForFunction(() => connected());
      everyone[name] = {
        page,
        send: (values) => page.evaluate((values) => values.forEach((value) => handle.send(value)), values),
        heard: () => page.evaluate(() => heard),
      };
    }),
  );
  const page = await openPage(browser, `${server.origin}/test-pages/bare.html`);
  await page.addScriptTag({ url: '/signal-wasm/global.js' });
  for (const [name, options] of Object.entries(OURS)) {
    await page.evaluate(
      ([name, options]) => {
        window.ours ??= {};
        const one = { heard: [], errors: [] };
        one.signaling = new SignalWasm.Signaling({ ...options, onerror: (error) => one.errors.push(String(error)) });
        one.handle = one.signaling.openSocket({ channel: 'main', onmessage: (message) => one.heard.push(message) });
        ours[name] = one;
      },
      [name, options(server.origin, space)],
    );
    await page.waitForFunction((name) => ours[name].signaling.state === 'open', name);
    everyone[name] = {
      page,
      send: (values) => page.evaluate(([name, values]) => values.forEach((value) => ours[name].handle.send(value)), [name, values]),
      heard: () => page.evaluate((name) => ours[name].heard, name),
      errors: () => page.evaluate((name) => ours[name].errors, name),
    };
  }
  return everyone;
}

/** Waits until a participant has heard `count` messages. */
async function hears(one, count) {
  let heard = [];
  const enough = async () => {
    heard = await one.heard();
    return heard.length >= count;
  };
  // If too few come, the comparison shows which.
  await until(enough).catch(() => {});
  return heard;
}

async function disband(everyone) {
  await Promise.all([...new Set(Object.values(everyone).map(({ page }) => page))].map((page) => page.context().close()));
}

for (const space of ['/', '/my-room']) {
  describe(`in the space ${space}`, () => {
    let everyone;
    before(async () => {
      everyone = await gather(space);
    }, TIMEOUT);
    after(() => everyone && disband(everyone), TIMEOUT);

    test('all are here', () => {
      const names = [...Object.keys(OURS), ...Object.keys(OLD).filter((name) => space === '/' || name !== 'seed, SignalR 2')];
      assert.deepEqual(Object.keys(everyone).sort(), names.sort());
    });

    // One after the other, so that a failure names its pairs; then all at once.
    for (const from of [...Object.keys(OLD), ...Object.keys(OURS)]) {
      if (space !== '/' && from === 'seed, SignalR 2') continue;
      test(`${from}: all others hear it, every value, in order, and it doesn’t hear itself`, TIMEOUT, async () => {
        const before = Object.fromEntries(await Promise.all(Object.entries(everyone).map(async ([name, one]) => [name, (await one.heard()).length])));
        const sent = VALUES.map((value, number) => ({ from, number, value }));
        await everyone[from].send(sent);
        const wrong = {};
        for (const [to, one] of Object.entries(everyone)) {
          if (to === from) continue;
          const heard = (await hears(one, before[to] + sent.length)).slice(before[to]);
          if (JSON.stringify(heard) !== JSON.stringify(sent)) wrong[to] = `${heard.length} of ${sent.length}, ${JSON.stringify(heard.map((message) => message?.number ?? message)).slice(0, 200)}`;
        }
        assert.deepEqual(wrong, {});
        // Everyone has received the last message, and an echo to the sender would have gone on
        // its way before.
        assert.equal((await everyone[from].heard()).length, before[from], 'it heard itself');
      });
    }

    test('all at once: each hears each other’s messages in the order they were sent', TIMEOUT, async () => {
      const names = Object.keys(everyone);
      const before = Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await everyone[name].heard()).length])));
      const count = 40;
      await Promise.all(names.map((from) => everyone[from].send(Array.from({ length: count }, (_, number) => ({ from, number, all: true })))));
      for (const to of names) {
        const heard = (await hears(everyone[to], before[to] + count * (names.length - 1))).slice(before[to]);
        for (const from of names) {
          const numbers = heard.filter((message) => message.from === from).map(({ number }) => number);
          assert.deepEqual(numbers, from === to ? [] : Array.from({ length: count }, (_, number) => number), `${from} → ${to}`);
        }
      }
    });

    test('nothing went wrong on the way', async () => {
      for (const one of Object.values(everyone)) if (one.errors) assert.deepEqual(await one.errors(), []);
      assertNoTroubles(new Set(Object.values(everyone).map(({ page }) => page)));
    });
  });
}

test('two spaces are two worlds, whatever the protocol', TIMEOUT, async () => {
  const [here, there] = [await gather('/here'), await gather('/there')];
  const names = Object.keys(here);
  for (const from of names) await here[from].send([{ from, where: 'here' }]);
  for (const from of names) await there[from].send([{ from, where: 'there' }]);
  for (const [where, people] of Object.entries({ here, there })) {
    for (const to of names) {
      const heard = await hears(people[to], names.length - 1);
      assert.deepEqual(heard.map((message) => `${message.where}: ${message.from}`).sort(), names.filter((from) => from !== to).map((from) => `${where}: ${from}`).sort(), to);
    }
  }
  await Promise.all([disband(here), disband(there)]);
});
