// A server whose address the page is asked for: `url` as a function, at once and later, with each
// protocol.
//
// What's tested
// * what it may give: texts, `URL` objects, promises of them, relative addresses; it is asked on
//   each attempt, and not before the first channel
// * functions that throw, reject, give nonsense, never answer, answer late
// * beside `auth` and `accessToken`; with `query`, `path` and a namespace; what is known of one
//   server isn't assumed of another

import {
  ack,
  clock,
  equal,
  GREETING_4,
  hello,
  isOurs,
  kept,
  messages,
  Notes,
  ok,
  pageEvents,
  refs,
  reported,
  requests,
  settled,
  Signaling,
  sockets,
  untyped,
} from './support/index.js';

export async function what_it_may_give() {
  const given = [
    [() => 'ws://server.test/a', 'ws://server.test/a'],
    [async () => 'wss://server.test/b?token=1', 'wss://server.test/b?token=1'],
    [() => new URL('https://server.test/c#x'), 'wss://server.test/c'],
    [() => Promise.resolve(new URL('http://server.test/d')), 'ws://server.test/d'],
    [() => ({ then: (done) => done('//server.test/e') }), 'ws://server.test/e'],
    [() => '/f', `ws://${location.host}/f`],
    [
      () => location.href.replace(/[?#].*/, ''),
      location.href.replace(/[?#].*/, '').replace('http', 'ws'),
    ],
  ];
  for (const [url, expected] of given) {
    const signaling = new Signaling({ url });
    const handle = signaling.openSocket({ channel: 'room' });
    handle.send('waits');
    equal(signaling.state, 'connecting');
    await settled();
    equal(sockets.at(-1).url, expected);
    equal(messages(sockets.at(-1).accept()), ['waits']);
    signaling.close();
  }
}

export async function it_is_asked_on_each_attempt() {
  let asked = 0;
  const signaling = new Signaling({
    url: async () => `ws://server.test/?token=${(asked += 1)}`,
    reconnect: { base: 1, cap: 1 },
  });
  await settled();
  equal(asked, 0, 'not before the first channel');
  signaling.openSocket({});
  signaling.openSocket({ channel: 'another' });
  await settled();
  for (let attempt = 1; attempt < 6; attempt += 1) {
    equal(
      [asked, sockets.length, sockets.at(-1).url],
      [attempt, attempt, `ws://server.test/?token=${attempt}`],
    );
    if (attempt % 2) sockets.at(-1).accept();
    sockets.at(-1).end();
    clock.advance(1);
    await settled();
  }
}

export async function functions_that_fail() {
  const mine = new Error('the directory is down');
  const failing = {
    'throwing': [
      () => {
        throw mine;
      },
      'the directory is down',
    ],
    'rejecting': [() => Promise.reject(mine), 'the directory is down'],
    'rejecting with nothing': [() => Promise.reject(), 'undefined'],
    'a bad thenable': [
      () => ({
        then() {
          throw mine;
        },
      }),
      'the directory is down',
    ],
    'a number': [() => 5, '5'],
    'an object': [() => ({}), 'an object'],
    'null': [() => null, 'null'],
    'an array': [() => ['ws://server.test/'], 'an object'],
    'another scheme': [() => 'ftp://server.test/', "'ftp://server.test/'"],
    'no address': [() => 'ws://', "'ws://'"],
    'a function': [() => () => 'ws://server.test/', 'a function'],
  };
  for (const [name, [url, says]] of Object.entries(failing)) {
    const notes = new Notes();
    const details = [];
    const signaling = new Signaling({
      url,
      reconnect: { attempts: 1, base: 1, cap: 1 },
      onerror: notes.taker('onerror'),
      onstatechange: (state, detail) => details.push([state, detail]),
    });
    signaling.openSocket({}).send('unsent');
    await settled();
    equal([signaling.state, sockets.length], ['waiting', 0], name);
    ok(
      details.at(-1)[1].reason.includes(says) && details.at(-1)[1].reason.includes('url'),
      `${name}: ${details.at(-1)[1].reason}`,
    );
    clock.advance(1);
    await settled();
    equal([signaling.state, clock.timers], ['closed', 0], name);
    isOurs(notes.calls[0][1], 'connection-failed', says, '1 unsent');
    ok((await signaling.closed).reason.includes(untyped(says)), name);
  }
  equal(reported(), [], 'nothing is thrown at nobody');
  // One failure is not final.
  const answers = [
    () => {
      throw mine;
    },
    () => 5,
    () => 'ws://server.test/',
  ];
  const signaling = new Signaling({
    url: () => untyped(answers.shift())(),
    reconnect: { base: 1, cap: 1 },
  });
  signaling.openSocket({}).send('waits');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await settled();
    clock.advance(4);
  }
  equal(messages(sockets[0].accept()), ['waits']);
}

export async function functions_that_answer_late() {
  const answers = [];
  const url = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
  for (const end of ['resolve', 'reject']) {
    const signaling = new Signaling({ url });
    signaling.openSocket({});
    await settled();
    signaling.close();
    answers.pop()[end]('ws://server.test/late');
    await settled();
    equal([signaling.state, sockets.length, clock.timers], ['closed', 0, 0]);
  }
  // However long it takes.
  const signaling = new Signaling({ url });
  signaling.openSocket({ channel: 'room' }).send('waits');
  await settled();
  clock.advance(3_600_000);
  equal([signaling.state, answers.length], ['connecting', 1]);
  for (const what of ['online', 'offline', 'hidden', 'shown']) pageEvents[what]();
  answers[0].resolve('ws://server.test/late');
  await settled();
  equal(messages(sockets[0].accept()), ['waits']);
}

export async function an_answer_to_an_earlier_question() {
  const answers = [];
  const signaling = new Signaling({
    url: () => new Promise((resolve) => answers.push(resolve)),
    reconnect: { base: 1, cap: 1 },
  });
  signaling.openSocket({});
  await settled();
  answers[0]('ws://server.test/first');
  await settled();
  sockets[0].accept();
  sockets[0].end();
  clock.advance(1);
  await settled();
  // The page went into the back/forward cache meanwhile, and is back.
  pageEvents.pagehide();
  pageEvents.pageshow();
  clock.advance(1000);
  await settled();
  equal([answers.length, signaling.state], [3, 'connecting']);
  answers[1]('ws://server.test/second');
  await settled();
  equal(sockets.length, 1, 'nobody waits for that one any more');
  answers[2]('ws://server.test/third');
  await settled();
  equal(
    sockets.map(({ url }) => url),
    ['ws://server.test/first', 'ws://server.test/third'],
  );
}

export async function beside_what_the_page_says_of_itself() {
  const order = [];
  const io = new Signaling({
    url: async () => {
      order.push('url');
      return 'https://server.test/';
    },
    protocol: 'socket.io',
    auth: async () => {
      order.push('auth');
      return { token: 't' };
    },
    query: { a: 1 },
    reconnect: { base: 1, cap: 1 },
  });
  io.openSocket({});
  await settled();
  equal(
    [order.splice(0), sockets[0].url],
    [['url', 'auth'], 'wss://server.test/socket.io/?a=1&EIO=4&transport=websocket'],
  );
  sockets[0].accept().deliver(GREETING_4);
  equal(sockets[0].frames, ['40{"token":"t"}']);
  sockets[0].end();
  clock.advance(1);
  await settled();
  equal([order, sockets.length], [['url', 'auth'], 2], 'both each time');
  io.close();
  // A value beside a function.
  const hub = new Signaling({
    url: () => 'https://server.test/hub?b=2',
    protocol: 'signalr',
    accessToken: 'token',
  });
  hub.openSocket({});
  await settled();
  equal(
    [requests[0].url.startsWith('https://server.test/hub/negotiate?'), requests[0].headers],
    [true, { 'X-Requested-With': 'XMLHttpRequest', 'Authorization': 'Bearer token' }],
  );
  ok(requests[0].url.includes('b=2'), requests[0].url);
  hub.close();
  requests.length = 0;
  const classic = new Signaling({
    url: async () => new URL('https://server.test/signalr'),
    protocol: 'signalr-classic',
    accessToken: async () => 'token',
  });
  classic.openSocket({});
  await settled();
  ok(
    requests[0].url.startsWith('https://server.test/signalr/negotiate?') &&
      requests[0].url.endsWith('&access_token=token'),
    requests[0].url,
  );
  classic.close();
  // The path is that of the options; an address from a function names no namespace.
  const path = new Signaling({
    url: () => 'https://server.test/space',
    protocol: 'socket.io',
    path: '/live/',
  });
  path.openSocket({});
  await settled();
  equal(sockets.at(-1).url, 'wss://server.test/live/?EIO=4&transport=websocket');
  sockets.at(-1).accept().deliver(GREETING_4);
  equal(sockets.at(-1).frames, ['40']);
  path.close();
}

export async function what_is_known_of_one_server_is_not_believed_of_another() {
  let url = 'ws://one.test/?token=1';
  const signaling = new Signaling({
    url: () => url,
    protocol: 'auto',
    reconnect: { base: 1, cap: 1 },
  });
  const handle = signaling.openSocket({ channel: 'room' });
  await settled();
  sockets[0].accept();
  clock.advance(250);
  equal(signaling.state, 'open');
  const next = async (address) => {
    url = address;
    sockets.at(-1).end();
    clock.advance(10_000);
    await settled();
    return sockets.at(-1).accept();
  };
  await next('ws://one.test/?token=2');
  equal(
    [sockets[1].url, signaling.state],
    ['ws://one.test/?token=2', 'open'],
    'another token is no other server',
  );
  await next('ws://two.test/');
  equal(signaling.state, 'open');
  // A relay elsewhere never gets another relay's session.
  await next('ws://three.test/');
  sockets.at(-1).deliver(hello(), ack(0), kept('room', 1, '5'));
  handle.send('unacknowledged');
  await next('ws://four.test/');
  const secret = 'a'.repeat(32);
  sockets.at(-1).deliver(hello({ session: secret, epoch: 'epoch 4' }));
  equal(sockets.at(-1).frames, ['{"open":["room"],"after":{}}']);
  sockets.at(-1).deliver(ack(0, secret));
  equal(
    refs(sockets.at(-1)).map(([, message]) => message),
    ['unacknowledged'],
  );
}
