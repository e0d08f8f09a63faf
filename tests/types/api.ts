// The API of today: events, connecting and disconnecting, channels with several listeners.

import { Signaling, type Channel, type ChannelEventMap, type FrameKind, type SignalingError, type State } from 'signal-wasm';
import { type Must, type Same } from './expect.js';

interface Move {
  x: number;
}

const signaling = new Signaling();
const target: EventTarget = signaling;
signaling.addEventListener('statechange', ({ state, reason, retryIn, code }) => [state satisfies State, reason.length, retryIn?.toFixed(), code?.toFixed()]);
signaling.addEventListener('gap', ({ channel }) => channel.length, { once: true });
signaling.addEventListener('error', function ({ error }) {
  this.close();
  return error satisfies SignalingError;
});
signaling.addEventListener('frame', ({ kind, frame }) => [kind satisfies FrameKind, typeof frame === 'string' ? frame.length : frame.byteLength], { signal: AbortSignal.timeout(1) });
// @ts-expect-error TS2339: a binary frame has no length
signaling.addEventListener('frame', ({ frame }) => frame.length);
signaling.addEventListener('of my own', { handleEvent: (event: Event) => event.type });
const onGap = ({ channel }: { channel: string }) => channel;
signaling.addEventListener('gap', onGap);
signaling.removeEventListener('gap', onGap);
target.dispatchEvent(new Event('of my own'));

// Connecting.
const { signal } = new AbortController();
export type Connecting = Must<Same<ReturnType<typeof signaling.connect>, Promise<void>>> & Must<Same<typeof signaling.connected, Promise<void>>>;
await signaling.connect({ signal });
await signaling.connected;
await signaling.flushed({ signal });
signaling.disconnect();
signaling.reconnect();

// Channels.
const untold = signaling.channel('room');
export type Untold = Must<Same<typeof untold, Channel<unknown, unknown>>>;
const moves = signaling.channel<Move, Move | 'pass'>(7, { signal });
signaling.channel();
moves.addEventListener('message', ({ data }) => data.x.toFixed());
moves.addEventListener('close', function () {
  this.close();
});
export type Heard = Must<Same<ChannelEventMap<Move>['message'], MessageEvent<Move>>>;
const off = moves.on(({ x }) => x.toFixed(), { once: true, signal });
export type Off = Must<Same<typeof off, () => void>>;
for await (const { x } of moves) x.toFixed();
await moves[Symbol.asyncIterator]().return();
export type Accepted = Must<Same<ReturnType<typeof moves.publish>, Promise<void>>>;
await moves.publish({ x: 1 }, { ttl: 1000, signal });
moves.send('pass', { ttl: 1000 });
{
  using short = signaling.channel('short');
  short.name.length;
}

// @ts-expect-error TS18046: nobody knows what the other pages send
untold.on((message) => message.x);
// @ts-expect-error TS2345: messages are of the channel's type
moves.publish('surrender');
// @ts-expect-error TS2353: no option
moves.publish('pass', { timeout: 5 });
// @ts-expect-error TS2353: only a promise can be aborted
moves.send('pass', { signal });
// @ts-expect-error TS2345: a channel has a name
signaling.channel(null);
// @ts-expect-error TS2353: no option
signaling.channel('room', { ttl: 5 });
// @ts-expect-error TS2339: the event has the channel's name
signaling.addEventListener('gap', ({ name }) => name);
// @ts-expect-error TS2740: a signal, not its controller
signaling.connect({ signal: new AbortController() });
// @ts-expect-error TS2540: it can't be set
signaling.connected = Promise.resolve();
