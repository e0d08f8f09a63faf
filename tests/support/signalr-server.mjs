// A scripted ASP.NET Core SignalR server with the seed's hub, JSON protocol over WebSocket, for
// what no test could make a real server do on time.
//
// Its frames are those that a real server of ASP.NET Core 9 was seen to send; scripted.test.mjs has
// the official client talk to it.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { fileHandler } from './files.mjs';
import { listen } from './listen.mjs';
import { answer, bearer, sendCut, upgrades } from './scripted.mjs';

const END = '\x1e';
const LIMIT = 32 * 1024;

/**
 * Starts one with the hub at `path`. The hub's methods: `Send(string)` hands the string to
 * `onMessageReceived` of all clients, the caller's too, as the seed's does; `Refuse(string)`
 * throws. All other requests go to the mounts `files`.
 *
 * What a test may change at any time: `token` (what a client must bring), `redirect` (negotiate
 * sends clients elsewhere, with a token for there), `negotiation` (`{ status, type, body }` instead
 * of the answer), `handshakeError`, `split` (characters to a frame), `pack` (records wait for
 * `flush()`, which sends them in one frame), `silent` (it sends nothing more), `affinity`
 * (negotiate gives a cookie, without which there is no WebSocket), `login` (a cookie without which
 * there is no negotiation), `anyOrigin` (it allows all origins, and so no cookies).
 *
 * What it records: `requests` (`{ method, url, token, headers }` of every negotiation and upgrade),
 * `received` (arguments of `Send`), `records` (every record).
 */
