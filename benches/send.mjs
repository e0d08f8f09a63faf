// npm run bench -- send: what a call of `send` costs in a page of a browser: signal-wasm beside the
// shim, socket.io-client and @microsoft/signalr. From the call until the frame is with the
// WebSocket, which is a stand-in that reads it into bytes.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { launchChromium } from '../tests/support/chromium.mjs';
import { ARGS, inPage, medianPage, OURS, printRows, SHIM, SIZES } from './in-page.mjs';
import { machine, versions } from './machine.mjs';

const { values: options } = parseArgs({ options: { pages: { type: 'string', default: '3' }, json: { type: 'string' } } });
const PAGES = Number(options.pages);
if (!Number.isInteger(PAGES) || PAGES < 1) throw new Error(`--pages is ${options.pages}; give a whole number from 1 up`);
const ROUNDS = 9;
/** Few enough that a round sends less than 1,000 messages, see benches/page/send.mjs. */
const MESSAGES = 144;
// Not signal-wasm with SignalR: it awaits the hub's answers, which a stand-in doesn't give.
const CLIENTS = [SHIM, OURS, 'socket.io-client', 'signal-wasm, Socket.IO', '@microsoft/signalr'];

const browser = await launchChromium({ args: ARGS });
try {
  console.log(`Sending in Chromium ${browser.version()}: microseconds for each message, best of ${ROUNDS} rounds, median of ${PAGES} pages.\n`);
  const sizes = SIZES.map(({ size }) => ({ size, frames: MESSAGES }));
  const pages = [];
  while (pages.length < PAGES) pages.push(await inPage(browser, 'send', { clients: CLIENTS, sizes, rounds: ROUNDS }));
  const messages = medianPage(pages);
  printRows(messages, ['size']);
  if (options.json) {
    const result = { ...machine(), chromium: browser.version(), versions: versions('socket.io-client', '@microsoft/signalr'), messages };
    await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  }
} finally {
  await browser.close();
}
