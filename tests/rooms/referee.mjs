// Pages in the rooms of a stand-in for our relay, in virtual time: it has one room, and is killed,
// cut off, and started again at will.

import { ChosenRooms } from '../../npm/rtcmulticonnection/chosen.js';

export const MESSAGE_EVENT = 'RTCMultiConnection-Message';
const STEP = 10;

/**
 * Makes `{ page(user), run(milliseconds), relay, plain }`. `relay` is the server's memory: `users`
 * by channel, `rooms`, and what it was `asked` for. Set `server` to undefined and `connect` pages
 * again to move them.
 */
export function house() {
  let tokens = 0;
  const self = {
    now: 1_000_000,
    pages: [],
    server: undefined,
    /** Whether a page does nothing for now. */
    isSlow: () => false,
    page: (user, profile) => join(self, user, profile, () => `token-${String((tokens += 1)).padStart(12, '0')}`),
    run(milliseconds) {
      for (const end = self.now + milliseconds; self.now < end; ) {
        self.now += STEP;
        for (const page of self.pages) if (!self.isSlow(page)) page.step();
      }
    },
    /** All pages are connected with a server from now on. */
    move(server) {
      self.server = server;
      for (const page of self.pages) page.lose();
      for (const page of self.pages) page.connect();
    },
  };
  return self;
}

/**
 * A relay that decides on rooms. Each has lives of its own. In other protocols than its own, what a
 * page has sent may be lost with the connection.
 */
export function relayOf(name, protocol = 'relay') {
  const relay = {
    protocol,
    isRelay: true,
    users: new Map(),
    lives: 0,
    rooms: new Map(),
    asked: [],
    take(page, channel, { query, life, seen, asked, ask, event }) {
      if (event?.[0] === 'disconnect') return relay.users.delete(channel);
      let user = relay.users.get(channel);
      if (!user) {
        if (!query) return undefined;
        user = { channel, of: page, ties: new Set(), life: `${name} ${(relay.lives += 1)}`, id: new URLSearchParams(query).get('userid'), asked: 0, sent: 0, kept: [] };
        relay.users.set(channel, user);
      }
      const isEntering = user.page !== page.connection;
      user.page = page.connection;
      if (life === user.life) user.kept = user.kept.filter(({ number }) => number > seen);
      if (isEntering || (!event && (query || asked !== undefined))) page.hear(channel, { user: user.id, life: user.life, asked: user.asked, relay: name });
      if (isEntering) for (const kept of user.kept) page.hear(channel, kept);
      if (!event || life !== user.life || ask <= user.asked) return undefined;
      user.asked = ask;
      relay.asked.push([user.id, ...event]);
      if (event[0] === MESSAGE_EVENT) return pass(relay, user, event[1]);
      const values = decide(relay, user, event);
      if (values) relay.send(page, channel, { answer: ask, values });
      return undefined;
    },
    send(page, channel, content) {
      const user = relay.users.get(channel);
      user.sent += 1;
      const delivery = { number: user.sent, ...content };
      user.kept.push(delivery);
      page.hear(channel, delivery);
    },
  };
  return relay;
}

function decide({ rooms }, user, [event, options]) {
  const room = rooms.get(options?.sessionid);
  if (event === 'open-room') {
    if (room && room.owner !== user.id) return [false, 'Room not available'];
    rooms.set(options.sessionid, { owner: user.id, options, members: room?.members ?? [user.id] });
    return [true];
  }
  if (event === 'join-room') {
    if (!room) return [false, 'Room not available'];
    if (room.options.password !== options.password) return [false, 'Invalid password'];
    if (!room.members.includes(user.id)) room.members.push(user.id);
    return [true];
  }
  if (event === 'participants') return [before(rooms, user)];
  return event === 'check-presence' ? [rooms.has(options), options, {}] : undefined;
}

/** Who was in the user's room before it. */
function before(rooms, { id }) {
  const room = [...rooms.values()].find(({ members }) => members.includes(id));
  return room?.members.slice(0, room.members.indexOf(id)) ?? [];
}

