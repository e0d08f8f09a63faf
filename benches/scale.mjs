// npm run bench -- scale: what relays cost that share NATS, one server or three with three copies of
// all, beside one relay without a store: for each delivery, for each message, for each page that comes back on another relay, for
// each request of a page of RTCMultiConnection, and how long a message and an answer take.
//
// Clients, relays and NATS share this machine, so deliveries a second say little about machines of
// their own. Processor time does: that of all relays together, and that of NATS. Other work on the
// machine makes it longer, so the set-ups take turns, and of the rounds the median counts.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';
import { nats, natsVersion } from '../tests/support/nats.mjs';
import { relay } from '../tests/support/servers.mjs';
import { machine } from './machine.mjs';
import { median } from './median.mjs';

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: {
    receivers: { type: 'string', default: '300' },
    spaces: { type: 'string', default: '30' },
    size: { type: 'string', default: '1500' },
    pages: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const [receivers, spaces, size, pages, seconds, rounds] = ['receivers', 'spaces', 'size', 'pages', 'seconds', 'rounds'].map((name) => {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is ${options[name]}; give a whole number from 1 up`);
  return value;
});
if (receivers % spaces !== 0) throw new Error('--receivers must be a multiple of --spaces');

/** Messages a second when it is measured how long one takes: few, so that none waits for another. */
const CALM = 100;
/** Messages a second to all receivers: so few that each goes out alone. Under full load several go out together. */
const APART = 50;
/** Pages of RTCMultiConnection, two to a room. */
const IN_ROOMS = 32;
/** So that the relays' limits aren't what is measured. */
const RELAY = ['--connections', '20000', '--rate', '1000000', '--rate-bytes', '4000000000', '--queue-bytes', '64000000', '--memory', '4000000000', '--log', 'error'];

/** How many relays there are, and what they share: NATS servers, of which there is one if nothing else is said. */
const SETUPS = {
  'one relay, no store': { relays: 1 },
  'one relay': { relays: 1, store: [] },
  'two relays': { relays: 2, store: [] },
  'three relays': { relays: 3, store: [] },
  'three relays, three NATS servers': { relays: 3, servers: 3, store: ['--store-replicas', '3'] },
  'one relay, NATS in memory': { relays: 1, store: ['--store-in-memory'] },
  'three relays, NATS in memory': { relays: 3, store: ['--store-in-memory'] },
};
const LOADS = {
  everybody: { measure: 'full', receivers, seconds, size },
  apart: { measure: 'paced', rate: APART, receivers, seconds, size },
  spread: { measure: 'full', receivers, spaces, seconds, size },
  single: { measure: 'full', receivers: 1, seconds, size },
  calm: { measure: 'paced', rate: CALM, receivers: 1, seconds, size },
  back: { measure: 'resume', receivers: pages },
  rooms: { measure: 'rooms', protocol: 'socket-io', receivers: IN_ROOMS, seconds },
};

const version = await natsVersion();
const runs = Object.fromEntries(Object.keys(SETUPS).map((name) => [name, []]));
for (let round = 1; round <= rounds; round += 1) {
  for (const [name, setup] of Object.entries(SETUPS)) {
    process.stderr.write(`round ${round} of ${rounds}: ${name} …\n`);
    const figures = {};
    for (const [load, settings] of Object.entries(LOADS)) figures[load] = await measured(setup, settings);
    runs[name].push(figures);
  }
}
const setups = Object.fromEntries(Object.entries(runs).map(([name, all]) => [name, medians(all)]));

const [first] = Object.values(setups);
const cost = (load) => load.processorMicrosecondsPerDelivery.toFixed(2);
print('For each delivery, µs of processor time of all relays', {
  [`one space of ${receivers}`]: ({ everybody }) => cost(everybody),
  'to one without a store': ({ everybody }) => (everybody.processorMicrosecondsPerDelivery / first.everybody.processorMicrosecondsPerDelivery).toFixed(2),
  [`the same, ${APART} messages a second`]: ({ apart }) => cost(apart),
  [`${spaces} spaces of ${receivers / spaces}`]: ({ spread }) => cost(spread),
  'to one without a store, spread': ({ spread }) => (spread.processorMicrosecondsPerDelivery / first.spread.processorMicrosecondsPerDelivery).toFixed(2),
  'deliveries a second, one space': ({ everybody }) => Math.round(everybody.deliveriesPerSecond),
  'many spaces': ({ spread }) => Math.round(spread.deliveriesPerSecond),
});
print('For each message to one receiver', {
  'relays, µs': ({ single }) => single.processorMicrosecondsPerMessage.toFixed(1),
  'NATS, µs': ({ single }) => single.storeMicrosecondsPerMessage.toFixed(1),
  'until it is there, median ms': ({ calm }) => (calm.latencyMicroseconds.median / 1000).toFixed(2),
  '99 %': ({ calm }) => (calm.latencyMicroseconds['99'] / 1000).toFixed(2),
});
print('For each page', {
  'that connects, relays, µs': ({ back }) => back.processorMicrosecondsPerConnection.toFixed(0),
  'that comes back, relays, µs': ({ back }) => back.processorMicrosecondsPerResumption.toFixed(0),
  'NATS, µs': ({ back }) => back.storeMicrosecondsPerResumption.toFixed(0),
  'in its session': ({ back }) => `${Math.round(back.resumed * 100)} %`,
});
const ofPage = (place, of) => ({ rooms }) => (rooms[place] ? of(rooms[place]) : '');
print('For each request of a page of RTCMultiConnection: on the relay that keeps the rooms, and on another', {
  'relays, µs, one at a time': ofPage('keeper', ({ alone }) => alone.processorMicrosecondsPerRequest.toFixed(1)),
  'until it is answered, median ms': ofPage('keeper', ({ alone }) => (alone.latencyMicroseconds.median / 1000).toFixed(2)),
  '99 %': ofPage('keeper', ({ alone }) => (alone.latencyMicroseconds['99'] / 1000).toFixed(2)),
  [`relays, µs, ${IN_ROOMS} pages`]: ofPage('keeper', ({ together }) => together.processorMicrosecondsPerRequest.toFixed(1)),
  'on another: relays, µs, one at a time': ofPage('other', ({ alone }) => alone.processorMicrosecondsPerRequest.toFixed(1)),
  'NATS, µs, one at a time': ofPage('other', ({ alone }) => alone.storeMicrosecondsPerRequest.toFixed(1)),
  'median ms': ofPage('other', ({ alone }) => (alone.latencyMicroseconds.median / 1000).toFixed(2)),
  '99 %, on another': ofPage('other', ({ alone }) => (alone.latencyMicroseconds['99'] / 1000).toFixed(2)),
  [`on another: relays, µs, ${IN_ROOMS} pages`]: ofPage('other', ({ together }) => together.processorMicrosecondsPerRequest.toFixed(1)),
  [`NATS, µs, ${IN_ROOMS} pages`]: ofPage('other', ({ together }) => together.storeMicrosecondsPerRequest.toFixed(1)),
});
if (options.json) {
  const result = { ...machine(), nats: version, rounds, receivers, spaces, size, pagesInRooms: IN_ROOMS, messagesPerSecond: { apart: APART, calm: CALM }, setups };
  await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
}
process.exit();

/** Fresh servers, measured. */
async function measured({ relays, servers = 1, store }, settings) {
  const server = store && (await nats(servers));
  const args = store ? [...RELAY, '--store', `nats://${server.addresses.join(',')}`, ...store] : RELAY;
  const started = [];
  try {
    while (started.length < relays) started.push(await relay({ args }));
    const address = started.map(({ port }) => `127.0.0.1:${port}`);
    const given = { address, pid: started.map(({ pid }) => pid), protocol: 'relay', ...settings };
    if (server) given['store-pid'] = server.pids;
    const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await run(process.env.LOAD_GENERATOR ?? 'target/relay/load-generator', words);
    return JSON.parse(stdout);
  } finally {
    await Promise.all(started.map((one) => one.kill()));
    await server?.close();
  }
}

/** The median of each number in these objects, which have the same members. */
function medians(all) {
  return Object.fromEntries(
    Object.entries(all[0]).map(([name, value]) => {
      const values = all.map((one) => one[name]);
      if (typeof value === 'object') return [name, medians(values)];
      return [name, median(values)];
    }),
  );
}

function print(title, columns) {
  console.log(`\n${title}\n\n| | ${Object.keys(columns).join(' | ')} |\n|${' --- |'.repeat(Object.keys(columns).length + 1)}`);
  for (const [name, setup] of Object.entries(setups)) {
    const cells = Object.values(columns).map((cell) => cell(setup));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
