// Waiting, in Node and in pages.

/**
 * Waits until `condition()` gives something true, and gives that. `onTurn` is called before each
 * pause; what it throws ends the waiting.
 */
export async function poll(condition, onTurn = () => {}) {
  for (;;) {
    const value = await condition();
    if (value) return value;
    onTurn();
    await new Promise((done) => setTimeout(done, 10));
  }
}