export async function signalRServer({ path = '/hub', token, redirect = false, keepAlive = 15_000, clientTimeout = 30_000, handshakeTimeout = 15_000, files = {}, port = 0 } = {}) {
  const others = fileHandler(files);
  const tickets = new Map();
  const clients = new Set();
  const elsewhere = `/elsewhere${path}`;
  const granted = 'granted-by-redirect';
  const server = { token, redirect, negotiation: undefined, affinity: false, login: undefined, anyOrigin: false, handshakeError: undefined, split: 0, pack: false, silent: false, requests: [], received: [], records: [] };

  const allowed = (request, url) => {
    const wanted = url.pathname.startsWith(elsewhere) ? granted : server.token;
    return wanted === undefined || bearer(request, url) === wanted;
  };

  const hasCookie = (request, cookie) => (request.headers.cookie ?? '').split('; ').includes(cookie);
  const cookie = `affinity=${randomBytes(4).toString('hex')}`;

  const http = createServer((request, response) => {
    if (server.anyOrigin) {
      response.setHeader('access-control-allow-origin', '*');
      delete request.headers.origin;
    }
    const url = new URL(request.url, 'http://local/');
    if (url.pathname === '/login') return answer(request, response, 200, '<title>Log in</title>', { 'content-type': 'text/html' });
    if (url.pathname !== `${path}/negotiate` && url.pathname !== `${elsewhere}/negotiate`) return others(request, response);
    if (request.method === 'OPTIONS') return answer(request, response, 204);
    server.requests.push({ method: request.method, url: request.url, token: bearer(request, url), headers: request.headers });
    if (server.login && !hasCookie(request, server.login)) {
      // As ASP.NET's cookie authentication tells scripts from people.
      const isScript = request.headers['x-requested-with'] === 'XMLHttpRequest';
      return answer(request, response, isScript ? 401 : 302, '', isScript ? {} : { location: '/login' });
    }
    if (request.method !== 'POST') return answer(request, response, 405);
    if (server.negotiation) return answer(request, response, server.negotiation.status ?? 200, server.negotiation.body, { 'content-type': server.negotiation.type ?? 'application/json' });
    if (!allowed(request, url)) return answer(request, response, 401, '', { 'www-authenticate': 'Bearer' });
    if (server.redirect && !url.pathname.startsWith(elsewhere)) {
      return answer(request, response, 200, { url: `http://${request.headers.host}${elsewhere}?asrs=1`, accessToken: granted });
    }
    const version = Math.min(1, Number(url.searchParams.get('negotiateVersion') ?? 0) || 0);
    const connectionId = randomBytes(16).toString('base64url');
    const ticket = version === 1 ? randomBytes(16).toString('base64url') : connectionId;
    tickets.set(ticket, connectionId);
    answer(request, response, 200, {
      negotiateVersion: version,
      connectionId,
      ...(version === 1 ? { connectionToken: ticket } : {}),
      availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
    }, server.affinity ? { 'set-cookie': `${cookie}; Path=/` } : {});
  });

  upgrades(http, (request, url) => {
    if (![path, elsewhere].includes(url.pathname.replace(/\/$/, ''))) return 404;
    server.requests.push({ method: 'WebSocket', url: request.url, token: bearer(request, url), headers: request.headers });
    if (server.affinity && !hasCookie(request, cookie)) return 404;
    if (!allowed(request, url)) return 401;
    const id = url.searchParams.get('id');
    if (id !== null && !tickets.delete(id)) return 404;
    return welcome;
  });

  function welcome(socket) {
    const client = { socket, shaken: false, ended: false, waiting: '', answers: new Map(), text: '', tail: '' };
    // It reads nothing more then.
    const fail = () => {
      client.ended = true;
      write(client, { type: 7, error: 'Connection closed with an error.', allowReconnect: true });
      socket.close(1000);
    };
    const handshake = setTimeout(() => {
      sendCut(socket, `{"error":"Handshake was canceled."}${END}`);
      socket.close(1000);
    }, handshakeTimeout);
    const pings = setInterval(() => client.shaken && write(client, { type: 6 }), keepAlive);
    let patience = setTimeout(lost, clientTimeout);
    function lost() {
      write(client, { type: 7, allowReconnect: true });
      socket.close(1000);
    }
    clients.add(client);
    socket.on('close', () => {
      clients.delete(client);
      clearTimeout(handshake);
      clearTimeout(patience);
      clearInterval(pings);
    });

    socket.on('message', (data, binary) => {
      if (client.ended) return;
      if (binary) return fail();
      clearTimeout(patience);
      patience = setTimeout(lost, clientTimeout);
      const records = (client.tail + data.toString('utf8')).split(END);
      client.tail = records.pop();
      if ([...records, client.tail].some((record) => Buffer.byteLength(record) > LIMIT)) return fail();
      for (const text of records) {
        let record;
        try {
          record = JSON.parse(text);
        } catch {
          return fail();
        }
        server.records.push(record);
        if (client.shaken) take(client, record);
        else {
          clearTimeout(handshake);
          if (!shake(client, record)) return;
        }
      }
    });
  }

  function shake(client, { protocol, version }) {
    const error = server.handshakeError ?? (protocol !== 'json' ? `The protocol '${protocol}' is not supported.` : version !== 1 ? `The server does not support version ${version} of the '${protocol}' protocol.` : undefined);
    client.shaken = error === undefined;
    if (!server.silent) sendCut(client.socket, `${JSON.stringify(error === undefined ? {} : { error })}${END}`, server.split);
    if (error !== undefined) client.socket.close(1000);
    return client.shaken;
  }

  function take(client, record) {
    const { type, invocationId, target, arguments: values } = record;
    if (type === 3) return client.answers.get(invocationId)?.(record);
    if (type === 7) return client.socket.close(1000);
    if (type !== 1) return;
    const complete = (error) => invocationId !== undefined && write(client, { type: 3, invocationId, ...(error === undefined ? {} : { error }) });
    switch (String(target).toLowerCase()) {
      case 'send':
        if (values?.length !== 1 || typeof values[0] !== 'string') return complete(`Failed to invoke '${target}' due to an error on the server.`);
        server.received.push(values[0]);
        for (const other of clients) if (other.shaken) write(other, { type: 1, target: 'onMessageReceived', arguments: values });
        return complete();
      case 'refuse':
        return complete(`An unexpected error occurred invoking '${target}' on the server. HubException: not on this hub`);
      default:
        return complete(`Unknown hub method '${target}'`);
    }
  }

  function write(client, record) {
    if (server.silent) return;
    const text = `${JSON.stringify(record)}${END}`;
    if (server.pack) client.waiting += text;
    else sendCut(client.socket, text, server.split);
  }

  const place = await listen(http, port);
  let invocations = 0;
  return Object.assign(server, {
    origin: place.origin,
    url: `${place.origin}${path}`,
    port: place.port,
    /** How many clients have shaken hands. */
    connections: () => [...clients].filter(({ shaken }) => shaken).length,
    /** How many records wait because of `pack`. */
    waiting: () => [...clients].reduce((sum, { waiting }) => sum + waiting.split(END).length - 1, 0),
    /** Sends what `pack` kept back, one frame for each client. */
    flush() {
      for (const client of clients) {
        if (client.waiting) sendCut(client.socket, client.waiting, server.split);
        client.waiting = '';
      }
    },
    /** Calls a method of every client. */
    call: (target, ...values) => clients.forEach((client) => write(client, { type: 1, target, arguments: values })),
    /** Calls it with an id, and gives the completions. */
    ask(target, ...values) {
      const invocationId = `s${(invocations += 1)}`;
      return Promise.all(
        [...clients].map((client) =>
          new Promise((done) => {
            client.answers.set(invocationId, done);
            write(client, { type: 1, target, arguments: values, invocationId });
          }),
        ),
      );
    },
    /** Sends any text as one frame to every client. */
    raw: (text) => clients.forEach(({ socket }) => socket.send(text)),
    /** Sends every client away with a Close record. */
    dismiss(members = {}) {
      for (const client of clients) {
        write(client, { type: 7, ...members });
        client.socket.close(1000);
      }
    },
    drop: place.drop,
    close: place.close,
  });
}
