// The browser of every test and bench: Debian's Chromium (or $CHROMIUM), driven by playwright-core.

import { existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';

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

/** For `launchChromium({ args: FAKE_CAMERA })`: a test picture and a test tone stand in for camera and microphone. */
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
export function launchChromium({ args = [] } = {}) {
  return chromium.launch({ executablePath: chromiumPath(), args: [...ALWAYS, ...args] });
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
