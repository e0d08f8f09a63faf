// `signaling.channel()`: a channel with several listeners, loops and promises. It stands on the
// functions that Rust passes to `channels`, which src/browser/signaling.rs imports.

/** How many messages may wait for a loop. */
const MOST_WAITING = 1000;

/**
 * One opening of a channel. `part` is what it stands on: `name`, `send(message, options)`,
 * `withdraw(number)`, `leave(channel)`, `tell(error)` and `isOver()`: the signaling is closed. Its `send` takes the option `settle`, an
 * object with `resolve` and `reject`, which are called when it is known what happened to the message,
 * and gives it the message's `number`.
 */
export class Channel extends EventTarget {
  #part;
  #isClosed = false;

  constructor(part) {
    super();
    this.#part = part;
  }

  get name() {
    return this.#part.name;
  }

  on(listener, options) {
    const take = ({ data }) => listener(data);
    this.addEventListener('message', take, options);
    return () => this.removeEventListener('message', take, options);
  }

  send(message, { ttl } = {}) {
    this.#opened().send(message, { ttl });
  }

  publish(message, options) {
    let settle;
    const accepted = new Promise((resolve, reject) => {
      options?.signal?.throwIfAborted();
      settle = { resolve, reject };
      this.#opened().send(message, { ttl: options?.ttl, settle });
    });
    return abortable(accepted, options, () => this.#part.withdraw(settle?.number));
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#part.leave(this);
    this.dispatchEvent(new Event('close'));
  }

  [Symbol.asyncIterator]() {
    const end = new AbortController();
    const loop = this.#loop(end);
    // A generator that waits would return only after its next message.
    const { return: finish } = loop;
    loop.return = (value) => {
      end.abort();
      return finish.call(loop, value);
    };
    return loop;
  }

  /** Each loop has a buffer of its own. */
  async *#loop(end) {
    const waiting = [];
    let isBehind = false;
    let wake;
    const goOn = () => wake?.();
    this.addEventListener('message', ({ data }) => {
      if (waiting.push(data) > MOST_WAITING) {
        waiting.shift();
        if (!isBehind) this.#part.tell(coded('buffer-full', `a loop over the channel '${this.name}' is ${MOST_WAITING} messages behind, so the oldest are dropped; take them faster, or use a listener`));
        isBehind = true;
      }
      goOn();
    }, end);
    this.addEventListener('close', goOn, end);
    end.signal.addEventListener('abort', goOn);
    try {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift();
        isBehind = false;
        if (this.#isClosed || end.signal.aborted) return;
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      end.abort();
    }
  }

  /** A message came in. */
  receive(data) {
    if (!this.#isClosed) this.dispatchEvent(new MessageEvent('message', { data }));
  }

  #opened() {
    // `send` of a closed signaling says so.
    if (this.#isClosed && !this.#part.isOver()) throw coded('channel-closed', `the channel '${this.name}' was closed; open it again`);
    return this.#part;
  }
}

if (Symbol.dispose) Channel.prototype[Symbol.dispose] = Channel.prototype.close;

/**
 * Puts the function `channel` on a signaling. `open` is its `openSocket`; `closed` is the promise of
 * its end. Returns a function for the moment before `openSocket`, which took a channel over, closes
 * it: the openings of that name receive again.
 */
export function channels(signaling, open, withdraw, tell, closed) {
  /** The openings of each channel, and the handle of the last: the session has one for each name. */
  const shared = new Map();
  const isOver = () => signaling.state === 'closed';
  closed.then(() => {
    for (const { members } of shared.values()) for (const channel of [...members]) channel.close();
  });
  const take = (name) => {
    let entry;
    const handle = open({
      channel: name,
      onmessage(message) {
        const deliver = () => {
          for (const channel of [...entry.members]) channel.receive(message);
        };
        // A transport may bring messages inside `open`.
        if (entry) deliver();
        else queueMicrotask(deliver);
      },
    });
    entry = shared.get(handle.channel) ?? { members: new Set() };
    entry.handle = handle;
    shared.set(handle.channel, entry);
    return entry;
  };
  signaling.channel = (name, { signal } = {}) => {
    signal?.throwIfAborted();
    const entry = take(name);
    const { channel: key, send } = entry.handle;
    const channel = new Channel({
      name: key,
      send,
      withdraw,
      tell,
      isOver,
      leave() {
        signal?.removeEventListener('abort', abort);
        entry.members.delete(channel);
        if (entry.members.size > 0) return;
        shared.delete(key);
        entry.handle.close();
      },
    });
    const abort = () => channel.close();
    signal?.addEventListener('abort', abort);
    entry.members.add(channel);
    return channel;
  };
  return (name) => shared.has(name) && !isOver() && take(name);
}

/** The promise, or the rejection of an `options.signal` that is aborted first. */
export function abortable(promise, options, withdraw) {
  const signal = options?.signal;
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => {
      withdraw?.();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).then(() => signal.removeEventListener('abort', abort));
  });
}

/** What two calls of `configure` must have in common to be the same; `undefined`: nothing does. */
export function contentOf(options = {}) {
  try {
    const names = Object.keys(options).filter((name) => !name.startsWith('on') && options[name] !== undefined);
    return names.sort().flatMap((name) => {
      const value = options[name];
      return [name, typeof value === 'function' || name === 'transport' ? value : JSON.stringify(value)];
    });
  } catch {
    // The constructor reads them too, and throws.
    return undefined;
  }
}

/** Whether both contents are the same. */
export function isSame(one, other) {
  return one?.length === other?.length && one?.every((part, place) => part === other[place]) === true;
}

function coded(code, sentence) {
  return Object.assign(new Error(sentence), { name: 'SignalingError', code });
}
