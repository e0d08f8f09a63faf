// Browsers that refuse to compile a large module at once, as Chromium before 115 does on the main
// thread: inline and global compile it in the background, and what is called meanwhile waits.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium, newContext } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { launchOldChromium, runsHere } from '../support/old-chromium.mjs';
import { rawClient, SERVERS } from '../support/pages.mjs';
import { seedServer } from '../support/servers.mjs';

/* global SignalWasm, lib, handle, heard -- of the pages */

/** What Chromium before 115 says and does. */
function refuseToCompile() {
  WebAssembly.Module = class {
    constructor() {
      throw new RangeError('WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB. Use WebAssembly.compile, or compile on a worker thread.');
    }
  };
}

/** Keeps the module back until `release()` is called, with the error that compiling ends with. */
function holdBack() {
  const { instantiate } = WebAssembly;
  const held = new Promise((done) => {
    window.release = (error) => {
      done(error && Promise.reject(new WebAssembly.CompileError(error)));
    };
  });
  WebAssembly.instantiate = async (...values) => {
    await held;
    return instantiate(...values);
  };
  window.reports = [];
  window.addEventListener('error', (event) => {
    // Chromium doesn't show the page an error that a test's script has made.
    window.reports.push(event.error?.code ?? event.message);
    event.preventDefault();
  });
}

/** Each loads an entry in a page, as `lib`. */
const ENTRIES = {
  inline: (page) => page.evaluate(async () => {
    window.lib = await import('/signal-wasm/inline.js');
  }),
  async global(page) {
    await page.addScriptTag({ url: '/signal-wasm/global.js' });
    await page.evaluate(() => {
      window.lib = SignalWasm;
    });
  },
};

const BROWSERS = {
  'Chromium 110': { launch: launchOldChromium, skip: runsHere ? false : 'it is there for Linux on x86-64 only' },
  'today’s Chromium, refusing likewise': { launch: launchChromium, refusal: refuseToCompile },
};

