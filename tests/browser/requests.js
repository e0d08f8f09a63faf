// The options `credentials` and `headers`: what each HTTP request of SignalR and `sse` has.
//
// What's tested
// * cookies: by default for every origin, as an option says, and of event streams
// * `X-Requested-With`, and where it would cause a CORS preflight that no official client causes
// * the page's headers, beside a token and our own; not for another origin
// * the sentence about a request whose answer the page may not read

import {
  equal,
  NEGOTIATED,
  NEGOTIATED_CLASSIC,
  ok,
  requests,
  settled,
  Signaling,
  sockets,
  streams,
} from './support/index.js';

const MARKED = { 'X-Requested-With': 'XMLHttpRequest' };

/** Opens a channel, with these options. */
async function open(options) {
  requests.length = sockets.length = 0;
  const signaling = new Signaling(options);
  const handle = signaling.openSocket({ channel: 'room' });
  await settled();
  return { signaling, handle };
}

/** The requests that each kind of server gets: what they had. */
async function requestsOf(url, options) {
  const seen = [];
  for (const protocol of ['signalr', 'signalr-classic', 'sse']) {
    const { signaling, handle } = await open({ url, protocol, ...options });
    if (protocol === 'sse') {
      streams.at(-1).accept();
      handle.send(1);
      seen.push(['stream', streams.at(-1).withCredentials]);
    }
    const { method, headers, rest } = requests[0];
    seen.push([protocol, method, rest.credentials, headers]);
    signaling.close();
  }
  return seen;
}

export async function cookies_go_to_every_origin_by_default() {
  for (const [credentials, expected] of [
    [undefined, 'include'],
    ['include', 'include'],
    ['same-origin', 'same-origin'],
    ['omit', 'omit'],
  ]) {
    equal(
      await requestsOf('https://server.test/hub', { credentials }),
      [
        ['signalr', 'POST', expected, MARKED],
        ['signalr-classic', 'GET', expected, {}],
        ['stream', expected === 'include'],
        ['sse', 'POST', expected, {}],
      ],
      credentials,
    );
  }
}

export async function the_pages_headers_go_with_each_request() {
  const headers = { 'X-Api-Key': 'key', 'accept-language': 'fr' };
  equal(await requestsOf('https://server.test/hub', { headers }), [
    ['signalr', 'POST', 'include', { ...MARKED, ...headers }],
    ['signalr-classic', 'GET', 'include', headers],
    ['stream', true],
    ['sse', 'POST', 'include', headers],
  ]);
  // The page's own value counts, in whatever capitals it is named; but the token of a function is
  // newer than a header.
  const own = { 'x-requested-with': 'mine', 'authorization': 'Basic abc' };
  equal(await requestsOf('https://server.test/hub', { headers: own }), [
    ['signalr', 'POST', 'include', own],
    ['signalr-classic', 'GET', 'include', own],
    ['stream', true],
    ['sse', 'POST', 'include', own],
  ]);
  const { signaling } = await open({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    accessToken: () => 'token',
    headers: own,
  });
  equal(requests[0].headers, { 'x-requested-with': 'mine', 'Authorization': 'Bearer token' });
  signaling.close();
}

export async function the_pages_headers_go_to_no_other_origin() {
  const headers = { 'X-Api-Key': 'key' };
  for (const [target, sent] of /** @type {[string, Record<string, string>][]} */ ([
    ['https://other.test/hub', {}],
    ['http://server.test/hub', {}],
    ['https://server.test/other', headers],
  ])) {
    const { signaling } = await open({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      headers,
    });
    requests[0].answer({ url: target, accessToken: 'theirs' });
    await settled();
    equal(requests[1].headers, { ...MARKED, ...sent, Authorization: 'Bearer theirs' }, target);
    requests[1].answer(NEGOTIATED);
    await settled();
    equal(sockets.length, 1);
    signaling.close();
    const classic = await open({
      url: 'https://server.test/hub',
      protocol: 'signalr-classic',
      headers,
    });
    equal(requests[0].headers, headers);
    requests[0].answer({ RedirectUrl: target, AccessToken: 'theirs' });
    await settled();
    equal(requests[1].headers, sent, target);
    requests[1].answer(NEGOTIATED_CLASSIC);
    await settled();
    sockets[0].accept().deliver('{"S":1,"M":[]}');
    equal(requests[2].headers, sent, target);
    classic.signaling.close();
    equal(requests[3].method, 'POST');
    ok(sent === headers ? requests[3].headers['X-Api-Key'] === 'key' : !('X-Api-Key' in requests[3].headers), target);
  }
}

export async function an_answer_that_the_page_may_not_read() {
  for (const [credentials, hints] of [
    [undefined, true],
    ['same-origin', false],
    ['omit', false],
  ]) {
    for (const protocol of ['signalr', 'signalr-classic', 'sse']) {
      let reason = '';
      const { signaling } = await open({
        url: 'https://server.test/hub',
        protocol,
        credentials,
        onstatechange: (_, detail) => {
          reason = detail.reason;
        },
      });
      if (protocol === 'sse') streams.at(-1).refuse();
      else requests[0].fail();
      await settled();
      equal(signaling.state, 'waiting');
      equal(reason.includes("the option credentials to 'same-origin'"), hints, `${protocol}: ${reason}`);
      signaling.close();
    }
  }
}
