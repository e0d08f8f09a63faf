// The charts of the page of figures, as SVG. Colours are the page's, so that they follow light and dark.

import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';

const { document } = new JSDOM().window;

/**
 * A bar for each row `{ name, value, ours }`, with its number. `mark`: a line at this value. Names
 * stand before the bars, or `above` them if they are long.
 */
export function bars(title, unit, rows, { mark, above = false } = {}) {
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const chart = Plot.plot({
    document,
    width: 420,
    // Some 7 pixels for each character.
    marginLeft: above ? 1 : Math.max(115, 12 + 7 * longest),
    height: rows.length * (above ? 36 : 24) + 4,
    marginRight: 45,
    marginTop: 0,
    marginBottom: 4,
    style: { background: 'none', color: 'currentColor', fontSize: '13px' },
    x: { axis: null },
    y: above ? { axis: null } : { label: null, tickSize: 0 },
    marks: [
      Plot.barX(rows, { x: 'value', y: 'name', fill: (row) => (row.ours ? 'var(--ours)' : 'var(--others)'), sort: { y: null }, insetTop: above ? 18 : 0 }),
      Plot.text(rows, { x: 'value', y: 'name', text: (row) => number(row.value), dx: 6, dy: above ? 9 : 0, textAnchor: 'start', fill: 'currentColor' }),
      above ? Plot.text(rows, { x: 0, y: 'name', text: 'name', dx: 3, dy: -9, textAnchor: 'start', fill: 'currentColor' }) : null,
      Plot.ruleX(mark === undefined ? [0] : [0, mark], { stroke: 'currentColor' }),
    ],
  });
  return figure(title, unit, chart.outerHTML);
}

function figure(title, unit, content) {
  return `<figure><figcaption>${title}<br><small>${unit}</small></figcaption>${content}</figure>`;
}

/** Three digits, and no exponent. */
function number(value) {
  return value.toLocaleString('en', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}
