// Rooms of npm's RTCMultiConnection 3.7.1, unmodified, when connections, servers and pages are
// lost.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { proxy } from '../support/proxy.mjs';
import { connectedTo, enter, openConnection, opener, saw, serveRooms, talk, userOf } from '../support/rtcmulticonnection-pages.mjs';
import { relay, seedServer } from '../support/servers.mjs';

/* global connection -- of the pages */

let browser;
let files;
let server;
before(async () => {
  [browser, files, server] = await Promise.all([launchChromium(), serveRooms(), seedServer()]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close(), server?.close()]), TIMEOUT);

describe('when connections are lost', { concurrency: 2 }, () => {
  test('in the middle of joining, at any message of it, the page joins all the same', TIMEOUT, async () => {
    for (const at of ['join', 'challenge', 'proof', 'room']) {
      let cuts = 0;
      const gate = await proxy(() => server.port, {
        onmessage(link, direction, text) {
          const isIt = at === 'proof' ? text.includes('"proof":') : text.includes(`"kind":"${at}"`);
          return isIt && (cuts += 1) === 1 ? 'cut' : undefined;
        },
      });
      const open = opener(browser, files.origin, server.url, { password: 'secret' });
      const pages = [await open(), await open({}, gate.url)];
      assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
      assert.equal((await enter(pages[1], 'join', 'room'))[0], true, at);
      for (const page of pages) await connectedTo(page, 1);
      assert.ok(cuts > 1, at);
      await Promise.all(pages.map((page) => page.context().close()));
      await gate.close();
    }
  });

  test('through our relay nothing that the library says is lost', TIMEOUT, async () => {
    const hub = await relay();
    let cuts = 0;
    const gate = await proxy(() => hub.port, { onmessage: (link, direction, text) => (text.includes('newParticipationRequest') || text.includes('"sdp"')) && (cuts += 1) < 4 ? 'cut' : undefined });
    const channel = 'cuts';
    const open = (url) => openConnection(browser, files.origin, { url, channel });
    const pages = [await open(hub.url), await open(gate.url)];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
    for (const page of pages) await connectedTo(page, 1);
    assert.ok(cuts >= 4);
    await Promise.all(pages.map((page) => page.context().close()));
    await gate.close();
    await hub.close();
  });

  for (const [name, start, end] of [
    ['a plain server', ({ port }) => seedServer({ port }), (server) => server.close()],
    ['our relay', ({ port }) => relay({ args: ['--listen', `127.0.0.1:${port}`] }), (server) => server.kill()],
  ]) {
    test(`${name} that is killed and started again finds the room as it was`, TIMEOUT, async () => {
      let hub = await start({ port: 0 });
      const { port } = hub;
      const open = () => openConnection(browser, files.origin, { url: hub.url, channel: 'restart' });
      const pages = [await open(), await open()];
      assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
      assert.equal((await enter(pages[1], 'join', 'room'))[0], true);
      for (const page of pages) await connectedTo(page, 1);
      await end(hub);
      await Promise.all(pages.map((page) => page.waitForFunction(() => !connection.socket.connected)));
      // Said while there is no server: the data channels go on.
      await talk(pages, 'without a server');
      hub = await start({ port });
      await Promise.all(pages.map((page) => page.waitForFunction(() => connection.socket.connected)));
      pages.push(await open());
      assert.equal((await enter(pages[2], 'join', 'room'))[0], true);
      for (const page of pages) await connectedTo(page, 2);
      await talk(pages, 'again');
      assert.deepEqual(await pages[0].evaluate(() => window.left), []);
      await Promise.all(pages.map((page) => page.context().close()));
      await end(hub);
    });
  }

  test('an owner that vanishes without a word is followed by another within seconds', TIMEOUT, async () => {
    const gate = await proxy(() => server.port);
    const open = opener(browser, files.origin, server.url);
    const pages = [await open({}, gate.url), await open(), await open()];
    assert.equal((await enter(pages[0], 'open', 'room'))[0], true);
    for (const page of pages.slice(1)) assert.equal((await enter(page, 'join', 'room'))[0], true);
    for (const page of pages) await connectedTo(page, 2);
    const owner = await userOf(pages[0]);
    for (const link of gate.links()) for (const way of ['up', 'down']) link.stall(way);
    await pages[1].waitForFunction(() => connection.isInitiator);
    await saw(pages[1], 'offline', owner);
    await gate.close();
    await Promise.all(pages.map((page) => page.context().close()));
  });
});
