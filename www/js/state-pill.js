// The pill in the top bar: where the connection stands, why, and when the next attempt comes.

const WORDS = {
  idle: 'Not connected yet',
  connecting: 'Connecting',
  open: 'Connected',
  waiting: 'Connection lost',
  closed: 'Closed',
};

/** Gives the function to call with each `(state, detail)` of `onstatechange`. `by` gives the protocol's name. */
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
    // Only the word is a live region: a countdown read aloud each second would drown everything else.
    if (word.textContent !== WORDS[state]) word.textContent = WORDS[state];
    reason = state === 'open' || !detail?.reason ? '' : detail.reason;
    due = state === 'waiting' && detail?.retryIn !== undefined ? performance.now() + detail.retryIn : undefined;
    render();
    pill.title = detail?.reason ?? '';
    if (due !== undefined) ticking = setInterval(render, 250);
  };
}
