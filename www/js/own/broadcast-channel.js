// The tabs of this browser, without a server.

import { broadcastChannel } from '/signal-wasm/transports.js';

export const transport = broadcastChannel('bring your own');
