// The people in this page's room, and what they say. It outlives its signaling: with another
// protocol the page joins the room once more, and then leaves the former one. Others see the tab
// that they know, because what it shows of itself names it.

import init, { Signaling } from '/signal-wasm/signal_wasm.js';
import { joinRoom } from '/signal-wasm/room.js';
import { personOf } from './people.js';

/** How many messages are remembered: those that were heard, and those that may not have arrived. */
const MOST_HEARD = 1000;
const MOST_UNSENT = 100;
/** How long a change of signaling waits: for those whom the former one knew, and for the server. */
const PATIENCE = 10_000;

await init();

/**
 * Events: `join`, `leave` and `update` with a `person`; `shown` when this page shows something else;
 * `message` with `peer`, `person` and `message`; `signaling` with the `signaling` and `protocol` that are in use from now on; `room` with the `room` of it, once
 * the former one has been left; `error`.
 */
export class Meeting extends EventTarget {
  /** What the others see of this page. */
  me;
  /** The others, by their tabs. */
  people = new Map();
  /** The room that calls are made in. */
  room;

  #name;
  #handlers;
  /** The signalings that have joined the room. Only during a change there are several. */
  #links = [];
  /** Stops the change that is under way. */
  #joining;
  #heard = new Set();
  #unsent = new Set();

  /** `handlers` are those of the signaling, such as `onstatechange`. */
  constructor(name, me, handlers) {
    super();
    this.#name = name;
    this.me = me;
    this.#handlers = handlers;
  }

  /** Whether what is said goes out now. */
  get isConnected() {
    return this.#links.some(({ signaling }) => signaling.state === 'open');
  }

  /**
   * Joins the room by a signaling with these options, in place of the one that is in use. `protocol`
   * is what the page calls it.
   */
  async connect(protocol, options) {
    this.#joining?.abort();
    const joining = (this.#joining = new AbortController());
    const former = this.#links.at(-1);
    const signaling = new Signaling(options);
    if (former) silence(former.signaling);
    this.#use(signaling, protocol);
    const shown = this.me;
    try {
      const room = await joinRoom(signaling, this.#name, { data: shown, signal: joining.signal });
      this.#joining = undefined;
      if (shown !== this.me) room.setData(this.me);
      await this.#enter({ signaling, protocol, room });
    } catch (error) {
      silence(signaling);
      signaling.close();
      if (joining.signal.aborted) return;
      if (former) this.#use(former.signaling, former.protocol);
      throw error;
    }
  }

  /** Sends something to everybody. */
  send(content) {
    // During a change not everybody has met this page in the new room yet.
    const { signaling, room } = this.#links[0];
    const message = { id: crypto.getRandomValues(new Uint32Array(2)).join('-'), ...content };
    room.send(message);
    remember(this.#unsent, message, MOST_UNSENT);
    signaling.flushed().then(() => this.#unsent.delete(message), () => {});
  }

  /** Changes what the others see of this page. */
  show(changes) {
    this.me = { ...this.me, ...changes };
    for (const { room } of this.#links) room.setData(this.me);
    this.#fire('shown', {});
  }

  #use(signaling, protocol) {
    Object.assign(signaling, this.#handlers);
    this.#fire('signaling', { signaling, protocol });
    this.#handlers.onstatechange(signaling.state, { reason: '' });
  }

  async #enter(link) {
    const { room } = link;
    const former = this.#links;
    this.#links = [...former, link];
    for (const name of ['join', 'leave', 'update']) room.addEventListener(name, () => this.#look());
    room.addEventListener('message', ({ peer, message }) => this.#hear(peer, message));
    room.addEventListener('error', ({ error }) => this.#fire('error', { error }));
    this.#look();
    if (former.length > 0) {
      await inTime(hasMet(room, [...this.people.keys()]));
      // The former signaling may have had no connection any more.
      for (const message of this.#unsent) room.send(message);
      // What it has said to them must come before the goodbye on the former connection.
      await inTime(link.signaling.flushed());
    }
    if (!this.#links.includes(link)) return;
    this.#links = this.#links.filter((other) => !former.includes(other));
    this.room = room;
    former.forEach(leave);
    this.#look();
    this.#fire('room', { room });
  }

  /** Compares who is there with who was. */
  #look() {
    const before = this.people;
    const everybody = this.#links.flatMap(({ room }) => [...room.peers.values()].map(personOf));
    // The later link knows a tab better than the former.
    this.people = new Map(everybody.filter(({ tab }) => tab !== this.me.tab).map((person) => [person.tab, person]));
    for (const [tab, person] of this.people) {
      if (!before.has(tab)) this.#fire('join', { person });
      else if (JSON.stringify(person) !== JSON.stringify(before.get(tab))) this.#fire('update', { person });
    }
    for (const [tab, person] of before) {
      if (!this.people.has(tab)) this.#fire('leave', { person });
    }
  }

  /** During a change a message comes by both signalings, and it may have been sent by both. */
  #hear(peer, message) {
    const person = personOf(peer);
    const id = Object(message).id;
    if (typeof id !== 'string' || person.tab === this.me.tab) return;
    const key = `${person.tab} ${id.slice(0, 40)}`;
    if (this.#heard.has(key)) return;
    remember(this.#heard, key, MOST_HEARD);
    this.#fire('message', { peer, person, message });
  }

  #fire(name, members) {
    this.dispatchEvent(Object.assign(new Event(name), members));
  }
}

/** Waits until these tabs are in the room. They may never be: another server may be elsewhere. */
function hasMet(room, tabs) {
  return new Promise((done) => {
    const look = () => {
      const there = new Set([...room.peers.values()].map((peer) => personOf(peer).tab));
      if (tabs.every((tab) => there.has(tab))) done();
    };
    room.addEventListener('join', look);
    look();
  });
}

/** Waits for that, but not for ever. */
function inTime(promise) {
  return Promise.race([promise, new Promise((done) => setTimeout(done, PATIENCE))]).catch(() => {});
}

async function leave({ signaling, room }) {
  room.leave();
  // The others are to hear that it leaves.
  await inTime(signaling.flushed());
  signaling.close();
}

function silence(signaling) {
  signaling.onstatechange = signaling.onframe = signaling.ongap = signaling.onerror = null;
}

function remember(set, item, most) {
  set.add(item);
  if (set.size > most) set.delete(set.values().next().value);
}
