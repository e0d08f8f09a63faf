// broadcastChannel on Node's own BroadcastChannel: tabs that hear each other without a server.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { broadcastChannel } from '../../npm/transports.js';
import { until } from '../support/deadline.mjs';
import { follow, frame } from './follow.mjs';

describe('broadcastChannel', () => {
  it('carries text to all others of its name, and to nobody else', async (context) => {
    const [first, second, third, elsewhere] = [undefined, undefined, 'signal-wasm', 'another name'].map((name) => follow(broadcastChannel(name), until));
    context.after(() => [first, second, third, elsewhere].forEach((tab) => tab.close()));
    for (const tab of [first, second, third, elsewhere]) await tab.up();
    elsewhere.send(frame(4, 'not for you'));
    first.send(frame(1, { text: 'é 🙂 "' }));
    second.send(frame(2, 'and back'));
    assert.deepEqual((await third.texts(2)).toSorted(), [frame(1, { text: 'é 🙂 "' }), frame(2, 'and back')]);
    assert.deepEqual(await first.texts(1), [frame(2, 'and back')]);
    assert.deepEqual(await second.texts(1), [frame(1, { text: 'é 🙂 "' })]);
    assert.deepEqual(elsewhere.heard, []);
  });

  it('opened several times it hears each text once; closed it hears none, and opens again', async (context) => {
    const [first, second] = [follow(broadcastChannel('again'), until), follow(broadcastChannel('again'), until)];
    context.after(() => [first, second].forEach((tab) => tab.close()));
    await first.up();
    await first.up();
    await first.up();
    await second.up();
    second.send('one');
    assert.deepEqual(await first.texts(1), ['one']);
    first.close();
    first.close();
    second.send('two');
    assert.throws(() => first.send('while closed'));
    await first.up();
    second.send('three');
    assert.deepEqual(await first.texts(2), ['one', 'three']);
    assert.deepEqual(first.closed, [], 'a close that was asked for is no loss');
  });

  it('hands on what is no text as well, for the library to count', async (context) => {
    const tab = follow(broadcastChannel('strangers'), until);
    const stranger = new BroadcastChannel('strangers');
    context.after(() => (tab.close(), stranger.close()));
    await tab.up();
    stranger.postMessage({ no: 'text' });
    stranger.postMessage(null);
    assert.deepEqual(await tab.texts(2), ['[object Object]', 'null']);
  });
});
