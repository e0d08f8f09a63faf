// signal-wasm on the servers that people run, each of them real or scripted after a real one: beside the seed's page, and when things go wrong.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import * as classic from '../support/classic-signalr-server.mjs';
import { serveFiles } from '../support/files.mjs';
import { until } from '../support/listen.mjs';
import { assertNoTroubles, openPage, TEST_MOUNTS, TIMEOUT } from '../support/pages.mjs';
import * as rtcMultiConnection from '../support/rtcmulticonnection-server.mjs';
import * as servers from '../support/servers.mjs';
import * as core from '../support/signalr-server.mjs';
import * as socketIo from '../support/socket-io-server.mjs';
import * as talkers from '../support/talker.mjs';

const FILES = { ...servers.MOUNTS, ...TEST_MOUNTS };

// Servers end with the file, whatever becomes of the test that started them.
const running = [];
const kept = (start) => async (options) => {
  const server = await start(options);
  running.push(server);
  return server;
};
const classicSignalRServer = kept(classic.classicSignalRServer);
const rtcMultiConnectionServer = kept(rtcMultiConnection.rtcMultiConnectionServer);
const seedServer = kept(servers.seedServer);
const signalRServer = kept(core.signalRServer);
const socketIoServer = kept(socketIo.socketIoServer);
const talker = kept(talkers.talker);

