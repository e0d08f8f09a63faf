// signal-wasm on an ordinary HTTP server that broadcasts by server-sent events, and when requests
// and streams fail: nothing is lost, and the order stays.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT, until } from '../support/deadline.mjs';
import {
  converse,
  firstError,
  hears,
  isOpen,
  join,
  leave,
  leaveFailing,
  send,
  setUp,
  sseServer,
  tearDown,
} from '../support/protocol-pages.mjs';

/* global SignalWasm, asked, errors, gaps, handle, heard, signaling, states -- of the pages */

before(setUp, TIMEOUT);
after(tearDown, TIMEOUT);

const options = (server) => ({ url: server.url, protocol: 'sse' });
const numbers = (count) => Array.from({ length: count }, (_, number) => number);
const texts = (values) => values.map(String);

/** What the pages were told of errors. */
const codes = (page) => page.evaluate(() => errors.map(({ code }) => code));

const stats = (page) => page.evaluate(() => signaling.stats());

/** The `ref` of each POST, in order. */
const refs = (server) => server.posts().map(({ query }) => Number(query.ref));

/** The list without what comes twice in a row. */
const once = (list) => list.filter((item, at) => at === 0 || item !== list[at - 1]);

/** Waits for a state whose reason fits. */
async function reason(page, pattern) {
  const source = pattern.source;
  await page
    .waitForFunction((source) => states.some((line) => new RegExp(source).test(line)), source)
    .catch(() => {});
  const told = await page.evaluate(() => states);
  assert.ok(told.some((line) => pattern.test(line)), `${pattern} isn't in\n${told.join('\n')}`);
}

describe('an ordinary server', { concurrency: 3 }, () => {
  test('every value, both ways, in order', TIMEOUT, async () => {
    const server = await sseServer();
    const [one, other] = [await join(options(server)), await join(options(server))];
    // The server sends each message to its sender, too.
    await converse(one, other, { echo: true });
    assert.equal(server.overlaps, 0);
    for (const { query } of server.requests) assert.match(query.client, /^[0-9a-f]{32}$/);
    assert.equal(new Set(server.requests.map(({ query }) => query.client)).size, 2);
    await leave(one, other);
    await until(() => server.connections() === 0);
  });

  test('many at once: one request after the other, in order', TIMEOUT, async () => {
    const server = await sseServer();
    const [one, other] = [await join(options(server)), await join(options(server))];
    await Promise.all([one, other].map((page) => send(page, texts(numbers(200)))));
    await hears(one, texts(numbers(200)));
    await hears(other, texts(numbers(200)));
    await one.evaluate(() => signaling.flushed());
    assert.equal(server.overlaps, 0);
    assert.equal(server.posts().length, 400);
    await leave(one, other);
  });

  test('a query of the page’s goes with each address', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join({ ...options(server), query: { room: 'a b&c' } });
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    assert.deepEqual(server.requests.map(({ query }) => query.room), ['a b&c', 'a b&c']);
    await leave(ours);
  });

  test('two tabs of one browser', TIMEOUT, async () => {
    const server = await sseServer();
    const one = await join(options(server));
    const other = await one.context().newPage();
    await other.goto(one.url());
    await other.addScriptTag({ url: '/signal-wasm/global.js' });
    await other.evaluate((options) => {
      window.heard = [];
      window.signaling = new SignalWasm.Signaling(options);
      window.handle = signaling.openSocket({ channel: 'main', onmessage: (message) => heard.push(message) });
    }, options(server));
    await isOpen(other);
    await Promise.all([one, other].map((page) => send(page, texts(numbers(50)))));
    await hears(one, texts(numbers(50)));
    await hears(other, texts(numbers(50)));
    await other.close();
    await until(() => server.connections() === 1);
    await leave(one);
  });

  test('a page that is closed in the middle', TIMEOUT, async () => {
    const server = await sseServer();
    const [one, other] = [await join(options(server)), await join(options(server))];
    await send(one, texts(numbers(300)));
    await until(() => server.received.length > 20);
    await one.evaluate(() => handle.send('never in time'));
    await one.context().close();
    await until(() => server.connections() === 1);
    const messages = server.messages();
    assert.deepEqual(messages, numbers(messages.length));
    assert.equal(server.overlaps, 0);
    await hears(other, texts(messages));
    await leave(other);
  });

  test('the last message of a page that goes away arrives', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    // Later than this, Chromium has closed the stream of a page that goes elsewhere.
    await ours.evaluate(() => addEventListener('beforeunload', () => handle.send('going')));
    await ours.reload();
    await until(() => server.messages().at(-1) === 'going');
    const closed = await join(options(server));
    await closed.evaluate(() => addEventListener('pagehide', () => handle.send('closing')));
    await closed.close({ runBeforeUnload: true });
    await until(() => server.messages().at(-1) === 'closing');
    await Promise.all([ours, closed].map((page) => page.context().close()));
  });
});

