// Pages and clients lose their connections and their relay, and not one message is lost, repeated
// or out of order; and a run that loses one says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import { missingNats } from '../support/nats.mjs';
import { missingProxy } from '../support/proxies.mjs';
import { OF_CLUSTERS, OF_ROOMS } from './faults.mjs';
import { report } from './report.mjs';
import { storm } from './storm.mjs';

/**
 * What the short runs have in common: kinds that are over soon. What is stalled for good takes a
 * relay's ping to be found out; the long run has it.
 */
const SHORT = { pages: 3, clients: 2, kinds: ['cut-reset', 'cut-end', 'cut-all', 'truncate-up', 'truncate-down', 'stall-up', 'stall-down', 'delay', 'refuse', 'relay-killed'], pace: 200 };

test('sixty faults, two of them the relay’s death: all of it arrives, once and in order', TIMEOUT, async (t) => {
  const result = await storm({ ...SHORT, seed: 'short', faults: 60, deaths: 2, say: (text) => t.diagnostic(text) });
  assert.deepEqual(result.failures.map(({ kind, text }) => `${kind}: ${text}`), [], report(result).join('\n'));

  const { struck, counts } = result;
  assert.equal(struck.length, 60);
  const deaths = struck.filter(({ kind }) => kind === 'relay-killed').length;
  assert.ok(deaths >= 2, `the relay died ${deaths} times`);
  // It was a real run: many messages were sent and received, connections were lost and made again,
  // and each death of the relay was reported.
  assert.ok(counts.sent > 300 && counts.delivered > counts.sent, `${counts.sent} sent, ${counts.delivered} delivered`);
  assert.ok(counts.reconnects > 30, `${counts.reconnects} reconnects`);
  assert.ok(counts.gaps >= deaths, `${counts.gaps} gaps`);
  assert.ok(counts.flushes > 0);
});

for (const cluster of [
  { relays: 3, servers: 1, haproxy: false },
  { relays: 3, servers: 3, haproxy: true },
]) {
  const name = cluster.haproxy ? 'three relays behind HAProxy that share three NATS servers' : 'three relays that share one NATS server';
  const skip = missingNats() || (cluster.haproxy && missingProxy('haproxy'));
  test(`${name}: whichever of them dies, nothing is lost`, { ...TIMEOUT, skip }, async (t) => {
    const kinds = ['cut-reset', 'truncate-up', 'truncate-down', 'stall-down', 'relay-killed', ...Object.keys(OF_CLUSTERS)];
    const result = await storm({ ...SHORT, kinds, seed: name, cluster, faults: 40, deaths: 3, pace: 300, say: (text) => t.diagnostic(text) });
    const lines = report(result).join('\n');
    assert.deepEqual(result.failures.map(({ kind, text }) => `${kind}: ${text}`), [], lines);
    const { struck, counts } = result;
    assert.equal(struck.length, 40);
    for (const kind of ['relay-killed', 'nats-killed', 'nats-cut']) assert.ok(struck.some((strike) => strike.kind === kind), `no ${kind}`);
    // The other relays know what the dead one did: no page may have missed anything.
    assert.equal(counts.gaps, 0, lines);
    assert.ok(counts.sent > 200 && counts.delivered > counts.sent, lines);
  });
}

test('rooms that relays keep for each other are the same for all, whichever of them dies or stands still', { ...TIMEOUT, skip: missingNats() }, async (t) => {
  const kinds = ['cut-reset', 'cut-end', 'stall-down', 'relay-killed', ...Object.keys(OF_CLUSTERS), ...Object.keys(OF_ROOMS)];
  const cluster = { relays: 3, servers: 1 };
  const result = await storm({ ...SHORT, pages: 0, rooms: 8, kinds, seed: 'rooms', cluster, faults: 40, deaths: 3, pace: 300, say: (text) => t.diagnostic(text) });
  const lines = report(result).join('\n');
  assert.deepEqual(result.failures.map(({ kind, text }) => `${kind}: ${text}`), [], lines);
  for (const kind of ['relay-killed', 'relay-paused']) assert.ok(result.struck.some((strike) => strike.kind === kind), `no ${kind}`);
  const { entered, refused, due, taken, connections } = result.rooms.counts;
  for (const count of [entered, refused, due, taken]) assert.ok(count > 0, lines);
  assert.ok(connections > 8, lines);
});

test('one message that the network swallows is reported as lost, and only that', TIMEOUT, async (t) => {
  let swallowed;
  const onmessage = (member, direction, text) => {
    if (swallowed || member !== 'page0' || direction !== 'down') return undefined;
    const { channel, message } = JSON.parse(text);
    // One in the middle: behind others, and not the last, without which the run would wait.
    if (channel !== 'all' || !(message?.n > 1) || message.last) return undefined;
    swallowed = `all#${message.n} of ${message.from}`;
    return 'swallow';
  };
  // Nothing that loses the connection: the message would be among those that come when it is back.
  const result = await storm({ ...SHORT, clients: 1, seed: 'swallowed', kinds: ['delay', 'stall-up', 'stall-down'], faults: 8, act: 40, onmessage, say: (text) => t.diagnostic(text) });
  assert.ok(swallowed, 'nothing was swallowed');
  assert.deepEqual(result.failures, [{ kind: 'lost', text: `${swallowed} never came to page0, which heard of no gap there` }], report(result).join('\n'));
  assert.equal(result.counts.lost, 1);
});
