// WebKitGTK's driver: Debian's WebKitWebDriver (or $WEBKITDRIVER), on a display without a screen,
// because WebKitGTK has no headless mode.

import { freePort, start } from './children.mjs';
import { deadline, until } from './deadline.mjs';
import { programPath } from './programs.mjs';

const PACKAGES = 'webkit2gtk-driver, libwebkit2gtk-4.1-0 and xvfb';

/** Starts the driver with a display of its own. Gives `{ origin, close() }`. */
export async function webKitDriver() {
  const display = await startDisplay();
  try {
    const driver = await startDriver(display.name);
    return {
      origin: driver.origin,
      close: async () => {
        await driver.end();
        await display.end();
      },
    };
  } catch (error) {
    await display.end();
    throw error;
  }
}

/** One command of WebDriver: gives its value, or rejects with the driver's words. */
export async function command(origin, method, path, body) {
  const response = await fetch(origin + path, {
    method,
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(deadline(120_000)),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebKit, ${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}

async function startDisplay() {
  const path = programPath({ what: 'Xvfb', variable: 'XVFB', names: ['Xvfb'], debian: PACKAGES });
  const args = ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'];
  const { child, ended, end } = start(path, args);
  let said = '';
  child.stdio[3].setEncoding('utf8').on('data', (text) => (said += text));
  await Promise.race([ended, until(() => said.endsWith('\n'), 'a display')]);
  return { name: `:${said.trim()}`, end };
}

async function startDriver(display) {
  const path = programPath({
    what: 'WebKitWebDriver',
    variable: 'WEBKITDRIVER',
    names: ['WebKitWebDriver'],
    debian: PACKAGES,
  });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { ended, end } = start(path, [`--port=${port}`], {
    DISPLAY: display,
    // Each collection of garbage is of all of it, which the tests of leaks need.
    JSC_useGenerationalGC: '0',
  });
  const answers = () => command(origin, 'GET', '/status').then(() => true, () => false);
  await Promise.race([ended, until(answers, path)]);
  return { origin, end };
}
