// The entry `signal-wasm` under the condition `development`, which development servers of bundlers
// set. Vite before 8 moves JavaScript of packages to another folder there, and not the `.wasm` beside
// it, so this file has the module inside. All else is as in index.js.

import bytes from '../pkg/signal_wasm_bg.wasm';
import load from './index.js';

export * from './index.js';

export default function init(options) {
  const isSource = options && Object.getPrototypeOf(options) !== Object.prototype;
  return load(isSource ? options : { module_or_path: options?.module_or_path ?? bytes });
}
