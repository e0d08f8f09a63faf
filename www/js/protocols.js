// The protocols that a visitor may choose from, and the options with which signal-wasm speaks each to the server that served the page.

/** The one that a page without `?protocol=` speaks. */
export const USUAL = 'auto';

/** By what stands in the address: what people read, where the relay speaks it, and how its frames look. */
export const PROTOCOLS = {
  auto: { name: 'automatic', url: '/', frames: 'Each frame is one {"sender","channel","message"}; with our relay they have numbers, too.', choice: 'Automatic: WebSocket, or our relay' },
  relay: { name: 'our relay', url: '/', frames: 'Each message is one {"sender","channel","message"} with a number, which is acknowledged.' },
  websocket: { name: 'WebSocket', url: '/', frames: 'Each frame is one {"sender","channel","message"}.' },
  'socket.io': { name: 'Socket.IO', url: '/', frames: 'Each message is an event, 42["message",{"sender","channel","message"}].' },
  signalr: { name: 'SignalR', url: '/hub', frames: 'Each message is a call of the hub’s method, with the envelope as a string in it.' },
  'signalr-classic': { name: 'classic SignalR', url: '/signalr', frames: 'Each message is a call of the hub’s method, with the envelope as a string in it.' },
  tabs: { name: 'tabs only', frames: 'Each text that a tab posts is one {"sender","channel","message"}.', choice: 'No server: tabs of this browser' },
};

/** The protocol that the address names. Throws for one that isn't there. */
export function protocolFromAddress() {
  const named = new URLSearchParams(location.search).get('protocol') ?? USUAL;
  if (Object.hasOwn(PROTOCOLS, named)) return named;
  throw new RangeError(`There is no protocol “${named}” (?protocol= in the address). There is ${Object.keys(PROTOCOLS).join(', ')}.`);
}

/** By what `auto` turned out to be: the first frame that our relay sends says so. */
export function foundIn(frame) {
  return frame.startsWith('{"signal":') ? 'relay' : undefined;
}

/** The options for that protocol. `server` is the server to use instead of the page's own. */
export async function signalingOptions(protocol, server) {
  if (protocol !== 'tabs') return { protocol, url: server ?? PROTOCOLS[protocol].url };
  const { broadcastChannel } = await import('/signal-wasm/transports.js');
  return { transport: broadcastChannel('signal-wasm demo') };
}

/** What people read for a protocol that another page says it speaks: anything may come. */
export function protocolName(protocol) {
  return Object.hasOwn(PROTOCOLS, protocol) ? PROTOCOLS[protocol].name : '';
}
