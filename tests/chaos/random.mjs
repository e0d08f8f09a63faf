// Random choices that a seed repeats, in a page as in Node.

/** A source of them. `seed` is any text or number. */
export function random(seed) {
  let state = 0x9e3779b9;
  for (const character of String(seed)) state = mix(state ^ character.codePointAt(0));

  /** From 0 up to, not including, 1. */
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) / 2 ** 32;
  };
  return {
    next,
    /** From `low` up to, not including, `high`. */
    between: (low, high) => low + next() * (high - low),
    /** A whole number from `low` to `high`, both included. */
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (list) => list[Math.floor(next() * list.length)],
    chance: (probability) => next() < probability,
    /** A name of `{ name: weight }`. */
    weighted(weights) {
      let left = next() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      for (const [name, weight] of Object.entries(weights)) {
        left -= weight;
        if (left < 0) return name;
      }
      return Object.keys(weights)[0];
    },
  };
}

/** Stirs 32 bits; unsigned. */
function mix(value) {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 13), 0x2c1b3c6d);
  return (bits ^ (bits >>> 16)) >>> 0;
}