for (const [name, { launch, refusal, skip }] of Object.entries(BROWSERS)) {
  describe(name, { skip }, () => {
    let browser;
    let relay;
    let server;
    before(async () => {
      [browser, relay, server] = await Promise.all([launch(), SERVERS['our relay'](), seedServer()]);
    }, TIMEOUT);
    after(async () => {
      await browser?.close();
      await relay?.close();
      await server?.close();
    }, TIMEOUT);

    async function openPage(path, ...scripts) {
      const context = await newContext(browser);
      if (refusal) await context.addInitScript(refusal);
      for (const script of scripts) await context.addInitScript(script);
      const page = await context.newPage();
      await page.goto(`${relay.origin}${path}`);
      return page;
    }

    /** A page where an entry is loaded, but its module is held back. */
    async function waitingPage(entry) {
      const page = await openPage('/test-pages/bare.html', holdBack);
      await ENTRIES[entry](page);
      return page;
    }

    test('it refuses the module', TIMEOUT, async () => {
      const page = await openPage('/test-pages/bare.html');
      const refused = await page.evaluate(async () => {
        const bytes = await (await fetch('/signal-wasm/signal_wasm_bg.wasm')).arrayBuffer();
        try {
          return String(new WebAssembly.Module(bytes));
        } catch (error) {
          return error.name;
        }
      });
      assert.equal(refused, 'RangeError');
      await page.context().close();
    });

    test('pages of all entries hear each other', TIMEOUT, async () => {
      const entries = ['module', 'inline', 'global'];
      const pages = await Promise.all(entries.map((entry) => openPage(`/test-pages/${entry}.html`)));
      for (const page of pages) await page.waitForFunction(() => window.ready === true);
      for (const [index, page] of pages.entries()) {
        await page.evaluate((entry) => setInterval(() => handle.send(entry), 100), entries[index]);
      }
      for (const [index, page] of pages.entries()) {
        const others = entries.filter((_, other) => other !== index);
        await page.waitForFunction((others) => others.every((entry) => heard.includes(entry)), others);
      }
      await Promise.all(pages.map((page) => page.context().close()));
    });

    for (const entry of Object.keys(ENTRIES)) {
      describe(entry, () => {
        test('what is called meanwhile is done in order', TIMEOUT, async () => {
          const client = await rawClient(server.url);
          const page = await waitingPage(entry);
          const early = await page.evaluate((url) => {
            window.notes = [];
            const signaling = lib.configure({ url, openDelay: 0, onstatechange: (state) => window.notes.push(state) });
            window.signaling = signaling;
            const connection = { channel: 'from the connection' };
            signaling.attach(connection);
            const config = { channel: 7, onmessage: (message) => window.notes.push(message), callback: (handle) => window.notes.push(handle === window.handle) };
            window.handle = lib.openSocket(config);
            const message = { first: 1 };
            window.handle.send(message);
            message.first = 'changed later';
            const second = connection.openSignalingChannel({ onopen() {} });
            second.send(2);
            const { send } = window.handle;
            send(3);
            const closed = lib.openSocket({ channel: 'closed' });
            closed.send(4);
            closed.close();
            signaling.flushed().then(() => window.notes.push('flushed'));
            const codeOf = (use) => {
              try {
                return use();
              } catch (error) {
                return `${error.name} ${error.code}`;
              }
            };
            return {
              channels: [window.handle.channel, second.channel],
              state: signaling.state,
              isSignaling: signaling instanceof lib.Signaling,
              early: [codeOf(() => signaling.userid), codeOf(() => signaling.stats())],
              name: lib.Signaling.name,
            };
          }, server.url);
          assert.deepEqual(early, {
            channels: ['7', 'from the connection'],
            state: 'idle',
            isSignaling: true,
            early: ['SignalingError not-initialised', 'SignalingError not-initialised'],
            name: 'Signaling',
          });
          assert.equal(server.connections(), 1, 'nothing is connected before the module is there');
          await page.evaluate(() => window.release());
          const frames = (await client.got(4)).map((frame) => JSON.parse(frame));
          assert.deepEqual(
            frames.map(({ channel, message }) => [channel, message]),
            [['7', { first: 1 }], ['from the connection', 2], ['7', 3], ['closed', 4]],
          );
          await page.waitForFunction(() => window.notes.includes('flushed') && window.notes.includes(true));
          client.send(JSON.stringify({ sender: 1, channel: '7', message: 'hello' }));
          await page.waitForFunction(() => window.notes.includes('hello'));
          // The early functions are the real ones now.
          const late = await page.evaluate(() => {
            window.handle.send('late');
            const { userid, state } = window.signaling;
            return { state, userid: Number.isSafeInteger(userid), channels: window.signaling.stats().channels, reports: window.reports };
          });
          assert.deepEqual(late, { state: 'open', userid: true, channels: 2, reports: [] });
          assert.deepEqual(JSON.parse((await client.got(5))[4]).message, 'late');
          await page.evaluate(() => window.signaling.close());
          await client.close();
          await page.context().close();
        });

        test('signalings of their own, and classes that extend theirs', TIMEOUT, async () => {
          const client = await rawClient(server.url);
          const page = await waitingPage(entry);
          await page.evaluate((url) => {
            window.told = [];
            class Mine extends lib.Signaling {
              onerror = ({ code }) => window.told.push(code);
            }
            window.mine = new Mine({ url });
            const handle = window.mine.openSignalingChannel({ channel: 'mine' });
            handle.send(undefined);
            handle.send('sent');
            window.mine.closed.then(() => window.told.push('closed'));
            const other = new lib.Signaling({ url });
            other.closed.then(() => window.told.push('the other is closed'));
            other.openSocket({ channel: 'other' });
            other.close();
          }, server.url);
          await page.evaluate(() => window.release());
          assert.equal(JSON.parse((await client.got(1))[0]).message, 'sent');
          await page.evaluate(() => window.mine.close());
          await page.waitForFunction(() => window.told.includes('closed'));
          const { told, isMine, reports } = await page.evaluate(() => ({ told: window.told, isMine: window.mine instanceof lib.Signaling, reports: window.reports }));
          assert.deepEqual(told, ['bad-message', 'the other is closed', 'closed']);
          assert.deepEqual({ isMine, reports }, { isMine: true, reports: [] });
          await client.close();
          await page.context().close();
        });

        test('events, channels with several listeners, and promises', TIMEOUT, async () => {
          const client = await rawClient(server.url);
          const page = await waitingPage(entry);
          const early = await page.evaluate((url) => {
            window.notes = [];
            const textOf = (value) => (value instanceof DOMException ? value.name : (value?.code ?? value ?? ''));
            const note = (name) => (value) => window.notes.push([name, textOf(value)]);
            const signaling = new lib.Signaling({ url });
            window.signaling = signaling;
            signaling.addEventListener('statechange', ({ state }) => note('state')(state));
            signaling.addEventListener('error', ({ error }) => note('error')(error));
            signaling.addEventListener('frame', ({ kind }) => note('frame')(kind));
            signaling.connected.then(note('connected'), note('not connected'));
            signaling.connect().then(note('connect'), note('not connect'));
            const channel = signaling.channel('early');
            window.channel = channel;
            channel.on(note('first'));
            signaling.channel('early').addEventListener('message', ({ data }) => note('second')(data));
            const message = { text: 1 };
            channel.publish(message).then(note('accepted'), note('failed'));
            message.text = 'changed later';
            const controller = new AbortController();
            channel.publish('aborted', { signal: controller.signal }).then(note('accepted'), note('aborted'));
            controller.abort();
            channel.publish('stale', { ttl: -1 }).then(note('accepted'), note('wrong'));
            channel.send('sent');
            window.kept = signaling.channel('kept');
            const closed = signaling.channel('closed');
            closed.addEventListener('close', () => note('closed')());
            closed.close();
            const same = lib.configure({ url, channel: 'x' });
            return {
              name: channel.name,
              isTarget: signaling instanceof EventTarget && channel instanceof EventTarget,
              isSame: lib.configure({ url, channel: 'x' }) === same,
              state: signaling.state,
            };
          }, server.url);
          assert.deepEqual(early, { name: 'early', isTarget: true, isSame: true, state: 'idle' });
          await page.evaluate(() => window.release());
          const frames = (await client.got(2)).map((frame) => JSON.parse(frame));
          assert.deepEqual(frames.map(({ channel, message }) => [channel, message]), [['early', { text: 1 }], ['early', 'sent']]);
          client.send(JSON.stringify({ sender: 1, channel: 'early', message: 'hello' }));
          await page.waitForFunction(() => window.notes.some(([name]) => name === 'second') && window.notes.some(([name]) => name === 'accepted'));
          const notes = await page.evaluate(() => window.notes);
          const wanted = [['state', 'open'], ['frame', 'sent'], ['connected', ''], ['connect', ''], ['first', 'hello'], ['second', 'hello'], ['accepted', ''], ['aborted', 'AbortError'], ['wrong', 'bad-option'], ['closed', '']];
          for (const note of wanted) assert.ok(notes.some((one) => one.join() === note.join()), `${note} in ${JSON.stringify(notes)}`);
          assert.equal(notes.filter(([name]) => name === 'first').length, 1);
          // The early functions are the real ones now.
          const late = await page.evaluate(async () => {
            window.signaling.disconnect();
            const { state } = window.signaling;
            await window.signaling.connect();
            window.channel.close();
            return { state, now: window.signaling.state, reports: window.reports };
          });
          assert.deepEqual(late, { state: 'idle', now: 'open', reports: [] });
          const code = await page.evaluate(async () => {
            window.signaling.close();
            await new Promise((done) => window.kept.addEventListener('close', done));
            return window.kept.publish(1).catch(({ code }) => code);
          });
          assert.equal(code, 'signaling-closed');
          await client.close();
          await page.context().close();
        });

        test('wrong arguments are reported once the module is there', TIMEOUT, async () => {
          const page = await waitingPage(entry);
          await page.evaluate(() => {
            lib.openSocket(5).send(1);
            const wrong = new lib.Signaling({ urll: 'x' });
            const handle = wrong.openSocket({});
            handle.send(1);
            window.wrong = { wrong, handle };
            window.release();
          });
          await page.waitForFunction(() => window.reports.length === 2);
          const late = await page.evaluate(async () => {
            const codeOf = (use) => {
              try {
                return use();
              } catch ({ code }) {
                return code;
              }
            };
            const { wrong, handle } = window.wrong;
            const { reason } = await wrong.closed;
            return { reports: window.reports, calls: [() => handle.send(2), () => wrong.openSocket({}), () => wrong.stats()].map(codeOf), state: wrong.state, reason };
          });
          assert.match(late.reason, /'urll'/);
          assert.deepEqual({ ...late, reason: '' }, {
            reports: ['bad-config', 'unknown-option'],
            calls: Array(3).fill('unknown-option'),
            state: 'closed',
            reason: '',
          });
          await page.context().close();
        });

        test('a module that can’t be compiled is reported', TIMEOUT, async () => {
          const page = await waitingPage(entry);
          await page.evaluate(() => {
            window.handle = lib.openSocket({ channel: 'x' });
            window.release('forbidden');
          });
          await page.waitForFunction(() => window.reports.length === 1);
          const late = await page.evaluate(() => {
            try {
              return window.handle.send(1);
            } catch ({ message }) {
              return message;
            }
          });
          assert.equal(late, 'forbidden');
          await page.context().close();
        });
      });
    }
  });
}
