// WebKitGTK for the page tests, over plain WebDriver.

import { deadline, until } from './deadline.mjs';
import { command, webKitDriver } from './webkit-driver.mjs';

/**
 * Starts a browser. Gives `{ open(address), close() }`; `open` gives a page in a tab of its own, with
 * `evaluate` and `waitForFunction` as playwright's pages have them.
 */
export async function launchWebKit() {
  const driver = await webKitDriver();
  try {
    const { sessionId } = await command(driver.origin, 'POST', '/session', { capabilities: {} });
    const session = new Session(`${driver.origin}/session/${sessionId}`);
    const timeout = deadline(60_000);
    await session.command('POST', '/timeouts', { script: timeout, pageLoad: timeout });
    return {
      open: (address) => session.open(address),
      close: async () => {
        await session.command('DELETE', '');
        await driver.close();
      },
    };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** What every page script is wrapped in: a promise's value, or an exception as text. */
const WRAPPER = `
  const done = arguments[2];
  const run = async (source, argument) => (0, eval)('(' + source + ')')(argument);
  run(arguments[0], arguments[1]).then(
    (value) => done({ value }),
    (error) => done({ error: String(error) + '\\n' + (error?.stack ?? '') }),
  );
`;

/** The session: its commands go to one tab at a time. */
class Session {
  #address;
  #last = Promise.resolve();
  #isNew = true;

  constructor(address) {
    this.#address = address;
  }

  command(method, path, body) {
    return command(this.#address, method, path, body);
  }

  /** Runs `work` when everything before it has ended. */
  #inTurn(work) {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  open(address) {
    return this.#inTurn(async () => {
      // The session begins with one tab.
      const handle = this.#isNew
        ? await this.command('GET', '/window')
        : (await this.command('POST', '/window/new', { type: 'tab' })).handle;
      this.#isNew = false;
      await this.command('POST', '/window', { handle });
      await this.command('POST', '/url', { url: address });
      return this.#page(handle);
    });
  }

  #page(handle) {
    const evaluate = (source, argument = null) =>
      this.#inTurn(async () => {
        await this.command('POST', '/window', { handle });
        const { value, error } = await this.command('POST', '/execute/async', {
          script: WRAPPER,
          args: [typeof source === 'function' ? String(source) : `() => (${source})`, argument],
        });
        if (error) throw new Error(error);
        return value;
      });
    return {
      evaluate,
      waitForFunction: (source, argument) => until(() => evaluate(source, argument), String(source)),
    };
  }
}
