// HTTP requests of signal-wasm to servers of another origin: cookies, headers, CORS; and a reverse
// proxy in front of a hub.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { folderProxy } from '../support/folder-proxy.mjs';
import { handOn, missingNginx, nginx } from '../support/nginx.mjs';
import {
  classicSignalRServer,
  converse,
  files,
  firstError,
  hears,
  join,
  leave,
  leaveFailing,
  send,
  setUp,
  signalRServer,
  sseServer,
  start,
  tearDown,
  TEXTS,
} from '../support/protocol-pages.mjs';
import { relay } from '../support/servers.mjs';

/* global heard, signaling -- of the pages */

before(setUp, TIMEOUT);
/** They end with the file: a page that leaves may have a last request. */
const relays = [];
after(async () => {
  await tearDown();
  await Promise.all(relays.map((server) => server.kill()));
}, TIMEOUT);

describe('cookies and headers', { concurrency: 3 }, () => {
  const signalr = (server, options) => ({ url: server.url, protocol: 'signalr', ...options });

  test('a server that knows its clients by a cookie is reached', TIMEOUT, async () => {
    const server = await signalRServer();
    server.affinity = true;
    const ours = await join(signalr(server));
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    // Without cookies in requests, the browser keeps none of an answer.
    await ours.evaluate(() => signaling.close());
    await ours.context().clearCookies();
    await start(ours, signalr(server, { credentials: 'same-origin', reconnect: false }));
    assert.match((await firstError(ours)).message, /no connection/);
    await leaveFailing(ours);
  });

  test('an expired login is reported as such, and a login lets the page in', TIMEOUT, async () => {
    const server = await signalRServer();
    server.login = 'login=me';
    const ours = await join(signalr(server), { wait: false });
    const error = await firstError(ours);
    assert.equal(error.code, 'authentication-refused');
    assert.match(error.message, /401/);
    await ours.context().addCookies([{ name: 'login', value: 'me', url: server.origin }]);
    await start(ours, signalr(server));
    await send(ours, ['1']);
    await until(() => server.received.length === 1);
    await leaveFailing(ours);
  });

  test('the page’s headers reach the server', TIMEOUT, async () => {
    const server = await signalRServer();
    const ours = await join(signalr(server, { headers: { 'X-Api-Key': 'key', 'x-requested-with': 'mine' } }));
    const [{ headers }] = server.requests;
    assert.equal(headers['x-api-key'], 'key');
    assert.equal(headers['x-requested-with'], 'mine');
    await leave(ours);
  });

  test('a server that allows all origins is only reached without cookies', TIMEOUT, async () => {
    const core = await signalRServer();
    core.anyOrigin = true;
    const events = await sseServer({ cors: '*' });
    for (const options of [signalr(core), { url: events.url, protocol: 'sse' }]) {
      const ours = await join({ ...options, reconnect: false }, { wait: false });
      assert.match((await firstError(ours)).message, /set the option credentials to 'same-origin'/);
      await start(ours, { ...options, credentials: 'same-origin' });
      await send(ours, ['1']);
      const server = options.protocol === 'sse' ? events : core;
      await until(() => server.received.length === 1);
      await leaveFailing(ours);
    }
  });

  test('no preflight is made where the official client makes none', TIMEOUT, async () => {
    const preflights = [];
    const watched = await sseServer();
    const classic = await classicSignalRServer();
    const ours = await join({ url: watched.url, protocol: 'sse' });
    await send(ours, ['1']);
    await until(() => watched.received.length === 1);
    preflights.push(...watched.requests.filter(({ method }) => method === 'OPTIONS'));
    await start(ours, { url: classic.url, protocol: 'signalr-classic' });
    await send(ours, ['1']);
    await until(() => classic.received.length === 1);
    preflights.push(...classic.requests.filter(({ method }) => method === 'OPTIONS'));
    assert.deepEqual(preflights, []);
    await leave(ours);
  });
});

