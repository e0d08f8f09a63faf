// ASP.NET Core SignalR: redirection, refusals and ends.
//
// What's tested
// * redirection, with and without a token
// * answers that refuse, fail or come from another kind of server; answers that come late, or never
// * the server closes the connection, with and without leave to reconnect

import {
  answersGive,
  clock,
  connectedBy,
  END,
  equal,
  frame,
  isOurs,
  NEGOTIATED,
  NEGOTIATED_CLASSIC,
  Notes,
  ok,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
  untyped,
} from '../support/index.js';

export async function redirection() {
  const signaling = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    accessToken: 'mine',
    query: { a: 1 },
  });
  signaling.openSocket({});
  await settled();
  equal(requests[0].headers, { 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer mine' });
  requests[0].answer({ url: 'https://other.test/hub?hub=chat', accessToken: 'theirs' });
  await settled();
  equal(
    [requests[1].url, requests[1].method, requests[1].headers],
    [
      'https://other.test/hub/negotiate?hub=chat&a=1&negotiateVersion=1',
      'POST',
      { 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer theirs' },
    ],
  );
  requests[1].answer({ url: 'https://third.test/' });
  await settled();
  equal(
    [requests[2].url, requests[2].headers],
    ['https://third.test/negotiate?a=1&negotiateVersion=1', { 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer theirs' }],
  );
  requests[2].answer(NEGOTIATED);
  await settled();
  equal(sockets[0].url, 'wss://third.test/?a=1&id=to%2fk%2ben%3d&access_token=theirs');
  sockets[0].accept().deliver(`{}${END}`);
  equal(signaling.state, 'open');
  // The next attempt begins at the page's own address, with its own token.
  sockets[0].end();
  clock.advance(500);
  await settled();
  equal(
    [requests[3].url, requests[3].headers],
    ['https://server.test/hub/negotiate?a=1&negotiateVersion=1', { 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer mine' }],
  );
}

export async function redirection_in_a_circle_ends() {
  const notes = new Notes();
  const signaling = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    onerror: notes.taker('onerror'),
  });
  signaling.openSocket({});
  await settled();
  for (let round = 0; round < 300 && signaling.state === 'connecting'; round += 1) {
    requests.at(-1).answer({ url: 'https://server.test/hub' });
    await settled();
  }
  equal(signaling.state, 'closed');
  ok(requests.length > 10 && requests.length < 13, `${requests.length} requests`);
  isOurs(notes.calls[0][1], 'connection-failed', 'circle', 'url');
}

export async function answers_that_refuse_or_fail() {
  const html = '<!DOCTYPE html><title>Not a hub</title>';
  const cases = [
    ['', 401, 'closed', 'authentication-refused', '401'],
    [html, 403, 'closed', 'connection-failed', '403', 'url'],
    ['', 429, 'waiting', null, '429'],
    [html, 404, 'closed', 'connection-failed', '404', '<!DOCTYPE', 'url'],
    [html, 200, 'closed', 'connection-failed', '200', '<!DOCTYPE', 'url'],
    ['', 405, 'closed', 'connection-failed', '405'],
    ['{}', 200, 'closed', 'connection-failed', 'connectionToken', 'url'],
    ['null', 200, 'closed', 'connection-failed', 'connectionToken'],
    ['[]', 200, 'closed', 'connection-failed', 'connectionToken'],
    [NEGOTIATED_CLASSIC, 200, 'closed', 'connection-failed', "'signalr-classic'"],
    ['', 500, 'waiting', null, '500'],
    [html, 503, 'waiting', null, '503'],
    [{ error: 'busy' }, 200, 'waiting', null, "'busy'"],
  ];
  await answersGive({ url: 'https://server.test/hub', protocol: 'signalr' }, cases);
}

export async function no_answer_at_all() {
  let detail;
  const signaling = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    reconnect: { base: 1, cap: 1 },
    onstatechange: (state, told) => {
      if (state === 'waiting') detail = told;
    },
  });
  signaling.openSocket({});
  await settled();
  requests[0].fail();
  await settled();
  ok(detail.reason.includes('Failed to fetch') && detail.reason.includes('url'), detail.reason);
  clock.advance(1);
  await settled();
  // One that begins, and never ends.
  const end = requests[1].begin(200);
  await settled();
  // Each attempt comes within a millisecond.
  clock.advance(9_998);
  await settled();
  equal(requests.length, 2);
  clock.advance(3);
  await settled();
  equal(requests.length, 3, 'it was not waited for any longer');
  end(JSON.stringify(NEGOTIATED));
  await settled();
  equal([sockets.length, signaling.state], [0, 'connecting'], "and its end is ignored");
  // A fetch that throws at once, or is no function.
  const { fetch } = globalThis;
  for (const broken of [
    () => {
      throw new Error('blocked');
    },
    undefined,
    () => 5,
    () => undefined,
  ]) {
    untyped(globalThis).fetch = broken;
    const other = new Signaling({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      reconnect: false,
    });
    let reason;
    other.onstatechange = (_, told) => {
      reason = told.reason;
    };
    other.openSocket({});
    await settled();
    equal(other.state, 'closed');
    ok(reason.includes('reach'), reason);
  }
  globalThis.fetch = fetch;
}

export async function an_answer_that_never_ends_is_not_read_for_ever() {
  const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr' });
  signaling.openSocket({});
  await settled();
  requests[0].begin(200);
  await settled();
  clock.advance(9_999);
  ok(!requests[0].signal?.aborted, 'not yet');
  clock.advance(1);
  ok(requests[0].signal?.aborted, 'with its attempt');
  clock.advance(1_000);
  await settled();
  signaling.close();
  ok(requests[1].signal?.aborted, 'with its signaling');
}

export async function a_late_answer_has_no_say_in_a_later_one() {
  const signaling = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    reconnect: { base: 1, cap: 1 },
  });
  signaling.openSocket({});
  await settled();
  clock.advance(10_001);
  await settled();
  equal(requests.length, 2);
  // The second one's head, the first one's, and then the second one's text.
  const end = requests[1].begin(200);
  await settled();
  requests[0].begin(401)('');
  await settled();
  end(JSON.stringify(NEGOTIATED));
  await settled();
  equal([sockets.length, signaling.state], [1, 'connecting']);
}

