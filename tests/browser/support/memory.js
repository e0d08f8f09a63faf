// Garbage collection, and how much wasm holds.

import { ok, show } from './checks.js';
import { real } from './fake_socket.js';
import { wasmExports } from './library.js';

/** Waits for the next task of the browser, whatever clock the test runs on. */
export function nextTask() {
  return new Promise((resolve) => real.setTimeout.call(globalThis, resolve, 0));
}

/**
 * Chromium has `gc` and Firefox `TestUtils.gc` where webdriver.json asks for it. WebKit has nothing
 * of the kind.
 */
const command = globalThis.gc ?? globalThis.TestUtils?.gc ?? makeGarbage;

let collections = 0;
const canaries = new FinalizationRegistry(() => {
  collections += 1;
});

/** Makes garbage until the browser has collected some and run finalisers. */
async function makeGarbage() {
  const before = collections;
  const isDone = () => collections > before;
  canaries.register({}, undefined);
  for (let round = 0; round < 10_000 && !isDone(); round += 1) {
    new Uint8Array(10_000_000);
    await nextTask();
  }
  if (!isDone()) throw new Error('the browser collects no garbage');
}

/** Has all garbage collected, and lets finalisers run. */
export async function collect() {
  // What a WeakRef was dereferenced to lives until the present task ends.
  await nextTask();
  await command();
  await nextTask();
}

/**
 * Collects until `done` says so; a leak never does.
 *
 * @param {() => boolean} done
 */
export async function collected(done) {
  for (let round = 0; round < 50 && !done(); round += 1) {
    await collect();
  }
  return done();
}

/**
 * Runs `live` for so many rounds, in parts that each end with a garbage collection. Wasm's memory
 * stays as large as it was at its peak, and what a page dropped is freed only when it is collected.
 */
export async function inParts(rounds, part, live) {
  for (let done = 0; done < rounds; done += part) {
    await live(part);
    await collect();
  }
}

/** How much wasm holds: bytes of memory, and JavaScript values, which stand in its table. */
export async function held() {
  const exports = await wasmExports();
  const memory = exports.find((item) => item instanceof WebAssembly.Memory);
  if (memory === undefined) throw new Error('no memory is exported');
  let values = 0;
  for (const table of exports.filter((item) => item instanceof WebAssembly.Table)) {
    for (let at = 0; at < table.length; at += 1) {
      // A free slot holds null; undefined is a value like any other.
      values += table.get(at) === null ? 0 : 1;
    }
  }
  if (values === 0) {
    throw new Error('no table is exported: leaks of JavaScript values could not be seen');
  }
  return { bytes: memory.buffer.byteLength, values };
}

/**
 * Checks that wasm kept nothing of each of so many rounds since it held `before`. One page of
 * memory more may be chance, and so may a value or two that wait for their finaliser. What is kept
 * of each round shows beside that if there are rounds enough.
 *
 * @param {{ bytes: number, values: number }} before
 * @param {number} rounds
 */
export async function keptNothing(before, rounds) {
  let grown;
  for (let tries = 0; tries < 10; tries += 1) {
    const now = await held();
    grown = { bytes: now.bytes - before.bytes, values: now.values - before.values };
    // What only waits for its finaliser goes; a leak never does.
    if (grown.values < rounds / 20) break;
    await collect();
  }
  ok(
    grown.bytes <= 65_536 && grown.values < rounds / 20,
    `wasm keeps nothing of each round: after ${rounds} it holds ${show(grown)} more`,
  );
}

/**
 * Checks that wasm keeps nothing of each of so many rounds, which `live` goes through. Memory stays
 * as large as it was at its peak, and a busy machine may reach a new peak late, because the garbage
 * of more rounds than before waits to be collected. So there is a second and a third try: a leak
 * takes more memory each time.
 *
 * @param {number} rounds
 * @param {() => Promise<void>} live
 */
export async function keepsNothing(rounds, live) {
  for (let tries = 1; ; tries += 1) {
    const before = await held();
    await live();
    try {
      return await keptNothing(before, rounds);
    } catch (kept) {
      if (tries === 3) throw kept;
    }
  }
}
