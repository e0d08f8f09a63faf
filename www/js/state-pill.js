// The pill in the top bar: the connection's state, the reason, and the time until the next attempt.

const WORDS = {
  idle: 'Not connected yet',
  connecting: 'Connecting',
  open: 'Connected',
  waiting: 'Connection lost',
  closed: 'Closed',
};

/**
 * Returns the function to call with each `(state, detail)` of `onstatechange`. `retry` is the button
 * to reconnect, which shows while there is no connection.
 */
export function statePill({ pill, word, more, retry }) {
  const [why, when] = ['state-why', 'state-when'].map((className) => Object.assign(document.createElement('span'), { className }));
  more.replaceChildren(why, when);
  let due;
  let ticking;
  let reason = '';
  let isLost = false;

  const render = () => {
    const seconds = due === undefined ? undefined : Math.ceil((due - performance.now()) / 1000);
    const next = seconds === undefined ? '' : seconds > 0 ? `next attempt in ${seconds} s` : 'trying again';
    why.textContent = [reason, next && ' '].filter(Boolean).join(',');
    when.textContent = next;
  };

  return (state, detail) => {
    clearInterval(ticking);
    pill.dataset.state = state;
    // Only the word is a live region, so that screen readers don't read the countdown each second.
    if (word.textContent !== WORDS[state]) word.textContent = WORDS[state];
    reason = state === 'open' || !detail?.reason ? '' : detail.reason;
    due = state === 'waiting' && detail?.retryIn !== undefined ? performance.now() + detail.retryIn : undefined;
    render();
    pill.title = detail?.reason ?? '';
    if (due !== undefined) ticking = setInterval(render, 250);
    isLost = state === 'waiting' || (isLost && state === 'connecting');
    if (retry) retry.hidden = !isLost;
  };
}

/** Which protocol is spoken on the connection of a signaling. `chosen` is what the page asked for. */
export function spokenBy(signaling, chosen) {
  // The library calls a transport of the page's own 'websocket'.
  if (chosen === 'tabs') return signaling.state === 'open' ? chosen : undefined;
  return signaling.stats().protocol;
}

/**
 * Shows in the pill which protocol is spoken; `spoken` returns it, or `undefined`. Returns the
 * function to call after changes of state. `changed` is called with each other one.
 */
export function spokenProtocol({ label, nameOf, spoken, changed = () => {} }) {
  let shown;
  const render = () => {
    const now = spoken();
    if (now === shown) return;
    shown = now;
    label.textContent = now === undefined ? '' : nameOf(now);
    changed(now);
  };
  // What the automatic choice comes to is decided some time after the connection is open.
  setInterval(render, 250);
  return render;
}
