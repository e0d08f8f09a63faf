// A hundred pairs of pages that open a room at the same moment, by real signalings: exactly one of
// each pair wins.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WebSocket } from 'ws';
import { Signaling } from '../../dist/inline.js';
import { rtcMultiConnectionSocket } from '../../dist/rtcmulticonnection.js';
import { TIMEOUT } from '../support/deadline.mjs';
import { seedServer } from '../support/servers.mjs';

const ROOMS = 100;

/** What carries texts in Node 20, which has no WebSocket of its own. */
function transport(url) {
  let socket;
  return {
    open() {
      socket = new WebSocket(url);
      socket.on('open', () => this.onopen());
      socket.on('message', (data) => this.onmessage(data.toString()));
      socket.on('close', () => this.onclose());
      socket.on('error', () => {});
    },
    send: (text) => socket.send(text),
    close: () => socket.close(),
  };
}

it('two simultaneous opens have one winner, a hundred times', TIMEOUT, async (context) => {
  const server = await seedServer();
  const signalings = [1, 2].map(() => new Signaling({ transport: transport(server.url) }));
  context.after(async () => {
    for (const signaling of signalings) signaling.close();
    await server.close();
  });
  const opens = [];
  for (let number = 0; number < ROOMS; number += 1) {
    for (const [index, signaling] of signalings.entries()) {
      // A channel for each room, so that the machine's speed isn't what is tested.
      const io = rtcMultiConnectionSocket(signaling, { channel: `pair ${number}`, answerTimeout: 5000 });
      const socket = io(`/?userid=user ${index} of ${number}`);
      context.after(() => socket.disconnect());
      opens.push(
        new Promise((done) => socket.on('connect', done)).then(
          () => new Promise((done) => socket.emit('open-room', { sessionid: 'room', session: { data: true } }, (won) => done([number, won]))),
        ),
      );
    }
  }
  const winners = (await Promise.all(opens)).filter(([, won]) => won).map(([number]) => number);
  assert.deepEqual(winners.sort((a, b) => a - b), Array.from({ length: ROOMS }, (_, number) => number));
});
