// Times `send` of clients in one page: from the call until the frame is with the socket, which is a
// stand-in that reads it into bytes.

import { connect } from './clients.mjs';
import { GROUP, messageMaker } from './messages.mjs';

const WARM_UP = 5;
/**
 * signal-wasm keeps up to 1,000 messages for about two seconds after sending them. A page doesn't send
 * so many, so a round shouldn't either, nor find those of the round before.
 */
const PAUSE = 2500;

/** Connects the clients, and defines `round`, to be called again and again. */
window.prepare = async (names, channels) => {
  if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated, so its clock is too coarse to time messages');
  const clients = await connect(names, channels);
  window.round = async (sizes, _, turn) => {
    const times = [];
    await new Promise((done) => setTimeout(done, PAUSE));
    for (const { size, frames } of sizes) {
      const row = { size, microseconds: {} };
      for (const client of turn % 2 ? clients.toReversed() : clients) {
        row.microseconds[client.name] = await time(client, size, frames);
      }
      times.push(row);
    }
    return times;
  };
};

/** Microseconds for each message. They are made a few at a time, for the reason in receive.mjs. */
async function time(client, size, count) {
  const { socket } = client;
  const make = messageMaker(size);
  const before = socket.sent;
  const messages = new Array(GROUP);
  let elapsed = 0;

  window.gc?.();
  for (let group = -WARM_UP; group < count / GROUP; group++) {
    for (let i = 0; i < GROUP; i++) messages[i] = make();
    const took = client.later ? await sendLater(client, messages) : send(client, messages);
    if (group >= 0) elapsed += took;
  }

  const sent = socket.sent - before;
  const wanted = count + WARM_UP * GROUP;
  if (sent !== wanted) throw new Error(`${client.name} was to send ${wanted} messages of ${size} characters and sent ${sent}`);
  return (elapsed * 1000) / count;
}

function send(client, messages) {
  const start = performance.now();
  for (let i = 0; i < GROUP; i++) client.send(messages[i]);
  return performance.now() - start;
}

async function sendLater(client, messages) {
  const start = performance.now();
  for (let i = 0; i < GROUP; i++) await client.send(messages[i]);
  return performance.now() - start;
}
