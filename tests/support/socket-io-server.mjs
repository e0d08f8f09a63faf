// The seed's Socket.IO server: its three lines as they were published, on npm socket.io 4 or 2.

import { createServer } from 'node:http';
import { Server } from 'socket.io';
import socketIo2 from 'socket.io-2';
import { fileHandler } from './files.mjs';
import { listen } from './listen.mjs';

/**
 * Starts one. `namespaces` are those that relay beside `/`. `token` is what a client must bring
 * (`auth.token`, to version 2 in the query); it can be changed later. `recovery` turns on
 * connection state recovery, `allowEIO3` lets version 4 take clients of version 2. `files` are
 * mounts for all other requests.
 *
 * What it gives: `received` are the events in the order they came, `{ namespace, event, args }`;
 * `connected` is `{ namespace, auth, query }` of every client that was let in or refused;
 * `connections()` counts the clients of a namespace. `emit`, `ask`, `disconnect` go to every client
 * of a namespace.
 */
export async function socketIoServer({
  version = 4,
  path = '/socket.io/',
  namespaces = [],
  token: required,
  recovery = false,
  allowEIO3 = false,
  pingInterval = 25_000,
  pingTimeout = version === 2 ? 5_000 : 20_000,
  files = {},
  port = 0,
} = {}) {
  const http = createServer(fileHandler(files));
  const io =
    version === 2
      ? socketIo2(http, { path, pingInterval, pingTimeout })
      : new Server(http, { path, pingInterval, pingTimeout, allowEIO3, cors: { origin: true, credentials: true }, ...(recovery ? { connectionStateRecovery: {} } : {}) });
  const place = await listen(http, port);
  const received = [];
  const connected = [];
  const server = { token: required };

  for (const name of ['/', ...namespaces]) {
    const namespace = io.of(name);
    namespace.use((socket, next) => {
      const { auth, query } = socket.handshake;
      connected.push({ namespace: name, auth, query });
      if (server.token === undefined || (version === 2 ? query.token : auth.token) === server.token) return next();
      const error = new Error('not authorized');
      error.data = version === 2 ? 'not authorized' : { wanted: 'a token' };
      next(error);
    });
    namespace.on('connection', (socket) => {
      socket.use(([event, ...args], next) => {
        received.push({ namespace: name, event, args: args.filter((value) => typeof value !== 'function') });
        next();
      });
    });
    if (name !== '/') relayMessages(namespace);
  }
  relayMessages(io.sockets);

  const clients = (namespace) => {
    const { sockets } = io.of(namespace);
    return sockets instanceof Map ? [...sockets.values()] : Object.values(sockets);
  };

  return Object.assign(server, {
    io,
    origin: place.origin,
    url: `${place.origin}/`,
    port: place.port,
    received,
    connected,
    connections: (namespace = '/') => clients(namespace).length,
    emit: (event, args, namespace = '/') => clients(namespace).forEach((client) => client.emit(event, ...args)),
    /** Emits with a request for an acknowledgement; gives what each client acknowledges with. */
    ask: (event, args, namespace = '/') => Promise.all(clients(namespace).map((client) => new Promise((done) => client.emit(event, ...args, (...reply) => done(reply))))),
    /** Sends the clients of a namespace away, as `socket.disconnect()` does. */
    disconnect: (namespace = '/') => clients(namespace).forEach((client) => client.disconnect()),
    drop: place.drop,
    close: async () => {
      for (const { conn } of clients('/')) conn.close();
      await new Promise((done) => {
        io.close(() => done());
        place.drop();
      });
    },
  });
}

// "Nodejs/Socketio Server-Side Code" of the WebRTC Experiments, for its `io.sockets` or another
// namespace.
//
// Copyright (c) 2013 Muaz Khan, released under the MIT licence:
// https://www.webrtc-experiment.com/licence/
function relayMessages(sockets) {
    sockets.on('connection', function (socket) {
        socket.on('message', function (data) {
            socket.broadcast.emit('message', data);
        });
    });
}
