// Loading the module entry: what `init` and `initSync` take, and that the other two entries need
// neither.

import init, { initSync } from 'signal-wasm';
import * as inline from 'signal-wasm/inline';
import { some } from './expect.js';

await init();
await init({ module_or_path: '/assets/signal_wasm_bg.wasm' });
await init({ module_or_path: new URL('/signal_wasm_bg.wasm', location.href) });
await init({ module_or_path: new Request('/signal_wasm_bg.wasm') });
await init({ module_or_path: await fetch('/signal_wasm_bg.wasm') });
await init({ module_or_path: fetch('/signal_wasm_bg.wasm') });
await init({ module_or_path: some<ArrayBuffer>() });
await init({ module_or_path: some<Uint8Array<ArrayBuffer>>() });
await init({ module_or_path: some<WebAssembly.Module>() });
initSync({ module: some<ArrayBuffer>() });
initSync({ module: some<Uint8Array<ArrayBuffer>>() });
initSync({ module: some<WebAssembly.Module>() });
// Nothing is handed out that a page needs, so nothing has to be kept.
init().then(() => {});

// @ts-expect-error TS2322: neither a place nor the module itself
await init({ module_or_path: 5 });
// @ts-expect-error TS2353: the member is called module_or_path
await init({ url: '/signal_wasm_bg.wasm' });
// @ts-expect-error TS2554: one argument
await init({}, {});
// @ts-expect-error TS2554: what to compile is a must, because nothing can be fetched in time
initSync();
// @ts-expect-error TS2322: a path would have to be fetched first
initSync({ module: '/signal_wasm_bg.wasm' });
// @ts-expect-error TS2339: the inline entry is ready when it is imported
inline.default;
// @ts-expect-error TS2339: the inline entry is ready when it is imported
inline.initSync;
