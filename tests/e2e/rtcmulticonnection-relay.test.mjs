// npm's RTCMultiConnection 3.7.1 and socket.io-client, unmodified, on our relay; beside them, as
// the baseline, on npm's rtcmulticonnection-server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAKE_CAMERA, launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { ask, converse, enter, joinTogether, leave, openOriginal, openServed, serveOriginals, userOf } from '../support/rtcmulticonnection-pages.mjs';
import { rtcMultiConnectionServer } from '../support/rtcmulticonnection-server.mjs';
import { MOUNTS, relay } from '../support/servers.mjs';

/* global connection, streams, told -- of the pages */

const FILES = Object.fromEntries(
  ['/vendor/rtcmulticonnection-3', '/vendor/webrtc-adapter', '/socket.io', '/test-pages'].map((prefix) => [prefix, { ...MOUNTS, ...TEST_MOUNTS }[prefix]]),
);
const MOUNT_ARGS = Object.entries(FILES).flatMap(([prefix, folder]) => ['--mount', `${prefix}=${folder}`]);
// One for each of five pages, and one that makes no pictures.
const CAMERAS = [...FAKE_CAMERA, '--use-fake-device-for-media-stream=device-count=6'];
// Small pictures: five pages send twenty streams of them.
const VIDEO = {
  session: { audio: true, video: true },
  mediaConstraints: { audio: true, video: { width: 160, height: 120, frameRate: 5 } },
  sdpConstraints: { mandatory: { OfferToReceiveAudio: true, OfferToReceiveVideo: true } },
};

let browser;
let originals;
before(async () => {
  [browser, originals] = await Promise.all([launchChromium({ args: CAMERAS }), serveOriginals()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), originals?.close()]), TIMEOUT);

/** The servers. `open` opens a page whose connection gets its argument's members. */
const SERVERS = {
  'npm’s rtcmulticonnection-server': async () => {
    const server = await rtcMultiConnectionServer();
    return { ...server, open: (members) => openOriginal(browser, originals.origin, server.url, members) };
  },
  'our relay': () => startRelay(),
};

async function startRelay(args = []) {
  const server = await relay({ args: [...MOUNT_ARGS, ...args] });
  return { ...server, open: (members, through) => openServed(browser, server.origin, members, through) };
}

/** So many pages in one room. `prepare` is called with each page and its number. */
async function gather(server, count, room, members, prepare = () => {}) {
  const pages = [];
  for (let index = 0; index < count; index += 1) {
    pages.push(await server.open(members));
    await prepare(pages[index], index);
    assert.deepEqual((await enter(pages[index], index === 0 ? 'open' : 'join', room)).slice(0, 2), [true, room]);
  }
  return pages;
}

/**
 * Gives a page a camera of its own. Where five pages share a fake one, Chromium sometimes stops its
 * pictures for all of them, without a server too.
 */
function useCamera(page, number) {
  return page.evaluate(async (number) => {
    // A page sees the devices' names once it has used one.
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
    const devices = await navigator.mediaDevices.enumerateDevices();
    // That one measures depth, and makes no pictures.
    const cameras = devices.filter(({ kind, label }) => kind === 'videoinput' && label !== 'fake_device_1');
    connection.mediaConstraints.video.deviceId = { exact: cameras[number].deviceId };
  }, number);
}

