// The clients that are compared in a page, each connected through a stand-in for WebSocket and with
// the same channels open.
//
// socket.io-client and @microsoft/signalr are the published files, used as their manuals say: a
// channel is an event, or a method of the client. Each message carries its sender, which the handler
// compares, as the seed's shim does. What a kind of frame means to them:
//
// * own: an event with the page's own sender. The handler drops it.
// * foreign: an event that has no handler.
// * delivered: an event for a handler.

import init, { Signaling } from '/signal-wasm/signal_wasm.js';
import { StandIn } from './stand-in.mjs';

/* global signalR, seedShim -- classic scripts of the page */

/** No ping is due while the page is open, in milliseconds. */
const NEVER = 1_000_000_000;
const RECORD = '\u001e';
const plain = (sender, channel, message) => `{"sender":${sender},"channel":"${channel}","message":${message}}`;

/**
 * For each name what connects that client: `connect(channels, ondeliver)` gives
 *
 * * `frame(sender, channel, message)`: the text by which a message arrives,
 * * `send(message)`: sends on the first channel. A promise resolves when the frame is with the socket,
 * * `later`: whether it handles frames in microtasks, after the event,
 * * `counted()`: how many frames it says it has had of each kind, if it counts.
 */
const CLIENTS = {
  'shim': (channels, ondeliver) => {
    const { openSignalingChannel } = seedShim('ws://stand-in.invalid/');
    const handles = channels.map((channel) => openSignalingChannel({ channel, onmessage: ondeliver }));
    StandIn.latest.open();
    return { frame: plain, send: (message) => handles[0].send(message) };
  },

  'signal-wasm': (channels, ondeliver) => {
    const ours = open({ url: 'ws://stand-in.invalid/', protocol: 'websocket' }, channels, ondeliver);
    StandIn.latest.open();
    return { ...ours, frame: plain };
  },

  'signal-wasm, Socket.IO': async (channels, ondeliver) => {
    const ours = open({ url: 'http://stand-in.invalid/', protocol: 'socket.io' }, channels, ondeliver);
    await connectSocketIo(StandIn.latest);
    return { ...ours, frame: (...parts) => `42["message",${plain(...parts)}]` };
  },

  'socket.io-client': async (channels, ondeliver) => {
    const { io } = await import('/socket.io/socket.io.esm.min.js');
    const socket = io('ws://stand-in.invalid/', { transports: ['websocket'] });
    const own = randomSender();
    for (const channel of channels) {
      socket.on(channel, ({ sender, message }) => {
        if (sender !== own) ondeliver(message);
      });
    }
    await connectSocketIo(StandIn.latest);
    await until(() => socket.connected);
    return {
      frame: (sender, channel, message) => `42["${channel}",{"sender":${sender},"message":${message}}]`,
      send: (message) => void socket.emit(channels[0], { sender: own, message }),
      later: true,
    };
  },

  'signal-wasm, SignalR': async (channels, ondeliver) => {
    const ours = open({ url: 'http://stand-in.invalid/hub', protocol: 'signalr', skipNegotiation: true }, channels, ondeliver);
    await connectSignalR(StandIn.latest);
    return { ...ours, frame: (...parts) => invocation('onMessageReceived', JSON.stringify(plain(...parts))) };
  },

  '@microsoft/signalr': async (channels, ondeliver) => {
    await addScript('/vendor/@microsoft/signalr/signalr.min.js');
    const { HubConnectionBuilder, HttpTransportType, LogLevel } = signalR;
    // It would warn of every foreign frame in the console.
    const hub = new HubConnectionBuilder()
      .withUrl('http://stand-in.invalid/hub', { skipNegotiation: true, transport: HttpTransportType.WebSockets, WebSocket: StandIn })
      .configureLogging(LogLevel.Error)
      .withServerTimeout(NEVER)
      .withKeepAliveInterval(NEVER)
      .build();
    const own = randomSender();
    for (const channel of channels) {
      hub.on(channel, ({ sender, message }) => {
        if (sender !== own) ondeliver(message);
      });
    }
    const before = StandIn.latest;
    const started = hub.start();
    await until(() => StandIn.latest !== before);
    await connectSignalR(StandIn.latest);
    await started;
    return {
      frame: (sender, channel, message) => invocation(channel, `{"sender":${sender},"message":${message}}`),
      send: (message) => hub.send(channels[0], { sender: own, message }),
      later: true,
    };
  },
};

/** Connects the named clients with `count` channels each. They take turns in what is measured. */
export async function connect(names, count) {
  const { WebSocket } = window;
  // For good, and before the modules are loaded that look for it then.
  window.WebSocket = StandIn;
  await init();
  const width = String(count - 1).length;
  const channels = Array.from({ length: count }, (_, i) => `room-${String(i).padStart(width, '0')}`);
  const clients = [];
  for (const name of names) {
    const seen = { messages: 0, characters: 0 };
    const ondeliver = (message) => {
      seen.messages++;
      seen.characters += message.sdp.length;
    };
    const client = await CLIENTS[name](channels, ondeliver);
    const socket = StandIn.latest;
    await client.send('who am I?');
    const [, sender] = /sender\\?":(\d+)/.exec(socket.last) ?? [];
    if (sender === undefined) throw new Error(`${name} sent no sender: ${socket.last}`);
    clients.push({ ...client, name, socket, seen, channels, sender: Number(sender) });
  }
  window.WebSocket = WebSocket;
  return clients;
}

function open(options, channels, onmessage) {
  const signaling = new Signaling(options);
  const handles = channels.map((channel) => signaling.openSignalingChannel({ channel, onmessage }));
  return { send: (message) => void handles[0].send(message), counted: () => signaling.stats() };
}

async function connectSocketIo(socket) {
  socket.open();
  socket.receive(`0{"sid":"engine","upgrades":[],"pingInterval":${NEVER},"pingTimeout":${NEVER},"maxPayload":1000000}`);
  await until(() => socket.last.startsWith('40'));
  socket.receive('40{"sid":"socket"}');
}

async function connectSignalR(socket) {
  socket.open();
  await until(() => socket.last.startsWith('{"protocol"'));
  socket.receive(`{}${RECORD}`);
}

function invocation(target, argument) {
  return `{"type":1,"target":"${target}","arguments":[${argument}]}${RECORD}`;
}

/** As the seed's shim makes it. */
function randomSender() {
  return Math.round(Math.random() * 60535) + 5000;
}

function addScript(src) {
  return new Promise((onload, onerror) => document.head.append(Object.assign(document.createElement('script'), { src, onload, onerror })));
}

async function until(condition) {
  while (!condition()) await new Promise((done) => setTimeout(done));
}
