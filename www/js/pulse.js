// A number each second, for seeing what becomes of messages: each of the others counts which came, which never did, and which came twice.

const EVERY = 1000;

/**
 * Gives `{ counts, start, stop }`; `counts` has what was `heard` of the others, what was `missed` in between, and what came `again`. `changed` is
 * called when one of them moves, `failed` with the error that ends it.
 */
export function pulse({ presence, changed, failed }) {
  const last = new Map();
  const counts = { heard: 0, missed: 0, again: 0 };
  let number = 0;
  let ticking;

  presence.addEventListener('room', ({ detail: { kind, from, number } }) => {
    if (kind !== 'pulse' || !Number.isSafeInteger(number) || !presence.peers.has(from)) return;
    const before = last.get(from);
    // Who comes later can't know what was before.
    if (before === undefined || number > before) {
      counts.heard += 1;
      counts.missed += before === undefined ? 0 : number - before - 1;
      last.set(from, number);
    } else {
      counts.again += 1;
    }
    changed();
  });
  presence.addEventListener('leave', ({ detail }) => last.delete(detail.id));

  function beat() {
    try {
      presence.send('pulse', { number: number + 1 });
      number += 1;
    } catch (error) {
      stop();
      failed(error);
    }
  }

  function start() {
    ticking = setInterval(beat, EVERY);
    beat();
  }

  function stop() {
    clearInterval(ticking);
  }

  return { counts, start, stop };
}
