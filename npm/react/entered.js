// A room that components have entered, and what they see of it.

import { joinRoom } from 'signal-wasm/room';

/** @typedef {import('./types.js').View} View */
/** @typedef {import('./types.js').Watcher} Watcher */

/** @type {View} */
export const JOINING = Object.freeze({ state: 'joining', room: undefined, self: undefined, peers: Object.freeze([]), error: undefined });

export class Entered {
  view = JOINING;
  /** @type {Set<Watcher>} */
  watchers = new Set();
  #leaving = new AbortController();

  /** @param {any} signaling @param {string} name @param {object} options Those of `joinRoom`. */
  constructor(signaling, name, options) {
    this.#join(signaling, name, options);
  }

  leave() {
    this.#leaving.abort();
  }

  /** @param {any} signaling @param {string} name @param {object} options */
  async #join(signaling, name, options) {
    const { signal } = this.#leaving;
    try {
      const room = await joinRoom(signaling, name, { ...options, signal });
      if (signal.aborted) return;
      for (const event of ['join', 'leave', 'update']) room.addEventListener(event, (/** @type {any} */ { peer }) => this.#show({ peers: this.#peersWith(room, peer) }));
      room.addEventListener('message', (event) => this.#watchersDo(({ onMessage }) => onMessage(event)));
      room.addEventListener('error', ({ error }) => this.#show({ error }));
      room.addEventListener('close', () => this.#show({ state: 'closed', peers: [] }));
      this.#show({ state: 'joined', room, self: room.self, peers: [...room.peers.values()].map(shown) });
    } catch (error) {
      if (!signal.aborted) this.#show({ state: 'closed', error });
    }
  }

  /** @param {unknown} data */
  setData(data) {
    const { room } = this.view;
    try {
      room.setData(data);
      this.#show({ self: room.self });
    } catch (error) {
      this.#show({ error });
    }
  }

  /** The peers: a new object for the one that has come or changed, the same as before for the others. @param {any} room @param {any} changed */
  #peersWith(room, changed) {
    const before = new Map(this.view.peers.map((peer) => [peer.id, peer]));
    return [...room.peers.values()].map((peer) => (peer.id === changed.id ? undefined : before.get(peer.id)) ?? shown(peer));
  }

  /** @param {Partial<View>} members */
  #show(members) {
    if (this.#leaving.signal.aborted) return;
    this.view = Object.freeze({ ...this.view, ...members });
    this.#watchersDo(({ onView }) => onView(this.view));
  }

  /** @param {(watcher: Watcher) => void} act */
  #watchersDo(act) {
    for (const watcher of [...this.watchers]) {
      try {
        act(watcher);
      } catch (error) {
        // That of one component doesn't keep it from the others.
        reportError(error);
      }
    }
  }
}

/** A peer as components see it: it doesn't change, so that React notices when it does. @param {any} peer */
function shown(peer) {
  return Object.freeze({ id: peer.id, data: peer.data, send: (/** @type {unknown} */ message) => peer.send(message) });
}
