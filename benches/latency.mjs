// npm run latency: how long an unmodified page of RTCMultiConnection 3.7.1 takes in Chromium from
// `open` to its answer, and from `join` to an open data channel: on npm rtcmulticonnection-server,
// on our relay with Socket.IO's own client, and with the adapter on each protocol. All take turns,
// so that other work on the machine slows each of them alike. Prints medians and their ratio to
// rtcmulticonnection-server's.

import process from 'node:process';
import { parseArgs } from 'node:util';
import { launchChromium } from '../tests/support/chromium.mjs';
import { TEST_MOUNTS } from '../tests/support/pages.mjs';
import { openConnection, openOriginal, openServed, ROOM_SERVERS, serveOriginals, serveRooms } from '../tests/support/rtcmulticonnection-pages.mjs';
import { rtcMultiConnectionServer } from '../tests/support/rtcmulticonnection-server.mjs';
import { MOUNTS, relay } from '../tests/support/servers.mjs';

/* global connection -- of the pages */

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '21' } } });
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
const [originals, rooms] = await Promise.all([serveOriginals(), serveRooms()]);
// The adapter with the limits of time that it has by itself, not the tests'.
const adapter = (url, protocol) => openConnection(browser, rooms.origin, { url, protocol, answerTimeout: undefined, reconnect: undefined });
const started = [];
const cases = [];

async function add(start, named) {
  const server = await start();
  started.push(server);
  for (const [name, open] of named) cases.push({ name, open: () => open(server), opened: [], joined: [] });
}

try {
  await add(rtcMultiConnectionServer, [['rtcmulticonnection-server, Socket.IO’s client', ({ url }) => openOriginal(browser, originals.origin, url)]]);
  await add(() => relay({ args: MOUNT_ARGS }), [
    ['our relay, Socket.IO’s client', ({ origin }) => openServed(browser, origin)],
    ...Object.entries(ADDRESSES).map(([protocol, address]) => [`our relay, the adapter over ${protocol}`, (server) => adapter(address(server), protocol)]),
  ]);
  for (const [name, [start, protocol]] of Object.entries(ROOM_SERVERS)) {
    if (protocol !== 'auto') await add(start, [[`${name}, the adapter`, ({ url }) => adapter(url, protocol)]]);
  }
  for (let run = 1; run <= runs; run += 1) {
    process.stderr.write(`run ${run} of ${runs} …\n`);
    for (const one of cases) await measure(one, `room ${run}`);
  }
  print();
} finally {
  await browser.close();
  await Promise.all([originals, rooms, ...started].map((server) => server.close()));
}

async function measure({ name, open, opened, joined }, room) {
  const pages = [await open(), await open()];
  try {
    opened.push(await timed(pages[0], 'open', room));
    joined.push(await timed(pages[1], 'join', room));
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  } finally {
    await Promise.all(pages.map((page) => page.context().close()));
  }
}

/** The milliseconds until a page has opened a room, or is connected with its owner. */
function timed(page, how, room) {
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

function print() {
  const [baseline] = cases;
  const ratio = (one, what) => (median(one[what]) / median(baseline[what])).toFixed(2);
  console.log(`Chromium ${browser.version()}, median of ${runs} runs, ms.\n`);
  console.log('| server and client | open to its answer | ratio | join to open data channel | ratio |\n| --- | --- | --- | --- | --- |');
  for (const one of cases) {
    console.log(`| ${one.name} | ${median(one.opened).toFixed(0)} | ${ratio(one, 'opened')} | ${median(one.joined).toFixed(0)} | ${ratio(one, 'joined')} |`);
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
