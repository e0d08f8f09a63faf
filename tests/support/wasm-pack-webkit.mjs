#!/usr/bin/env node
// WebKitGTK for wasm-pack, in the place of Safari:
//
//   wasm-pack test --headless --safari --safaridriver tests/support/wasm-pack-webkit.mjs
//
// Starts WebKitWebDriver with a display, and hands on its commands. WebKit times a script out by the
// page's own `setTimeout`, which is a stand-in in our tests, and wasm-pack passes Safari's driver no
// options; so each session gets its script timeout here: none.

import { createServer } from 'node:http';
import process from 'node:process';
import { webKitDriver } from './webkit-driver.mjs';

const port = process.argv[2]?.match(/^--port=(\d+)$/)?.[1];
if (port === undefined) {
  throw new Error('--port=PORT must be the only argument');
}
const driver = await webKitDriver();

const server = createServer(async (request, response) => {
  try {
    const chunks = await request.toArray();
    const body = chunks.length > 0 ? Buffer.concat(chunks).toString() : undefined;
    const isNew = request.method === 'POST' && request.url === '/session';
    const answer = await fetch(driver.origin + request.url, {
      method: request.method,
      body: isNew ? withoutTimeout(body) : body,
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  } catch (error) {
    response.writeHead(502).end(String(error));
  }
});
server.listen(Number(port), '127.0.0.1');

/** Asks for a session without a script timeout. */
function withoutTimeout(body) {
  const { capabilities } = JSON.parse(body);
  const alwaysMatch = { ...capabilities.alwaysMatch, timeouts: { script: null } };
  return JSON.stringify({ capabilities: { ...capabilities, alwaysMatch } });
}
