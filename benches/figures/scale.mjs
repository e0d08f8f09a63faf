// What relays cost that share NATS, and what they carry by that.

import { paragraph, range, rounded, table } from './words.mjs';

/** The larger machines of the table of capacities: multiples of what was measured. */
const CORES = 8;
const MACHINES = 10;
const NETWORK_GIGABITS = 10;

const ALONE = 'one relay, no store';
const ONE = 'one relay';
const THREE = 'three relays';
/** The set-ups with a store in files. */
const STORED = [ONE, 'two relays', THREE];
const COPIES = 'three relays, three NATS servers';
const IN_MEMORY = 'one relay, NATS in memory';

/** Microseconds of processor time. */
const COSTS = {
  delivery: ({ everybody }) => everybody.processorMicrosecondsPerDelivery,
  apart: ({ apart }) => apart.processorMicrosecondsPerDelivery,
  spread: ({ spread }) => spread.processorMicrosecondsPerDelivery,
  message: ({ single }) => single.processorMicrosecondsPerMessage,
  messageStore: ({ single }) => single.storeMicrosecondsPerMessage,
  deliveriesStore: ({ everybody }) => everybody.storeMicrosecondsPerMessage,
  apartStore: ({ apart }) => apart.storeMicrosecondsPerMessage,
  back: ({ back }) => back.processorMicrosecondsPerResumption,
  backStore: ({ back }) => back.storeMicrosecondsPerResumption,
};

const kilobytes = (bytes) => `${bytes / 1000} kB`;
const milliseconds = ({ latencyMicroseconds }) => `${rounded(latencyMicroseconds.median / 1000)}, ${rounded(latencyMicroseconds['99'] / 1000)} ms`;

/** Least and most, with two digits. */
function between(values) {
  const ends = [Math.min(...values), Math.max(...values)].map(rounded);
  return [...new Set(ends)].join(' to ');
}

const stored = ({ setups }, cost) => STORED.map((name) => cost(setups[name]));

export function method({ nats, rounds, size, cores }) {
  return paragraph(`Messages of ${kilobytes(size)}, in sessions of signal-wasm, NATS ${nats}, ${rounds === 1 ? 'one round' : `median of ${rounds} rounds`}. Clients, relays and NATS share ${cores} cores, so processor time counts, and deliveries a second don't.`);
}

/** For each set-up, processor time and how long a message takes. */
export function costs({ receivers, spaces, messagesPerSecond, setups }) {
  const { delivery, apart, spread, message, messageStore, back, backStore } = COSTS;
  return table(
    [
      '',
      `a delivery, one space of ${receivers}`,
      `the same, ${messagesPerSecond.apart} messages a second`,
      `a delivery, ${spaces} spaces of ${receivers / spaces}`,
      'a message to one receiver: relays, NATS',
      'a page that comes back: relays, NATS',
      'until a message is there: median, 99 %',
    ],
    Object.entries(setups).map(([name, setup]) => [
      name,
      ...[delivery, apart, spread].map((cost) => rounded(cost(setup))),
      ...[[message, messageStore], [back, backStore]].map((pair) => pair.map((cost) => rounded(cost(setup))).join(', ')),
      milliseconds(setup.calm),
    ]),
  );
}

/** What the store adds to a message, in a sentence. */
export function message(figures) {
  const without = COSTS.message(figures.setups[ALONE]);
  const more = stored(figures, (setup) => COSTS.message(setup) - without);
  return `${between(more)} µs of the relays and ${between(stored(figures, COSTS.messageStore))} µs of NATS`;
}

/** What a message to all receivers costs NATS, in a sentence. */
export function toAll(figures) {
  const { receivers, messagesPerSecond } = figures;
  return `A message to ${receivers} receivers costs NATS ${between(stored(figures, COSTS.deliveriesStore))} µs, and with ${messagesPerSecond.apart} of them a second ${between(stored(figures, COSTS.apartStore))} µs`;
}

/** The same for each delivery, in a sentence. */
export function share(figures) {
  const { receivers } = figures;
  const messages = [COSTS.deliveriesStore, COSTS.apartStore].flatMap((cost) => stored(figures, cost));
  return `${between(messages.map((cost) => cost / receivers))} µs`;
}

/** A delivery of a message that goes out alone, in a sentence. */
export function apart({ setups }) {
  return `${range(Object.values(setups).map(COSTS.apart))} µs`;
}

/** A delivery under full load without a store, in a sentence. */
export function together({ setups }) {
  return `${rounded(COSTS.delivery(setups[ALONE]))} µs`;
}

/** The same with a store. */
export function togetherStored(figures) {
  return `${between(stored(figures, COSTS.delivery))} µs`;
}

/** What a message costs NATS in files and in memory, in a sentence. */
export function memory({ receivers, setups }) {
  const pair = (cost) => [ONE, IN_MEMORY].map((name) => rounded(cost(setups[name])));
  const [[files, inMemory], [filesToAll, inMemoryToAll]] = [COSTS.messageStore, COSTS.deliveriesStore].map(pair);
  return `a message to one receiver costs NATS ${files} µs in files and ${inMemory} µs in memory, and one to ${receivers} receivers ${filesToAll} and ${inMemoryToAll} µs`;
}

