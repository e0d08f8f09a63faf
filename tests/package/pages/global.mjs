// The entry `./global` in a bundle. It is imported for its effect, so it must not be left out.
import 'signal-wasm/global';
import './talk.js';

globalThis.talk(globalThis.SignalWasm);
