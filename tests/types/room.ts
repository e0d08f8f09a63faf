// `signal-wasm/room` and `signal-wasm/call`.

import { Signaling } from 'signal-wasm';
import { Call, type CallPeer } from 'signal-wasm/call';
import { joinRoom, type Peer, type Room } from 'signal-wasm/room';
import { type Must, type Same } from './expect.js';

const signaling = new Signaling();
const { signal } = new AbortController();
const room = await joinRoom<{ name: string }, { text: string }>(signaling, 'lobby', { data: { name: 'Ann' }, password: 'secret', signal });
export type Joined = Must<Same<typeof room, Room<{ name: string }, { text: string }>>>;
await joinRoom(signaling, 'lobby');

room.send({ text: 'to all' });
room.to('id').send({ text: 'to one' });
for (const [id, peer] of room.peers) peer.send({ text: `${id} ${peer.data.name}` });
room.setData({ name: 'Anna' });
room.addEventListener('join', ({ peer }) => peer.data.name.length);
room.addEventListener('leave', ({ peer, isLost }) => console.log(peer.data.name, isLost ? 'was lost' : 'has left'));
// @ts-expect-error TS2339: only who leaves may be lost
room.addEventListener('join', ({ isLost }) => console.log(isLost));
room.addEventListener('message', function ({ peer, message, isPrivate }) {
  this.to(peer.id).send({ text: `${message.text} ${isPrivate ? 'to me' : 'to all'}` });
});
room.addEventListener('error', ({ error }) => error.code?.length);
room.addEventListener('close', () => {}, { once: true });
room.topic<number>('game').addEventListener('message', ({ message }) => message.toFixed());
room.topic<number>('game').send(7, room.self.id);
room.leave();

const call = new Call(room, { stream: new MediaStream(), iceServers: async () => [{ urls: 'stun:example.org' }], dataChannels: { chat: { ordered: false } }, signal });
call.addEventListener('track', ({ peer, track, streams }) => [peer.data.name, track.kind, streams[0]?.id]);
call.addEventListener('connectionstatechange', ({ peer, state }) => [peer.connection?.connectionState === state]);
call.addEventListener('datachannel', ({ channel }) => channel.send('hello'));
call.addEventListener('error', ({ error, peer }) => [error.message, peer?.id]);
export type Peers = Must<Same<typeof call.peers, ReadonlyMap<string, CallPeer<{ name: string }>>>>;
export const peers: Peer<{ name: string }>[] = [...call.peers.values()].map(({ peer }) => peer);
call.addTrack(new MediaStreamTrack(), new MediaStream());
await call.replaceTrack(new MediaStreamTrack(), new MediaStreamTrack());
call.hangUp();

// @ts-expect-error TS2345: messages are of the room's type
room.send('text');
// @ts-expect-error TS2561: a misspelt option
joinRoom(signaling, 'lobby', { pasword: 'secret' });
// @ts-expect-error TS2740: a room of a signaling
joinRoom({}, 'lobby');
// @ts-expect-error TS2540: others are changed by events
room.peers = new Map();
// @ts-expect-error TS2339: a map that can't be changed
room.peers.delete('id');
// @ts-expect-error TS2740: of a room
new Call(signaling);
// @ts-expect-error TS2561: a misspelt option
new Call(room, { iceServer: [] });
