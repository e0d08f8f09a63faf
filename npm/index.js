// The entry `signal-wasm`: the public functions, and `init`, which loads their module.

import { imports, isStarted, start, startSync, throwUntilStarted } from './module.js';

export { configure, openSignalingChannel, openSocket, Signaling } from './api.js';

throwUntilStarted();

let loading;

/** Loads the module. init.d.ts has the types. */
export default async function init(options) {
  // Calls at the same time share one loading. After a failure the next call tries again.
  loading ??= load(options);
  try {
    await loading;
  } finally {
    loading = undefined;
  }
}

/** Compiles a module that is at hand. */
export function initSync({ module }) {
  if (!isStarted()) startSync(module);
}

async function load(options) {
  if (isStarted()) return;
  // `init(url)` is wasm-bindgen's older form, which many a bundler's handbook shows.
  const isOptions = options && Object.getPrototypeOf(options) === Object.prototype;
  const given = isOptions ? options.module_or_path : options;
  const source = await (given ?? new URL('signal_wasm_bg.wasm', import.meta.url));
  const isAtHand = source instanceof WebAssembly.Module || Object(source).byteLength >= 0;
  const made = await WebAssembly.instantiate(isAtHand ? source : await download(source), imports);
  // Bytes give a pair of module and instance, a module gives the instance.
  start(made.instance ?? made);
}

/** Fetches the module. It is compiled while it arrives if the server names the right type. */
async function download(source) {
  const response = source instanceof Response ? source : await fetch(source).catch((error) => error);
  if (!response.ok) {
    const reason = response.status ? `answered with ${response.status}` : response;
    const url = response.url ?? source.url ?? source;
    throw new Error(`init: no module at ${url} (${reason}); put signal_wasm_bg.wasm there, or name its place: await init({ module_or_path: url })`);
  }
  const isStreamable = response.headers.get('content-type') === 'application/wasm';
  return isStreamable ? WebAssembly.compileStreaming(response) : response.arrayBuffer();
}