// Whatever JSON has, and what frames are cut and packed at.
const VALUES = [
  { type: 'offer', sdp: 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n' },
  '',
  -0.5,
  false,
  null,
  [],
  { sender: 1, channel: 'decoy', message: 'decoy', H: 'x', M: [], type: 7, target: 'onMessageReceived' },
  { 'quo"te': '\\ \b\f\n\r\t \u0001 \\u001e \u001e', slash: '</script>' },
  { accents: 'Grüße, 日本語, 🦀', separators: '\u2028\u2029', lone: '\ud83e' },
  ['42["message",{}]', '{"type":1,"target":"onMessageReceived","arguments":["x"]}'],
  'é\u{1f600}"\\'.repeat(2_000),
];
const TEXTS = VALUES.map((value) => JSON.stringify(value));

let browser;
let files;
const idle = [];
before(async () => {
  [browser, files] = await Promise.all([launchChromium(), serveFiles(FILES)]);
});
after(async () => {
  await browser?.close();
  await Promise.all([files, ...running].map((server) => server?.close()));
});

/**
 * Opens a page with signal-wasm on it, and on channel `main` one signaling with the options that `source` evaluates to there. The page has `signaling`, `handle`,
 * `heard`, `states` (`state: reason`) and `errors`.
 */
async function join(source, { wait = true } = {}) {
  // A page takes a second to open, and one signaling leaves nothing behind for the next.
  let page = idle.pop();
  if (!page) {
    page = await openPage(browser, `${files.origin}/test-pages/bare.html`);
    await page.addScriptTag({ url: '/signal-wasm/global.js' });
  }
  await start(page, source);
  if (wait) await isOpen(page);
  return page;
}

async function start(page, source) {
  await page.evaluate(`{
    window.signaling?.close();
    window.asked = 0;
    window.heard = [];
    window.states = [];
    window.errors = [];
    window.signaling = new SignalWasm.Signaling({
      reconnect: { base: 50, cap: 200 },
      onstatechange: (state, { reason }) => states.push(state + ': ' + reason),
      onerror: ({ name, code, message }) => errors.push({ name, code, message }),
      ...(${typeof source === 'string' ? source : JSON.stringify(source)}),
    });
    window.handle = signaling.openSocket({ channel: 'main', onmessage: (message) => heard.push(message) });
  }`);
}

async function isOpen(page) {
  try {
    await page.waitForFunction(() => signaling.state === 'open');
  } catch (error) {
    const told = await page.evaluate(() => ({ states, errors, stats: signaling.stats() }));
    throw new Error(`not open: ${JSON.stringify(told)}`, { cause: error });
  }
}

/** Waits for the first error of a page; an error that says something is what is tested, so it must come. */
async function firstError(page) {
  try {
    await page.waitForFunction(() => errors.length > 0);
  } catch (error) {
    const told = await page.evaluate(() => ({ states: states.slice(0, 20), stats: signaling.stats() }));
    throw new Error(`no error came: ${JSON.stringify(told)}`, { cause: error });
  }
  return page.evaluate(() => errors[0]);
}

/** Opens a page of the seed. */
async function old(page, server, origin = files.origin) {
  const opened = await openPage(browser, `${origin}/test-pages/${page}.html?server=${encodeURIComponent(server)}`);
  await opened.waitForFunction(() => connected());
  return opened;
}

function send(page, texts) {
  return page.evaluate((texts) => texts.forEach((text) => handle.send(JSON.parse(text))), texts);
}

/** Sends as soon as the connection is lost: it may be back in a moment. */
function sendWhenLost(page, texts) {
  return page.evaluate((texts) => {
    signaling.onstatechange = (state) => {
      if (state !== 'waiting') return;
      signaling.onstatechange = null;
      for (const text of texts) handle.send(JSON.parse(text));
    };
  }, texts);
}

async function hears(page, texts) {
  await page.waitForFunction((count) => heard.length >= count, texts.length).catch(() => {});
  assert.deepEqual(await page.evaluate(() => heard.map((message) => JSON.stringify(message))), texts);
}

/** Both ways, every value, in order. `echo`: whether the server hands the seed's page its own messages too. */
async function converse(ours, seed, { echo = false } = {}) {
  for (const page of [ours, seed]) await page.evaluate(() => void heard.splice(0));
  await send(seed, TEXTS);
  await hears(ours, TEXTS);
  await seed.evaluate(() => void heard.splice(0));
  await ours.evaluate(() => void heard.splice(0));
  await send(ours, TEXTS);
  await hears(seed, TEXTS);
  // What the server gave back to us would have come before what it gives us now.
  await seed.evaluate(() => void heard.splice(0));
  await send(seed, ['"the end"']);
  await hears(ours, ['"the end"']);
  const { bad, own } = await ours.evaluate(() => signaling.stats());
  assert.equal(bad, 0, 'bad frames');
  assert.equal(own, echo ? TEXTS.length : 0, 'own frames');
}

/** Ends what a test did on these pages. */
async function leave(...pages) {
  await part(pages, []);
}

/** The same for pages on which Chromium itself reports requests and sockets that fail. */
async function leaveFailing(...pages) {
  await part(pages, [/^console: (Failed to load resource|WebSocket connection to|Access to fetch)/]);
}

async function part(pages, expected) {
  assertNoTroubles(pages, expected);
  for (const page of pages) {
    page.troubles.splice(0);
    if (await page.evaluate(() => ('signaling' in window ? (signaling.close(), true) : false))) idle.push(page);
    else await page.context().close();
  }
}

for (const version of [4, 2]) {
  describe(`Socket.IO, npm socket.io ${version}`, { concurrency: 3 }, () => {
    const seedPage = `seed-socketio-${version}`;

    test('beside the seed’s page: both ways, and the frames are the seed’s', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const [ours, seed] = await Promise.all([join({ url: server.url, protocol: 'socket.io' }), old(seedPage, server.url)]);
      await converse(ours, seed);
      const userid = await ours.evaluate(() => signaling.userid);
      const [sent] = server.received.filter(({ args }) => args[0].sender === userid);
      assert.equal(JSON.stringify(sent), JSON.stringify({ namespace: '/', event: 'message', args: [{ sender: userid, channel: 'main', message: VALUES[0] }] }));
      assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
      await leave(ours, seed);
    });

    test('in a namespace, and apart from the others', TIMEOUT, async () => {
      const server = await socketIoServer({ version, namespaces: ['/my-room'] });
      const [ours, seed, elsewhere] = await Promise.all([
        join({ url: server.url, protocol: 'socket.io', namespace: '/my-room' }),
        old(seedPage, `${server.url}my-room`),
        join({ url: server.url, protocol: 'socket.io' }),
      ]);
      await converse(ours, seed);
      assert.deepEqual(await elsewhere.evaluate(() => heard), []);
      await leave(ours, seed, elsewhere);
    });

    test('another path, another event, a query', TIMEOUT, async () => {
      const server = await socketIoServer({ version, path: '/deep/down/' });
      const ours = await join({ url: server.url, protocol: 'socket.io', path: '/deep/down/', event: 'signal "x"', query: { room: 'a b&c', number: 1, yes: true } });
      const { query } = server.connected[0];
      assert.deepEqual({ room: query.room, number: query.number, yes: query.yes }, { room: 'a b&c', number: '1', yes: 'true' });
      await send(ours, ['{"a":1}']);
      await until(() => server.received.length === 1);
      assert.equal(server.received[0].event, 'signal "x"');
      server.emit('message', [{ sender: 5, channel: 'main', message: 'not this one' }]);
      server.emit('signal "x"', [{ sender: 5, channel: 'main', message: 'this one' }]);
      await hears(ours, ['"this one"']);
      await leave(ours);
    });

    test('what else a server says does no harm: other events, binary ones, questions', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const ours = await join({ url: server.url, protocol: 'socket.io' });
      const envelope = (message) => ({ sender: 5, channel: 'main', message });
      server.emit('message', []);
      server.emit('chatter', [{ channel: 'main', message: 'x' }, 1, null]);
      server.emit('picture', [{ bytes: Buffer.from([0, 52, 50, 255]), more: Buffer.from('42["message",{"sender":1,"channel":"main","message":"x"}]') }]);
      server.emit('message', [envelope(1)]);
      server.emit('message', [envelope(Buffer.from([7]))]);
      // Each is answered, or `ask` waits for ever.
      await server.ask('message', [envelope(2)]);
      await server.ask('chatter', ['?']);
      server.emit('message', [envelope(3), 'a second argument']);
      await hears(ours, ['1', '2', '3']);
      assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
      await leave(ours);
    });

    test('heartbeats keep the connection', TIMEOUT, async () => {
      const server = await socketIoServer({ version, pingInterval: 100, pingTimeout: 10_000 });
      const ours = await join({ url: server.url, protocol: 'socket.io' });
      await ours.waitForFunction(() => signaling.stats().control >= 8);
      assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
      await leave(ours);
    });

    test('a lost line: what was sent meanwhile goes out in order, and both are heard again', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const [ours, seed] = await Promise.all([join({ url: server.url, protocol: 'socket.io' }), old(seedPage, server.url)]);
      await send(ours, ['"before"']);
      await hears(seed, ['"before"']);
      await sendWhenLost(ours, ['1', '2', '3']);
      server.drop();
      await until(() => server.received.length === 4);
      assert.deepEqual(server.received.map(({ args }) => args[0].message), ['before', 1, 2, 3]);
      await seed.waitForFunction(() => connected());
      await until(() => server.connections() === 2);
      await ours.evaluate(() => void heard.splice(0));
      await send(seed, ['"again"']);
      await hears(ours, ['"again"']);
      await leaveFailing(ours, seed);
    });

    test('a token that is refused is final and worded; one that is right gets in, each time it is asked for', TIMEOUT, async () => {
      const server = await socketIoServer({ version, token: 'right' });
      const refused = await join({ url: server.url, protocol: 'socket.io', auth: { token: 'wrong' } }, { wait: false });
      const error = await firstError(refused);
      assert.equal(error.code, 'authentication-refused');
      assert.match(error.message, /not authorized/);
      await refused.waitForFunction(() => signaling.state === 'closed');

      const admitted = await join(`{ url: ${JSON.stringify(server.url)}, protocol: 'socket.io', auth: async () => { asked += 1; return { token: 'right' }; } }`);
      server.drop();
      await admitted.waitForFunction(() => signaling.stats().connects === 2);
      assert.ok((await admitted.evaluate(() => asked)) >= 2);
      await leaveFailing(refused, admitted);
    });

    test('a refused token is asked for again, and only the same one again is final', TIMEOUT, async () => {
      const server = await socketIoServer({ version, token: 'right' });
      const source = (tokens) => `{ url: ${JSON.stringify(server.url)}, protocol: 'socket.io', auth: () => { asked += 1; const tokens = ${JSON.stringify(tokens)}; return { token: tokens[Math.min(asked, tokens.length) - 1] }; } }`;
      const late = await join(source(['wrong', 'still wrong', 'right']));
      assert.deepEqual(await late.evaluate(() => errors), []);
      const never = await join(source(['wrong']), { wait: false });
      assert.equal((await firstError(never)).code, 'authentication-refused');
      await never.waitForFunction(() => signaling.state === 'closed');
      assert.equal(await never.evaluate(() => errors.length), 1);
      await leaveFailing(late, never);
    });

    test('an unknown namespace is named, with the option', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const ours = await join({ url: server.url, protocol: 'socket.io', namespace: '/nope' }, { wait: false });
      const error = await firstError(ours);
      assert.equal(error.code, 'connection-failed');
      assert.match(error.message, /\/nope/);
      assert.match(error.message, /namespace/);
      await leaveFailing(ours);
    });

    test('sent away by the server, a page doesn’t come back, and is told', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const ours = await join({ url: server.url, protocol: 'socket.io' });
      server.disconnect();
      const error = await firstError(ours);
      assert.equal(error.code, 'connection-failed');
      assert.match(error.message, /disconnected/);
      assert.equal(await ours.evaluate(() => signaling.state), 'closed');
      await leave(ours);
    });

    test('close() is heard by the server', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const ours = await join({ url: server.url, protocol: 'socket.io' });
      await until(() => server.connections() === 1);
      await ours.evaluate(() => signaling.close());
      await until(() => server.connections() === 0);
      await leave(ours);
    });
  });
}

