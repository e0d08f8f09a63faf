// What the console says on a page that follows neither errors nor changes of state.
//
// What's tested
// * the second failed attempt is one warning, which names the address, the server and the option
// * nothing if there is a handler, or if the server was reached before
// * the addresses that are asked, and answers that tell nothing
// * no token in errors, reasons and the console, by any protocol

import {
  clock,
  equal,
  FakeTransport,
  ok,
  refuse,
  requests,
  settled,
  Signaling,
  sockets,
  streams,
  untyped,
} from '../support/index.js';

/** What is written to the console while `body` runs, each call as a text. */
async function written(body) {
  const lines = [];
  const real = {};
  for (const method of ['debug', 'log', 'info', 'warn', 'error']) {
    real[method] = console[method];
    console[method] = (...given) => lines.push(`${method}: ${given.join(' ')}`);
  }
  try {
    await body();
    await settled();
  } finally {
    Object.assign(console, real);
  }
  return lines;
}

/** A signaling that tries again after a millisecond. */
function opened(options = {}) {
  const reconnect = { base: 1, cap: 1 };
  const signaling = new Signaling({ url: 'ws://server.test/', reconnect, ...options });
  signaling.openSocket({});
  return signaling;
}

/** Lets that many attempts to connect fail. */
async function fail(times) {
  for (let count = 0; count < times; count += 1) {
    sockets.at(-1).end();
    clock.advance(2);
    await settled();
  }
}

const SOCKET_IO = { code: 0, message: 'Transport unknown' };

export async function a_server_of_another_protocol_is_named_once() {
  const lines = await written(async () => {
    const signaling = opened({ url: 'ws://user:pass@server.test:81/way?token=secret' });
    await fail(1);
    equal(requests.length, 0, 'the first may be bad luck');
    await fail(1);
    equal(
      requests.map(({ url, method }) => [url, method]),
      [['http://server.test:81/way?token=secret', 'GET']],
    );
    requests[0].answer('<!doctype html>', 404, { 'Content-Type': 'text/html' });
    await settled();
    equal(requests[1].url, 'http://server.test:81/socket.io/?EIO=4&transport=polling');
    requests[1].answer(SOCKET_IO, 400);
    await settled();
    await fail(5);
    signaling.close();
  });
  equal(lines, [
    "warn: signal-wasm can't connect to ws://server.test:81/way with protocol 'websocket': no connection to ws://server.test:81/way could be made. What answers there is a Socket.IO server; set the option protocol to 'socket.io'. It keeps trying; set onstatechange or onerror to follow it.",
  ]);
  equal(requests.length, 2);
}

export async function what_the_answers_tell() {
  const told = async (answers, options = {}) => {
    requests.length = 0;
    const lines = await written(async () => {
      const signaling = opened(options);
      await fail(2);
      for (const answer of answers) {
        if (answer) requests.at(-1).answer(...answer);
        else requests.at(-1).fail();
        await settled();
      }
      equal(requests.length, answers.length);
      signaling.close();
    });
    equal(lines.length, 1);
    return lines[0];
  };
  const says = (line, ...parts) => parts.forEach((part) => ok(line.includes(part), `${line} has ${part}`));
  says(await told([[SOCKET_IO, 400]]), "protocol to 'socket.io'");
  says(await told([[SOCKET_IO, 400]], { protocol: 'socket.io', path: '/way/' }), 'may refuse WebSockets');
  says(await told([['Connection ID required', 400]]), "protocol to 'signalr'");
  says(await told([['', 200, { 'Content-Type': 'text/event-stream' }]]), "protocol to 'sse'");
  says(await told([['Upgrade Required', 426]]), 'a server of plain WebSockets', 'may refuse');
  says(await told([['<html>', 200], ['<html>', 404]]), 'a web page, with HTTP status 200', 'option url');
  // Nothing answers, or the page may not read it.
  const hidden = await told([null, null]);
  says(hidden, 'no connection to ws://server.test/ could be made. It keeps trying');
  says(await told([['nothing', 404], null]), 'an HTTP server, with HTTP status 404');
  says(await told([null, [SOCKET_IO, 400]]), "protocol to 'socket.io'");
}

export async function a_page_with_a_handler_is_not_warned() {
  for (const handler of ['onerror', 'onstatechange']) {
    const lines = await written(async () => {
      const early = opened({ [handler]: () => undefined });
      await fail(4);
      early.close();
      // Also one that is set while the server is asked.
      requests.length = 0;
      const late = opened();
      await fail(2);
      late[handler] = () => undefined;
      requests[0].fail();
      await settled();
      requests[1].fail();
      await settled();
      late.close();
    });
    equal([lines, requests.length], [[], 2], handler);
  }
  const lines = await written(async () => {
    const signaling = opened();
    sockets.at(-1).accept();
    await fail(5);
    signaling.close();
  });
  equal(lines, [], 'a server that was reached before');
}

