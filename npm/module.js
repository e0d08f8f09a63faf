// Connects the glue that wasm-bindgen generates with its WebAssembly module.

import * as glue from '../pkg/signal_wasm_bg.js';
import { snippets } from '../pkg/snippets.js';

/** The JavaScript modules that the WebAssembly module imports from, by their names in it. */
export const imports = { './signal_wasm_bg.js': glue, ...snippets };

let started = false;

/** Whether the functions can be called. */
export function isStarted() {
  return started;
}

/** Makes the glue call this instance. An earlier one stays, since it may have open channels. */
export function start({ exports }) {
  if (started) return;
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  started = true;
}

/** Instantiates a module at once. Bytes are compiled first. */
export function startSync(source) {
  const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
  start(new WebAssembly.Instance(module, imports));
}

/** Compiles a module in the background. If that fails, each call throws the reason. */
export async function startLater(bytes) {
  try {
    const { instance } = await WebAssembly.instantiate(bytes, imports);
    start(instance);
  } catch (error) {
    throwInstead(() => error);
  }
}

/** Makes each call throw, until there is a module, an error that says what to do. */
export function throwUntilStarted() {
  throwInstead((name) => {
    const call = name === 'Signaling' ? 'new Signaling' : name;
    return Object.assign(
      new Error(`${call} was called before signal-wasm was initialised: \`await init()\` first, or import 'signal-wasm/inline', which needs no init`),
      { name: 'SignalingError', code: 'not-initialised' },
    );
  });
}

/** Makes each call throw what `makeError` returns for the function's name. */
function throwInstead(makeError) {
  const get = (_, name) => {
    throw makeError(name);
  };
  glue.__wbg_set_wasm(new Proxy({}, { get }));
}
