// A reverse proxy with one folder, as nginx has it with `location /folder/ { proxy_pass …; }`: the
// same address without its last slash is answered with a redirection, which no WebSocket follows.

import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';
import { listen } from './listen.mjs';

/** Stands in front of a loopback port. `folder` is like `/rt/`. */
export async function folderProxy(folder, port) {
  const answerFor = (path) => {
    if (path.startsWith(folder)) return undefined;
    return path === folder.slice(0, -1) ? [301, 'Moved Permanently'] : [404, 'Not Found'];
  };
  const http = createServer((request, response) => {
    const { method, url, headers } = request;
    const [status] = answerFor(url.split('?')[0]) ?? [];
    if (status) return response.writeHead(status, { location: folder }).end();
    const onward = ask({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  http.on('upgrade', (request, line, begun) => {
    const refusal = answerFor(request.url.split('?')[0]);
    if (refusal) {
      const [status, words] = refusal;
      return line.end(`HTTP/1.1 ${status} ${words}\r\nLocation: ${folder}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
    const onward = connect(port, '127.0.0.1', () => {
      const { rawHeaders } = request;
      const headers = rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join('');
      onward.write(`GET ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      onward.write(begun);
      onward.pipe(line).pipe(onward);
    });
    for (const [one, other] of [[line, onward], [onward, line]]) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  return listen(http);
}
