// One member of a chaos run, in a page as in a Node thread: it sends at random, and writes down all
// that happens to it, for check.mjs to judge.
//
// The log is a list of [what, time, …]:
//   ['epoch', t, epoch]                           a hello told of another relay than before
//   ['open', t, channel, kept]                    a channel was opened; kept: from the beginning to the end
//   ['close', t, channel]
//   ['sent', t, channel, n, last]                 `send` took a message; last: the channel's last
//   ['put', t, channel, n, ref, epoch]            a socket took its frame
//   ['ack', t, ref, epoch]                        the relay took everything up to ref
//   ['got', t, channel, from, n, epoch, spoilt]   delivered; epoch: of the relay that the receiver knows
//   ['gap', t, channel, epoch]
//   ['state', t, state, reason, code]
//   ['error', t, code, message]
//   ['flushed', t, count]                         `flushed()` resolved that was called after so many messages were sent

import { random } from './random.mjs';

/** How long the text is that a large message carries. */
const LARGE = 50_000;

/**
 * Puts a WebSocket in place of `scope`'s that is the same but looks at what goes by. To be called
 * before the library makes its first. What is seen is written into the log of the member that is
 * made afterwards.
 */
export function tap(scope) {
  const seen = { epoch: '', epochs: 0, note: () => {} };
  const parse = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  scope.WebSocket = class extends scope.WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string') return;
        if (data.startsWith('{"signal":')) {
          const { epoch } = parse(data) ?? {};
          if (epoch === undefined || epoch === seen.epoch) return;
          seen.epoch = epoch;
          seen.epochs += 1;
          seen.note('epoch', epoch);
        } else if (data.startsWith('{"ack":')) {
          const { ack } = parse(data) ?? {};
          if (ack !== undefined) seen.note('ack', ack, seen.epoch);
        }
      });
    }

    send(data) {
      super.send(data);
      const { channel, message, ref } = parse(data) ?? {};
      if (message?.n > 0) seen.note('put', channel, message.n, ref ?? null, seen.epoch);
    }
  };
  return seen;
}

/**
 * Makes one: `name`, `url`, `seed` and `options` for the signaling, `kept` channels that it has
 * open all the time and `passing` ones that it opens and closes, `others` that are on each kept
 * channel, `{ channel: [name, …] }`, and `pace`, the milliseconds between two acts of its, on
 * average.
 */
