// Server-sent events and POST requests, on stand-ins for EventSource, fetch and the clock.
//
// What's tested
// * addresses, requests and events; ids, gaps, and where a stream begins
// * a stream that is lost, refused or closed leaves no listener and no open EventSource behind
// * browsers without EventSource, or that refuse to make one
// * which requests are kept alive for a page that is closed; how long an answer may take; what
//   Retry-After says; a fetch that throws
// * a request doesn't end with its stream, nor with the page that goes into the cache

import {
  clock,
  equal,
  frame,
  isOurs,
  Notes,
  noting,
  ok,
  pageEvents,
  refused,
  requests,
  settled,
  Signaling,
  streams,
  untyped,
} from './support/index.js';

/** A signaling with the channel `room` open on a stream that is asked for. */
function opened(options = {}) {
  const page = new Notes();
  const signaling = new Signaling({
    url: 'ws://server.test/events',
    protocol: 'sse',
    onstatechange: (state, { reason }) => page.taker(state)(reason),
    onerror: page.taker('onerror'),
    ongap: page.taker('ongap'),
    ...options,
  });
  const { notes, config } = noting({ channel: 'room' });
  const handle = signaling.openSocket(config);
  return { signaling, handle, notes, page };
}

/** The same, with the stream open. */
function up(options = {}) {
  const one = opened(options);
  streams.at(-1).accept();
  one.page.take();
  return one;
}

/** The next attempt's stream, when it comes. */
function nextStream() {
  const before = streams.length;
  for (let wait = 0; wait < 20_000 && streams.length === before; wait += 500) clock.advance(500);
  equal(streams.length, before + 1, 'streams');
  return streams.at(-1);
}

/** Lets the server take what is sent, as long as something is. */
async function takeAll() {
  for (let at = 0; at < requests.length; at += 1) {
    requests[at].answer('', 204);
    await settled();
  }
}

const messages = () => requests.map(({ body }) => JSON.parse(body).message);

export async function from_the_first_request_to_open() {
  const { signaling, handle, page } = opened({ url: 'https://server.test/events?mine=a%20b', query: { yours: 1 } });
  handle.send('early');
  const [stream] = streams;
  const { client } = stream.query;
  ok(/^[0-9a-f]{32}$/.test(client), client);
  equal(stream.url, `https://server.test/events?mine=a%20b&yours=1&client=${client}`);
  equal([page.take().map(([state]) => state), requests.length], [['connecting'], 0]);
  stream.accept();
  equal(page.take(), [['open', 'connected']]);
  const [{ url, method, body, headers, redirect, signal, keepalive, rest }] = requests;
  equal(url, `https://server.test/events?mine=a%20b&yours=1&client=${client}&ref=1`);
  equal([method, headers, redirect, keepalive, rest], ['POST', {}, 'manual', true, { credentials: 'include' }]);
  equal(body, JSON.stringify({ sender: signaling.userid, channel: 'room', message: 'early' }));
  ok(signal instanceof AbortSignal && !signal.aborted, 'it can be aborted');
  equal(clock.timers > 0, true);
  requests[0].answer('', 204);
  await signaling.flushed();
  // Not even a timer is left, but that of the channel's readiness.
  clock.advance(1_000);
  equal(clock.timers, 0);
  const other = opened();
  ok(streams[1].query.client !== client, 'another page has another name');
  other.signaling.close();
}

export async function one_request_at_a_time() {
  const { signaling, handle } = up();
  const frames = [];
  signaling.onframe = (kind, text) => frames.push([kind, JSON.parse(String(text)).message]);
  for (let number = 1; number <= 5; number += 1) handle.send(number);
  for (let number = 1; number <= 5; number += 1) {
    equal([messages().length, messages().at(-1)], [number, number]);
    requests.at(-1).answer('', 200);
    await settled();
  }
  equal([signaling.stats().sent, signaling.stats().queued], [5, 0]);
  equal(frames, [1, 2, 3, 4, 5].map((number) => ['sent', number]));
}

export function events_and_their_ids() {
  const { signaling, notes, page } = up();
  const [stream] = streams;
  stream.deliver(frame('room', 1), { id: 'e-1' });
  stream.deliver(frame('other', 2), { id: 'e-2' });
  stream.deliver(frame('room', 3, signaling.userid));
  stream.deliver(frame('room', 'é😀'), { id: 'é 😀&' });
  stream.deliver('no JSON');
  stream.deliver(frame('room', 4), { type: 'chat' });
  equal(notes.take(), [['onmessage', 1], ['onmessage', 'é😀']]);
  const { delivered, foreign, own, bad } = signaling.stats();
  equal([delivered, foreign, own, bad], [2, 1, 1, 1]);
  isOurs(page.take()[0][1], 'bad-frame', 'JSON');
  stream.lose();
  equal(nextStream().query.lastEventId, 'é 😀&');
  // One that doesn't fit into an address isn't kept.
  streams[1].accept().deliver(frame('room', 5), { id: 'x'.repeat(1_000_000) });
  streams[1].deliver('', { type: 'hello', id: 'x'.repeat(257) });
  equal(notes.take(), [['onmessage', 5]]);
  streams[1].lose();
  equal(nextStream().query.lastEventId, 'é 😀&');
}

