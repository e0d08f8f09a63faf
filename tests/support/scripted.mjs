// What the two scripted SignalR servers share: answers that pages of other origins may read,
// upgrades refused with an HTTP status, frames cut up.

import { WebSocket, WebSocketServer } from 'ws';

/**
 * Answers a request, readable for the page that asked, with its credentials. `body` is sent as JSON
 * unless it is a string.
 */
export function answer(request, response, status, body = '', headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json',
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}

/**
 * Takes the upgrades of `http`. `admit(request, url)` gives a status to refuse with, or a function
 * that gets the socket. `sockets` are those open.
 */
export function upgrades(http, admit) {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, line, head) => {
    const welcome = admit(request, new URL(request.url, 'http://local/'));
    if (typeof welcome === 'number') {
      line.end(`HTTP/1.1 ${welcome} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    server.handleUpgrade(request, line, head, (socket) => {
      socket.on('error', () => {});
      welcome(socket);
    });
  });
}

/**
 * Sends a text as frames of `size` characters (whole ones, as frames of text must have), or as one
 * if there is no size.
 */
export function sendCut(socket, text, size) {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (!size) return socket.send(text);
  const characters = [...text];
  for (let start = 0; start < characters.length; start += size) socket.send(characters.slice(start, start + size).join(''));
}

/**
 * The bearer token of a request: of its header, or of its query where a browser can't set headers.
 */
export function bearer(request, url) {
  return /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('access_token') ?? undefined;
}
