// The entry `signal-wasm/global`, for classic script pages: `SignalWasm`, with its module inside.

import bytes from '../pkg/signal_wasm_bg.wasm';
import { startHere } from './here.js';

const { Signaling, configure, openSignalingChannel, openSocket } = startHere(bytes);

// Not `var SignalWasm`: a bundler that takes this file for a module would keep the name to itself.
globalThis.SignalWasm = { Signaling, configure, openSignalingChannel, openSocket };
