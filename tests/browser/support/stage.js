// The stand-ins of the test that runs: for WebSocket, `fetch` and the clock.

import { requests } from './fake_fetch.js';
import { install, uninstall } from './fake_socket.js';

/**
 * The stand-in clock. In a test that runs on the browser's own clock, nothing asks it.
 *
 * @type {import('./fake_socket.js').Clock}
 */
export let clock;

/** Installs the stand-ins. */
export function setStage({ inRealTime = false } = {}) {
  clock = install({ clock: !inRealTime });
  requests.length = 0;
}

/** Puts the browser's own objects back, and ends what still waits for a connection. */
export function clearStage() {
  uninstall();
}

/** The first line of a test that runs on the browser's own clock. */
export function inRealTime() {
  setStage({ inRealTime: true });
}
