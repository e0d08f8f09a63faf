// The pictures of the call: one tile for each participant, including this tab.

const WORDS = {
  new: 'calling…',
  connecting: 'connecting…',
  disconnected: 'connection interrupted…',
  failed: 'can’t connect: trying again. Between different networks a call needs a STUN or TURN server.',
};

/** Returns `{ show, keep }`. */
export function tiles({ grid, empty }) {
  const shown = new Map();

  function show(id, name, { stream, state, muted = false, mirrored = false }) {
    const tile = shown.get(id) ?? make(id, muted);
    tile.figure.classList.toggle('mirrored', mirrored);
    tile.caption.textContent = name;
    if (stream && tile.video.srcObject !== stream) {
      tile.video.srcObject = stream;
      // Browsers refuse it only before the first click on the page, and joining the call is one.
      tile.video.play().catch(() => {});
    }
    const word = state === 'connected' ? '' : (WORDS[state] ?? '');
    tile.wait.textContent = word;
    tile.wait.hidden = word === '';
  }

  function make(id, muted) {
    const figure = document.createElement('figure');
    figure.className = 'tile';
    figure.dataset.who = muted ? 'me' : 'other';
    const video = document.createElement('video');
    video.autoplay = video.playsInline = true;
    video.muted = muted;
    const wait = document.createElement('div');
    wait.className = 'tile-wait';
    const caption = document.createElement('figcaption');
    figure.append(video, wait, caption);
    const tile = { figure, video, wait, caption };
    shown.set(id, tile);
    grid.append(figure);
    count();
    return tile;
  }

  function remove(id) {
    const tile = shown.get(id);
    tile.video.srcObject = null;
    tile.figure.remove();
    shown.delete(id);
    count();
  }

  function count() {
    grid.dataset.count = shown.size;
    empty.hidden = shown.size > 0;
  }

  return {
    show,
    /** Removes all but these. */
    keep(ids) {
      for (const id of [...shown.keys()]) {
        if (!ids.includes(id)) remove(id);
      }
    },
  };
}
