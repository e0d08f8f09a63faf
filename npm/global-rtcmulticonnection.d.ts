// `<script src=".../global-rtcmulticonnection.js">`, in the place of socket.io.js, makes the global
// `io` for RTCMultiConnection 3, and `SignalWasm` as global.js does. For its types: `import
// 'signal-wasm/global-rtcmulticonnection'` or
// `/// <reference types="signal-wasm/global-rtcmulticonnection" />`.

import './global.js';
import type { Options } from './signal_wasm.js';
import type { RoomIo, RtcMultiConnectionOptions } from './rtcmulticonnection.js';

declare global {
  namespace SignalWasm {
    /** `rtcMultiConnectionSocket` of `signal-wasm/rtcmulticonnection`. */
    const rtcMultiConnectionSocket: typeof import('./rtcmulticonnection.js').rtcMultiConnectionSocket;
  }
  /** What RTCMultiConnection 3 connects with. */
  var io: RoomIo;
  /**
   * What a page may set before the script: options of the signaling and of the rooms. Without `url`
   * and `transport` the server is the one that the script is from, at the path above the script's
   * folder.
   */
  var rtcMultiConnectionOptions: (Options & RtcMultiConnectionOptions) | undefined;
}
