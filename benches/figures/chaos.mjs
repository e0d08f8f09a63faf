// What is lost while connections break and relays die.

import { number, paragraph, table } from './words.mjs';

export function course({ members, faults, counts }) {
  const pages = members.filter((name) => name.startsWith('page')).length;
  const all = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return paragraph(
    `${pages} pages in Chromium and ${members.length - pages} clients in Node, ${number(all)} faults: ${number(counts.reconnects)} connections lost, the relay killed ${faults['relay-killed'] ?? 0} times.`,
  );
}

/** Faults after which it takes long to reconnect. */
const SILENT = ['stall-up-for-good', 'stall-down-for-good'];
const KILLED = ['relay-killed'];

/** The worst times to reconnect, in sentences. */
export function worst({ recoveryMilliseconds }) {
  const kinds = Object.keys(recoveryMilliseconds).filter((kind) => kind !== 'all');
  const seconds = (some) => number(Math.max(...some.map((kind) => recoveryMilliseconds[kind].worst)) / 1000, 1);
  const [silent, killed] = [SILENT, KILLED].map((named) => seconds(kinds.filter((kind) => named.includes(kind))));
  const others = seconds(kinds.filter((kind) => ![...SILENT, ...KILLED].includes(kind)));
  return paragraph(`The worst time was ${silent} s where a connection fell silent, until its heartbeat revealed it; ${killed} s where the relay was killed; and ${others} s after other faults.`);
}

export function losses({ counts, recoveryMilliseconds: { all } }) {
  return table(
    ['sent', 'delivered', 'lost', 'lost with a killed relay, reported by `ongap`', 'repeated', 'sent again after a kill, arrived twice', 'out of order', 'time to reconnect (median, worst)'],
    [[...['sent', 'delivered', 'lost', 'lostTold', 'repeated', 'repeatedAllowed', 'outOfOrder'].map((name) => number(counts[name])), `${number(all.median / 1000, 2)} s, ${number(all.worst / 1000, 1)} s`]],
  );
}
