// What components hold: it is made for the first, and ended after the last has released it.
//
// It isn't ended at once. StrictMode and Fast Refresh run the cleanups of all effects and then the
// effects again, without a pause: what they hold again goes on as it was.

/**
 * @template Value
 * @typedef {Map<string, { value: Value, holders: number }>} Shelf
 */

/**
 * Takes what the shelf has by that name, or makes it. `release` gives it back. `later` is when it is
 * ended then.
 *
 * @template Value
 * @param {Shelf<Value>} shelf
 * @param {string} name
 * @param {() => Value} make
 * @param {(value: Value) => void} end
 * @param {(task: () => void) => void} [later]
 * @returns {{ value: Value, release: () => void }}
 */
export function hold(shelf, name, make, end, later = queueMicrotask) {
  const entry = shelf.get(name) ?? { value: make(), holders: 0 };
  shelf.set(name, entry);
  entry.holders += 1;
  return {
    value: entry.value,
    release() {
      entry.holders -= 1;
      later(() => {
        if (entry.holders > 0 || shelf.get(name) !== entry) return;
        shelf.delete(name);
        end(entry.value);
      });
    },
  };
}

/**
 * Makes a function that gives the shelf of each signaling.
 *
 * @template Value
 * @returns {(signaling: object) => Shelf<Value>}
 */
export function shelves() {
  /** @type {WeakMap<object, Shelf<Value>>} */
  const all = new WeakMap();
  return (signaling) => {
    const shelf = all.get(signaling) ?? new Map();
    all.set(signaling, shelf);
    return shelf;
  };
}
