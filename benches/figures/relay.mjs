// What the relay costs, beside other servers.

import { list, number, paragraph, range, rounded, table, verdict } from './words.mjs';

/** What the relay's lines are called. Other servers have their names. */
const NAMES = {
  floor: 'one call of `send` for each delivery',
  'relay, plain': 'relay, plain WebSockets',
  'relay, resuming': 'relay, pages that can resume',
  'relay, events': 'relay, server-sent events',
};
const PLAIN = 'relay, plain';
const RESUMING = 'relay, resuming';
const EVENTS = 'relay, events';

/** Microseconds for each delivery of 1.5 kB, by the number of receivers. */
const COST_GOALS = { 100: 1.2, 1000: 2.0 };
const PROTOCOL_GOAL = 1.2;
const IDLE_GOAL = 8000;

const named = (name) => NAMES[name] ?? name;
const kilobytes = (bytes) => `${bytes / 1000} kB`;

export function rivals({ node }) {
  return `ws and socket.io, on Node ${node.replace(/^v|\..*/g, '')}`;
}

/** Processor time for each delivery, and memory for each idle connection at the highest count. */
export function costs({ loads, idle }) {
  const most = idle.at(-1);
  const columns = loads.map(({ receivers, size }) => `${number(receivers)} receivers, ${kilobytes(size)}`);
  return table(
    ['', ...columns, `memory, ${number(most.connections)} connections`],
    Object.keys(loads[0].servers).map((name) => [
      named(name),
      ...loads.map(({ servers }) => number(servers[name].processorMicrosecondsPerDelivery, 1)),
      most.servers[name] ? number(most.servers[name].bytesPerConnection / 1000, 1) : '',
    ]),
  );
}

/** The same where each message goes out alone. */
export function singles({ singles }) {
  return table(
    ['', ...singles.map(({ receivers, rate }) => `${number(receivers)} receivers, ${number(rate)} messages a second`)],
    Object.keys(singles[0].servers).map((name) => [named(name), ...singles.map(({ servers }) => number(servers[name].processorMicrosecondsPerDelivery, 1))]),
  );
}

/** How soon all clients are back that a restarted server had. */
export function restarts({ restarts }) {
  const [{ connections, servers }] = restarts;
  return table(
    ['', `seconds until all ${number(connections)} are back`, 'processor seconds of the server'],
    Object.entries(servers).map(([name, run]) => [named(name), number(run.secondsUntilAllAreBack, 1), number(run.processorSeconds, 1)]),
  );
}

/** What deliveries of 1.5 kB take at half of each server's full load, in milliseconds. */
export function latencies({ loads }) {
  const shown = loads.filter(({ size }) => size === 1500);
  return table(
    ['', ...shown.flatMap(({ receivers }) => [`${number(receivers)} receivers: median`, '99 %', '99.9 %'])],
    Object.keys(shown[0].servers).map((name) => [
      named(name),
      ...shown.flatMap(({ servers }) => ['median', '99', '99.9'].map((part) => rounded(servers[name].latencyMicroseconds[part] / 1000))),
    ]),
  );
}

/** Deliveries that go out alone, beside ws and the bare call, in a sentence. */
export function alone({ singles }) {
  const times = (other) => range(singles.map(({ servers }) => servers[PLAIN].processorMicrosecondsPerDelivery / servers[other].processorMicrosecondsPerDelivery), 1);
  return `a delivery by the relay over plain WebSockets costs ${times('ws')} times what ws takes, and ${times('floor')} times the bare call`;
}

/** What half of what each can do is, in a sentence. */
export function rates({ loads }) {
  const times = loads
    .filter(({ size }) => size === 1500)
    .map(({ receivers, servers }) => `${number(servers[PLAIN].deliveriesPerSecond / servers.ws.deliveriesPerSecond, 1)} times as much with ${number(receivers)} receivers`);
  return `that of the relay is ${list(times)} as that of ws`;
}

