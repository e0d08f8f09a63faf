// The tests that both kinds of SignalR have in common.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadline, TIMEOUT, until } from '../support/deadline.mjs';
import {
  converse,
  firstError,
  hears,
  join,
  leave,
  leaveFailing,
  send,
  sendWhenLost,
  TEXTS,
  VALUES,
} from '../support/protocol-pages.mjs';

/* global asked, errors, signaling -- of the pages */

/**
 * What the two kinds of SignalR have in common. `options` are those that fit a server, `seedPage`
 * opens the seed's page on it.
 */
export function signalR(kind, { makeServer, options, seedPage, wrongMethod }) {
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
    const texts = [
      JSON.stringify({ message: 'no sender', channel: 'main' }),
      ...VALUES.map((message) => JSON.stringify({ sender: 5, channel: 'main', message })),
      JSON.stringify({ sender: 5, channel: 'other', message: 'x' }),
    ];
    for (const text of texts) server.call('onMessageReceived', text);
    server.call('somethingElse', 1, null);
    server.call(
      'onMessageReceived',
      JSON.stringify({ sender: 5, channel: 'main', message: 'last' }),
    );
    server.pack = false;
    server.flush();
    await hears(ours, ['"no sender"', ...TEXTS, '"last"']);
    const { bad, foreign, delivered } = await ours.evaluate(() => signaling.stats());
    assert.deepEqual(
      { bad, foreign, delivered },
      { bad: 0, foreign: 1, delivered: TEXTS.length + 2 },
    );
    await leave(ours);
  });

  test(
    'arguments that are no envelopes are counted as bad, and the next is heard',
    TIMEOUT,
    async () => {
      const server = await makeServer();
      const ours = await join(options(server));
      const none = [
        '',
        'not JSON',
        '[]',
        'null',
        '"text"',
        '{"message":1}',
        JSON.stringify('{"sender":5,"channel":"main","message":1}'),
      ];
      for (const text of none) server.call('onMessageReceived', text);
      server.call('onMessageReceived');
      server.call('onMessageReceived', 7, 'more');
      server.call(
        'onMessageReceived',
        JSON.stringify({ sender: 5, channel: 'main', message: 'next' }),
      );
      await hears(ours, ['"next"']);
      assert.deepEqual(await ours.evaluate(() => errors.map(({ code }) => code)), ['bad-frame']);
      assert.equal(await ours.evaluate(() => signaling.stats().delivered), 1);
      assert.equal(await ours.evaluate(() => signaling.state), 'open');
      await leave(ours);
    },
  );

  test(
    'a method that isn’t there, and one that throws: the message is refused, in the server’s words',
    TIMEOUT,
    async () => {
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
    },
  );

  test(
    'another target and another method, in whatever capitals the hub has them',
    TIMEOUT,
    async () => {
      const server = await makeServer();
      const ours = await join({ ...options(server), target: 'elsewhere', method: 'send' });
      await send(ours, ['1']);
      await until(() => server.received.length === 1);
      server.call(
        'onMessageReceived',
        JSON.stringify({ sender: 5, channel: 'main', message: 'not this one' }),
      );
      server.call('elsewhere', JSON.stringify({ sender: 5, channel: 'main', message: 'this one' }));
      await hears(ours, ['"this one"']);
      await leave(ours);
    },
  );

  test('a lost line: what was sent meanwhile goes out in order', TIMEOUT, async () => {
    const server = await makeServer();
    const ours = await join(options(server));
    await send(ours, ['"before"']);
    await until(() => server.received.length === 1);
    await sendWhenLost(ours, ['1', '2', '3']);
    server.drop();
    await until(() => server.received.length === 4);
    assert.deepEqual(
      server.received.map((text) => JSON.parse(text).message),
      ['before', 1, 2, 3],
    );
    server.call(
      'onMessageReceived',
      JSON.stringify({ sender: 5, channel: 'main', message: 'again' }),
    );
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
    for (const text of [
      '',
      ' ',
      '{',
      '[]',
      'null',
      '"x"',
      '7',
      '{}',
      '{"type":1}',
      '{"type":1,"target":"onMessageReceived"}',
      '{"M":{}}',
      '{"M":[1,null,{"H":1}]}',
      '{"I":"99"}',
      'x'.repeat(2000),
    ]) {
      server.raw(kind === 'signalr' ? `${text}\x1e` : text);
    }
    server.call(
      'onMessageReceived',
      JSON.stringify({ sender: 5, channel: 'main', message: 'next' }),
    );
    await hears(ours, ['"next"']);
    await leave(ours);
  });

  test(
    '401 is final for one token; a provider is asked again, until it gives the same',
    TIMEOUT,
    async () => {
      const server = await makeServer({ token: 'right' });
      const source = (tokens) =>
        `{ ...${JSON.stringify(options(server))}, accessToken: async () => { asked += 1; const tokens = ${JSON.stringify(tokens)}; return tokens[Math.min(asked, tokens.length) - 1]; } }`;
      for (const wrong of [
        options(server),
        { ...options(server), accessToken: 'wrong' },
        source(['wrong']),
      ]) {
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
    },
  );

  test('negotiation sends us elsewhere, with a token', TIMEOUT, async () => {
    const server = await makeServer();
    server.redirect = true;
    const ours = await join(options(server));
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    assert.ok(
      server.requests.some(
        ({ method, url, token }) =>
          method === 'WebSocket' &&
          url.startsWith('/elsewhere/') &&
          token === 'granted-by-redirect',
      ),
    );
    await leave(ours);
  });

  test('signs of life from the server', TIMEOUT, async () => {
    const server = await makeServer({ keepAlive: kind === 'signalr' ? 50 : deadline(500) / 1000 });
    const ours = await join(options(server));
    await ours.waitForFunction(() => signaling.stats().control >= 6);
    assert.equal(await ours.evaluate(() => signaling.stats().connects), 1);
    await leave(ours);
  });
}
