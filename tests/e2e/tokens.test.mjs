// Pages on a relay that asks for tokens: every protocol shows its token, a short-lived one is
// renewed without a loss, and nobody reads a token in an error or a log.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deadline, TIMEOUT } from '../support/deadline.mjs';
import { firstError, hears, join, leave, leaveFailing, send, setUp, start, tearDown } from '../support/protocol-pages.mjs';
import { relay } from '../support/servers.mjs';

/* global asked, errors, heard, signaling, states -- of the pages */

const SECRET = '0123456789abcdef0123456789abcdef';

/** The path on our relay. */
const PROTOCOLS = {
  'auto': '/',
  'relay': '/',
  'websocket': '/',
  'socket.io': '/',
  'signalr': '/hub',
  'signalr-classic': '/signalr',
  'sse': '/sse',
};

let folder;
let server;
before(async () => {
  folder = await mkdtemp(path(tmpdir(), 'tokens-'));
  const file = path(folder, 'secret');
  await writeFile(file, SECRET);
  const args = ['--auth', 'jwt', '--auth-key', file, '--log', 'debug'];
  [server] = await Promise.all([relay({ args }), setUp()]);
}, TIMEOUT);
after(async () => {
  await Promise.all([tearDown(), server?.close()]);
  await rm(folder, { recursive: true, force: true });
}, TIMEOUT);

/** A token that is good for so many milliseconds. */
function mint(sub, lifetime = 3_600_000, secret = SECRET) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub, exp: (Date.now() + lifetime) / 1000, spaces: ['/'] };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const options = (protocol) => ({ url: server.origin + PROTOCOLS[protocol], protocol });

/** Lets a page call `mint`, with tokens of that lifetime. */
let minters = 0;
async function minting(page, user, lifetime) {
  const name = `mint${minters++}`;
  await page.exposeFunction(name, () => mint(user, lifetime));
  return `() => (asked++, ${name}())`;
}

describe('on each protocol', { concurrency: 3 }, () => {
  for (const protocol of Object.keys(PROTOCOLS)) {
    test(`${protocol}: a token lets the page in`, TIMEOUT, async () => {
      const [ours, other] = await Promise.all([
        join({ ...options(protocol), accessToken: mint('alice') }),
        join({ ...options('relay'), accessToken: mint('bob') }),
      ]);
      for (const [from, to] of [
        [ours, other],
        [other, ours],
      ]) {
        // Other tests of this file are in the same space.
        const text = JSON.stringify(`${protocol} ${Math.random()}`);
        await send(from, [text]);
        await to.waitForFunction((text) => heard.some((message) => JSON.stringify(message) === text), text);
      }
      await leave(ours, other);
    });

    for (const [what, token] of [
      ['forged', () => mint('alice', undefined, 'another secret of thirty-two bytes')],
      ['expired', () => mint('alice', -1000)],
    ]) {
      test(`${protocol}: a token that is ${what} is refused for good`, TIMEOUT, async () => {
        const accessToken = token();
        const ours = await join({ ...options(protocol), accessToken }, { wait: false });
        const { code, message } = await firstError(ours);
        assert.equal(code, 'authentication-refused', message);
        assert.equal(await ours.evaluate(() => signaling.state), 'closed');
        const told = JSON.stringify(await ours.evaluate(() => [errors, states]));
        assert.ok(!told.includes(accessToken.split('.')[2]), told);
        await leaveFailing(ours);
      });
    }
  }
});

test('a short-lived token is renewed in place', TIMEOUT, async () => {
  const other = await join({ ...options('relay'), accessToken: mint('bob') });
  const ours = await join({ ...options('relay'), accessToken: mint('alice') });
  const provider = await minting(ours, 'alice', deadline(4_000));
  await start(ours, `{ url: ${JSON.stringify(server.url)}, protocol: 'relay', accessToken: ${provider} }`);
  await other.evaluate(() => void heard.splice(0));
  const texts = [];
  while ((await ours.evaluate(() => asked)) < 4) {
    texts.push(String(texts.length));
    await send(ours, texts.slice(-1));
    await hears(other, texts);
  }
  const { connects, gaps } = await ours.evaluate(() => signaling.stats());
  assert.deepEqual({ connects, gaps }, { connects: 1, gaps: 0 });
  await leave(ours, other);
});

test('on an unknown server a page comes back with its next token', TIMEOUT, async () => {
  const ours = await join({ ...options('auto'), accessToken: mint('alice') });
  const other = await join({ ...options('auto'), accessToken: mint('bob') });
  const provider = await minting(ours, 'alice', deadline(3_000));
  await start(ours, `{ url: ${JSON.stringify(server.url)}, accessToken: ${provider} }`);
  await ours.waitForFunction(() => signaling.state === 'open');
  await other.evaluate(() => void heard.splice(0));
  const texts = [];
  while ((await ours.evaluate(() => signaling.stats().connects)) < 3) {
    texts.push(String(texts.length));
    await send(ours, texts.slice(-1));
    await hears(other, texts);
  }
  assert.deepEqual(await ours.evaluate(() => [errors, signaling.stats().gaps]), [[], 0]);
  await leave(ours, other);
});

test('the log has no token', () => {
  const log = server.stderr();
  assert.match(log, / connected/);
  assert.doesNotMatch(log, /eyJ|access_token/);
});
