// `signal-wasm/react`. Its types need no types of React.

import { Signaling, type SendOptions } from 'signal-wasm';
import { Call } from 'signal-wasm/call';
import type { Signaling as Inline } from 'signal-wasm/inline';
import { useChannel, useRoom, useSignaling, type RoomView } from 'signal-wasm/react';
import type { Peer, Room } from 'signal-wasm/room';
import { type Must, type Same } from './expect.js';

const signaling = useSignaling({ url: 'wss://example.org/', accessToken: async () => 'token', onstatechange: (state) => state.length });
export type Made = Must<Same<typeof signaling, Inline | undefined>>;
useSignaling();

const send = useChannel<string>(signaling, 'chat', (text) => text.length);
export type Send = Must<Same<typeof send, (message: string, options?: SendOptions) => void>>;
send('hello', { ttl: 1000 });
useChannel<string, { text: string }>(new Signaling(), 7)({ text: 'hello' });
useChannel(undefined, 'chat', (message) => message.anything);

const lobby = useRoom<{ name: string }, { text: string }>(signaling, 'lobby', {
  data: { name: 'Ann' },
  password: undefined,
  onMessage: ({ peer, message, isPrivate }) => [peer.data.name, message.text, isPrivate],
});
export type Seen = Must<Same<typeof lobby, RoomView<{ name: string }, { text: string }>>>;
export type Joined = Must<Same<typeof lobby.room, Room<{ name: string }, { text: string }> | undefined>>;
export type Peers = Must<Same<typeof lobby.peers, readonly Peer<{ name: string }, { text: string }>[]>>;
lobby.send({ text: 'to all' });
lobby.peers.map(({ id, data, send }) => [id, data.name, send]);
if (lobby.room) new Call(lobby.room).hangUp();
export const shown = [lobby.self?.data.name, lobby.error?.code, lobby.state === 'joined'];

// @ts-expect-error TS18048: there is none in the first rendering
signaling.state;
// @ts-expect-error TS2353: an unknown option
useSignaling({ uri: 'wss://example.org/' });
// @ts-expect-error TS2345: messages are of the channel's type
send(7);
// @ts-expect-error TS2345: a channel has a name
useChannel(signaling, undefined);
// @ts-expect-error TS2561: a misspelt option
useRoom(signaling, 'lobby', { pasword: 'secret' });
// @ts-expect-error TS2353: the hook leaves when the component is gone
useRoom(signaling, 'lobby', { signal: new AbortController().signal });
// @ts-expect-error TS2339: a list that can't be changed
lobby.peers.push();
// @ts-expect-error TS2741: a message of the room's type
lobby.send([]);
