// For a page that already has a hub of ASP.NET SignalR 2, with jQuery.

import { hubProxy } from '/signal-wasm/transports.js';
import { script } from '../script.js';

/* global $ */

await script('/vendor/jquery-3/jquery.min.js');
await script('/vendor/signalr/jquery.signalR.min.js');
await script('/bring-your-own/signalr/hubs');

export const transport = hubProxy($.connection.webRtcHub3);
