// `signal-wasm/room` and `signal-wasm/call` in real pages: who is there, what they say, and the
// pictures that they see of each other.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchBrowser } from '../support/browsers.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { missingNats, nats } from '../support/nats.mjs';
import { olderRelay } from '../support/older-relay.mjs';
import { assertNoTroubles, openPage, rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { DIRECTIONS, proxy } from '../support/proxy.mjs';
import { MOUNTS, relay, seedServer } from '../support/servers.mjs';
import { socketIoServer } from '../support/socket-io-server.mjs';

/* global call, channels, enter, names, picture, room, seen, signaling -- of the pages */

let browser;
let files;
before(async () => {
  [browser, files] = await Promise.all([launchBrowser(), serveFiles({ ...MOUNTS, ...TEST_MOUNTS })]);
}, TIMEOUT);
after(() => Promise.all([browser?.close(), files?.close()]), TIMEOUT);

const pages = [];
afterEach(() => Promise.all(pages.splice(0).map((page) => page.context().close())), TIMEOUT);

/** A page in the room. */
async function join(server, name, members = {}) {
  const page = await openPage(browser, `${files.origin}/test-pages/call.html`);
  pages.push(page);
  page.server = server;
  page.named = name;
  page.members = members;
  await page.waitForFunction(() => window.ready);
  await enterRoom(page);
  return page;
}
const enterRoom = (page) => page.evaluate((members) => window.join(members), { name: page.named, options: { url: page.server.url, protocol: page.server.protocol ?? 'auto' }, ...page.members });

const told = (page, ...wanted) => page.waitForFunction((wanted) => window.told.some((what) => wanted.every((value, index) => JSON.stringify(what[index]) === JSON.stringify(value))), wanted);
const knows = (page, others) => page.waitForFunction((others) => JSON.stringify(names()) === JSON.stringify(others), others);
const sees = (page, others) => page.waitForFunction((others) => JSON.stringify(seen()) === JSON.stringify(others), others);
const others = (page, all) => all.filter((other) => other !== page).map(({ named }) => named).sort();
const allKnow = (all) => Promise.all(all.map((page) => knows(page, others(page, all))));
async function allSee(all) {
  try {
    await Promise.all(all.map((page) => sees(page, others(page, all))));
  } catch (error) {
    const states = () => [...call.peers.values()].map(({ data, state, connection }) => [data.name, state, connection?.signalingState, connection?.getSenders().length]);
    const seen = await Promise.all(all.map((page) => page.evaluate(states)));
    throw new Error(JSON.stringify([seen, await Promise.all(all.map((page) => page.evaluate(() => window.told)))]), { cause: error });
  }
}

const SERVERS = {
  'our relay': () => relay(),
  'a plain WebSocket server': () => seedServer(),
  'a Socket.IO server': async () => ({ ...(await socketIoServer()), protocol: 'socket.io' }),
};

for (const [name, start] of Object.entries(SERVERS)) {
  for (const password of [undefined, 'a password']) {
    describe(`over ${name}${password ? ', with a password' : ''}`, () => {
      let server;
      before(async () => {
        const { protocol, ...started } = await start();
        server = { ...started, url: started.url, protocol };
      }, TIMEOUT);
      after(() => server?.close(), TIMEOUT);

      test('three pages meet, speak and see each other', TIMEOUT, async () => {
        const all = [await join(server, 'Ann', { password }), await join(server, 'Bob', { password }), await join(server, 'Cid', { password })];
        const [ann, bob, cid] = all;
        await allKnow(all);
        await ann.evaluate(() => room.send({ text: 'to all' }));
        await Promise.all([bob, cid].map((page) => told(page, 'message', 'Ann', { text: 'to all' }, false)));
        await cid.evaluate(() => [...room.peers.values()].find(({ data }) => data.name === 'Bob').send('to Bob'));
        await told(bob, 'message', 'Cid', 'to Bob', true);
        assert.equal(await ann.evaluate(() => window.told.some(([, , message]) => message === 'to Bob')), false);

        for (const page of all) await page.evaluate(() => enter({ dataChannels: { chat: {} } }));
        await allSee(all);
        await Promise.all(all.flatMap((page) => others(page, all).map((other) => told(page, 'open', other, 'chat'))));
        await ann.evaluate(() => channels.get('Bob chat').send('by a data channel'));
        await told(bob, 'data', 'Ann', 'chat', 'by a data channel');

        await bob.evaluate(() => call.hangUp());
        await Promise.all([ann, cid].map((page) => told(page, 'call leave', 'Bob')));
        await allSee([ann, cid]);
        await allKnow(all);
        await cid.close();
        await knows(ann, ['Bob']);
        assertNoTroubles([ann, bob]);
      });
    });
  }
}

describe('on two relays that share NATS', { skip: missingNats() }, () => {
  const ending = [];
  after(async () => {
    for (const end of ending.reverse()) await end();
  }, TIMEOUT);

  let args;
  before(async () => {
    const shared = await nats();
    ending.push(shared.close);
    args = ['--store', `nats://127.0.0.1:${shared.ports[0]}`];
  }, TIMEOUT);

  test('a page that vanishes is missed on the other', TIMEOUT, async () => {
    const [first, second] = [await relay({ args }), await relay({ args })];
    ending.push(first.close, second.close);
    const gate = await proxy(() => second.port);
    const all = [await join(first, 'Ann'), await join(second, 'Bob'), await join(gate, 'Cid')];
    const [ann, bob] = all;
    await allKnow(all);
    // It can't say a word.
    await gate.close();
    await Promise.all([ann, bob].map((page) => told(page, 'leave', 'Cid')));
    await allKnow([ann, bob]);
    assertNoTroubles([ann, bob]);
  });

  test('a call comes up though one of them is killed while it is set up', TIMEOUT, async () => {
    const [first, second] = [await relay({ args }), await relay({ args })];
    ending.push(first.kill, second.close);
    // As a load balancer does.
    let { port } = first;
    const gate = await proxy(() => port);
    ending.push(gate.close);
    const all = [await join(gate, 'Ann'), await join(second, 'Bob')];
    const [ann, bob] = all;
    await allKnow(all);
    await ann.evaluate(() => enter({ dataChannels: { chat: {} } }));
    ({ port } = second);
    await Promise.all([first.kill(), bob.evaluate(() => enter({ dataChannels: { chat: {} } }))]);
    await allSee(all);
    await ann.evaluate(() => room.send('from the other relay'));
    await told(bob, 'message', 'Ann', 'from the other relay', false);
    await bob.evaluate(() => room.send('and back'));
    await told(ann, 'message', 'Bob', 'and back', false);
    assert.equal(await ann.evaluate(() => window.told.filter(([what]) => what === 'leave').length), 0);
    assertNoTroubles([bob]);
  });
});

describe('a call', () => {
  let server;
  before(async () => {
    server = await relay();
  }, TIMEOUT);
  after(() => server?.close(), TIMEOUT);

  test('of four that enter at the same moment', TIMEOUT, async () => {
    const all = await Promise.all(['Ann', 'Bob', 'Cid', 'Dee'].map((name) => join(server, name)));
    await Promise.all(all.map((page) => page.evaluate(() => enter())));
    await allSee(all);
    assertNoTroubles(all);
  });

  test('with one that only watches, and tracks that come and go later', TIMEOUT, async () => {
    const [ann, bob] = [await join(server, 'Ann'), await join(server, 'Bob')];
    await ann.evaluate(() => enter({ sends: false, dataChannels: { chat: {} } }));
    await bob.evaluate(() => enter({ dataChannels: { chat: {} } }));
    await sees(ann, ['Bob']);
    assert.deepEqual(await bob.evaluate(() => seen()), []);
    await ann.evaluate(() => {
      window.mine = picture();
      call.addTrack(window.mine.getTracks()[0], window.mine);
    });
    await sees(bob, ['Ann']);
    await ann.evaluate(async () => {
      const other = picture().getTracks()[0];
      await call.replaceTrack(window.mine.getTracks()[0], other);
      call.removeTrack(other);
    });
    await bob.waitForFunction(() => document.querySelector('video').srcObject.getTracks().every(({ muted }) => muted) || document.querySelector('video').srcObject.getTracks().length === 0);
    await sees(ann, ['Bob']);
    assertNoTroubles([ann, bob]);
  });

  test('with a peer that loads its page again', TIMEOUT, async () => {
    const all = [await join(server, 'Ann'), await join(server, 'Bob')];
    const [ann, bob] = all;
    for (const page of all) await page.evaluate(() => enter());
    await allSee(all);
    await bob.reload();
    await bob.waitForFunction(() => window.ready);
    await told(ann, 'call leave', 'Bob');
    await enterRoom(bob);
    await bob.evaluate(() => enter());
    await allSee(all);
    assert.deepEqual(await ann.evaluate(() => window.told.filter(([what]) => what === 'call join').length), 2);
    assertNoTroubles([ann, bob]);
  });

  test('with a peer that closes its page: it isn\'t waited for', TIMEOUT, async () => {
    const all = [await join(server, 'Ann'), await join(server, 'Bob')];
    const [ann, bob] = all;
    for (const page of all) await page.evaluate(() => enter());
    await allSee(all);
    // The time that a lost peer has to come back never ends.
    await ann.evaluate(() => {
      const { setTimeout } = window;
      window.setTimeout = (act, time, ...rest) => (time === 15_000 ? 0 : setTimeout(act, time, ...rest));
    });
    await bob.close({ runBeforeUnload: true });
    await told(ann, 'call leave', 'Bob');
    assertNoTroubles([ann]);
  });

  test('whose servers are asked for, or can\'t be had', TIMEOUT, async () => {
    const all = [await join(server, 'Ann'), await join(server, 'Bob')];
    const [ann, bob] = all;
    await ann.evaluate(() => {
      window.asked = 0;
      enter({
        iceServers: async () => {
          window.asked += 1;
          return [{ urls: 'stun:127.0.0.1:9' }];
        },
      });
    });
    await bob.evaluate(() => enter({ iceServers: () => Promise.reject(new Error('no credentials')) }));
    await allSee(all);
    assert.equal(await ann.evaluate(() => window.asked), 1);
    assert.deepEqual(await ann.evaluate(() => [...call.peers.values()][0].connection.getConfiguration().iceServers[0].urls), ['stun:127.0.0.1:9']);
    await told(bob, 'call error', 'ice-servers');
    // Asked for again when other paths are looked for.
    await ann.evaluate(() => call.restart());
    await ann.waitForFunction(() => window.asked === 2);
    await allSee(all);
  });

  test('is set up though the connection is cut in the middle', TIMEOUT, async () => {
    const cut = await proxy(() => server.port);
    try {
      const ann = await join(server, 'Ann');
      const bob = await join({ ...server, url: `ws://127.0.0.1:${cut.port}/` }, 'Bob');
      await allKnow([ann, bob]);
      await Promise.all([ann.evaluate(() => enter()), bob.evaluate(() => enter()), cut.cut()]);
      await allSee([ann, bob]);
      assertNoTroubles([ann]);
    } finally {
      await cut.close();
    }
  });

  test('stays while the relay is gone, and goes on with the next one', TIMEOUT, async () => {
    const own = await relay();
    const all = [await join(own, 'Ann'), await join(own, 'Bob')];
    const [ann, bob] = all;
    for (const page of all) await page.evaluate(() => enter());
    await allSee(all);
    const { port } = own;
    await own.close();
    await Promise.all(all.map((page) => page.waitForFunction(() => signaling.state !== 'open')));
    const next = await relay({ args: ['--listen', `127.0.0.1:${port}`] });
    try {
      await Promise.all(all.map((page) => page.waitForFunction(() => signaling.state === 'open')));
      await ann.evaluate(() => room.send('still here'));
      await told(bob, 'message', 'Ann', 'still here', false);
      await allSee(all);
      for (const page of all) assert.deepEqual(await page.evaluate(() => window.told.filter(([what]) => what === 'leave' || what === 'call leave')), []);
    } finally {
      await next.close();
    }
  });
});

/** What a relay serves, by the protocol's name. */
const ON_OUR_RELAY = {
  'relay': ({ port }) => `ws://127.0.0.1:${port}/`,
  'socket.io': ({ port }) => `http://127.0.0.1:${port}/`,
  'signalr': ({ port }) => `http://127.0.0.1:${port}/hub`,
  'signalr-classic': ({ port }) => `http://127.0.0.1:${port}/signalr`,
};

describe('the members of a room on our relay', () => {
  let server;
  before(async () => {
    server = await relay();
  }, TIMEOUT);
  after(() => server?.close(), TIMEOUT);

  test('miss one whose connection is dead, and have it again, in every protocol', TIMEOUT, async (context) => {
    const listener = await rawClient(server.url);
    context.after(() => listener.close());
    await Promise.all(
      Object.entries(ON_OUR_RELAY).map(async ([protocol, address]) => {
        const network = await proxy(() => server.port);
        context.after(() => network.close());
        const ann = await join({ protocol, url: address(server) }, 'Ann', { room: protocol });
        const bob = await join({ protocol, url: address(network) }, 'Bob', { room: protocol });
        await allKnow([ann, bob]);
        // Not a word from now on, and no end of the connection either.
        network.refuse();
        for (const link of network.links()) for (const direction of DIRECTIONS) link.stall(direction);
        await told(ann, 'leave', 'Bob');
        network.accept();
        network.cut();
        await allKnow([ann, bob]);
        assert.deepEqual(await bob.evaluate(() => window.told.filter(([what]) => what === 'leave')), []);
      }),
    );
    // Nobody had to say or to ask for signs of life.
    const said = listener.frames.map((frame) => JSON.parse(frame)).filter(({ channel }) => channel in ON_OUR_RELAY);
    assert.ok(said.some(({ message }) => message.kind === 'hello'));
    assert.deepEqual(said.filter(({ message }) => message.kind === 'beat' || message.kind === 'ping'), []);
  });

  test('stay when their connection is cut', TIMEOUT, async (context) => {
    const network = await proxy(() => server.port);
    context.after(() => network.close());
    const all = [await join(server, 'Ann'), await join({ url: network.url }, 'Bob')];
    const [ann, bob] = all;
    await allKnow(all);
    const connects = await bob.evaluate(() => signaling.stats().connects);
    network.cut();
    await bob.waitForFunction((connects) => signaling.state === 'open' && signaling.stats().connects > connects, connects);
    // Those who are there hear of whoever comes now.
    const cid = await join(server, 'Cid');
    await allKnow([ann, bob, cid]);
    assert.deepEqual(await ann.evaluate(() => window.told.filter(([what]) => what === 'leave')), []);
  });

  // What one says is lost, or what it hears.
  for (const direction of DIRECTIONS) {
    test(`set up their call though one was lost in the middle: ${direction}`, TIMEOUT, async (context) => {
      const network = await proxy(() => server.port);
      context.after(() => network.close());
      const [ann, bob] = [await join(server, 'Ann'), await join({ url: network.url }, 'Bob')];
      await allKnow([ann, bob]);
      const [first, second] = direction === 'up' ? [bob, ann] : [ann, bob];
      await first.evaluate(() => enter());
      for (const link of network.links()) link.stall(direction);
      network.refuse();
      await second.evaluate(() => enter());
      await told(first, 'call join', second.named);
      await told(ann, 'leave', 'Bob');
      network.accept();
      network.cut();
      await allSee([ann, bob]);
    });
  }
});

test('the members of a room ask each other on an older relay', TIMEOUT, async (context) => {
  const server = await olderRelay();
  context.after(() => server.kill());
  const listener = await rawClient(server.url);
  context.after(() => listener.close());
  listener.send(JSON.stringify({ open: ['lobby'] }));
  const all = [await join(server, 'Ann'), await join(server, 'Bob')];
  await allKnow(all);
  await listener.got(2, (frame) => JSON.parse(frame).message?.kind === 'beat');
});