export function where_a_stream_begins_and_what_it_missed() {
  const { signaling, page } = up();
  streams[0].deliver('', { type: 'hello', id: 'e-7' });
  equal([page.take(), signaling.stats().received], [[], 0]);
  streams[0].lose();
  page.take();
  equal(nextStream().query.lastEventId, 'e-7');
  streams[1].accept().deliver('', { type: 'gap', id: 'f-0' });
  equal(page.take().slice(2), [['ongap', 'room']]);
  streams[1].lose();
  equal(nextStream().query.lastEventId, 'f-0');
}

export function a_lost_stream_is_closed_and_not_heard_again() {
  const { signaling, notes, page } = up();
  const [stream] = streams;
  stream.lose();
  equal(page.take().map(([state, reason]) => [state, reason]), [['waiting', 'the connection was lost']]);
  // The browser's own attempts end.
  equal([stream.isHeard, stream.closings, stream.readyState], [false, 1, 2]);
  const next = nextStream();
  stream.accept().deliver(frame('room', 'late'));
  stream.lose();
  equal([signaling.state, notes.take()], ['connecting', []]);
  next.accept();
  equal([signaling.state, signaling.stats().reconnects, next.isHeard, next.closings], ['open', 1, true, 0]);
  signaling.close();
  equal([next.isHeard, next.closings, clock.timers], [false, 1, 0]);
  next.deliver(frame('room', 'late'));
  next.lose();
  clock.advance(100_000);
  equal([notes.take(), streams.length], [[], 2]);
}

export function a_stream_that_cannot_be_opened() {
  const { page } = opened();
  page.take();
  streams[0].refuse();
  const [[, answered]] = page.take();
  ok(answered.includes("http://server.test/events didn't answer with an event stream"), answered);
  nextStream();
  page.take();
  streams[1].lose();
  const [[, unreachable]] = page.take();
  ok(unreachable.includes('no connection to http://server.test/events could be made'), unreachable);
  // One that never answers is given up.
  nextStream();
  page.take();
  clock.advance(10_000);
  const [[, silent]] = page.take();
  ok(silent.includes('at once'), silent);
  equal(streams.filter((stream) => stream.isHeard || stream.closings !== 1).length, streams.length - 3);
}

export function events_that_a_server_calls_open_or_error() {
  const { signaling, page, notes } = up();
  const [stream] = streams;
  for (const type of ['open', 'error', 'close']) stream.deliver(frame('room', type), { type });
  equal([signaling.state, signaling.stats().connects, page.take(), notes.take()], ['open', 1, [], []]);
  stream.deliver(frame('room', 'on'));
  equal(notes.take(), [['onmessage', 'on']]);
}

export function a_browser_without_event_source() {
  delete untyped(globalThis).EventSource;
  const options = { url: 'https://server.test/events', protocol: 'sse' };
  const signaling = new Signaling(options);
  refused(() => signaling.openSocket({}), 'connection-failed', 'no EventSource for https://server.test/events');
  equal([signaling.state, clock.timers], ['closed', 0]);
  refused(() => signaling.openSocket({}), 'signaling-closed');
  for (const thrown of [new DOMException('not here', 'SecurityError'), null]) {
    untyped(globalThis).EventSource = class {
      constructor() {
        throw thrown;
      }
    };
    const text = thrown?.message ?? 'null';
    refused(() => new Signaling(options).openSocket({}), 'connection-failed', 'EventSource', text);
  }
}

export function short_messages_are_kept_alive() {
  // All such bodies of a page together have 64 KiB.
  for (const [length, isKept] of /** @type {[number, boolean][]} */ ([[20_000, true], [20_001, false]])) {
    const { handle, signaling } = up();
    const around = JSON.stringify({ sender: signaling.userid, channel: 'room', message: '' });
    handle.send('é'.repeat(length - around.length));
    const { body, keepalive } = requests.at(-1);
    equal([body.length, keepalive], [length, isKept]);
  }
}

