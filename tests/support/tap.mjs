// A proxy that writes down what goes through it, HTTP and WebSocket, for transcripts and for tests
// that look at the wire.

import { createServer, request as ask } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { listen } from './listen.mjs';

/**
 * Stands in front of the server at `origin`. `entries` fills with, each with `from`: `{ text }` and
 * `{ binary }` (base64) frames, `{ open }` and `{ close }` of WebSockets, and of other requests `{
 * request, token?, body? }` and `{ status, body }`.
 */
export async function tap(origin) {
  const target = new URL(origin);
  const entries = [];

  const http = createServer((request, response) => {
    const { host, authorization } = request.headers;
    const token = authorization?.replace(/^Bearer /, '');
    collect(request, (sent) => {
      entries.push({ from: 'client', request: `${request.method} ${request.url}`, ...(token ? { token } : {}), ...(sent.length ? { body: sent.toString() } : {}) });
      const onward = ask({ host: target.hostname, port: target.port, method: request.method, path: request.url, headers: { ...request.headers, host } }, (answer) => {
        collect(answer, (body) => {
          entries.push({ from: 'server', status: answer.statusCode, body: body.toString() });
          response.writeHead(answer.statusCode, answer.headers);
          response.end(body);
        });
      });
      onward.on('error', () => response.destroy());
      onward.end(sent);
    });
  });

  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, line, head) => {
    entries.push({ from: 'client', open: request.url });
    const onward = new WebSocket(`ws://${target.host}${request.url}`, { perMessageDeflate: false, headers: { host: request.headers.host } });
    onward.on('unexpected-response', (_, { statusCode }) => {
      entries.push({ from: 'server', status: statusCode, body: '' });
      line.end(`HTTP/1.1 ${statusCode} Refused\r\nConnection: close\r\n\r\n`);
    });
    onward.on('error', () => {});
    // What comes before the client's side is open waits for it.
    const early = [];
    let near;
    const toClient = (act) => (near ? act() : early.push(act));
    onward.on('message', (data, binary) => {
      entries.push({ from: 'server', ...frame(data, binary) });
      toClient(() => near.send(data, { binary }));
    });
    onward.on('close', (code, reason) => {
      if (onward.told) return;
      onward.told = true;
      entries.push({ from: 'server', close: code, ...(reason.length ? { reason: reason.toString() } : {}) });
      toClient(() => end(near, code, reason));
    });
    onward.once('open', () =>
      server.handleUpgrade(request, line, head, (socket) => {
        near = socket;
        near.on('error', () => {});
        near.on('message', (data, binary) => {
          entries.push({ from: 'client', ...frame(data, binary) });
          onward.send(data, { binary });
        });
        near.on('close', (code, reason) => {
          if (onward.told) return;
          onward.told = true;
          entries.push({ from: 'client', close: code });
          end(onward, code, reason);
        });
        for (const act of early) act();
      }),
    );
  });

  const place = await listen(http);
  return { origin: place.origin, url: `${place.origin}/`, entries, close: place.close };
}

function frame(data, binary) {
  return binary ? { binary: data.toString('base64') } : { text: data.toString('utf8') };
}

function end(socket, code, reason) {
  if (code === 1005) socket.close();
  else if (code === 1006) socket.terminate();
  else socket.close(code, reason);
}

function collect(stream, done) {
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => done(Buffer.concat(parts)));
}
