// npm datachannel 1.0.0 over signal-wasm. Apart from the marked line, this is a usual page of that
// library.

import { libraryPage, report } from './library-page.js';

libraryPage({
  library: 'DataChannel',
  start(room) {
    const { DataChannel, SignalWasm } = window;
    const connection = new DataChannel();
    connection.channel = `datachannel-${room}`;

    connection.openSignalingChannel = SignalWasm.openSignalingChannel; // the changed line

    connection.onopen = (userid) => report('open', userid);
    connection.onmessage = (text, userid) => report('message', { userid, text });
    connection.onleave = (userid) => report('leave', userid);
    connection.onclose = () => {};
    connection.connect();

    return { userid: connection.userid, open: () => connection.open(), send: (text) => connection.send(text) };
  },
});
