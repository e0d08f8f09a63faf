// Clients of a chaos run in rooms of RTCMultiConnection: real clients of Socket.IO, which say and ask
// for what the library's pages do. They write down all that happens, for rooms-check.mjs to judge.
//
// All of them are in one program and write one log, so that its order is that in which things
// happened. Each entry is { what, at, who, connection, … }; a client's connections are counted:
//   up                        connected
//   down                      the connection is lost, or was closed
//   ask      ask, event, room asks for something
//   answer   ask, values      the answer
//   say      to, n            sends a message
//   got      message          a message was delivered, as it came
//   taken                     the relay says that the id is another's
//   late     ask              there was no answer although the connection lasted

import { io } from 'socket.io-client';
import { deadline } from '../support/deadline.mjs';
import { random } from './random.mjs';

const MESSAGE = 'RTCMultiConnection-Message';
/** By this name all rooms are found. */
const PUBLIC = 'storm';
const SPACES = ['/red', '/blue'];
/** Few, so that clients meet in them and want the same. */
const ROOMS = ['one', 'two'];
/** The id that two clients want, who are never told a secret of the other. */
const RIVAL = 'rival';
/** For so long a relay may leave a question unanswered: no request takes it half as long. */
const answered = () => deadline(60_000);
const settled = () => deadline(180_000);

/**
 * Makes as many clients as there are `urls`. They are in two spaces; in each are the same ids, so
 * that what goes to the wrong space is noticed. The last two want one id. `pace`: the milliseconds
 * between two acts of each, on average.
 */
export function roomClients({ urls, seed, pace }) {
  const log = [];
  const clients = urls.map((url, index) => {
    const isRival = index >= urls.length - 2;
    const space = isRival ? SPACES[0] : SPACES[index % SPACES.length];
    const user = isRival ? RIVAL : `user${Math.floor(index / SPACES.length)}`;
    return new Client({ name: `rooms${index}`, url, space, user, isRival, seed, pace, log });
  });
  for (const client of clients) client.others = clients.filter(({ space, user }) => space === client.space && user !== client.user).map(({ user }) => user);
  const people = clients.map(({ name, space, user }) => ({ name, space, user }));
  const mainly = clients.filter(({ isRival }) => !isRival);

  return {
    log,
    people,
    /** Each is in a room, once. */
    async begin() {
      await Promise.all(mainly.map((client) => client.settle()));
    },
    start() {
      for (const client of clients) client.start();
    },
    /**
     * After the last fault: all come into a room once more, but for one of each space and the
     * rivals, who leave for good. Gives what is wrong in the end.
     */
    async finish() {
      await Promise.all(clients.map((client) => client.stop()));
      const leaving = new Set(SPACES.map((space) => mainly.findLast((client) => client.space === space)));
      for (const client of clients) if (client.isRival || leaving.has(client)) client.close();
      const staying = mainly.filter((client) => !leaving.has(client));
      const failures = [];
      await Promise.all(staying.map((client) => client.settle().catch((error) => failures.push(`${client.name} isn't in a room after the last fault: ${error.message}`))));
      if (failures.length > 0) return failures;
      for (const client of staying) {
        const expected = staying.filter(({ space }) => space === client.space).map(({ user, room }) => `${room} ${user}`);
        let found;
        const isExact = async () => {
          const values = await client.look();
          found = values?.[0].flatMap(({ sessionid, participants }) => participants.map((user) => `${sessionid} ${user}`));
          return found && found.sort().join() === expected.sort().join();
        };
        await patiently(isExact, 'exactly those who are there').catch(() => failures.push(`${client.name} finds in its space ${found?.join(', ')} instead of ${expected.join(', ')}`));
        const isThere = async () => (await client.ask('check-presence', client.room, client.room))?.[0] === true;
        await patiently(isThere, 'its room').catch(() => failures.push(`check-presence says to ${client.name} that there is no room ${client.room}, in which it is`));
      }
      return failures;
    },
    close: () => clients.forEach((client) => client.close()),
  };
}

class Client {
  /** The room it is in, as far as it knows. */
  room;
  #settings;
  #chance;
  #socket;
  #connection = 0;
  #asks = 0;
  #said = 0;
  #isTaken = false;
  #isOver = true;
  #acting = Promise.resolve();
  /** What ends a question whose connection is lost. */
  #waiting = new Set();

  constructor(settings) {
    this.#settings = settings;
    this.#chance = random(`rooms ${settings.seed} ${settings.name}`);
    this.#open();
  }

  get name() {
    return this.#settings.name;
  }

  get space() {
    return this.#settings.space;
  }

  get user() {
    return this.#settings.user;
  }

  get isRival() {
    return this.#settings.isRival;
  }

