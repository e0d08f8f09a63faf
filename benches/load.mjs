// npm run load: the signaling of a room of RTCMultiConnection 3 (no media) on our relay, beside npm
// rtcmulticonnection-server. Pages without a browser join one after the other. Prints what a join
// costs each server, in turns, the median of the rounds.

import process from 'node:process';
import { parseArgs } from 'node:util';
import { rtcMultiConnectionServer } from '../tests/support/rtcmulticonnection-server.mjs';
import { relay } from '../tests/support/servers.mjs';
import { fillRoom } from './load/room.mjs';

const { values: options } = parseArgs({
  options: { participants: { type: 'string', default: '50' }, rounds: { type: 'string', default: '5' } },
});
const [participants, rounds] = ['participants', 'rounds'].map((name) => {
  const value = Number(options[name]);
  const least = name === 'participants' ? 2 : 1;
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} is ${options[name]}; give a whole number from ${least} up`);
  return value;
});

const SERVERS = {
  'rtcmulticonnection-server': rtcMultiConnectionServer,
  'signal-relay': async () => {
    const server = await relay();
    return { ...server, url: `${server.origin}/` };
  },
};

const ROWS = [
  ['processor time of the server, each join, ms', (run) => run.processor / (participants - 1)],
  ['messages to the server, each join', (run) => run.sent.messages / (participants - 1)],
  ['messages from the server, each join', (run) => run.received.messages / (participants - 1)],
  ['bytes to the server, each join', (run) => run.sent.bytes / (participants - 1)],
  ['bytes from the server, each join', (run) => run.received.bytes / (participants - 1)],
  ['join-room to its answer, median, ms', (run) => median(run.answered)],
  ['join-room to the last user-connected, median, ms', (run) => median(run.connected)],
  ['join-room to the last user-connected, last page, ms', (run) => run.connected.at(-1)],
  ['peak memory of the server, MB', (run) => run.memory / 1e6],
];

const runs = Object.fromEntries(Object.keys(SERVERS).map((name) => [name, []]));
for (let round = 1; round <= rounds; round += 1) {
  for (const [name, start] of Object.entries(SERVERS)) {
    process.stderr.write(`round ${round} of ${rounds}: ${name} …\n`);
    // A new server for each round: one that has been warmed up by others would have an advantage.
    const server = await start();
    try {
      runs[name].push(await fillRoom(server, participants));
    } finally {
      await server.close();
    }
  }
}

console.log(`A room with ${participants} participants, median of ${rounds} rounds.\n`);
console.log(`| | ${Object.keys(SERVERS).join(' | ')} | ratio |\n| --- | --- | --- | --- |`);
for (const [what, of] of ROWS) {
  const [original, ours] = Object.values(runs).map((all) => median(all.map(of)));
  console.log(`| ${what} | ${number(original)} | ${number(ours)} | ${(ours / original).toFixed(2)} |`);
}
process.exit();

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });
}