describe('Socket.IO, other servers', { concurrency: 3 }, () => {
  test('version 4 with recovery: the offset behind each event is nobody’s', TIMEOUT, async () => {
    const server = await socketIoServer({ recovery: true });
    const [ours, seed] = await Promise.all([join({ url: server.url, protocol: 'socket.io' }), old('seed-socketio-4', server.url)]);
    await converse(ours, seed);
    await leave(ours, seed);
  });

  test('version 4 that takes clients of version 2: all three in one room', TIMEOUT, async () => {
    const server = await socketIoServer({ allowEIO3: true });
    const [ours, seed, older] = await Promise.all([join({ url: server.url, protocol: 'socket.io' }), old('seed-socketio-4', server.url), old('seed-socketio-2', server.url)]);
    await converse(ours, seed);
    await converse(ours, older);
    await leave(ours, seed, older);
  });

  test('rtcmulticonnection-server, asked to relay the event in its query', TIMEOUT, async () => {
    const server = await rtcMultiConnectionServer();
    const options = { url: server.url, protocol: 'socket.io', query: { socketCustomEvent: 'message' } };
    const [one, other] = await Promise.all([join(options), join(options)]);
    await converse(one, other);
    await converse(other, one);
    await leave(one, other);
  });
});

describe('Engine.IO, what real servers do only sometimes', { concurrency: 3 }, () => {
  const { engineOpen } = talkers;
  const CONNECTED = [/^40$/, '40{"sid":"b"}'];

  for (const [version, greeting, replies] of [
    [4, engineOpen({ pingInterval: 100, pingTimeout: 100 }), [CONNECTED]],
    [3, engineOpen({ pingInterval: 100, pingTimeout: 100, maxPayload: undefined }), []],
  ]) {
    test(`version ${version}: a server that falls silent is left, and tried again`, TIMEOUT, async () => {
      const server = await talker({ greeting, replies });
      const ours = await join({ url: server.url, protocol: 'socket.io' }, { wait: false });
      if (version === 3) {
        await until(() => server.connections() === 1);
        server.raw('40');
      }
      await ours.waitForFunction(() => states.some((line) => /^waiting: .*silent/.test(line)));
      await until(() => server.requests.length >= 2);
      // A server of version 3 is asked for heartbeats, one of version 4 asks for them.
      assert.equal(server.received.includes('2'), version === 3);
      await leaveFailing(ours);
    });
  }

  test('a server of Socket.IO 3 says no maxPayload, and waits for us', TIMEOUT, async () => {
    const server = await talker({ greeting: engineOpen({ maxPayload: undefined }), replies: [CONNECTED] });
    const ours = await join({ url: server.url, protocol: 'socket.io' });
    await send(ours, ['1']);
    await until(() => server.received.length === 2);
    assert.deepEqual(server.received, ['40', `42["message",{"sender":${await ours.evaluate(() => signaling.userid)},"channel":"main","message":1}]`]);
    await leave(ours);
  });

  test('a server that breaks off at Engine.IO 4 is asked for 3', TIMEOUT, async () => {
    const server = await talker({ greeting: engineOpen({ maxPayload: undefined }), takes: (url) => url.searchParams.get('EIO') === '3' });
    const ours = await join({ url: server.url, protocol: 'socket.io' }, { wait: false });
    await until(() => server.connections() === 1);
    server.raw('40');
    await isOpen(ours);
    assert.deepEqual(server.requests.map((url) => new URL(url, 'http://x').searchParams.get('EIO')), ['4', '3']);
    await leaveFailing(ours);
  });
});

