// The seed's own shim and signal-wasm on one channel: what each sends, what each hears, and what
// strangers on the server can do to a page.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, rawClient, SERVERS } from '../support/pages.mjs';
import { seedServer } from '../support/servers.mjs';

/* global connection, errors, handle, heard, seedShim, signaling -- of the pages */

// Everything JSON has, and the corners of JavaScript's strings.
const VALUES = [
  { type: 'offer', sdp: 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n' },
  'a string',
  '',
  0,
  -0.5,
  1e300,
  true,
  false,
  null,
  [],
  {},
  [1, [2, [3, { deep: [null] }]]],
  { sender: 1, channel: 'decoy', message: 'decoy', id: '7' },
  { '': 'empty name', 'quo"te': '\\ \b\f\n\r\t \u0001', slash: '</script>' },
  { accents: 'Grüße, 日本語, 🦀', separators: '\u2028\u2029', lone: '\ud83e', replacement: '\ufffd' },
  { ['__proto__']: { polluted: true }, constructor: 'x', toJSON: 'not a function' },
  { left: undefined, when: new Date(0), none: [undefined, NaN, Infinity] },
  'x'.repeat(70_000),
  '\u00e9\u{1f600}'.repeat(20_000),
];

let browser;
before(async () => {
  browser = await launchBrowser();
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

for (const [name, start] of Object.entries(SERVERS)) {
  describe(`on ${name}`, () => {
    let server;
    let shim;
    let ours;
    let wire;

    before(async () => {
      server = await start();
      wire = await rawClient(server.url);
      shim = await openPage(browser, `${server.origin}/test-pages/bare.html`);
      await shim.evaluate(async (url) => {
        window.heard = [];
        window.shim = seedShim(url);
        await new Promise((done) => (window.shim.websocket.onopen = done));
        window.connection = { channel: 'main', openSignalingChannel: window.shim.openSignalingChannel };
        window.handle = connection.openSignalingChannel({ onmessage: (message) => heard.push(message) });
      }, server.url);
      ours = await openPage(browser, `${server.origin}/test-pages/bare.html`);
      await ours.evaluate(async (url) => {
        const { default: init, configure, openSignalingChannel } = await import('/signal-wasm/signal_wasm.js');
        await init();
        window.heard = [];
        window.errors = [];
        window.signaling = configure({ url, onerror: (error) => errors.push({ name: error.name, code: error.code, message: error.message }) });
        window.connection = { channel: 'main', openSignalingChannel };
        window.handle = connection.openSignalingChannel({ onmessage: (message) => heard.push(message) });
      }, server.url);
      await ours.waitForFunction(() => signaling.state === 'open');
    }, TIMEOUT);

    after(async () => {
      await shim?.context().close();
      await ours?.context().close();
      await wire?.close();
      await server?.close();
    }, TIMEOUT);

    test('each hears the other, value for value, and not itself', TIMEOUT, async () => {
      const expected = VALUES.map((value) => JSON.parse(JSON.stringify(value)));
      for (const [from, to] of [[shim, ours], [ours, shim]]) {
        await to.evaluate(() => void heard.splice(0));
        await sendAll(from);
        await to.waitForFunction((count) => heard.length >= count, VALUES.length);
        assert.deepEqual(await heardAsText(to), expected.map((value) => JSON.stringify(value)));
        assert.deepEqual(await from.evaluate(() => heard.length), 0, 'a page heard itself');
        await to.evaluate(() => void heard.splice(0));
      }
      // The next test counts from here.
      await wire.got(2 * VALUES.length, (frame) => frame.includes('"channel":"main"'));
      const { own, bad } = await ours.evaluate(() => signaling.stats());
      assert.deepEqual({ own, bad }, { own: 0, bad: 0 });
      assertNoTroubles([shim, ours]);
    });

    test('what signal-wasm sends is what the shim sends, byte for byte, but for the sender’s number', TIMEOUT, async () => {
      const ids = { shim: await shim.evaluate(() => window.shim.userid), ours: await ours.evaluate(() => signaling.userid) };
      const sent = {};
      for (const [who, page] of Object.entries({ shim, ours })) {
        const already = wire.frames.length;
        await sendAll(page);
        await wire.got(already + VALUES.length);
        // Our relay gives each message an id, and else leaves it as it is.
        sent[who] = wire.frames.slice(already).map((frame) => (name === 'our relay' ? frame.replace(/^(\{"sender":\d+,"channel":"main"),"id":"\d+"/, '$1') : frame));
        for (const frame of sent[who]) assert.ok(typeof frame === 'string' && frame.startsWith(`{"sender":${ids[who]},"channel":"main","message":`), frame.slice(0, 100));
      }
      const withoutSender = (frames) => frames.map((frame) => frame.replace(/^\{"sender":\d+,/, '{"sender":…,'));
      assert.deepEqual(withoutSender(sent.ours), withoutSender(sent.shim));
      assert.ok(Number.isSafeInteger(ids.ours));
    });

    test('sends in beforeunload reach the others, all of them and in order', TIMEOUT, async () => {
      for (const page of [shim, ours]) await page.evaluate(() => void heard.splice(0));
      const leaving = await openPage(browser, `${server.origin}/test-pages/bare.html`);
      await leaving.evaluate(async (url) => {
        const { default: init, Signaling } = await import('/signal-wasm/signal_wasm.js');
        await init();
        const handle = new Signaling({ url }).openSocket({ channel: 'main', onmessage() {} });
        addEventListener('beforeunload', () => {
          for (let count = 1; count <= 10; count += 1) handle.send({ left: true, count });
        });
        handle.send('here');
      }, server.url);
      // On a connection that has just opened, a message waits for the hello of a relay.
      for (const page of [shim, ours]) {
        await page.waitForFunction(() => heard.includes('here'));
        await page.evaluate(() => void heard.splice(0));
      }
      // By itself: while something else navigates a page, Firefox ends scripts that run in it.
      await leaving.evaluate(() => location.assign('about:blank'));
      for (const page of [shim, ours]) {
        await page.waitForFunction(() => heard.length >= 10);
        assert.deepEqual(await page.evaluate(() => heard), Array.from({ length: 10 }, (_, index) => ({ left: true, count: index + 1 })));
      }
      await leaving.context().close();
    });

    test('messages sent before the connection is open go out in order at open', TIMEOUT, async () => {
      const early = await openPage(browser, `${server.origin}/test-pages/bare.html`);
      await shim.evaluate(() => void heard.splice(0));
      const state = await early.evaluate(async (url) => {
        const { default: init, Signaling } = await import('/signal-wasm/signal_wasm.js');
        await init();
        window.signaling = new Signaling({ url });
        const { send } = signaling.openSocket({ channel: 'main', onmessage() {} });
        for (let count = 0; count < 100; count += 1) send({ early: count });
        return signaling.state;
      }, server.url);
      assert.equal(state, 'connecting');
      await shim.waitForFunction(() => heard.length >= 100);
      assert.deepEqual(await shim.evaluate(() => heard.map((message) => message.early)), Array.from({ length: 100 }, (_, index) => index));
      await early.context().close();
    });

    test('junk from strangers is counted, told once, and disturbs nobody', TIMEOUT, async () => {
      await ours.evaluate(() => void (heard.splice(0), errors.splice(0)));
      const before = await ours.evaluate(() => signaling.stats());
      const stranger = await rawClient(server.url);
      const bad = ['', 'not json', '[]', 'null', '5', '"main"', '{"sender":1,"channel":"main","message":', '['.repeat(50_000), '\u0000'];
      const foreign = [
        '{"sender":1,"channel":"__proto__","message":"x"}',
        '{"sender":1,"channel":"constructor","message":"x"}',
        '{"sender":1,"channel":"toString","message":"x"}',
        '{"sender":1,"channel":"Main","message":"x"}',
        '{"sender":1,"message":"no channel"}',
        '{}',
      ];
      // Our relay sends a page only what it has subscribed to, and takes only envelopes.
      const comes = name !== 'our relay';
      // An array of envelopes is no junk.
      const packed = comes ? ['in an array'] : [];
      stranger.send('[{"sender":1,"channel":"main","message":"in an array"}]');
      for (const frame of [...bad, ...foreign]) stranger.send(frame);
      // Bytes come from another: a server of text may close the connection that sends them.
      const binary = await rawClient(server.url);
      binary.send(Buffer.from([0, 1, 2, 255, 254]));
      if (name === 'the seed’s server') await ours.waitForFunction((count) => signaling.stats().bad >= count, before.bad + bad.length + 1);
      stranger.send('{"message":{"after":"junk"},"extra":[1,2],"channel":"main","sender":"a stranger"}');

      await ours.waitForFunction((count) => heard.length > count, packed.length);
      assert.deepEqual(await ours.evaluate(() => heard), [...packed, { after: 'junk' }]);
      const now = await ours.evaluate(() => signaling.stats());
      assert.equal(now.delivered - before.delivered, packed.length + 1);
      assert.equal(await ours.evaluate(() => signaling.state), 'open');
      assert.equal(now.bad - before.bad, comes ? bad.length + 1 : 0);
      assert.equal(now.foreign - before.foreign, comes ? foreign.length : 0);
      assert.deepEqual(await ours.evaluate(() => errors.map(({ name, code }) => ({ name, code }))), comes ? [{ name: 'SignalingError', code: 'bad-frame' }] : []);
      assertNoTroubles([ours]);
      await Promise.all([stranger.close(), binary.close()]);
    });

    test('a frame over the limit is dropped, and the page hears what comes next', TIMEOUT, async () => {
      await ours.evaluate(() => void heard.splice(0));
      const before = await ours.evaluate(() => signaling.stats());
      // Two strangers, for the same reason.
      const greedy = await rawClient(server.url);
      const modest = await rawClient(server.url);
      greedy.send(`{"sender":1,"channel":"main","message":"${'x'.repeat(6_000_000)}"}`);
      if (name === 'the seed’s server') await ours.waitForFunction((count) => signaling.stats().bad > count, before.bad);
      modest.send('{"sender":2,"channel":"main","message":"next"}');
      await ours.waitForFunction(() => heard.length >= 1);
      assert.deepEqual(await ours.evaluate(() => heard), ['next']);
      assert.equal(await ours.evaluate(() => signaling.state), 'open');
      assertNoTroubles([ours]);
      await Promise.all([greedy.close(), modest.close()]);
    });
  });
}

test('on a server that echoes, a page doesn’t hear itself, and says so in its counters', TIMEOUT, async () => {
  const files = await SERVERS['the seed’s server']();
  const server = await seedServer({ echo: true });
  const pages = [await openPage(browser, `${files.origin}/test-pages/bare.html`), await openPage(browser, `${files.origin}/test-pages/bare.html`)];
  try {
    for (const page of pages) {
      await page.evaluate(async (url) => {
        const { default: init, Signaling } = await import('/signal-wasm/signal_wasm.js');
        await init();
        window.heard = [];
        window.signaling = new Signaling({ url });
        window.handle = signaling.openSocket({ channel: 'echo', onmessage: (message) => heard.push(message) });
      }, server.url);
      await page.waitForFunction(() => signaling.state === 'open');
    }
    const [speaker, listener] = pages;
    await speaker.evaluate(() => [1, 2, 3].forEach((number) => handle.send(number)));
    await listener.waitForFunction(() => heard.length >= 3);
    await listener.evaluate(() => handle.send('enough'));
    await speaker.waitForFunction(() => heard.includes('enough'));
    assert.deepEqual(await listener.evaluate(() => heard), [1, 2, 3]);
    assert.deepEqual(await speaker.evaluate(() => heard), ['enough']);
    const { sent, received, own, delivered } = await speaker.evaluate(() => signaling.stats());
    assert.deepEqual({ sent, received, own, delivered }, { sent: 3, received: 4, own: 3, delivered: 1 });
    assertNoTroubles(pages);
  } finally {
    await Promise.all(pages.map((page) => page.context().close()));
    await Promise.all([files.close(), server.close()]);
  }
});

// Values cross from node to the page as source text: playwright's own serialiser would change some
// of them.
function sendAll(page) {
  return page.evaluate(`{
    const values = [${VALUES.map(source).join(',\n')}];
    for (const value of values) handle.send(value);
  }`);
}

function heardAsText(page) {
  return page.evaluate(() => heard.map((message) => JSON.stringify(message)));
}

function source(value) {
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (Array.isArray(value)) return `[${value.map(source).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    return `({${Object.entries(value).map(([name, member]) => `[${JSON.stringify(name)}]:${source(member)}`).join(',')}})`;
  }
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return value === undefined ? 'undefined' : JSON.stringify(value);
}
