// The package in projects of Parcel, Next and SvelteKit: built and served, and while developing. Two
// pages talk.
//
// The frameworks come from this repository. The projects lie below it, because Next follows no links
// that lead out of a project.

import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, start } from '../support/children.mjs';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { relay } from '../support/servers.mjs';
import { makeConsumer, ROOT, run } from './consumer.mjs';
import { roundTrip } from './pages.mjs';

const PARENT = join(ROOT, 'target/frameworks');
const program = (path) => join(ROOT, 'node_modules', path);
const [PARCEL, NEXT, VITE] = ['parcel/lib/bin.js', 'next/dist/bin/next', 'vite/bin/vite.js'].map(program);

const VARIABLES = {
  FRAMEWORKS: ROOT,
  NEXT_TELEMETRY_DISABLED: '1',
  // Next and SvelteKit set it as their command needs it.
  NODE_ENV: '',
};

let browser;
let server;

before(async () => {
  await mkdir(PARENT, { recursive: true });
  [browser, server] = await Promise.all([launchChromium(), relay()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), server?.close()]), TIMEOUT);

/** Makes a project of the files in `frameworks/<name>` for the tests of a `describe`. */
function project(name) {
  const own = {};
  before(async () => {
    Object.assign(own, await makeConsumer({ parent: PARENT, pages: fileURLToPath(new URL(`frameworks/${name}`, import.meta.url)) }));
    for (const file of ['inline.mjs', 'talk.js']) await copyFile(new URL(`pages/${file}`, import.meta.url), join(own.folder, file));
  }, TIMEOUT);
  after(() => own.remove?.(), TIMEOUT);

  return {
    /** Runs a program of Node's to its end. */
    run: (...args) => run(process.execPath, args, { cwd: own.folder, env: { ...process.env, ...VARIABLES } }),

    /** Starts a server, of the arguments that `args(port)` makes, for as long as `use(origin)` takes. */
    async serve(args, use, variables = () => ({})) {
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const { ended, end } = start(process.execPath, args(port), { ...VARIABLES, ...variables(port) }, own.folder);
      try {
        await Promise.race([ended, until(() => fetch(origin).then(({ ok }) => ok, () => false), origin)]);
        await use(origin);
      } finally {
        await end();
      }
    },

    folder: (path) => join(own.folder, path),

    /** Checks that this folder has the `.wasm` once, as it was packed. */
    async hasModuleOnce(path) {
      const emitted = (await readdir(join(own.folder, path), { recursive: true })).filter((file) => file.endsWith('.wasm'));
      assert.equal(emitted.length, 1, `emitted: ${emitted.join(', ') || 'none'}`);
      const packed = join(own.folder, 'node_modules/signal-wasm/dist/signal_wasm_bg.wasm');
      assert.deepEqual(await readFile(join(own.folder, path, emitted[0])), await readFile(packed));
    },
  };
}

/** What the server renders in the paragraph of a page. */
async function rendered(address) {
  const response = await fetch(address);
  assert.equal(response.status, 200);
  return /<p>(.*)<\/p>/.exec((await response.text()).replaceAll(/<!--.*?-->/g, ''))?.[1];
}

describe('Parcel', () => {
  const parcel = project('parcel');

  it('builds pages that talk, with no setting', TIMEOUT, async () => {
    await parcel.run(PARCEL, 'build', 'index.html', 'inline.html');
    await parcel.hasModuleOnce('dist');
    const files = await serveFiles({ '/': parcel.folder('dist') });
    try {
      await roundTrip(browser, `${files.origin}/`, server);
      await roundTrip(browser, `${files.origin}/inline.html`, server);
    } finally {
      await files.close();
    }
  });

  it('serves pages that talk while developing', TIMEOUT, () =>
    parcel.serve(
      (port) => [PARCEL, 'serve', 'index.html', 'inline.html', '--dist-dir', 'developing', '--host', '127.0.0.1', '--port', String(port)],
      async (origin) => {
        await roundTrip(browser, `${origin}/`, server);
        await roundTrip(browser, `${origin}/inline.html`, server);
      },
    ));
});

describe('Next', () => {
  const next = project('next');
  const listening = (port) => ['--hostname', '127.0.0.1', '--port', String(port)];

  /** Two pages talk by the default entry, two by the hooks, and the server renders all that it imports. */
  async function talks(origin) {
    await roundTrip(browser, `${origin}/`, server);
    await roundTrip(browser, `${origin}/hooks`, server);
    assert.equal(await rendered(`${origin}/`), 'function');
    assert.equal(await rendered(`${origin}/server`), 'function function function function function function function');
  }

  it('builds pages that talk, with no setting', TIMEOUT, async () => {
    await next.run(NEXT, 'build');
    await next.hasModuleOnce('.next/static');
    await next.serve((port) => [NEXT, 'start', ...listening(port)], talks);
  });

  it('serves pages that talk while developing', TIMEOUT, () => next.serve((port) => [NEXT, 'dev', ...listening(port)], talks));
});

describe('SvelteKit', () => {
  const svelte = project('sveltekit');

  async function talks(origin) {
    await roundTrip(browser, `${origin}/`, server);
    assert.equal(await rendered(`${origin}/`), 'function');
  }

  it('builds pages that talk, with no setting', TIMEOUT, async () => {
    await svelte.run(VITE, 'build');
    await svelte.hasModuleOnce('build/client');
    await svelte.serve(
      () => [svelte.folder('build')],
      talks,
      (port) => ({ HOST: '127.0.0.1', PORT: String(port) }),
    );
  });

  it('serves pages that talk while developing', TIMEOUT, () =>
    svelte.serve((port) => [VITE, 'dev', '--host', '127.0.0.1', '--port', String(port), '--strictPort'], talks));
});
