// npm run bench -- load: the signaling of a room of RTCMultiConnection 3 (no media) on our relay, beside npm
// rtcmulticonnection-server. Pages without a browser join one after the other. Prints what a join
// costs each server, in turns, the median of the rounds.

import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { rtcMultiConnectionServer } from '../tests/support/rtcmulticonnection-server.mjs';
import { relay } from '../tests/support/servers.mjs';
import { fillRoom } from './load/room.mjs';
import { median } from './median.mjs';

const { values: options } = parseArgs({
  options: { participants: { type: 'string', default: '50' }, rounds: { type: 'string', default: '5' }, json: { type: 'string' } },
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

/** The figures of a run: each with its name in JSON, its description and its value. */
const ROWS = [
  ['processorMilliseconds', 'processor time of the server, each join, ms', (run) => run.processor / (participants - 1)],
  ['messagesSent', 'messages to the server, each join', (run) => run.sent.messages / (participants - 1)],
  ['messagesReceived', 'messages from the server, each join', (run) => run.received.messages / (participants - 1)],
  ['bytesSent', 'bytes to the server, each join', (run) => run.sent.bytes / (participants - 1)],
  ['bytesReceived', 'bytes from the server, each join', (run) => run.received.bytes / (participants - 1)],
  ['answeredMilliseconds', 'join-room to its answer, median, ms', (run) => median(run.answered)],
  ['connectedMilliseconds', 'join-room to the last user-connected, median, ms', (run) => median(run.connected)],
  ['lastConnectedMilliseconds', 'join-room to the last user-connected, last page, ms', (run) => run.connected.at(-1)],
  ['memoryMegabytes', 'peak memory of the server, MB', (run) => run.memory / 1e6],
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

const names = Object.keys(SERVERS);
const servers = Object.fromEntries(names.map((name) => [name, Object.fromEntries(ROWS.map(([member, , of]) => [member, median(runs[name].map(of))]))]));
console.log(`A room with ${participants} participants, median of ${rounds} rounds.\n`);
console.log(`| | ${names.join(' | ')} | ratio |\n| --- | --- | --- | --- |`);
for (const [member, what] of ROWS) {
  const [original, ours] = names.map((name) => servers[name][member]);
  console.log(`| ${what} | ${number(original)} | ${number(ours)} | ${(ours / original).toFixed(2)} |`);
}
if (options.json) await writeFile(options.json, `${JSON.stringify({ participants, rounds, servers }, undefined, 2)}\n`);
process.exit();

function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });
}
