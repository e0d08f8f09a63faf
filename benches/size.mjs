// npm run size: what each entry of the package weighs, beside the libraries that it stands in for,
// and what each protocol costs.
//
// Raw bytes, gzip at level 9 and brotli at level 11, which is what a good host sends. Fails if the
// entry `.` is above its ceiling. The last column compares with benches/recorded/size.json, where
// `npm run size -- --record` writes the sizes of today. `npm run bench -- size` runs it too.
//
// A protocol costs what the package weighs more than one that was built without it.
// `npm run size -- --each` builds those and measures; otherwise the costs are the last ones that
// `--each --record` wrote. Differences below a hundred bytes mean nothing: a feature also changes
// the order of functions, and with it how well the module compresses.

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { record, recorded as read } from './recorded.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Brotli bytes of module and glue, with all protocols. It notices growth: it stands a little above
// today's size, and whoever raises it says why in the commit.
const CEILING = 81_100;

// xtask replaces a bare `--each` by `--each=<folder>`, where it has built the package without each
// protocol.
const { values: options } = parseArgs({
  options: { record: { type: 'boolean', default: false }, each: { type: 'string' }, json: { type: 'string' } },
});

const file = (path) => readFile(resolve(ROOT, path));
const minified = async (path) => Buffer.from((await transform(await file(path), { minify: true })).code);
const version = async (name) => JSON.parse(await file(`node_modules/${name}/package.json`)).version;

// Files are compressed one by one, so a page that loads two of them gets the sum.
const OURS = {
  'signal-wasm': [await file('dist/signal_wasm.js'), await file('dist/signal_wasm_bg.wasm')],
  '  glue': [await file('dist/signal_wasm.js')],
  '  wasm': [await file('dist/signal_wasm_bg.wasm')],
  'signal-wasm/inline': [await file('dist/inline.js')],
  'signal-wasm/global': [await file('dist/global.js')],
  'signal-wasm/transports': [await file('dist/transports.js')],
  'signal-wasm/global-transports': [await file('dist/global-transports.js')],
  'signal-wasm/room': [await file('dist/room.js')],
  'signal-wasm/call': [await file('dist/call.js')],
  'signal-wasm/react': [await file('dist/react.js')],
  'signal-wasm/rtcmulticonnection': [await file('dist/rtcmulticonnection.js')],
  'signal-wasm/global-rtcmulticonnection': [await file('dist/global-rtcmulticonnection.js')],
};
const OTHERS = {
  [`socket.io-client ${await version('socket.io-client')}`]: [await file('node_modules/socket.io-client/dist/socket.io.min.js')],
  [`@microsoft/signalr ${await version('@microsoft/signalr')}`]: [await file('node_modules/@microsoft/signalr/dist/browser/signalr.min.js')],
  "the shim, minified": [await minified('tests/support/seed-shim.js')],
};

const before = await read('size');
const weighed = (all) => Object.fromEntries(Object.entries(all).map(([name, files]) => [name.trim(), weigh(files)]));
const [today, others] = [weighed(OURS), weighed(OTHERS)];

row('', 'raw', 'gzip', 'brotli', 'since recorded (brotli)');
for (const name of Object.keys(OURS)) print(name, today[name.trim()], change(today[name.trim()], before?.entries[name.trim()]));
console.log();
for (const [name, sizes] of Object.entries(others)) print(name, sizes, '');

const each = options.each ? await costs(options.each) : before?.each;
if (each) {
  console.log(`\nEach protocol's part of signal-wasm, brotli, ${options.each ? 'measured now' : 'as last recorded (measure: npm run size -- --each)'}:`);
  for (const [name, bytes] of Object.entries(each)) {
    const note = options.each ? change({ brotli: bytes }, before?.each?.[name] && { brotli: before.each[name] }) : '';
    row(`  ${name === 'all' ? 'all of them' : name}`, '', '', number(bytes), note);
  }
} else {
  console.log('\nThe costs of the protocols are not recorded. Measure and record them: npm run size -- --each --record');
}

const result = { entries: today, others, each };
if (options.json) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
if (options.record) await record('size', result);

const { brotli } = today['signal-wasm'];
console.log(`\nsignal-wasm: ${number(brotli)} bytes, brotli; the ceiling is ${number(CEILING)}.`);
if (brotli > CEILING) {
  console.error(`signal-wasm is ${number(brotli - CEILING)} bytes above its ceiling. What each protocol costs: npm run size -- --each`);
  process.exitCode = 1;
}

function weigh(files) {
  const sum = (size) => files.reduce((total, bytes) => total + size(bytes), 0);
  return {
    raw: sum((bytes) => bytes.length),
    gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length),
    brotli: sum((bytes) => {
      const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;
      return brotliCompressSync(bytes, { params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
    }),
  };
}

/** By protocol: how much less the package weighs that was built without it. */
async function costs(folder) {
  const whole = today['signal-wasm'].brotli;
  const names = (await readdir(folder)).filter((name) => name.startsWith('without-')).sort();
  const cost = async (name) => {
    const dist = join(folder, name, 'dist');
    return whole - weigh([await file(join(dist, 'signal_wasm.js')), await file(join(dist, 'signal_wasm_bg.wasm'))]).brotli;
  };
  const found = {};
  // Code that several protocols share is only gone where all are left out.
  for (const name of [...names.filter((name) => name !== 'without-all'), 'without-all']) found[name.replace('without-', '')] = await cost(name);
  return found;
}

function change(now, before) {
  if (!before) return 'not recorded';
  const difference = now.brotli - before.brotli;
  return difference === 0 ? 'same' : `${difference > 0 ? '+' : '−'}${number(Math.abs(difference))}`;
}

function print(name, { raw, gzip, brotli }, note) {
  row(name, number(raw), number(gzip), number(brotli), note);
}

function row(name, ...cells) {
  console.log([name.padEnd(31), ...cells.map((cell, index) => cell.padStart(index === 3 ? 26 : 10))].join('').trimEnd());
}

function number(value) {
  return value.toLocaleString('en');
}
