// The card about the connection: its state, its events, its counters and its plot.

import { plot } from './plot.js';
import { soon } from './soon.js';
import { statePill } from './state-pill.js';
import { trips } from './trips.js';

const KEPT = 60;

/**
 * Returns `{ onstatechange, ongap, onframe, watch, tell }`: handlers for the options of those
 * names, `watch(signaling)` to call when there is one, or another one, and `tell(text, kind)` to add
 * an event.
 */
export function connection({ card, pill, word, more, events, svg, trip }) {
  const showState = statePill({ pill, word, more });
  const picture = plot(svg);
  const numbers = [...card.querySelectorAll('[data-stat]')];
  let signaling;
  let lastTrip;
  let lostAt;
  let attempts = 0;
  let lostEntry;
  picture.connected(false);
  const took = trips((milliseconds) => {
    picture.roundTrip(milliseconds);
    trip.textContent = `${time(milliseconds)} a message`;
  });

  function onstatechange(state, detail) {
    showState(state, detail);
    if (state === 'connecting') attempts += 1;
    picture.connected(state === 'open');
    if (state === 'open') {
      const after = lostAt === undefined ? '' : ` again, after ${duration(performance.now() - lostAt)}${attempts > 1 ? ` and ${attempts} attempts` : ''}`;
      tell(`Connected${after}`, 'back');
      if (lostAt !== undefined) picture.mark('back', `connected${after}`);
      lostAt = lostEntry = undefined;
      attempts = 0;
    } else if (state === 'waiting') {
      lostAt ??= performance.now();
      const text = `Connection lost: ${detail.reason}${attempts > 0 ? ` · ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} since` : ''}`;
      if (lostEntry) lostEntry.lastChild.textContent = text;
      else lostEntry = tell(text, 'lost');
    } else if (state === 'closed') {
      tell(`Closed: ${detail.reason}`, 'lost');
    }
    schedule();
  }

  function ongap(channel) {
    const text = `Something may have been missed on “${channel}”`;
    tell(text, 'gap');
    picture.mark('gap', text);
    schedule();
  }

  function tell(text, kind = '') {
    const item = document.createElement('li');
    item.dataset.kind = kind;
    const time = document.createElement('time');
    time.textContent = new Date().toLocaleTimeString([], { hour12: false });
    item.append(time, document.createElement('span'));
    item.lastChild.textContent = text;
    // The newest comes first, so that it is visible without scrolling.
    events.prepend(item);
    while (events.childElementCount > KEPT) events.lastElementChild.remove();
    return item;
  }

  // Called twice a second and after frames, because a round trip may be replaced by the next one.
  function measure() {
    const stats = signaling?.stats();
    if (!stats) return;
    if (stats.roundTrip !== lastTrip && stats.roundTrip !== undefined) picture.roundTrip(stats.roundTrip);
    lastTrip = stats.roundTrip;
    picture.queued(stats.queued);
    for (const number of numbers) write(number, FORMATS[number.dataset.stat]?.(stats) ?? count(stats[number.dataset.stat]));
    card.dataset.waiting = String(stats.queued > 0);
  }

  function render() {
    measure();
    if (!document.hidden) picture.draw();
  }

  const schedule = soon(render);
  new ResizeObserver(schedule).observe(svg);
  // The plot scrolls with time.
  setInterval(schedule, 500);

  return {
    onstatechange,
    ongap,
    onframe(kind, frame) {
      took(kind, frame);
      schedule();
    },
    tell,
    watch(watched) {
      signaling = watched;
      lastTrip = undefined;
      trip.textContent = '';
      schedule();
    },
  };
}

const FORMATS = {
  roundTrip: ({ roundTrip }) => (roundTrip === undefined ? '–' : time(roundTrip)),
  sentBytes: ({ sentBytes }) => bytes(sentBytes),
  receivedBytes: ({ receivedBytes }) => bytes(receivedBytes),
  queuedBytes: ({ queuedBytes }) => bytes(queuedBytes),
};

function bytes(value = 0) {
  for (const [unit, size] of [['MB', 1e6], ['kB', 1e3]]) {
    if (value >= size) return `${(value / size).toFixed(1)} ${unit}`;
  }
  return `${value} B`;
}

function time(milliseconds) {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

function duration(milliseconds) {
  return milliseconds < 999.5 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

function count(value) {
  return Number(value ?? 0).toLocaleString();
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
