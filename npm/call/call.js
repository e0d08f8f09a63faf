// A call between the pages of a room.

import { Link } from './link.js';
import { CallPeer } from './peer.js';

/** How often a page says that it is in the call, in milliseconds. */
const ANNOUNCE = 30_000;
/** So long a peer may be out of the room without having said so, in milliseconds: it may come back. */
const LOST = 15_000;

const OPTIONS = ['stream', 'iceServers', 'configuration', 'dataChannels', 'topic', 'signal'];

/**
 * Each page draws a number when it enters the call. Each message names the numbers of both sides,
 * so what is left of an earlier call does nothing.
 */
export class Call extends EventTarget {
  /** @type {Map<string, CallPeer>} */
  peers = new Map();
  #room;
  #topic;
  #iceServers;
  #base;
  #dataChannels;
  #number = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  /** The tracks that are sent, with their streams. @type {Map<MediaStreamTrack, MediaStream[]>} */
  #tracks = new Map();
  #isOver = false;
  #listening = new AbortController();

  /** @param {any} room @param {any} [options] */
  constructor(room, options = {}) {
    super();
    if (typeof room?.topic !== 'function') throw wrong(`room must be a room, such as joinRoom() gives, but its topic is ${typeof room?.topic}`);
    const unknown = Object.keys(Object(options)).find((option) => !OPTIONS.includes(option));
    if (unknown !== undefined) throw wrong(`there is no option ${unknown}; there is ${OPTIONS.join(', ')}`, 'unknown-option');
    const { stream, iceServers = [], configuration = {}, dataChannels = {}, topic = 'call', signal } = Object(options);
    if (typeof iceServers !== 'function' && !Array.isArray(iceServers)) throw wrong('iceServers must be an array, or a function that gives one');
    signal?.throwIfAborted();
    this.#room = room;
    this.#topic = room.topic(topic);
    this.#iceServers = iceServers;
    this.#base = configuration;
    this.#dataChannels = dataChannels;
    for (const track of stream?.getTracks() ?? []) this.#tracks.set(track, [stream]);

    const listening = { signal: this.#listening.signal };
    this.#topic.addEventListener('message', (/** @type {any} */ { peer, message }) => this.#hear(peer, message), listening);
    room.addEventListener('join', (/** @type {any} */ { peer }) => this.#joined(peer), listening);
    room.addEventListener('leave', (/** @type {any} */ { peer, isLost }) => this.#departed(peer.id, isLost), listening);
    room.addEventListener('close', () => this.hangUp(), listening);
    globalThis.addEventListener?.('online', () => this.restart(), listening);
    signal?.addEventListener('abort', () => this.hangUp(), { once: true });
    const announce = () => this.#say({ in: this.#number });
    // Again, for those that an earlier one was lost to.
    const timer = setInterval(announce, ANNOUNCE);
    this.#listening.signal.addEventListener('abort', () => clearInterval(timer));
    announce();
  }

  /** @param {MediaStreamTrack} track @param {MediaStream[]} streams */
  addTrack(track, ...streams) {
    this.#tracks.set(track, streams);
    for (const peer of this.peers.values()) peer.link?.addTrack(track, streams);
  }

  /** @param {MediaStreamTrack} track */
  removeTrack(track) {
    this.#tracks.delete(track);
    for (const peer of this.peers.values()) peer.link?.removeTrack(track);
  }

  /** @param {MediaStreamTrack} track @param {MediaStreamTrack} other */
  async replaceTrack(track, other) {
    const streams = this.#tracks.get(track);
    if (!streams) throw Object.assign(new Error('replaceTrack: the call doesn\'t send this track'), { code: 'no-track' });
    this.#tracks.delete(track);
    this.#tracks.set(other, streams);
    await Promise.all([...this.peers.values()].map((peer) => peer.link?.replaceTrack(track, other)));
  }

  restart() {
    for (const peer of this.peers.values()) peer.link?.restart();
  }

  hangUp() {
    if (this.#isOver) return;
    this.#say({ out: this.#number });
    this.#isOver = true;
    this.#listening.abort();
    for (const id of [...this.peers.keys()]) this.#drop(id);
  }

  /** @param {any} peer @param {any} message */
  #hear(peer, message) {
    const { in: entered, out, from, to, ...content } = Object(message);
    const known = this.peers.get(peer.id);
    if (isNumber(entered)) {
      if (known?.number === entered) return;
      this.#say({ in: this.#number }, peer.id);
      this.#meet(peer, entered);
    } else if (isNumber(out)) {
      if (known?.number === out) this.#drop(peer.id);
    } else if (isNumber(from) && to === this.#number) {
      // It knows this page's number, though its own was lost.
      const met = known?.number === from ? known : this.#meet(peer, from);
      met.hear(content);
    }
  }

  /** @param {any} peer @param {number} number */
  #meet(peer, number) {
    this.#drop(peer.id);
    const met = new CallPeer(peer, number);
    this.peers.set(peer.id, met);
    this.#fire('join', { peer: met });
    this.#connect(met);
    return met;
  }

  /** @param {CallPeer} met */
  async #connect(met) {
    const { id, number } = met;
    const configuration = await this.#configuration();
    if (this.peers.get(id) !== met) return;
    const link = new Link({
      configuration,
      // Both sides have to choose differently.
      isPolite: this.#room.self.id < id,
      dataChannels: this.#dataChannels,
      send: (content) => this.#say({ from: this.#number, to: number, ...content }, id),
      renew: () => this.#configuration(),
      fire: (name, members) => {
        this.#fire(name, { peer: met, ...members });
        if (name === 'connectionstatechange' && !this.#room.peers.has(id)) this.#left(id);
      },
    });
    met.start(link);
    for (const [track, streams] of this.#tracks) link.addTrack(track, streams);
    link.begin();
  }

  async #configuration() {
    const iceServers = this.#iceServers;
    try {
      return { ...this.#base, iceServers: typeof iceServers === 'function' ? await iceServers() : iceServers };
    } catch (error) {
      this.#fire('error', { error: Object.assign(new Error('iceServers gave none', { cause: error }), { code: 'ice-servers' }) });
      return this.#base;
    }
  }

  /** It has come into the room, or back. @param {any} peer */
  #joined(peer) {
    const known = this.peers.get(peer.id);
    if (known) known.peer = peer;
    this.#say({ in: this.#number }, peer.id);
  }

  /** It is out of the room. @param {string} id @param {boolean} isLost */
  #departed(id, isLost) {
    const known = this.peers.get(id);
    if (known) known.isLost = isLost;
    this.#left(id);
  }

  /** Its signaling is gone. A connection that is up needs none. @param {string} id */
  #left(id) {
    const known = this.peers.get(id);
    if (!known || known.link?.isEstablished) return;
    if (!known.isLost) return this.#drop(id);
    setTimeout(() => {
      const isBack = this.#room.peers.has(id) || known.link?.isEstablished;
      if (this.peers.get(id) === known && !isBack) this.#drop(id);
    }, LOST);
  }

  /** @param {string} id */
  #drop(id) {
    const peer = this.peers.get(id);
    if (!peer) return;
    this.peers.delete(id);
    peer.close();
    this.#fire('leave', { peer });
  }

  /** @param {object} content @param {string} [to] */
  #say(content, to) {
    try {
      // Whoever has left the room gets nothing.
      if (!this.#isOver && (to === undefined || this.#room.peers.has(to))) this.#topic.send(content, to);
    } catch (error) {
      this.#fire('error', { error });
    }
  }

  /** @param {string} name @param {object} members */
  #fire(name, members) {
    this.dispatchEvent(Object.assign(new Event(name), members));
  }
}

if (Symbol.dispose) Object.defineProperty(Call.prototype, Symbol.dispose, { value: Call.prototype.hangUp });

/** @param {unknown} value @returns {value is number} */
function isNumber(value) {
  return Number.isSafeInteger(value);
}

/** @param {string} sentence */
function wrong(sentence, code = 'bad-option') {
  return Object.assign(new TypeError(`Call: ${sentence}`), { code });
}
