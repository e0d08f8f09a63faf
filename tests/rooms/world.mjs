// Pages that agree on rooms, over a server that only passes messages on, in virtual time.

import { AgreedRooms } from '../../npm/rtcmulticonnection/agreed.js';

/** How long a message travels, in milliseconds. */
const LATENCY = 10;
const STEP = 10;

export const MESSAGE_EVENT = 'RTCMultiConnection-Message';

/**
 * Makes `{ page(options), run(milliseconds), onWire, sent }`: `sent` are all messages so far, and
 * `onWire(message)` may keep one from being delivered by returning false.
 */
export function world() {
  let tokens = 0;
  const self = {
    now: 1_000_000,
    pages: [],
    sent: [],
    travelling: [],
    onWire: () => true,
    page: (options) => join(self, options, () => `token-${String((tokens += 1)).padStart(8, '0')}`),
    /** Lets time pass. */
    run(milliseconds) {
      for (const end = self.now + milliseconds; self.now < end; ) {
        self.now += STEP;
        deliver(self);
        for (const page of self.pages) if (!page.isDead) page.step();
      }
    },
  };
  return self;
}

function deliver(self) {
  for (const item of self.travelling.filter(({ at }) => at <= self.now)) {
    self.travelling.splice(self.travelling.indexOf(item), 1);
    for (const page of self.pages) {
      if (page !== item.from && page.isUp && !page.isDead) page.receive(item.text);
    }
  }
}

/** A page with that user. `isDead`: it does nothing any more. `isUp`: it is connected. */
function join(self, { user, isUp = true, ...profile } = {}, token) {
  const rooms = new AgreedRooms(
    { user, extra: {}, messageEvent: MESSAGE_EVENT, customEvent: 'custom-message', autoClose: false, max: 1000, relays: 0, ...profile },
    token,
  );
  const page = {
    user,
    rooms,
    isUp,
    isDead: false,
    /** The events, each as an array with its name first. */
    events: [],
    outbox: [],
    named: (name) => page.events.filter(([event]) => event === name).map(([, ...values]) => values),
    /** The messages of RTCMultiConnection. */
    get heard() {
      return page.named(MESSAGE_EVENT).map(([message]) => message);
    },
    /** Emits. The record's `answers` fill with what is acknowledged. */
    emit(name, ...values) {
      const answers = [];
      rooms.request(self.now, name, JSON.parse(JSON.stringify(values)), (...answer) => answers.push(answer));
      page.perform();
      return { answers };
    },
    receive(text) {
      rooms.receive(self.now, JSON.parse(text));
      page.perform();
    },
    step() {
      rooms.tick(self.now);
      page.perform();
    },
    setUp(isUp) {
      page.isUp = isUp;
      if (isUp) rooms.connected(self.now);
      else rooms.lost();
      page.perform();
      if (isUp) page.outbox.splice(0).forEach(transmit);
    },
    leave() {
      rooms.leave(self.now);
      page.perform();
      page.isDead = true;
    },
    perform() {
      for (const output of rooms.take()) {
        if (output.do === 'event') page.events.push([output.name, ...output.values]);
        else if (output.do === 'acknowledge') output.acknowledge(...output.values);
        else if (page.isUp) transmit(output.message);
        else page.outbox.push(output.message);
      }
    },
  };
  function transmit(message) {
    self.sent.push(message);
    if (self.onWire(message)) self.travelling.push({ from: page, at: self.now + LATENCY, text: JSON.stringify(message) });
  }
  self.pages.push(page);
  if (isUp) page.setUp(true);
  return page;
}

/** Opens a room and waits for it. */
export function open(self, page, sessionid, options = {}) {
  const asked = page.emit('open-room', { sessionid, session: { data: true }, extra: {}, password: '', ...options });
  self.run(1000);
  return asked.answers;
}

/** Joins a room and waits for that. */
export function joinRoom(self, page, sessionid, options = {}) {
  const asked = page.emit('join-room', { sessionid, session: { data: true }, extra: {}, password: '', ...options });
  self.run(3000);
  return asked.answers;
}

/** What the library sends when it has joined. */
export function introduce(page, sessionid) {
  page.emit(MESSAGE_EVENT, { remoteUserId: sessionid, sender: page.user, message: { newParticipationRequest: true } });
}
