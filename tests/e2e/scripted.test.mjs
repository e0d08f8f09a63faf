// The scripted SignalR servers of tests/support under the official clients: what these understand
// of them is what real servers say.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../support/browsers.mjs';
import { classicSignalRServer } from '../support/classic-signalr-server.mjs';
import { deadline, TIMEOUT, until } from '../support/deadline.mjs';
import { assertNoTroubles, openPage, rawClient, TEST_MOUNTS } from '../support/pages.mjs';
import { signalRServer } from '../support/signalr-server.mjs';

/* global $, connect, connected, connection, failure, handle, heard, hub, last, signalR, told -- of the pages */

let browser;
before(async () => {
  browser = await launchBrowser();
}, TIMEOUT);
after(() => browser?.close(), TIMEOUT);

/**
 * A page of the scripted server's own origin, with the script of a client on it and nothing else.
 */
async function clientPage(server, ...scripts) {
  const page = await openPage(browser, `${server.origin}/test-pages/bare.html`);
  for (const script of scripts) await page.addScriptTag({ url: script });
  return page;
}

describe('the scripted server of ASP.NET Core SignalR, and @microsoft/signalr', () => {
  let server;
  let page;
  before(async () => {
    server = await signalRServer({ files: TEST_MOUNTS });
    page = await clientPage(server, '/vendor/signalr-core/signalr.js');
    await page.evaluate(() => {
      // Tests get `hub`, with the messages it received and its changes of state.
      window.connect = async (options = {}, { reconnect, patience = 30_000 } = {}) => {
        await window.hub?.stop();
        window.heard = [];
        window.told = [];
        let builder = new signalR.HubConnectionBuilder().withUrl('/hub', options).configureLogging(signalR.LogLevel.None);
        if (reconnect) builder = builder.withAutomaticReconnect([0, 100, 100, 100]);
        window.hub = builder.build();
        hub.serverTimeoutInMilliseconds = patience;
        hub.on('onMessageReceived', (text) => heard.push(text));
        hub.on('question', (value) => ({ answer: value }));
        hub.onreconnecting((error) => told.push(`reconnecting: ${error?.message ?? ''}`));
        hub.onreconnected(() => told.push('reconnected'));
        hub.onclose((error) => told.push(`closed: ${error?.message ?? ''}`));
        await hub.start();
      };
      window.failure = (promise) => promise.then((value) => `no failure: ${JSON.stringify(value)}`, (error) => String(error?.message ?? error));
    });
  }, TIMEOUT);
  after(async () => {
    await page?.context().close();
    await server?.close();
  }, TIMEOUT);

  test('negotiate, handshake, an echo to all with the caller, a completion', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    assert.equal(server.connections(), 1);
    const completion = await page.evaluate(() => hub.invoke('Send', '{"message":1,"channel":"main"}'));
    assert.equal(completion, undefined);
    assert.deepEqual(await page.evaluate(() => heard), ['{"message":1,"channel":"main"}']);
    assert.deepEqual(server.received, ['{"message":1,"channel":"main"}']);
    assert.match(server.requests[0].url, /^\/hub\/negotiate\?negotiateVersion=1$/);
    assert.match(server.requests[1].url, /^\/hub\?id=[\w-]+$/);
  });

  test('a send without an id, hub methods in any case, an answer to an invocation by the server', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    await page.evaluate(() => hub.send('sEND', 'x'));
    await page.waitForFunction(() => heard.includes('x'));
    assert.deepEqual((await server.ask('question', 5)).map(({ result }) => result), [{ answer: 5 }]);
    const [completion] = await server.ask('nobody');
    assert.match(completion.error, /result/i);
  });

  test('an unknown method, a wrong count of arguments and a hub that throws complete with an error', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    assert.equal(await page.evaluate(() => failure(hub.invoke('Nope'))), "Unknown hub method 'Nope'");
    assert.match(await page.evaluate(() => failure(hub.invoke('Send'))), /^Failed to invoke 'Send'/);
    assert.match(await page.evaluate(() => failure(hub.invoke('Refuse', 'x'))), /HubException: not on this hub/);
  });

  test('several records in one frame', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    server.pack = true;
    const all = page.evaluate(() => Promise.all([hub.invoke('Send', 'a'), hub.invoke('Send', 'b')]));
    await until(() => server.waiting() === 4);
    server.pack = false;
    server.flush();
    await all;
    assert.deepEqual(await page.evaluate(() => heard), ['a', 'b']);
  });

  test('without negotiation, and with a redirect and its token', TIMEOUT, async () => {
    server.requests.length = 0;
    await page.evaluate(() => connect({ skipNegotiation: true, transport: signalR.HttpTransportType.WebSockets }));
    assert.deepEqual(server.requests.map(({ method, url }) => `${method} ${url}`), ['WebSocket /hub']);
    server.redirect = true;
    server.requests.length = 0;
    await page.evaluate(() => connect());
    server.redirect = false;
    assert.deepEqual(
      server.requests.map(({ method, url, token }) => [method, url.replace(/id=[\w-]+/, 'id=…'), token]),
      [
        ['POST', '/hub/negotiate?negotiateVersion=1', undefined],
        ['POST', '/elsewhere/hub/negotiate?asrs=1&negotiateVersion=1', 'granted-by-redirect'],
        ['WebSocket', '/elsewhere/hub?asrs=1&id=…&access_token=granted-by-redirect', 'granted-by-redirect'],
      ],
    );
  });

  test('401 until the token is right', TIMEOUT, async () => {
    server.token = 'right';
    assert.match(await page.evaluate(() => failure(connect())), /Status code '401'/);
    assert.match(await page.evaluate(() => failure(connect({ accessTokenFactory: () => 'wrong' }))), /Status code '401'/);
    await page.evaluate(() => connect({ accessTokenFactory: () => 'right' }));
    assert.equal(await page.evaluate(() => hub.state), 'Connected');
    server.token = undefined;
  });

  test('a handshake refused, a server that says HTML, a status', TIMEOUT, async () => {
    server.handshakeError = 'not today';
    assert.match(await page.evaluate(() => failure(connect())), /Server returned handshake error: not today/);
    server.handshakeError = undefined;
    server.negotiation = { type: 'text/html', body: '<!doctype html><title>hello</title>' };
    assert.match(await page.evaluate(() => failure(connect())), /Unexpected token|JSON/);
    server.negotiation = { body: { error: 'come back tomorrow' } };
    assert.match(await page.evaluate(() => failure(connect())), /come back tomorrow/);
    server.negotiation = { status: 404 };
    assert.match(await page.evaluate(() => failure(connect())), /404/);
    server.negotiation = undefined;
  });

  test('Close with allowReconnect and without', TIMEOUT, async () => {
    await page.evaluate(() => connect({}, { reconnect: true }));
    server.dismiss({ error: 'away', allowReconnect: true });
    await page.waitForFunction(() => told.includes('reconnected'));
    assert.match(await page.evaluate(() => told[0]), /^reconnecting: .*away/);
    await until(() => server.connections() === 1);
    server.dismiss({ error: 'for good' });
    await page.waitForFunction(() => told.some((line) => line.startsWith('closed')));
    assert.match(await page.evaluate(() => told.at(-1)), /for good/);
  });

  test('a cut line is reconnected, silence is noticed, a message too large ends the connection', TIMEOUT, async () => {
    await page.evaluate(() => connect({}, { reconnect: true }));
    server.drop();
    await page.waitForFunction(() => told.includes('reconnected'));
    await page.evaluate(() => connect({}, { patience: 300 }));
    server.silent = true;
    await page.waitForFunction(() => told.some((line) => /timeout/i.test(line)));
    server.silent = false;
    await page.evaluate(() => connect());
    await page.evaluate(() => hub.send('Send', 'x'.repeat(40_000)));
    await page.waitForFunction(() => told.some((line) => line.startsWith('closed')));
    assert.match(await page.evaluate(() => told.at(-1)), /Connection closed with an error/);
  });

  test('pings come, and a silent client is sent away', TIMEOUT, async () => {
    const brief = await signalRServer({ keepAlive: 50, clientTimeout: deadline(1_000), files: TEST_MOUNTS });
    const other = await clientPage(brief, '/vendor/signalr-core/signalr.js');
    await other.evaluate(async () => {
      window.told = [];
      window.hub = new signalR.HubConnectionBuilder().withUrl('/hub').configureLogging(signalR.LogLevel.None).build();
      hub.keepAliveIntervalInMilliseconds = 60_000;
      hub.onclose((error) => told.push(String(error)));
      await hub.start();
    });
    await other.waitForFunction(() => told.length > 0);
    assert.doesNotMatch(await other.evaluate(() => told[0]), /timeout/i);
    await other.context().close();
    const raw = await rawClient(brief.url.replace('http', 'ws'));
    raw.send('{"protocol":"json","version":1}\x1e');
    const [shaken, ...pings] = await raw.got(3);
    assert.deepEqual([shaken, ...pings.slice(0, 2)], ['{}\x1e', '{"type":6}\x1e', '{"type":6}\x1e']);
    await raw.got(1, (frame) => frame === '{"type":7,"allowReconnect":true}\x1e');
    await raw.close();
    await brief.close();
  });
});

