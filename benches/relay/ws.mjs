// A server of npm's ws: every message goes to all others. Prints its port. Its argument is the port
// that it takes.

import process from 'node:process';
import { WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), perMessageDeflate: false });
server.on('listening', () => process.stdout.write(`${server.address().port}\n`));
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    for (const other of server.clients) if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data, { binary });
  });
});
