// The browser that a page test runs in: Chromium, or the one that SIGNAL_BROWSER names.

import process from 'node:process';
import { launchChromium } from './chromium.mjs';
import { launchFirefox } from './firefox.mjs';

const LAUNCH = { chromium: () => launchChromium(), firefox: launchFirefox };

/** Its name: `chromium` or `firefox`. */
export const BROWSER = process.env.SIGNAL_BROWSER || 'chromium';
if (!Object.hasOwn(LAUNCH, BROWSER)) {
  throw new Error(`SIGNAL_BROWSER is '${BROWSER}'; it must be one of: ${Object.keys(LAUNCH).join(', ')}`);
}

/** Starts it, headless. The caller closes it. */
export function launchBrowser() {
  return LAUNCH[BROWSER]();
}
