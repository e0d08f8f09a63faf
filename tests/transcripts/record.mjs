// Records the transcripts beside it: what real servers and clients say to each other. Run it with
// `node tests/transcripts/record.mjs [NAME…]` to record them again; ids and times differ on each
// run.
//
// A transcript is `{ about, protocol, options, frames }`. Each frame has `from`, 'client' or
// 'server', and one of: `text`, a text frame; `binary`, a binary frame in base64; `open`, the
// address of a WebSocket; `close`, the code it was closed with; `request` (with `token` and `body`
// if any), an HTTP request; `status` and `body`, its answer. Between two `open` the WebSocket is
// the same.

import process from 'node:process';

// One after the other: each records while it is imported.
await import('./record/socket-io.mjs');
await import('./record/signalr-core.mjs');
await import('./record/signalr-classic.mjs');

process.exit(0);
