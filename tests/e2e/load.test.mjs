// The bench of a full room, with few pages: that it still runs, and what it counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CANDIDATES } from '../../benches/load/participant.mjs';
import { fillRoom } from '../../benches/load/room.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { rtcMultiConnectionServer } from '../support/rtcmulticonnection-server.mjs';
import { relay } from '../support/servers.mjs';

const JOINS = 4;
/** The pages that are there when each page joins: 1, 2, 3 and 4. */
const OTHERS = 10;
/** What two pages send each other, besides the request to participate. */
const BETWEEN_TWO = 4 + CANDIDATES.offer + CANDIDATES.answer;

for (const [name, start, extras] of [
  // It sends everybody's extra data to peers, and again to the whole room, its sender among them.
  ['rtcmulticonnection-server', rtcMultiConnectionServer, OTHERS + OTHERS + JOINS],
  ['our relay', () => relay().then((server) => ({ ...server, url: `${server.origin}/` })), OTHERS],
]) {
  test(`a room of five fills on ${name}`, TIMEOUT, async () => {
    const server = await start();
    try {
      const run = await fillRoom(server, JOINS + 1);
      // Each page connects, joins, asks to participate and shows its extra data.
      assert.equal(run.sent.messages, 4 * JOINS + BETWEEN_TWO * OTHERS);
      // Two answers, and of each other page the request, and `user-connected` on both sides.
      assert.equal(run.received.messages, 2 * JOINS + (1 + BETWEEN_TWO + 2) * OTHERS + extras);
      assert.ok(run.received.bytes > 12_000 * OTHERS && run.sent.bytes > 12_000 * OTHERS);
      assert.equal(run.answered.length, JOINS);
      assert.equal(run.connected.length, JOINS);
      assert.ok(run.memory > 1e6);
    } finally {
      await server.close();
    }
  });
}
