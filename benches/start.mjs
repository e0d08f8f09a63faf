// npm run bench -- start: how soon a page sends: from its first script until its first message has
// come to another client of our relay, which serves the pages too, compressed. signal-wasm beside the
// seed's shim, socket.io-client and @microsoft/signalr, each by its fastest way to connect.
//
// * cold: the first visit with a fresh profile of the browser. Each page has scripts of its own.
// * warm: a visit after the browser was started again. Earlier visits have filled the HTTP cache and,
//   from the second on, V8's code cache. The relay is asked whether the files are still the same.
//
// Pages take turns in each round, so that other work on the machine slows all alike, and of the
// rounds the median counts. Page and listener read the same clock of one machine.

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { launchProfile } from '../tests/support/chromium.mjs';
import { deadline } from '../tests/support/deadline.mjs';
import { MOUNTS, relay, ROOT } from '../tests/support/servers.mjs';
import { machine, versions } from './machine.mjs';
import { median } from './median.mjs';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '12' }, json: { type: 'string' } } });
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${options.rounds}; give a whole number from 1 up`);

/** What is measured, with its page in benches/start. Ratios are to the first. */
const BASELINE = 'socket.io-client';
const CLIENTS = {
  [BASELINE]: 'socket-io',
  'shim': 'shim',
  '@microsoft/signalr': 'signalr',
  'signal-wasm': 'module',
  'signal-wasm/inline': 'inline',
  'signal-wasm/global': 'global',
};
/** How the module can be compiled. */
const COMPILE = ['at once', 'in the background'];
/** V8 writes its code cache when a script runs for the second time. */
const VISITS_BEFORE_WARM = 2;

const mounts = { ...MOUNTS, '/': join(ROOT, 'benches/start'), '/support': join(ROOT, 'tests/support') };
const server = await relay({ args: Object.entries(mounts).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]) });
const listener = new WebSocket(server.url);
await once(listener, 'open');
const visits = new Map();
listener.on('message', (data) => {
  const arrived = performance.timeOrigin + performance.now();
  const { message } = JSON.parse(data);
  visits.get(message?.visit)?.({ loaded: message.loaded - message.started, sent: arrived - message.started });
});

const runs = Object.fromEntries(Object.keys(CLIENTS).map((name) => [name, { cold: [], warm: [] }]));
const compiled = Object.fromEntries(COMPILE.map((how) => [how, []]));
let chromium;
try {
  for (let round = 0; round < rounds; round += 1) await measure(round);
} finally {
  listener.terminate();
  await server.close();
}
const result = { ...machine(), chromium, versions: versions('socket.io-client', '@microsoft/signalr'), rounds, baseline: BASELINE, ...summary() };
print(result);
if (options.json) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);

/** One round: all clients cold in a fresh profile, and then warm. */
async function measure(round) {
  const profile = await mkdtemp(join(tmpdir(), 'signal-wasm-start-'));
  // Another begins in each round.
  const names = Object.keys(CLIENTS);
  const turns = names.map((_, i) => names[(i + round) % names.length]);
  try {
    await withBrowser(profile, async (context) => {
      for (const name of turns) runs[name].cold.push(await visit(context, name));
      for (const how of COMPILE) compiled[how].push(await compile(context, how));
      for (let i = 0; i < VISITS_BEFORE_WARM; i += 1) {
        for (const name of turns) await visit(context, name);
      }
    });
    await withBrowser(profile, async (context) => {
      for (const name of turns) runs[name].warm.push(await visit(context, name));
    });
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

async function withBrowser(profile, work) {
  const context = await launchProfile(profile);
  try {
    chromium = context.browser().version();
    // What a browser does once, such as starting its network service, is no page's cost.
    const page = await context.newPage();
    await page.goto(`${server.origin}/compile.html`);
    await page.close();
    await work(context);
  } finally {
    await context.close();
  }
}

/** Opens the client's page in a tab, and gives its milliseconds. */
async function visit(context, name) {
  const query = `?${visits.size}`;
  const page = await context.newPage();
  try {
    const times = new Promise((done, fail) => {
      visits.set(query, done);
      page.once('pageerror', fail);
      setTimeout(() => fail(new Error(`${name}: no message came`)), deadline(30_000)).unref();
    });
    const [found] = await Promise.all([times, page.goto(`${server.origin}/${CLIENTS[name]}.html${query}`)]);
    return found;
  } finally {
    await page.close();
  }
}

/** The milliseconds that the module takes to compile in a fresh page. */
async function compile(context, how) {
  const page = await context.newPage();
  try {
    await page.goto(`${server.origin}/compile.html`);
    await page.waitForFunction(() => typeof window.compile === 'function');
    return await page.evaluate((how) => window.compile(how), how);
  } finally {
    await page.close();
  }
}

/** Medians, and the best that was seen, in milliseconds. */
function summary() {
  const medians = (visits) => {
    const [loaded, sent] = ['loaded', 'sent'].map((member) => visits.map((visit) => visit[member]));
    return { loaded: median(loaded), sent: median(sent), bestSent: Math.min(...sent) };
  };
  return {
    clients: Object.fromEntries(Object.entries(runs).map(([name, { cold, warm }]) => [name, { cold: medians(cold), warm: medians(warm) }])),
    compileMilliseconds: Object.fromEntries(COMPILE.map((how) => [how, median(compiled[how])])),
  };
}

function print({ chromium, clients, compileMilliseconds }) {
  console.log(`From a page’s first script to its first message at another client, in Chromium ${chromium}: ms, median of ${rounds} rounds.\n`);
  console.log(`| | cold: library ready | message there | ratio | best | warm: library ready | message there | ratio | best |\n|${' --- |'.repeat(9)}`);
  for (const [name, visits] of Object.entries(clients)) {
    const cells = ['cold', 'warm'].flatMap((how) => {
      const { loaded, sent, bestSent } = visits[how];
      return [loaded.toFixed(1), sent.toFixed(1), (sent / clients[BASELINE][how].sent).toFixed(2), bestSent.toFixed(1)];
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
  console.log(`\nThe module compiles in ${COMPILE.map((how) => `${compileMilliseconds[how].toFixed(1)} ms ${how}`).join(', ')}.`);
}
