// An ordinary HTTP server that broadcasts, as a user would write it with node:http: what is POSTed
// goes to everyone who reads the event stream, the sender too. Besides, it misbehaves on command.

import { createServer } from 'node:http';
import { fileHandler } from './files.mjs';
import { listen } from './listen.mjs';

/** How many events are kept for those that come back with the id of one. */
const HISTORY = 1000;

/**
 * Starts one. `GET <path>` is the stream, `POST <path>` broadcasts; all other requests go to the
 * mounts `files`.
 *
 * What a test may change at any time:
 *
 * * `cors`: whether pages of other origins may read its answers; `'streams'`: only those to GET;
 *   `'*'`: if they send no cookies.
 * * `token`: what the query must name, or 401.
 * * `ids`: events have ids, and a stream that names the last one begins behind it. Others begin
 *   with an event named `hello`, which has the last id.
 * * `refs`: a POST whose `ref` was accepted before isn't broadcast again.
 * * `streams`: the answer to each GET, instead of a stream: `{ status, headers, body }`, or
 *   `'silence'` for none. It may be a function that gets the query and may return nothing.
 * * `fates`: what happens to the next POSTs, one each. `{ status, headers, body }`: this is the
 *   answer, and nothing is broadcast. `'hang'`: no answer, and nothing is broadcast. `'cut'`: the
 *   connection is cut before that, `'cut after'`: when it was broadcast. A function is called and
 *   gives one of these, or nothing.
 *
 * What it records: `requests`, each `{ method, url, query, body }`; `received`, the bodies that it
 * broadcast; `overlaps`, how many POSTs began while another of the same client wasn't answered.
 */
export async function sseServer({ path = '/events', files = {}, port = 0, ...options } = {}) {
  const others = fileHandler(files);
  const streams = new Set();
  const waiting = new Map();
  const events = [];
  const accepted = new Map();
  let place;

  const server = {
    cors: true, token: undefined, ids: false, refs: false, streams: undefined, fates: [],
    requests: [], received: [], overlaps: 0,
    ...options,
  };

  function handle(request, response) {
    const url = new URL(request.url, 'http://local/');
    if (url.pathname !== path) return others(request, response);
    const query = Object.fromEntries(url.searchParams);
    const { method } = request;
    const recorded = { method, url: request.url, query, body: undefined };
    server.requests.push(recorded);
    if (server.cors === '*') response.setHeader('access-control-allow-origin', '*');
    else if (server.cors === true || (server.cors === 'streams' && method === 'GET')) {
      response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
      response.setHeader('access-control-allow-credentials', 'true');
      response.setHeader('access-control-expose-headers', 'retry-after');
    }
    if (method === 'POST') return take(request, response, recorded);
    if (method !== 'GET') return answer(response, { status: 405 });
    if (server.token !== undefined && query.token !== server.token) return answer(response, { status: 401 });
    const { streams: instead } = server;
    const other = typeof instead === 'function' ? instead(query) : instead;
    if (other === 'silence') return;
    if (other) return answer(response, other);
    stream(request, response, query);
  }

  function stream(request, response, { lastEventId = request.headers['last-event-id'] }) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(':\n\n');
    streams.add(response);
    response.on('close', () => streams.delete(response));
    if (!server.ids) return;
    if (lastEventId === undefined) response.write(`event: hello\nid: ${events.at(-1)?.id ?? 0}\ndata:\n\n`);
    else for (const { id, text } of events) if (id > Number(lastEventId)) response.write(event(text, id));
  }

  function take(request, response, recorded) {
    const { query } = recorded;
    const { client } = query;
    server.overlaps += waiting.get(client) ? 1 : 0;
    waiting.set(client, (waiting.get(client) ?? 0) + 1);
    response.on('close', () => waiting.set(client, waiting.get(client) - 1));
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      recorded.body = Buffer.concat(parts).toString('utf8');
      let fate = server.fates.shift();
      if (typeof fate === 'function') fate = fate();
      if (server.token !== undefined && query.token !== server.token) fate ??= { status: 401 };
      if (fate === 'cut') return request.socket.destroy();
      if (fate === 'hang') return;
      if (typeof fate === 'object') return answer(response, fate);
      broadcast(recorded.body, query);
      if (fate === 'cut after') return request.socket.destroy();
      response.writeHead(204).end();
    });
  }

  function broadcast(text, { client, ref }) {
    if (server.refs && Number(ref) <= (accepted.get(client) ?? 0)) return;
    accepted.set(client, Number(ref));
    server.received.push(text);
    const id = (events.at(-1)?.id ?? 0) + 1;
    events.push({ id, text });
    if (events.length > HISTORY) events.shift();
    const line = event(text, server.ids ? id : undefined);
    for (const response of streams) response.write(line);
  }

  const start = async () => {
    place = await listen(createServer(handle), place?.port ?? port);
    server.origin = place.origin;
    server.url = `${place.origin}${path}`;
  };
  await start();
  return Object.assign(server, {
    /** How many streams there are. */
    connections: () => streams.size,
    /** How many POSTs have no answer yet. */
    waiting: () => [...waiting.values()].reduce((sum, count) => sum + count, 0),
    /** The POSTs that came in. */
    posts: () => server.requests.filter(({ method }) => method === 'POST'),
    /** The messages in what it broadcast. */
    messages: () => server.received.map((text) => JSON.parse(text).message),
    /** Sends an envelope to every stream, as if somebody had POSTed it. */
    say: (envelope) => broadcast(JSON.stringify(envelope), {}),
    /** Sends any text to every stream. */
    raw: (text) => streams.forEach((response) => response.write(text)),
    /** Cuts every stream, and no other connection. */
    dropStreams: () => streams.forEach((response) => response.socket.destroy()),
    /** Ends; `start` starts it again on the same port. What it knew, it still knows. */
    stop: () => place.close(),
    start,
    close: () => place.close(),
  });
}

/** One event, whose data is this text. */
function event(text, id) {
  const data = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${id === undefined ? '' : `id: ${id}\n`}${data.join('')}\n`;
}

function answer(response, { status = 200, headers = {}, body = '' } = {}) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(body);
}
