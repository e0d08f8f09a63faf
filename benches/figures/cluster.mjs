// What is lost on relays that share NATS, while everything fails in turn.

import { number, paragraph, table } from './words.mjs';

/** Faults of servers, as words. All others strike connections of members. */
const SERVERS = {
  'relay-killed': 'relays were killed',
  'relay-paused': 'stopped for seconds',
  'nats-cut': 'cut off from NATS',
  'nats-killed': 'and NATS servers killed',
};

export function course({ members, faults, counts, rooms }) {
  const pages = members.filter((name) => name.startsWith('page')).length;
  const all = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const servers = Object.entries(SERVERS).map(([kind, words]) => `${words} ${faults[kind] ?? 0} times`);
  return paragraph(
    `${pages} pages in Chromium, ${members.length - pages} clients in Node and ${rooms.people} in rooms, ${number(all)} faults: ${servers.join(', ')}; ${number(counts.reconnects)} connections of pages and clients were lost.`,
  );
}

const seconds = ({ median, worst }, digits) => `${number(median / 1000, digits)} s, ${number(worst / 1000, 1)} s`;

export function losses({ counts, recoveryMilliseconds: { all } }) {
  return table(
    ['sent', 'delivered', 'lost', 'repeated', 'out of order', 'gaps', 'time to reconnect (median, worst)'],
    [[...['sent', 'delivered', 'lost', 'repeated', 'outOfOrder', 'gaps'].map((name) => number(counts[name])), seconds(all, 2)]],
  );
}

export function inRooms({ failures, rooms: { counts, recoveryMilliseconds: { all } } }) {
  return table(
    ['requests in rooms', 'answered', 'lost with their connection', 'messages in rooms', 'contradictions and other failures', 'until rooms answer after a fault (median, worst)'],
    [[...[counts.asked, counts.answered, counts.unanswered, counts.got, failures].map((value) => number(value)), seconds(all, 1)]],
  );
}
