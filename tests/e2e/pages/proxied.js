// Connects to the relay that serves the page over every protocol at once, each in a space of its own:
// `withLibrary()` by signal-wasm, `withOthers()` by each protocol's own client. Then `talks` has for
// each `{ heard, lost, isOpen(), say(message) }`.

/* global io, jQuery, signalR, SignalWasm -- classic scripts of the page */

/** The relay's root. */
const ROOT = new URL('..', location.href);
const at = (path) => new URL(path, ROOT).href;
const below = (path) => new URL(path, ROOT).pathname;
const CHANNEL = 'main';

const OPTIONS = {
  'plain': { protocol: 'relay', url: at('plain') },
  'socket-io': { protocol: 'socket.io', url: ROOT.href, path: 'socket.io/', namespace: '/io' },
  'signalr': { protocol: 'signalr', url: at('core/hub') },
  'signalr-classic': { protocol: 'signalr-classic', url: at('classic/signalr') },
  'sse': { protocol: 'sse', url: at('events/sse') },
};

/** Each calls `talk.take` with envelopes, and `talk.lose` when it loses its connection. */
const OTHERS = {
  'plain'({ take, lose }) {
    const socket = new WebSocket(at('plain').replace(/^http/, 'ws'));
    socket.onmessage = ({ data }) => take(JSON.parse(data));
    socket.onclose = lose;
    return { isOpen: () => socket.readyState === WebSocket.OPEN, send: (envelope) => socket.send(JSON.stringify(envelope)) };
  },

  'socket-io'({ take, lose }) {
    const socket = io('/io', { path: below('socket.io') });
    const began = new Promise((done) => socket.io.once('open', () => done(socket.io.engine.transport.name)));
    began.then((name) => (window.socketIoBegan = name));
    socket.on('message', take);
    socket.on('disconnect', lose);
    const isOpen = () => socket.connected && socket.io.engine.transport.name === 'websocket';
    return { isOpen, send: (envelope) => socket.emit('message', envelope) };
  },

  'signalr'({ take, lose }) {
    const { HubConnectionBuilder, HubConnectionState, LogLevel } = signalR;
    const hub = new HubConnectionBuilder().withUrl(at('core/hub')).configureLogging(LogLevel.Warning).build();
    hub.on('onMessageReceived', (text) => void take(JSON.parse(text)));
    hub.onclose(lose);
    void hub.start();
    return { isOpen: () => hub.state === HubConnectionState.Connected, send: (envelope) => hub.send('Send', JSON.stringify(envelope)) };
  },

  /** With the script that the relay generates. */
  'signalr-classic'({ take, lose }) {
    const { hub, webRtcHub3 } = jQuery.connection;
    webRtcHub3.client.onMessageReceived = (text) => take(JSON.parse(text));
    hub.disconnected(lose);
    hub.reconnecting(lose);
    hub.start();
    const { connected } = jQuery.signalR.connectionState;
    return { isOpen: () => hub.state === connected, send: (envelope) => webRtcHub3.server.send(JSON.stringify(envelope)) };
  },

  'sse'({ take, lose }) {
    const address = `${at('events/sse')}?client=${crypto.getRandomValues(new Uint32Array(4)).join('')}`;
    const events = new EventSource(address);
    let open = false;
    events.addEventListener('hello', () => (open = true));
    events.onmessage = ({ data }) => take(JSON.parse(data));
    events.onerror = lose;
    const send = (envelope) => fetch(address, { method: 'POST', body: JSON.stringify(envelope) });
    return { isOpen: () => open, send };
  },
};

window.talks = {};

window.withOthers = () => {
  for (const [name, connect] of Object.entries(OTHERS)) {
    const heard = [];
    const lost = [];
    const client = connect({
      take: ({ channel, message }) => channel === CHANNEL && heard.push(message),
      lose: (why) => lost.push(String(why)),
    });
    // One after the other, because requests may overtake each other.
    let sent = Promise.resolve();
    const say = (message) => (sent = sent.then(() => client.send({ sender: 7, channel: CHANNEL, message })));
    window.talks[name] = { heard, lost, isOpen: client.isOpen, say };
  }
};

window.withLibrary = () => {
  for (const [name, options] of Object.entries(OPTIONS)) {
    const heard = [];
    const lost = [];
    const signaling = new SignalWasm.Signaling({
      ...options,
      onstatechange: (state, { reason }) => ['waiting', 'closed'].includes(state) && lost.push(`${state}: ${reason}`),
      onerror: ({ message }) => lost.push(message),
    });
    const socket = signaling.openSocket({ channel: CHANNEL, onmessage: (message) => heard.push(message) });
    window.talks[name] = { heard, lost, isOpen: () => signaling.state === 'open', say: (message) => socket.send(message) };
  }
};

window.ready = true;
