// `npm run chaos`: one run of any length, with its report; the exit code says whether anything was
// lost, repeated or out of order.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/servers.mjs';
import { isolated } from '../support/network.mjs';
import { OF_CLUSTERS, OF_NETWORKS, OF_ROOMS, OF_ROOMS_ON_NETWORKS, WEIGHTS } from './faults.mjs';
import { report, summary } from './report.mjs';
import { storm } from './storm.mjs';

const HELP = `npm run chaos -- [OPTION…]

Pages of a real browser and clients in Node talk over a real relay, each through a proxy that cuts, stalls, delays, truncates and refuses,
while the relay is killed and started again.

  --seed TEXT        repeats the faults of an earlier run (default: a new one, which is printed)
  --faults NUMBER    how many (default 1000)
  --pages NUMBER     2 to 10 (default 4)
  --clients NUMBER   0 to 10 (default 3)
  --minutes NUMBER   no fault after so many (default 15)
  --relays NUMBER    so many relays that share NATS, which loses servers too (default 1: a relay by itself)
  --nats NUMBER      1 or 3 servers of NATS for them (default 3)
  --haproxy          between the members and those relays, instead of a choice by turns; needs 3 relays
  --namespaces       each relay and each server of NATS has a network namespace of its own, behind HAProxy; packets
                     vanish, too (needs root)
  --rooms NUMBER     0, or 4 to 20 clients more in rooms of RTCMultiConnection (default 0); relays that share NATS
                     are then also stopped, and cut off from all, for so long that others keep their rooms
  --pace MS          from one fault to the next, on average (default 300)
  --json PATH        writes the figures to this file
  --protocol NAME    of all members (default: auto and relay, half of each); with websocket things are lost, and the run must say so`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    faults: { type: 'string', default: '1000' },
    pages: { type: 'string', default: '4' },
    clients: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '15' },
    pace: { type: 'string', default: '300' },
    relays: { type: 'string', default: '1' },
    nats: { type: 'string', default: '3' },
    haproxy: { type: 'boolean', default: false },
    namespaces: { type: 'boolean', default: false },
    rooms: { type: 'string', default: '0' },
    protocol: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const number = (name, low, high) => {
  const value = Number(values[name]);
  if (values[name].trim() !== '' && value >= low && value <= high) return value;
  console.error(`--${name} is ${JSON.stringify(values[name])}; give a number from ${low} to ${high}\n\n${HELP}`);
  process.exit(2);
};
const whole = (name, low, high) => Math.floor(number(name, low, high));

const relays = whole('relays', 1, 10);
const servers = whole('nats', 1, 3);
const rooms = values.rooms === '0' ? 0 : whole('rooms', 4, 20);
const { haproxy, namespaces } = values;
if (namespaces && relays !== 3) {
  console.error('--namespaces needs --relays 3: the documented configuration of HAProxy has three');
  process.exit(2);
}
if (namespaces) {
  const code = await isolated();
  if (code !== undefined) process.exit(code);
}
const cluster = relays > 1 ? { relays, servers, haproxy, namespaces } : undefined;

/** The kinds of faults of several relays. */
function kindsOfCluster() {
  const kinds = { ...WEIGHTS, ...OF_CLUSTERS };
  if (namespaces) Object.assign(kinds, OF_NETWORKS);
  if (rooms > 0) Object.assign(kinds, OF_ROOMS);
  if (rooms > 0 && namespaces) Object.assign(kinds, OF_ROOMS_ON_NETWORKS);
  return Object.keys(kinds);
}

const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
console.log(`seed ${seed}`);
const result = await storm({
  seed,
  faults: whole('faults', 0, 1_000_000),
  pages: whole('pages', 2, 10),
  clients: whole('clients', 0, 10),
  rooms,
  minutes: number('minutes', 0.1, 10_000),
  pace: number('pace', 0, 60_000),
  cluster,
  // A member that is cut off for a minute is still to find everything.
  relayArgs: cluster ? ['--history-messages', '100000', '--history-bytes', '64M'] : [],
  kinds: cluster && kindsOfCluster(),
  protocol: values.protocol,
  say: (text) => console.log(text),
});
console.log(`\n${report(result).join('\n')}`);
if (values.json) await writeFile(values.json, `${JSON.stringify(summary(result), undefined, 2)}\n`);
if (result.failures.length > 0) {
  const folder = join(ROOT, 'target/chaos');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${seed.replace(/[^\w.-]/g, '_')}.json`);
  await writeFile(file, JSON.stringify(result));
  console.log(`\nAll that happened is in ${file}; the same faults come with --seed ${seed}`);
}
process.exitCode = result.failures.length > 0 ? 1 : 0;
