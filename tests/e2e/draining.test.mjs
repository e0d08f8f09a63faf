// A relay that is stopping sends its clients away one after the other; the library comes back by
// itself, to the relay that has taken the port meanwhile, with what it has queued.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Signaling } from 'signal-wasm/inline';
import { WebSocket } from 'ws';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { relay } from '../support/servers.mjs';

// npm ws is an EventEmitter too: an error that nobody listens to would end the process.
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on('error', () => {});
  }
};

/** A client on the channel `main`, with all that happens to it. */
function client(url) {
  const its = { heard: [], states: [], gaps: 0 };
  its.signaling = new Signaling({
    url,
    protocol: 'relay',
    onstatechange: (state, { code }) => its.states.push([state, code]),
    ongap: () => (its.gaps += 1),
  });
  its.channel = its.signaling.openSocket({ channel: 'main', onmessage: (message) => its.heard.push(message) });
  return its;
}

test('clients come back to the next relay, and nothing that they queued is lost', TIMEOUT, async (t) => {
  const first = await relay({ args: ['--drain', '2s'] });
  const clients = Array.from({ length: 6 }, () => client(first.url));
  t.after(() => clients.forEach(({ signaling }) => signaling.close()));
  const [sender, ...others] = clients;
  await until(() => clients.every(({ signaling }) => signaling.state === 'open'), 'all to be connected');
  for (let n = 1; n <= 100; n += 1) sender.channel.send(`first ${n}`);
  await sender.signaling.flushed();

  const ended = first.close();
  await until(() => clients.some(({ states }) => states.some(([, code]) => code === 1001)), 'a client to be sent away');
  const next = await relay({ args: ['--listen', `127.0.0.1:${first.port}`] });
  t.after(() => next.kill());
  assert.deepEqual(await ended, { code: 0, signal: null });
  // All that the first relay had accepted was delivered before.
  for (const { heard } of others) assert.deepEqual(heard, Array.from({ length: 100 }, (_, n) => `first ${n + 1}`));

  // Queued while some of them may still be on their way.
  for (let n = 1; n <= 10; n += 1) sender.channel.send(`queued ${n}`);
  await sender.signaling.flushed();
  await until(() => clients.every(({ signaling }) => signaling.state === 'open'), 'all to be back');
  sender.channel.send('the last');
  await until(() => others.every(({ heard }) => heard.includes('the last')), 'the last message');
  for (const { heard } of others) {
    assert.equal(new Set(heard).size, heard.length, 'nothing comes twice');
    assert.deepEqual(heard.slice(0, 100), Array.from({ length: 100 }, (_, n) => `first ${n + 1}`));
  }
  for (const { states } of clients) {
    const codes = states.map(([, code]) => code).filter((code) => code !== undefined && code !== null);
    assert.ok(codes.length > 0 && codes.every((code) => code === 1001 || code === 1006), JSON.stringify(states));
    assert.ok(!states.some(([state]) => state === 'closed'), JSON.stringify(states));
  }
});
