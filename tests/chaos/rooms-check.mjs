// Judges the log of the clients in rooms (rooms.mjs has its form).
//
// Nothing is promised at a moment, but each answer is true at some moment between the question and
// the answer, and what a client knows holds until it asks for something else or loses its connection:
// relays end the connections whose rooms are lost. So a client is known to be in a room from the
// answer `true` to the last question on that connection that was answered, and whatever is answered
// to another client in between must agree with it, whichever relays answer.

const LISTS = 'get-public-rooms';

/**
 * `people`: `{ name, space, user }` of each client. Gives `{ failures, counts }`; no failures, no
 * complaint.
 */
export function checkRooms(people, log) {
  const counts = { asked: 0, answered: 0, unanswered: 0, late: 0, entered: 0, refused: 0, listed: 0, said: 0, got: 0, unheard: 0, due: 0, taken: 0, connections: 0 };
  const failures = [];
  const fail = (text, entry) => failures.push({ kind: 'rooms', text: `${text}, at ${new Date(entry.at).toISOString()}` });
  const clients = new Map(people.map((person) => [person.name, { ...person, stays: [], lives: [], possible: new Set([undefined]), rooms: [], asks: [], said: [], got: [] }]));

  log.forEach((entry, place) => read(clients.get(entry.who), entry, place, { counts, fail }));
  const all = [...clients.values()];
  for (const client of all) {
    for (const asked of client.asks) if (asked.answered === undefined) counts.unanswered += 1;
    for (const asked of client.asks) judge(client, asked, all, fail);
    judgeMessages(client, all, fail);
  }
  for (const sender of all) {
    counts.unheard += sender.said.filter(({ heard }) => !heard).length;
    for (const receiver of all) if (receiver.space === sender.space) judgeArrival(sender, receiver, { counts, fail });
  }
  for (const [index, one] of all.entries()) for (const other of all.slice(index + 1)) judgeIds(one, other, fail);
  return { failures, counts };
}

/**
 * Notes what an entry says of its client: its `stays` in rooms, each known from `from` to `until`,
 * its `lives` as a user, and in `rooms` from which place of the log on it may be in which.
 */
function read(client, entry, place, { counts, fail }) {
  const may = (rooms) => {
    client.possible = new Set(rooms);
    client.rooms.push({ place, possible: client.possible });
  };
  const { what } = entry;
  if (what === 'up') {
    counts.connections += 1;
    client.stay = undefined;
    client.life = undefined;
    client.isTaken = false;
    // The same as before, or a new user in no room.
    may([...client.possible, undefined]);
  } else if (what === 'down') {
    client.stay = undefined;
    client.life = undefined;
  } else if (what === 'taken') {
    counts.taken += 1;
    client.isTaken = true;
  } else if (what === 'late') {
    counts.late += 1;
    fail(`${client.name} had no answer although its connection lasted`, entry);
  } else if (what === 'ask') {
    counts.asked += 1;
    const enters = entry.event === 'open-room' || entry.event === 'join-room';
    client.asks.push({ ...entry, place, enters, stay: client.stay, before: client.possible });
    if (!enters) return;
    client.stay = undefined;
    may([...client.possible, entry.room, undefined]);
  } else if (what === 'answer') {
    counts.answered += 1;
    const asked = client.asks.findLast(({ ask }) => ask === entry.ask);
    Object.assign(asked, { answered: place, values: entry.values, end: entry });
    answer(client, asked, entry, place, may);
    if (asked.enters) counts[entry.values[0] === true ? 'entered' : 'refused'] += 1;
    if (asked.event === LISTS) counts.listed += 1;
  } else if (what === 'say') {
    counts.said += 1;
    client.said.push({ ...entry, place, stay: client.stay, possible: client.possible });
  } else if (what === 'got') {
    counts.got += 1;
    client.got.push({ ...entry, place });
  }
}

function answer(client, asked, entry, place, may) {
  const [first] = entry.values;
  // Whoever isn't a user is answered in words.
  const isUsers = asked.event === LISTS ? Array.isArray(first) : typeof first === 'boolean';
  if (!isUsers) return;
  client.life ??= newIn(client.lives, { connection: entry.connection, from: place });
  client.life.until = asked.place;
  if (asked.stay) asked.stay.until = asked.place;
  if (!asked.enters) return;
  const wasIn = asked.stay?.room === asked.room;
  if (first === true || wasIn) {
    may([asked.room]);
    client.stay = wasIn ? asked.stay : newIn(client.stays, { room: asked.room, begun: asked.place, from: place, opened: asked.event === 'open-room' && first === true && !asked.before.has(asked.room) });
    client.stay.until ??= asked.place;
    asked.begins = client.stay;
  } else {
    // Whoever is in a room that it would open, and isn't its owner, stays in it.
    may(asked.event === 'open-room' && asked.before.has(asked.room) ? [asked.room, undefined] : [undefined]);
  }
}

function newIn(list, value) {
  list.push(value);
  return value;
}