describe('whatever the protocol', { concurrency: 3 }, () => {
  const SERVERS = {
    'socket.io': [() => socketIoServer(), 'auth', `{ token: 'x' }`],
    signalr: [() => signalRServer(), 'accessToken', `'x'`],
    'signalr-classic': [() => classicSignalRServer(), 'accessToken', `'x'`],
  };
  for (const [protocol, [makeServer, option, value]] of Object.entries(SERVERS)) {
    test(`${protocol}: closed at any moment, a signaling stays closed, and the server is left`, TIMEOUT, async () => {
      const server = await makeServer();
      const ours = await join({ url: server.url, protocol });
      const late = await ours.evaluate(
        async ([url, protocol]) => {
          const late = [];
          for (let delay = 0; delay < 60; delay += 2) {
            const one = new SignalWasm.Signaling({ url, protocol, onerror: ({ message }) => late.push(message) });
            one.openSocket({ channel: 'main', onmessage: (message) => late.push(message) }).send('early');
            if (delay) await new Promise((done) => setTimeout(done, delay));
            one.close();
            one.onstatechange = (state) => late.push(state);
          }
          signaling.close();
          return late;
        },
        [server.url, protocol],
      );
      assert.deepEqual(late, []);
      await until(() => server.connections() === 0);
      await leaveFailing(ours);
    });

    test(`${protocol}: a provider of a token that fails is asked again`, TIMEOUT, async () => {
      const server = await makeServer();
      const ours = await join(`{ url: ${JSON.stringify(server.url)}, protocol: '${protocol}', ${option}: () => {
        asked += 1;
        if (asked === 1) throw new Error('no login yet');
        return asked === 2 ? Promise.reject(new Error('no network')) : new Promise((done) => setTimeout(done, 50, ${value}));
      } }`);
      const states = await ours.evaluate(() => window.states);
      assert.ok(states.some((line) => line.startsWith('waiting: ') && line.includes('no login yet')), states.join('\n'));
      assert.ok(states.some((line) => line.startsWith('waiting: ') && line.includes('no network')), states.join('\n'));
      assert.equal(await ours.evaluate(() => asked), 3);
      await leave(ours);
    });

    test(`${protocol}: an address with a query of its own`, TIMEOUT, async () => {
      const server = await makeServer();
      const ours = await join({ url: `${server.url}?mine=a%20b`, protocol, query: { yours: 1 } });
      const queries = protocol === 'socket.io' ? server.connected.map(({ query }) => query) : server.requests.map(({ url }) => Object.fromEntries(new URL(url, 'http://x').searchParams));
      assert.ok(queries.length > 0);
      for (const { mine, yours } of queries) assert.deepEqual({ mine, yours }, { mine: 'a b', yours: '1' });
      await leave(ours);
    });
  }
});

