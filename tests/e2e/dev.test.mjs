// `npm run dev` in a copy of the tree: what is saved is seen, and what can't be built isn't.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { assertNoTroubles, openPage } from '../support/pages.mjs';
import { MOUNTS, relayPath, ROOT } from '../support/servers.mjs';

/** Stands in for `xtask build --dev`: it notes its call, and fails if the tree says so. */
const BUILDER = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
process.exitCode = Number(readFileSync('outcome', 'utf8'));
`;

let browser;
let folder;
let server;
let said = '';
const at = (...path) => join(folder, ...path);

before(async () => {
  [browser, folder] = await Promise.all([launchBrowser(), mkdtemp(join(tmpdir(), 'signal-wasm-dev-'))]);
  await cp(join(ROOT, 'www'), at('www'), { recursive: true });
  for (const name of ['npm', 'src', 'wire', 'relay']) await mkdir(at(name, 'deep'), { recursive: true });
  await copyFile(relayPath(), at('signal-relay'));
  await writeFile(at('builder.cjs'), BUILDER);
  await chmod(at('builder.cjs'), 0o755);
  await writeFile(at('outcome'), '0');
  const mounts = Object.entries({ ...MOUNTS, '/': at('www') }).flatMap(([path, folder]) => ['--mount', `${path}=${folder}`]);
  server = spawn(process.execPath, [join(ROOT, 'xtask/src/dev/serve.mjs'), '--relay', at('signal-relay'), '--builder', at('builder.cjs'), '--listen', '127.0.0.1:0', ...mounts], { cwd: folder });
  process.once('exit', () => server.kill());
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  await until(() => origin() || server.exitCode !== null, 'the address of the demo');
  assert.ok(origin(), said);
}, TIMEOUT);
after(async () => {
  await browser?.close();
  if (server?.exitCode === null) {
    server.kill();
    await new Promise((done) => server.once('close', done));
  }
  if (folder) await rm(folder, { recursive: true, force: true });
}, TIMEOUT);

const origin = () => /The demo is at (\S+)\/ /.exec(said)?.[1];

/** The demo, connected, with the number of times that it was loaded. */
async function openDemo() {
  const page = await openPage(browser, `${origin()}/`);
  page.loads = 0;
  page.on('load', () => (page.loads += 1));
  await isConnected(page);
  return page;
}
const isConnected = (page) => page.waitForFunction(() => /Connected/.test(document.body.innerText));

describe('npm run dev', () => {
  test('a file of www that is saved is what the page shows', TIMEOUT, async () => {
    const page = await openDemo();
    const html = await readFile(at('www/index.html'), 'utf8');
    await writeFile(at('www/index.html'), html.replace(/<title>[^<]*/, '<title>another title'));
    await page.waitForFunction(() => document.title === 'another title');
    await isConnected(page);
    const [style] = [...html.matchAll(/href="([^"]+\.css)"/g)].map(([, path]) => path);
    await appendFile(at('www', style), '\nbody { outline-color: rgb(1, 2, 3); }\n');
    await page.waitForFunction(() => getComputedStyle(document.body).outlineColor === 'rgb(1, 2, 3)');
    await assert.rejects(readFile(at('calls')), { code: 'ENOENT' });
    assertNoTroubles([page]);
    await page.context().close();
  });

  test('a source is built first, and the page stays as it is if that fails', TIMEOUT, async () => {
    const page = await openDemo();
    const calls = async () => (await readFile(at('calls'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
    await writeFile(at('outcome'), '1');
    await writeFile(at('src/deep/broken.rs'), 'fn');
    await until(() => said.includes('The build failed.'));
    await writeFile(at('outcome'), '0');
    for (const [times, name] of ['src/deep/broken.rs', 'npm/deep/new.js', 'wire/deep/new.rs'].entries()) {
      await writeFile(at(name), '// whole\n');
      await until(() => page.loads > times);
      // More than once only if the system reports a file in several steps.
      page.loads = times + 1;
      await isConnected(page);
    }
    const made = await calls();
    assert.ok(made.length >= 4 && made.every((call) => call === 'build --dev'), made.join());
    assertNoTroubles([page]);
    await page.context().close();
  });

  test('another relay takes the place of the one that runs', TIMEOUT, async () => {
    const page = await openDemo();
    const now = new Date();
    await utimes(at('signal-relay'), now, now);
    await writeFile(at('relay/deep/new.rs'), '// whole\n');
    await until(() => page.loads > 0);
    await isConnected(page);
    assert.match(said, /stopped/);
    await page.context().close();
  });
});
