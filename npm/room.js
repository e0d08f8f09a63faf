// The entry `signal-wasm/room`: who is there, and messages between them, over any signaling. Its
// types are in room.d.ts.

export { joinRoom } from './room/join.js';
