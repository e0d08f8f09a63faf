// One channel of a signaling. The sockets of a page share it, and hear each other too: a signaling
// delivers no message to the page that has sent it.

/** @typedef {(value: unknown) => void} Receiver */

/** @type {WeakMap<object, Map<string, Hub>>} */
const hubs = new WeakMap();

/** The hub of a channel. @param {any} signaling @param {string} channel */
export function hubOf(signaling, channel) {
  const channels = hubs.get(signaling) ?? new Map();
  hubs.set(signaling, channels);
  const hub = channels.get(channel) ?? new Hub(signaling, channel);
  channels.set(channel, hub);
  return hub;
}

class Hub {
  /** @type {Set<Receiver>} */
  #receivers = new Set();
  /** The channel's handle, while a socket needs it. @type {any} */
  #handle;

  /** @param {any} signaling @param {string} channel */
  constructor(signaling, channel) {
    this.signaling = signaling;
    this.channel = channel;
  }

  /** @param {Receiver} receiver */
  join(receiver) {
    this.#receivers.add(receiver);
    this.#handle ??= this.signaling.openSocket({
      channel: this.channel,
      onmessage: (/** @type {unknown} */ value) => this.#deliver(value),
    });
  }

  /** @param {Receiver} receiver */
  leave(receiver) {
    this.#receivers.delete(receiver);
    if (this.#receivers.size) return;
    this.#handle?.close();
    this.#handle = undefined;
  }

  /** Sends to all others. @param {unknown} message @param {Receiver} from */
  send(message, from) {
    this.#handle?.send(message);
    if (this.#receivers.size < 2) return;
    const copy = JSON.stringify(message);
    queueMicrotask(() => this.#deliver(JSON.parse(copy), from));
  }

  /** @param {unknown} value @param {Receiver} [from] */
  #deliver(value, from) {
    for (const receiver of [...this.#receivers]) if (receiver !== from) receiver(value);
  }
}
