// Parcel's development server allows no `await` at top level.
import init, * as api from 'signal-wasm';
import './talk.js';

init().then(() => globalThis.talk(api));
