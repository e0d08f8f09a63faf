// How pages come back after an outage.

import { number, rounded, table } from './words.mjs';

const seconds = (value) => `${Math.round(value)} s`;
const percent = (share) => `${Math.round(100 * share)} %`;

/** The outages of all scenarios in which connections are refused, and each costs the same. */
const refused = ({ scenarios }) => [...scenarios.refused.outages, ...scenarios.long.outages];

/** Those with the most relays, which are no limit there. */
function unlimited(figures) {
  const most = Math.max(...refused(figures).map(({ relays }) => relays));
  return refused(figures).filter(({ relays }) => relays === most);
}

/** The options of the table, and what a relay takes. */
export function method({ scenarios }) {
  const { relays, connectionMicroseconds, connectionsPerSecond } = scenarios.refused.outages[0];
  return `With ${connectionMicroseconds} µs of one processor for each connection a relay takes ${number(connectionsPerSecond / relays)} a second`;
}

/** How much longer pages take to come back where a connection costs more. */
export function costly({ scenarios }) {
  const times = scenarios.costly.outages.map((slow) => {
    const fast = scenarios.refused.outages.find(({ relays, outageSeconds }) => relays === slow.relays && outageSeconds === slow.outageSeconds);
    return slow.backSeconds['99'] / fast.backSeconds['99'];
  });
  return `with ${scenarios.costly.outages[0].connectionMicroseconds} µs they take up to ${rounded(Math.max(...times))} times as long`;
}

export function course(figures) {
  return table(
    ['outage', 'relays', '50 % are back', '90 %', '99 %', 'all', 'attempts in the busiest second, of what the relays take', 'failed attempts of each page'],
    refused(figures).map(({ outageSeconds, relays, backSeconds, peakAttemptsPerSecond, peakLoad, failedPerPage }) => [
      seconds(outageSeconds),
      relays,
      ...[50, 90, 99, 100].map((share) => seconds(backSeconds[share])),
      `${number(peakAttemptsPerSecond)}: ${rounded(peakLoad)} times`,
      number(failedPerPage, 2),
    ]),
  );
}

/** What no number of relays makes shorter. */
export function best(figures) {
  const { backSeconds } = unlimited(figures).at(-1);
  return `half of the pages are back after ${seconds(backSeconds['50'])} and all after ${seconds(backSeconds['100'])}`;
}

/** What one relay needs at least, and what it takes. */
export function alone({ scenarios }) {
  const all = scenarios.refused.outages.filter(({ relays }) => relays === 1);
  const times = all.map(({ backSeconds }) => Math.round(backSeconds['99']));
  const needed = all[0].pages / all[0].connectionsPerSecond;
  return `one relay needs ${seconds(needed)}, and 99 % are back after ${[...new Set([Math.min(...times), Math.max(...times)])].join(' to ')} s`;
}

/** What comes to a proxy while there is no relay. */
export function during({ scenarios }) {
  const attempts = scenarios.long.outages[0].attemptsPerSecondDuring;
  const later = attempts.slice(attempts.length / 2);
  const mean = later.reduce((sum, count) => sum + count, 0) / later.length;
  return `${rounded(attempts[0] / 1e6)} million attempts come in the first second, and in the end ${rounded(mean)} in each`;
}

/** The share of all pages that try in one second, where packets vanish. */
export function silent({ scenarios }) {
  const { options, outages: [{ pages, peakAttemptsPerSecond }] } = scenarios.silent;
  return `Not more than ${percent(peakAttemptsPerSecond / pages)} of all pages try in one second (\`${options}\`)`;
}

/** How many TLS handshakes the default drops, and a higher limit. */
export function tls({ scenarios }) {
  const [narrow, wide] = [scenarios.tls, scenarios.tlsWithRoom].map(({ outages }) => outages[0]);
  return `${number(narrow.dropped)} handshakes are dropped for ${number(narrow.pages)} pages, and all are back after ${seconds(narrow.backSeconds['100'])}. With \`--http-connections ${wide.httpConnections}\` ${wide.dropped === 0 ? 'none is' : `${number(wide.dropped)} are`}, and all are back after ${seconds(wide.backSeconds['100'])}`;
}

export function tlsOptions({ scenarios }) {
  return `\`${scenarios.tls.options}\``;
}