/** What the two kinds of SignalR have in common. `options` are those that fit a server, `seedPage` opens the seed's page on it. */
function signalR(kind, { makeServer, options, seedPage, wrongMethod }) {
  test('beside the seed’s page: both ways, and the hub’s echo is nobody’s', TIMEOUT, async () => {
    const server = await makeServer();
    const [ours, seed] = await Promise.all([join(options(server)), seedPage(server)]);
    await converse(ours, seed, { echo: true });
    const userid = await ours.evaluate(() => signaling.userid);
    const [sent] = server.received.filter((text) => text.includes(userid));
    assert.equal(sent, JSON.stringify({ sender: userid, channel: 'main', message: VALUES[0] }));
    await leave(ours, seed);
  });

  test('two of ours: what the hub hands to all reaches the other once', TIMEOUT, async () => {
    const server = await makeServer();
    const [one, other] = await Promise.all([join(options(server)), join(options(server))]);
    await converse(one, other, { echo: true });
    await converse(other, one, { echo: true }).catch((error) => {
      // The counter of own frames counts both times.
      if (!/own frames/.test(error.message)) throw error;
    });
    await leave(one, other);
  });

  test('several messages in one frame', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    server.pack = true;
    const texts = [JSON.stringify({ message: 'no sender', channel: 'main' }), ...VALUES.map((message) => JSON.stringify({ sender: 5, channel: 'main', message })), JSON.stringify({ sender: 5, channel: 'other', message: 'x' })];
    for (const text of texts) server.call('onMessageReceived', text);
    server.call('somethingElse', 1, null);
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 'last' }));
    server.pack = false;
    server.flush();
    await hears(ours, ['"no sender"', ...TEXTS, '"last"']);
    const { bad, foreign, delivered } = await ours.evaluate(() => signaling.stats());
    assert.deepEqual({ bad, foreign, delivered }, { bad: 0, foreign: 1, delivered: TEXTS.length + 2 });
    await leave(ours);
  });

  test('arguments that are no envelopes are counted as bad, and the next is heard', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    const none = ['', 'not JSON', '[]', 'null', '"text"', '{"message":1}', JSON.stringify('{"sender":5,"channel":"main","message":1}')];
    for (const text of none) server.call('onMessageReceived', text);
    server.call('onMessageReceived');
    server.call('onMessageReceived', 7, 'more');
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 'next' }));
    await hears(ours, ['"next"']);
    assert.deepEqual(await ours.evaluate(() => errors.map(({ code }) => code)), ['bad-frame']);
    assert.equal(await ours.evaluate(() => signaling.stats().delivered), 1);
    assert.equal(await ours.evaluate(() => signaling.state), 'open');
    await leave(ours);
  });

  test('a method that isn’t there, and one that throws: the message is refused, in the server’s words', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join({ ...options(server), method: 'Nope' });
    await send(ours, ['1']);
    const error = await firstError(ours);
    assert.equal(error.code, 'message-refused');
    assert.match(error.message, wrongMethod);
    assert.match(error.message, /method/);
    assert.equal(await ours.evaluate(() => signaling.state), 'open');
    await ours.evaluate(() => signaling.close());
    const other = await join({ ...options(server), method: 'Refuse' });
    await send(other, ['1', '2']);
    await other.waitForFunction(() => errors.length === 2);
    for (const { code, message } of await other.evaluate(() => errors)) {
      assert.equal(code, 'message-refused');
      assert.match(message, /not on this hub/);
    }
    await leave(ours, other);
  });

  test('another target and another method, in whatever capitals the hub has them', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join({ ...options(server), target: 'elsewhere', method: 'send' });
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 'not this one' }));
    server.call('elsewhere', JSON.stringify({ sender: 5, channel: 'main', message: 'this one' }));
    await hears(ours, ['"this one"']);
    await leave(ours);
  });

  test('a lost line: what was sent meanwhile goes out in order', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    await send(ours, ['"before"']);
    await until(() => server.received.length === 1);
    await sendWhenLost(ours, ['1', '2', '3']);
    server.drop();
    await until(() => server.received.length === 4);
    assert.deepEqual(server.received.map((text) => JSON.parse(text).message), ['before', 1, 2, 3]);
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 'again' }));
    await hears(ours, ['"again"']);
    await leaveFailing(ours);
  });

  test('HTML instead of a negotiation says so, and names the option', TIMEOUT, async () => {
    const server = await makeServer();
    for (const negotiation of [
      { type: 'text/html', body: '<!doctype html><title>hello</title>' },
      { status: 404, type: 'text/html', body: '<!doctype html><title>not found</title>' },
    ]) {
      server.negotiation = negotiation;
      const ours = await join(options(server), { wait: false });
      const error = await firstError(ours);
      assert.equal(error.code, 'connection-failed');
      assert.match(error.message, /HTML|html|HTTP status/);
      assert.match(error.message, /option url/);
      assert.equal(await ours.evaluate(() => signaling.state), 'closed');
      await leaveFailing(ours);
    }
  });

  test('frames that are nothing like it do no harm', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    for (const text of ['', ' ', '{', '[]', 'null', '"x"', '7', '{}', '{"type":1}', '{"type":1,"target":"onMessageReceived"}', '{"M":{}}', '{"M":[1,null,{"H":1}]}', '{"I":"99"}', 'x'.repeat(2000)]) {
      server.raw(kind === 'signalr' ? `${text}\x1e` : text);
    }
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 'next' }));
    await hears(ours, ['"next"']);
    await leave(ours);
  });

  test('401 is final for one token; a provider is asked again, until it gives the same', TIMEOUT, async () => {
    const server = await makeServer({ token: 'right' });
    const source = (tokens) => `{ ...${JSON.stringify(options(server))}, accessToken: async () => { asked += 1; const tokens = ${JSON.stringify(tokens)}; return tokens[Math.min(asked, tokens.length) - 1]; } }`;
    for (const wrong of [options(server), { ...options(server), accessToken: 'wrong' }, source(['wrong'])]) {
      const refused = await join(wrong, { wait: false });
      const error = await firstError(refused);
      assert.equal(error.code, 'authentication-refused');
      assert.match(error.message, /401/);
      await refused.waitForFunction(() => signaling.state === 'closed');
      assert.equal(await refused.evaluate(() => errors.length), 1);
      await leaveFailing(refused);
    }
    const late = await join(source(['wrong', 'other', 'right']));
    assert.deepEqual(await late.evaluate(() => errors), []);
    assert.equal(await late.evaluate(() => asked), 3);
    const admitted = await join({ ...options(server), accessToken: 'right' });
    await leaveFailing(late, admitted);
  });

  test('negotiation sends us elsewhere, with a token', TIMEOUT, async () => {
    const server = await makeServer();
    server.redirect = true;
    const ours = await join(options(server));
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    assert.ok(server.requests.some(({ method, url, token }) => method === 'WebSocket' && url.startsWith('/elsewhere/') && token === 'granted-by-redirect'));
    await leave(ours);
  });

  test('signs of life from the server', TIMEOUT, async () => {
    const server = await makeServer({ keepAlive: kind === 'signalr' ? 50 : 0.5 });
    const ours = await join(options(server));
    await ours.waitForFunction(() => signaling.stats().control >= 6);
    assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
    await leave(ours);
  });
}