describe('a server that answers a message otherwise', { concurrency: 3 }, () => {
  const later = { status: 503, headers: { 'retry-after': '1' } };
  for (const [name, fates] of Object.entries({
    'later, in a second': [later],
    'later, after a date in the past': [{ status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' } }],
    'too many requests': [{ status: 429, headers: { 'retry-after': '0' } }, { status: 429 }],
    'a gateway without its server': [{ status: 502 }, { status: 504 }, { status: 503 }],
    'an error, once': [{ status: 500 }],
  })) {
    test(`${name}: it is sent again, and the stream stays`, TIMEOUT, async () => {
      const server = await sseServer();
      const [ours, other] = [await join(options(server)), await join(options(server))];
      server.fates.push(...fates);
      await send(ours, ['1', '2', '3']);
      await hears(other, ['1', '2', '3']);
      assert.deepEqual(refs(server), [...fates.map(() => 1), 1, 2, 3]);
      assert.deepEqual([(await stats(ours)).connects, await codes(ours)], [1, []]);
      await leaveFailing(ours, other);
    });
  }

  test('later, after a date', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    const date = new Date(Date.now() + 3_000).toUTCString();
    server.fates.push({ status: 503, headers: { 'retry-after': date } });
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    // Timers may fire a little early.
    assert.ok(Date.now() >= Date.parse(date) - 50, date);
    await leaveFailing(ours);
  });

  test('an error twice: the message is given up, and that is reported', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    server.fates.push({ status: 500 }, { status: 500 });
    await send(ours, ['1', '2']);
    await until(() => server.received.length === 1);
    assert.deepEqual(server.messages(), [2]);
    assert.equal((await firstError(ours)).code, 'message-given-up');
    assert.equal((await stats(ours)).dropped, 1);
    await leaveFailing(ours);
  });

  for (const status of [400, 413]) {
    test(`${status}: the message is refused, with the server's words`, TIMEOUT, async () => {
      const server = await sseServer();
      const ours = await join(options(server));
      server.fates.push({ status, body: 'Not such a message, please.' });
      await send(ours, ['1', '2']);
      await until(() => server.received.length === 1);
      assert.deepEqual(server.messages(), [2]);
      const { code, message } = await firstError(ours);
      assert.equal(code, 'message-refused');
      assert.match(message, new RegExp(`${status}.*Not such a message, please`));
      await leaveFailing(ours);
    });
  }

  test('401 is final, and named', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    server.fates.push({ status: 401 });
    await send(ours, ['1']);
    const { code, message } = await firstError(ours);
    assert.equal(code, 'authentication-refused');
    assert.match(message, /401/);
    assert.equal(await ours.evaluate(() => signaling.state), 'closed');
    await until(() => server.connections() === 0);
    await leaveFailing(ours);
  });

  test('404 is final, unless it took messages before', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    server.fates.push(undefined, { status: 404 });
    await send(ours, ['1', '2']);
    await until(() => server.received.length === 2);
    assert.deepEqual([server.messages(), (await stats(ours)).connects], [[1, 2], 2]);
    const lost = await join(options(server));
    server.fates.push({ status: 404 });
    await send(lost, ['1']);
    const { code, message } = await firstError(lost);
    assert.equal(code, 'connection-failed');
    assert.match(message, /404.*option url/);
    await leaveFailing(ours, lost);
  });

  for (const status of [301, 302, 307, 308]) {
    test(`a redirection (${status}) is never taken for an answer`, TIMEOUT, async () => {
      const server = await sseServer();
      const ours = await join(options(server));
      server.fates.push({ status, headers: { location: '/elsewhere' } });
      await send(ours, ['1']);
      const { code, message } = await firstError(ours);
      assert.equal(code, 'connection-failed');
      assert.match(message, /redirected.*option url/);
      await leaveFailing(ours);
    });
  }

  test('a new token for each attempt', TIMEOUT, async () => {
    const server = await sseServer({ token: '1' });
    const ours = await join(`{ protocol: 'sse', url: () => ${JSON.stringify(server.url)} + '?token=' + (asked += 1) }`);
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    server.token = '2';
    await send(ours, ['2', '3']);
    await until(() => server.received.length === 3);
    assert.deepEqual(server.messages(), [1, 2, 3]);
    assert.deepEqual([await ours.evaluate(() => asked), await codes(ours)], [2, []]);
    // A stream that is refused, too.
    server.token = '4';
    server.dropStreams();
    await send(ours, ['4']);
    await until(() => server.received.length === 4);
    assert.equal(await ours.evaluate(() => asked), 4);
    await reason(ours, /^waiting: .*didn't answer with an event stream that this page may read/);
    await leaveFailing(ours);
  });
});

