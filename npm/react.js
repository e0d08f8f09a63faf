// The entry `signal-wasm/react`: hooks for React 18 and 19. Its types are in react.d.ts.

'use client';

export { useChannel } from './react/channel.js';
export { useRoom } from './react/room.js';
export { useSignaling } from './react/signaling.js';
