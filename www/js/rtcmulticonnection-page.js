// npm rtcmulticonnection 2.2.5 over signal-wasm. Everything here but the marked line is what a page of that library has always had.

import { libraryPage, report } from './library-page.js';

libraryPage({
  library: 'RTCMultiConnection',
  start(room) {
    const { RTCMultiConnection, SignalWasm } = window;
    const connection = new RTCMultiConnection(`rtcmulticonnection-${room}`);
    connection.session = { data: true };

    connection.openSignalingChannel = SignalWasm.openSignalingChannel; // the changed line

    // Options of the library's own: it would otherwise ask servers of other people, some long gone.
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
