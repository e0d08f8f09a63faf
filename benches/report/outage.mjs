// The page's part about pages that come back after an outage.

import { bars } from './charts.mjs';

export function outage({ scenarios }) {
  const all = [...scenarios.refused.outages, ...scenarios.long.outages];
  const [{ pages, connectionMicroseconds }] = all;
  const rows = all.map(({ outageSeconds, relays, backSeconds }) => ({ name: `${outageSeconds} s, ${relays === 1 ? 'one relay' : `${relays} relays`}`, value: backSeconds['99'], ours: true }));
  return [
    `<h2>After an outage</h2>
     <p>${pages.toLocaleString('en')} pages lose their connections at the same moment, and come back when the relays do. Simulated in virtual
     time, with ${connectionMicroseconds} µs of a relay’s processor for each connection: the same on every machine.</p>`,
    bars('Until 99 % are back, by the time of the outage', 's', rows),
  ];
}
