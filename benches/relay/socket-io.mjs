// A server of npm's socket.io: every message goes to all others. Prints its port. Its argument is the
// port that it takes.

import { createServer } from 'node:http';
import process from 'node:process';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
io.on('connection', (socket) => socket.on('message', (message) => socket.broadcast.emit('message', message)));
http.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => process.stdout.write(`${http.address().port}\n`));
