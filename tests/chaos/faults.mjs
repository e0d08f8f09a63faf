// The faults of a chaos run: which there are, how often, and in what order for a seed.

import { random } from './random.mjs';

/** Each kind, and how often it comes among a hundred or so. */
export const WEIGHTS = {
  'cut-reset': 22,
  'cut-end': 14,
  'cut-all': 2,
  'truncate-up': 7,
  'truncate-down': 7,
  'stall-up': 9,
  'stall-down': 9,
  'stall-up-for-good': 0.7,
  'stall-down-for-good': 0.7,
  delay: 16,
  refuse: 6,
  'relay-killed': 3,
};

/** Those of relays that share NATS. */
export const OF_CLUSTERS = { 'nats-killed': 4, 'nats-cut': 8 };

/** Those of a network, whose packets vanish. */
export const OF_NETWORKS = { partitioned: 6 };

/** Those of relays that keep rooms: they last long enough that another one keeps them then. */
export const OF_ROOMS = { 'relay-paused': 5 };

/** The same on a network. */
export const OF_ROOMS_ON_NETWORKS = { 'relay-isolated': 4 };

const ALL = { ...WEIGHTS, ...OF_CLUSTERS, ...OF_NETWORKS, ...OF_ROOMS, ...OF_ROOMS_ON_NETWORKS };

/** After these the connection is lost, sooner or later; the rest it lives through. */
export const FATAL = new Set(['cut-reset', 'cut-end', 'cut-all', 'truncate-up', 'truncate-down', 'stall-up-for-good', 'stall-down-for-good', 'refuse', 'relay-killed']);

/**
 * `count` faults on average `pace` milliseconds apart, of `wanted` kinds (default: all but those of clusters), `deaths`
 * of the relay among them at least. Each has `pause` (before it), `kind`, `member` (whose
 * connection) and its own figures.
 */
export function faults({ seed, count, wanted = Object.keys(WEIGHTS), members, pace, deaths }) {
  const chance = random(`faults ${seed}`);
  const weights = Object.fromEntries(wanted.map((kind) => [kind, ALL[kind]]));
  const kinds = Array.from({ length: count }, () => chance.weighted(weights));
  const places = Array.from({ length: deaths }, (_, index) => Math.floor(((index + 0.5) / deaths) * count));
  for (const place of kinds.filter((kind) => kind === 'relay-killed').length < deaths ? places : []) kinds[place] = 'relay-killed';
  return kinds.map((kind) => {
    const jitterSeed = chance.whole(0, 2 ** 31);
    return {
      pause: chance.between(0, 2 * pace),
      kind,
      member: chance.whole(0, members - 1),
      how: chance.pick(['reset', 'end']),
      part: chance.next(),
      milliseconds: chance.between(50, 1500),
      latency: chance.between(0, 120),
      jitter: chance.between(0, 80),
      down: chance.chance(0.3) ? 0 : chance.between(0, 1000),
      jitterSeed,
    };
  });
}
