/** What `init` takes: where the module is, or the module itself. (`& object`, because TypeScript's `Module` has no members: a number would do.) */
export type InitInput = RequestInfo | URL | Response | BufferSource | (WebAssembly.Module & object);

/** What `initSync` takes: the module itself. */
export type SyncInitInput = BufferSource | (WebAssembly.Module & object);

/**
 * Loads the WebAssembly module; to be awaited before anything else is called. Calling it again is fine.
 *
 * Without an argument it fetches `signal_wasm_bg.wasm` from beside this file, which Vite, webpack and plain
 * `<script type="module">` find by themselves. Elsewhere say where it is: `await init({ module_or_path: url })`.
 */
export default function init(options?: { module_or_path?: InitInput | Promise<InitInput> | undefined }): Promise<void>;

/** Compiles a module that is at hand already, at once. */
export function initSync(options: { module: SyncInitInput }): void;
