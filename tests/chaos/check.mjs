// Judges the logs of a chaos run (member.mjs has their form): what was lost, what came twice, what
// came in the wrong order, and whether that may be.
//
// While the relay lives everything that was sent arrives once and in order. When it dies it takes
// with it what it had not delivered: each receiver gets an `ongap` for that, on the channel,
// between the last message before and the first after; and what a sender had no acknowledgement of
// is sent again to the next relay, so that it may come twice.

/**
 * `logs`: `{ name: log }` of each member. Gives `{ failures, counts }`; no failures, no complaint.
 * `acknowledged: false` is for servers that acknowledge nothing: there nothing may be sent twice,
 * and `flushed` isn't judged.
 */
export function check(logs, { acknowledged = true } = {}) {
  const counts = { sent: 0, delivered: 0, lost: 0, lostTold: 0, repeated: 0, repeatedAllowed: 0, outOfOrder: 0, spoilt: 0, gaps: 0, groundlessGaps: 0, sentAgain: 0, errors: 0, epochs: 0 };
  const failures = [];
  const fail = (kind, text) => failures.push({ kind, text });

  const senders = new Map(Object.entries(logs).map(([name, log]) => [name, readSender(name, log, { counts, fail, acknowledged })]));
  for (const [name, log] of Object.entries(logs)) readReceiver(name, log, senders, { counts, fail });
  return { failures, counts };
}

/**
 * What a member sent: for each channel how many messages, and whether it ended it; for each message
 * when, and in which epochs a socket took it.
 */
function readSender(name, log, { counts, fail, acknowledged }) {
  const sent = new Map();
  const times = new Map();
  const ends = new Set();
  const order = [];
  const puts = new Map();
  // For each epoch: what waits for an acknowledgement, by ref.
  const open = new Map();
  const taken = new Set();
  for (const [what, time, ...rest] of log) {
    if (what === 'sent') {
      const [channel, n, last] = rest;
      times.set(key(channel, n), time);
      sent.set(channel, n);
      if (last) ends.add(channel);
      order.push(key(channel, n));
      counts.sent += 1;
    } else if (what === 'put') {
      const [channel, n, ref, epoch] = rest;
      const message = key(channel, n);
      if (!puts.has(message)) puts.set(message, []);
      else {
        counts.sentAgain += 1;
        if (taken.has(message)) fail('sentAgain', `${name} sent ${message} again, which had been acknowledged`);
      }
      puts.get(message).push(epoch);
      if (ref === null) continue;
      if (!open.has(epoch)) open.set(epoch, new Map());
      open.get(epoch).set(ref, message);
    } else if (what === 'ack') {
      const [ref, epoch] = rest;
      for (const [waiting, message] of open.get(epoch) ?? []) {
        if (waiting > ref) continue;
        taken.add(message);
        open.get(epoch).delete(waiting);
      }
    } else if (what === 'flushed' && acknowledged) {
      const early = order.slice(0, rest[0]).filter((message) => !taken.has(message));
      if (early.length > 0) fail('flushed', `flushed() of ${name} resolved although ${early.length} messages were not acknowledged, the first ${early[0]}`);
    } else if (what === 'error') {
      counts.errors += 1;
      fail('error', `${name} got the error ${rest[0]}: ${rest[1]}`);
    }
  }
  return { sent, times, ends, puts };
}

