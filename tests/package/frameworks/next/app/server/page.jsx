// A component that runs on the server only.
import { Signaling } from 'signal-wasm';
import { Call } from 'signal-wasm/call';
import * as inline from 'signal-wasm/inline';
import { useSignaling } from 'signal-wasm/react';
import { joinRoom } from 'signal-wasm/room';
import { rtcMultiConnectionSocket } from 'signal-wasm/rtcmulticonnection';
import { broadcastChannel } from 'signal-wasm/transports';

const ALL = [Signaling, Call, inline.Signaling, useSignaling, joinRoom, rtcMultiConnectionSocket, broadcastChannel];

export default function Page() {
  return <p>{ALL.map((one) => typeof one).join(' ')}</p>;
}
