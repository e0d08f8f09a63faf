// Pages whose library names no channel for the room itself, as RTCMultiConnection 1.0: the shim's
// envelopes have no channel then. Pages of the seed and pages of signal-wasm meet on every kind of
// server, and by every protocol through our relay.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, SERVERS } from '../support/pages.mjs';
import {
  classicSignalRServer,
  files,
  seedServer,
  setUp,
  signalRServer,
  socketIoServer,
  sseServer,
  tearDown,
} from '../support/protocol-pages.mjs';

/* global SignalWasm, connected, handle, heard, signaling -- of the pages */

let browser;
let relay;
before(async () => {
  [browser, relay] = await Promise.all([launchChromium(), SERVERS['our relay'](), setUp()]);
}, TIMEOUT);
after(async () => {
  await Promise.all([browser?.close(), relay?.close(), tearDown()]);
}, TIMEOUT);

/** A page of the seed whose connection has no channel. */
async function old(name, server, origin) {
  const page = await openPage(
    browser,
    `${origin}/test-pages/${name}.html?server=${encodeURIComponent(server)}#none`,
  );
  await page.waitForFunction(() => connected());
  return page;
}

/** A page of signal-wasm whose connection has none either. */
async function ours(options, origin) {
  const page = await openPage(browser, `${origin}/test-pages/bare.html`);
  await page.addScriptTag({ url: '/signal-wasm/global.js' });
  await page.evaluate((options) => {
    window.heard = [];
    window.signaling = new SignalWasm.Signaling(options);
    const connection = signaling.attach({});
    window.handle = connection.openSignalingChannel({ onmessage: (message) => heard.push(message) });
  }, options);
  await page.waitForFunction(() => signaling.state === 'open');
  return page;
}

/**
 * Each says its name, one after the other, and each hears all others. (The seed's page for SignalR
 * has no sender, so it hears itself, too. That for WebSockets takes the relay's hello for a message
 * without a channel, which is `undefined`.)
 */
async function meet(pages) {
  const names = Object.keys(pages);
  for (const name of names) {
    await pages[name].evaluate((name) => handle.send({ from: name }), name);
    for (const other of names) {
      if (other === name) continue;
      await pages[other]
        .waitForFunction((name) => heard.some((message) => message?.from === name), name)
        .catch(async (error) => {
          const heard = await pages[other].evaluate(() => JSON.stringify(window.heard));
          throw new Error(`${other} didn't hear ${name}, but ${heard}`, { cause: error });
        });
    }
  }
  for (const name of names) {
    const heard = await pages[name].evaluate(() => window.heard.map((message) => message?.from));
    const isSeed = name.startsWith('seed');
    assert.deepEqual(
      heard.filter((from) => from !== name && !(isSeed && from === undefined)),
      names.filter((other) => other !== name),
      name,
    );
  }
  assertNoTroubles(Object.values(pages));
  for (const page of Object.values(pages)) await page.context().close();
}

describe('on a server of each kind', { concurrency: 2 }, () => {
  test('plain WebSockets', TIMEOUT, async () => {
    const { url } = await seedServer();
    await meet({
      'seed': await old('seed-websocket', url, files.origin),
      'auto': await ours({ url }, files.origin),
      'websocket': await ours({ url, protocol: 'websocket' }, files.origin),
    });
  });

  test('Socket.IO', TIMEOUT, async () => {
    const { url } = await socketIoServer();
    await meet({
      seed: await old('seed-socketio-4', url, files.origin),
      ours: await ours({ url, protocol: 'socket.io' }, files.origin),
    });
  });

  test('SignalR of ASP.NET Core', TIMEOUT, async () => {
    const { url } = await signalRServer();
    await meet({
      seed: await old('seed-signalr-core', url, files.origin),
      ours: await ours({ url, protocol: 'signalr' }, files.origin),
    });
  });

  test('SignalR of ASP.NET', TIMEOUT, async () => {
    const server = await classicSignalRServer({ files: { '/signal-wasm': 'dist' } });
    await meet({
      one: await ours({ url: server.url, protocol: 'signalr-classic' }, files.origin),
      other: await ours({ url: server.url, protocol: 'signalr-classic' }, files.origin),
    });
  });

  test('server-sent events', TIMEOUT, async () => {
    const { url } = await sseServer();
    await meet({
      one: await ours({ url, protocol: 'sse' }, files.origin),
      other: await ours({ url, protocol: 'sse' }, files.origin),
    });
  });
});

test('through our relay, by every protocol', TIMEOUT, async () => {
  const { origin } = relay;
  const space = `${origin}/`;
  await meet({
    'seed, WebSocket': await old('seed-websocket', space, origin),
    'seed, Socket.IO 4': await old('seed-socketio-4', space, origin),
    'seed, Socket.IO 2': await old('seed-socketio-2', space, origin),
    'seed, SignalR': await old('seed-signalr-core', `${origin}/hub`, origin),
    'seed, SignalR 2': await old('seed-signalr-classic', space, origin),
    'ours': await ours({ url: space }, origin),
    'ours, relay': await ours({ url: space, protocol: 'relay' }, origin),
    'ours, websocket': await ours({ url: space, protocol: 'websocket' }, origin),
    'ours, socket.io': await ours({ url: space, protocol: 'socket.io' }, origin),
    'ours, signalr': await ours({ url: `${origin}/hub`, protocol: 'signalr' }, origin),
    'ours, signalr-classic': await ours({ url: `${origin}/signalr`, protocol: 'signalr-classic' }, origin),
    'ours, sse': await ours({ url: `${origin}/sse`, protocol: 'sse' }, origin),
  });
});
