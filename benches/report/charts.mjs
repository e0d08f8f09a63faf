// The charts of the page of figures, as SVG. Colours are the page's, so that they follow light and dark.

import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';

const { document } = new JSDOM().window;

/** A bar for each row `{ name, value, ours }`, with its number. `mark`: a line at this value. */
export function bars(title, unit, rows, { mark } = {}) {
  const chart = Plot.plot({
    document,
    width: 420,
    marginLeft: 115,
    marginRight: 45,
    marginTop: 0,
    marginBottom: 4,
    style: { background: 'none', color: 'currentColor', fontSize: '13px' },
    x: { axis: null },
    y: { label: null, tickSize: 0 },
    marks: [
      Plot.barX(rows, { x: 'value', y: 'name', fill: (row) => (row.ours ? 'var(--ours)' : 'var(--others)'), sort: { y: null } }),
      Plot.text(rows, { x: 'value', y: 'name', text: (row) => row.value.toPrecision(3), dx: 6, textAnchor: 'start', fill: 'currentColor' }),
      Plot.ruleX(mark === undefined ? [0] : [0, mark], { stroke: 'currentColor' }),
    ],
  });
  return figure(title, unit, chart.outerHTML);
}

function figure(title, unit, content) {
  return `<figure><figcaption>${title}<br><small>${unit}</small></figcaption>${content}</figure>`;
}
