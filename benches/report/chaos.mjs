// The page's part about what is lost while connections break and relays die.

import { bars } from './charts.mjs';

export function chaos({ members, faults, counts, recoveryMilliseconds }) {
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const number = (value) => value.toLocaleString('en');
  const rows = Object.entries(recoveryMilliseconds).map(([name, { median }]) => ({ name, value: median, ours: true }));
  return [
    `<h2>Losses</h2>
     <p>${members.length} pages and clients, ${number(struck)} faults, ${number(counts.sent)} messages sent and ${number(counts.delivered)} delivered:
     ${number(counts.lost)} lost, ${number(counts.repeated)} repeated, ${number(counts.outOfOrder)} out of order. With killed relays,
     ${number(counts.lostTold)} were lost that pages were told of.</p>`,
    bars('Until a page is connected again, by what struck it', 'ms, median', rows),
  ];
}

export function cluster({ faults, failures, counts, recoveryMilliseconds }) {
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const number = (value) => value.toLocaleString('en');
  const rows = Object.entries(recoveryMilliseconds).map(([name, { median }]) => ({ name, value: median, ours: true }));
  return [
    `<h2>Losses with several relays</h2>
     <p>Three relays that share three NATS servers, behind HAProxy, ${number(struck)} faults, ${number(counts.sent)} messages sent and
     ${number(counts.delivered)} delivered: ${number(failures)} were lost, repeated, out of order, or contradict each other in a room.</p>`,
    bars('Until a page is connected again, by what struck it', 'ms, median', rows),
  ];
}
