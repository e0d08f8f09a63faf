// The page's part about receiving frames.

import { lines } from './charts.mjs';

/** What a frame is to a page. */
const KINDS = {
  foreign: 'Foreign: for a channel that isn’t open here',
  own: 'Own: returned by the server',
  delivered: 'Delivered to the page',
};

export function receive({ chromium, versions, frames, channels }) {
  const bySize = { x: 'size', label: 'message, kB', name: (size) => String(size / 1000) };
  const byChannels = { x: 'channels', label: 'channels', name: (count) => count.toLocaleString('en') };
  return [
    `<h2>Receiving a frame</h2>
     <p>In Chromium ${chromium}, beside the shim, socket.io-client ${versions['socket.io-client']} and @microsoft/signalr
     ${versions['@microsoft/signalr']}, without a network. Each receives the same message in the frame of its own
     protocol; signal-wasm also in theirs. A server that broadcasts sends a page mostly foreign frames.</p>`,
    ...Object.entries(KINDS).map(([kind, title]) => lines(title, 'µs for each frame; less is better', frames.filter((row) => row.kind === kind), bySize)),
    ...['foreign', 'delivered'].map((kind) => {
      const rows = channels.filter((row) => row.kind === kind);
      return lines(`By the number of open channels, ${kind}`, `µs for each frame of ${rows[0].size / 1000} kB`, rows, byChannels);
    }),
  ];
}
