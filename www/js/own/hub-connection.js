// For a page that already has a hub connection of @microsoft/signalr.

import { hubConnection } from '/signal-wasm/transports.js';
import { script } from '../script.js';

/* global signalR */

await script('/vendor/@microsoft/signalr/signalr.min.js');
const connection = new signalR.HubConnectionBuilder()
  .withUrl('/bring-your-own/hub')
  .build();

export const transport = hubConnection(connection);
