// `<script src=".../global-transports.js">`, after the one of global.js, adds
// `SignalWasm.transports`. For its types: `import 'signal-wasm/global-transports'` or
// `/// <reference types="signal-wasm/global-transports" />`.

import './global.js';

declare global {
  namespace SignalWasm {
    /** The ready transports of `signal-wasm/transports`. */
    const transports: typeof import('./transports.js');
  }
}
