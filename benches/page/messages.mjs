// The messages that pages are sent and send: `{ n, type, sdp }` with a session description of this
// browser, cut or repeated.

export const GROUP = 8;

const SERIAL_DIGITS = 9;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const offer = await makeOffer();
let serial = 0;

/**
 * Gives a function that makes frames of this kind as the client receives them. Each is a text that
 * the engine has never seen, decoded from bytes as a frame from the network is, and has its own
 * number. So no client's first look at it is cheaper or dearer (a rope to flatten, a cached hash).
 *
 * The message is that of a plain envelope of `size` characters, for all clients alike.
 *
 * The number is written into the bytes of one template. Concatenated strings would be garbage,
 * which is collected while the clock runs.
 */
export function frameMaker({ frame, sender, channels }, kind, size) {
  const from = kind === 'own' ? sender : '#sender---------';
  const [room] = channels;
  const to = kind === 'foreign' ? 'other-#ch' : room;
  const text = frame(from, to, message(size - `{"sender":${from},"channel":"${to}","message":}`.length));
  const bytes = encoder.encode(text);
  const places = { sender: text.indexOf('#sender'), channel: text.indexOf('#ch'), room: text.indexOf('room-') + 5, serial: text.indexOf('#serial') };
  const digits = (place, count, number) => {
    for (let i = place + count - 1; i >= place; i--) {
      bytes[i] = 48 + (number % 10);
      number = Math.floor(number / 10);
    }
  };
  return () => {
    serial++;
    digits(places.serial, SERIAL_DIGITS, 100000000 + serial);
    if (kind !== 'own') digits(places.sender, 16, 1e15 + Math.floor(Math.random() * 8e15));
    if (kind === 'foreign') digits(places.channel, 3, serial);
    else digits(places.room, room.length - 5, serial % channels.length);
    return decoder.decode(bytes);
  };
}

/** Gives a function that makes messages as objects, with texts that the engine has never seen. */
export function messageMaker(size) {
  const text = message(size - '{"sender":12345,"channel":"room-0","message":}'.length);
  const bytes = encoder.encode(JSON.parse(text.replace('#serial--', '100000000')).sdp);
  return () => ({ n: ++serial, type: 'offer', sdp: decoder.decode(bytes) });
}

/** A message as JSON, of `length` characters. */
function message(length) {
  const start = `{"n":${'#serial'.padEnd(SERIAL_DIGITS, '-')},"type":"offer","sdp":"`;
  const end = '"}';
  return start + sdp(Math.max(length - start.length - end.length, 0)) + end;
}

/** A session description as JSON has it, cut or repeated to `length` characters. */
function sdp(length) {
  const text = offer.repeat(Math.ceil(length / offer.length)).slice(0, length);
  // A cut through an escape would leave half of one.
  return text.replace(/\\$/, ' ');
}

async function makeOffer() {
  const peer = new RTCPeerConnection();
  peer.addTransceiver('audio');
  peer.addTransceiver('video');
  const { sdp } = await peer.createOffer();
  peer.close();
  return JSON.stringify(sdp).slice(1, -1);
}