for (const [name, start] of Object.entries(SERVERS)) {
  describe(`over ${name}`, () => {
    let server;
    before(async () => {
      server = await start();
    }, TIMEOUT);
    after(() => server?.close(), TIMEOUT);

    for (const count of [2, 3, 5])
      test(`data: ${count} pages`, TIMEOUT, async () => {
        const pages = await gather(server, count, `data ${count}`);
        await converse(pages, 'hello');
        await leave(pages);
      });

    for (const count of [2, 3, 5])
      test(`sound and pictures: ${count} pages`, TIMEOUT, async () => {
        const pages = await gather(server, count, `video ${count}`, VIDEO, useCamera);
        for (const page of pages) {
          await page.waitForFunction((count) => {
            const remote = new Set(streams.filter(([type]) => type === 'remote').map(([, user]) => user));
            const playing = [...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0 && video.currentTime > 0);
            return remote.size === count - 1 && playing.length >= count;
          }, count);
        }
        await leave(pages);
      });

    test('presence, and who comes second joins', TIMEOUT, async () => {
      const pages = [await server.open(), await server.open()];
      assert.deepEqual((await enter(pages[1], 'checkPresence', 'presence')).slice(0, 2), [false, 'presence']);
      assert.equal((await enter(pages[0], 'openOrJoin', 'presence'))[0], true);
      const [isThere, room, extra] = await enter(pages[1], 'checkPresence', 'presence');
      assert.deepEqual([isThere, room, extra._room.isFull], [true, 'presence', false]);
      assert.equal((await enter(pages[1], 'openOrJoin', 'presence'))[0], true);
      await converse(pages, 'hello');
      await leave(pages);
    });

    test('a wrong password, and a full room', TIMEOUT, async () => {
      const locked = [await server.open({ password: 'right' }), await server.open({ password: 'wrong' })];
      assert.equal((await enter(locked[0], 'open', 'locked'))[0], true);
      assert.deepEqual(await enter(locked[1], 'join', 'locked'), [false, 'locked', 'Invalid password']);
      assert.deepEqual(await ask(locked[1], 'is-valid-password', 'right', 'locked'), [true, 'locked', false]);
      await locked[1].evaluate(() => (connection.password = 'right'));
      assert.equal((await enter(locked[1], 'join', 'locked'))[0], true);
      await converse(locked, 'hello');
      const full = [await server.open({ maxParticipantsAllowed: 2 }), await server.open(), await server.open()];
      assert.equal((await enter(full[0], 'open', 'full'))[0], true);
      assert.equal((await enter(full[1], 'join', 'full'))[0], true);
      assert.deepEqual(await enter(full[2], 'join', 'full'), [false, 'full', 'Room full']);
      await leave([...locked, ...full]);
    });

    test('public rooms', TIMEOUT, async () => {
      const pages = [await server.open({ publicRoomIdentifier: 'games', extra: { name: 'A' } }), await server.open()];
      assert.equal((await enter(pages[0], 'open', 'chess'))[0], true);
      await pages[1].evaluate(() => new Promise((done) => connection.connectSocket(done)));
      const [rooms] = await ask(pages[1], 'get-public-rooms', 'games');
      const owner = await userOf(pages[0]);
      assert.deepEqual(rooms, [
        {
          maxParticipantsAllowed: 1000,
          owner,
          participants: [owner],
          extra: { name: 'A' },
          session: { data: true },
          sessionid: 'chess',
          isRoomFull: false,
          isPasswordProtected: false,
        },
      ]);
      await leave(pages);
    });

    test('the owner leaves, and another is the initiator', TIMEOUT, async () => {
      const pages = await gather(server, 3, 'hand-over');
      await converse(pages, 'before');
      const [gone, ...rest] = pages;
      await leave([gone]);
      await rest[0].waitForFunction(() => connection.isInitiator);
      await until(async () => (await enter(rest[1], 'checkPresence', 'hand-over'))[0]);
      await converse(rest, 'after');
      const late = await server.open();
      assert.equal((await enter(late, 'join', 'hand-over'))[0], true);
      await converse([...rest, late], 'late');
      await leave([...rest, late]);
    });

    test('one is ejected', TIMEOUT, async () => {
      const pages = await gather(server, 2, 'eject');
      await converse(pages, 'before');
      const users = await Promise.all(pages.map(userOf));
      await pages[0].evaluate((user) => connection.disconnectWith(user), users[1]);
      await pages[1].waitForFunction((user) => told.some(([what, whom]) => what === 'offline' && whom === user), users[0]);
      assert.deepEqual(await pages[1].evaluate(() => connection.getAllParticipants()), []);
      await leave(pages);
    });

    test('of two who open a room at one time, one has it', TIMEOUT, async () => {
      const pages = [await server.open(), await server.open()];
      await Promise.all(pages.map((page) => page.evaluate(() => new Promise((done) => connection.connectSocket(done)))));
      for (let round = 0; round < 100; round += 1) {
        const request = { sessionid: `both ${round}`, session: { data: true }, extra: {}, password: '' };
        const answers = await Promise.all(pages.map((page) => ask(page, 'open-room', request)));
        assert.deepEqual(answers.map(([isOpen]) => isOpen).sort(), [false, true], JSON.stringify(answers));
      }
      await leave(pages);
    });
  });
}

