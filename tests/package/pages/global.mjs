// The entry `./global` taken through a bundler: it stays a script with an effect, so it must not be shaken off.
import 'signal-wasm/global';
import './talk.js';

globalThis.talk(globalThis.SignalWasm);
