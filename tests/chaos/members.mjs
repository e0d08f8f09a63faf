// How a chaos run reaches its members: pages of one browser, and threads of Node's. Both answer to
// the same few words.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { openPage } from '../support/pages.mjs';

/** A page. `call(method, ...args)` asks the member on it. */
export async function pageMember(browser, address, settings) {
  const page = await openPage(browser, address);
  await page.waitForFunction(() => typeof window.make === 'function');
  await page.evaluate((settings) => window.make(settings), settings);
  return {
    name: settings.name,
    call: (method, ...args) => page.evaluate(([method, args]) => window.member[method](...args), [method, args]),
    // A browser logs each lost connection on the console; the log has it too.
    troubles: () => page.troubles.filter((trouble) => !/^console: WebSocket connection to /.test(trouble)),
    close: () => page.context().close(),
  };
}

/** A thread. */
export async function threadMember(settings) {
  const worker = new Worker(new URL('client.mjs', import.meta.url));
  const troubles = [];
  const waiting = new Map();
  let last = 0;
  worker.on('message', ({ id, value, error }) => {
    const { done, fail } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error === undefined) done?.(value);
    else fail?.(new Error(error));
  });
  let dead;
  worker.on('error', (error) => {
    dead = error;
    troubles.push(`uncaught: ${error.stack ?? error}`);
    for (const { fail } of waiting.values()) fail(error);
    waiting.clear();
  });
  const ask = (method, argument) =>
    new Promise((done, fail) => {
      if (dead) return fail(dead);
      last += 1;
      waiting.set(last, { done, fail });
      return void worker.postMessage({ id: last, method, argument });
    });
  await once(worker, 'online');
  await ask('make', settings);
  return {
    name: settings.name,
    call: (method, ...args) => ask(method, args),
    troubles: () => troubles,
    close: () => worker.terminate(),
  };
}