describe('the scripted server of ASP.NET SignalR 2, and npm signalr', () => {
  let server;
  let page;
  before(async () => {
    server = await classicSignalRServer({ files: TEST_MOUNTS, keepAlive: 1 });
    page = await clientPage(server, '/vendor/jquery/jquery.js', '/vendor/signalr-classic/jquery.signalR.js');
    await page.evaluate(() => {
      window.connect = async ({ hub: name = 'webRtcHub3', options = {}, qs } = {}) => {
        window.connection?.stop();
        window.heard = [];
        window.told = [];
        window.connection = $.hubConnection('/signalr', { useDefaultPath: false, qs });
        connection.reconnectDelay = 100;
        window.hub = connection.createHubProxy(name);
        hub.on('onMessageReceived', (text) => heard.push(text));
        connection.stateChanged(({ newState }) => told.push({ 0: 'connecting', 1: 'connected', 2: 'reconnecting', 4: 'disconnected' }[newState]));
        connection.error((error) => told.push(`error: ${error.message}`));
        await new Promise((done, fail) => connection.start({ transport: 'webSockets', ...options }).done(done).fail(fail));
      };
      window.failure = (promise) => new Promise((done) => promise.then((value) => done(`no failure: ${JSON.stringify(value)}`), (error) => done(String(error?.message ?? error))));
    });
  }, TIMEOUT);
  after(async () => {
    await page?.context().close();
    await server?.close();
  }, TIMEOUT);

  test('negotiate, connect, start, an echo to all with the caller, a result', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    assert.equal(server.connections(), 1);
    await page.evaluate(() => hub.invoke('send', '{"message":1,"channel":"main"}'));
    await page.waitForFunction(() => heard.length === 1);
    assert.deepEqual(await page.evaluate(() => heard), ['{"message":1,"channel":"main"}']);
    assert.deepEqual(server.received, ['{"message":1,"channel":"main"}']);
    assert.deepEqual(server.requests.map(({ url }) => url.split('?')[0]), ['/signalr/negotiate', '/signalr/connect', '/signalr/start']);
    assert.deepEqual(server.invocations, [{ H: 'webrtchub3', M: 'send', A: ['{"message":1,"channel":"main"}'], I: 0 }]);
  });

  test('an unknown method, an exception of the hub and an unknown hub are errors', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    assert.equal(await page.evaluate(() => failure(hub.invoke('nope'))), "There was an error invoking Hub method 'webrtchub3.nope'.");
    server.detailed = true;
    assert.equal(await page.evaluate(() => failure(hub.invoke('nope'))), "'nope' method could not be resolved. No method found with that name.");
    server.detailed = false;
    assert.equal(await page.evaluate(() => failure(hub.invoke('refuse', 'x'))), 'not on this hub');
    assert.equal(await page.evaluate(() => failure(connect({ hub: 'other' }))), 'Error during negotiation request.');
    // A status 500 that belongs to this test.
    page.troubles.splice(0);
  });

  test('several messages in one frame', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    server.pack = true;
    await page.evaluate(() => Promise.all([hub.invoke('send', 'a'), hub.invoke('send', 'b')]));
    server.pack = false;
    server.flush();
    await page.waitForFunction(() => heard.length === 2);
    assert.deepEqual(await page.evaluate(() => heard), ['a', 'b']);
  });

  test('a cut line is reconnected from the last message on, with what was missed', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    server.call('onMessageReceived', 'before');
    await page.waitForFunction(() => heard.length === 1);
    server.requests.length = 0;
    server.drop();
    server.call('onMessageReceived', 'missed');
    await page.waitForFunction(() => heard.length === 2 && told.at(-1) === 'connected');
    assert.deepEqual(await page.evaluate(() => heard), ['before', 'missed']);
    assert.ok((await page.evaluate(() => told)).includes('reconnecting'));
    assert.match(server.requests[0].url, /^\/signalr\/reconnect\?transport=webSockets&messageId=d-/);
  });

  test('keep-alives count as signs of life, silence does not', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    assert.equal(await page.evaluate(() => connection._.keepAliveData.timeout), 2000);
    await page.evaluate(() => void (window.last = connection._.lastMessageAt));
    await page.waitForFunction(() => connection._.lastMessageAt > last);
    server.silent = true;
    await page.waitForFunction(() => told.includes('reconnecting'));
    server.silent = false;
    await page.waitForFunction(() => told.at(-1) === 'connected');
  });

  test('a global error ends the connection, stop aborts it on the server', TIMEOUT, async () => {
    await page.evaluate(() => connect());
    server.raw('{"E":"the end"}');
    await page.waitForFunction(() => told.includes('disconnected'));
    assert.ok((await page.evaluate(() => told)).includes('error: the end'));
    await page.evaluate(() => connect());
    server.requests.length = 0;
    await page.evaluate(() => connection.stop());
    await until(() => server.requests.some(({ method, url }) => method === 'POST' && url.startsWith('/signalr/abort?transport=webSockets')));
    await until(() => server.connections() === 0);
  });

  test('a redirect with its token; what is no negotiation', TIMEOUT, async () => {
    server.redirect = true;
    server.requests.length = 0;
    await page.evaluate(() => connect());
    server.redirect = false;
    const [first, second, socket] = server.requests.map(({ url, token }) => [url.split('?')[0], token]);
    assert.deepEqual([first, second, socket], [['/signalr/negotiate', undefined], ['/elsewhere/signalr/negotiate', 'granted-by-redirect'], ['/elsewhere/signalr/connect', 'granted-by-redirect']]);
    server.negotiation = { body: { availableTransports: [] } };
    assert.match(await page.evaluate(() => failure(connect())), /ASP\.NET Core SignalR Server/);
    server.negotiation = { type: 'text/html', body: '<!doctype html>' };
    assert.match(await page.evaluate(() => failure(connect())), /parsing negotiate response|negotiation/);
    server.negotiation = undefined;
    server.started = { body: { Response: 'later' } };
    assert.match(await page.evaluate(() => failure(connect())), /Invalid start response/);
    server.started = undefined;
  });

  test('the generated script, as the seed’s page uses it', TIMEOUT, async () => {
    const seed = [await openPage(browser, `${server.origin}/test-pages/seed-signalr-classic.html`), await openPage(browser, `${server.origin}/test-pages/seed-signalr-classic.html`)];
    for (const old of seed) await old.waitForFunction(() => connected());
    await seed[0].evaluate(() => handle.send({ hello: 'world' }));
    for (const old of seed) {
      // Such a hub hands every message back to its sender too.
      await old.waitForFunction(() => heard.length === 1);
      assert.deepEqual(await old.evaluate(() => heard), [{ hello: 'world' }]);
    }
    assert.ok(server.requests.some(({ url }) => url.startsWith('/signalr/hubs/negotiate')));
    assertNoTroubles(seed);
    await Promise.all(seed.map((old) => old.context().close()));
  });
});
