// Rooms of npm's RTCMultiConnection 3.7.1, unmodified, where the server only passes messages on:
// what rtcmulticonnection-server decides.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { openPage, TEST_MOUNTS } from '../support/pages.mjs';
import { ask, connectedTo, enter, leave, opener, saw, serveRooms, userOf } from '../support/rtcmulticonnection-pages.mjs';
import { relay, ROOT, seedServer } from '../support/servers.mjs';

/* global RTCMultiConnection, connection -- of the pages */

let browser;
let files;
let server;
before(async () => {
  [browser, files, server] = await Promise.all([launchChromium(), serveRooms(), seedServer()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close(), server?.close()]), TIMEOUT);

describe('a room', { concurrency: 3 }, () => {
  test('with a password lets in who knows it', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open({ password: 'secret' }), await open({ password: 'wrong' }), await open({ password: 'secret' }), await open()];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    for (const [index, expected] of [[1, [false, 'room', 'Invalid password']], [3, [false, 'room', 'Invalid password']]]) assert.deepEqual(await enter(pages[index], 'join', 'room'), expected);
    assert.equal((await enter(pages[2], 'join', 'room'))[0], true);
    await connectedTo(pages[0], 1);
    const [there, , extra] = await enter(pages[3], 'checkPresence', 'room');
    assert.deepEqual([there, extra._room], [true, { isFull: false, isPasswordProtected: true }]);
    assert.deepEqual(await ask(pages[3], 'is-valid-password', 'secret', 'room'), [true, 'room', false]);
    // The owner changes it.
    assert.deepEqual(await enter(pages[0], 'setPassword', 'another'), [true, 'room', null]);
    assert.deepEqual(await enter(pages[1], 'join', 'room'), [false, 'room', 'Invalid password']);
    await pages[1].evaluate(() => (connection.password = 'another'));
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    await Promise.all([pages[0], pages[1], pages[2]].map((page) => connectedTo(page, 2)));
    await leave(pages);
  });

  test('that is full says so, and has room again when one leaves', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url, { maxParticipantsAllowed: 2 });
    const pages = [await open(), await open(), await open()];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    await connectedTo(pages[0], 1);
    assert.deepEqual(await enter(pages[2], 'join', 'room'), [false, 'room', 'Room full']);
    assert.equal((await enter(pages[2], 'checkPresence', 'room'))[2]._room.isFull, true);
    await pages[1].evaluate(() => connection.closeSocket());
    await until(async () => (await enter(pages[2], 'join', 'room'))[0]);
    // A second after it has connected the library uses its socket, even if it has none any more.
    await leave(pages, [/reading 'emit'[^]*\/RTCMultiConnection\.js:371/]);
  });

  test('that is public is listed with what its owner says of it', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url, { publicRoomIdentifier: 'games' });
    const pages = [await open({ extra: { name: 'é & "' } }), await open()];
    const [owner] = await Promise.all(pages.map(userOf));
    assert.equal((await enter(pages[0], 'open', 'chess'))[0], true);
    await pages[1].evaluate(() => new Promise((done) => connection.connectSocket(done)));
    const [[room, ...others]] = await ask(pages[1], 'get-public-rooms', 'games');
    assert.deepEqual(others, []);
    assert.deepEqual(room, {
      maxParticipantsAllowed: 1000,
      owner,
      participants: [owner],
      extra: { name: 'é & "' },
      session: { data: true },
      sessionid: 'chess',
      isRoomFull: false,
      isPasswordProtected: false,
    });
    assert.deepEqual(await ask(pages[1], 'get-public-rooms', 'films'), [[]]);
    await leave(pages);
  });

  test('one user disconnects another, and both learn it', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open(), await open(), await open()];
    for (const [index, page] of pages.entries()) {
      assert.equal((await enter(page, index ? 'join' : 'open', 'room'))[0], true);
      await Promise.all(pages.slice(0, index + 1).map((page) => connectedTo(page, index)));
    }
    const users = await Promise.all(pages.map(userOf));
    await pages[0].evaluate((user) => connection.disconnectWith(user), users[1]);
    await pages[1].waitForFunction((user) => window.left.includes(user), users[0]);
    await saw(pages[1], 'offline', users[0]);
    assert.deepEqual(await pages[1].evaluate(() => connection.getAllParticipants()), [users[2]]);
    await leave(pages);
  });

  test('a user takes another id, and is found under it', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open(), await open(), await open()];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    await pages[0].evaluate(() => new Promise((done) => connection.changeUserId('the owner', done)));
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    for (const page of pages.slice(0, 2)) await connectedTo(page, 1);
    assert.deepEqual(await pages[1].evaluate(() => connection.getAllParticipants()), ['the owner']);
    await pages[0].evaluate(() => {
      connection.extra = { name: 'A' };
      connection.updateExtraData();
    });
    await saw(pages[1], 'extra', 'the owner', { name: 'A' });
    assert.deepEqual(await ask(pages[1], 'get-remote-user-extra-data', 'the owner'), [{ name: 'A' }, 'the owner', null]);
    await leave(pages);
  });

  test('the owner closes it for all, and nobody else can', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open(), await open()];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    for (const page of pages) await connectedTo(page, 1);
    assert.deepEqual(await ask(pages[1], 'close-entire-session'), [false, 'Room permission denied']);
    await pages[0].evaluate(() => new Promise((done) => connection.closeEntireSession(done)));
    await saw(pages[1], 'closed', 'room');
    assert.equal((await enter(pages[1], 'checkPresence', 'room'))[0], false);
    await leave(pages);
  });

  test('a second page with a user’s id gets another, and is in the room too', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open({ userid: 'same' }), await open({ userid: 'same' })];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    // The library joins again by itself, under a new id.
    await pages[1].evaluate(() => {
      connection.sessionid = 'room';
      connection.connectSocket(() => {});
    });
    for (const page of pages) await connectedTo(page, 1);
    assert.equal(await userOf(pages[0]), 'same');
    assert.notEqual(await userOf(pages[1]), 'same');
    await leave(pages);
  });

  test('a page that is loaded again is the same user again', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open({ userid: 'owner' }), await open({ userid: 'guest' })];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    for (const page of pages) await connectedTo(page, 1);
    await pages[1].reload();
    await pages[1].evaluate(() => (connection.userid = 'guest'));
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    for (const page of pages) await connectedTo(page, 1);
    assert.equal(await userOf(pages[1]), 'guest');
    // The library emits a second after it connected, also while the page is unloaded.
    await leave(pages, [/reading 'emit'[^]*\/RTCMultiConnection\.js:371/]);
  });

  test('of twelve connections on three pages that open it at the same moment, one wins, and the others join', TIMEOUT, async () => {
    const open = opener(browser, files.origin, server.url);
    const pages = [await open(), await open(), await open()];
    const result = await Promise.all(
      pages.map((page) =>
        page.evaluate(async () => {
          const connections = Array.from({ length: 4 }, () => {
            const one = new RTCMultiConnection();
            return Object.assign(one, { enableLogs: false, socketURL: '/', iceServers: [], session: { data: true } });
          });
          await Promise.all(connections.map((one) => new Promise((done) => one.connectSocket(done))));
          const opened = await Promise.all(connections.map((one) => new Promise((done) => one.open('room', done))));
          const others = connections.filter((_, index) => !opened[index]);
          const joined = await Promise.all(others.map((one) => new Promise((done) => one.socket.emit('join-room', { sessionid: 'room' }, done))));
          return { won: opened.filter(Boolean).length, joined };
        }),
      ),
    );
    assert.equal(result.reduce((sum, { won }) => sum + won, 0), 1, JSON.stringify(result));
    assert.deepEqual(result.flatMap(({ joined }) => joined), Array(11).fill(true));
    await leave(pages);
  });

  test('the module’s io does the same as the script', TIMEOUT, async () => {
    const page = await openPage(browser, `${files.origin}/test-pages/rtcmulticonnection-3.html`);
    const [won, refused] = await page.evaluate(async (url) => {
      const [{ Signaling }, { rtcMultiConnectionSocket }] = await Promise.all([import('/signal-wasm/inline.js'), import('/signal-wasm/rtcmulticonnection.js')]);
      window.io = rtcMultiConnectionSocket(new Signaling({ url, protocol: 'websocket' }), { channel: 'module' });
      const refused = [];
      for (const wrong of [[undefined], [{}], [new Signaling(), { room: 1 }], [new Signaling(), { channel: '' }], [new Signaling(), { answerTimeout: 'x' }]]) {
        try {
          rtcMultiConnectionSocket(...wrong);
        } catch (error) {
          refused.push(error.code);
        }
      }
      const won = await new Promise((done) => connection.open('room', (...values) => done(values)));
      return [won[0], refused];
    }, server.url);
    assert.equal(won, true);
    assert.deepEqual(refused, ['bad-option', 'bad-option', 'unknown-option', 'bad-option', 'bad-option']);
    await leave([page]);
  });
});

test('served as /socket.io/socket.io.js by our relay, the script connects to the space above it', TIMEOUT, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'signal-wasm-script-'));
  await copyFile(join(ROOT, 'dist/global-rtcmulticonnection.js'), join(folder, 'socket.io.js'));
  const mounts = { '/socket.io': folder, '/a/socket.io': folder, '/b/socket.io': folder, ...TEST_MOUNTS };
  const hub = await relay({ args: Object.entries(mounts).flatMap(([path, from]) => ['--mount', `${path}=${from}`]) });
  context.after(() => Promise.all([hub.close(), rm(folder, { recursive: true })]));
  const answers = [];
  for (const space of ['', '/a', '/b', '/a']) {
    const page = await openPage(browser, `${hub.origin}/test-pages/bare.html`);
    await page.addScriptTag({ url: `${space}/socket.io/socket.io.js` });
    answers.push(
      await page.evaluate(() => {
        const socket = window.io(`/?userid=${Math.random()}`);
        return new Promise((done) => socket.emit('open-room', { sessionid: 'room' }, done));
      }),
    );
  }
  assert.deepEqual(answers, [true, true, true, false]);
});
