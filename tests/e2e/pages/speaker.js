// A worker that sends a message to each address that it is given.

/* global importScripts, SignalWasm */

importScripts('/signal-wasm/global.js');

onmessage = ({ data: urls }) => {
  for (const url of urls) {
    new SignalWasm.Signaling({ url }).openSocket({ channel: 'room' }).send(`to ${url}`);
  }
};
