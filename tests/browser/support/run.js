// Runs one test on the stand-ins.

import { beginChecks, nothingReported, somethingChecked } from './checks.js';
import { closeAll } from './library.js';
import { nextTask } from './memory.js';
import { clearStage, setStage } from './stage.js';

/**
 * Runs a test, which is a function that may be async.
 *
 * @param {() => void | Promise<void>} test
 */
export async function runTest(test) {
  setStage();
  beginChecks();
  try {
    await test();
    // A rejection is reported once all promises have had their turn.
    await nextTask();
    nothingReported();
    somethingChecked();
  } catch (failure) {
    throw shorten(failure);
  } finally {
    closeAll();
    clearStage();
  }
}

/**
 * Drops the lines of wasm from a stack: they are many and say nothing.
 *
 * @param {unknown} failure
 */
function shorten(failure) {
  if (failure instanceof Error) {
    const lines = failure.stack?.split('\n') ?? [];
    failure.stack = lines.filter((line) => !/wasm-(function|bindgen-test)/.test(line)).join('\n');
  }
  return failure;
}
