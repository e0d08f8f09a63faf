// The entry `signal-wasm/call`: a call between the pages of a room. Its types are in call.d.ts.

export { Call } from './call/call.js';