function readReceiver(name, log, senders, { counts, fail }) {
  const channels = new Map();
  let epoch;
  // With the relay of this epoch: whether it has answered us, and whether a connection was lost
  // before it had.
  let joined = false;
  let missed = false;
  let position = 0;
  for (const [what, time, ...rest] of log) {
    position += 1;
    if (what === 'epoch') {
      [epoch] = rest;
      joined = false;
      missed = false;
      counts.epochs += 1;
      for (const channel of channels.values()) channel.grounds ??= epoch;
    } else if (what === 'state') {
      missed ||= !joined && rest[0] === 'waiting';
    } else if (what === 'ack') {
      // The gap of the first hello came too early for messages sent until the relay learnt of our
      // channels, on a later connection. A gap may come, but need not: that connection may have
      // been lost behind our channels, not before.
      if (!joined && missed) for (const channel of channels.values()) channel.grounds = '';
      joined = true;
      // The relay has taken what was sent after an opening, and so that.
      for (const opening of everyOpening()) if (rest[0] >= opening.ref && rest[1] === opening.epoch) opening.knownAt = Math.min(opening.knownAt, time);
    } else if (what === 'open') {
      const [channel, kept] = rest;
      if (!channels.has(channel)) channels.set(channel, { from: new Map(), gapAt: 0, openings: [] });
      const there = channels.get(channel);
      there.openings.push({ ref: undefined, epoch: undefined, knownAt: Infinity });
      Object.assign(there, { kept, openedAt: position, grounds: epoch });
    } else if (what === 'put') {
      const [, , ref, epoch] = rest;
      for (const opening of everyOpening()) if (opening.ref === undefined && ref !== null) Object.assign(opening, { ref, epoch });
    } else if (what === 'gap') {
      const [channel] = rest;
      const there = channels.get(channel);
      counts.gaps += 1;
      if (there?.grounds !== undefined && there.grounds === rest[1]) {
        counts.groundlessGaps += 1;
        fail('gap', `${name} heard of a gap on ${channel} while the relay lived, at ${new Date(time).toISOString()}`);
      }
      if (!there) continue;
      there.grounds = rest[1];
      there.gapAt = position;
    } else if (what === 'got') {
      const [channel, from, n, at, spoilt] = rest;
      got(channels.get(channel), { channel, from, n, epoch: at, spoilt, time });
    }
  }
  for (const [channel, there] of channels) for (const [from, { holes, high }] of there.from) settle(channel, there, from, holes, high);
  // Senders of which nothing came at all.
  for (const [channel, there] of channels) {
    for (const [from, { sent }] of senders) if (there.kept && from !== name && !there.from.has(from) && sent.has(channel)) settle(channel, there, from, new Map(), 0);
  }

  function got(there, { channel, from, n, epoch, spoilt, time }) {
    counts.delivered += 1;
    const message = key(channel, n);
    const where = `${message} of ${from} at ${name}, ${new Date(time).toISOString()}`;
    if (!there) return fail('strange', `${where}: the channel was never open`);
    if (spoilt) {
      counts.spoilt += 1;
      fail('spoilt', `${where}: not what was sent`);
    }
    if (from === name) fail('strange', `${where}: one's own`);
    if (!there.from.has(from)) there.from.set(from, { high: 0, at: 0, seen: new Map(), epochs: new Map(), holes: new Map(), used: new Set() });
    const source = there.from.get(from);

    const latest = source.epochs.get(epoch) ?? 0;
    source.epochs.set(epoch, Math.max(latest, n));
    const puts = senders.get(from)?.puts.get(message) ?? [];
    const isResent = puts.includes(epoch) && puts.some((put) => put !== epoch);
    const earlier = source.seen.get(n);
    if (earlier) {
      const again = isResent && !earlier.includes(epoch);
      earlier.push(epoch);
      if (!again) {
        counts.repeated += 1;
        return fail('repeated', `${where}: delivered before, with the relay${earlier.at(-2) === epoch ? '' : ' before'}`);
      }
      counts.repeatedAllowed += 1;
      if (n < latest) {
        counts.outOfOrder += 1;
        fail('outOfOrder', `${where}: sent again, after ${latest}`);
      }
      return undefined;
    }
    source.seen.set(n, [epoch]);
    if (n < source.high) {
      const wasWanted = source.holes.get(n) === false;
      source.holes.delete(n);
      // Sent again to the next relay together with what came after it, and the channel wasn't open
      // here when it was sent at first.
      if (isResent && n > latest && !wasWanted) return undefined;
      counts.outOfOrder += 1;
      return fail('outOfOrder', `${where}: after ${source.high}`);
    }
    let expected = source.high + 1;
    if (!there.kept && n > expected) expected = afterUnowed(there, source, { channel, from, expected, n });
    for (let hole = expected; hole < n; hole += 1) source.holes.set(hole, there.gapAt > source.at);
    source.high = n;
    source.at = position;
    return undefined;
  }

  /**
   * On a passing channel, the first message that is owed of those that are missing. One that is
   * opened begins anywhere, but what was sent when the relay certainly knew of it is owed. One that
   * is opened again may first get what was on its way to it before, and then what came since the
   * relay knew: so each time that it was opened again there may be one more hole.
   */
  function afterUnowed(there, source, { channel, from, expected, n }) {
    const times = senders.get(from)?.times ?? new Map();
    const after = (opening, first) => {
      let owed = first;
      while (owed < n && !(times.get(key(channel, owed)) > opening.knownAt)) owed += 1;
      return owed;
    };
    const isFirst = source.at <= there.openedAt;
    const begun = isFirst ? after(there.openings.at(-1), expected) : expected;
    if (begun === n) return n;
    const unused = there.openings.slice(1).filter((opening) => !source.used.has(opening) && after(opening, begun) > begun);
    const again = unused.find((opening) => after(opening, begun) === n) ?? unused.at(-1);
    if (!again) return begun;
    source.used.add(again);
    return after(again, begun);
  }

  function* everyOpening() {
    for (const { openings } of channels.values()) yield* openings;
  }

  /**
   * Counts the holes; on a kept channel what is missing at the end too, of which the very last was
   * sent when all faults were over.
   */
  function settle(channel, there, from, holes, high) {
    const total = there.kept ? (senders.get(from)?.sent.get(channel) ?? 0) : 0;
    const end = senders.get(from)?.ends.has(channel) ? total : undefined;
    const at = there.from.get(from)?.at ?? 0;
    for (let hole = high + 1; hole <= total; hole += 1) holes.set(hole, hole !== end && there.gapAt > at);
    for (const [hole, told] of holes) {
      if (told) {
        counts.lostTold += 1;
        continue;
      }
      counts.lost += 1;
      fail('lost', `${key(channel, hole)} of ${from} never came to ${name}, which heard of no gap there`);
    }
  }
}

function key(channel, n) {
  return `${channel}#${n}`;
}