/** What three copies of all cost, in a sentence. */
export function copies({ setups }) {
  const [one, three] = [THREE, COPIES].map((name) => setups[name]);
  const times = (cost) => rounded(cost(three) / cost(one));
  return `${times(COSTS.messageStore)} times as much processor time for a message to one receiver, and ${times(COSTS.deliveriesStore)} times for one to all; a message takes ${rounded(three.calm.latencyMicroseconds.median / 1000)} ms instead of ${rounded(one.calm.latencyMicroseconds.median / 1000)} ms`;
}

/** A page that comes back, in a sentence. */
export function back(figures) {
  const whole = stored(figures, (setup) => COSTS.back(setup) + COSTS.backStore(setup));
  return `${rounded(COSTS.back(figures.setups[ALONE]))} µs without a store, and ${between(whole)} µs with one, NATS included`;
}

/** How long NATS needs for a million pages that come back, in a sentence. */
export function million(figures) {
  const cost = Math.max(...stored(figures, COSTS.backStore));
  return `A core of NATS takes ${each(cost)} of them in a second, and so a million in ${rounded(cost)} s`;
}

/** What fits into a second. One relay counts for a core and a machine, and three for ten machines. */
export function capacity(figures) {
  const { receivers, size, setups } = figures;
  const without = (cost) => [...ofRelay(cost(setups[ALONE])), '', ''];
  const withStore = (cost, ofStore) => {
    const store = ofStore ? each(Math.max(...stored(figures, ofStore))) : '';
    return [...ofRelay(cost(setups[ONE])), each(cost(setups[THREE]) / CORES / MACHINES), store];
  };
  const network = (NETWORK_GIGABITS * 1e9) / 8 / size;
  return table(
    ['each second', 'one core', `one machine of ${CORES} cores`, `${MACHINES} such machines`, 'each core of NATS'],
    [
      ['pages that come back, no store', ...without(COSTS.back)],
      ['the same, with a store', ...withStore(COSTS.back, COSTS.backStore)],
      [`deliveries, spaces of ${receivers}, no store, one by one`, ...without(COSTS.apart)],
      ['the same, under full load', ...without(COSTS.delivery)],
      [`deliveries, spaces of ${receivers}, with a store, one by one`, ...withStore(COSTS.apart, (setup) => COSTS.apartStore(setup) / receivers)],
      ['the same, under full load', ...withStore(COSTS.delivery, (setup) => COSTS.deliveriesStore(setup) / receivers)],
      [`deliveries of ${kilobytes(size)} that a network of ${NETWORK_GIGABITS} Gbit/s for each machine carries`, '', amount(network), amount(MACHINES * network), ''],
      ['messages to one receiver, with a store, under full load', ...withStore(COSTS.message, COSTS.messageStore)],
    ],
  );
}

/** How often one core, and all cores of a machine, spend so many microseconds in a second. */
function ofRelay(microseconds) {
  return [each(microseconds), each(microseconds / CORES)];
}

function each(microseconds) {
  return amount(1e6 / microseconds);
}

function amount(value) {
  return value < 1e6 ? rounded(value) : `${rounded(value / 1e6)} million`;
}

export function multiples() {
  return `${CORES} cores are one core times ${CORES}, and ${MACHINES} machines are what three relays do with one core, times ${CORES * MACHINES}`;
}

/** Requests of pages in rooms. */
export function rooms({ pagesInRooms, setups }) {
  const cost = ({ processorMicrosecondsPerRequest, storeMicrosecondsPerRequest }) => `${rounded(processorMicrosecondsPerRequest)}, ${rounded(storeMicrosecondsPerRequest)}`;
  const row = (name, { alone, together }) => [name, cost(alone), milliseconds(alone), cost(together), milliseconds(together)];
  return table(
    ['', 'one request at a time: relays, NATS', 'until the answer: median, 99 %', `${pagesInRooms} pages at once: relays, NATS`, 'until the answer: median, 99 %'],
    [
      row(ALONE, setups[ALONE].rooms.keeper),
      ...STORED.filter((name) => setups[name].rooms.other).flatMap((name) => [
        row(`${name}, a page on the keeper`, setups[name].rooms.keeper),
        row(`${name}, a page on another`, setups[name].rooms.other),
      ]),
    ],
  );
}

/** Answers that fit into a second. */
export function answers({ setups }) {
  const { keeper, other } = setups[THREE].rooms;
  return table(
    ['answers each second, many pages at once', 'each core of relays', 'each core of NATS'],
    [
      ['to pages on the keeper', each(keeper.together.processorMicrosecondsPerRequest), ''],
      ['to pages on another relay', each(other.together.processorMicrosecondsPerRequest), each(other.together.storeMicrosecondsPerRequest)],
    ],
  );
}