describe('requests without an answer', { concurrency: 3 }, () => {
  /** The half minute that an answer may take passes soon, for so many requests. The others have time, however slow the machine is. */
  const hasty = (page, requests) =>
    page.evaluate((requests) => {
      const later = window.setTimeout;
      let left = requests;
      window.setTimeout = (call, delay) => {
        const isHasty = delay === 30_000 && left > 0;
        if (isHasty) left -= 1;
        return later(call, isHasty ? 300 : delay);
      };
    }, requests);

  test('the connection is cut before the message was taken', TIMEOUT, async () => {
    const server = await sseServer();
    const [ours, other] = [await join(options(server)), await join(options(server))];
    // Chromium itself makes a request again, if it was the first to go wrong on a connection.
    for (const count of [1, 2, 3, 4]) {
      server.fates.push(...numbers(count).map(() => 'cut'));
      await send(ours, texts([count, `"${count} again"`]));
      await until(() => server.received.length === count * 2);
    }
    const sent = [1, 2, 3, 4].flatMap((count) => [count, `${count} again`]);
    assert.deepEqual(server.messages(), sent);
    assert.equal(server.overlaps, 0);
    await other.waitForFunction(() => heard.length === 8);
    await leaveFailing(ours, other);
  });

  for (const knowsRefs of [false, true]) {
    const outcome = knowsRefs ? 'it comes once, for the server knows refs' : 'it may come twice';
    test(`the connection is cut after the message was taken: ${outcome}`, TIMEOUT, async () => {
      const server = await sseServer({ refs: knowsRefs });
      const ours = await join(options(server));
      for (const count of [1, 2, 3, 4]) {
        server.fates.push(...numbers(count).map(() => 'cut after'));
        await send(ours, texts([count, 10 * count]));
        await until(() => server.messages().at(-1) === 10 * count);
      }
      const messages = server.messages();
      assert.deepEqual(once(messages), [1, 10, 2, 20, 3, 30, 4, 40]);
      if (knowsRefs) assert.deepEqual(messages, once(messages));
      assert.ok(server.posts().length > 8, 'some requests were made again');
      await leaveFailing(ours);
    });
  }

  test('a request that hangs is given up and made again', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    await hasty(ours, 1);
    server.fates.push('hang');
    await send(ours, ['1', '2']);
    await until(() => server.received.length === 2);
    assert.deepEqual([server.messages(), refs(server)], [[1, 2], [1, 1, 2]]);
    assert.equal((await stats(ours)).connects, 1, 'the stream stays');
    await hasty(ours, 2);
    server.fates.push('hang', 'hang');
    await send(ours, ['3', '4']);
    await until(() => server.received.length === 4);
    assert.deepEqual(server.messages(), [1, 2, 3, 4]);
    await reason(ours, /^waiting: a POST request got no answer.*took too long/);
    assert.equal((await stats(ours)).connects, 2);
    await ours.context().close();
  });

  test('a request that hangs while the stream is lost: no other overtakes it', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    await hasty(ours, 1);
    server.fates.push('hang');
    await send(ours, ['1', '2']);
    await until(() => server.posts().length === 1);
    server.dropStreams();
    await until(() => server.received.length === 2);
    assert.deepEqual([server.messages(), refs(server)], [[1, 2], [1, 1, 2]]);
    assert.equal((await stats(ours)).connects, 2);
    await ours.context().close();
  });
});

