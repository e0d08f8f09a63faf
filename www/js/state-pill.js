// The pill in the top bar: the connection's state, the reason, and the time until the next attempt.

const WORDS = {
  idle: 'Not connected yet',
  connecting: 'Connecting',
  open: 'Connected',
  waiting: 'Connection lost',
  closed: 'Closed',
};

/**
 * Returns the function to call with each `(state, detail)` of `onstatechange`. `by` returns the
 * protocol's name.
 */
export function statePill({ pill, word, more, protocol, by = () => '' }) {
  if (protocol) protocol.textContent = by();
  let due;
  let ticking;
  let reason = '';

  const render = () => {
    const seconds = due === undefined ? undefined : Math.ceil((due - performance.now()) / 1000);
    const retry = seconds === undefined ? '' : seconds > 0 ? `next attempt in ${seconds} s` : 'trying again';
    more.textContent = [reason, retry].filter(Boolean).join(', ');
  };

  return (state, detail) => {
    clearInterval(ticking);
    pill.dataset.state = state;
    if (protocol) protocol.textContent = by();
    // Only the word is a live region, so that screen readers don't read the countdown each second.
    if (word.textContent !== WORDS[state]) word.textContent = WORDS[state];
    reason = state === 'open' || !detail?.reason ? '' : detail.reason;
    due = state === 'waiting' && detail?.retryIn !== undefined ? performance.now() + detail.retryIn : undefined;
    render();
    pill.title = detail?.reason ?? '';
    if (due !== undefined) ticking = setInterval(render, 250);
  };
}
