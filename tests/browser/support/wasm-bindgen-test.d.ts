// The module that `wasm-pack test` builds: what the package exports, and `init`.

export * from '../../../src/browser/types';

/** Gives what the wasm module exports. */
export default function init(address?: string): Promise<WebAssembly.Exports>;
