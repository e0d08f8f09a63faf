// The public functions: what the entries index, inline and global have in common.
//
// pkg/ is what wasm-pack makes of this crate. Its functions call the WebAssembly module that
// module.js connects them with.

import * as glue from '../pkg/signal_wasm_bg.js';

export { Signaling, openSignalingChannel, openSocket } from '../pkg/signal_wasm_bg.js';

/** `configure`, whose result is a `Signaling`, also for `instanceof`. */
export function configure(options) {
  return glue.configure(options, Object.create(glue.Signaling.prototype));
}

// esbuild shortens every name, but this one is shown in consoles.
Object.defineProperty(glue.Signaling, 'name', { value: 'Signaling' });
