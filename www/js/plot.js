// The plot of the connection: round trips over the last two minutes, and below them how many
// messages waited in the outbox. Times without a connection are shaded; events are marked.

const SPAN = 120_000;
const HEIGHT = 190;
const LEFT = 46;
const RIGHT = 10;
const TOP = 20;
/** The height of the outbox's strip, and of the axis below it. */
const STRIP = 30;
const BOTTOM = 20;
const STRIP_TOP = HEIGHT - BOTTOM - STRIP;
const BASE = STRIP_TOP - 14;

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Returns `{ roundTrip, queued, connected, mark, draw }`. Call the first four when something
 * changes.
 */
export function plot(svg) {
  const trips = [];
  const queues = [];
  const links = [];
  const marks = [];

  const now = () => performance.now();
  /**
   * Appends, and removes what has left the plot. With `stays`, keeps the last value before the
   * plot, which still holds.
   */
  function note(list, item, stays) {
    list.push({ at: now(), ...item });
    const old = list.findIndex(({ at }) => at >= now() - SPAN) - (stays ? 1 : 0);
    if (old > 0) list.splice(0, old);
  }

  function draw() {
    const width = svg.clientWidth;
    if (width === 0) return;
    const end = now();
    const x = (at) => LEFT + (width - LEFT - RIGHT) * Math.max(1 - (end - at) / SPAN, 0);
    const shown = trips.filter(({ at }) => at >= end - SPAN);
    const top = topOf(shown.map(({ milliseconds }) => milliseconds));
    const y = (milliseconds) => BASE - (Math.min(milliseconds, top) / top) * (BASE - TOP);
    const most = Math.max(...queues.map(({ count }) => count), 0);

    const parts = [];
    for (const { from, to } of without(links, end)) {
      parts.push(shape('rect', { class: 'plot-without', x: x(from), y: TOP - 6, width: Math.max(x(to) - x(from), 1.5), height: STRIP_TOP + STRIP - TOP + 6 }));
    }
    for (const part of [0, 0.5, 1]) {
      parts.push(shape('line', { class: 'plot-grid', x1: LEFT, x2: width - RIGHT, y1: y(top * part), y2: y(top * part) }));
      parts.push(words(`${short(top * part)}${part === 1 ? ' ms' : ''}`, { x: LEFT - 6, y: y(top * part) + 4, 'text-anchor': 'end' }));
    }
    parts.push(shape('line', { class: 'plot-grid', x1: LEFT, x2: width - RIGHT, y1: STRIP_TOP + STRIP, y2: STRIP_TOP + STRIP }));
    parts.push(words(most > 0 ? `${most}` : '0', { x: LEFT - 6, y: most > 0 ? STRIP_TOP + 8 : STRIP_TOP + STRIP, 'text-anchor': 'end' }));
    for (const minutes of [2, 1, 0]) {
      parts.push(words(minutes === 0 ? 'now' : `${minutes} min ago`, { x: x(end - minutes * 60_000), y: HEIGHT - 4, 'text-anchor': minutes === 2 ? 'start' : minutes === 1 ? 'middle' : 'end' }));
    }

    if (most > 0) parts.push(shape('path', { class: 'plot-queue', d: steps(queues, x, (count) => STRIP_TOP + STRIP - (count / most) * STRIP, end) }));

    // The line is interrupted where there was no connection.
    const breaks = without(links, end).map(({ from }) => from);
    let d = '';
    shown.forEach(({ at, milliseconds }, index) => {
      const broken = index === 0 || breaks.some((from) => from > shown[index - 1].at && from <= at);
      d += `${broken ? 'M' : 'L'}${x(at).toFixed(1)} ${y(milliseconds).toFixed(1)}`;
    });
    parts.push(shape('path', { class: 'plot-trips', d }));
    for (const { at, milliseconds } of shown) {
      const point = milliseconds <= top ? shape('circle', { class: 'plot-trip', cx: x(at), cy: y(milliseconds), r: 2.4 }) : shape('path', { class: 'plot-trip plot-beyond', d: `M${x(at) - 4.5} ${TOP + 5}h9l-4.5-8Z` });
      parts.push(titled(point, `${milliseconds.toFixed(1)} ms`));
      if (milliseconds > top) parts.push(words(`${Math.round(milliseconds).toLocaleString('en')} ms`, { x: x(at) - 8, y: TOP + 5, 'text-anchor': 'end' }));
    }

    for (const { at, kind, text } of marks.filter(({ at }) => at >= end - SPAN)) {
      const group = shape('g', { class: `plot-mark plot-${kind}`, transform: `translate(${x(at).toFixed(1)} 0)` });
      group.append(shape('line', { y1: TOP - 6, y2: STRIP_TOP + STRIP }), shape('path', { d: kind === 'gap' ? 'M0 2L5.5 8L0 14L-5.5 8Z' : 'M-5.5 3H5.5L0 13Z' }));
      parts.push(titled(group, text));
    }

    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...parts);
    svg.ariaLabel = summary(shown, marks.filter(({ at }) => at >= end - SPAN));
  }

  return {
    draw,
    roundTrip: (milliseconds) => note(trips, { milliseconds }),
    queued: (count) => queues.at(-1)?.count !== count && note(queues, { count }, true),
    connected: (up) => links.at(-1)?.up !== up && note(links, { up }, true),
    mark: (kind, text) => note(marks, { kind, text }),
  };
}

/** The times without a connection. */
function without(links, end) {
  return links.flatMap(({ at, up }, index) => (up ? [] : [{ from: at, to: links[index + 1]?.at ?? end }])).filter(({ to }) => to > end - SPAN);
}

function steps(list, x, y, end) {
  const floor = y(0);
  let d = '';
  list.forEach(({ at, count }, index) => {
    const until = list[index + 1]?.at ?? end;
    d += `${index === 0 ? `M${x(at).toFixed(1)} ${floor}` : ''}L${x(at).toFixed(1)} ${y(count).toFixed(1)}H${x(until).toFixed(1)}`;
  });
  return d && `${d}V${floor}Z`;
}

/**
 * The top of the axis. Values far above nine in ten of the others don't count, so that one of them
 * doesn't press all others flat.
 */
function topOf(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const usual = sorted[Math.floor(0.9 * (sorted.length - 1))] ?? 0;
  return niceAbove(sorted.findLast((value) => value <= 3 * usual) ?? 0);
}

/** The next larger one of 1, 2, 5, 10, 20, … */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

function short(value) {
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

function summary(shown, marks) {
  const trips = shown.map(({ milliseconds }) => milliseconds);
  const words = trips.length === 0 ? 'No round trip was measured' : `Round trips between ${Math.min(...trips).toFixed(1)} and ${Math.max(...trips).toFixed(1)} ms`;
  const count = (kind) => marks.filter((mark) => mark.kind === kind).length;
  return `The last two minutes. ${words}; ${count('back')} reconnections, ${count('gap')} gaps.`;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function words(text, attributes) {
  const made = shape('text', attributes);
  made.textContent = text;
  return made;
}

function titled(element, text) {
  const title = shape('title', {});
  title.textContent = text;
  element.append(title);
  return element;
}
