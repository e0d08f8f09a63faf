// How long tests wait before they take something for not happening.
//
// A deadline only ends a test that fails or hangs, so it can be long; but one that a busy or slow
// machine misses fails a test that is right. Each is therefore a base time, generous for an idle
// machine, times how much slower this one is: its load per processor, and the environment variable
// SIGNAL_TEST_TIME_FACTOR for what the load doesn't show, such as an emulated processor.

import { availableParallelism, loadavg } from 'node:os';
import process from 'node:process';
import { poll } from './poll.mjs';

const { SIGNAL_TEST_TIME_FACTOR = '1' } = process.env;
const FACTOR = Number(SIGNAL_TEST_TIME_FACTOR);
if (!(FACTOR >= 1 && FACTOR < 1000)) {
  throw new Error(
    `SIGNAL_TEST_TIME_FACTOR is '${SIGNAL_TEST_TIME_FACTOR}'; it must be a number from 1 to 1000`,
  );
}

/** So many milliseconds, scaled to how slow the machine is now. */
export function deadline(milliseconds) {
  const [load] = loadavg();
  return Math.ceil(milliseconds * FACTOR * Math.max(1, load / availableParallelism()));
}

/** For `test`: a test that hangs ends as a failure that names it. All it waits for ends sooner. */
export const TIMEOUT = { timeout: deadline(300_000) };

/**
 * Waits until `condition()` gives something true, and gives that. For what happens on a server;
 * pages have `waitForFunction`.
 */
export async function until(condition, what = String(condition)) {
  const began = performance.now();
  return poll(condition, () => {
    // Asked each time, because the machine may have become slower since.
    if (performance.now() - began > deadline(60_000)) throw new Error(`waited in vain for: ${what}`);
  });
}
