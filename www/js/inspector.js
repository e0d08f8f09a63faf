// The inspector: counters of frames by kind, and a list of the latest frames.

import { describe, pretty } from './frames.js';
import { soon } from './soon.js';

const KEPT = 120;

/** Returns `{ onframe, watch, refresh }`; call `watch(signaling)` when there is one. */
export function inspector({ counters, frames, pause, clear }) {
  let paused = false;
  let missed = 0;
  let pending = [];
  let signaling;

  const tiles = [...counters.querySelectorAll('[data-kind]')];

  for (const tile of tiles) {
    tile.addEventListener('click', () => {
      tile.ariaPressed = tile.ariaPressed === 'true' ? 'false' : 'true';
      frames.dataset.hide = tiles.filter((other) => other.ariaPressed === 'false').map((other) => other.dataset.kind).join(' ');
    });
  }
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.ariaPressed = String(paused);
    missed = 0;
    label();
  });
  clear.addEventListener('click', () => {
    frames.replaceChildren();
    pending = [];
  });

  function label() {
    pause.textContent = !paused ? 'Pause' : missed === 0 ? 'Go on' : `Go on (${missed} went by)`;
  }

  function render() {
    if (signaling) count(signaling.stats());
    label();
    frames.prepend(...pending.reverse().map(row));
    pending = [];
    while (frames.childElementCount > KEPT) frames.lastElementChild.remove();
  }

  function count(stats) {
    for (const tile of tiles) write(tile.querySelector('b'), stats[tile.dataset.kind]);
  }

  const schedule = soon(render);

  return {
    onframe(kind, frame) {
      if (paused) {
        missed += 1;
      } else {
        pending.push({ kind, frame: String(frame), at: new Date() });
        if (pending.length > KEPT) pending.shift();
      }
      schedule();
    },
    watch(watched) {
      signaling = watched;
      schedule();
    },
    refresh: schedule,
  };
}

function row({ kind, frame, at }) {
  const item = document.createElement('li');
  item.dataset.kind = kind;
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  const { channel, text } = describe(frame);
  summary.append(
    cell('frame-time', `${at.toLocaleTimeString([], { hour12: false })}.${String(at.getMilliseconds()).padStart(3, '0')}`),
    cell('frame-kind', kind),
    cell('frame-channel', channel),
    cell('frame-text', text),
    cell('frame-size', size(frame.length)),
  );
  details.append(summary);
  details.addEventListener('toggle', () => {
    if (!details.open || details.querySelector('pre')) return;
    const body = document.createElement('pre');
    body.textContent = pretty(frame);
    // It may scroll.
    body.tabIndex = 0;
    details.append(body);
  });
  item.append(details);
  return item;
}

function cell(name, text) {
  const element = document.createElement('span');
  element.className = name;
  element.textContent = text;
  element.title = text;
  return element;
}

function size(characters) {
  return characters < 10_000 ? `${characters} chars` : `${Math.round(characters / 1000)}k chars`;
}

function write(element, value) {
  const text = Number(value ?? 0).toLocaleString();
  if (element.textContent !== text) element.textContent = text;
}
