// The page's part about joining a room.

import { bars } from './charts.mjs';

export function join({ chromium, runs, cases }) {
  const libraries = [...new Set(cases.map(({ library }) => library))];
  const rows = (library) =>
    cases
      .filter((one) => one.library === library)
      .map(({ server, client, joinedMilliseconds }) => ({ name: `${server}, ${client}`, value: joinedMilliseconds, ours: server === 'our relay' || /adapter|signal-wasm/.test(client) }));
  return [
    `<h2>Joining a room</h2>
     <p>In Chromium ${chromium}, from joining a room until a data channel with the page that is there is open: the median of ${runs} runs.
     RTCMultiConnection 2 waits for timers of its own.</p>`,
    ...libraries.map((library) => bars(library, 'ms', rows(library), { above: true })),
  ];
}
