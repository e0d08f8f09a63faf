// signal-wasm on real Socket.IO servers, beside the seed's page, and when things go wrong.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deadline, TIMEOUT, until } from '../support/deadline.mjs';
import {
  converse,
  firstError,
  hears,
  isOpen,
  join,
  leave,
  leaveFailing,
  old,
  rtcMultiConnectionServer,
  send,
  sendWhenLost,
  setUp,
  socketIoServer,
  talker,
  tearDown,
  VALUES,
} from '../support/protocol-pages.mjs';
import { engineOpen } from '../support/talker.mjs';

/* global asked, connected, errors, heard, signaling, states -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

for (const version of [4, 2]) {
  describe(`Socket.IO, npm socket.io ${version}`, { concurrency: 3 }, () => {
    const seedPage = `seed-socketio-${version}`;

    test('beside the seed’s page: both ways, and the frames are the seed’s', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const [ours, seed] = await Promise.all([
        join({ url: server.url, protocol: 'socket.io' }),
        old(seedPage, server.url),
      ]);
      await converse(ours, seed);
      const userid = await ours.evaluate(() => signaling.userid);
      const [sent] = server.received.filter(({ args }) => args[0].sender === userid);
      assert.equal(
        JSON.stringify(sent),
        JSON.stringify({
          namespace: '/',
          event: 'message',
          args: [{ sender: userid, channel: 'main', message: VALUES[0] }],
        }),
      );
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
      const ours = await join({
        url: server.url,
        protocol: 'socket.io',
        path: '/deep/down/',
        event: 'signal "x"',
        query: { room: 'a b&c', number: 1, yes: true },
      });
      const { query } = server.connected[0];
      assert.deepEqual(
        { room: query.room, number: query.number, yes: query.yes },
        { room: 'a b&c', number: '1', yes: 'true' },
      );
      await send(ours, ['{"a":1}']);
      await until(() => server.received.length === 1);
      assert.equal(server.received[0].event, 'signal "x"');
      server.emit('message', [{ sender: 5, channel: 'main', message: 'not this one' }]);
      server.emit('signal "x"', [{ sender: 5, channel: 'main', message: 'this one' }]);
      await hears(ours, ['"this one"']);
      await leave(ours);
    });

    for (const path of ['/api/socket.io', './api/socket.io', 'api/socket.io/'])
      test(`the path '${path}'`, TIMEOUT, async () => {
        const server = await socketIoServer({ version, path: '/api/socket.io' });
        const ours = await join({ url: server.url, protocol: 'socket.io', path });
        await send(ours, ['1']);
        await until(() => server.received.length === 1);
        await leave(ours);
      });

    // A server of version 2 replaces spaces in a namespace, and then no client finds it.
    for (const namespace of ['/Räume', '/漢字/🦀', ...(version === 4 ? ['/my room'] : [])])
      test(`the namespace '${namespace}' in the address`, TIMEOUT, async () => {
        const server = await socketIoServer({ version, namespaces: [namespace] });
        const url = `${server.origin}${namespace}`;
        const [ours, seed] = await Promise.all([
          join({ url, protocol: 'socket.io' }),
          old(seedPage, url),
        ]);
        await converse(ours, seed);
        await leave(ours, seed);
      });

    test(
      'what else a server says does no harm: other events, binary ones, questions',
      TIMEOUT,
      async () => {
        const server = await socketIoServer({ version });
        const ours = await join({ url: server.url, protocol: 'socket.io' });
        const envelope = (message) => ({ sender: 5, channel: 'main', message });
        server.emit('message', []);
        server.emit('chatter', [{ channel: 'main', message: 'x' }, 1, null]);
        server.emit('picture', [
          {
            bytes: Buffer.from([0, 52, 50, 255]),
            more: Buffer.from('42["message",{"sender":1,"channel":"main","message":"x"}]'),
          },
        ]);
        server.emit('message', [envelope(1)]);
        server.emit('message', [envelope(Buffer.from([7]))]);
        // Each is answered, or `ask` waits for ever.
        await server.ask('message', [envelope(2)]);
        await server.ask('chatter', ['?']);
        server.emit('message', [envelope(3), 'a second argument']);
        await hears(ours, ['1', '2', '3']);
        assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
        await leave(ours);
      },
    );

    test('heartbeats keep the connection', TIMEOUT, async () => {
      const server = await socketIoServer({ version, pingInterval: 100, pingTimeout: deadline(10_000) });
      const ours = await join({ url: server.url, protocol: 'socket.io' });
      await ours.waitForFunction(() => signaling.stats().control >= 8);
      assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
      await leave(ours);
    });

    test(
      'a lost line: what was sent meanwhile goes out in order, and both are heard again',
      TIMEOUT,
      async () => {
        const server = await socketIoServer({ version });
        const [ours, seed] = await Promise.all([
          join({ url: server.url, protocol: 'socket.io' }),
          old(seedPage, server.url),
        ]);
        await send(ours, ['"before"']);
        await hears(seed, ['"before"']);
        await sendWhenLost(ours, ['1', '2', '3']);
        server.drop();
        await until(() => server.received.length === 4);
        assert.deepEqual(
          server.received.map(({ args }) => args[0].message),
          ['before', 1, 2, 3],
        );
        await seed.waitForFunction(() => connected());
        await until(() => server.connections() === 2);
        await ours.evaluate(() => void heard.splice(0));
        await send(seed, ['"again"']);
        await hears(ours, ['"again"']);
        await leaveFailing(ours, seed);
      },
    );

    test(
      'a token that is refused is final and worded; one that is right gets in, each time it is asked for',
      TIMEOUT,
      async () => {
        const server = await socketIoServer({ version, token: 'right' });
        const refused = await join(
          { url: server.url, protocol: 'socket.io', auth: { token: 'wrong' } },
          { wait: false },
        );
        const error = await firstError(refused);
        assert.equal(error.code, 'authentication-refused');
        assert.match(error.message, /not authorized/);
        await refused.waitForFunction(() => signaling.state === 'closed');

        const admitted = await join(
          `{ url: ${JSON.stringify(server.url)}, protocol: 'socket.io', auth: async () => { asked += 1; return { token: 'right' }; } }`,
        );
        server.drop();
        await admitted.waitForFunction(() => signaling.stats().connects === 2);
        assert.ok((await admitted.evaluate(() => asked)) >= 2);
        await leaveFailing(refused, admitted);
      },
    );

    test(
      'a refused token is asked for again, and only the same one again is final',
      TIMEOUT,
      async () => {
        const server = await socketIoServer({ version, token: 'right' });
        const source = (tokens) =>
          `{ url: ${JSON.stringify(server.url)}, protocol: 'socket.io', auth: () => { asked += 1; const tokens = ${JSON.stringify(tokens)}; return { token: tokens[Math.min(asked, tokens.length) - 1] }; } }`;
        const late = await join(source(['wrong', 'still wrong', 'right']));
        assert.deepEqual(await late.evaluate(() => errors), []);
        const never = await join(source(['wrong']), { wait: false });
        assert.equal((await firstError(never)).code, 'authentication-refused');
        await never.waitForFunction(() => signaling.state === 'closed');
        assert.equal(await never.evaluate(() => errors.length), 1);
        await leaveFailing(late, never);
      },
    );

    test('an unknown namespace is named, with the option', TIMEOUT, async () => {
      const server = await socketIoServer({ version });
      const ours = await join(
        { url: server.url, protocol: 'socket.io', namespace: '/nope' },
        { wait: false },
      );
      const error = await firstError(ours);
      assert.equal(error.code, 'connection-failed');
      assert.match(error.message, /\/nope/);
      assert.match(error.message, /namespace/);
      await leaveFailing(ours);
    });

    test('sent away by the server, a page doesn’t come back, and learns why', TIMEOUT, async () => {
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
    const [ours, seed] = await Promise.all([
      join({ url: server.url, protocol: 'socket.io' }),
      old('seed-socketio-4', server.url),
    ]);
    await converse(ours, seed);
    await leave(ours, seed);
  });

  test('version 4 that takes clients of version 2: all three in one room', TIMEOUT, async () => {
    const server = await socketIoServer({ allowEIO3: true });
    const [ours, seed, older] = await Promise.all([
      join({ url: server.url, protocol: 'socket.io' }),
      old('seed-socketio-4', server.url),
      old('seed-socketio-2', server.url),
    ]);
    await converse(ours, seed);
    await converse(ours, older);
    await leave(ours, seed, older);
  });

  test('rtcmulticonnection-server, asked to relay the event in its query', TIMEOUT, async () => {
    const server = await rtcMultiConnectionServer();
    const options = {
      url: server.url,
      protocol: 'socket.io',
      query: { socketCustomEvent: 'message' },
    };
    const [one, other] = await Promise.all([join(options), join(options)]);
    await converse(one, other);
    await converse(other, one);
    await leave(one, other);
  });
});

describe('Engine.IO, what real servers do only sometimes', { concurrency: 3 }, () => {
  const CONNECTED = [/^40$/, '40{"sid":"b"}'];

  // A second for the answer: a page that load holds up asks for a heartbeat before it gives up.
  const TIMES = { pingInterval: 100, pingTimeout: 1000 };
  for (const [version, greeting, replies] of [
    [4, [engineOpen(TIMES)], [CONNECTED]],
    [3, [engineOpen({ ...TIMES, maxPayload: undefined }), '40'], []],
  ]) {
    test(
      `version ${version}: a server that falls silent is left, and tried again`,
      TIMEOUT,
      async () => {
        const server = await talker({ greeting, replies });
        const ours = await join({ url: server.url, protocol: 'socket.io' }, { wait: false });
        await ours.waitForFunction(() => states.some((line) => /^waiting: .*silent/.test(line)));
        await until(() => server.requests.length >= 2);
        // A server of version 3 is asked for heartbeats, one of version 4 asks for them.
        assert.equal(server.received.includes('2'), version === 3);
        await leaveFailing(ours);
      },
    );
  }

  test('a server of Socket.IO 3 says no maxPayload, and waits for us', TIMEOUT, async () => {
    const server = await talker({
      greeting: [engineOpen({ maxPayload: undefined })],
      replies: [CONNECTED],
    });
    const ours = await join({ url: server.url, protocol: 'socket.io' });
    await send(ours, ['1']);
    await until(() => server.received.length === 2);
    assert.deepEqual(server.received, [
      '40',
      `42["message",{"sender":${await ours.evaluate(() => signaling.userid)},"channel":"main","message":1}]`,
    ]);
    await leave(ours);
  });

  test('a server that breaks off at Engine.IO 4 is asked for 3', TIMEOUT, async () => {
    const server = await talker({
      greeting: [engineOpen({ maxPayload: undefined }), '40'],
      takes: (url) => url.searchParams.get('EIO') === '3',
    });
    const ours = await join({ url: server.url, protocol: 'socket.io' }, { wait: false });
    await isOpen(ours);
    assert.deepEqual(
      server.requests.map((url) => new URL(url, 'http://x').searchParams.get('EIO')),
      ['4', '3'],
    );
    await leaveFailing(ours);
  });
});
