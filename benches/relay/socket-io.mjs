// A server of npm's socket.io: every message goes to all others. Prints its port.

import { createServer } from 'node:http';
import process from 'node:process';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
io.on('connection', (socket) => socket.on('message', (message) => socket.broadcast.emit('message', message)));
http.listen(0, '127.0.0.1', () => process.stdout.write(`${http.address().port}\n`));
