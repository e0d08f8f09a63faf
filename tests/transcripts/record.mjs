// Records the transcripts beside it: what real servers and clients say to each other. Run it with `node tests/transcripts/record.mjs`, if ever one of
// them is to be recorded anew; ids and times differ on each run.
//
// A transcript is `{ about, protocol, options, frames }`. Of its frames each has `from`, 'client' or 'server', and one of: `text`, a text frame; `binary`, a binary
// frame in base64; `open`, the address of a WebSocket; `close`, the code it was closed with; `request` (with `token` and `body` if any), an HTTP request;
// `status` and `body`, its answer. Between two `open` the WebSocket is the same one.

import { writeFile } from 'node:fs/promises';
import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import process from 'node:process';
import { WebSocket } from 'ws';
import { launchChromium } from '../support/chromium.mjs';
import { classicSignalRServer } from '../support/classic-signalr-server.mjs';
import { until } from '../support/listen.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { signalRServer } from '../support/signalr-server.mjs';
import { socketIoServer } from '../support/socket-io-server.mjs';
import { tap } from '../support/tap.mjs';

const ENVELOPE = { sender: 12345, channel: 'main', message: { type: 'offer', sdp: 'v=0\r\n', accents: 'Grüße, 日本語, 🦀' } };
const OTHER = { sender: 54321, channel: 'main', message: 'hello' };
const wanted = process.argv.slice(2);

async function record(name, about, protocol, options, converse) {
  if (wanted.length && !wanted.includes(name)) return;
  const { frames, ...more } = await converse();
  await writeFile(new URL(`${name}.json`, import.meta.url), `${JSON.stringify({ about, protocol, options, ...more }, null, 2).slice(0, -2)},\n  "frames": [\n${frames.map((frame) => `    ${JSON.stringify(frame)}`).join(',\n')}\n  ]\n}\n`);
  console.log(`${name}: ${frames.length} entries`);
}

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

const heard = (wire, pattern, times = 1) => until(() => wire.entries.filter(({ from, text }) => from === 'server' && pattern.test(text ?? '')).length >= times, `${pattern} × ${times}`);
const said = (wire, pattern, times = 1) => until(() => wire.entries.filter(({ from, text }) => from === 'client' && pattern.test(text ?? '')).length >= times, `${pattern} × ${times}`);
const ended = (wire) => until(() => wire.entries.some(({ close }) => close !== undefined), 'the close');

/** A client with no library: says `hello` once the server has said something that fits it, then answers as the tests need. */
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

