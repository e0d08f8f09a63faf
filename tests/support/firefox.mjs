// Firefox for the page tests: Debian's (or $FIREFOX), driven by playwright-core over WebDriver BiDi.

import { firefox } from 'playwright-core';
import { deadline } from './deadline.mjs';
import { programPath } from './programs.mjs';

/** Starts a headless browser. The caller closes it. */
export function launchFirefox() {
  return firefox.launch({
    // The system's Firefox. Without a channel playwright starts only a build of its own.
    channel: 'moz-firefox',
    executablePath: programPath({
      what: 'a Firefox',
      variable: 'FIREFOX',
      names: ['firefox-esr', 'firefox'],
      debian: 'firefox-esr',
    }),
    timeout: deadline(60_000),
  });
}
