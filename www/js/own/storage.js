// No server: when one tab writes into localStorage, the other
// tabs of this browser receive an event.

const place = 'signal-wasm message';

export const transport = {
  send(text) {
    // Writing the same value again would fire no event.
    localStorage.setItem(place, JSON.stringify([Math.random(), text]));
  },
};

addEventListener('storage', ({ key, newValue }) => {
  if (key !== place || !newValue) return;
  transport.onmessage?.(JSON.parse(newValue)[1]);
});
