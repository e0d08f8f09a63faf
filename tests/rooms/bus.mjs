// Signalings of pages on one server that passes on what it gets, in memory.

/** Makes `{ signaling(), wire }`. `wire` are all messages so far; `wire.lose(message, from)` may drop one by returning true. */
export function bus() {
  const pages = new Set();
  const wire = Object.assign([], { lose: () => false, pages });
  return { wire, signaling: () => signalingOf(pages, wire) };
}

function signalingOf(pages, wire) {
  const channels = new Set();
  let connects = 1;
  let looks = 0;
  let end;
  let state = 'open';
  const signaling = {
    get state() {
      looks += 1;
      return state;
    },
    set state(value) {
      state = value;
      looks = 0;
    },
    /** Whether somebody has looked at the state so often since it changed. */
    looked: (times) => looks >= times,
    /** What `send` throws. */
    refuse: undefined,
    channels,
    closed: new Promise((done) => (end = done)),
    end: (reason) => {
      signaling.state = 'closed';
      pages.delete(signaling);
      channels.clear();
      end({ reason });
    },
    stats: () => ({ connects }),
    /** Neither hears nor is heard until `reconnect()`. */
    cut() {
      signaling.state = 'reconnecting';
    },
    reconnect() {
      signaling.state = 'open';
      connects += 1;
    },
    openSocket({ channel, onmessage }) {
      const subscriber = { channel, onmessage };
      channels.add(subscriber);
      return {
        send(message) {
          if (!channels.has(subscriber)) throw new Error('channel-closed');
          if (signaling.refuse) throw signaling.refuse;
          const text = JSON.stringify(message);
          wire.push({ channel, message: JSON.parse(text), from: signaling });
          if (state !== 'open' || wire.lose(message, signaling)) return;
          for (const page of pages) if (page !== signaling) queueMicrotask(() => page.deliver(channel, text));
        },
        close: () => channels.delete(subscriber),
      };
    },
    deliver(channel, text) {
      if (state !== 'open') return;
      for (const subscriber of [...channels]) if (subscriber.channel === channel) subscriber.onmessage(JSON.parse(text));
    },
  };
  pages.add(signaling);
  return signaling;
}
