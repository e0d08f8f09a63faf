// Who is in the room, and a private channel to each of them.
//
// All of it is messages on the room's channel: `hello` when a tab comes (or comes back), answered by each of the others with `here`;
// `here` again when a name changes or somebody joins the call; `bye` when a tab goes. Before a tab answers, it opens the pair's channel,
// so nothing that is sent there on the strength of the answer is missed.

import { LONGEST_NAME } from './names.js';

const ROLL_CALL_EVERY = 30_000;
// A hidden tab's timers may run but once a minute.
const GONE_AFTER = 150_000;
// Anybody can say hello under any number of names; the page must not drown in them.
const MOST_PEERS = 100;

/**
 * Events: `join`, `leave` and `change`, each with the peer in `detail`; `message` with `{ peer, message }` of the pair's channel; `room` with a message
 * of the room's channel that isn't about presence.
 */
export class Presence extends EventTarget {
  /** Everyone else, by userid: `{ id, name, call, protocol, channel, seen }`. */
  peers = new Map();

  #openSocket;
  #room;
  #channel;
  #timer;

  constructor({ openSocket, room, me }) {
    super();
    this.me = me;
    this.#room = room;
    this.#openSocket = openSocket;
    this.#channel = openSocket({ channel: room, onmessage: (message) => this.#heard(message) });
    this.#timer = setInterval(() => this.#rollCall(), ROLL_CALL_EVERY);
  }

  /** Asks who is there: at the start, and after each connection that came up again. */
  hello() {
    this.#say('hello');
  }

  /** Tells the others that `me` has changed. */
  changed() {
    this.#say('here');
  }

  /** Tells the others that this tab goes. */
  bye() {
    this.#say('bye');
  }

  /** Sends a message of another kind to everybody in the room. */
  send(kind, members) {
    this.#channel.send({ kind, from: this.me.id, ...members });
  }

  stop() {
    clearInterval(this.#timer);
    for (const peer of [...this.peers.values()]) this.#gone(peer);
    this.#channel.close();
  }

  #say(kind, to) {
    const { id, name, call, protocol } = this.me;
    this.#channel.send(kind === 'bye' ? { kind, from: id } : { kind, from: id, to, name, call, protocol });
  }

  #heard(message) {
    if (message === null || typeof message !== 'object') return;
    const { kind, from } = message;
    if (typeof kind !== 'string' || !Number.isSafeInteger(from) || from === this.me.id) return;
    if (kind === 'hello' || kind === 'here') {
      if (message.to !== undefined && message.to !== this.me.id) return;
      this.#met(message);
    } else if (kind === 'bye') {
      const peer = this.peers.get(from);
      if (peer) this.#gone(peer);
    } else {
      this.dispatchEvent(new CustomEvent('room', { detail: message }));
    }
  }

  #met({ kind, from, to, name, call, protocol }) {
    const known = this.peers.get(from);
    if (!known && this.peers.size >= MOST_PEERS) return;
    const peer = known ?? { id: from, name: '', call: null, protocol: '' };
    const before = looks(peer);
    peer.name = typeof name === 'string' && name.trim() ? name.trim().slice(0, LONGEST_NAME) : 'Somebody';
    peer.call = Number.isSafeInteger(call) ? call : null;
    peer.protocol = typeof protocol === 'string' ? protocol : '';
    peer.seen = performance.now();
    if (!known) {
      peer.channel = this.#openSocket({
        channel: pairChannel(this.#room, this.me.id, from),
        onmessage: (message) => this.dispatchEvent(new CustomEvent('message', { detail: { peer, message } })),
      });
      this.peers.set(from, peer);
    }
    // The answer goes out before anybody is told of the peer: what they then send on the pair's channel must find it open at the other end.
    if (kind === 'hello' || (!known && to === undefined)) this.#say('here', from);
    if (!known) this.dispatchEvent(new CustomEvent('join', { detail: peer }));
    else if (before !== looks(peer)) this.dispatchEvent(new CustomEvent('change', { detail: peer }));
  }

  #gone(peer) {
    this.peers.delete(peer.id);
    peer.call = null;
    peer.channel.close();
    this.dispatchEvent(new CustomEvent('leave', { detail: peer }));
  }

  #rollCall() {
    this.#say('here');
    const now = performance.now();
    for (const peer of [...this.peers.values()]) {
      if (now - peer.seen > GONE_AFTER) this.#gone(peer);
    }
  }
}

function looks({ name, call, protocol }) {
  return JSON.stringify([name, call, protocol]);
}

function pairChannel(room, one, other) {
  return `${room}/${[one, other].sort((a, b) => a - b).map((id) => id.toString(36)).join('-')}`;
}