export function member({ Signaling, seen, name, url, seed, options = {}, kept, passing, others, pace, large = 0.02 }) {
  const chance = random(`${seed} ${name}`);
  const log = [];
  const note = (what, ...rest) => void log.push([what, Date.now(), ...rest]);
  seen.note = note;

  const numbers = new Map();
  const handles = new Map();
  const heard = new Map(kept.map((channel) => [channel, new Set()]));
  const ended = new Map(kept.map((channel) => [channel, new Set()]));
  const counts = { got: 0, sent: 0, full: 0, flushed: 0 };
  const done = { flushed: false, failed: undefined };
  let timer;
  let round = 0;

  const signaling = new Signaling({
    url,
    ...options,
    outbox: { ...options.outbox, overflow: 'throw' },
    onstatechange: (state, { reason, code }) => note('state', state, reason, code ?? null),
    onerror: ({ code, message }) => note('error', code, message),
    ongap: (channel) => note('gap', channel, seen.epoch),
  });

  function open(channel) {
    const handle = signaling.openSocket({ channel, onmessage: (message) => receive(channel, message) });
    handles.set(channel, handle);
    note('open', channel, heard.has(channel));
  }

  function receive(channel, message) {
    const { from, n, pad, length, last } = message;
    if (n === 0) return void (message.round === round && heard.get(channel)?.add(from));
    counts.got += 1;
    const spoilt = message.channel !== channel || (pad?.length ?? 0) !== length || (length > 0 && (pad[0] !== from[0] || pad[length - 1] !== from[0]));
    note('got', channel, from, n, seen.epoch, spoilt ? 1 : 0);
    if (last) ended.get(channel)?.add(from);
  }

  /** Whether the channel took it: a full outbox is no error. */
  function hand(channel, message) {
    try {
      handles.get(channel).send(message);
      return true;
    } catch (error) {
      if (error.code !== 'outbox-full') throw error;
      counts.full += 1;
      return false;
    }
  }

  /** Sends the next message of ours on the channel; one that isn't taken has no number. */
  function send(channel, { length = 0, last = false } = {}) {
    const n = (numbers.get(channel) ?? 0) + 1;
    const message = { from: name, channel, n, life: seen.epochs, length };
    if (length > 0) message.pad = name[0].repeat(length);
    if (last) message.last = true;
    if (!hand(channel, message)) return false;
    numbers.set(channel, n);
    counts.sent += 1;
    note('sent', channel, n, last ? 1 : 0);
    return true;
  }

  const acts = {
    one: () => send(chance.pick([...handles.keys()])),
    burst() {
      const channel = chance.pick([...handles.keys()]);
      for (let left = chance.whole(5, 30); left > 0; left -= 1) send(channel);
    },
    large: () => send(chance.pick([...handles.keys()]), { length: LARGE }),
    come() {
      const channel = chance.pick(passing);
      if (!handles.has(channel)) open(channel);
    },
    go() {
      const there = passing.filter((channel) => handles.has(channel));
      if (there.length === 0) return undefined;
      const channel = chance.pick(there);
      handles.get(channel).close();
      handles.delete(channel);
      note('close', channel);
      return channel;
    },
    // Closed and opened again in one go: two openings that the relay may never see apart.
    turn() {
      const channel = acts.go();
      if (channel !== undefined) open(channel);
    },
    flush() {
      const { sent } = counts;
      signaling.flushed().then(() => {
        counts.flushed += 1;
        note('flushed', sent);
      });
    },
  };
  const weights = { one: 84, burst: 4, large: 100 * large, flush: 2, ...(passing.length > 0 ? { come: 4, go: 2, turn: 2 } : {}) };

  function act() {
    acts[chance.weighted(weights)]();
    timer = setTimeout(act, chance.between(0, 2 * pace));
  }

  return {
    /**
     * Opens the kept channels, and sends hello on them until `start` or `hush`, to show that all
     * receive all. Can be done again.
     */
    greet() {
      round += 1;
      clearTimeout(timer);
      for (const channel of kept) {
        if (!handles.has(channel)) open(channel);
        heard.get(channel).clear();
      }
      timer = setInterval(() => {
        for (const channel of kept) hand(channel, { from: name, channel, n: 0, life: seen.epochs, round });
      }, 100);
    },
    /** Whether a message of every other member came on each kept channel. */
    hears: () => kept.every((channel) => others[channel].every((other) => heard.get(channel).has(other))),
    hush: () => clearInterval(timer),
    start: act,
    /** Sends this many on one of the kept channels, now. */
    say(channel, count) {
      for (let left = count; left > 0; left -= 1) send(channel);
    },
    /** Stops, waits for `flushed()`, and ends each kept channel with one last message. */
    finish() {
      clearTimeout(timer);
      const { sent } = counts;
      signaling
        .flushed()
        .then(() => {
          note('flushed', sent);
          for (const channel of kept) if (!send(channel, { last: true })) throw new Error(`no place for the last message on ${channel} although all was flushed`);
          return signaling.flushed();
        })
        .then(
          () => (done.flushed = true),
          (error) => (done.failed = String(error)),
        );
    },
    /** Where it stands: what is to come, and figures that stand still when nothing moves. */
    progress: () => ({
      state: signaling.state,
      flushed: done.flushed,
      failed: done.failed,
      missing: kept.flatMap((channel) => others[channel].filter((other) => !ended.get(channel).has(other)).map((other) => `${other} on ${channel}`)),
      moved: `${counts.got} ${counts.sent} ${log.length}`,
    }),
    result: () => ({ name, log, counts, stats: { ...signaling.stats() } }),
    close() {
      clearTimeout(timer);
      signaling.close();
    },
  };
}
