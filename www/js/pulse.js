// Sends a number each second, to check delivery: the other tabs count which numbers came, which
// never did, and which came twice.

const EVERY = 1000;

/**
 * Returns `{ counts, start, stop }`. `counts` has how many numbers of the others were `heard`,
 * `missed` and received `again`. `changed` is called when one of them changes, `failed` with the
 * error that stops it.
 */
export function pulse({ meeting, changed, failed }) {
  /** The last number of each peer. With another protocol a tab is another peer, and begins again. */
  const last = new Map();
  const counts = { heard: 0, missed: 0, again: 0 };
  let number = 0;
  let ticking;

  meeting.addEventListener('message', ({ peer, message: { number } }) => {
    if (!Number.isSafeInteger(number)) return;
    const before = last.get(peer.id);
    // A tab that joins later doesn't know the earlier numbers.
    if (before === undefined || number > before) {
      counts.heard += 1;
      counts.missed += before === undefined ? 0 : number - before - 1;
      last.set(peer.id, number);
    } else {
      counts.again += 1;
    }
    changed();
  });
  meeting.addEventListener('leave', () => {
    for (const id of last.keys()) {
      if (!meeting.room.peers.has(id)) last.delete(id);
    }
  });

  function beat() {
    try {
      meeting.send({ number: number + 1 });
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
