// npm run bench -- relay: what our relay costs for each delivery and each connection, and how soon all
// clients are back after it was killed and started again, beside servers of npm's ws and socket.io and
// of the crate socketioxide that do the same work. One client publishes, all others receive. The floor
// is a server that writes each message by one call of the system for each receiver. With --binary
// (once for each) it compares builds of the relay instead, such as before and after a change.
//
// The clients are a process of their own (benches/generator). Only the processor time of the
// server's process counts, as the kernel counts it. Other work on the machine makes times longer,
// also this one a little, so servers take turns, and of the rounds the median counts. The clients
// need about as much time as the server: deliveries a second are those of the whole machine.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
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
    returning: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    binary: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
const [receivers, sizes, connections, returning] = ['receivers', 'sizes', 'connections', 'returning'].map((name) => options[name].split(',').map((text) => whole(name, text)));
const [seconds, rounds] = ['seconds', 'rounds'].map((name) => whole(name, options[name]));

const GENERATOR = process.env.LOAD_GENERATOR ?? 'target/relay/load-generator';

/** So few messages that each goes out by itself, with every protocol and server: bytes, and deliveries a second. */
const SINGLE = { size: 1500, deliveries: 10_000 };

/** So that the relay's limits aren't what is measured. */
const RELAY = ['--connections', '20000', '--rate', '1000000', '--rate-bytes', '4000000000', '--queue-bytes', '64000000', '--memory', '4000000000', '--log', 'error'];
const ours = (protocol, program) => ({ protocol, start: (port = 0) => relay({ args: [...RELAY, '--listen', `127.0.0.1:${port}`], program }) });
const npms = (protocol, script) => ({ protocol, start: (port) => child(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], port) });
const rusts = (protocol, name) => ({ protocol, start: (port) => child(join(process.env.RIVALS ?? 'target/rivals/release', name), [], port) });

/** What the generator calls the protocols. */
const PROTOCOLS = { 'plain': 'plain', 'resuming': 'relay', 'Socket.IO': 'socket-io', 'SignalR': 'signalr', 'events': 'sse' };
const relays = (program, name) => Object.entries(PROTOCOLS).map(([title, protocol]) => [`${name}, ${title}`, { ...ours(protocol, program), title }]);

/** What is measured, each beside the first of its kind. */
const SERVERS = Object.fromEntries(
  options.binary.length > 0
    ? options.binary.flatMap((program) => relays(program, program))
    : [
        ['ws', npms('plain', 'relay/ws.mjs')],
        ['socket.io', npms('socket-io', 'relay/socket-io.mjs')],
        ['socketioxide', rusts('socket-io', 'socketioxide')],
        // It is there for deliveries only, and has two file descriptors for each connection.
        ['floor', { ...rusts('plain', 'floor'), isFloor: true }],
        ...relays(undefined, 'relay'),
      ],
);
const REAL = Object.entries(SERVERS).filter(([, { isFloor }]) => !isFloor);
/** The name of what a server is compared with. */
const baseline = (name) => Object.keys(SERVERS).find((other) => options.binary.length === 0 || SERVERS[other].title === SERVERS[name].title);
const COMPARED = options.binary.length > 0 ? 'to the first' : 'to ws';

const result = { processor: cpus()[0].model, cores: cpus().length, node: process.version, loads: [], singles: [], idle: [], restarts: [] };
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
for (const count of receivers) {
  const load = { receivers: count, size: SINGLE.size, rate: Math.max(1, Math.round(SINGLE.deliveries / count)) };
  const runs = await inTurns(({ protocol, start }) => measured(start, protocol, 'paced', { ...load, seconds }));
  result.singles.push({ ...load, servers: runs });
  print(`${load.rate} messages a second of ${load.size} bytes to ${count} receivers`, ['processor µs each delivery', COMPARED], runs, ({ processorMicrosecondsPerDelivery: cost }, first) => [
    cost.toFixed(2),
    (cost / first.processorMicrosecondsPerDelivery).toFixed(2),
  ]);
}
for (const count of connections) {
  const runs = await inTurns(({ protocol, start }) => measured(start, protocol, 'idle', { receivers: count }), REAL);
  result.idle.push({ connections: count, servers: runs });
  print(`${count} idle connections`, ['kB each', COMPARED], runs, ({ bytesPerConnection: bytes }, first) => [(bytes / 1000).toFixed(1), (bytes / first.bytesPerConnection).toFixed(2)]);
}
for (const count of returning) {
  const runs = await inTurns((server) => restarted(server, { receivers: count }), REAL);
  result.restarts.push({ connections: count, servers: runs });
  print(`${count} clients after a restart`, ['s until all are back', COMPARED, 'processor s of the server'], runs, ({ secondsUntilAllAreBack: time, processorSeconds }, first) => [
    time.toFixed(2),
    (time / first.secondsUntilAllAreBack).toFixed(2),
    processorSeconds.toFixed(2),
  ]);
}
// The page shows the relay beside other servers.
if (options.json && options.binary.length === 0) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
process.exit();

/** The median of the rounds for each server, which take turns. */
async function inTurns(measure, servers = Object.entries(SERVERS)) {
  const all = Object.fromEntries(servers.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of servers) all[name].push(await measure(server));
  }
  return Object.fromEntries(Object.entries(all).map(([name, runs]) => [name, medians(runs)]));
}

/** A fresh server, measured: one that others have warmed up would have an advantage. */
async function measured(start, protocol, measure, settings) {
  const server = await start();
  try {
    const { stdout } = await promisify(execFile)(GENERATOR, words({ server, protocol, measure, ...settings }));
    return JSON.parse(stdout);
  } finally {
    await server.close();
  }
}

/** A server that is killed and started again, measured. */
async function restarted({ protocol, start }, settings) {
  let server = await start();
  const generator = spawn(GENERATOR, words({ server, protocol, measure: 'restart', ...settings }), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(generator.stdout)[Symbol.asyncIterator]();
  try {
    await lines.next();
    await server.kill();
    server = await start(server.port);
    generator.stdin.end(`${server.pid}\n`);
    const { value } = await lines.next();
    if (!value) throw new Error('the load generator has failed');
    return JSON.parse(value);
  } finally {
    generator.kill();
    await server.kill();
  }
}

/** The generator's arguments. */
function words({ server, ...settings }) {
  const given = { address: `127.0.0.1:${server.port}`, pid: server.pid, ...settings };
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

async function child(program, args, wanted = 0) {
  const started = spawn(program, [...args, String(wanted)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(started, 'exit');
  const [port] = await once(createInterface(started.stdout), 'line');
  const kill = () => (started.kill('SIGKILL'), ended);
  return { port, pid: started.pid, close: kill, kill };
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
