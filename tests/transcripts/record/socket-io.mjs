// Transcripts of Socket.IO: both versions, each with its own client.

import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import { WebSocket } from 'ws';
import { until } from '../../support/deadline.mjs';
import { socketIoServer } from '../../support/socket-io-server.mjs';
import { tap } from '../../support/tap.mjs';
import { ended, ENVELOPE, heard, OTHER, record, said } from './recorder.mjs';

/** A Socket.IO server with a tap in front; `converse` gets both, what it returns is closed. */
async function socketIo(serverOptions, converse) {
  const server = await socketIoServer(serverOptions);
  const wire = await tap(server.origin);
  const closable = await converse(server, wire);
  const frames = [...wire.entries];
  closable?.close();
  await wire.close();
  await server.close();
  return { frames };
}

/**
 * A client with no library: says `hello` once the server has said something that fits it, then
 * answers as the tests need.
 */
function bare(url, answers) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('error', () => {});
  socket.on('message', (data, binary) => {
    if (binary) return;
    for (const [pattern, reply] of answers) if (pattern.test(data.toString())) socket.send(reply);
  });
  return socket;
}

const websocketOnly = { transports: ['websocket'], forceNew: true };

for (const [version, io, eio] of [
  [4, io4, 4],
  [2, io2, 3],
]) {
  const name = (what) => `socketio-${version}-${what}`;
  const server = `socket.io ${version === 4 ? '4.8.4' : '2.5.1'}`;
  const client = `socket.io-client ${version === 4 ? '4.8.4' : '2.5.0'}`;

  await record(
    name('messages'),
    `${client} on ${server}: an event sent, one received with an envelope, others that are not for us, a burst`,
    'socket.io',
    { eio },
    () =>
      socketIo({ version }, async (server, wire) => {
        const socket = io(wire.url, websocketOnly);
        await until(() => socket.connected);
        socket.emit('message', ENVELOPE);
        await until(() => server.received.length === 1);
        server.emit('message', [OTHER]);
        server.emit('chatter', [{ channel: 'main' }, 1, null]);
        server.emit('message', []);
        server.emit('message', [OTHER, 'a second argument']);
        for (let count = 0; count < 5; count += 1)
          server.emit('message', [{ ...OTHER, message: count }]);
        await heard(wire, /"message":4\}/);
        return socket;
      }),
  );

  await record(
    name('namespace'),
    `${client} on ${server}: the namespace /my-room, and a disconnect by the client`,
    'socket.io',
    { eio, namespace: '/my-room' },
    () =>
      socketIo({ version, namespaces: ['/my-room'] }, async (server, wire) => {
        const socket = io(`${wire.url}my-room`, websocketOnly);
        await until(() => socket.connected);
        socket.emit('message', ENVELOPE);
        await until(() => server.received.length === 1);
        server.emit('message', [OTHER], '/my-room');
        server.emit('message', [OTHER], '/');
        await heard(wire, /hello/);
        socket.disconnect();
        await said(wire, /^41/);
      }),
  );

  await record(
    name('unknown-namespace'),
    `${client} on ${server}: a namespace that the server doesn't have`,
    'socket.io',
    { eio, namespace: '/nope' },
    () =>
      socketIo({ version }, async (_, wire) => {
        const socket = io(`${wire.url}nope`, websocketOnly);
        await heard(wire, /^44/);
        return socket;
      }),
  );

  await record(
    name('refused'),
    `${client} on ${server}: authentication is refused by a middleware`,
    'socket.io',
    { eio, auth: { token: 'wrong' } },
    () =>
      socketIo({ version, token: 'right' }, async (_, wire) => {
        const socket = io(wire.url, {
          ...websocketOnly,
          ...(version === 4 ? { auth: { token: 'wrong' } } : { query: { token: 'wrong' } }),
        });
        await heard(wire, /^44/);
        return socket;
      }),
  );

  await record(
    name('admitted'),
    `${client} on ${server}: authentication is accepted`,
    'socket.io',
    { eio, auth: { token: 'right' } },
    () =>
      socketIo({ version, token: 'right' }, async (server, wire) => {
        const socket = io(wire.url, {
          ...websocketOnly,
          ...(version === 4 ? { auth: { token: 'right' } } : { query: { token: 'right' } }),
        });
        await until(() => server.connections() === 1 && socket.connected);
        return socket;
      }),
  );

  await record(
    name('acknowledgement'),
    `${client} on ${server}: the server asks for acknowledgements, of an envelope and of another event`,
    'socket.io',
    { eio, namespace: '/my-room' },
    () =>
      socketIo({ version, namespaces: ['/my-room'] }, async (server, wire) => {
        const socket = io(`${wire.url}my-room`, websocketOnly);
        socket.on('message', (...values) => values.at(-1)());
        socket.on('question', (value, reply) => reply({ value }));
        await until(() => socket.connected);
        await server.ask('message', [OTHER], '/my-room');
        await server.ask('question', [1], '/my-room');
        return socket;
      }),
  );

  await record(
    name('binary'),
    `${client} on ${server}: binary events in between, one and two attachments, and one that asks for an acknowledgement`,
    'socket.io',
    { eio },
    () =>
      socketIo({ version }, async (server, wire) => {
        const socket = io(wire.url, websocketOnly);
        socket.on(
          'message',
          (...values) => typeof values.at(-1) === 'function' && values.at(-1)('taken'),
        );
        await until(() => socket.connected);
        server.emit('message', [OTHER]);
        server.emit('picture', [
          { first: Buffer.from([0, 1, 2, 255]), second: Buffer.from('two') },
        ]);
        server.emit('message', [{ ...OTHER, message: Buffer.from([7]) }]);
        await server.ask('message', [Buffer.from([8])]);
        server.emit('message', [{ ...OTHER, message: 'after' }]);
        await heard(wire, /"after"/);
        return socket;
      }),
  );

  await record(
    name('sent-away'),
    `${client} on ${server}: the server disconnects the client`,
    'socket.io',
    { eio },
    () =>
      socketIo({ version }, async (server, wire) => {
        const socket = io(wire.url, websocketOnly);
        await until(() => socket.connected && server.connections() === 1);
        server.disconnect();
        await heard(wire, /^41/);
        await ended(wire);
        return socket;
      }),
  );

  await record(
    name('heartbeat'),
    `${client} on ${server}: heartbeats, an interval of 300 ms and a time-out of 200 ms`,
    'socket.io',
    { eio, pingInterval: 300, pingTimeout: 200 },
    () =>
      socketIo({ version, pingInterval: 300, pingTimeout: 200 }, async (_, wire) => {
        const socket = io(wire.url, websocketOnly);
        await heard(wire, version === 4 ? /^2/ : /^3/, 3);
        await said(wire, version === 4 ? /^3/ : /^2/, 3);
        return socket;
      }),
  );

  await record(
    name('silent-client'),
    `A client that never answers or sends a heartbeat on ${server}, an interval of 300 ms and a time-out of 200 ms`,
    'socket.io',
    { eio, pingInterval: 300, pingTimeout: 200 },
    () =>
      socketIo({ version, pingInterval: 300, pingTimeout: 200 }, async (_, wire) => {
        const socket = bare(`${wire.origin}/socket.io/?EIO=${eio}&transport=websocket`, [
          [/^0/, version === 4 ? '40' : '3'],
        ]);
        await ended(wire);
        return socket;
      }),
  );

  await record(
    name('closing'),
    `${client} on ${server}: the server closes the Engine.IO connection`,
    'socket.io',
    { eio },
    () =>
      socketIo({ version }, async (server, wire) => {
        const socket = io(wire.url, { ...websocketOnly, reconnection: false });
        await until(() => socket.connected && server.connections() === 1);
        for (const client of Object.values(
          version === 4 ? Object.fromEntries(server.io.of('/').sockets) : server.io.of('/').sockets,
        ))
          client.conn.close();
        await ended(wire);
        return socket;
      }),
  );
}

