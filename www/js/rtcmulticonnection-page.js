// npm rtcmulticonnection 2.2.5 over signal-wasm. Apart from the marked line, this is a usual page
// of that library.

import { libraryPage, report } from './library-page.js';

libraryPage({
  library: 'RTCMultiConnection',
  start(room) {
    const { RTCMultiConnection, SignalWasm } = window;
    const connection = new RTCMultiConnection(`rtcmulticonnection-${room}`);
    connection.session = { data: true };

    connection.openSignalingChannel = SignalWasm.openSignalingChannel; // the changed line

    // By default the library asks third-party servers, some of which no longer exist.
    connection.getExternalIceServers = false;
    connection.enableFileSharing = false;
    connection.iceServers = [];

    connection.onopen = ({ userid }) => report('open', userid);
    connection.onmessage = ({ data, userid }) => report('message', { userid, text: data });
    connection.onleave = ({ userid }) => report('leave', userid);
    connection.connect();

    return { userid: connection.userid, open: () => connection.open(), send: (text) => connection.send(text) };
  },
});
