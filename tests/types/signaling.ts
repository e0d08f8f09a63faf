// The class: attach, its two hooks, what it tells about itself, and its end.

import { Signaling, type FrameKind, type Handle, type OpenChannel, type Options, type State, type StateDetail, type Stats } from 'signal-wasm';
import { some, type Must, type Same } from './expect.js';

const signaling = new Signaling({ url: 'wss://example.org/' });

// attach gives the very connection back, and knows what it has put on it.
class RTCMultiConnection {
  channel = 'room';
  open() {}
}
const connection = signaling.attach(new RTCMultiConnection());
connection.open();
connection.channel.length;
export type Hook = Must<Same<typeof connection.openSignalingChannel, OpenChannel>>;
const handle: Handle = connection.openSignalingChannel({ onmessage() {} });
handle.send(1);
signaling.attach({}).openSignalingChannel(() => {}).close();
signaling.attach(some<any>()).anything;
signaling.attach(() => {}).openSignalingChannel({});

// The hooks, taken off and hung elsewhere.
export type Hooks = Must<Same<typeof signaling.openSocket, OpenChannel>> & Must<Same<typeof signaling.openSignalingChannel, OpenChannel>>;
const { openSocket, openSignalingChannel } = signaling;
openSocket({});
const config = { channel: 'room', openSocket, openSignalingChannel };
config.openSocket({ onmessage: (message: string) => message.length });
config.openSignalingChannel<string, string>({}).send('text');

// What it tells.
export type Userid = Must<Same<typeof signaling.userid, number>>;
export type States = Must<Same<typeof signaling.state, State>>;
export type Counters = Must<Same<ReturnType<typeof signaling.stats>, Stats>>;
const counters = signaling.stats();
counters.sent + counters.received + counters.delivered + counters.own + counters.foreign + counters.bad + counters.control;
counters.queued + counters.queuedBytes + counters.channels + counters.connects + counters.reconnects;
counters.sentBytes + counters.receivedBytes + counters.dropped + counters.gaps + (counters.roundTrip ?? 0);
const isRelay: boolean = counters.relay;
void isRelay;
export type Spoken = Must<Same<typeof counters.protocol, 'relay' | 'websocket' | 'socket.io' | 'signalr' | 'signalr-classic' | 'sse' | undefined>>;
export type Ends = Must<Same<typeof signaling.closed, Promise<StateDetail>>> & Must<Same<ReturnType<typeof signaling.flushed>, Promise<void>>>;
signaling.closed.then(({ reason, code }) => reason + code);

// Its states and frame kinds, all of them.
export function colour(state: State): string {
  switch (state) {
    case 'idle':
      return 'grey';
    case 'connecting':
    case 'waiting':
      return 'amber';
    case 'open':
      return 'green';
    case 'closed':
      return 'red';
  }
}
export function counts(kind: FrameKind): boolean {
  switch (kind) {
    case 'sent':
    case 'delivered':
    case 'own':
    case 'foreign':
    case 'bad':
    case 'control':
      return true;
  }
}
export function forgetful(state: State): string {
  switch (state) {
    case 'open':
      return 'green';
    default: {
      // @ts-expect-error TS2322: four states are left
      const none: never = state;
      return none;
    }
  }
}

// Handlers, put on and taken off.
signaling.onstatechange = (state, detail) => {
  told(state, detail);
};
signaling.ongap = (channel) => channel.length;
signaling.ongap = null;
signaling.onerror = (error) => error.message;
signaling.onframe = (kind, frame) => kind === 'own' && typeof frame === 'string' && frame.length;
signaling.onstatechange = null;
signaling.onerror = undefined;
signaling.onframe = null;
export type Handler = Must<Same<Signaling['onstatechange'], Options['onstatechange']>>;
function told(state: State, detail: StateDetail): void {
  if (state === 'waiting') (detail.retryIn ?? 0).toFixed();
  (detail.code ?? 1000).toFixed();
  detail.reason.length;
}

// Its end: by hand, or at the end of the block.
signaling.close();
{
  using brief = new Signaling();
  brief.openSocket({});
}
const stack = new DisposableStack();
stack.use(new Signaling());

// @ts-expect-error TS2345: a connection is an object
signaling.attach('connection');
// @ts-expect-error TS2345: undefined is no connection
signaling.attach(undefined);
// @ts-expect-error TS2345: null is no connection
signaling.attach(null);
// @ts-expect-error TS2554: something to attach to is a must
signaling.attach();
// @ts-expect-error TS2339: attach gives the connection, and that has no such method
signaling.attach(new RTCMultiConnection()).disconnect();
// @ts-expect-error TS2348: a class is made with new
Signaling({});
// @ts-expect-error TS2554: one object holds all the options
new Signaling('wss://example.org/', {});
// @ts-expect-error TS2345: options are an object
new Signaling('wss://example.org/');
// @ts-expect-error TS2540: an identity is for life
signaling.userid = 5;
// @ts-expect-error TS2540: a state is reported, not set
signaling.state = 'closed';
// @ts-expect-error TS2540: the hooks belong to the signaling
signaling.openSocket = openSignalingChannel;
// @ts-expect-error TS2540: its end is reported, not set
signaling.closed = Promise.resolve();
// @ts-expect-error TS18048: not every server tells how long a round trip takes
counters.roundTrip.toFixed();
// @ts-expect-error TS2540: a snapshot isn't for writing
signaling.stats().sent = 0;
// @ts-expect-error TS2540: nor is what was taken from it
counters.queued++;
// @ts-expect-error TS2339: no such counter
counters.lost;
// @ts-expect-error TS2322: a handler is a function
signaling.onerror = 'console.error';
// @ts-expect-error TS2322: a handler of errors gets an error
signaling.onerror = (error: string) => error;
// @ts-expect-error TS2322: a handler of states gets a state
signaling.onstatechange = (state: Event) => state.type;
// @ts-expect-error TS2367: there is no such state
signaling.state === 'opened';
// @ts-expect-error TS2554: closing takes nothing
signaling.close(1000);
