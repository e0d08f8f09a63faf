// Transcripts of ASP.NET SignalR 2.

import { classicSignalRServer } from '../../support/classic-signalr-server.mjs';
import { until } from '../../support/deadline.mjs';
import { TEST_MOUNTS } from '../../support/pages.mjs';
import { ended, ENVELOPE, heard, OTHER, record } from './recorder.mjs';
import { tappedPage } from './tapped-page.mjs';

/* global $, connection, hub, invoke, start -- of the pages */

const CLASSIC = 'npm signalr 2.4.3 in Chromium on the scripted server of ASP.NET SignalR 2';
const TEXT = JSON.stringify(ENVELOPE);

/**
 * The scripted server with a tap in front, and a page with a hub proxy of the official client,
 * `hub` on `connection`.
 */
async function classic(serverOptions, converse, hubName = 'webRtcHub3') {
  const server = await classicSignalRServer({ ...serverOptions, files: TEST_MOUNTS });
  const { page, wire, finish } = await tappedPage(
    server,
    '/vendor/jquery/jquery.js',
    '/vendor/signalr-classic/jquery.signalR.js',
  );
  await page.evaluate((name) => {
    window.heard = [];
    window.connection = $.hubConnection('/signalr', { useDefaultPath: false });
    window.hub = connection.createHubProxy(name);
    connection.reconnectDelay = 100;
    hub.on('onMessageReceived', (text) => heard.push(text));
    window.start = () =>
      new Promise((done) => connection.start({ transport: 'webSockets' }).always(() => done()));
    window.invoke = (...values) =>
      new Promise((done) => hub.invoke(...values).always(() => done()));
  }, hubName);
  await converse(server, wire, page);
  return finish();
}

await record(
  'classic-messages',
  `${CLASSIC}: messages sent and their echo, a burst, another's message, a stop`,
  'signalr-classic',
  {},
  () =>
    classic({}, async (server, wire, page) => {
      await page.evaluate(() => start());
      await page.evaluate((text) => invoke('Send', text), TEXT);
      await page.evaluate(
        (text) => invoke('Send', text),
        JSON.stringify({ message: 'no sender', channel: 'main' }),
      );
      for (let count = 0; count < 5; count += 1)
        server.call('onMessageReceived', JSON.stringify({ ...OTHER, message: count }));
      server.call('somethingElse', 1, { a: null });
      await page.waitForFunction(() => heard.length === 7);
      await page.evaluate(() => connection.stop());
      await until(
        () =>
          wire.entries.some(({ request }) => request?.includes('/abort')) &&
          wire.entries.some(({ close }) => close !== undefined),
      );
    }),
);

await record(
  'classic-packed',
  `${CLASSIC}: several messages in one frame`,
  'signalr-classic',
  {},
  () =>
    classic({}, async (server, _, page) => {
      await page.evaluate(() => start());
      server.pack = true;
      await page.evaluate((text) => invoke('Send', text), TEXT);
      server.call('onMessageReceived', JSON.stringify(OTHER));
      server.flush();
      await page.waitForFunction(() => heard.length === 2);
    }),
);

await record(
  'classic-errors',
  `${CLASSIC}: a method that isn't there, with and without details, one that throws`,
  'signalr-classic',
  { method: 'Nope' },
  () =>
    classic({}, async (server, _, page) => {
      await page.evaluate(() => start());
      await page.evaluate(() => invoke('Nope', 'x'));
      server.detailed = true;
      await page.evaluate(() => invoke('Nope', 'x'));
      server.detailed = false;
      await page.evaluate(() => invoke('Refuse', 'x'));
    }),
);

await record(
  'classic-unknown-hub',
  `${CLASSIC}: a hub that isn't there`,
  'signalr-classic',
  { hub: 'other' },
  () => classic({}, (_, __, page) => page.evaluate(() => start()), 'other'),
);

await record(
  'classic-reconnect',
  `${CLASSIC}: a cut line, reconnect with the last message id, and what was missed`,
  'signalr-classic',
  {},
  () =>
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

await record(
  'classic-keep-alive',
  `${CLASSIC}: keep-alives every 200 ms`,
  'signalr-classic',
  {},
  () =>
    classic({ keepAlive: 0.2 }, async (_, wire, page) => {
      await page.evaluate(() => start());
      await heard(wire, /^\{\}$/, 3);
    }),
);

await record(
  'classic-global-error',
  `${CLASSIC}: an error that ends the connection`,
  'signalr-classic',
  {},
  () =>
    classic({}, async (server, wire, page) => {
      await page.evaluate(() => start());
      server.raw('{"E":"the end"}');
      await ended(wire);
    }),
);

await record(
  'classic-redirect',
  `${CLASSIC}: negotiation sends the client elsewhere, with a token for there`,
  'signalr-classic',
  {},
  () =>
    classic({}, async (server, _, page) => {
      server.redirect = true;
      await page.evaluate(() => start());
    }),
);