describe('ASP.NET Core SignalR, the scripted server', { concurrency: 3 }, () => {
  const options = (server) => ({ url: server.url, protocol: 'signalr' });
  signalR('signalr', {
    makeServer: signalRServer,
    options,
    seedPage: (server) => old('seed-signalr-core', server.url),
    wrongMethod: /Unknown hub method 'Nope'/,
  });

  for (const size of [1, 7, 100]) {
    test(`records over frames of ${size} characters`, TIMEOUT, async () => {
      const server = await signalRServer();
      server.split = size;
      const ours = await join(options(server));
      const values = size === 1 ? VALUES.slice(0, -1) : VALUES;
      for (const message of values) server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message }));
      await hears(ours, values.map((value) => JSON.stringify(value)));
      await send(ours, ['1', '2']);
      await until(() => server.received.length === 2);
      assert.deepEqual(await ours.evaluate(() => ({ bad: signaling.stats().bad, errors })), { bad: 0, errors: [] });
      await leave(ours);
    });
  }

  test('without negotiation, with a token', TIMEOUT, async () => {
    const server = await signalRServer({ token: 'right' });
    const ours = await join({ ...options(server), skipNegotiation: true, accessToken: 'right' });
    assert.deepEqual(server.requests.map(({ method, token }) => [method, token]), [['WebSocket', 'right']]);
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    await leave(ours);
  });

  test('a query of the page’s goes with each address', TIMEOUT, async () => {
    const server = await signalRServer();
    const ours = await join({ ...options(server), query: { room: 'a b&c' } });
    for (const { url } of server.requests) assert.equal(new URL(url, 'http://x').searchParams.get('room'), 'a b&c');
    assert.equal(server.requests.length, 2);
    await leave(ours);
  });

  test('what the server asks is answered', TIMEOUT, async () => {
    const server = await signalRServer();
    const ours = await join(options(server));
    const [answer] = await server.ask('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 1 }));
    assert.deepEqual(Object.keys(answer).sort(), ['invocationId', 'result', 'type']);
    const [none] = await server.ask('somethingElse', 1);
    assert.equal(typeof none.error, 'string');
    await hears(ours, ['1']);
    await leave(ours);
  });

  test('Close: with allowReconnect we come back, without it is final and worded', TIMEOUT, async () => {
    const server = await signalRServer();
    const ours = await join(options(server));
    server.dismiss({ error: 'away', allowReconnect: true });
    await ours.waitForFunction(() => signaling.stats().connects === 2);
    await until(() => server.connections() === 1);
    server.dismiss({ error: 'gone fishing' });
    const error = await firstError(ours);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /gone fishing/);
    assert.equal(await ours.evaluate(() => signaling.state), 'closed');
    await leave(ours);
  });

  test('a refused handshake and an error of negotiation are worded', TIMEOUT, async () => {
    const server = await signalRServer();
    server.handshakeError = "The protocol 'json' is not supported.";
    const ours = await join(options(server), { wait: false });
    const error = await firstError(ours);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /The protocol 'json' is not supported/);
    server.handshakeError = undefined;
    server.negotiation = { body: { error: 'come back tomorrow' } };
    await start(ours, options(server));
    await ours.waitForFunction(() => states.some((line) => line.includes('come back tomorrow')));
    await leaveFailing(ours);
  });
});

