// The page's part about how soon a page sends.

import { bars } from './charts.mjs';

/** What each kind of visit is. */
const VISITS = {
  cold: 'First visit, with an empty cache',
  warm: 'Later visit, in a browser that was started again',
};

export function start({ chromium, versions, clients, compileMilliseconds }) {
  const rows = (visit, member) => Object.entries(clients).map(([name, times]) => ({ name, value: times[visit][member], ours: name.startsWith('signal-wasm') }));
  return [
    `<h2>Starting</h2>
     <p>In Chromium ${chromium}, beside the shim, socket.io-client ${versions['socket.io-client']} and @microsoft/signalr
     ${versions['@microsoft/signalr']}, each by its fastest way to connect, on one machine. Over a network what is
     downloaded counts most: see the sizes.</p>`,
    ...Object.entries(VISITS).flatMap(([visit, title]) => [
      bars(title, 'ms from the page’s first script to its first message at another client', rows(visit, 'sent')),
      bars(`${title}: until the library is ready`, 'ms from the page’s first script', rows(visit, 'loaded')),
    ]),
    bars('Compiling the module', 'ms', Object.entries(compileMilliseconds).map(([name, value]) => ({ name, value, ours: true }))),
  ];
}
