// The entry `signal-wasm/inline`: the public functions, with their module inside this file.

import bytes from '../pkg/signal_wasm_bg.wasm';
import { startSync } from './module.js';

export * from './api.js';

// Browsers compile a module of this size at once on the main thread too.
startSync(bytes);
