// The entry `signal-wasm/global-rtcmulticonnection`: the globals `io` and `SignalWasm` for pages of
// RTCMultiConnection 3. Served as /socket.io/socket.io.js it needs no change to a page.

import bytes from '../pkg/signal_wasm_bg.wasm';
import { startHere } from './here.js';
import { rtcMultiConnectionSocket } from './rtcmulticonnection.js';

const { Signaling, configure, openSignalingChannel, openSocket } = startHere(bytes);
const { document, rtcMultiConnectionOptions = {} } = globalThis;
const { channel, answerTimeout, ...options } = rtcMultiConnectionOptions;

// The server that this script is from: with our relay, the space above the script's folder.
const source = document?.currentScript?.src;
if (source && options.url === undefined && options.transport === undefined) options.url = new URL('..', source).href;

let socketIn;

/** The `io` of the page. The signaling is made with the first socket. */
function io(address) {
  socketIn ??= rtcMultiConnectionSocket(new Signaling(options), { channel, answerTimeout });
  return socketIn(address);
}

globalThis.SignalWasm = { Signaling, configure, openSignalingChannel, openSocket, rtcMultiConnectionSocket };
globalThis.io = Object.assign(io, { connect: io });
