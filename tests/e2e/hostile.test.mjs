// Frames that no server would send, made of those that servers did send: whatever comes, a page
// goes on, and reports at most a bad frame.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import process from 'node:process';
import { classicSignalRServer } from '../support/classic-signalr-server.mjs';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { openPage, TEST_MOUNTS } from '../support/pages.mjs';
import { MOUNTS } from '../support/servers.mjs';
import { signalRServer } from '../support/signalr-server.mjs';
import { sseServer } from '../support/sse-server.mjs';
import { engineOpen, talker } from '../support/talker.mjs';

/* global SignalWasm, errors, handle, heard, make, signaling -- of the pages */

const FOLDER = new URL('../transcripts/', import.meta.url);
const TRANSCRIPTS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')));

/** Text frames that servers of a protocol sent. */
function said(protocol) {
  const texts = TRANSCRIPTS.filter((transcript) => transcript.protocol === protocol).flatMap(({ frames }) => frames.filter(({ from, text }) => from === 'server' && text !== undefined).map(({ text }) => text));
  assert.ok(texts.length > 10, `there are no transcripts of ${protocol}`);
  return [...new Set(texts)];
}

/** What failed fails again with its seed: HOSTILE_SEED=… */
const SEED = Number(process.env.HOSTILE_SEED ?? 20261122);

function dice(seed) {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** What a page may hear of a server that says such things: a record that ends the connection blames
 * the message in flight. */
const FITTING = ['bad-frame', 'connection-failed', 'authentication-refused', 'message-refused', 'message-given-up'];

const PIECES = ['{', '}', '[', ']', '"', '\\', ',', ':', '\x1e', '0', '4', '42', '43', '45', '1e999', '-', 'null', 'true', '\\u0000', '\\ud800', '\u2028', 'é', '🦀', '/', '{}', '[]', '""', '"M":', '"type":1', '"A":[', '__proto__'];

/** Cuts, doubles, swaps and sprinkles. */
function spoil(text, roll) {
  let spoilt = [...text];
  for (let times = 1 + roll(3); times > 0; times -= 1) {
    const at = roll(spoilt.length + 1);
    const to = at + roll(spoilt.length - at + 1);
    const piece = PIECES[roll(PIECES.length)];
    switch (roll(6)) {
      case 0:
        spoilt = spoilt.slice(0, at);
        break;
      case 1:
        spoilt.splice(at, 1, piece);
        break;
      case 2:
        spoilt.splice(at, 0, piece);
        break;
      case 3:
        spoilt.splice(at, to - at);
        break;
      case 4:
        spoilt.splice(to, 0, ...spoilt.slice(at, Math.min(to, at + 40)));
        break;
      default:
        spoilt = spoilt.slice(at).concat(spoilt.slice(0, at));
    }
  }
  return spoilt.join('');
}

const ENVELOPE = '{"sender":5,"channel":"main","message":"still here"}';
const PROTOCOLS = {
  websocket: { start: () => talker(), last: (server) => server.raw(ENVELOPE), texts: () => [ENVELOPE, ...said('socket.io'), ...said('signalr')] },
  'socket.io': { start: () => talker({ greeting: [engineOpen()], replies: [[/^40/, '40{"sid":"b"}']] }), last: (server) => server.raw(`42["message",${ENVELOPE}]`), texts: () => said('socket.io') },
  signalr: { start: () => signalRServer(), last: (server) => server.call('onMessageReceived', ENVELOPE), texts: () => said('signalr'), end: '\x1e' },
  'signalr-classic': { start: () => classicSignalRServer(), last: (server) => server.call('onMessageReceived', ENVELOPE), texts: () => said('signalr-classic') },
  sse: { start: () => sseServer(), last: (server) => server.raw(`\n\ndata: ${ENVELOPE}\n\n`), texts: () => [ENVELOPE, ...said('socket.io')].map((text) => `id: 1\nevent: message\ndata: ${text}\n`), end: '\n\n' },
};

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([launchBrowser(), serveFiles({ ...MOUNTS, ...TEST_MOUNTS })]);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  await files?.close();
}, TIMEOUT);

describe('spoilt frames', () => {
  for (const [protocol, { start, last, texts, end = '' }] of Object.entries(PROTOCOLS)) {
    test(protocol, TIMEOUT, async (t) => {
      const server = await start();
      // A server left behind by a failure would keep the whole file from ending.
      t.after(() => server.close(), TIMEOUT);
      const page = await openPage(browser, `${files.origin}/test-pages/bare.html`);
      t.after(() => page.context().close(), TIMEOUT);
      await page.addScriptTag({ url: '/signal-wasm/global.js' });
      await page.evaluate(
        ([url, protocol]) => {
          window.heard = [];
          window.errors = [];
          window.make = () => {
            window.signaling = new SignalWasm.Signaling({ url, protocol, reconnect: { base: 10, cap: 20 }, onerror: ({ code, message }) => errors.push(`${code}: ${message}`) });
            window.handle = signaling.openSocket({ channel: 'main', onmessage: (message) => heard.push(message) });
          };
          make();
        },
        [server.url, protocol],
      );
      // Some frames end a connection, and some for good; then a new one goes on.
      const open = () =>
        page.waitForFunction(() => {
          if (signaling.state === 'closed') make();
          return signaling.state === 'open';
        });
      await open();
      const originals = texts();
      t.diagnostic(`seed ${SEED}`);
      const roll = dice(SEED);
      for (let round = 0; round < 60; round += 1) {
        const before = await page.evaluate(() => signaling.stats());
        for (let count = 0; count < 100; count += 1) server.raw(spoilt(originals, roll) + (roll(4) ? end : ''));
        if (end) server.raw(end);
        // The page may have lost its connection by them and be open again before it is first asked.
        await page.waitForFunction(({ received, connects }) => {
          const now = signaling.stats();
          return now.received > received || now.connects > connects || signaling.state !== 'open';
        }, before);
        await page.evaluate(() => {
          for (let count = 0; count < 3; count += 1) if (signaling.state !== 'closed') handle.send({ count });
        });
        await open();
      }
      await page.evaluate(() => void heard.splice(0));
      await until(async () => {
        await open();
        last(server);
        return page.evaluate(() => heard.includes('still here'));
      });
      const panics = page.troubles.filter((trouble) => /unreachable|RuntimeError|memory access|recursive|already borrowed|null pointer/i.test(trouble));
      assert.deepEqual(panics, []);
      assert.deepEqual(page.troubles.filter((trouble) => trouble.startsWith('uncaught')), []);
      const unfitting = await page.evaluate((fitting) => errors.filter((error) => !fitting.includes(error.split(':', 1)[0])), FITTING);
      assert.deepEqual(unfitting, []);
    });
  }
});

function spoilt(originals, roll) {
  return spoil(originals[roll(originals.length)], roll);
}
