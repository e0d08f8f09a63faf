// npm's RTCMultiConnection 3.7.1, unmodified, in one room of our relay: pages with the real
// socket.io-client, and pages with the adapter, on the relay's own protocol and on the others. The
// relay decides.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { olderRelay } from '../support/older-relay.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { ask, converse, enter, joinTogether, leave, openConnection, openServed, saw, serveRooms, userOf } from '../support/rtcmulticonnection-pages.mjs';
import { MOUNTS, relay } from '../support/servers.mjs';

/* global connection, told -- of the pages */

const MOUNT_ARGS = ['/vendor/rtcmulticonnection-3', '/vendor/webrtc-adapter', '/socket.io', '/test-pages'].flatMap((prefix) => ['--mount', `${prefix}=${{ ...MOUNTS, ...TEST_MOUNTS }[prefix]}`]);

let browser;
let files;
let server;
before(async () => {
  [browser, files, server] = await Promise.all([launchChromium(), serveRooms(), startRelay()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close(), server?.close()]), TIMEOUT);

/** How pages of each kind are opened, with these members of their connection. */
const KINDS = {
  'a page with Socket.IO': (members, hub = server) => openServed(browser, hub.origin, members),
  'a page with the adapter': (members, hub = server) => openConnection(browser, files.origin, { url: hub.url }, members),
};
const [OLD, NEW] = Object.keys(KINDS);
const BOTH = [
  [OLD, NEW],
  [NEW, OLD],
];

/** What pages report of a relay that is gone, or is killed while they connect. */
const NO_RELAY = [/ERR_CONNECTION_(REFUSED|RESET)/];

function startRelay(args = []) {
  return relay({ args: [...MOUNT_ARGS, ...args] });
}

/** Opens a page of each kind. */
function pagesOf(kinds, members = {}, hub = server) {
  return Promise.all(kinds.map((kind) => KINDS[kind](members, hub)));
}

/** The options of a page with the adapter, by the protocol that it speaks with the relay. */
const SPOKEN = {
  'socket.io': (port) => ({ url: `http://127.0.0.1:${port}/`, protocol: 'socket.io' }),
  signalr: (port) => ({ url: `http://127.0.0.1:${port}/hub`, protocol: 'signalr', skipNegotiation: true }),
  'signalr-classic': (port) => ({ url: `http://127.0.0.1:${port}/signalr`, protocol: 'signalr-classic' }),
  sse: (port) => ({ url: `http://127.0.0.1:${port}/sse`, protocol: 'sse' }),
};

const HAS_REQUESTS = new Set(['signalr-classic', 'sse']);

/** What Chromium reports of connections that are lost. */
const LOST = [/ERR_|failed/];

function openSpeaking(protocol, port, members = {}) {
  return openConnection(browser, files.origin, SPOKEN[protocol](port), members);
}

function connected(page) {
  return page.evaluate(() => new Promise((done) => connection.connectSocket(done)));
}

for (const kinds of BOTH) {
  const room = (name) => `${name} of ${kinds[0]}`;
  describe(`${kinds[0]} opens, ${kinds[1]} joins`, () => {
    test('they talk, and a third joins', TIMEOUT, async () => {
      const pages = await pagesOf([...kinds, NEW]);
      assert.equal((await enter(pages[1], 'checkPresence', room('talk')))[0], false);
      assert.deepEqual((await enter(pages[0], 'open', room('talk')))[0], true);
      assert.equal((await enter(pages[1], 'checkPresence', room('talk')))[0], true);
      assert.deepEqual((await enter(pages[1], 'join', room('talk')))[0], true);
      await converse(pages.slice(0, 2), 'hello');
      assert.equal((await enter(pages[2], 'openOrJoin', room('talk')))[0], true);
      await converse(pages, 'all');
      await leave(pages);
    });

    test('a wrong password, and a full room', TIMEOUT, async () => {
      const pages = await pagesOf([...kinds, kinds[1]], { password: 'right', maxParticipantsAllowed: 2 });
      await pages[1].evaluate(() => (connection.password = 'wrong'));
      assert.equal((await enter(pages[0], 'open', room('locked')))[0], true);
      assert.deepEqual(await enter(pages[1], 'join', room('locked')), [false, room('locked'), 'Invalid password']);
      assert.deepEqual(await ask(pages[1], 'is-valid-password', 'right', room('locked')), [true, room('locked'), false]);
      await pages[1].evaluate(() => (connection.password = 'right'));
      assert.equal((await enter(pages[1], 'join', room('locked')))[0], true);
      await converse(pages.slice(0, 2), 'hello');
      assert.deepEqual(await enter(pages[2], 'join', room('locked')), [false, room('locked'), 'Room full']);
      await leave(pages);
    });

    test('the owner leaves, and the other is the initiator', TIMEOUT, async () => {
      const pages = await pagesOf([...kinds, ...kinds]);
      for (const [index, page] of pages.slice(0, 3).entries()) assert.equal((await enter(page, index ? 'join' : 'open', room('hand-over')))[0], true);
      await converse(pages.slice(0, 3), 'before');
      const [gone, ...rest] = pages;
      const owner = await userOf(gone);
      await leave([gone]);
      await rest[0].waitForFunction(() => connection.isInitiator);
      await saw(rest[0], 'offline', owner);
      assert.equal((await enter(rest[2], 'join', room('hand-over')))[0], true);
      await converse(rest, 'after');
      await leave(rest);
    });

    test('presence, public rooms, extra data', TIMEOUT, async () => {
      const pages = await pagesOf(kinds, { publicRoomIdentifier: kinds[0], extra: { name: 'é & "' } });
      assert.equal((await enter(pages[0], 'open', room('public')))[0], true);
      await connected(pages[1]);
      const [[listed, ...others]] = await ask(pages[1], 'get-public-rooms', kinds[0]);
      assert.deepEqual([listed.owner, listed.extra, listed.sessionid, others], [await userOf(pages[0]), { name: 'é & "' }, room('public'), []]);
      assert.equal((await enter(pages[1], 'join', room('public')))[0], true);
      await converse(pages, 'hello');
      await pages[0].evaluate(() => {
        connection.extra = { name: 'A' };
        connection.updateExtraData();
      });
      await saw(pages[1], 'extra', await userOf(pages[0]), { name: 'A' });
      await pages[0].evaluate(() => new Promise((done) => connection.closeEntireSession(done)));
      await pages[1].waitForFunction((name) => told.some(([what, room]) => what === 'closed' && room === name), room('public'));
      await leave(pages);
    });
  });
}

test('pages of two kinds that join at one moment are connected with each other', TIMEOUT, async () => {
  const pages = await pagesOf([OLD, NEW, OLD, NEW, OLD]);
  assert.equal((await enter(pages[0], 'open', 'at once'))[0], true);
  await joinTogether(pages.slice(1), 'at once');
  await converse(pages, 'all');
  await leave(pages);
});

test('of two kinds that open a room at one time, one has it', TIMEOUT, async () => {
  const pages = await pagesOf([OLD, NEW]);
  await Promise.all(pages.map(connected));
  for (let round = 0; round < 100; round += 1) {
    const request = { sessionid: `both ${round}`, session: { data: true }, extra: {}, password: '' };
    const answers = await Promise.all(pages.map((page) => ask(page, 'open-room', request)));
    assert.deepEqual(answers.map(([isOpen]) => isOpen).sort(), [false, true], JSON.stringify(answers));
  }
  await leave(pages);
});

test('an id that another kind of page has is taken', TIMEOUT, async () => {
  const pages = await pagesOf([OLD, NEW], { userid: 'same' });
  assert.equal((await enter(pages[0], 'open', 'ids'))[0], true);
  // The library joins again by itself, under a new id.
  await pages[1].evaluate(() => {
    connection.sessionid = 'ids';
    connection.connectSocket(() => {});
  });
  await converse(pages, 'hello');
  assert.notEqual(await userOf(pages[1]), 'same');
  await leave(pages);
});

test('a connection that is cut at any message of joining', TIMEOUT, async () => {
  for (const [what, direction] of [
    ['"query"', 'up'],
    ['"life"', 'down'],
    ['join-room', 'up'],
    ['"answer"', 'down'],
    ['newParticipationRequest', 'up'],
    ['"sdp"', 'up'],
    ['"sdp"', 'down'],
  ]) {
    const room = `cut ${what} ${direction}`;
    const owner = await KINDS[OLD]();
    assert.equal((await enter(owner, 'open', room))[0], true);
    let cuts = 0;
    const between = await proxy(() => server.port, {
      onmessage: (link, way, text) => (way === direction && text.includes(what) && (cuts += 1) === 1 ? 'cut' : undefined),
    });
    const guest = await openConnection(browser, files.origin, { url: between.url });
    assert.equal((await enter(guest, 'join', room))[0], true, room);
    await converse([owner, guest], 'hello');
    assert.ok(cuts > 1, room);
    await leave([owner, guest]);
    await between.close();
  }
});

test('a page that was away for too long joins again, and is connected again', TIMEOUT, async (context) => {
  const between = await proxy(() => server.port);
  context.after(() => between.close());
  const pages = [await KINDS[OLD](), await KINDS[NEW](), await openConnection(browser, files.origin, { url: between.url })];
  for (const [index, page] of pages.entries()) assert.equal((await enter(page, index ? 'join' : 'open', 'away'))[0], true);
  await converse(pages, 'before');
  const user = await userOf(pages[2]);
  between.refuse();
  between.cut();
  for (const page of pages.slice(0, 2)) await saw(page, 'offline', user);
  between.accept();
  await pages[2].waitForFunction(() => connection.socket.connected);
  assert.equal(await userOf(pages[2]), user);
  for (const page of pages) await page.waitForFunction(() => told.filter(([what]) => what === 'online').length > 2);
  await converse(pages, 'after');
  await leave(pages, [/WebSocket connection to '[^']*' failed/]);
});

/**
 * Four pages come together in a room, and so many milliseconds after they have begun their relay is
 * killed, and started again. `open` opens a page on the relay with that port.
 */
async function meetWhileKilled(open, wait) {
  let hub = await startRelay();
  const { port } = hub;
  try {
    const pages = [];
    for (let count = 0; count < 4; count += 1) pages.push(await open(port));
    assert.equal((await enter(pages[0], 'open', 'killed'))[0], true);
    await Promise.all(pages.slice(1).map(connected));
    const entered = pages.slice(1).map((page) => enter(page, 'join', 'killed'));
    await sleep(wait);
    await hub.kill();
    hub = await startRelay(['--listen', `127.0.0.1:${port}`]);
    for (const [index, answer] of (await Promise.all(entered)).entries()) {
      // Its owner wasn't back yet.
      if (answer[0] !== true) await until(async () => (await enter(pages[index + 1], 'join', 'killed'))[0] === true);
    }
    await converse(pages, 'all');
    await leave(pages, LOST);
  } finally {
    await hub.kill();
  }
}

test('the relay is killed while pages set up their connections, and they are connected in the end', TIMEOUT, async () => {
  for (const wait of [0, 20, 50, 90, 140]) await meetWhileKilled((port) => openConnection(browser, files.origin, { url: `ws://127.0.0.1:${port}/` }), wait);
});

test('the relay is killed and started again: the rooms are as they were', TIMEOUT, async (context) => {
  let hub = await startRelay();
  context.after(() => hub.kill());
  const pages = await pagesOf([NEW, NEW, NEW], { password: 'secret' }, hub);
  for (const [index, page] of pages.entries()) assert.equal((await enter(page, index ? 'join' : 'open', 'killed'))[0], true);
  await converse(pages, 'before');
  await hub.kill();
  await Promise.all(pages.map((page) => page.waitForFunction(() => !connection.socket.connected)));
  await converse(pages, 'without a relay');
  hub = await startRelay(['--listen', `127.0.0.1:${hub.port}`]);
  await Promise.all(pages.map((page) => page.waitForFunction(() => connection.socket.connected)));
  const late = await pagesOf([OLD, OLD], { password: 'secret' }, hub);
  await late[1].evaluate(() => (connection.password = 'wrong'));
  await until(async () => (await enter(late[0], 'join', 'killed'))[0] === true);
  assert.deepEqual((await enter(late[1], 'join', 'killed'))[2], 'Invalid password');
  await converse([...pages, late[0]], 'after');
  for (const page of pages) assert.deepEqual(await page.evaluate(() => [window.left, told.filter(([what]) => what === 'closed')]), [[], []]);
  await leave([...pages, ...late], NO_RELAY);
});

test('the page is what it was when another relay, without such rooms, takes the place, and back', TIMEOUT, async (context) => {
  let hub = await startRelay();
  context.after(() => hub.kill());
  const { port } = hub;
  const pages = await pagesOf([NEW, NEW], {}, hub);
  for (const [index, page] of pages.entries()) assert.equal((await enter(page, index ? 'join' : 'open', 'moved'))[0], true);
  await converse(pages, 'refereed');
  for (const start of [olderRelay, ({ port }) => startRelay(['--listen', `127.0.0.1:${port}`])]) {
    await hub.kill();
    await Promise.all(pages.map((page) => page.waitForFunction(() => !connection.socket.connected)));
    hub = await start({ port });
    await Promise.all(pages.map((page) => page.waitForFunction(() => connection.socket.connected)));
    const late = await KINDS[NEW]({}, hub);
    await until(async () => (await enter(late, 'join', 'moved'))[0] === true);
    await converse([...pages, late], 'moved');
    await leave([late]);
    await Promise.all(pages.map((page) => page.waitForFunction(() => connection.getAllParticipants().length === 1)));
  }
  const old = await KINDS[OLD]({}, hub);
  assert.equal((await enter(old, 'join', 'moved'))[0], true);
  await converse([...pages, old], 'refereed again');
  await leave([...pages, old], NO_RELAY);
});

for (const protocol of Object.keys(SPOKEN)) {
  describe(`with the adapter over ${protocol}`, () => {
    test('all kinds meet in one room; a wrong password; the owner leaves', TIMEOUT, async () => {
      const pages = [await openSpeaking(protocol, server.port, { password: 'right' }), await KINDS[OLD]({ password: 'wrong' }), await KINDS[NEW]({ password: 'right' })];
      const room = `all kinds, ${protocol}`;
      assert.equal((await enter(pages[0], 'open', room))[0], true);
      assert.deepEqual(await enter(pages[1], 'join', room), [false, room, 'Invalid password']);
      await pages[1].evaluate(() => (connection.password = 'right'));
      assert.equal((await enter(pages[1], 'join', room))[0], true);
      assert.equal((await enter(pages[2], 'join', room))[0], true);
      await converse(pages, 'all');
      const [gone, ...rest] = pages;
      const owner = await userOf(gone);
      await leave([gone]);
      await rest[0].waitForFunction(() => connection.isInitiator);
      await saw(rest[0], 'offline', owner);
      const late = await openSpeaking(protocol, server.port, { password: 'right' });
      assert.equal((await enter(late, 'openOrJoin', room))[0], true);
      await converse([...rest, late], 'after');
      await leave([...rest, late]);
    });

    test('a connection that is cut at any message of joining', TIMEOUT, async () => {
      // The proxy follows WebSockets, not the requests of the other two. Those are cut when there are
      // so many links, and when the guest has joined.
      const cuts = HAS_REQUESTS.has(protocol)
        ? [1, 2, Infinity].map((links) => [links])
        : [
            ['query', 'up'],
            ['life', 'down'],
            ['join-room', 'up'],
            ['answer', 'down'],
            ['newParticipationRequest', 'up'],
            ['sdp', 'up'],
            ['sdp', 'down'],
          ];
      for (const [what, direction] of cuts) {
        const room = `cut ${protocol} ${what} ${direction}`;
        const owner = await KINDS[OLD]();
        assert.equal((await enter(owner, 'open', room))[0], true);
        let count = 0;
        const onmessage = (link, way, text) => (way === direction && text.replaceAll('\\', '').includes(`"${what}"`) && (count += 1) === 1 ? 'cut' : undefined);
        const between = await proxy(() => server.port, direction ? { onmessage } : {});
        const guest = await openSpeaking(protocol, between.port);
        const joined = enter(guest, 'join', room);
        if (Number.isFinite(what)) await until(() => between.links().length >= what);
        if (what === Infinity) await joined;
        if (!direction) between.cut();
        assert.equal((await joined)[0], true, room);
        await converse([owner, guest], 'hello');
        if (direction) assert.ok(count > 1, `${room}: ${count}`);
        await leave([owner, guest], LOST);
        await between.close();
      }
    });

    test('the relay is killed while pages set up their connections', TIMEOUT, async () => {
      for (const wait of [30, 80]) await meetWhileKilled((port) => openSpeaking(protocol, port), wait);
    });

    test('the relay is killed and started again: the room is as it was', TIMEOUT, async (context) => {
      let hub = await startRelay();
      context.after(() => hub.kill());
      const pages = [await openSpeaking(protocol, hub.port), await openSpeaking(protocol, hub.port)];
      for (const [index, page] of pages.entries()) assert.equal((await enter(page, index ? 'join' : 'open', 'killed'))[0], true);
      await converse(pages, 'before');
      await hub.kill();
      await Promise.all(pages.map((page) => page.waitForFunction(() => !connection.socket.connected)));
      hub = await startRelay(['--listen', `127.0.0.1:${hub.port}`]);
      await Promise.all(pages.map((page) => page.waitForFunction(() => connection.socket.connected)));
      const late = await KINDS[OLD]({}, hub);
      await until(async () => (await enter(late, 'join', 'killed'))[0] === true);
      await converse([...pages, late], 'after');
      for (const page of pages) assert.deepEqual(await page.evaluate(() => [window.left, told.filter(([what]) => what === 'closed')]), [[], []]);
      await leave([...pages, late], LOST);
    });
  });
}
