// The entry `./inline`, ready when it is imported.
import * as api from 'signal-wasm/inline';
import './talk.js';

globalThis.talk(api);
