// What a chaos run has to say at its end.

/** The report of `storm`'s result, as lines. */
export function report({ seed, names, asked, struck, failures, counts, recovery, rooms, took }) {
  const lines = [`chaos, seed ${seed}: ${names.length} members (${names.join(', ')}), ${(took / 1000).toFixed(0)} s`, ''];
  const row = (name, value) => lines.push(`  ${name.padEnd(34)}${String(value).padStart(9)}`);

  const kinds = byKind(struck);
  row('faults', struck.length);
  for (const [kind, count] of Object.entries(kinds).sort(([, a], [, b]) => b - a)) row(`  ${kind}`, count);
  if (struck.length < asked) lines.push(`  The time was up after ${struck.length} of ${asked} faults.`);
  lines.push('');
  row('sent', counts.sent);
  row('not taken, outbox full', counts.notTaken);
  row('delivered', counts.delivered);
  row('lost', counts.lost);
  row('lost with a relay, and told', counts.lostTold);
  row('repeated', counts.repeated);
  row('repeated over a relay’s death', counts.repeatedAllowed);
  row('out of order', counts.outOfOrder);
  row('gaps told', counts.gaps);
  row('  while the relay lived', counts.groundlessGaps);
  row('put on a connection again', counts.sentAgain);
  row('flushed() resolved', counts.flushes);
  row('reconnects', counts.reconnects);
  lines.push('', ...table('milliseconds to recover', recovery));
  if (rooms) {
    lines.push('');
    row('room requests', rooms.counts.asked);
    row('  acknowledged', rooms.counts.answered);
    row('  unanswered, connection lost', rooms.counts.unanswered);
    row('  into a room', rooms.counts.entered);
    row('  refused a room', rooms.counts.refused);
    row('connections', rooms.counts.connections);
    row('told that an id is taken', rooms.counts.taken);
    row('messages between users', rooms.counts.said);
    row('  delivered', rooms.counts.got);
    row('  not delivered', rooms.counts.unheard);
    row('  that had to be delivered', rooms.counts.due);
    lines.push('', ...table('milliseconds until rooms answer', rooms.recovery));
  }

  lines.push('');
  if (failures.length === 0) return [...lines, 'Nothing lost, nothing repeated, nothing out of order.'];
  const found = byKind(failures);
  lines.push(`FAILED: ${Object.entries(found).map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  for (const kind of Object.keys(found)) {
    const these = failures.filter((failure) => failure.kind === kind);
    lines.push(...these.slice(0, 10).map(({ text }) => `  ${kind}: ${text}`));
    if (these.length > 10) lines.push(`  ${kind}: and ${these.length - 10} more`);
  }
  return lines;
}

/** The figures of `storm`'s result, without what happened when. */
export function summary({ seed, names, struck, failures, counts, recovery, rooms, took }) {
  return {
    seed,
    members: names,
    seconds: Math.round(took / 1000),
    faults: byKind(struck),
    failures: failures.length,
    counts,
    recoveryMilliseconds: figures(recovery),
    ...(rooms && { rooms: { people: rooms.people, counts: rooms.counts, recoveryMilliseconds: figures(rooms.recovery) } }),
  };
}

function figures(recovery) {
  const all = Object.values(recovery).flat();
  const lists = Object.entries({ ...recovery, ...(all.length > 0 && { all }) });
  return Object.fromEntries(lists.map(([kind, times]) => [kind, { times: times.length, median: median(times), worst: Math.max(...times) }]));
}

/** Times by kind of fault, as lines. */
function table(title, times) {
  const row = (name, values) => `  ${name.padEnd(34)}${values.map((value) => String(value).padStart(9)).join('')}`;
  const figures = (list) => [list.length, Math.round(median(list)), Math.round(Math.max(...list))];
  const all = Object.values(times).flat();
  const lines = Object.entries(times).map(([kind, list]) => row(after(kind), figures(list)));
  return [row(title, ['times', 'median', 'worst']), ...lines, ...(all.length > 0 ? [row('all', figures(all))] : [])];
}

function byKind(list) {
  const counts = {};
  for (const { kind } of list) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function after(kind) {
  return kind === 'relay-killed' ? 'after the relay’s restart' : `after ${kind}`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
