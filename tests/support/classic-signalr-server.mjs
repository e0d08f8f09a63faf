// A scripted ASP.NET SignalR 2 server with the seed's hub, the `$.connection` one, for what no test
// could make a real server do on time.
//
// Its frames are those that the official client was seen to understand; scripted.test.mjs has that
// client talk to it.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { fileHandler } from './files.mjs';
import { listen } from './listen.mjs';
import { answer, bearer, sendCut, upgrades } from './scripted.mjs';

/**
 * Starts one under `path`; as with the real one, what follows the path doesn't matter but for its
 * end (`/negotiate`, `/connect`, …), and `/hubs` and `/js` give the generated script. The hub
 * `name` has the methods `Send(string)`, which hands the string to `onMessageReceived` of all
 * clients, the caller's too, and `Refuse(string)`, which throws. All other requests go to the
 * mounts `files`. `keepAlive` and `disconnectTimeout` are in seconds, fractions too.
 *
 * What a test may change at any time: `token` (what a client must bring), `redirect` (negotiate
 * sends clients elsewhere, with a token for there), `negotiation` and `started` (`{ status, type,
 * body }` instead of those answers), `split` (characters to a frame), `pack` (messages wait for
 * `flush()`, which sends them in one frame), `silent` (it sends nothing more), `detailed`
 * (errors tell what happened), `webSockets` (whether there are any).
 *
 * What it records: `requests` (`{ method, url, token }`), `received` (arguments of `Send`),
 * `invocations` (all that was invoked).
 */
