// The page's part about sending messages.

import { lines } from './charts.mjs';

export function send({ chromium, versions, messages }) {
  return [
    `<h2>Sending a message</h2>
     <p>In Chromium ${chromium}, beside the shim, socket.io-client ${versions['socket.io-client']} and @microsoft/signalr
     ${versions['@microsoft/signalr']}: from the call of <code>send</code> until the frame is with the WebSocket.</p>`,
    lines('A call of send', 'µs for each message; less is better', messages, { x: 'size', label: 'message, kB', name: (size) => String(size / 1000) }),
  ];
}
