// The page's part about what a full room costs the server.

import { bars } from './charts.mjs';

const ROWS = {
  processorMilliseconds: 'processor time',
  messagesSent: 'messages to it',
  messagesReceived: 'messages from it',
  bytesSent: 'bytes to it',
  bytesReceived: 'bytes from it',
  connectedMilliseconds: 'until all know',
  memoryMegabytes: 'memory',
};

export function load({ participants, servers: { 'rtcmulticonnection-server': original, 'signal-relay': ours } }) {
  const rows = Object.entries(ROWS).map(([member, name]) => ({ name, value: ours[member] / original[member], ours: true }));
  return [
    `<h2>A full room of RTCMultiConnection 3</h2>
     <p>What each of ${participants} participants costs our relay who joins and sets up a call with all who are there, as a
     multiple of what it costs rtcmulticonnection-server: less is better, and 1 is the same.</p>`,
    bars(`A room of ${participants}`, 'multiple of rtcmulticonnection-server’s', rows, { mark: 1 }),
  ];
}
