// The charts of the page of figures, as SVG. Colours are the page's, so that they follow light and dark.

import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';

const { document } = new JSDOM().window;

/** How a client's line is drawn. Another library's protocol, spoken by signal-wasm, is dashed. */
const LINES = {
  'shim': { colour: 'others' },
  'signal-wasm': { colour: 'ours' },
  'socket.io-client': { colour: 'socket-io' },
  'signal-wasm, Socket.IO': { colour: 'ours', dashes: '7 3' },
  '@microsoft/signalr': { colour: 'signalr' },
  'signal-wasm, SignalR': { colour: 'ours', dashes: '2 3' },
};

/** The colours of all charts, for light and dark. */
export const STYLE = `
  :root {
    --ours: light-dark(#0a6e4f, #4fd1a1); --others: light-dark(#8a8f98, #80858f);
    --socket-io: light-dark(#1f5fbf, #6ea8ff); --signalr: light-dark(#b3541e, #ff9d5c);
  }
  .legend { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: 0.85rem; }
  .legend svg { width: 1.75rem; height: 0.6rem; margin-right: 0.35rem; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.15rem 0.6rem; text-align: right; font-weight: normal; border-bottom: 1px solid light-dark(#ddd, #444); }
  th { white-space: nowrap; }
`;

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
    marginRight: 52,
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

/**
 * A line for each client over `rows` of `{ [x]: number, microseconds: { client: number } }`, both axes
 * logarithmic, and the numbers as a table.
 */
export function lines(title, unit, rows, { x, label, name }) {
  const clients = Object.keys(rows[0].microseconds);
  const points = clients.flatMap((client) => rows.map((row) => ({ client, x: row[x], y: row.microseconds[client] })));
  const stroke = ({ client }) => `var(--${LINES[client].colour})`;
  const chart = Plot.plot({
    document,
    width: 420,
    height: 260,
    marginLeft: 45,
    marginRight: 30,
    marginTop: 10,
    marginBottom: 40,
    style: { background: 'none', color: 'currentColor', fontSize: '13px' },
    x: { type: 'log' },
    y: { type: 'log', label: null, grid: true, ticks: 4, tickFormat: String },
    marks: [
      ...clients.map((client) => {
        const own = points.filter((point) => point.client === client);
        return Plot.line(own, { x: 'x', y: 'y', stroke: `var(--${LINES[client].colour})`, strokeWidth: 2, strokeDasharray: LINES[client].dashes });
      }),
      // By values: a logarithmic scale's own ticks leave labels out.
      Plot.axisX(rows.map((row) => row[x]), { text: name, label, labelAnchor: 'center', labelArrow: 'none' }),
      Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 2.5 }),
    ],
  });
  return figure(title, unit, `<div class="legend">${clients.map(key).join('')}</div>${chart.outerHTML}${numbers(rows, clients, { x, label, name })}`);
}

/** The name of a client beside a piece of its line. */
function key(client) {
  const { colour, dashes } = LINES[client];
  return `<span><svg viewBox="0 0 28 10" aria-hidden="true"><path d="M0 5H28" stroke="var(--${colour})" stroke-width="3"${dashes ? ` stroke-dasharray="${dashes}"` : ''}/></svg>${client}</span>`;
}

function numbers(rows, clients, { x, label, name }) {
  const head = [label, ...clients].map((cell) => `<th scope="col">${cell}</th>`).join('');
  const body = rows.map((row) => {
    const cells = clients.map((client) => `<td>${row.microseconds[client].toFixed(2)}</td>`).join('');
    return `<tr><th scope="row">${name(row[x])}</th>${cells}</tr>`;
  });
  return `<details><summary>The numbers</summary><div class="wide"><table><tr>${head}</tr>${body.join('')}</table></div></details>`;
}

function figure(title, unit, content) {
  return `<figure><figcaption>${title}<br><small>${unit}</small></figcaption>${content}</figure>`;
}

/** Three digits, and no exponent. */
function number(value) {
  return value.toLocaleString('en', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}