test('/socket.io/socket.io.js is a file of the mount', TIMEOUT, async () => {
  const server = await startRelay();
  const answer = await fetch(`${server.origin}/socket.io/socket.io.js`);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /Socket\.IO v4/);
  await server.close();
});

describe('what the original gets wrong', () => {
  let server;
  before(async () => {
    server = await startRelay();
  }, TIMEOUT);
  after(() => server?.close(), TIMEOUT);

  test('another id: the room is found, and the owner too', TIMEOUT, async () => {
    const pages = [await server.open(), await server.open()];
    assert.equal((await enter(pages[0], 'open', 'renamed'))[0], true);
    await pages[0].evaluate(() => new Promise((done) => connection.changeUserId('the owner', done)));
    assert.equal((await enter(pages[1], 'join', 'renamed'))[0], true);
    await converse(pages, 'hello');
    assert.deepEqual(await pages[1].evaluate(() => connection.getAllParticipants()), ['the owner']);
    await leave(pages);
  });

  test('the owner closes the room for all', TIMEOUT, async () => {
    const pages = await gather(server, 3, 'closing');
    await converse(pages, 'hello');
    await pages[0].evaluate(() => new Promise((done) => connection.closeEntireSession(done)));
    for (const page of pages.slice(1)) await page.waitForFunction(() => told.some(([what, room]) => what === 'closed' && room === 'closing'));
    assert.equal((await enter(pages[1], 'checkPresence', 'closing'))[0], false);
    await leave(pages);
  });

  test('pages that join at one moment', TIMEOUT, async () => {
    const pages = await gather(server, 1, 'at once');
    for (let count = 0; count < 3; count += 1) pages.push(await server.open());
    await joinTogether(pages.slice(1), 'at once');
    await converse(pages, 'all');
    await leave(pages);
  });

  test('a connection cut in the middle of joining', TIMEOUT, async () => {
    const owner = await server.open();
    assert.equal((await enter(owner, 'open', 'cut'))[0], true);
    let isArmed = true;
    const between = await proxy(() => server.port, {
      onmessage: (link, direction, text) => {
        if (!isArmed || direction !== 'up' || !text.includes('join-room')) return;
        isArmed = false;
        return 'cut';
      },
    });
    const guest = await server.open({}, `http://127.0.0.1:${between.port}/`);
    await guest.evaluate(() => {
      connection.session = { data: true };
      connection.join('cut');
    });
    await until(() => !isArmed);
    // The answer is lost with the connection. The page asks again when it is connected again.
    await guest.waitForFunction(() => connection.socket?.connected);
    const user = await userOf(guest);
    assert.equal((await enter(guest, 'join', 'cut'))[0], true);
    assert.equal(await userOf(guest), user);
    await converse([owner, guest], 'hello');
    await leave([owner, guest]);
    await between.close();
  });

  test('who is cut off stays in the room, and hears what was said', TIMEOUT, async () => {
    const between = await proxy(() => server.port);
    const owner = await server.open({}, `http://127.0.0.1:${between.port}/`);
    assert.equal((await enter(owner, 'open', 'cut off'))[0], true);
    const first = await owner.evaluate(() => connection.socket.id);
    between.cut();
    const guest = await server.open();
    assert.equal((await enter(guest, 'join', 'cut off'))[0], true);
    await converse([owner, guest], 'hello');
    assert.notEqual(await owner.evaluate(() => connection.socket.id), first);
    assert.equal(await owner.evaluate(() => connection.isInitiator), true);
    assert.deepEqual(await ask(owner, 'set-password', 'x'), [true, 'cut off', null]);
    await leave([owner, guest]);
    await between.close();
  });

  test('the relay is killed and started again', TIMEOUT, async () => {
    let own = await startRelay();
    const pages = await gather(own, 2, 'killed');
    await converse(pages, 'before');
    await own.kill();
    own = await startRelay(['--listen', `127.0.0.1:${own.port}`]);
    for (const page of pages) await page.waitForFunction(() => connection.socket.connected);
    // The pages go on by themselves, and the room is opened again.
    await converse(pages, 'without');
    assert.equal((await enter(pages[0], 'open', 'killed'))[0], true);
    assert.equal((await enter(pages[1], 'join', 'killed'))[0], true);
    const late = await own.open();
    assert.equal((await enter(late, 'join', 'killed'))[0], true);
    await converse([...pages, late], 'late');
    await leave([...pages, late]);
    await own.close();
  });
});
