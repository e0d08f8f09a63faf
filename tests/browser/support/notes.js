// Functions that note how they are called.

/** Notes each call: `calls` holds `[name, ...arguments]`, `targets` what `this` was. */
export class Notes {
  /** @type {any[][]} */
  calls = [];
  /** @type {any[]} */
  targets = [];

  /**
   * A function that notes each call under this name.
   *
   * @param {string} name
   * @returns {(...values: any[]) => void}
   */
  taker(name) {
    const notes = this;
    return function (...values) {
      notes.calls.push([name, ...values]);
      // @ts-expect-error: whatever the caller has for `this`
      notes.targets.push(this);
    };
  }

  /** The calls since this was last asked. */
  take() {
    this.targets = [];
    return this.calls.splice(0);
  }
}

/**
 * A config that notes what is called on it.
 *
 * @param {Record<string, any>} members
 */
export function noting(members = {}) {
  const notes = new Notes();
  const config = {
    onmessage: notes.taker('onmessage'),
    onopen: notes.taker('onopen'),
    ...members,
  };
  return { notes, config };
}