export async function a_handshake_that_is_refused_or_odd() {
  const cases = [
    [
      `{"error":"The protocol 'json' is not supported."}${END}`,
      "The protocol 'json' is not supported.",
    ],
    [frame('room', 1) + END, 'protocol'],
    [`{"type":6}${END}`, 'protocol'],
    [`5${END}`, 'protocol'],
  ];
  for (const [text, ...says] of cases) {
    const notes = new Notes();
    const signaling = new Signaling({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      skipNegotiation: true,
      onerror: notes.taker('onerror'),
    });
    signaling.openSocket({});
    await settled();
    sockets.at(-1).accept().deliver(text);
    equal([signaling.state, sockets.at(-1).closings], ['closed', 1], text);
    isOurs(notes.calls[0][1], 'connection-failed', ...says);
  }
  // A silent server.
  let detail;
  const mute = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    skipNegotiation: true,
    onstatechange: (state, told) => {
      if (state === 'waiting') detail ??= told;
    },
  });
  mute.openSocket({});
  sockets.at(-1).accept();
  clock.advance(10_001);
  ok(detail.reason.includes('the option protocol'), detail.reason);
}

export async function the_server_ends_it() {
  for (const [record, state, ...says] of [
    [{ type: 7 }, 'closed'],
    [{ type: 7, error: 'too large' }, 'closed', 'too large'],
    [{ type: 7, error: 'restart', allowReconnect: false }, 'closed', 'restart'],
    [{ type: 7, error: 'restart', allowReconnect: true }, 'waiting', 'restart'],
  ]) {
    const notes = new Notes();
    let detail;
    const { signaling, handle, socket } = await connectedBy('signalr', {
      onerror: notes.taker('onerror'),
      onstatechange: (_, told) => {
        detail = told;
      },
    });
    const queue = signaling.stats().sent;
    // The rest of the same frame is ignored.
    socket.deliver(
      JSON.stringify(record) +
        END +
        `{}${END}{"type":3,"invocationId":"1","error":"no"}${END}` +
        servers.signalr.wrap(frame('room', 'behind')),
    );
    equal(
      [signaling.state, socket.closings, socket.isHeard],
      [state, 1, false],
      JSON.stringify(record),
    );
    says.forEach((part) => ok(detail.reason.includes(part), detail.reason));
    if (state === 'closed') isOurs(notes.calls[0][1], 'connection-failed', ...says);
    equal(notes.calls.length, state === 'closed' ? 1 : 0);
    if (state === 'waiting') {
      handle.send('waits');
      equal([signaling.stats().sent, signaling.stats().queued], [queue, 1]);
    }
    signaling.close();
  }
}
