// What servers make of a message on its way: binary frames, several envelopes in a frame; and
// subprotocols, which some servers insist on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import {
  hears,
  join,
  leave,
  leaveFailing,
  seedServer,
  send,
  setUp,
  tearDown,
  TEXTS,
} from '../support/protocol-pages.mjs';

/* global SignalWasm, signaling, states -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

const FOREIGN = '{"sender":1,"channel":"elsewhere","message":"no"}';

describe('a server that writes frames in its own way', () => {
  const ways = {
    // What a `ws` server since version 8 does that hands on what `message` gave it.
    'Buffers, as binary frames': (data) => data,
    'with a line break at the end': (data) => `${data}\n`,
    'as a line among others': (data) => `${FOREIGN}\n${data}\r\n${FOREIGN}`,
    'in an array': (data) => `[${FOREIGN},${data}]`,
    'as a JSON string': (data) => JSON.stringify(String(data)),
    'as JSON strings in an array, in a binary frame': (data) => Buffer.from(JSON.stringify([FOREIGN, String(data)])),
  };
  for (const [way, frame] of Object.entries(ways)) {
    for (const protocol of ['auto', 'websocket']) {
      test(`${way}; protocol ${protocol}`, TIMEOUT, async () => {
        const server = await seedServer({ frame });
        const [one, other] = await Promise.all([
          join({ url: server.url, protocol }),
          join({ url: server.url, protocol }),
        ]);
        await send(one, TEXTS);
        await hears(other, TEXTS);
        const { bad, delivered } = await other.evaluate(() => signaling.stats());
        assert.deepEqual({ bad, delivered }, { bad: 0, delivered: TEXTS.length });
        await leave(one, other);
      });
    }
  }
});

describe('subprotocols', () => {
  test('the server chooses one of those that are offered', TIMEOUT, async () => {
    const server = await seedServer({ subprotocol: 'chat' });
    const options = { url: server.url, subprotocols: ['v2.chat', 'chat'] };
    const [one, other] = await Promise.all([join(options), join(options)]);
    await send(one, ['1']);
    await hears(other, ['1']);
    // A server that knows none of them is one that browsers refuse.
    const strange = await join({ ...options, subprotocols: ['x'] }, { wait: false });
    await strange.waitForFunction(() => states.filter((state) => state.startsWith('waiting')).length > 1);
    await leave(one, other);
    await leaveFailing(strange);
  });

  test('what the browser refuses is a bad option, and nothing else is', TIMEOUT, async () => {
    const page = await join({ url: (await seedServer()).url });
    const judged = await page.evaluate((url) => {
      const throws = (make) => {
        try {
          make().close();
          return false;
        } catch (error) {
          return error.code === 'bad-option' || error.name === 'SyntaxError' || String(error);
        }
      };
      const names = Array.from({ length: 0x100 }, (_, code) => [`a${String.fromCharCode(code)}`]);
      const lists = [...names, [''], ['a', 'a'], ['a', 'A'], ['a', 'b', 'a'], ['日本'], []];
      return lists.map((subprotocols) => ({
        subprotocols,
        browser: throws(() => new WebSocket(url, subprotocols)),
        ours: throws(() => new SignalWasm.Signaling({ url, subprotocols })),
      }));
    }, 'ws://127.0.0.1:1/');
    for (const { subprotocols, browser, ours } of judged)
      assert.equal(ours, browser, JSON.stringify(subprotocols));
    assert.ok(judged.some(({ ours }) => ours) && judged.some(({ ours }) => !ours));
    await leaveFailing(page);
  });
});
