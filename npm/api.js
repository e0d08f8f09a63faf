// The public functions: what the entries index, inline and global have in common.
//
// pkg/ is what wasm-pack makes of this crate. Its functions call the WebAssembly module that
// module.js connects them with.

import * as glue from '../pkg/signal_wasm_bg.js';

export { openSignalingChannel, openSocket } from '../pkg/signal_wasm_bg.js';

/** `new Signaling(options)`. It is no `class`, whose call without `new` would have an error of its own. */
export function Signaling(options) {
  if (!new.target) return glue.Signaling.call(this, options);
  const object = bare(new.target);
  glue.Signaling.call(object, options);
  return object;
}
Object.setPrototypeOf(Signaling.prototype, EventTarget.prototype);
// Node 20 knows its targets by a static member.
Object.setPrototypeOf(Signaling, EventTarget);

/** `configure`, whose result is a `Signaling`, also for `instanceof`. */
export function configure(options) {
  return glue.configure(options, bare());
}

/** A `Signaling` without its members. */
export function bare(newTarget = Signaling) {
  return Reflect.construct(EventTarget, [], newTarget);
}

// esbuild shortens every name, but this one is shown in consoles.
Object.defineProperty(Signaling, 'name', { value: 'Signaling' });
