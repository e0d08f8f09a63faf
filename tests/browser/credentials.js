// The page's credentials: `auth` and `accessToken`, as values and as functions, at once and later.
//
// What's tested
// * where they go in each protocol; they are asked for on each attempt, and not before
// * functions that throw, reject, never answer, answer late or with a useless value
// * a refusal is final, unless a function can give something new

import {
  clock,
  equal,
  GREETING_2,
  GREETING_4,
  isOurs,
  jsonError,
  NEGOTIATED,
  Notes,
  ok,
  reported,
  requests,
  servers,
  settled,
  Signaling,
  sockets,
} from './support/index.js';

export async function it_goes_where_the_protocol_has_it() {
  for (const given of [
    (value) => value,
    (value) => () => value,
    (value) => async () => value,
    (value) => () => ({ then: (done) => done(value) }),
  ]) {
    sockets.length = requests.length = 0;
    const io = new Signaling({
      url: 'https://server.test',
      protocol: 'socket.io',
      auth: given({ token: 'é"', n: 1 }),
    });
    io.openSocket({});
    await settled();
    sockets[0].accept().deliver(GREETING_4);
    equal(
      [sockets[0].url, sockets[0].frames],
      ['wss://server.test/socket.io/?EIO=4&transport=websocket', ['40{"token":"é\\"","n":1}']],
    );
    const of = new Signaling({
      url: 'https://server.test',
      protocol: 'socket.io',
      namespace: '/x',
      auth: given({ a: 1 }),
    });
    of.openSocket({});
    await settled();
    sockets[1].accept().deliver(GREETING_4);
    equal(sockets[1].frames, ['40/x,{"a":1}']);
    const hub = new Signaling({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      accessToken: given('to/ken'),
    });
    hub.openSocket({});
    await settled();
    equal(
      [requests[0].headers, requests[0].url.includes('to')],
      [{ 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer to/ken' }, false],
    );
    requests[0].answer(NEGOTIATED);
    await settled();
    equal(sockets[2].url, 'wss://server.test/hub?id=to%2fk%2ben%3d&access_token=to%2fken');
    const classic = new Signaling({
      url: 'https://server.test/signalr',
      protocol: 'signalr-classic',
      accessToken: given('to/ken'),
    });
    classic.openSocket({});
    await settled();
    ok(requests[1].url.endsWith('&access_token=to%2fken'), requests[1].url);
    [io, of, hub, classic].forEach((signaling) => signaling.close());
  }
}

export async function servers_of_version_2_read_it_in_the_query() {
  const signaling = new Signaling({
    url: 'https://server.test',
    protocol: 'socket.io',
    auth: { token: 'a&b', n: 1 },
    reconnect: { base: 1, cap: 1 },
  });
  signaling.openSocket({});
  await settled();
  // It greets with its own version, and refuses a client whose query has no credentials.
  sockets[0].accept().deliver(GREETING_2, '44"not authorized"');
  equal(signaling.state, 'waiting');
  clock.advance(1);
  await settled();
  equal(sockets[1].url, 'wss://server.test/socket.io/?EIO=4&transport=websocket&token=a%26b&n=1');
  sockets[1].accept().deliver(GREETING_2, '40');
  equal(signaling.state, 'open');
}

export async function it_is_asked_for_on_each_attempt() {
  let asked = 0;
  const signaling = new Signaling({
    url: 'https://server.test/hub',
    protocol: 'signalr',
    accessToken: async () => `token ${(asked += 1)}`,
    reconnect: { base: 1, cap: 1 },
  });
  await settled();
  equal(asked, 0, 'not before the first channel');
  signaling.openSocket({});
  signaling.openSocket({ channel: 'another' });
  await settled();
  const headers = () => requests.map((request) => request.headers.Authorization);
  equal([asked, headers()], [1, ['Bearer token 1']]);
  requests[0].fail();
  await settled();
  clock.advance(1);
  await settled();
  equal([asked, headers()], [2, ['Bearer token 1', 'Bearer token 2']]);
}

export async function functions_that_fail() {
  const mine = new Error('the token service is down');
  const cyclic = {};
  cyclic.self = cyclic;
  const failing = {
    'throwing': [
      () => {
        throw mine;
      },
      'the token service is down',
    ],
    'rejecting': [() => Promise.reject(mine), 'the token service is down'],
    'a bad thenable': [
      () => ({
        then() {
          throw mine;
        },
      }),
      'the token service is down',
    ],
    'a number': [() => 5, '5'],
  };
  const ofTheOther = {
    'socket.io': { 'a text': [() => 'token', "'token'"], 'cyclic': [() => cyclic, jsonError(cyclic)] },
    'signalr': { 'an object': [() => ({ token: 1 }), 'an object'] },
    'signalr-classic': { 'an object': [() => ({ token: 1 }), 'an object'] },
  };
  for (const protocol of ['socket.io', 'signalr', 'signalr-classic']) {
    for (const [name, [credential, says]] of Object.entries({
      ...failing,
      ...ofTheOther[protocol],
    })) {
      sockets.length = requests.length = 0;
      const what = `${protocol}, ${name}`;
      const notes = new Notes();
      let detail;
      const option = protocol === 'socket.io' ? 'auth' : 'accessToken';
      const signaling = new Signaling({
        url: 'https://server.test/',
        protocol,
        [option]: credential,
        reconnect: { attempts: 1, base: 1, cap: 1 },
        onerror: notes.taker('onerror'),
        onstatechange: (state, told) => {
          if (state === 'waiting') detail = told;
        },
      });
      const handle = signaling.openSocket({});
      handle.send('unsent');
      await settled();
      equal([signaling.state, sockets.length, requests.length], ['waiting', 0, 0], what);
      ok(detail.reason.includes(says), `${what}: ${detail.reason}`);
      clock.advance(1);
      await settled();
      equal(signaling.state, 'closed', what);
      isOurs(notes.calls[0][1], 'connection-failed', says, '1 unsent');
    }
  }
  equal(reported(), [], 'nothing is thrown at nobody');
}

// Nobody is logged in: there are no credentials, and the server may accept the page all the same.
export async function functions_that_have_nothing_to_say() {
  for (const nothing of [undefined, null]) {
    requests.length = 0;
    const signaling = new Signaling({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      accessToken: async () => nothing,
    });
    signaling.openSocket({});
    await settled();
    equal(
      [signaling.state, requests.length, requests[0].headers],
      ['connecting', 1, { 'X-Requested-With': 'XMLHttpRequest' }],
    );
    signaling.close();
    sockets.length = 0;
    const io = new Signaling({
      url: 'https://server.test/',
      protocol: 'socket.io',
      auth: () => nothing,
    });
    io.openSocket({});
    await settled();
    sockets[0].accept();
    sockets[0].deliver(
      '0{"sid":"x","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
    );
    equal(sockets[0].frames, ['40']);
    io.close();
  }
}

export async function a_value_that_is_of_no_use() {
  for (const auth of [
    { big: 1n },
    {
      get token() {
        throw new Error('mine');
      },
    },
  ]) {
    const notes = new Notes();
    const signaling = new Signaling({
      url: 'https://server.test/',
      protocol: 'socket.io',
      auth,
      reconnect: false,
      onerror: notes.taker('onerror'),
    });
    signaling.openSocket({});
    await settled();
    equal([signaling.state, sockets.length], ['closed', 0]);
    isOurs(notes.calls[0][1], 'connection-failed');
  }
}

export async function functions_that_answer_late() {
  const answers = [];
  const credential = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
  const make = () =>
    new Signaling({
      url: 'https://server.test/hub',
      protocol: 'signalr',
      accessToken: credential,
      reconnect: { base: 1, cap: 1 },
    });
  // After close.
  for (const end of ['resolve', 'reject']) {
    const signaling = make();
    signaling.openSocket({});
    await settled();
    signaling.close();
    answers.pop()[end]('late');
    await settled();
    equal([signaling.state, requests.length, sockets.length, clock.timers], ['closed', 0, 0, 0]);
  }
  // A user may have to be asked first, which takes a while.
  const signaling = make();
  const handle = signaling.openSocket({ channel: 'room' });
  handle.send('waits');
  await settled();
  clock.advance(9_000);
  equal([signaling.state, answers.length], ['connecting', 1]);
  answers[0].resolve('token');
  await settled();
  equal(requests[0].headers, { 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer token' });
  const socket = await servers.signalr.up();
  equal(servers.signalr.unwrap(socket.frames[1]).message, 'waits');
}

export async function a_refusal_is_final_unless_there_is_something_new() {
  const refuse = {
    'socket.io': async () => {
      sockets.at(-1).accept().deliver(GREETING_4, '44{"message":"not you"}');
    },
    'signalr': async () => {
      requests.at(-1).answer('', 401);
      await settled();
    },
    'signalr-classic': async () => {
      requests.at(-1).answer('', 401);
      await settled();
    },
  };
  for (const [protocol, deny] of Object.entries(refuse)) {
    const option = protocol === 'socket.io' ? 'auth' : 'accessToken';
    const credential = (name) => (protocol === 'socket.io' ? { name } : name);
    const make = async (value) => {
      const notes = new Notes();
      const signaling = new Signaling({
        url: 'https://server.test/',
        protocol,
        [option]: value,
        reconnect: { base: 1, cap: 1 },
        onerror: notes.taker('onerror'),
      });
      signaling.openSocket({}).send('unsent');
      await settled();
      return { signaling, notes };
    };
    // Nothing, or the same each time.
    for (const value of [undefined, credential('me')]) {
      const { signaling, notes } = await make(value);
      await deny();
      equal(signaling.state, 'closed', protocol);
      isOurs(notes.calls[0][1], 'authentication-refused', '1 unsent');
    }
    // Something new, until it is the same again, which is tried five times more.
    const given = ['a', 'b', 'c', 'c', 'c', 'c', 'c', 'c'].map(credential);
    const { signaling, notes } = await make(async () => given.shift());
    while (given.length > 0) {
      equal([signaling.state, notes.calls], ['connecting', []], protocol);
      await deny();
      equal(signaling.state, 'waiting', protocol);
      clock.advance(1);
      await settled();
    }
    await deny();
    equal(signaling.state, 'closed', protocol);
    isOurs(notes.calls[0][1], 'authentication-refused', 'same again');
  }
}
