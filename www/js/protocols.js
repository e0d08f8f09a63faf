// The protocols that a visitor can choose, and the options for each on the server that served the
// page.

/** The protocol of a page without `?protocol=`. */
export const USUAL = 'auto';

/** By `?protocol=`: the label, the relay's address for it, and what its frames look like. */
export const PROTOCOLS = {
  auto: { name: 'automatic', url: '/', frames: 'Each frame is one {"sender","channel","message"}; with our relay they also have numbers.', choice: 'Automatic' },
  relay: { name: 'our relay', url: '/', frames: 'Each message is one {"sender","channel","message"} with a number, which the relay acknowledges.' },
  websocket: { name: 'WebSocket', url: '/', frames: 'Each frame is one {"sender","channel","message"}.' },
  'socket.io': { name: 'Socket.IO', url: '/', frames: 'Each message is an event, 42["message",{"sender","channel","message"}].' },
  signalr: { name: 'SignalR', url: '/hub', frames: 'Each message is a call of the hub’s method, with the envelope as a string in it.' },
  'signalr-classic': { name: 'classic SignalR', url: '/signalr', frames: 'Each message is a call of the hub’s method, with the envelope as a string in it.' },
  sse: { name: 'server-sent events', url: '/sse', frames: 'Each event, and the body of each POST request, is one {"sender","channel","message"}.', choice: 'HTTP: server-sent events' },
  tabs: { name: 'tabs only', frames: 'Each text that a tab posts is one {"sender","channel","message"}.', choice: 'No server: tabs only' },
};

/** The protocol in the address. Throws if there is no such protocol. */
export function protocolFromAddress() {
  const named = new URLSearchParams(location.search).get('protocol') ?? USUAL;
  if (Object.hasOwn(PROTOCOLS, named)) return named;
  throw new RangeError(`There is no protocol “${named}” (?protocol= in the address). There is ${Object.keys(PROTOCOLS).join(', ')}.`);
}

/** The options for that protocol. `server`, if given, replaces the page's own server. */
export async function signalingOptions(protocol, server) {
  if (protocol !== 'tabs') return { protocol, url: server ?? PROTOCOLS[protocol].url };
  const { broadcastChannel } = await import('/signal-wasm/transports.js');
  return { transport: broadcastChannel('signal-wasm demo') };
}

/** The label of a protocol that another page reports, which may be any value. */
export function protocolName(protocol) {
  return Object.hasOwn(PROTOCOLS, protocol) ? PROTOCOLS[protocol].name : '';
}
