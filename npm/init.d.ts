/**
 * What `init` takes: the module's address, a response, its bytes, or the module itself. (`& object`
 * because TypeScript's `Module` has no members, so that a number would pass for one.)
 */
export type InitInput = RequestInfo | URL | Response | BufferSource | (WebAssembly.Module & object);

/** What `initSync` takes: the module's bytes, or the module itself. */
export type SyncInitInput = BufferSource | (WebAssembly.Module & object);

/**
 * Loads the WebAssembly module. Await it before you call anything else. You may call it again.
 *
 * Without an argument it fetches `signal_wasm_bg.wasm` from the folder of this file. Vite, webpack
 * and plain `<script type="module">` need nothing more. Otherwise pass the address:
 * `await init({ module_or_path: url })`. Rejects if the module can't be loaded.
 *
 * @example
 * await init();
 * const { send } = openSignalingChannel({ channel: 'room', onmessage: (message) => console.log(message) });
 */
export default function init(options?: { module_or_path?: InitInput | Promise<InitInput> | undefined }): Promise<void>;

/**
 * Compiles a module that you have already, synchronously. Chromium before 115 refuses that on the
 * main thread with a `RangeError`.
 *
 * @example
 * const response = await fetch('/signal_wasm_bg.wasm');
 * initSync({ module: await response.arrayBuffer() });
 */
export function initSync(options: { module: SyncInitInput }): void;
