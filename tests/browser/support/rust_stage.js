// The stand-ins, for tests that are written in Rust.

import { beginChecks, nothingReported } from './checks.js';
import { sockets } from './fake_socket.js';
import { clearStage, clock, setStage } from './stage.js';

export class RustStage {
  /** @param {boolean} inRealTime */
  constructor(inRealTime) {
    setStage({ inRealTime });
    beginChecks();
  }

  /**
   * Lets time pass on the stand-in clock.
   *
   * @param {number} milliseconds
   */
  pass(milliseconds) {
    clock.advance(milliseconds);
  }

  /**
   * The socket that was made as number `at`; a negative number counts from the last one.
   *
   * @param {number} at
   */
  socketAt(at) {
    return sockets.at(at);
  }

  /** Forgets the sockets that were made until now. */
  forgetSockets() {
    sockets.length = 0;
  }

  /** Puts the browser's own objects back. */
  clear() {
    clearStage();
    nothingReported();
  }
}
