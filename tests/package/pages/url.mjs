// The entry `.` where the bundler gives the module's address and init has to be told.
import init, * as api from 'signal-wasm';
import url from 'signal-wasm/signal_wasm_bg.wasm';
import './talk.js';

await init({ module_or_path: url });
globalThis.talk(api);
