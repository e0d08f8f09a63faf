// Times the receive path of the seed's shim and of signal-wasm in one page: the same work for both,
// frame by frame.
//
// Only the receive path runs against the clock. A stand-in for WebSocket takes the handlers, real
// MessageEvents are made beforehand, and the handler is called with one after the other. Each frame
// is a text that the engine has never seen, decoded from bytes as a frame from the network is. So
// neither side's first look at it is cheaper or dearer (a rope to flatten, a cached hash).

import init, { Signaling } from '/signal-wasm/signal_wasm.js';

const CHANNELS = 8;
const GROUP = 8;
const WARM_UP = 5;
const KINDS = ['own', 'foreign', 'delivered'];

class StandIn {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  static latest;

  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  readyState = StandIn.CONNECTING;
  bufferedAmount = 0;
  sent = [];
  #listeners = new Map();

  constructor(url) {
    this.url = String(url);
    StandIn.latest = this;
  }
  addEventListener(type, listener) {
    this.#listeners.set(type, typeof listener === 'function' ? listener : (event) => listener.handleEvent(event));
  }
  removeEventListener(type) {
    this.#listeners.delete(type);
  }
  send(text) {
    this.sent.push(text);
  }
  close() {
    this.readyState = StandIn.CLOSED;
  }
  open() {
    this.readyState = StandIn.OPEN;
    this.handler('open')?.call(this, new Event('open'));
  }
  handler(type) {
    return this[`on${type}`] ?? this.#listeners.get(type);
  }
}

/** Sets both sides up with the same channels, and defines `round`, to be called again and again. */
window.prepare = async () => {
  if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated, so its clock is too coarse to time frames');
  offer = await makeOffer();
  const WebSocket = window.WebSocket;
  window.WebSocket = StandIn;
  await init();
  const signaling = new Signaling({ url: 'ws://stand-in.invalid/', protocol: 'websocket' });
  const sides = [side('shim', window.seedShim('ws://stand-in.invalid/').openSignalingChannel), side('ours', signaling.openSignalingChannel)];
  window.WebSocket = WebSocket;

  const expected = { own: 0, foreign: 0, delivered: 0 };
  window.round = (sizes, turn) => {
    const times = [];
    for (const { size, frames } of sizes) {
      for (const kind of KINDS) {
        const row = { size, kind };
        // The second one finds warm caches, so they take turns.
        for (const side of turn % 2 ? [...sides].reverse() : sides) {
          row[side.name] = time(side, kind, size, frames);
        }
        expected[kind] += frames + WARM_UP * GROUP;
        times.push(row);
      }
    }
    const counted = signaling.stats();
    for (const kind of KINDS) {
      if (counted[kind] !== expected[kind]) throw new Error(`signal-wasm was given ${expected[kind]} ${kind} frames and counted ${counted[kind]}`);
    }
    return times;
  };
};

function side(name, open) {
  const state = { name, seen: 0, characters: 0 };
  let handle;
  for (let i = 0; i < CHANNELS; i++) {
    handle = open.call(
      {},
      {
        channel: `room-${i}`,
        onmessage(message) {
          state.seen++;
          state.characters += message.sdp.length;
        },
      },
    );
  }
  state.socket = StandIn.latest;
  state.socket.open();
  handle.send('who am I?');
  const [frame] = state.socket.sent.splice(0);
  state.userid = JSON.parse(frame).sender;
  if (typeof state.userid !== 'number') throw new Error(`${name} sent no sender: ${frame}`);
  return state;
}

/**
 * Microseconds for each frame.
 *
 * Frames are made and received a few at a time, as they arrive from the network: what was written a
 * moment ago is still in the processor's cache. A batch made in advance would be cold, and most of
 * the time measured would be the memory's. The clock's ticks are coarse beside such a group, but
 * Chromium rounds them at random, so their sum is right.
 */
function time(side, kind, size, frames) {
  const make = maker(side, kind, size);
  const { socket } = side;
  const handler = socket.handler('message');
  const events = new Array(GROUP);
  const before = side.seen;
  let elapsed = 0;

  // Garbage of the round before must not be collected now. The first frames after a collection are
  // slow for either side, so they are a warm-up.
  window.gc?.();
  for (let group = -WARM_UP; group < frames / GROUP; group++) {
    for (let i = 0; i < GROUP; i++) events[i] = new MessageEvent('message', { data: make() });
    const start = performance.now();
    for (let i = 0; i < GROUP; i++) handler.call(socket, events[i]);
    const end = performance.now();
    if (group >= 0) elapsed += end - start;
  }

  const seen = side.seen - before;
  const wanted = kind === 'delivered' ? frames + WARM_UP * GROUP : 0;
  if (seen !== wanted) throw new Error(`${side.name} was to deliver ${wanted} ${kind} frames of ${size} characters and delivered ${seen}`);
  return (elapsed * 1000) / frames;
}

let offer;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
let serial = 0;

/**
 * Makes frames of `size` characters: envelopes as both sides write them, each with its own number.
 * The number is written into the bytes of one template. Concatenated strings would be garbage,
 * which is collected while the clock runs.
 */
function maker(side, kind, size) {
  const sender = kind === 'own' ? side.userid : '#sender---------';
  const channel = kind === 'foreign' ? 'other-#ch' : 'room-0';
  const start = `{"sender":${sender},"channel":"${channel}","message":{"n":#serial--,"type":"offer","sdp":"`;
  const end = '"}}';
  const text = start + sdp(size - start.length - end.length) + end;
  const bytes = encoder.encode(text);
  const places = { sender: text.indexOf('#sender'), channel: text.indexOf('#ch'), room: text.indexOf('room-0') + 5, serial: text.indexOf('#serial') };
  const digits = (place, count, number) => {
    for (let i = place + count - 1; i >= place; i--) {
      bytes[i] = 48 + (number % 10);
      number = Math.floor(number / 10);
    }
  };
  return () => {
    serial++;
    digits(places.serial, 9, 100000000 + serial);
    if (kind !== 'own') digits(places.sender, 16, 1e15 + Math.floor(Math.random() * 8e15));
    if (kind === 'foreign') digits(places.channel, 3, serial);
    else digits(places.room, 1, serial % CHANNELS);
    return decoder.decode(bytes);
  };
}

/** A session description of this browser as JSON has it, cut or repeated to `length` characters. */
function sdp(length) {
  const text = offer.repeat(Math.ceil(Math.max(length, 0) / offer.length)).slice(0, Math.max(length, 0));
  // A cut through an escape would leave half of one.
  return text.replace(/\\$/, ' ');
}

async function makeOffer() {
  const peer = new RTCPeerConnection();
  peer.addTransceiver('audio');
  peer.addTransceiver('video');
  const { sdp } = await peer.createOffer();
  peer.close();
  return JSON.stringify(sdp).slice(1, -1);
}
