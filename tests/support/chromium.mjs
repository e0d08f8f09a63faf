// The browser of every test and bench: Debian's Chromium (or $CHROMIUM), driven by playwright-core.

import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import { deadline } from './deadline.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

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

/** The path of the browser: `$CHROMIUM`, else the first Chromium on `PATH`. */
export function chromiumPath() {
  const asked = process.env.CHROMIUM;
  if (asked) {
    if (existsSync(asked) && statSync(asked).isFile()) return asked;
    const found = onPath([asked]);
    if (found) return found;
    throw new Error(`CHROMIUM is ${JSON.stringify(asked)}, but there is no such program; set it to the path of a Chromium or Chrome`);
  }
  const found = onPath(NAMES);
  if (found) return found;
  throw new Error(`no browser: none of ${NAMES.join(', ')} is on PATH; install Debian's chromium, or set CHROMIUM to the path of one`);
}

/** Starts a headless browser. The caller closes it. */
export function launchChromium({ program = chromiumPath(), args = [] } = {}) {
  return chromium.launch({
    executablePath: program,
    args: [...ALWAYS, ...args],
    timeout: deadline(60_000),
  });
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

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const endings = process.platform === 'win32' ? ['.exe'] : [''];
  for (const name of names) {
    for (const folder of folders) {
      for (const ending of endings) {
        const path = join(folder, name + ending);
        if (existsSync(path) && statSync(path).isFile()) return path;
      }
    }
  }
  return undefined;
}