export async function classicSignalRServer({ path = '/signalr', name = 'WebRtcHub3', token, keepAlive = 10, disconnectTimeout = 30, files = {}, port = 0 } = {}) {
  const others = fileHandler(files);
  const clients = new Map();
  const log = [];
  const elsewhere = `/elsewhere${path}`;
  const granted = 'granted-by-redirect';
  const session = randomBytes(3).toString('hex').toUpperCase();
  const server = {
    token,
    redirect: false,
    negotiation: undefined,
    started: undefined,
    split: 0,
    pack: false,
    silent: false,
    detailed: false,
    webSockets: true,
    requests: [],
    received: [],
    invocations: [],
  };

  const cursor = (position) => `d-${session}-B,0|C,${position}|D,0`;
  const positionOf = (text) => Number(/\|C,(\d+)\|/.exec(text ?? '')?.[1] ?? log.length);
  const ours = (pathname) => pathname === path || pathname.startsWith(`${path}/`) || pathname.startsWith(`${elsewhere}/`);

  /** Why a request isn't let in, as a status, or nothing. */
  function refusal(request, url) {
    const wanted = url.pathname.startsWith(elsewhere) ? granted : server.token;
    if (wanted !== undefined && bearer(request, url) !== wanted) return { status: 401 };
    let hubs;
    try {
      hubs = JSON.parse(url.searchParams.get('connectionData') ?? '[]');
    } catch {
      return { status: 500, body: 'Connection data is in an incorrect format.' };
    }
    const unknown = hubs.find((hub) => hub.name.toLowerCase() !== name.toLowerCase());
    return unknown && { status: 500, body: `System.InvalidOperationException: '${unknown.name}' Hub could not be resolved.` };
  }

  const http = createServer((request, response) => {
    const url = new URL(request.url, 'http://local/');
    if (!ours(url.pathname)) return others(request, response);
    if (request.method === 'OPTIONS') return answer(request, response, 204);
    const step = url.pathname.slice(url.pathname.lastIndexOf('/'));
    server.requests.push({ method: request.method, url: request.url, token: bearer(request, url) });
    if (step === '/hubs' || step === '/js') return answer(request, response, 200, script(path, name), { 'content-type': 'application/javascript; charset=UTF-8' });
    if (step === '/ping') return answer(request, response, 200, { Response: 'pong' });
    const refused = refusal(request, url);
    if (refused) return answer(request, response, refused.status, refused.body);
    if (step === '/negotiate') return negotiate(request, response, url);
    const client = clients.get(url.searchParams.get('connectionToken'));
    if (!client) return answer(request, response, 400, 'The ConnectionId is in the incorrect format.');
    if (step === '/start') {
      client.started = true;
      return server.started ? answer(request, response, server.started.status ?? 200, server.started.body, { 'content-type': server.started.type ?? 'application/json' }) : answer(request, response, 200, { Response: 'started' });
    }
    if (step === '/abort') {
      forget(client);
      return answer(request, response, 200);
    }
    answer(request, response, 400, 'Unknown transport.');
  });

  function negotiate(request, response, url) {
    if (server.negotiation) return answer(request, response, server.negotiation.status ?? 200, server.negotiation.body, { 'content-type': server.negotiation.type ?? 'application/json' });
    const protocol = url.searchParams.get('clientProtocol') ?? '1.3';
    if (server.redirect && !url.pathname.startsWith(elsewhere)) {
      return answer(request, response, 200, { ProtocolVersion: '2.1', RedirectUrl: `http://${request.headers.host}${elsewhere}?asrs=1`, AccessToken: granted });
    }
    const connectionToken = `${randomBytes(18).toString('base64')}+/=`;
    clients.set(connectionToken, { connectionToken, hubs: false, started: false, socket: undefined, waiting: [], position: log.length });
    answer(request, response, 200, {
      Url: url.pathname.slice(0, -'/negotiate'.length),
      ConnectionToken: connectionToken,
      ConnectionId: randomBytes(16).toString('hex'),
      KeepAliveTimeout: keepAlive * 2,
      DisconnectTimeout: disconnectTimeout,
      ConnectionTimeout: 110,
      TryWebSockets: server.webSockets,
      ProtocolVersion: protocol,
      TransportConnectTimeout: 5,
      LongPollDelay: 0,
    });
  }

  upgrades(http, (request, url) => {
    const step = url.pathname.slice(url.pathname.lastIndexOf('/'));
    if (!ours(url.pathname) || (step !== '/connect' && step !== '/reconnect')) return 404;
    server.requests.push({ method: 'WebSocket', url: request.url, token: bearer(request, url) });
    const refused = refusal(request, url);
    if (refused) return refused.status;
    const client = clients.get(url.searchParams.get('connectionToken'));
    if (!client || url.searchParams.get('transport') !== 'webSockets') return 400;
    return (socket) => welcome(client, socket, url, step === '/reconnect');
  });

  function welcome(client, socket, url, again) {
    clearTimeout(client.patience);
    const before = client.socket;
    client.socket = socket;
    before?.close();
    client.hubs = JSON.parse(url.searchParams.get('connectionData') ?? '[]').length > 0;
    client.waiting = [];
    if (again) {
      const missed = client.hubs ? log.slice(positionOf(url.searchParams.get('messageId'))) : [];
      if (missed.length) say(client, { C: cursor(log.length), M: missed });
    } else {
      say(client, { C: cursor(log.length), S: 1, M: [] });
    }
    const beats = setInterval(() => say(client, {}), keepAlive * 1000);
    socket.on('message', (data) => take(client, data.toString('utf8')));
    socket.on('close', () => {
      clearInterval(beats);
      if (client.socket !== socket) return;
      client.socket = undefined;
      client.patience = setTimeout(() => forget(client), disconnectTimeout * 1000).unref();
    });
  }

  function forget(client) {
    clearTimeout(client.patience);
    clients.delete(client.connectionToken);
    client.socket?.close();
  }

  function take(client, text) {
    let invocation;
    try {
      invocation = JSON.parse(text);
    } catch {
      return client.socket?.close();
    }
    server.invocations.push(invocation);
    const { H, M, A, I } = invocation;
    const fail = (words, more = {}) =>
      say(client, { I: String(I), E: server.detailed ? words : `There was an error invoking Hub method '${H}.${M}'.`, ...more, ...(server.detailed ? { T: '   at Microsoft.AspNet.SignalR.Hubs' } : {}) });
    if (String(H).toLowerCase() !== name.toLowerCase()) return fail(`'${H}' Hub could not be resolved.`);
    switch (String(M).toLowerCase()) {
      case 'send':
        if (A?.length !== 1) return fail(`'${M}' method could not be resolved. Potential candidates are: \nSend(message:String):Void`);
        server.received.push(A[0]);
        publish('onMessageReceived', A);
        return say(client, { I: String(I) });
      case 'refuse':
        return say(client, { I: String(I), E: 'not on this hub', H: true, D: { wanted: 'another hub' } });
      default:
        return fail(`'${M}' method could not be resolved. No method found with that name.`);
    }
  }

  function publish(method, values) {
    const message = { H: name, M: method, A: values };
    log.push(message);
    for (const client of clients.values()) {
      if (!client.hubs) continue;
      if (server.pack) client.waiting.push(message);
      else say(client, { C: cursor(log.length), M: [message] });
    }
  }

  function say(client, frame) {
    if (client.socket && !server.silent) sendCut(client.socket, JSON.stringify(frame), server.split);
  }

  const place = await listen(http, port);
  return Object.assign(server, {
    origin: place.origin,
    url: `${place.origin}${path}`,
    port: place.port,
    /** How many clients are started and have a WebSocket. */
    connections: () => [...clients.values()].filter(({ started, socket }) => started && socket).length,
    /** Sends what `pack` kept back, one frame for each client. */
    flush() {
      for (const client of clients.values()) {
        if (client.waiting.length) say(client, { C: cursor(log.length), M: client.waiting });
        client.waiting = [];
      }
    },
    /** Calls a method of every client. */
    call: (method, ...values) => publish(method, values),
    /** Sends any text as one frame to every client. */
    raw: (text) => [...clients.values()].forEach(({ socket }) => socket?.send(text)),
    /** Forgets every client, as a restarted server does: their reconnects are refused. */
    forget: () => [...clients.values()].forEach(forget),
    /**
     * Ends the WebSockets with a Close frame; clients may reconnect. Resolves while they are away:
     * they are back sooner than anybody would see who looks now and then.
     */
    end: () =>
      Promise.all(
        [...clients.values()].filter(({ socket }) => socket).map(
          ({ socket }) =>
            new Promise((done) => {
              socket.once('close', done);
              socket.close(1001);
            }),
        ),
      ),
    drop: place.drop,
    close: place.close,
  });
}

/**
 * What `/signalr/hubs` answers: the hub as `$.connection.<name>`, with the functions that the page
 * puts in `client` bound on start.
 */
function script(path, name) {
  const member = name[0].toLowerCase() + name.slice(1);
  return `(function ($) {
  var hubs = $.hubConnection(${JSON.stringify(path)}, { useDefaultPath: false });
  hubs.starting(function () {
    $.each(proxy.client, function (method, call) { proxy.off(method).on(method, call); });
  });
  var proxy = hubs.createHubProxy(${JSON.stringify(member)});
  proxy.client = {};
  proxy.server = {
    send: function (message) { return proxy.invoke('Send', message); },
    refuse: function (message) { return proxy.invoke('Refuse', message); }
  };
  $.connection.hub = hubs;
  $.connection[${JSON.stringify(member)}] = proxy;
})(jQuery);
`;
}
