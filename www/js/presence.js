// Who is in the room, and a private channel to each of them.
//
// These are messages on the room's channel. A tab sends `hello` when it joins or reconnects, and
// the others answer with `here`. It sends `here` when its name changes or it joins the call, and
// `bye` when it leaves. A tab opens the pair's channel before it answers, so it misses nothing that
// the other side sends there after the answer.

import { LONGEST_NAME } from './names.js';

const ROLL_CALL_EVERY = 30_000;
// Timers of a hidden tab may run only once a minute.
const GONE_AFTER = 150_000;
// A limit, because anyone can say hello under any number of names.
const MOST_PEERS = 100;

/**
 * Events: `join`, `leave` and `change`, each with the peer in `detail`; `message` with
 * `{ peer, message }` from the pair's channel; `room` with a message from the room's channel that
 * isn't about presence.
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

  /** Asks who is there. Call it at the start, and after each reconnect. */
  hello() {
    this.#say('hello');
  }

  /** Tells the others that `me` has changed. */
  changed() {
    this.#say('here');
  }

  /** Tells the others that this tab leaves. */
  bye() {
    this.#say('bye');
  }

  /** Sends a message of another kind to everyone in the room. */
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
    // Answer before the events: their handlers may send on the pair's channel, which the other side
    // opens when it gets the answer.
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