export async function an_answer_that_takes_too_long() {
  const { signaling, handle, page } = up();
  handle.send(1);
  handle.send(2);
  clock.advance(29_999);
  ok(!requests[0].signal?.aborted, 'not yet');
  clock.advance(1);
  ok(requests[0].signal?.aborted, 'now');
  await settled();
  equal([signaling.state, requests.length], ['open', 1]);
  clock.advance(500);
  equal([messages(), requests.map(({ url }) => new URL(url).searchParams.get('ref'))], [[1, 1], ['1', '1']]);
  // The second time in a row the stream is replaced, for it may be dead as well.
  clock.advance(30_000);
  await settled();
  const [[state, reason]] = page.take();
  equal([state, streams[0].closings], ['waiting', 1]);
  ok(reason.includes('it took too long'), reason);
  nextStream().accept();
  equal(messages(), [1, 1, 1]);
  requests[2].answer('', 204);
  await settled();
  requests[3].answer('', 204);
  await settled();
  equal([messages(), signaling.stats().queued], [[1, 1, 1, 2], 0]);
}

export async function an_accepted_message_does_not_wait_for_a_body() {
  const { handle, signaling } = up();
  handle.send(1);
  handle.send(2);
  requests[0].begin(200);
  await settled();
  equal([messages(), signaling.stats().queued], [[1, 2], 1]);
  requests[1].answer('', 204);
  // Nor is it read for ever.
  clock.advance(30_000);
  ok(requests[0].signal?.aborted, 'it is aborted');
  equal([messages(), signaling.state], [[1, 2], 'open']);
}

export async function retry_after_as_servers_give_it() {
  for (const [header, least, most] of /** @type {[string, number, number][]} */ ([
    ['7', 7_000, 7_000],
    ['0', 0, 500],
    ['99999999', 60_000, 60_000],
    ['soon', 0, 500],
    ['-5', 0, 500],
    ['1.5', 0, 500],
    ['Wed, 21 Oct 2099 07:28:00 GMT', 60_000, 60_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0, 500],
    [new Date(Date.now() + 40_000).toUTCString(), 30_000, 40_000],
    ['2099-10-21T07:28:00Z', 0, 500],
  ])) {
    requests.length = 0;
    const { signaling, handle } = up();
    handle.send(1);
    clock.advance(1_000);
    requests[0].answer('', 503, { 'Retry-After': header });
    await settled();
    const wait = clock.next ?? 0;
    ok(wait >= least && wait <= most, `${header}: ${wait}`);
    clock.advance(wait);
    equal([requests.length, signaling.state], [2, 'open'], header);
    await takeAll();
    signaling.close();
  }
}

export async function a_fetch_that_throws_or_gives_anything() {
  const { fetch } = globalThis;
  for (const odd of [
    () => {
      throw new Error('blocked by an extension');
    },
    () => undefined,
    () => 5,
    () => Promise.reject(null),
    () => Promise.resolve('a text'),
    () => Promise.resolve({ status: 400, text: () => Promise.reject(new Error('cut')) }),
  ]) {
    requests.length = 0;
    const { signaling, handle, page } = up();
    globalThis.fetch = untyped(odd);
    handle.send(1);
    handle.send(2);
    await settled();
    equal([signaling.state, signaling.stats().queued, page.take()], ['open', 2, []], odd);
    globalThis.fetch = fetch;
    clock.advance(500);
    await takeAll();
    equal([messages(), signaling.stats().queued], [[1, 2], 0], odd);
    signaling.close();
  }
}

export async function a_request_does_not_end_with_its_stream() {
  const { signaling, handle } = up();
  handle.send(1);
  handle.send(2);
  streams[0].lose();
  requests[0].answer('', 204);
  await settled();
  equal([signaling.state, signaling.stats().queued, requests[0].signal?.aborted], ['waiting', 1, false]);
  nextStream().accept();
  equal(messages(), [1, 2]);
  // Nor does the next one overtake it.
  streams[1].lose();
  nextStream().accept();
  equal([signaling.state, messages()], ['open', [1, 2]]);
  requests[1].fail();
  await settled();
  equal(messages(), [1, 2, 2]);
  await takeAll();
  equal(signaling.stats().queued, 0);
}

export async function a_page_that_is_put_away_amid_a_request() {
  const { signaling, handle } = up();
  handle.send('farewell');
  pageEvents.pagehide();
  equal([signaling.state, streams[0].closings, streams[0].isHeard], ['waiting', 1, false]);
  ok(!requests[0].signal?.aborted, 'it goes on');
  pageEvents.pageshow();
  nextStream().accept();
  requests[0].answer('', 204);
  await settled();
  equal([messages(), signaling.stats().queued], [['farewell'], 0]);
}

export async function a_signaling_that_is_closed_amid_a_request() {
  const { signaling, handle, page } = up();
  handle.send('last');
  handle.send('too late');
  signaling.close();
  equal(page.take().map(([state]) => state), ['closed']);
  equal([streams[0].closings, streams[0].isHeard, requests[0].signal?.aborted], [1, false, false]);
  requests[0].answer('why', 400);
  await settled();
  clock.advance(100_000);
  await settled();
  equal([page.take(), requests.length, streams.length, clock.timers], [[], 1, 1, 0]);
}
