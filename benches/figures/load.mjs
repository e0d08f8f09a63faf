// What a room of RTCMultiConnection 3 costs its server.

import { number, table } from './words.mjs';

const ROWS = [
  ['processor time of the server, ms', ['processorMilliseconds'], (value) => number(value, 1)],
  ['messages to the server, from it', ['messagesSent', 'messagesReceived'], (value) => number(value)],
  ['kilobytes to the server, from it', ['bytesSent', 'bytesReceived'], (value) => number(value / 1000)],
  ['until all others know, ms', ['connectedMilliseconds'], (value) => number(value, 1)],
  ['memory of the server, MB', ['memoryMegabytes'], (value) => number(value)],
];

export function participants({ participants }) {
  return number(participants);
}

export function rounds({ rounds }) {
  return `median of ${rounds} rounds`;
}

export function costs({ servers }) {
  const [original, ours] = Object.values(servers);
  const cells = (of, members) => members.map(of).join(', ');
  return table(
    ['', 'rtcmulticonnection-server', 'relay', 'ratio'],
    ROWS.map(([title, members, text]) => [
      title,
      cells((member) => text(original[member]), members),
      cells((member) => text(ours[member]), members),
      cells((member) => number(ours[member] / original[member], 2), members),
    ]),
  );
}
