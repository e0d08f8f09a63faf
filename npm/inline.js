// The entry `signal-wasm/inline`: the public functions, with their module inside this file.

import bytes from '../pkg/signal_wasm_bg.wasm';
import { startHere } from './here.js';

export const { Signaling, configure, openSignalingChannel, openSocket } = startHere(bytes);
