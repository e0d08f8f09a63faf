// The ready transports for classic script pages: `SignalWasm.transports`, when this tag has loaded
// after that of global.js.

import { broadcastChannel, hubConnection, hubProxy, socketIo, websync } from './transports.js';

if (!globalThis.SignalWasm) throw new Error('global-transports.js: there is no SignalWasm yet; load dist/global.js before it, in a <script> of its own');
globalThis.SignalWasm.transports = { broadcastChannel, hubConnection, hubProxy, socketIo, websync };
