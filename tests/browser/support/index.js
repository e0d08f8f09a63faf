// What a test may import.

export * from './checks.js';
export * from './connect.js';
export { streams } from './fake_event_source.js';
export { requests, settled } from './fake_fetch.js';
export { FakeSocket, refuse, sockets } from './fake_socket.js';
export { FakeTransport } from './fake_transport.js';
export { configure, freshModule, openSignalingChannel, openSocket, Signaling } from './library.js';
export { collect, collected, held, inParts, keepsNothing, keptNothing } from './memory.js';
export * from './notes.js';
export * from './page_events.js';
export * from './relay.js';
export * from './servers.js';
export { clock, inRealTime } from './stage.js';