/** How much more a delivery costs that goes out alone, in a sentence. */
export function singled({ loads, singles }) {
  const factors = singles.flatMap(({ receivers, size, servers }) => {
    const together = loads.find((load) => load.receivers === receivers && load.size === size).servers;
    return Object.keys(servers)
      .filter((name) => name.startsWith('relay') && name !== EVENTS)
      .map((name) => servers[name].processorMicrosecondsPerDelivery / together[name].processorMicrosecondsPerDelivery);
  });
  return `up to ${number(Math.max(...factors))} times`;
}

export function goals({ loads, idle }) {
  const cost = ({ servers }, name) => servers[name].processorMicrosecondsPerDelivery;
  const loaded = loads.filter(({ receivers, size }) => size === 1500 && COST_GOALS[receivers]);
  const others = Object.keys(loads[0].servers).filter((name) => name.startsWith('relay') && name !== PLAIN);
  // The worst of each protocol.
  const factors = others.map((name) => ({ name, factor: Math.max(...loads.map((load) => cost(load, name) / cost(load, PLAIN))) }));
  const dear = factors.filter(({ factor }) => factor > PROTOCOL_GOAL);
  const most = idle.at(-1);
  const bytes = most.servers[PLAIN].bytesPerConnection;
  const judged = [
    ...loaded.map((load) => ({
      text: `${number(COST_GOALS[load.receivers], 1)} µs (plain, ${number(load.receivers)} receivers, 1.5 kB)`,
      reached: cost(load, PLAIN) <= COST_GOALS[load.receivers],
    })),
    { text: `${PROTOCOL_GOAL} times the plain cost for each other protocol`, reached: dear.length === 0 },
    { text: `${IDLE_GOAL / 1000} kB for each idle connection`, reached: bytes <= IDLE_GOAL },
  ];
  const beyond = dear.map(({ name, factor }) => `${named(name).replace('relay, ', '')} up to ${number(factor, 1)} times`);
  const ws = most.servers.ws?.bytesPerConnection;
  return paragraph(
    [verdict(judged), dear.length > 0 && `Above the plain cost by more than that: ${list(beyond)}.`, ws && `An idle connection costs ${number(bytes / ws, 1)} times what it costs with ws.`]
      .filter(Boolean)
      .join(' '),
  );
}

/** An idle page with signal-wasm, at the highest count, in a sentence. */
export function idle({ idle }) {
  return `${number(idle.at(-1).servers[RESUMING].bytesPerConnection / 1000)} kB`;
}

/** How many of them a gigabyte holds, in a sentence. */
export function gigabyte({ idle }) {
  return rounded(1e9 / idle.at(-1).servers[RESUMING].bytesPerConnection);
}

/** The program without clients, in a sentence. */
export function program({ idle }) {
  return `${number(idle.at(-1).servers[PLAIN].bytesWithoutConnections / 1e6)} MB`;
}

/** The same for so many clients that the memory of the program by itself is little beside it. */
export function many({ idle }) {
  const { connections, servers } = idle.at(-1);
  return `${number(connections)} idle clients add about ${rounded((connections * servers[PLAIN].bytesPerConnection) / 1e6)} MB`;
}

/** For operators: idle clients, and deliveries to a hundred. */
export function operating({ loads, idle }) {
  const most = idle.at(-1).servers;
  const names = Object.keys(loads[0].servers).filter((name) => name.startsWith('relay') && name !== EVENTS);
  return table(
    ['what', 'how much'],
    [
      ['an idle client, a plain WebSocket or a page with signal-wasm', `${range([PLAIN, RESUMING].map((name) => most[name].bytesPerConnection / 1000))} kB of memory`],
      ...loads
        .filter(({ receivers, size }) => receivers === 100 && size < 10_000)
        .map(({ receivers, size, servers }) => [
          `a message of ${kilobytes(size)}, for each of ${receivers} clients that receive it`,
          `${range(names.map((name) => servers[name].processorMicrosecondsPerDelivery), 1)} µs of processor time`,
        ]),
    ],
  );
}

/** How much more server-sent events cost than plain WebSockets, in a sentence. */
export function events({ loads }) {
  const factors = loads.map(({ servers }) => servers[EVENTS].processorMicrosecondsPerDelivery / servers[PLAIN].processorMicrosecondsPerDelivery);
  return `${range(factors, 1)} times`;
}
