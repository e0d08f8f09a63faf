// Starts a module that is inside the entry's file.

import * as api from './api.js';
import { startSync } from './module.js';
import * as waiting from './waiting.js';

/** The public functions. They can be called at once. */
export function startHere(bytes) {
  try {
    startSync(bytes);
    return api;
  } catch (error) {
    // The browser compiles a module of this size only in the background.
    if (!(error instanceof RangeError)) throw error;
    waiting.compile(bytes);
    return waiting;
  }
}