await record(
  'socketio-4-recovery',
  'socket.io-client 4.8.4 on socket.io 4.8.4 with connection state recovery: the offset behind each event, a lost connection, and what was missed',
  'socket.io',
  { eio: 4, recovery: true },
  () =>
    socketIo({ version: 4, recovery: true }, async (server, wire) => {
      const socket = io4(wire.url, {
        ...websocketOnly,
        reconnectionDelay: 300,
        randomizationFactor: 0,
      });
      await until(() => socket.connected && server.connections() === 1);
      server.io.emit('message', OTHER);
      server.io.emit('message', OTHER, 'a second argument');
      await heard(wire, /hello/, 2);
      socket.io.engine.close();
      await until(() => server.connections() === 0);
      server.io.emit('message', { ...OTHER, message: 'missed' });
      await heard(wire, /missed/);
      return socket;
    }),
);

await record(
  'socketio-4-recovery-unasked',
  'A client that knows nothing of connection state recovery on socket.io 4.8.4 that has it',
  'socket.io',
  { eio: 4, recovery: true },
  () =>
    socketIo({ version: 4, recovery: true }, async (server, wire) => {
      const socket = bare(`${wire.origin}/socket.io/?EIO=4&transport=websocket`, [[/^0/, '40']]);
      await until(() => server.connections() === 1);
      server.io.emit('message', OTHER);
      await heard(wire, /hello/);
      return socket;
    }),
);