describe('streams that are lost', { concurrency: 3 }, () => {
  test('while both pages send: nothing is missed where events have ids', TIMEOUT, async () => {
    const server = await sseServer({ ids: true });
    const [one, other] = [await join(options(server)), await join(options(server))];
    for (const number of numbers(100)) server.fates.push(() => void (number % 12 === 11 && server.dropStreams()));
    await Promise.all([one, other].map((page) => send(page, texts(numbers(50)))));
    await hears(one, texts(numbers(50)));
    await hears(other, texts(numbers(50)));
    // A request doesn't end with its stream: none is made again.
    assert.deepEqual([server.received.length, server.overlaps], [100, 0]);
    for (const page of [one, other]) {
      const { reconnects, queued } = await stats(page);
      assert.ok(reconnects > 0 && queued === 0);
    }
    await leaveFailing(one, other);
  });

  test('the id of the last event goes with the next request', TIMEOUT, async () => {
    const server = await sseServer({ ids: true });
    const ours = await join(options(server));
    const say = (message) => server.say({ sender: 5, channel: 'main', message });
    say('first');
    await hears(ours, ['"first"']);
    server.refused = 2;
    server.streams = () => ((server.refused -= 1) >= 0 ? { status: 503 } : undefined);
    server.dropStreams();
    await reason(ours, /^waiting: the connection was lost/);
    say('meanwhile');
    say('and meanwhile');
    await hears(ours, ['"first"', '"meanwhile"', '"and meanwhile"']);
    const asked = server.requests.map(({ query }) => query.lastEventId);
    assert.deepEqual(asked, [undefined, '1', '1', '1']);
    server.dropStreams();
    await until(() => server.requests.length === 5);
    assert.equal(server.requests.at(-1).query.lastEventId, '3');
    await leaveFailing(ours);
  });

  test('with the whole server, in the middle', TIMEOUT, async () => {
    const server = await sseServer({ ids: true, refs: true });
    const [one, other] = [await join(options(server)), await join(options(server))];
    for (const round of [0, 1, 2]) {
      let restarted;
      server.fates.push(undefined, undefined, undefined, () => {
        restarted = server.stop().then(() => server.start());
        return 'hang';
      });
      const values = numbers(10).map((number) => 10 * round + number);
      await Promise.all([one, other].map((page) => send(page, texts(values))));
      await until(() => restarted !== undefined);
      await restarted;
    }
    await hears(one, texts(numbers(30)));
    await hears(other, texts(numbers(30)));
    assert.equal(server.received.length, 60);
    assert.deepEqual([await codes(one), await codes(other)], [[], []]);
    await leaveFailing(one, other);
  });

  test('an event named gap is reported on each channel', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    server.raw('event: gap\ndata:\n\n');
    await ours.waitForFunction(() => gaps.length > 0);
    assert.deepEqual(await ours.evaluate(() => gaps), ['main']);
    await leave(ours);
  });
});