/** A message goes to a user in the same room; a request for a room to all who were there before. */
function pass(relay, user, message) {
  const { remoteUserId: to } = message;
  const isInRoom = (id) => [...relay.rooms.values()].some(({ members }) => members.includes(id) && members.includes(user.id));
  for (const id of relay.rooms.has(to) ? before(relay.rooms, user) : [to].filter(isInRoom)) {
    const other = [...relay.users.values()].find((one) => one.id === id);
    if (!other) continue;
    if (!relay.rooms.has(to)) {
      for (const [one, tied] of [[user, other], [other, user]]) {
        if (!one.ties.has(tied.id)) relay.send(one.of, one.channel, { event: ['user-connected', tied.id] });
        one.ties.add(tied.id);
      }
    }
    relay.send(other.of, other.channel, { event: [MESSAGE_EVENT, { ...message, remoteUserId: id, sender: user.id, extra: {} }] });
  }
}

/** A server that passes messages on: an older relay, or one that acknowledges nothing. */
export function broadcaster(protocol) {
  return { protocol, take: (page, channel, message) => page.house.pages.forEach((other) => other !== page && other.hear(channel, message)) };
}

function join(house, user, profile, token) {
  const rooms = new ChosenRooms(
    { user, extra: {}, messageEvent: MESSAGE_EVENT, customEvent: 'custom-message', autoClose: false, max: 1000, relays: 0, ...profile },
    token,
    { channel: 'agreed', group: undefined, answer: 500 },
  );
  const page = {
    house,
    user,
    rooms,
    /** Names the connection, or undefined. */
    connection: undefined,
    /** How often it was said to be connected. */
    connects: 0,
    events: [],
    channels: new Set(),
    /** What was sent and is not acknowledged yet, with its channel. */
    outbox: [],
    inbox: [],
    flushes: [],
    /** Whether what is sent, or comes, is lost with the connection. */
    isDeaf: false,
    isMute: false,
    emit(name, ...values) {
      const answers = [];
      rooms.request(house.now, name, JSON.parse(JSON.stringify(values)), (...answer) => answers.push(answer));
      page.perform();
      return answers;
    },
    connect() {
      page.connection = Symbol(user);
      rooms.connected(house.now, house.server.protocol, house.server.isRelay ?? false);
      page.perform();
    },
    lose() {
      page.connection = undefined;
      page.inbox = [];
      if (house.server.protocol !== 'relay') page.outbox = [];
      rooms.lost();
    },
    hear(channel, message) {
      if (!page.connection || page.isDeaf || !page.channels.has(channel)) return;
      page.inbox.push([channel, JSON.stringify(message)]);
    },
    step() {
      if (page.connection) page.exchange();
      rooms.tick(house.now);
      page.perform();
    },
    exchange() {
      if (!page.isMute) for (const [channel, text] of page.outbox.splice(0)) house.server.take(page, channel, JSON.parse(text));
      for (const [channel, text] of page.inbox.splice(0)) {
        rooms.receive(house.now, JSON.parse(text), channel);
        page.perform();
      }
      if (page.isMute) return;
      for (const at of page.flushes.splice(0)) rooms.flushed(house.now, at === page.connection);
      page.perform();
    },
    perform() {
      for (let outputs = rooms.take(); outputs.length; outputs = rooms.take()) {
        for (const output of outputs) {
          if (output.do === 'event') page.events.push([output.name, ...output.values]);
          else if (output.do === 'acknowledge') output.acknowledge(...output.values);
          else if (output.do === 'send') page.outbox.push([output.channel, JSON.stringify(output.message)]);
          else if (output.do === 'listen') page.channels.add(output.channel);
          else if (output.do === 'unlisten') page.channels.delete(output.channel);
          else if (output.do === 'flush') page.flushes.push(page.connection);
          else page.connects += 1;
        }
      }
    },
  };
  house.pages.push(page);
  page.perform();
  if (house.server) page.connect();
  return page;
}
