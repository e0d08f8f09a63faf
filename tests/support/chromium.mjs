// Chromium for tests and benches: Debian's (or $CHROMIUM), driven by playwright-core.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import { deadline } from './deadline.mjs';
import { programPath } from './programs.mjs';

// Everything that would let a test depend on the network, on a graphics card or on a first run.
const ALWAYS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * For `launchChromium({ args: FAKE_CAMERA })`: a test picture and a test tone stand in for camera
 * and microphone.
 */
export const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

function chromiumPath() {
  return programPath({
    what: 'a Chromium or Chrome',
    variable: 'CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
    debian: 'chromium',
  });
}

/** Starts a headless browser. The caller closes it. */
export function launchChromium({ program = chromiumPath(), args = [] } = {}) {
  return chromium.launch({
    executablePath: program,
    args: [...ALWAYS, ...args],
    timeout: deadline(60_000),
  });
}

/**
 * Starts a headless browser with a profile in this folder, which keeps its caches. Gives its context,
 * which the caller closes.
 */
export function launchProfile(folder) {
  return chromium.launchPersistentContext(folder, { executablePath: chromiumPath(), args: ALWAYS, timeout: deadline(60_000) });
}

/** Makes a context of the browser. What is awaited in it has deadlines that scale. */
export async function newContext(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(deadline(60_000));
  return context;
}

/**
 * Starts a headless browser whose pages live as a visitor's do. In the other kind each page
 * believes that it is the one in front, and none is kept for the back button. Gives `{ context,
 * processes, close }`: the one window's context, with one page in it, and the ids of all the
 * browser's processes.
 */
export async function launchVisitorsChromium({ args = [] } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'signal-wasm-profile-'));
  const child = spawn(chromiumPath(), ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...ALWAYS, ...args, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const reap = () => child.kill('SIGKILL');
  process.once('exit', reap);
  const ended = new Promise((done) => child.once('close', done));
  const close = async () => {
    reap();
    await ended;
    process.removeListener('exit', reap);
    // Its helpers end a moment later, and write until then.
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    let said = '';
    const address = await new Promise((done, fail) => {
      child.once('error', fail);
      ended.then((code) => fail(new Error(`Chromium ended (${code}) before it could be driven:\n${said}`)));
      child.stderr.setEncoding('utf8').on('data', (text) => {
        said += text;
        const line = /^DevTools listening on (\S+)$/m.exec(said);
        if (line) done(line[1]);
      });
    });
    const browser = await chromium.connectOverCDP(address, {
      noDefaults: true,
      timeout: deadline(60_000),
    });
    const session = await browser.newBrowserCDPSession();
    const [context] = browser.contexts();
    context.setDefaultTimeout(deadline(60_000));
    return {
      context,
      processes: async () => (await session.send('SystemInfo.getProcessInfo')).processInfo.map(({ id }) => id),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