describe('another origin', { concurrency: 3 }, () => {
  test('that lets this page read nothing', TIMEOUT, async () => {
    const server = await sseServer({ cors: false });
    const ours = await join(options(server), { wait: false });
    await reason(ours, /^waiting: http.*didn't answer with an event stream that this page may read/);
    server.cors = true;
    await isOpen(ours);
    await leaveFailing(ours);
  });

  test('that lets this page read streams only', TIMEOUT, async () => {
    const server = await sseServer({ cors: 'streams', refs: true });
    const ours = await join(options(server));
    await send(ours, ['1', '2']);
    await reason(ours, /^waiting: a POST request got no answer, or one that this page may not read/);
    server.cors = true;
    await until(() => server.received.length === 2);
    assert.deepEqual(server.messages(), [1, 2]);
    await leaveFailing(ours);
  });
});

describe('a hostile server', { concurrency: 3 }, () => {
  const ENVELOPE = { sender: 5, channel: 'main', message: 'still here' };

  /** The bytes of wasm's memory on a page. */
  async function wasmBytes(page) {
    const session = await page.context().newCDPSession(page);
    const { result } = await session.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
    const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId });
    const { result: sum } = await session.send('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: 'function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }',
    });
    await session.detach();
    assert.ok(sum.value > 0);
    return sum.value;
  }

  const streams = {
    'a page': { headers: { 'content-type': 'text/html' }, body: '<!doctype html>' },
    'nothing': { status: 204 },
    'an error': { status: 500, headers: { 'content-type': 'text/event-stream' }, body: 'data: {}\n\n' },
    'a redirection in a circle': { status: 302, headers: { location: '/events' } },
    'a redirection to somewhere': { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
    'a stream that ends at once': { headers: { 'content-type': 'text/event-stream' }, body: 'event: gap\n' },
  };
  for (const [name, instead] of Object.entries(streams)) {
    test(`${name} instead of a stream: it is tried again, in the end it works`, TIMEOUT, async () => {
      const server = await sseServer({ streams: instead });
      const ours = await join(options(server), { wait: false });
      await send(ours, ['1']);
      await until(() => server.requests.filter(({ method }) => method === 'GET').length > 3);
      server.streams = undefined;
      await isOpen(ours);
      await ours.evaluate(() => signaling.flushed());
      assert.deepEqual(server.messages(), [1]);
      assert.deepEqual(await codes(ours), []);
      await leaveFailing(ours);
    });
  }

  test('a stream that is elsewhere', TIMEOUT, async () => {
    const moved = { status: 307, headers: { location: '/events?moved=1' } };
    const server = await sseServer({ streams: (query) => (query.moved ? undefined : moved) });
    const ours = await join(options(server));
    server.say(ENVELOPE);
    await hears(ours, ['"still here"']);
    await leave(ours);
  });

  test('events of every kind and size: the page goes on, and wasm keeps nothing', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    const hear = async () => {
      await ours.evaluate(() => void heard.splice(0));
      server.say(ENVELOPE);
      await hears(ours, ['"still here"']);
    };
    await hear();
    const before = await wasmBytes(ours);
    const megabyte = 'x'.repeat(1_000_000);
    for (let round = 0; round < 10; round += 1) {
      for (const data of ['', 'no JSON', 'null', '[]', '{}', '{"channel":"main"', '\u0000', `"${megabyte}"`, '[\ndata: 1\ndata: ]', megabyte, `{"sender":1,"channel":"${megabyte}","message":1}`, `{"sender":1,"channel":"other","message":"${megabyte}"}`])
        server.raw(`id: ${megabyte}${round}\ndata: ${data}\n\n`);
      server.raw(`id: ${'y'.repeat(255)}\u{1f600}\nid: a\u0000b\nevent: ${megabyte}\ndata: 1\n\nevent: open\ndata:\n\nevent: error\ndata:\n\n`);
      server.raw(`:${megabyte}\nretry: 0\n${megabyte}\n\n${'data\n'.repeat(100_000)}\nid\n\n`);
      await hear();
    }
    const grown = (await wasmBytes(ours)) - before;
    assert.ok(grown < 500_000, `${grown} bytes more`);
    const { delivered, reconnects } = await stats(ours);
    assert.deepEqual([delivered, reconnects, await codes(ours)], [11, 0, ['bad-frame']]);
    server.dropStreams();
    await ours.waitForFunction(() => signaling.stats().reconnects === 1);
    const { lastEventId = '' } = server.requests.at(-1).query;
    assert.ok(lastEventId.length < 300, lastEventId);
    await leaveFailing(ours);
  });

  test('answers of every kind and size', TIMEOUT, async () => {
    const server = await sseServer();
    const ours = await join(options(server));
    const megabyte = 'x'.repeat(1_000_000);
    server.fates.push(
      { status: 200, body: megabyte },
      { status: 400, body: megabyte },
      { status: 299, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' },
      { status: 503, headers: { 'retry-after': 'soon' } },
      { status: 503, headers: { 'retry-after': '-1' } },
      { status: 503, headers: { 'retry-after': '1e-9' } },
      { status: 599 },
    );
    await send(ours, texts(numbers(4)));
    await until(() => server.received.length === 1);
    assert.deepEqual(server.messages(), [3]);
    assert.deepEqual(await codes(ours), ['message-refused']);
    const { message } = await firstError(ours);
    assert.ok(message.length < 400, message.slice(0, 500));
    await leaveFailing(ours);
  });
});
