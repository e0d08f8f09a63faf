// Opening a channel: configs, the bare function, `this`, generics, and the handle.

import { openSignalingChannel, openSocket, type ChannelConfig, type Handle, type OpenChannel } from 'signal-wasm';
import { some, type Must, type Same } from './expect.js';

// Configs as pages and libraries write them.
openSocket({});
openSocket({ channel: 'room' });
openSocket({ channel: 7 });
openSocket({ channel: null, onmessage: null, onopen: null, callback: null });
openSocket({ channel: undefined, onmessage: undefined, onopen: undefined, callback: undefined });
openSocket({ channel: 'room', ttl: 3000 });
// @ts-expect-error TS2322: a ttl is a number of milliseconds
openSocket({ ttl: '3s' });
openSocket({ onmessage: (message) => message.sdp, onopen: () => {}, callback: (handle) => handle.send('hello') });
openSocket({
  onmessage(message) {
    message.anything;
  },
  onopen() {},
});
openSocket(async () => {});

// The bare function that screen.js and meeting.js pass.
openSocket((message) => message.length);
openSocket(() => {});
openSignalingChannel((message: string) => message.length);

// The handle.
const handle = openSocket({ onmessage() {} });
export type Handles = Must<Same<typeof handle, Handle>>;
export type Name = Must<Same<typeof handle.channel, string>>;
handle.send({ sdp: 'v=0\r\n', type: 'offer' });
handle.send('text');
handle.send(some<RTCSessionDescription>());
handle.send(some<RTCIceCandidateInit>());
handle.close();
const { send, channel } = handle;
send(channel);
// Libraries replace it.
handle.send = (message) => void message;
Object.assign(handle, { index: 1, userid: 'x' }).index;

// Generics: first what comes in, then what goes out.
interface Said {
  text: string;
}
const typed = openSocket<Said, Said>({ onmessage: (message) => message.text.length });
export type Typed = Must<Same<typeof typed, Handle<Said>>>;
typed.send({ text: 'hello' });
openSignalingChannel<Said>((message) => message.text.length);
const config: ChannelConfig<Said> = { onmessage: ({ text }) => text.length };
const fromConfig: Handle = openSignalingChannel(config);
fromConfig.send(1);

// Hooks hang on anything, and find the channel there.
class Connection {
  channel = 'my-room';
  openSignalingChannel: OpenChannel = openSignalingChannel;
  openSocket = openSocket;
  open() {
    return this.openSignalingChannel({ onmessage() {} }).channel;
  }
}
new Connection().openSocket({}).close();
new Connection().open().length;
const connection: { openSignalingChannel?: (config: any) => any } = {};
connection.openSignalingChannel = openSignalingChannel;
openSignalingChannel.call({ channel: 'room' }, {});
openSignalingChannel.call(undefined, {});

// @ts-expect-error TS2554: a config or a function is a must
openSocket();
// @ts-expect-error TS2345: nothing isn't a config
openSocket(undefined);
// @ts-expect-error TS2345: null isn't a config
openSocket(null);
// @ts-expect-error TS2345: the channel's name goes into the config
openSocket('room');
// @ts-expect-error TS2345: nor is a number one
openSocket(7);
// @ts-expect-error TS2353: a misspelt member would deliver nothing
openSocket({ onmesage() {} });
// @ts-expect-error TS2353: there is no onclose in a config
openSignalingChannel({ onclose() {} });
// @ts-expect-error TS2322: true is no channel
openSocket({ channel: true });
// @ts-expect-error TS2322: an object is no channel
openSocket({ channel: { name: 'room' } });
// @ts-expect-error TS2322: a symbol is no channel
openSocket({ channel: Symbol('room') });
// @ts-expect-error TS2322: a handler is a function
openSocket({ onmessage: 'console.log' });
// @ts-expect-error TS2322: a handler is a function, not the result of one
openSocket({ onopen: Promise.resolve() });
// @ts-expect-error TS2322: a handler gets one argument
openSocket({ onmessage: (message: string, sender: string) => sender + message });
// @ts-expect-error TS2322: readiness brings no Event
openSocket({ onopen: (event: Event) => event.type });
// @ts-expect-error TS2322: the callback gets the handle, not its name
openSocket({ callback: (name: string) => name });
// @ts-expect-error TS2345: the function gets one argument
openSocket((message: string, sender: string) => sender + message);

// @ts-expect-error TS2540: the name is what travels on the wire; writing it would rename nothing
handle.channel = 'other';
// @ts-expect-error TS2554: a message is a must
handle.send();
// @ts-expect-error TS2559: one message a call, and what is to be said of it
handle.send(1, 2);
// @ts-expect-error TS2322: a time is a number of milliseconds
handle.send(1, { ttl: '5s' });
// @ts-expect-error TS2353: nothing else is to be said of a message
handle.send(1, { retries: 2 });
handle.send(1, {});
handle.send(1, { ttl: 5000 });
handle.send(1, { ttl: undefined });
// @ts-expect-error TS2339: it closes, it isn't disconnected
handle.disconnect();
// @ts-expect-error TS2339: a handle is no Promise
openSocket({}).then();
// @ts-expect-error TS2353: this channel carries Said
typed.send({ test: 'hello' });
// @ts-expect-error TS2345: this channel carries Said
typed.send('hello');
// @ts-expect-error TS2339: Said has no such member
openSocket<Said>({ onmessage: (message) => message.test });