export async function the_end_of_all_attempts_is_told_too() {
  const lines = await written(async () => {
    opened({ url: 'ws://server.test/?token=secret', reconnect: false });
    await fail(1);
    refuse(new DOMException('bad port'));
    const refused = new Signaling({ url: 'ws://server.test/?token=secret' });
    try {
      refused.openSocket({});
    } catch {
      // It is thrown, too.
    }
  });
  equal(lines.length, 2);
  for (const line of lines) {
    ok(line.startsWith('warn: signal-wasm: the connection to ws://server.test/ is lost for good'), line);
    ok(!line.includes('secret'), line);
  }
  const transport = await written(async () => {
    const carrier = new FakeTransport();
    const signaling = new Signaling({ transport: carrier });
    signaling.openSocket({});
    for (let count = 0; count < 3; count += 1) {
      carrier.onclose('no luck');
      clock.advance(20_000);
    }
    signaling.close();
  });
  equal(transport.length, 1);
  for (const part of ['through the option transport', 'no luck'])
    ok(transport[0].includes(part), transport[0]);
  equal(requests.length, 0);
}

export async function no_token_is_in_any_text() {
  const SECRETS = ['s3cret-user', 's3cret-pass', 's3cret-query', 's3cret-option', 's3cret-token'];
  const url = 'wss://s3cret-user:s3cret-pass@server.test/way?token=s3cret-query';
  const query = { key: 's3cret-option' };
  const echoed = SECRETS.map((secret) => `/way?token=${secret}`).join(' ');
  for (const options of [
    { protocol: 'auto' },
    { protocol: 'relay' },
    { protocol: 'websocket' },
    { protocol: 'socket.io', auth: { token: 's3cret-token' } },
    { protocol: 'socket.io', auth: () => untyped('s3cret-token') },
    { protocol: 'signalr', accessToken: 's3cret-token' },
    { protocol: 'signalr', accessToken: 's3cret-token', skipNegotiation: true },
    { protocol: 'signalr', accessToken: () => Promise.reject(new Error(`no ${url}`)) },
    { protocol: 'signalr-classic', accessToken: async () => 's3cret-token' },
    { protocol: 'sse' },
    { protocol: 'websocket', url: () => url },
    { protocol: 'websocket', url: () => untyped({ token: 's3cret-token' }) },
    { protocol: 'websocket', url: () => url.replace('wss:', 'ftp:') },
  ]) {
    for (const isFollowed of [true, false]) {
      const texts = [];
      const lines = await written(async () => {
        const follow = {
          onerror: (error) => texts.push(error.message, error.stack),
          onstatechange: (_, { reason }) => texts.push(reason),
        };
        const signaling = new Signaling({ url, query, ...options, ...(isFollowed && follow), reconnect: { attempts: 6 } });
        signaling.closed.then(({ reason }) => texts.push(reason));
        signaling.openSocket({ channel: 'room' }).send('waits');
        const seen = { sockets: sockets.length, streams: streams.length };
        // Whatever the server and the browser do, one thing after the other.
        for (let step = 0; step < 30 && signaling.state !== 'closed'; step += 1) {
          await settled();
          const asked = requests.splice(0);
          asked.forEach((request, at) => {
            if ((step + at) % 3 === 0) request.fail(new TypeError(`Failed to fetch ${request.url}`));
            else request.answer(`Cannot ${request.method} ${request.url} ${echoed} s3cret-token`, step % 2 ? 404 : 503);
          });
          await settled();
          if (sockets.length > seen.sockets) {
            seen.sockets = sockets.length;
            const socket = sockets.at(-1);
            if (step % 3 === 1) {
              socket.accept();
              socket.deliver(`0{"sid":"${echoed}"}`, `<html>${echoed}`, `44/way,{"message":"bad s3cret-token"}`);
            }
            if (socket.readyState < 2) socket.end(1006, step % 2 ? `not ${socket.url}` : '');
          }
          if (streams.length > seen.streams) {
            seen.streams = streams.length;
            if (step % 2) streams.at(-1).lose();
            else streams.at(-1).refuse();
          }
          clock.advance(20_000);
        }
        signaling.close();
        await settled();
      });
      const all = [...texts, ...lines];
      ok(all.length > 0, 'something was written');
      for (const text of all) {
        for (const secret of SECRETS)
          ok(!text.includes(secret), `${JSON.stringify(options)} tells ${secret}: ${text}`);
      }
    }
  }
  // What is thrown at once.
  for (const bad of [
    { url: 'ftp://s3cret-user:s3cret-pass@server.test/?token=s3cret-query' },
    { url: `ftp://${'s3cret-user'.repeat(20)}@server.test/` },
    { url: '//?token=s3cret-query' },
    { url: 'ws://server.test/?token=s3cret-query', subprotocols: ['s3cret token'] },
    { url, protocol: untyped('nothing') },
  ]) {
    try {
      new Signaling(bad);
      ok(false, 'it is wrong');
    } catch (error) {
      const { message } = untyped(error);
      ok(!message.includes('s3cret'), message);
    }
  }
}