// Both versions of Socket.IO, each with its own client.
for (const [version, io, eio] of [
  [4, io4, 4],
  [2, io2, 3],
]) {
  const name = (what) => `socketio-${version}-${what}`;
  const server = `socket.io ${version === 4 ? '4.8.4' : '2.5.1'}`;
  const client = `socket.io-client ${version === 4 ? '4.8.4' : '2.5.0'}`;

  await record(name('messages'), `${client} on ${server}: an event sent, one received with an envelope, others that are not for us, a burst`, 'socket.io', { eio }, () =>
    socketIo({ version }, async (server, wire) => {
      const socket = io(wire.url, websocketOnly);
      await until(() => socket.connected);
      socket.emit('message', ENVELOPE);
      await until(() => server.received.length === 1);
      server.emit('message', [OTHER]);
      server.emit('chatter', [{ channel: 'main' }, 1, null]);
      server.emit('message', []);
      server.emit('message', [OTHER, 'a second argument']);
      for (let count = 0; count < 5; count += 1) server.emit('message', [{ ...OTHER, message: count }]);
      await heard(wire, /"message":4\}/);
      return socket;
    }),
  );

  await record(name('namespace'), `${client} on ${server}: the namespace /my-room, and a disconnect by the client`, 'socket.io', { eio, namespace: '/my-room' }, () =>
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

  await record(name('unknown-namespace'), `${client} on ${server}: a namespace that the server doesn't have`, 'socket.io', { eio, namespace: '/nope' }, () =>
    socketIo({ version }, async (_, wire) => {
      const socket = io(`${wire.url}nope`, websocketOnly);
      await heard(wire, /^44/);
      return socket;
    }),
  );

  await record(name('refused'), `${client} on ${server}: authentication is refused by a middleware`, 'socket.io', { eio, auth: { token: 'wrong' } }, () =>
    socketIo({ version, token: 'right' }, async (_, wire) => {
      const socket = io(wire.url, { ...websocketOnly, ...(version === 4 ? { auth: { token: 'wrong' } } : { query: { token: 'wrong' } }) });
      await heard(wire, /^44/);
      return socket;
    }),
  );

  await record(name('admitted'), `${client} on ${server}: authentication is accepted`, 'socket.io', { eio, auth: { token: 'right' } }, () =>
    socketIo({ version, token: 'right' }, async (server, wire) => {
      const socket = io(wire.url, { ...websocketOnly, ...(version === 4 ? { auth: { token: 'right' } } : { query: { token: 'right' } }) });
      await until(() => server.connections() === 1 && socket.connected);
      return socket;
    }),
  );

  await record(name('acknowledgement'), `${client} on ${server}: the server asks for acknowledgements, of an envelope and of another event`, 'socket.io', { eio, namespace: '/my-room' }, () =>
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

  await record(name('binary'), `${client} on ${server}: binary events in between, one and two attachments, and one that asks for an acknowledgement`, 'socket.io', { eio }, () =>
    socketIo({ version }, async (server, wire) => {
      const socket = io(wire.url, websocketOnly);
      socket.on('message', (...values) => typeof values.at(-1) === 'function' && values.at(-1)('taken'));
      await until(() => socket.connected);
      server.emit('message', [OTHER]);
      server.emit('picture', [{ first: Buffer.from([0, 1, 2, 255]), second: Buffer.from('two') }]);
      server.emit('message', [{ ...OTHER, message: Buffer.from([7]) }]);
      await server.ask('message', [Buffer.from([8])]);
      server.emit('message', [{ ...OTHER, message: 'after' }]);
      await heard(wire, /"after"/);
      return socket;
    }),
  );

  await record(name('sent-away'), `${client} on ${server}: the server disconnects the client`, 'socket.io', { eio }, () =>
    socketIo({ version }, async (server, wire) => {
      const socket = io(wire.url, websocketOnly);
      await until(() => socket.connected && server.connections() === 1);
      server.disconnect();
      await heard(wire, /^41/);
      await ended(wire);
      return socket;
    }),
  );

  await record(name('heartbeat'), `${client} on ${server}: heartbeats, an interval of 300 ms and a time-out of 200 ms`, 'socket.io', { eio, pingInterval: 300, pingTimeout: 200 }, () =>
    socketIo({ version, pingInterval: 300, pingTimeout: 200 }, async (_, wire) => {
      const socket = io(wire.url, websocketOnly);
      await heard(wire, version === 4 ? /^2/ : /^3/, 3);
      await said(wire, version === 4 ? /^3/ : /^2/, 3);
      return socket;
    }),
  );

  await record(name('silent-client'), `A client that never answers or sends a heartbeat on ${server}, an interval of 300 ms and a time-out of 200 ms`, 'socket.io', { eio, pingInterval: 300, pingTimeout: 200 }, () =>
    socketIo({ version, pingInterval: 300, pingTimeout: 200 }, async (_, wire) => {
      const socket = bare(`${wire.origin}/socket.io/?EIO=${eio}&transport=websocket`, [[/^0/, version === 4 ? '40' : '3']]);
      await ended(wire);
      return socket;
    }),
  );

  await record(name('closing'), `${client} on ${server}: the server closes the Engine.IO connection`, 'socket.io', { eio }, () =>
    socketIo({ version }, async (server, wire) => {
      const socket = io(wire.url, { ...websocketOnly, reconnection: false });
      await until(() => socket.connected && server.connections() === 1);
      for (const client of Object.values(version === 4 ? Object.fromEntries(server.io.of('/').sockets) : server.io.of('/').sockets)) client.conn.close();
      await ended(wire);
      return socket;
    }),
  );
}

await record('socketio-4-recovery', 'socket.io-client 4.8.4 on socket.io 4.8.4 with connection state recovery: the offset behind each event, a lost connection, and what was missed', 'socket.io', { eio: 4, recovery: true }, () =>
  socketIo({ version: 4, recovery: true }, async (server, wire) => {
    const socket = io4(wire.url, { ...websocketOnly, reconnectionDelay: 300, randomizationFactor: 0 });
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

await record('socketio-4-recovery-unasked', 'A client that knows nothing of connection state recovery on socket.io 4.8.4 that has it', 'socket.io', { eio: 4, recovery: true }, () =>
  socketIo({ version: 4, recovery: true }, async (server, wire) => {
    const socket = bare(`${wire.origin}/socket.io/?EIO=4&transport=websocket`, [[/^0/, '40']]);
    await until(() => server.connections() === 1);
    server.io.emit('message', OTHER);
    await heard(wire, /hello/);
    return socket;
  }),
);

await record('socketio-2-asked-for-4', 'socket.io 2.5.1 asked for Engine.IO 4 answers as Engine.IO 3: no maxPayload, 40 unasked, heartbeats by the client (interval 300 ms, time-out 200 ms)', 'socket.io', { eio: 4, pingInterval: 300, pingTimeout: 200 }, () =>
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

await record('socketio-2-asked-for-4-namespace', 'socket.io 2.5.1 asked for Engine.IO 4 and the namespace /my-room', 'socket.io', { eio: 4, namespace: '/my-room' }, () =>
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

await record('socketio-4-asked-for-3-allowed', 'socket.io 4.8.4 with allowEIO3, and socket.io-client 2.5.0', 'socket.io', { eio: 3, allowEIO3: true, namespace: '/my-room' }, () =>
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

await record('socketio-4-asked-for-3', 'socket.io 4.8.4 asked for Engine.IO 3, which it doesn’t take: the upgrade succeeds and the connection breaks', 'socket.io', { eio: 3 }, () =>
  socketIo({ version: 4 }, async (_, wire) => {
    const socket = bare(`${wire.origin}/socket.io/?EIO=3&transport=websocket`, []);
    await ended(wire);
    return socket;
  }),
);

await record('socketio-4-event-first', 'socket.io 4.8.4: an event before the namespace is joined', 'socket.io', { eio: 4 }, () =>
  socketIo({ version: 4 }, async (_, wire) => {
    const socket = bare(`${wire.origin}/socket.io/?EIO=4&transport=websocket`, [[/^0/, `42${JSON.stringify(['message', ENVELOPE])}`]]);
    await ended(wire);
    return socket;
  }),
);


const CORE = '@microsoft/signalr 10.0.11 in Chromium on the scripted server of ASP.NET Core SignalR';
const TEXT = JSON.stringify(ENVELOPE);

/** A page behind a tap, with these scripts on it and nothing else. */
async function tappedPage(server, ...scripts) {
  const wire = await tap(server.origin);
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(`${wire.origin}/test-pages/bare.html`);
  for (const url of scripts) await page.addScriptTag({ url });
  wire.entries.length = 0;
  return {
    page,
    wire,
    /** Ends all, and gives what was said until then, without the page's own files. */
    async finish() {
      const frames = wire.entries.filter(({ request }) => request === undefined || !/ \/(vendor|test)/.test(request));
      await browser.close();
      await wire.close();
      await server.close();
      return { frames };
    },
  };
}

/** The scripted server with a tap in front, and a connection of the official client to it: `hub`, whose methods are those of the one on the page. */
async function core(serverOptions, converse, clientOptions = {}) {
  const server = await signalRServer({ ...serverOptions, files: TEST_MOUNTS });
  const { page, wire, finish } = await tappedPage(server, '/vendor/signalr-core/signalr.js');
  await page.evaluate(({ token, ...options }) => {
    window.heard = [];
    window.token = token;
    if (token) options.accessTokenFactory = () => window.token;
    window.hub = new signalR.HubConnectionBuilder().withUrl('/hub', { transport: signalR.HttpTransportType.WebSockets, ...options }).configureLogging(signalR.LogLevel.None).withAutomaticReconnect([0, 200]).build();
    hub.on('onMessageReceived', (text) => { heard.push(text); });
    hub.on('question', (value) => ({ answer: value }));
  }, clientOptions);
  const call = (method) => (...values) => page.evaluate(([method, values]) => hub[method](...values), [method, values]);
  const hub = { start: call('start'), stop: call('stop'), invoke: call('invoke'), send: call('send') };
  await converse(server, wire, hub, page);
  return finish();
}

await record('signalr-messages', `${CORE}: a message sent with an id and one without, a burst, another's message, a stop`, 'signalr', {}, () =>
  core({}, async (server, wire, hub, page) => {
    await hub.start();
    await hub.invoke('Send', TEXT);
    await hub.send('Send', JSON.stringify({ message: 'no sender', channel: 'main' }));
    await page.waitForFunction(() => heard.length === 2);
    for (let count = 0; count < 5; count += 1) server.call('onMessageReceived', JSON.stringify({ ...OTHER, message: count }));
    server.call('somethingElse', 1, { a: null });
    await page.waitForFunction(() => heard.length === 7);
    await hub.stop();
    await ended(wire);
  }),
);

await record('signalr-packed', `${CORE}: several records in one frame`, 'signalr', {}, () =>
  core({}, async (server, _, hub, page) => {
    await hub.start();
    server.pack = true;
    const sent = Promise.all([hub.invoke('Send', TEXT), hub.invoke('Send', JSON.stringify(OTHER))]);
    await until(() => server.waiting() === 4);
    server.flush();
    await sent;
    await page.waitForFunction(() => heard.length === 2);
  }),
);

await record('signalr-errors', `${CORE}: a method that isn't there, one that throws, a wrong count of arguments`, 'signalr', { method: 'Nope' }, () =>
  core({}, async (_, __, hub) => {
    await hub.start();
    await hub.invoke('Nope', TEXT).catch(() => {});
    await hub.invoke('Refuse', TEXT).catch(() => {});
    await hub.invoke('Send').catch(() => {});
    await hub.send('Nope', TEXT);
    await hub.invoke('Send', TEXT);
  }),
);

await record('signalr-asked', `${CORE}: the server invokes with an id, what is answered, and what nobody answers`, 'signalr', {}, () =>
  core({}, async (server, _, hub) => {
    await hub.start();
    await server.ask('question', 5);
    await server.ask('onMessageReceived', JSON.stringify(OTHER));
    await server.ask('nobody');
  }),
);

await record('signalr-skip-negotiation', `${CORE}: without negotiation, with a token`, 'signalr', { skipNegotiation: true, accessToken: 'right' }, () =>
  core(
    { token: 'right' },
    async (server, _, hub) => {
      await hub.start();
      await until(() => server.connections() === 1);
    },
    { skipNegotiation: true, token: 'right' },
  ),
);

await record('signalr-redirect', `${CORE}: negotiation sends the client elsewhere, with a token for there`, 'signalr', {}, () =>
  core({ redirect: true }, async (server, _, hub) => {
    await hub.start();
    await hub.invoke('Send', TEXT);
  }),
);

await record('signalr-unauthorised', `${CORE}: a wrong token, then the right one`, 'signalr', {}, () =>
  core(
    { token: 'right' },
    async (_, __, hub, page) => {
      await hub.start().catch(() => {});
      await page.evaluate(() => void (token = 'right'));
      await hub.start();
    },
    { token: 'wrong' },
  ),
);

await record('signalr-handshake-refused', `${CORE}: the handshake is answered with an error`, 'signalr', {}, () =>
  core({}, async (server, wire, hub) => {
    server.handshakeError = "The protocol 'json' is not supported.";
    await hub.start().catch(() => {});
    await ended(wire);
  }),
);

await record('signalr-close-allow-reconnect', `${CORE}: Close with allowReconnect, then without`, 'signalr', {}, () =>
  core({}, async (server, wire, hub, page) => {
    await hub.start();
    await until(() => server.connections() === 1);
    server.dismiss({ error: 'away', allowReconnect: true });
    await until(() => wire.entries.filter(({ open }) => open).length === 2 && server.connections() === 1);
    await page.waitForFunction(() => hub.state === 'Connected');
    server.dismiss({ error: 'for good' });
    await page.waitForFunction(() => hub.state === 'Disconnected');
  }),
);

await record('signalr-pings', `${CORE}: pings both ways, every 100 ms`, 'signalr', {}, () =>
  core({ keepAlive: 100 }, async (_, wire, hub, page) => {
    await page.evaluate(() => void (hub.keepAliveIntervalInMilliseconds = 100));
    await hub.start();
    await heard(wire, /"type":6/, 3);
    await said(wire, /"type":6/, 3);
  }),
);

await record('signalr-too-large', `${CORE}: a message over 32 KiB`, 'signalr', {}, () =>
  core({}, async (_, wire, hub) => {
    await hub.start();
    await hub.send('Send', 'x'.repeat(33_000));
    await ended(wire);
    for (const entry of wire.entries) if (entry.text?.length > 33_000) entry.text = entry.text.replace(/x{33000}/, 'x'.repeat(20) + '…');
  }),
);

const CLASSIC = 'npm signalr 2.4.3 in Chromium on the scripted server of ASP.NET SignalR 2';

/** The scripted server with a tap in front, and a page with a hub proxy of the official client, `hub` on `connection`. */
async function classic(serverOptions, converse, hubName = 'webRtcHub3') {
  const server = await classicSignalRServer({ ...serverOptions, files: TEST_MOUNTS });
  const { page, wire, finish } = await tappedPage(server, '/vendor/jquery/jquery.js', '/vendor/signalr-classic/jquery.signalR.js');
  await page.evaluate((name) => {
    window.heard = [];
    window.connection = $.hubConnection('/signalr', { useDefaultPath: false });
    window.hub = connection.createHubProxy(name);
    connection.reconnectDelay = 100;
    hub.on('onMessageReceived', (text) => heard.push(text));
    window.start = () => new Promise((done) => connection.start({ transport: 'webSockets' }).always(() => done()));
    window.invoke = (...values) => new Promise((done) => hub.invoke(...values).always(() => done()));
  }, hubName);
  await converse(server, wire, page);
  return finish();
}

await record('classic-messages', `${CLASSIC}: messages sent and their echo, a burst, another's message, a stop`, 'signalr-classic', {}, () =>
  classic({}, async (server, wire, page) => {
    await page.evaluate(() => start());
    await page.evaluate((text) => invoke('Send', text), TEXT);
    await page.evaluate((text) => invoke('Send', text), JSON.stringify({ message: 'no sender', channel: 'main' }));
    for (let count = 0; count < 5; count += 1) server.call('onMessageReceived', JSON.stringify({ ...OTHER, message: count }));
    server.call('somethingElse', 1, { a: null });
    await page.waitForFunction(() => heard.length === 7);
    await page.evaluate(() => connection.stop());
    await until(() => wire.entries.some(({ request }) => request?.includes('/abort')) && wire.entries.some(({ close }) => close !== undefined));
  }),
);

await record('classic-packed', `${CLASSIC}: several messages in one frame`, 'signalr-classic', {}, () =>
  classic({}, async (server, _, page) => {
    await page.evaluate(() => start());
    server.pack = true;
    await page.evaluate((text) => invoke('Send', text), TEXT);
    server.call('onMessageReceived', JSON.stringify(OTHER));
    server.flush();
    await page.waitForFunction(() => heard.length === 2);
  }),
);

await record('classic-errors', `${CLASSIC}: a method that isn't there, with and without details, one that throws`, 'signalr-classic', { method: 'Nope' }, () =>
  classic({}, async (server, _, page) => {
    await page.evaluate(() => start());
    await page.evaluate(() => invoke('Nope', 'x'));
    server.detailed = true;
    await page.evaluate(() => invoke('Nope', 'x'));
    server.detailed = false;
    await page.evaluate(() => invoke('Refuse', 'x'));
  }),
);

await record('classic-unknown-hub', `${CLASSIC}: a hub that isn't there`, 'signalr-classic', { hub: 'other' }, () => classic({}, (_, __, page) => page.evaluate(() => start()), 'other'));

await record('classic-reconnect', `${CLASSIC}: a cut line, reconnect with the last message id, and what was missed`, 'signalr-classic', {}, () =>
  classic({}, async (server, wire, page) => {
    await page.evaluate(() => start());
    server.call('onMessageReceived', JSON.stringify(OTHER));
    await page.waitForFunction(() => heard.length === 1);
    server.end();
    await until(() => server.connections() === 0);
    server.call('onMessageReceived', JSON.stringify({ ...OTHER, message: 'missed' }));
    await page.waitForFunction(() => heard.length === 2);
  }),
);

await record('classic-keep-alive', `${CLASSIC}: keep-alives every 200 ms`, 'signalr-classic', {}, () =>
  classic({ keepAlive: 0.2 }, async (_, wire, page) => {
    await page.evaluate(() => start());
    await heard(wire, /^\{\}$/, 3);
  }),
);

await record('classic-global-error', `${CLASSIC}: an error that ends the connection`, 'signalr-classic', {}, () =>
  classic({}, async (server, wire, page) => {
    await page.evaluate(() => start());
    server.raw('{"E":"the end"}');
    await ended(wire);
  }),
);

await record('classic-redirect', `${CLASSIC}: negotiation sends the client elsewhere, with a token for there`, 'signalr-classic', {}, () =>
  classic({}, async (server, _, page) => {
    server.redirect = true;
    await page.evaluate(() => start());
  }),
);

process.exit(0);