/** Whether an answer agrees with what is known of the others. */
function judge(client, asked, all, fail) {
  const { values, place, answered, end, event } = asked;
  if (answered === undefined) return;
  const [first] = values;
  const { stay } = asked;
  if (event === 'check-presence' && stay?.room === asked.room && first === false) fail(`check-presence told ${client.name} that the room ${asked.room} isn't there, in which it was`, end);
  if (event === 'open-room' && first === true) judgeOpening(client, asked, all, fail);
  if (event !== LISTS || !Array.isArray(first)) return;
  const where = new Map();
  for (const { sessionid, owner, participants } of first) {
    if (!participants.includes(owner)) fail(`${client.name} hears that ${owner} owns ${sessionid} and isn't in it`, end);
    for (const user of participants) {
      if (where.has(user)) fail(`${client.name} hears that ${user} is in ${where.get(user)} and in ${sessionid}`, end);
      where.set(user, sessionid);
    }
  }
  if (stay && where.get(client.user) !== stay.room) fail(`${client.name} was in ${stay.room}, and hears that it is in ${where.get(client.user)}`, end);
  const known = all.filter((other) => other.space === client.space);
  for (const other of known) {
    const its = other.stays.find(({ from, until }) => from < place && until > answered);
    if (its && where.get(other.user) !== its.room) fail(`${other.name} was in ${its.room}, and ${client.name} hears that ${other.user} is in ${where.get(other.user)}`, end);
  }
  for (const [user, room] of where) {
    const those = known.filter((other) => other.user === user);
    if (those.length === 0) fail(`${client.name} hears of ${user} in ${room}, who is of another space`, end);
    else if (!those.some((other) => between(other, place, answered).has(room))) fail(`${client.name} hears that ${user} is in ${room}, and it can't be`, end);
  }
}

/** A room that somebody is in can't be opened by another one; and of two who open it one has it. */
function judgeOpening(client, { room, before, place, answered, end, begins }, all, fail) {
  // Its owner may open it again.
  if (before.has(room)) return;
  for (const other of all) {
    if (other === client || other.space !== client.space) continue;
    const was = other.stays.find((stay) => stay.room === room && stay.from < place && stay.until > answered);
    const also = other.stays.find((stay) => stay.room === room && stay.opened && stay.begun < answered && stay.from > place && stay.until > answered && begins.until > stay.from);
    if (was || also) fail(`${client.name} and ${other.name} both opened ${room} and were in it`, end);
  }
}

/** In which rooms a client may have been between two places of the log. */
function between(client, from, until) {
  const before = client.rooms.findLast(({ place }) => place <= from)?.possible ?? [undefined];
  const meanwhile = client.rooms.filter(({ place }) => place > from && place < until).flatMap(({ possible }) => [...possible]);
  return new Set([...before, ...meanwhile]);
}

/** Nobody has the id that somebody has. */
function judgeIds(one, other, fail) {
  if (one.space !== other.space || one.user !== other.user) return;
  for (const life of one.lives) {
    const also = other.lives.find(({ from, until }) => from < life.until && until > life.from);
    if (also) fail(`${one.name} and ${other.name} both were ${one.user}`, { at: 0 });
  }
}

/** What a client got was for it, of somebody in its room, and came once and in order. */
function judgeMessages(client, all, fail) {
  const high = new Map();
  for (const { at, place, message } of client.got) {
    const { by, n, connection, space } = message.message;
    const sender = all.find(({ name }) => name === by);
    const said = sender?.said.find((said) => said.n === n && said.connection === connection);
    const where = { at };
    if (!said || said.to !== client.user || space !== client.space || message.remoteUserId !== client.user) {
      fail(`${client.name} got ${by}’s message ${n}, which was for ${said?.to} in ${space}`, where);
      continue;
    }
    if (message.sender !== sender.user) fail(`${client.name} got ${by}’s message as that of ${message.sender}`, where);
    const key = `${by} ${connection}`;
    if ((high.get(key) ?? 0) === n) fail(`${client.name} got ${by}’s message ${n} twice`, where);
    else if ((high.get(key) ?? 0) > n) fail(`${client.name} got ${by}’s message ${n} after ${high.get(key)}`, where);
    high.set(key, Math.max(n, high.get(key) ?? 0));
    said.heard ??= client;
    if (said.heard !== client) fail(`${client.name} got ${by}’s message ${n}, and so did ${said.heard.name}`, where);
    const mine = between(client, said.place, place);
    if (!mine.has(undefined) && ![...said.possible].some((room) => mine.has(room))) fail(`${client.name} got ${by}’s message ${n} from another room`, where);
  }
}

/** What was sent arrives, if both were in the room until both have had another answer. */
function judgeArrival(sender, receiver, { counts, fail }) {
  for (const said of sender.said) {
    if (said.to !== receiver.user) continue;
    const taken = sender.asks.find(({ place, connection, answered }) => place > said.place && connection === said.connection && answered !== undefined);
    const its = taken && receiver.stays.findLast(({ from, room }) => from < said.place && room === said.stay?.room);
    const sure = its && receiver.asks.find((asked) => asked.stay === its && asked.place > taken.answered && asked.answered !== undefined);
    const got = receiver.got.find(({ message }) => message.message.by === sender.name && message.message.n === said.n && message.message.connection === said.connection);
    if (!sure) continue;
    counts.due += 1;
    if (!got || got.place > sure.answered) fail(`${receiver.name} never got ${sender.name}’s message ${said.n}, and both were in ${its.room}`, said);
  }
}

/**
 * For each kind of fault, how long after it each client that it may have struck had the first answer
 * to a question that it asked after it, in milliseconds. `first`: the number of the first client
 * among the members that faults name.
 */
export function roomsRecovery(struck, people, log, first) {
  const asks = new Map(people.map(({ name }) => [name, []]));
  const open = new Map();
  for (const { what, at, who, ask } of log) {
    if (what === 'ask') open.set(`${who} ${ask}`, at);
    else if (what === 'answer') asks.get(who).push({ asked: open.get(`${who} ${ask}`), at });
  }
  const times = {};
  for (const { kind, at, members } of struck) {
    // Those of relays and of NATS may strike all.
    const those = members.length === 0 || kind === 'relay-killed' ? people : people.filter((_, index) => members.includes(first + index));
    for (const { name } of those) {
      const answer = asks.get(name).find(({ asked }) => asked >= at);
      if (answer) (times[kind] ??= []).push(answer.at - at);
    }
  }
  return times;
}
