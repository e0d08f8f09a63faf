// The `io` for RTCMultiConnection 3.

import { Signaling } from 'signal-wasm';
import * as entry from 'signal-wasm/rtcmulticonnection';
import { rtcMultiConnectionSocket, type RoomIo, type RoomSocket, type RtcMultiConnectionOptions } from 'signal-wasm/rtcmulticonnection';
import 'signal-wasm/global-rtcmulticonnection';
import { type Must, type Same } from './expect.js';

export type Names = Must<Same<keyof typeof entry, 'rtcMultiConnectionSocket'>>;
export type Global = Must<Same<typeof SignalWasm.rtcMultiConnectionSocket, typeof rtcMultiConnectionSocket>>;

window.io = rtcMultiConnectionSocket(new Signaling());
window.io = SignalWasm.rtcMultiConnectionSocket(new SignalWasm.Signaling(), { channel: 'rooms', answerTimeout: 1000 });
globalThis.rtcMultiConnectionOptions = { protocol: 'socket.io', channel: 'rooms' };

const options: RtcMultiConnectionOptions = {};
const make: RoomIo = rtcMultiConnectionSocket(new Signaling(), options);
const socket: RoomSocket = make('/?userid=me');
socket.on('connect', () => socket.emit('check-presence', 'room', (there: boolean) => there)).once('error', console.error).disconnect();
socket.resetProps = () => {};
make.connect('/').close();

// @ts-expect-error TS2554: there must be a signaling
rtcMultiConnectionSocket();
// @ts-expect-error TS2353: there is no such option
rtcMultiConnectionSocket(new Signaling(), { room: 'x' });
// @ts-expect-error TS2345: a signaling, not its address
rtcMultiConnectionSocket('ws://localhost/');
