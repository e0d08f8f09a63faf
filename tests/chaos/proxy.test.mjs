// The proxy does what the test asks for: each fault, on a bare TCP connection, and what it does with
// single WebSocket messages.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { rawClient } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { seedServer } from '../support/servers.mjs';

let server;
let far;
let gate;
const made = [];

before(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => (far = record(socket)));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  gate = await proxy(() => server.address().port);
}, TIMEOUT);
after(async () => {
  made.forEach((socket) => socket.destroy());
  await gate?.close();
  server?.close();
}, TIMEOUT);

function record(socket) {
  made.push(socket);
  const its = { socket, text: '', ended: false, closed: false, error: undefined };
  socket.setEncoding('utf8');
  socket.on('data', (text) => (its.text += text));
  socket.on('end', () => (its.ended = true));
  socket.on('error', ({ code }) => (its.error = code));
  socket.on('close', () => (its.closed = true));
  return its;
}

/** A new connection through the gate: both its ends, and the link between them. */
async function pair() {
  far = undefined;
  const near = record(connect(gate.port, '127.0.0.1'));
  await until(() => far, 'the server to be reached');
  const link = gate.links().at(-1);
  await until(() => link.alive);
  return { near, far, link };
}

describe('on a bare connection', () => {
  test('what goes in comes out, both ways, a megabyte too, and the end of it', TIMEOUT, async () => {
    const { near, far } = await pair();
    const long = 'x'.repeat(1_000_000);
    near.socket.write(`up ${long}`);
    far.socket.write(`down ${long}`);
    await until(() => far.text === `up ${long}` && near.text === `down ${long}`, 'both to arrive');
    near.socket.end('bye');
    await until(() => far.ended && far.text.endsWith('bye'), 'the end to arrive');
    far.socket.end('you too');
    await until(() => near.closed && near.text.endsWith('you too'), 'the other end to arrive');
    await until(() => gate.links().length === 0, 'the link to be gone');
  });

  for (const [how, code] of [['reset', 'ECONNRESET'], ['end', undefined]]) {
    test(`cut, ${how}: both sides lose it`, TIMEOUT, async () => {
      const { near, far, link } = await pair();
      link.cut(how);
      await until(() => (near.closed || near.ended) && (far.closed || far.ended), 'both to notice');
      assert.deepEqual([near.error, far.error], [code, code]);
    });
  }

  test('cut in the moment in which one side ends: it is over all the same', TIMEOUT, async () => {
    const { near, far, link } = await pair();
    link.stall('up');
    near.socket.end('bye');
    await until(() => link.up.source.readableEnded, 'the end to wait in the proxy');
    link.calm();
    link.cut('reset');
    await link.closed;
    await until(() => (near.closed || near.ended) && far.ended, 'both to notice');
  });

  for (const direction of ['up', 'down']) {
    test(`stalled ${direction}: nothing comes that way, everything the other, and in the end all of it`, TIMEOUT, async () => {
      const { near, far, link } = await pair();
      const [from, to] = direction === 'up' ? [near, far] : [far, near];
      link.stall(direction);
      assert.equal(link.alive, false);
      from.socket.write('one');
      to.socket.write('back');
      await until(() => from.text === 'back', 'the other way');
      from.socket.end('two');
      to.socket.write(' again');
      await until(() => from.text === 'back again');
      assert.deepEqual([to.text, to.ended], ['', false]);
      link.calm();
      await until(() => to.text === 'onetwo' && to.ended, 'what was stalled');
    });

    test(`truncated ${direction}: half of a chunk comes, and then the end`, TIMEOUT, async () => {
      const { near, far, link } = await pair();
      const [from, to] = direction === 'up' ? [near, far] : [far, near];
      from.socket.write('before ');
      await until(() => to.text === 'before ');
      link.truncate(direction, 0.5, 'end');
      from.socket.write('0123456789');
      await until(() => to.closed || to.ended, 'the end');
      assert.equal(to.text, 'before 01234');
    });
  }

  test('stalled for a time: it goes on by itself', TIMEOUT, async () => {
    const { near, far, link } = await pair();
    const began = Date.now();
    link.stall('up', 300);
    near.socket.write('late');
    await until(() => far.text === 'late');
    assert.ok(Date.now() - began >= 299, 'it came before its time');
  });

  test('what is stalled for good stops its sender', TIMEOUT, async () => {
    const { near, link } = await pair();
    link.stall('up');
    let written = 0;
    await until(() => {
      for (let more = true; more; written += 1) more = near.socket.write('x'.repeat(65_536));
      return near.socket.writableLength > 0 && written > 200;
    }, 'the way to be full');
    near.socket.destroy();
  });

  test('delayed: nothing overtakes, and nothing comes before its time', TIMEOUT, async () => {
    const { near, far, link } = await pair();
    const waits = [200, 0, 100, 0];
    const began = Date.now();
    link.delay('up', () => waits.shift());
    for (const text of ['a', 'b', 'c', 'd']) {
      const { length } = waits;
      near.socket.write(text);
      // The proxy has taken it, apart from the others.
      await until(() => waits.length < length);
    }
    await until(() => far.text.length === 4);
    assert.equal(far.text, 'abcd');
    assert.ok(Date.now() - began >= 199, 'it came before its time');
  });

  test('refused: new connections are turned away, the old one stays; without a server too', TIMEOUT, async () => {
    const { near, far } = await pair();
    const refused = gate.refused();
    gate.refuse();
    const late = record(connect(gate.port, '127.0.0.1'));
    await until(() => late.closed, 'the refusal');
    assert.equal(gate.refused(), refused + 1);
    near.socket.write('still here');
    await until(() => far.text === 'still here');
    gate.accept();
    await pair();

    const nowhere = await proxy(() => undefined);
    const lost = record(connect(nowhere.port, '127.0.0.1'));
    await until(() => lost.closed, 'the refusal for want of a server');
    await nowhere.close();
  });
});

test('WebSocket messages can be watched, swallowed, and be the moment of a cut', TIMEOUT, async () => {
  const behind = await seedServer();
  const seen = [];
  const watched = await proxy(() => behind.port, {
    onmessage(link, direction, text) {
      seen.push(`${direction} ${text.slice(0, 20)}`);
      return /^(swallow|cut)/.exec(text)?.[0];
    },
  });
  const [near, other] = [await rawClient(watched.url), await rawClient(behind.url)];
  const long = `long ${'é'.repeat(100_000)}`;
  for (const text of ['one', 'swallow me', 'x'.repeat(300), long]) near.send(text);
  assert.deepEqual(await other.got(3), ['one', 'x'.repeat(300), long]);
  for (const text of ['two', 'swallow me too', 'three']) other.send(text);
  assert.deepEqual(await near.got(2), ['two', 'three']);
  other.send('cut here');
  await until(() => watched.links().length === 0, 'the cut');
  assert.equal(near.frames.length, 2);
  assert.deepEqual(
    seen.filter((line) => /one|two|swallow|cut/.test(line)),
    ['up one', 'up swallow me', 'down two', 'down swallow me too', 'down cut here'],
  );
  await Promise.all([near.close(), other.close()]);
  await watched.close();
  await behind.close();
});
