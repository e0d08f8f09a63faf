// Sends a number each second, to check delivery: the other tabs count which numbers came, which
// never did, and which came twice.

const EVERY = 1000;

/**
 * Returns `{ counts, start, stop }`. `counts` has how many numbers of the others were `heard`,
 * `missed` and received `again`. `changed` is called when one of them changes, `failed` with the
 * error that stops it.
 */
export function pulse({ presence, changed, failed }) {
  const last = new Map();
  const counts = { heard: 0, missed: 0, again: 0 };
  let number = 0;
  let ticking;

  presence.addEventListener('room', ({ detail: { kind, from, number } }) => {
    if (kind !== 'pulse' || !Number.isSafeInteger(number) || !presence.peers.has(from)) return;
    const before = last.get(from);
    // A tab that joins later doesn't know the earlier numbers.
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
