// npm run bench -- join: how long pages take in Chromium from joining a room until a data channel with
// the page that is there is open, each library with what it can use:
//
// * an unmodified page of RTCMultiConnection 3.7.1 with Socket.IO's own client on npm
//   rtcmulticonnection-server and on our relay, and with the adapter on each protocol;
// * one of 2.2.5 with the shim for Socket.IO, and with signal-wasm in its place;
// * `signal-wasm/call`.
//
// All take turns, so that other work on the machine slows each of them alike. Prints medians, and
// their ratio to the first of the same library.

import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchChromium } from '../tests/support/chromium.mjs';
import { serveFiles } from '../tests/support/files.mjs';
import { openPage, TEST_MOUNTS } from '../tests/support/pages.mjs';
import { openConnection, openOriginal, openServed, ROOM_SERVERS, serveOriginals, serveRooms } from '../tests/support/rtcmulticonnection-pages.mjs';
import { rtcMultiConnectionServer } from '../tests/support/rtcmulticonnection-server.mjs';
import { MOUNTS, relay } from '../tests/support/servers.mjs';
import { socketIoServer } from '../tests/support/socket-io-server.mjs';
import { median } from './median.mjs';

/* global connection -- of the pages */

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '5' }, json: { type: 'string' } } });
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is ${options.runs}; give a whole number from 1 up`);

const MOUNT_ARGS = Object.entries({ ...MOUNTS, ...TEST_MOUNTS }).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]);
/** Where our relay speaks each protocol. */
const ADDRESSES = {
  relay: ({ url }) => url,
  websocket: ({ url }) => url,
  'socket.io': ({ origin }) => `${origin}/`,
  signalr: ({ origin }) => `${origin}/hub`,
  'signalr-classic': ({ origin }) => `${origin}/signalr`,
  sse: ({ origin }) => `${origin}/sse`,
};

const browser = await launchChromium();
const [originals, rooms, pages] = await Promise.all([
  serveOriginals(),
  serveRooms(),
  serveFiles({ ...MOUNTS, ...TEST_MOUNTS, '/join': fileURLToPath(new URL('join', import.meta.url)) }),
]);
const started = [];
const cases = [];

/** A page of RTCMultiConnection 3, which `open` opens. */
const version3 = (server, client, open) => ({ library: 'RTCMultiConnection 3.7.1', server, client, open, enter: enter3 });
// The adapter with the limits of time that it has by itself, not the tests'.
const adapter = (url, protocol) => openConnection(browser, rooms.origin, { url, protocol, answerTimeout: undefined, reconnect: undefined });
/** A page of RTCMultiConnection 2 with the shim or, with options, with signal-wasm. */
const version2 = (server, client, options) => ({
  library: 'RTCMultiConnection 2.2.5',
  server,
  client,
  open: () => openPage(browser, `${pages.origin}/join/rtcmulticonnection-2.html`),
  enter: (page, how, room) => page.evaluate(([how, room, options]) => window.enter(how, room, options), [how === 'join' ? 'connect' : how, room, options]),
});
const call = (server, protocol, url) => ({
  library: 'signal-wasm/call',
  server,
  client: `protocol ${protocol}`,
  open: async () => {
    const page = await openPage(browser, `${pages.origin}/test-pages/call.html`);
    await page.waitForFunction(() => window.ready);
    return page;
  },
  enter: (page, how, room) => enterCall(page, how, room, { url, protocol }),
});

try {
  const [original, broadcast, ours] = await Promise.all([rtcMultiConnectionServer(), socketIoServer(), relay({ args: MOUNT_ARGS })]);
  started.push(original, broadcast, ours);
  cases.push(
    version3('rtcmulticonnection-server', "Socket.IO's client", () => openOriginal(browser, originals.origin, original.url)),
    version3('our relay', "Socket.IO's client", () => openServed(browser, ours.origin)),
    ...Object.entries(ADDRESSES).map(([protocol, address]) => version3('our relay', `the adapter over ${protocol}`, () => adapter(address(ours), protocol))),
  );
  for (const [name, [start, protocol]] of Object.entries(ROOM_SERVERS)) {
    if (protocol === 'auto') continue;
    const server = await start();
    started.push(server);
    cases.push(version3(name, 'the adapter', () => adapter(server.url, protocol)));
  }
  cases.push(
    version2('a Socket.IO server that broadcasts', 'the shim', { server: broadcast.url }),
    version2('a Socket.IO server that broadcasts', 'signal-wasm', { server: broadcast.url, protocol: 'socket.io' }),
    version2('our relay', 'the shim', { server: `${ours.origin}/` }),
    version2('our relay', 'signal-wasm', { server: ours.url, protocol: 'auto' }),
    version2('our relay', 'signal-wasm, openWhen: connected', { server: ours.url, protocol: 'auto', openWhen: 'connected' }),
    ...Object.entries(ADDRESSES).map(([protocol, address]) => call('our relay', protocol, address(ours))),
  );
  const times = cases.map(() => ({ opened: [], joined: [] }));
  for (let run = 1; run <= runs; run += 1) {
    process.stderr.write(`run ${run} of ${runs} …\n`);
    for (const [index, one] of cases.entries()) await measure(one, times[index], `room ${run}`);
  }
  const result = {
    chromium: browser.version(),
    runs,
    cases: cases.map(({ library, server, client }, index) => {
      const { opened, joined } = times[index];
      return { library, server, client, ...(opened.length > 0 && { openedMilliseconds: median(opened) }), joinedMilliseconds: median(joined) };
    }),
  };
  print(result);
  if (options.json) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
} finally {
  await browser.close();
  await Promise.all([originals, rooms, pages, ...started].map((server) => server.close()));
}

/** A page opens a room and another joins it. Both are new, as all pages are for which it matters. */
async function measure({ library, server, client, open, enter }, { opened, joined }, room) {
  const both = [await open(), await open()];
  try {
    const answered = await enter(both[0], 'open', room);
    if (answered !== undefined) opened.push(answered);
    joined.push(await enter(both[1], 'join', room));
  } catch (error) {
    throw new Error(`${library}, ${server}, ${client}: ${error.message}`, { cause: error });
  } finally {
    await Promise.all(both.map((page) => page.context().close()));
  }
}

/** The milliseconds until a page has opened a room, or is connected with its owner. */
function enter3(page, how, room) {
  return page.evaluate(
    ([how, room]) =>
      new Promise((done, fail) => {
        const began = performance.now();
        const end = () => done(performance.now() - began);
        if (how === 'join') connection.onopen = end;
        connection[how](room, (isIn, _, reason) => {
          if (!isIn) fail(new Error(`${how}: ${reason}`));
          if (how === 'open') end();
        });
      }),
    [how, room],
  );
}

/** The milliseconds until a page's call has an open data channel; the first page has nobody to wait for. */
function enterCall(page, how, room, options) {
  return page.evaluate(
    async ([how, room, options]) => {
      const began = performance.now();
      await window.join({ options, name: how, room });
      window.enter({ sends: false, dataChannels: { chat: {} } });
      if (how === 'open') return undefined;
      return new Promise((done) => {
        window.call.addEventListener('datachannel', ({ channel }) => channel.addEventListener('open', () => done(performance.now() - began)));
      });
    },
    [how, room, options],
  );
}

function print({ chromium, cases }) {
  console.log(`Chromium ${chromium}, median of ${runs} runs, ms.`);
  for (const library of new Set(cases.map((one) => one.library))) {
    const rows = cases.filter((one) => one.library === library);
    const cells = (value, first) => (value === undefined ? '' : ` ${value.toFixed(0)} | ${(value / first).toFixed(2)} |`);
    const opens = rows[0].openedMilliseconds === undefined ? '' : ' open to its answer | ratio |';
    console.log(`\n| ${library} | join to open data channel | ratio |${opens}\n| --- | --- | --- |${opens && ' --- | --- |'}`);
    for (const { server, client, joinedMilliseconds, openedMilliseconds } of rows) {
      console.log(`| ${server}, ${client} |${cells(joinedMilliseconds, rows[0].joinedMilliseconds)}${cells(openedMilliseconds, rows[0].openedMilliseconds)}`);
    }
  }
}