describe('our relay and pages of another origin', { concurrency: 3 }, () => {
  const KINDS = {
    'signalr': (origin) => ({ url: `${origin}/hub`, protocol: 'signalr' }),
    'signalr-classic': (origin) => ({ url: `${origin}/signalr`, protocol: 'signalr-classic' }),
    'sse': (origin) => ({ url: `${origin}/sse`, protocol: 'sse' }),
  };

  /** A relay on all interfaces, which takes no page of another origin unless `--origin` says so. */
  async function running(...origins) {
    const args = ['--listen', '0.0.0.0:0', '--open', ...origins.flatMap((origin) => ['--origin', origin])];
    const server = await relay({ args });
    relays.push(server);
    return `http://127.0.0.1:${server.port}`;
  }

  for (const [kind, options] of Object.entries(KINDS)) {
    for (const allowed of ['the page’s origin', '*']) {
      test(`${kind}: allowed by --origin ${allowed}`, TIMEOUT, async () => {
        const origin = await running(allowed === '*' ? '*' : files.origin);
        const one = await join(options(origin));
        const other = await join({ ...options(origin), headers: { 'X-Api-Key': 'key' } });
        await converseOn(one, other);
        await leave(one, other);
      });
    }

    test(`${kind}: not allowed`, TIMEOUT, async () => {
      const origin = await running('https://example.org');
      const ours = await join({ ...options(origin), reconnect: false }, { wait: false });
      await ours.waitForFunction(() => signaling.state === 'closed');
      assert.equal(await ours.evaluate(() => signaling.stats().connects), 0);
      // What Chromium says of it would otherwise be another test's.
      await until(() => ours.troubles.length > 0);
      await leaveFailing(ours);
    });
  }

  async function converseOn(one, other) {
    for (const [from, to] of [[one, other], [other, one]]) {
      await to.evaluate(() => void heard.splice(0));
      await send(from, TEXTS);
      await hears(to, TEXTS);
    }
  }
});

/** Each stands in front of a loopback port, with one folder. */
const FOLDER_PROXIES = {
  'a reverse proxy that redirects a folder without its slash': {
    make: (folder, port) => folderProxy(folder, port),
    skip: false,
  },
  'nginx': {
    make: (folder, port) => nginx(`location ${folder} {${handOn(port)}\n    }`),
    skip: missingNginx(),
  },
};

for (const [name, { make, skip }] of Object.entries(FOLDER_PROXIES)) {
  describe(name, { concurrency: 3, skip }, () => {
    async function hub(t) {
      const server = await signalRServer({ path: '/rt' });
      const proxy = await make('/rt/', server.port);
      t.after(() => proxy.close());
      return { server, origin: proxy.origin, url: `${proxy.origin}/rt/` };
    }

    test('an address without its last slash is redirected', TIMEOUT, async (t) => {
      const { origin, url } = await hub(t);
      const answer = await fetch(url.slice(0, -1), { redirect: 'manual' });
      assert.equal(answer.status, 301);
      assert.equal(new URL(answer.headers.get('location'), origin).href, url);
    });

    test('a hub behind it is reached at its address', TIMEOUT, async (t) => {
      const { server, url } = await hub(t);
      const [one, other] = await Promise.all([
        join({ url, protocol: 'signalr' }),
        join({ url, protocol: 'signalr', skipNegotiation: true }),
      ]);
      await converse(one, other, { echo: true });
      assert.ok(server.requests.every(({ url }) => url.startsWith('/rt/')));
      await leave(one, other);
    });

    test('a hub behind it is reached by a redirection', TIMEOUT, async (t) => {
      const { url } = await hub(t);
      const front = await signalRServer();
      front.negotiation = { body: { url } };
      const ours = await join({ url: front.url, protocol: 'signalr', accessToken: 'secret', query: { room: 'red' } });
      await send(ours, ['1']);
      await leave(ours);
    });
  });
}

describe('a hub that redirects to another origin', { concurrency: 3 }, () => {
  for (const [protocol, make] of [
    ['signalr', signalRServer],
    ['signalr-classic', classicSignalRServer],
  ]) {
    test(`${protocol}: gets no token of the page’s, unless it brings one`, TIMEOUT, async () => {
      for (const granted of [undefined, 'granted']) {
        // New ones each time: the last request of a page that leaves may come late.
        const [front, other] = await Promise.all([make({ token: 'secret' }), make()]);
        front.negotiation = {
          body:
            protocol === 'signalr'
              ? { url: other.url, accessToken: granted }
              : { RedirectUrl: other.url, AccessToken: granted, ProtocolVersion: '2.1' },
        };
        const ours = await join({ url: front.url, protocol, accessToken: 'secret' });
        await send(ours, ['1']);
        await until(() => other.received.length > 0);
        assert.deepEqual([...new Set(front.requests.map(({ token }) => token))], ['secret']);
        assert.deepEqual([...new Set(other.requests.map(({ token }) => token))], [granted]);
        assert.ok(!JSON.stringify(other.requests).includes('secret'));
        await leave(ours);
      }
    });
  }
});
