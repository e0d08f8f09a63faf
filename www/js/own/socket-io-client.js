// For a page that already has a Socket.IO client.

import { io } from '/socket.io/socket.io.esm.min.js';
import { socketIo } from '/signal-wasm/transports.js';

const socket = io('/bring-your-own');

export const transport = socketIo(socket);
