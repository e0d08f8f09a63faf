// Transcripts of ASP.NET Core SignalR.

import { until } from '../../support/deadline.mjs';
import { TEST_MOUNTS } from '../../support/pages.mjs';
import { signalRServer } from '../../support/signalr-server.mjs';
import { ended, ENVELOPE, heard, OTHER, record, said } from './recorder.mjs';
import { tappedPage } from './tapped-page.mjs';

/* global signalR -- of the pages */

const CORE =
  '@microsoft/signalr 10.0.11 in Chromium on the scripted server of ASP.NET Core SignalR';
const TEXT = JSON.stringify(ENVELOPE);

/**
 * The scripted server with a tap in front, and a connection of the official client to it: `hub`,
 * whose methods are those of the one on the page.
 */
async function core(serverOptions, converse, clientOptions = {}) {
  const server = await signalRServer({ ...serverOptions, files: TEST_MOUNTS });
  const { page, wire, finish } = await tappedPage(server, '/vendor/signalr-core/signalr.js');
  await page.evaluate(({ token, ...options }) => {
    window.heard = [];
    window.token = token;
    if (token) options.accessTokenFactory = () => window.token;
    window.hub = new signalR.HubConnectionBuilder()
      .withUrl('/hub', { transport: signalR.HttpTransportType.WebSockets, ...options })
      .configureLogging(signalR.LogLevel.None)
      .withAutomaticReconnect([0, 200])
      .build();
    hub.on('onMessageReceived', (text) => {
      heard.push(text);
    });
    hub.on('question', (value) => ({ answer: value }));
  }, clientOptions);
  const call =
    (method) =>
    (...values) =>
      page.evaluate(([method, values]) => hub[method](...values), [method, values]);
  const hub = {
    start: call('start'),
    stop: call('stop'),
    invoke: call('invoke'),
    send: call('send'),
  };
  await converse(server, wire, hub, page);
  return finish();
}

await record(
  'signalr-messages',
  `${CORE}: a message sent with an id and one without, a burst, another's message, a stop`,
  'signalr',
  {},
  () =>
    core({}, async (server, wire, hub, page) => {
      await hub.start();
      await hub.invoke('Send', TEXT);
      await hub.send('Send', JSON.stringify({ message: 'no sender', channel: 'main' }));
      await page.waitForFunction(() => heard.length === 2);
      for (let count = 0; count < 5; count += 1)
        server.call('onMessageReceived', JSON.stringify({ ...OTHER, message: count }));
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

await record(
  'signalr-errors',
  `${CORE}: a method that isn't there, one that throws, a wrong count of arguments`,
  'signalr',
  { method: 'Nope' },
  () =>
    core({}, async (_, __, hub) => {
      await hub.start();
      await hub.invoke('Nope', TEXT).catch(() => {});
      await hub.invoke('Refuse', TEXT).catch(() => {});
      await hub.invoke('Send').catch(() => {});
      await hub.send('Nope', TEXT);
      await hub.invoke('Send', TEXT);
    }),
);

await record(
  'signalr-asked',
  `${CORE}: the server invokes with an id, what is answered, and what nobody answers`,
  'signalr',
  {},
  () =>
    core({}, async (server, _, hub) => {
      await hub.start();
      await server.ask('question', 5);
      await server.ask('onMessageReceived', JSON.stringify(OTHER));
      await server.ask('nobody');
    }),
);

await record(
  'signalr-skip-negotiation',
  `${CORE}: without negotiation, with a token`,
  'signalr',
  { skipNegotiation: true, accessToken: 'right' },
  () =>
    core(
      { token: 'right' },
      async (server, _, hub) => {
        await hub.start();
        await until(() => server.connections() === 1);
      },
      { skipNegotiation: true, token: 'right' },
    ),
);

await record(
  'signalr-redirect',
  `${CORE}: negotiation sends the client elsewhere, with a token for there`,
  'signalr',
  {},
  () =>
    core({ redirect: true }, async (server, _, hub) => {
      await hub.start();
      await hub.invoke('Send', TEXT);
    }),
);

await record(
  'signalr-unauthorised',
  `${CORE}: a wrong token, then the right one`,
  'signalr',
  {},
  () =>
    core(
      { token: 'right' },
      async (_, __, hub, page) => {
        await hub.start().catch(() => {});
        await page.evaluate(() => void (window.token = 'right'));
        await hub.start();
      },
      { token: 'wrong' },
    ),
);

await record(
  'signalr-handshake-refused',
  `${CORE}: the handshake is answered with an error`,
  'signalr',
  {},
  () =>
    core({}, async (server, wire, hub) => {
      server.handshakeError = "The protocol 'json' is not supported.";
      await hub.start().catch(() => {});
      await ended(wire);
    }),
);

await record(
  'signalr-close-allow-reconnect',
  `${CORE}: Close with allowReconnect, then without`,
  'signalr',
  {},
  () =>
    core({}, async (server, wire, hub, page) => {
      await hub.start();
      await until(() => server.connections() === 1);
      server.dismiss({ error: 'away', allowReconnect: true });
      await until(
        () => wire.entries.filter(({ open }) => open).length === 2 && server.connections() === 1,
      );
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
    for (const entry of wire.entries)
      if (entry.text?.length > 33_000)
        entry.text = entry.text.replace(/x{33000}/, 'x'.repeat(20) + '…');
  }),
);
