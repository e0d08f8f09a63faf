// A page without a server: the entry `./inline` with one ready transport. The bundle must not hold
// the others.
import * as api from 'signal-wasm/inline';
import { broadcastChannel } from 'signal-wasm/transports';
import './talk.js';

globalThis.talk(api, { transport: broadcastChannel('package test') });
