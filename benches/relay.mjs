// npm run bench -- relay: what our relay costs for each delivery and each connection, beside servers
// of npm's ws and socket.io that do the same work. One client publishes, all others receive. With
// --binary (once for each) it compares builds of the relay instead, such as before and after a change.
//
// The clients are a process of their own (benches/generator). Only the processor time of the
// server's process counts, as the kernel counts it. Other work on the machine makes times longer,
// also this one a little, so servers take turns, and of the rounds the median counts. The clients
// need about as much time as the server: deliveries a second are those of the whole machine.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { relay } from '../tests/support/servers.mjs';

const { values: options } = parseArgs({
  options: {
    receivers: { type: 'string', default: '100,1000' },
    sizes: { type: 'string', default: '200,1500,15000' },
    connections: { type: 'string', default: '1000,10000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    binary: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
const [receivers, sizes, connections] = ['receivers', 'sizes', 'connections'].map((name) => options[name].split(',').map((text) => whole(name, text)));
const [seconds, rounds] = ['seconds', 'rounds'].map((name) => whole(name, options[name]));

/** So that the relay's limits aren't what is measured. */
const RELAY = ['--connections', '20000', '--rate', '1000000', '--rate-bytes', '4000000000', '--queue-bytes', '64000000', '--memory', '4000000000', '--log', 'error'];
const ours = (protocol, program) => ({ protocol, start: () => relay({ args: RELAY, program }) });
const npms = (protocol, script) => ({ protocol, start: () => child(script) });

/** What the generator calls the protocols. */
const PROTOCOLS = { 'plain': 'plain', 'resuming': 'relay', 'Socket.IO': 'socket-io', 'SignalR': 'signalr', 'events': 'sse' };
const relays = (program, name) => Object.entries(PROTOCOLS).map(([title, protocol]) => [`${name}, ${title}`, { ...ours(protocol, program), title }]);

/** What is measured, each beside the first of its kind. */
const SERVERS = Object.fromEntries(
  options.binary.length > 0
    ? options.binary.flatMap((program) => relays(program, program))
    : [['ws', npms('plain', 'relay/ws.mjs')], ['socket.io', npms('socket-io', 'relay/socket-io.mjs')], ...relays(undefined, 'relay')],
);
/** The name of what a server is compared with. */
const baseline = (name) => Object.keys(SERVERS).find((other) => options.binary.length === 0 || SERVERS[other].title === SERVERS[name].title);
const COMPARED = options.binary.length > 0 ? 'to the first' : 'to ws';

const result = { processor: cpus()[0].model, cores: cpus().length, node: process.version, loads: [], idle: [] };
for (const count of receivers) {
  for (const size of sizes) {
    const runs = await inTurns(async ({ protocol, start }) => {
      const full = await measured(start, protocol, 'full', { receivers: count, size, seconds });
      const paced = await measured(start, protocol, 'paced', { receivers: count, size, seconds, rate: Math.max(1, full.messagesPerSecond / 2) });
      return { ...full, latencyMicroseconds: paced.latencyMicroseconds };
    });
    result.loads.push({ receivers: count, size, servers: runs });
    print(
      `${count} receivers, messages of ${size} bytes`,
      ['processor µs each delivery', COMPARED, 'deliveries a second', 'half load: median ms', '99 %', '99.9 %'],
      runs,
      ({ processorMicrosecondsPerDelivery: cost, deliveriesPerSecond, latencyMicroseconds: latency }, first) => [
        cost.toFixed(2),
        (cost / first.processorMicrosecondsPerDelivery).toFixed(2),
        Math.round(deliveriesPerSecond).toLocaleString('en'),
        ...['median', '99', '99.9'].map((part) => (latency[part] / 1000).toFixed(1)),
      ],
    );
  }
}
for (const count of connections) {
  const runs = await inTurns(({ protocol, start }) => measured(start, protocol, 'idle', { receivers: count }));
  result.idle.push({ connections: count, servers: runs });
  print(`${count} idle connections`, ['kB each', COMPARED], runs, ({ bytesPerConnection: bytes }, first) => [(bytes / 1000).toFixed(1), (bytes / first.bytesPerConnection).toFixed(2)]);
}
// The page shows the relay beside other servers.
if (options.json && options.binary.length === 0) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
process.exit();

/** The median of the rounds for each server, which take turns. */
async function inTurns(measure) {
  const all = Object.fromEntries(Object.keys(SERVERS).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(SERVERS)) all[name].push(await measure(server));
  }
  return Object.fromEntries(Object.entries(all).map(([name, runs]) => [name, medians(runs)]));
}

/** A fresh server, measured: one that others have warmed up would have an advantage. */
async function measured(start, protocol, measure, settings) {
  const server = await start();
  try {
    const given = { address: `127.0.0.1:${server.port}`, pid: server.pid, protocol, measure, ...settings };
    const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await promisify(execFile)(process.env.LOAD_GENERATOR ?? 'target/relay/load-generator', words);
    return JSON.parse(stdout);
  } finally {
    await server.close();
  }
}

async function child(script) {
  const started = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(started, 'exit');
  const [port] = await once(createInterface(started.stdout), 'line');
  return { port, pid: started.pid, close: () => (started.kill('SIGKILL'), ended) };
}

/** The median of each number in these objects, which have the same members. */
function medians(runs) {
  return Object.fromEntries(
    Object.entries(runs[0]).map(([name, value]) => {
      const values = runs.map((run) => run[name]);
      if (typeof value === 'object') return [name, medians(values)];
      return [name, values.toSorted((a, b) => a - b)[values.length >> 1]];
    }),
  );
}

function print(title, columns, runs, cells) {
  console.log(`\n${title}\n\n| | ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length + 1)}`);
  for (const [name, run] of Object.entries(runs)) console.log(`| ${name} | ${cells(run, runs[baseline(name)]).join(' | ')} |`);
}

function whole(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is ${options[name]}; give whole numbers from 1 up`);
  return value;
}