await record(
  'socketio-2-asked-for-4',
  'socket.io 2.5.1 asked for Engine.IO 4 answers as Engine.IO 3: no maxPayload, 40 unasked, heartbeats by the client (interval 300 ms, time-out 200 ms)',
  'socket.io',
  { eio: 4, pingInterval: 300, pingTimeout: 200 },
  () =>
    socketIo({ version: 2, pingInterval: 300, pingTimeout: 200 }, async (server, wire) => {
      const socket = bare(`${wire.origin}/socket.io/?EIO=4&transport=websocket`, [
        [/^40/, `42${JSON.stringify(['message', ENVELOPE])}`],
        [/^40/, '2'],
      ]);
      await until(() => server.received.length === 1);
      server.emit('message', [OTHER]);
      await heard(wire, /^3/);
      socket.send('2');
      await heard(wire, /^3/, 2);
      return socket;
    }),
);

await record(
  'socketio-2-asked-for-4-namespace',
  'socket.io 2.5.1 asked for Engine.IO 4 and the namespace /my-room',
  'socket.io',
  { eio: 4, namespace: '/my-room' },
  () =>
    socketIo({ version: 2, namespaces: ['/my-room'] }, async (server, wire) => {
      const socket = bare(`${wire.origin}/socket.io/?EIO=4&transport=websocket`, [
        [/^40$/, '40/my-room,'],
        [/^40\/my-room/, `42/my-room,${JSON.stringify(['message', ENVELOPE])}`],
      ]);
      await until(() => server.received.length === 1);
      server.emit('message', [OTHER], '/my-room');
      await heard(wire, /hello/);
      return socket;
    }),
);

await record(
  'socketio-4-asked-for-3-allowed',
  'socket.io 4.8.4 with allowEIO3, and socket.io-client 2.5.0',
  'socket.io',
  { eio: 3, allowEIO3: true, namespace: '/my-room' },
  () =>
    socketIo({ version: 4, allowEIO3: true, namespaces: ['/my-room'] }, async (server, wire) => {
      const socket = io2(`${wire.url}my-room`, websocketOnly);
      await until(() => socket.connected && server.connections('/my-room') === 1);
      server.emit('message', [OTHER], '/my-room');
      socket.emit('message', ENVELOPE);
      await until(() => server.received.length === 1);
      await heard(wire, /hello/);
      return socket;
    }),
);

await record(
  'socketio-4-asked-for-3',
  'socket.io 4.8.4 asked for Engine.IO 3, which it doesn’t take: the upgrade succeeds and the connection breaks',
  'socket.io',
  { eio: 3 },
  () =>
    socketIo({ version: 4 }, async (_, wire) => {
      const socket = bare(`${wire.origin}/socket.io/?EIO=3&transport=websocket`, []);
      await ended(wire);
      return socket;
    }),
);

await record(
  'socketio-4-event-first',
  'socket.io 4.8.4: an event before the namespace is joined',
  'socket.io',
  { eio: 4 },
  () =>
    socketIo({ version: 4 }, async (_, wire) => {
      const socket = bare(`${wire.origin}/socket.io/?EIO=4&transport=websocket`, [
        [/^0/, `42${JSON.stringify(['message', ENVELOPE])}`],
      ]);
      await ended(wire);
      return socket;
    }),
);
