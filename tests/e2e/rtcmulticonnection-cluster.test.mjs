// npm's RTCMultiConnection 3.7.1, unmodified, on relays that share NATS: pages with the real
// socket.io-client and pages with the adapter are in one room, whichever relay they reach.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { missingNats, nats } from '../support/nats.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { proxy } from '../support/proxy.mjs';
import { converse, enter, leave, openConnection, openServed, serveRooms } from '../support/rtcmulticonnection-pages.mjs';
import { MOUNTS, relay } from '../support/servers.mjs';

/* global connection, told -- of the pages */

const MOUNT_ARGS = ['/vendor/rtcmulticonnection-3', '/vendor/webrtc-adapter', '/socket.io', '/test-pages'].flatMap((prefix) => ['--mount', `${prefix}=${{ ...MOUNTS, ...TEST_MOUNTS }[prefix]}`]);

/** What pages report of a relay that is gone, or is killed while they connect. */
const NO_RELAY = [/ERR_CONNECTION_(REFUSED|RESET)/];

describe('on relays that share NATS', { skip: missingNats() }, () => {
  let browser;
  let files;
  let shared;
  before(async () => {
    [browser, files, shared] = await Promise.all([launchChromium(), serveRooms(), nats(3)]);
  }, TIMEOUT);
  after(() => Promise.all([browser?.close(), files?.close(), shared?.close()]), TIMEOUT);

  const start = () => relay({ args: [...MOUNT_ARGS, '--store', `nats://${shared.addresses.join(',')}`, '--store-replicas', '3'] });
  const openOld = (hub, members) => openServed(browser, hub.origin, members);
  const openNew = (hub, members) => openConnection(browser, files.origin, { url: `ws://127.0.0.1:${hub.port}/` }, members);
  const opening = { 'Socket.IO': openOld, 'the adapter': openNew };

  for (const opener of Object.keys(opening)) {
    for (const joiner of Object.keys(opening)) {
      test(`a page with ${opener} opens, one with ${joiner} joins on another relay`, TIMEOUT, async (context) => {
        const relays = [await start(), await start()];
        context.after(() => Promise.all(relays.map(({ close }) => close())));
        const room = `${opener} ${joiner}`;
        const pages = [await opening[opener](relays[0], { password: 'right' }), await opening[joiner](relays[1], { password: 'wrong' })];
        assert.equal((await enter(pages[0], 'open', room))[0], true);
        assert.equal((await enter(pages[1], 'checkPresence', room))[0], true);
        assert.deepEqual(await enter(pages[1], 'join', room), [false, room, 'Invalid password']);
        await pages[1].evaluate(() => (connection.password = 'right'));
        assert.equal((await enter(pages[1], 'join', room))[0], true);
        await converse(pages, 'hello');
        const third = await opening[joiner](relays[0], { password: 'right' });
        assert.equal((await enter(third, 'join', room))[0], true);
        await converse([...pages, third], 'all');
        // The opener leaves. Another one owns the room.
        await leave([pages.shift()]);
        await Promise.all([...pages, third].map((page) => page.waitForFunction(() => connection.getAllParticipants().length === 1)));
        await until(async () => {
          const owners = await Promise.all([...pages, third].map((page) => page.evaluate(() => connection.isInitiator)));
          return owners.filter(Boolean).length === 1;
        });
        await leave([...pages, third]);
      });
    }
  }

  test('the relay that keeps the rooms is killed: they are as they were', TIMEOUT, async (context) => {
    const relays = [await start(), await start()];
    let { port } = relays[0];
    // As a load balancer does.
    const gate = await proxy(() => port);
    context.after(() => Promise.all([gate.close(), ...relays.map(({ close }) => close())]));
    const pages = [await openNew(gate), await openNew(relays[1]), await openNew(relays[1])];
    for (const [index, page] of pages.entries()) assert.equal((await enter(page, index ? 'join' : 'open', 'killed'))[0], true);
    await converse(pages, 'before');
    ({ port } = relays[1]);
    // It may be back before the next frame.
    for (const page of pages) await page.evaluate(() => connection.socket.on('disconnect', () => (window.wasCut = true)));
    await relays[0].kill();
    // What a page has asked for while nobody kept the rooms may have gone with its connection.
    await Promise.all(pages.map((page) => page.waitForFunction(() => window.wasCut)));
    await Promise.all(pages.map((page) => page.waitForFunction(() => connection.socket.connected)));
    const late = await openOld(relays[1]);
    await until(async () => (await enter(late, 'join', 'killed'))[0] === true);
    await converse([...pages, late], 'after');
    for (const page of pages) assert.deepEqual(await page.evaluate(() => [window.left, told.filter(([what]) => what === 'closed')]), [[], []]);
    await leave([...pages, late], [...NO_RELAY, /WebSocket/]);
  });

  test('relays are restarted one after the other: the rooms are as they were', TIMEOUT, async (context) => {
    const relays = [await start(), await start()];
    const ports = relays.map(({ port }) => port);
    const gates = [];
    for (const index of relays.keys()) gates.push(await proxy(() => ports[index]));
    context.after(() => Promise.all([...gates.map(({ close }) => close()), ...relays.map(({ close }) => close())]));
    const publicRoomIdentifier = 'all';
    const pages = [await openNew(gates[0], { publicRoomIdentifier }), await openNew(gates[1], { publicRoomIdentifier })];
    for (const [index, page] of pages.entries()) assert.equal((await enter(page, index ? 'join' : 'open', 'rolled'))[0], true);
    await converse(pages, 'before');
    for (const index of relays.keys()) {
      const other = relays[1 - index];
      ports[index] = other.port;
      await relays[index].close();
      const late = await openNew(other);
      // Both are back.
      await until(async () => {
        const rooms = await late.evaluate((all) => new Promise((done) => connection.connectSocket(() => connection.socket.emit('get-public-rooms', all, done))), publicRoomIdentifier);
        return rooms.some(({ sessionid, participants }) => sessionid === 'rolled' && participants.length === 2);
      });
      assert.equal((await enter(late, 'join', 'rolled'))[0], true);
      await converse([...pages, late], `after ${index}`);
      await leave([late], [...NO_RELAY, /WebSocket/]);
      await Promise.all(pages.map((page) => page.waitForFunction(() => connection.getAllParticipants().length === 1)));
      relays[index] = await start();
      ports[index] = relays[index].port;
    }
    await leave(pages, [...NO_RELAY, /WebSocket/]);
  });
});
