// The package bundled by Vite, webpack, esbuild and Rollup: the bundle is loaded in a browser, and
// two pages talk.
//
// The bundlers come from this repository. The project that they bundle has only the installed
// tarball.

import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import * as vite8 from 'vite';
import * as vite5 from 'vite-5';
import * as vite6 from 'vite-6';
import * as vite7 from 'vite-7';
import webpack from 'webpack';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { seedServer } from '../support/servers.mjs';
import { makeConsumer } from './consumer.mjs';
import { roundTrip } from './pages.mjs';

let browser;
let consumer;
let server;

before(async () => {
  [browser, consumer, server] = await Promise.all([launchChromium(), makeConsumer(), seedServer()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), consumer?.remove(), server?.close()]), TIMEOUT);

const VITES = { 5: vite5, 6: vite6, 7: vite7, 8: vite8 };

const BUILDS = [
  ...Object.entries(VITES).map(([version, vite]) => ({ name: `Vite ${version}, entry .`, make: (out) => runVite(vite, out), hasPage: true, wasm: 1 })),
  { name: 'webpack, entry .', entry: 'module.mjs', make: runWebpack, wasm: 1 },
  { name: 'webpack, entry ./inline', entry: 'inline.mjs', make: runWebpack, wasm: 0 },
  { name: 'esbuild, entry . told where the module is', entry: 'url.mjs', make: runEsbuild, wasm: 1 },
  { name: 'esbuild, entry ./inline', entry: 'inline.mjs', make: runEsbuild, wasm: 0 },
  { name: 'esbuild, entry ./global', entry: 'global.mjs', make: runEsbuild, wasm: 0 },
  { name: 'Rollup, entry ./inline', entry: 'inline.mjs', make: runRollup, wasm: 0 },
  { name: 'Rollup, entry ./global', entry: 'global.mjs', make: runRollup, wasm: 0 },
  ...[runWebpack, runEsbuild, runRollup].map((make) => ({ name: `${make.name.slice(3)}, a transport of ./transports`, entry: 'transports.mjs', make, wasm: 0, shaken: true })),
];

for (const [index, { name, entry, make, hasPage, wasm, shaken }] of BUILDS.entries()) {
  describe(name, () => {
    const out = () => join(consumer.folder, `out-${index}`);

    it('builds without a warning', async () => {
      assert.deepEqual(await make(out(), entry), []);
      if (!hasPage) await writeFile(join(out(), 'index.html'), PAGE);
    });

    it(wasm ? 'emits the .wasm once' : 'needs no second file', async () => {
      const files = (await readdir(out(), { recursive: true })).filter((path) => path.endsWith('.wasm'));
      assert.equal(files.length, wasm, `emitted: ${files.join(', ') || 'none'}`);
      const packed = join(consumer.folder, 'node_modules/signal-wasm/dist/signal_wasm_bg.wasm');
      for (const path of files) assert.deepEqual(await readFile(join(out(), path)), await readFile(packed));
    });

    if (shaken) {
      it('takes along nothing of the transports that the page doesn’t use', async () => {
        const bundle = await readFile(join(out(), 'main.js'), 'utf8');
        assert.match(bundle, /BroadcastChannel/);
        for (const others of ['websync.client', 'stateChanged', 'connect_error', 'onreconnecting']) {
          assert.ok(!bundle.includes(others), `it holds ${others}`);
        }
      });
    }

    it('lets two pages talk', async () => {
      const files = await serveFiles({ '/': out() });
      try {
        await roundTrip(browser, `${files.origin}/`, server);
      } finally {
        await files.close();
      }
    });
  });
}

describe('Vite while developing, entry .', () => {
  // The builds above have set it to 'production' for this process.
  before(() => {
    process.env.NODE_ENV = 'development';
  });
  for (const [version, vite] of Object.entries(VITES)) {
    it(`lets two pages talk, version ${version}`, TIMEOUT, async () => {
      const warnings = [];
      const developing = await vite.createServer({ ...viteOptions(warnings), cacheDir: `.vite-${version}`, server: { host: '127.0.0.1', port: 0, hmr: false } });
      try {
        await developing.listen();
        await roundTrip(browser, `http://127.0.0.1:${developing.httpServer.address().port}/`, server);
        assert.deepEqual(warnings, []);
      } finally {
        await developing.close();
      }
    });
  }
});

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>bundled</title><link rel="icon" href="data:,"></head>
<body><script type="module" src="main.js"></script></body></html>
`;

function viteOptions(warnings) {
  const note = (text) => warnings.push(text);
  return {
    root: consumer.folder,
    configFile: false,
    logLevel: 'warn',
    customLogger: { info() {}, warn: note, warnOnce: note, error: note, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false },
  };
}

async function runVite(vite, outDir) {
  const warnings = [];
  // The page awaits at top level, which the default target of Vite 5 and 6 doesn't allow.
  await vite.build({ ...viteOptions(warnings), build: { outDir, target: 'es2022' } });
  return warnings;
}

async function runWebpack(out, entry) {
  const compiler = webpack({
    mode: 'production',
    // webpack recommends bundles of up to 244 KiB; one with the module in base64 is larger.
    performance: { hints: false },
    context: consumer.folder,
    entry: `./${entry}`,
    output: { path: out, filename: 'main.js' },
  });
  const stats = await new Promise((done, fail) => compiler.run((error, stats) => (error ? fail(error) : done(stats))));
  await new Promise((done) => compiler.close(done));
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  return [...errors, ...warnings].map(({ message }) => message);
}

async function runEsbuild(out, entry) {
  const { errors, warnings } = await esbuild({
    absWorkingDir: consumer.folder,
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    loader: { '.wasm': 'file' },
    outfile: join(out, 'main.js'),
    logLevel: 'silent',
  });
  return [...errors, ...warnings].map(({ text }) => text);
}

async function runRollup(out, entry) {
  const warnings = [];
  const { resolve } = createRequire(join(consumer.folder, 'package.json'));
  const bundle = await rollup({
    input: join(consumer.folder, entry),
    // Stands in for @rollup/plugin-node-resolve: packages are found as Node finds them.
    plugins: [{ name: 'packages', resolveId: (id) => (/^[./]|^\w:|\0/.test(id) ? null : resolve(id)) }],
    onwarn: ({ message }) => warnings.push(message),
  });
  await bundle.write({ file: join(out, 'main.js'), format: 'es' });
  await bundle.close();
  return warnings;
}
