// An HTTP proxy as companies have them, between pages and a server: it may not let WebSockets
// through, and loses answers on command.

import { createServer, request as ask } from 'node:http';
import { listen } from './listen.mjs';

/**
 * Stands in front of the loopback port that `target()` gives. Upgrades are answered with 403.
 * `onanswer(request, status)` is called before the answer to a request is handed on; if it returns
 * `'cut'`, the connection is cut instead. `upgrades()` counts the upgrades that were refused.
 */
export async function httpProxy(target, { onanswer = () => undefined } = {}) {
  let refused = 0;
  const http = createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = ask({ host: '127.0.0.1', port: target(), method, path: url, headers }, (answer) => {
      if (onanswer(request, answer.statusCode) === 'cut') {
        onward.destroy();
        response.socket.destroy();
        return;
      }
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('close', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  http.on('upgrade', (_, line) => {
    refused += 1;
    line.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  const place = await listen(http);
  return { ...place, upgrades: () => refused };
}
