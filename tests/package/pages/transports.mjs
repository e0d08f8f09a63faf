// A page without a server: the entry `./inline` on a ready transport, of which nothing else may come along.
import * as api from 'signal-wasm/inline';
import { broadcastChannel } from 'signal-wasm/transports';
import './talk.js';

globalThis.talk(api, { transport: broadcastChannel('package test') });
