// The page's part about receiving frames.

import { bars } from './charts.mjs';

/** What a frame is to a page. */
const KINDS = {
  foreign: 'Foreign: for a channel that isn’t open here',
  own: 'Own: returned by the server',
  delivered: 'Delivered to the page',
};

export function receive({ chromium, frames }) {
  const rows = frames.map(({ kind, size, ratio }) => ({ kind, name: `${size / 1000} kB`, value: ratio, ours: true }));
  return [
    `<h2>Receiving a frame</h2>
     <p>In Chromium ${chromium}, as a multiple of the time that the shim takes: less is better, and 1 is the same.
     A server that broadcasts sends a page mostly foreign frames.</p>`,
    ...Object.entries(KINDS).map(([kind, title]) => bars(title, 'multiple of the shim’s time', rows.filter((row) => row.kind === kind), { mark: 1 })),
  ];
}
