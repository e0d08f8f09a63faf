// The three entries that hold a signaling: the same names with the same types behind each.

import * as inline from 'signal-wasm/inline';
import * as module from 'signal-wasm';
import 'signal-wasm/global';
import { some, type Must, type Same } from './expect.js';

type Functions = Omit<typeof module, 'default' | 'initSync' | 'Signaling'>;
export type Inline = Must<Same<keyof typeof inline, keyof Functions | 'Signaling'>>;
// Beside what scripts of their own add: see transports.ts and rtcmulticonnection.ts.
export type Global = Must<Same<Exclude<keyof typeof SignalWasm, 'transports' | 'rtcMultiConnectionSocket'>, keyof Functions | 'Signaling'>>;
export type Names = Must<Same<keyof Functions, 'configure' | 'openSignalingChannel' | 'openSocket'>>;

// A signaling of one entry goes where that of another is expected: a page may mix them in its
// types, if not in its values.
const fromModule: module.Signaling = new inline.Signaling();
const fromInline: inline.Signaling = new SignalWasm.Signaling({ url: 'wss://example.org/' });
const fromGlobal: InstanceType<typeof SignalWasm.Signaling> = fromModule;
export const signalings = [fromModule, fromInline, fromGlobal];

SignalWasm.configure({ channel: 'room' }).onerror = (error) => error.code;
SignalWasm.openSocket<string>((message) => message.length).send('hello');
const connection = { openSignalingChannel: SignalWasm.openSignalingChannel };
connection.openSignalingChannel({ onmessage() {} });
window.SignalWasm.openSocket({});

// The types have names at every entry.
export type Everywhere = [
  Must<Same<module.Options, inline.Options>>,
  Must<Same<module.ChannelConfig<string>, inline.ChannelConfig<string>>>,
  Must<Same<module.Handle<string>, inline.Handle<string>>>,
  Must<Same<module.Protocol, inline.Protocol>>,
  Must<Same<module.State, inline.State>>,
  Must<Same<module.StateDetail, inline.StateDetail>>,
  Must<Same<module.SignalingErrorCode, inline.SignalingErrorCode>>,
  Must<Same<module.SignalingError, inline.SignalingError>>,
  Must<Same<module.Stats, inline.Stats>>,
  Must<Same<module.Transport, inline.Transport>>,
];
some<SignalWasm.Options>().url;
some<SignalWasm.Handle<string>>().send('hello');

// @ts-expect-error TS2339: the global is ready when its tag has loaded
SignalWasm.init;
// @ts-expect-error TS2345: the same checks there
SignalWasm.openSocket('room');
// @ts-expect-error TS2322: and there
inline.configure({ protocol: 'webtransport' });
// @ts-expect-error TS2307: there is no such entry
import('signal-wasm/rtc');
// @ts-expect-error TS2307: the files of dist/ aren't exported by their paths
import('signal-wasm/dist/signal_wasm.js');