describe('ASP.NET SignalR 2, the scripted server', { concurrency: 3 }, () => {
  const options = (server) => ({ url: server.url, protocol: 'signalr-classic' });
  const makeServer = (more) => classicSignalRServer({ files: FILES, ...more });
  signalR('signalr-classic', {
    makeServer,
    options,
    seedPage: (server) => old('seed-signalr-classic', '', server.origin),
    wrongMethod: /Nope/,
  });

  test('a reconnect goes on from the last message, and misses none', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    const envelope = (message) => JSON.stringify({ sender: 5, channel: 'main', message });
    server.call('onMessageReceived', envelope(1));
    await hears(ours, ['1']);
    server.requests.length = 0;
    await server.end();
    server.call('onMessageReceived', envelope(2));
    server.call('onMessageReceived', envelope(3));
    await hears(ours, ['1', '2', '3']);
    assert.deepEqual(server.requests.map(({ url }) => url.split('?')[0]), ['/signalr/reconnect']);
    assert.match(new URL(server.requests[0].url, 'http://x').searchParams.get('messageId'), /^d-.*\|C,1\|/);
    await leave(ours);
  });

  test('a server that has forgotten us is negotiated with anew', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    server.call('onMessageReceived', JSON.stringify({ sender: 5, channel: 'main', message: 1 }));
    await hears(ours, ['1']);
    server.forget();
    await ours.waitForFunction(() => signaling.stats().connects === 2);
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    await leaveFailing(ours);
  });

  test('silence beyond the keep-alive is a loss', TIMEOUT, async () => {
    const server = await makeServer({ keepAlive: 0.5 });
    const ours = await join(options(server));
    server.silent = true;
    await ours.waitForFunction(() => states.some((line) => /^waiting: .*silent/.test(line)));
    server.silent = false;
    await isOpen(ours);
    await leaveFailing(ours);
  });

  test('an unknown hub is named, with the option', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join({ ...options(server), hub: 'other' }, { wait: false });
    const error = await firstError(ours);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /other/);
    assert.match(error.message, /option hub/);
    await leaveFailing(ours);
  });

  test('close() aborts the connection on the server', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    await ours.evaluate(() => signaling.close());
    await until(() => server.requests.some(({ method, url }) => method === 'POST' && url.startsWith('/signalr/abort?')));
    await leave(ours);
  });

  test('an error that the server ends the connection with is worded', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    server.raw('{"E":"the end of it"}');
    const error = await firstError(ours);
    assert.match(error.message, /the end of it/);
    await leaveFailing(ours);
  });
});