  #note(what, more) {
    this.#settings.log.push({ what, at: Date.now(), who: this.name, connection: this.#connection, ...more });
  }

  #open() {
    const { url, space, user } = this.#settings;
    const socket = io(url.replace(/^ws/, 'http').replace(/\/$/, space), {
      forceNew: true,
      // Behind HAProxy the requests of one that polls may reach several relays.
      transports: ['websocket'],
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      query: { userid: user, sessionid: ROOMS[0], msgEvent: MESSAGE, socketCustomEvent: 'Custom', extra: '{}' },
    });
    this.#socket = socket;
    socket.on('connect', () => {
      this.#connection += 1;
      this.#isTaken = false;
      this.room = undefined;
      this.#note('up');
    });
    socket.on('disconnect', (reason) => {
      this.#note('down', { reason });
      this.room = undefined;
      for (const end of this.#waiting) end();
      this.#again(socket);
    });
    socket.on('connect_error', () => this.#again(socket));
    socket.on(MESSAGE, (message) => this.#note('got', { message }));
    socket.on('userid-already-taken', () => {
      this.#isTaken = true;
      this.#note('taken');
    });
  }

  /** After what a relay has said itself the client of Socket.IO doesn't connect again. */
  #again(socket) {
    if (socket.active) return;
    setTimeout(() => socket === this.#socket && !this.#isClosed && socket.connect(), 200);
  }

  #isClosed = false;

  /** Leaves for good. */
  close() {
    this.#isClosed = true;
    this.#socket?.disconnect();
  }

  /** Leaves, and comes back. A rival comes without the secret by which it would be the same user. */
  async #leave() {
    if (this.isRival) {
      const socket = this.#socket;
      this.#socket = undefined;
      socket.disconnect();
      await pause(this.#chance.between(0, 2000));
      if (!this.#isClosed) this.#open();
    } else {
      this.#socket.disconnect();
      await pause(this.#chance.between(0, 300));
      if (!this.#isClosed) this.#socket.connect();
    }
  }

  /** The values of the answer; nothing if the connection is lost before. */
  async ask(event, argument, room) {
    const socket = this.#socket;
    if (!socket?.connected) return undefined;
    this.#asks += 1;
    const ask = this.#asks;
    this.#note('ask', { ask, event, room });
    return new Promise((done) => {
      const end = (values) => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        done(values);
      };
      this.#waiting.add(end);
      const timer = setTimeout(() => {
        this.#note('late', { ask });
        end();
        // Not the end of the client: it connects again.
        socket.io.engine?.close();
      }, answered());
      socket.emit(event, argument, (...values) => {
        this.#note('answer', { ask, values });
        end(values);
      });
    });
  }

  /** Which rooms there are in the space. */
  async look() {
    const values = await this.ask('get-public-rooms', PUBLIC);
    return Array.isArray(values?.[0]) ? values : undefined;
  }

  async #enter(event, room) {
    const before = this.room;
    this.room = undefined;
    const values = await this.ask(event, { sessionid: room, identifier: PUBLIC, session: { data: true }, extra: { user: this.user } }, room);
    if (values?.[0] === true) this.room = room;
    else if (values && before === room) this.room = before;
    return values;
  }

  /** As openOrJoin does. */
  async #openOrJoin(room) {
    const isThere = await this.ask('check-presence', room, room);
    if (!isThere) return;
    await this.#enter(isThere[0] === true ? 'join-room' : 'open-room', room);
  }

  /** Comes into a room, and stays there. */
  async settle() {
    const isIn = async () => {
      if (this.#isTaken) await this.#leave();
      if (this.room === undefined) await this.#openOrJoin(ROOMS[0]);
      return this.room !== undefined && (await this.look()) && this.room !== undefined;
    };
    await patiently(isIn, 'a room');
  }

  start() {
    this.#isOver = false;
    this.#acting = this.#act();
  }

  async stop() {
    this.#isOver = true;
    await this.#acting;
  }

  async #act() {
    const chance = this.#chance;
    const acts = {
      look: () => this.look(),
      presence: () => {
        const room = chance.pick(ROOMS);
        return this.ask('check-presence', room, room);
      },
      enter: () => this.#openOrJoin(chance.pick(ROOMS)),
      open: () => this.#enter('open-room', chance.pick(ROOMS)),
      join: () => this.#enter('join-room', chance.pick(ROOMS)),
      say: () => {
        for (let left = chance.whole(1, 5); left > 0; left -= 1) this.#say(chance.pick(this.others));
      },
      leave: () => this.#leave(),
    };
    const outside = { enter: 6, open: 3, look: 1 };
    const inside = { look: 8, presence: 2, enter: 2, open: 1, join: 1, say: 12, leave: this.isRival ? 1 : 0.3 };
    while (!this.#isOver) {
      await pause(chance.between(0, 2 * this.#settings.pace));
      if (this.#isOver) break;
      if (this.#isTaken) await this.#leave();
      else if (this.#socket?.connected) await acts[chance.weighted(this.room === undefined ? outside : inside)]();
    }
  }

  #say(to) {
    if (!this.#socket.connected) return;
    this.#said += 1;
    this.#note('say', { to, n: this.#said });
    const message = { n: this.#said, by: this.name, connection: this.#connection, space: this.space };
    this.#socket.emit(MESSAGE, { remoteUserId: to, sender: this.user, message });
  }
}

/** Tries again until it is true, for as long as any relay may take. */
async function patiently(condition, what) {
  const began = Date.now();
  while (!(await condition())) {
    if (Date.now() - began > settled()) throw new Error(`waited in vain for ${what}`);
    await pause(200);
  }
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
