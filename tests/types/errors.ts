// Errors: the codes are a closed list, so that a switch can be checked for holes.

import { openSocket, type SignalingError, type SignalingErrorCode } from 'signal-wasm';
import { some, type Must, type Same } from './expect.js';

export function advice(code: SignalingErrorCode): string {
  switch (code) {
    case 'bad-config':
    case 'bad-option':
    case 'unknown-option':
    case 'bad-url':
    case 'no-channel':
    case 'bad-message':
      return 'a mistake in the page';
    case 'message-too-large':
    case 'outbox-full':
      return 'send less';
    case 'buffer-full':
      return 'take faster';
    case 'channel-closed':
    case 'signaling-closed':
      return 'open it again';
    case 'in-use':
      return 'configure first';
    case 'bad-frame':
    case 'connection-failed':
    case 'message-refused':
    case 'message-expired':
    case 'message-given-up':
      return 'look at the server';
    case 'authentication-refused':
      return 'look at the token';
    case 'no-randomness':
      return 'look at the browser';
    case 'not-initialised':
      return 'await init()';
  }
}

export function hole(code: SignalingErrorCode): string {
  switch (code) {
    case 'outbox-full':
      return 'send less';
    case 'buffer-full':
      return 'take faster';
    default: {
      // @ts-expect-error TS2322: eighteen codes are left
      const none: never = code;
      return none;
    }
  }
}

const error = some<SignalingError>();
const plain: Error = error;
plain.message.length;
export type Name = Must<Same<typeof error.name, 'SignalingError' | 'TypeError'>>;
export type Code = Must<Same<typeof error.code, SignalingErrorCode>>;

try {
  openSocket({}).send(1);
} catch (thrown) {
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'outbox-full') thrown.message.length;
  // @ts-expect-error TS18046: what is caught is unknown until it is looked at
  thrown.code;
}

// @ts-expect-error TS2540: a code is read
error.code = 'bad-url';
// @ts-expect-error TS2367: no such code
error.code === 'out-of-memory';
// @ts-expect-error TS2367: no such name
error.name === 'RangeError';
// @ts-expect-error TS2741: an ordinary Error has no code
const mine: SignalingError = Object.assign(new Error('mine'), { name: 'SignalingError' as const });
export { mine };