describe('a server that speaks something else says what it is, and which option would fit', { concurrency: 3 }, () => {
  // Where each server is, and what the page tries; the error must name what would do.
  const MISMATCHES = [
    ['Socket.IO 4 behind websocket', () => socketIoServer(), (server) => ({ url: `${server.origin}/socket.io/?EIO=4&transport=websocket`, protocol: 'websocket' }), /Engine\.IO|Socket\.IO/, /'socket\.io'/],
    ['Socket.IO 2 behind websocket', () => socketIoServer({ version: 2 }), (server) => ({ url: `${server.origin}/socket.io/?EIO=3&transport=websocket`, protocol: 'websocket' }), /Engine\.IO|Socket\.IO/, /'socket\.io'/],
    ['a plain WebSocket server behind socket.io', () => seedServer({ greeting: '{"sender":1,"channel":"main","message":1}' }), (server) => ({ url: server.url, protocol: 'socket.io' }), /Engine\.IO/, /'websocket'/],
    ['SignalR 2 behind signalr', () => classicSignalRServer(), (server) => ({ url: server.url, protocol: 'signalr' }), /SignalR 2/, /'signalr-classic'/],
    ['SignalR Core behind signalr-classic', () => signalRServer(), (server) => ({ url: server.url, protocol: 'signalr-classic' }), /HTTP status 405/, /option (url|protocol)/],
    ['Socket.IO 4 behind signalr', () => socketIoServer({ files: {} }), (server) => ({ url: `${server.origin}/socket.io/`, protocol: 'signalr' }), /HTTP status 400/, /option (url|protocol)/],
    ['files behind signalr', () => files, (server) => ({ url: `${server.origin}/hub`, protocol: 'signalr' }), /HTTP status 404/, /option url/],
    ['files behind signalr-classic', () => files, (server) => ({ url: `${server.origin}/signalr`, protocol: 'signalr-classic' }), /HTTP status 404/, /option url/],
  ];
  for (const [name, makeServer, options, met, way] of MISMATCHES) {
    test(name, TIMEOUT, async () => {
      const server = await makeServer();
      const ours = await join(options(server), { wait: false });
      const { message } = await firstError(ours);
      assert.match(message, met);
      assert.match(message, way);
      await leaveFailing(ours);
    });
  }
});
