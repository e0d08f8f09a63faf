// The entry `.` as a bundler's project imports it.
import init, * as api from 'signal-wasm';
import './talk.js';

await init();
globalThis.talk(api);
