// The entry `signal-wasm/rtcmulticonnection`: RTCMultiConnection 3 over any signaling. Its types are
// in rtcmulticonnection.d.ts.

import { bytesToHex } from '@noble/hashes/utils';
import { ChosenRooms } from './rtcmulticonnection/chosen.js';
import { drive } from './rtcmulticonnection/drive.js';
import { readQuery } from './rtcmulticonnection/query.js';

const DEFAULTS = { channel: 'rtcmulticonnection', answerTimeout: 500 };

/** An `io` for RTCMultiConnection 3. @param {any} signaling @param {any} [options] */
export function rtcMultiConnectionSocket(signaling, options = {}) {
  for (const [name, type] of Object.entries({ openSocket: 'function', stats: 'function', state: 'string' })) {
    if (typeof signaling?.[name] !== type) throw wrong(`signaling must be a Signaling, such as new Signaling() and configure() give, but its ${name} is ${typeof signaling?.[name]}`);
  }
  const { channel, answerTimeout } = read(options);
  /** @param {unknown} address */
  const io = (address) => {
    const profile = profileOf(address);
    const group = channel === DEFAULTS.channel ? undefined : channel;
    return drive(new ChosenRooms(profile, token, { channel, group, answer: answerTimeout }), signaling, profile.user);
  };
  return Object.assign(io, { connect: io });
}

/** Who connects, by the query that the library makes. @param {unknown} address */
function profileOf(address) {
  const { parameters, extra } = readQuery(address);
  const isOn = (/** @type {string} */ name) => parameters.get(name) === 'true';
  const number = (/** @type {string} */ name, /** @type {number} */ otherwise) => parseInt(parameters.get(name) ?? '', 10) || otherwise;
  return {
    user: parameters.get('userid') || token(),
    extra,
    messageEvent: parameters.get('msgEvent') || 'RTCMultiConnection-Message',
    customEvent: parameters.get('socketCustomEvent') || 'custom-message',
    autoClose: isOn('autoCloseEntireSession'),
    max: Math.max(1, number('maxParticipantsAllowed', 1000)),
    relays: isOn('enableScalableBroadcast') ? Math.max(1, number('maxRelayLimitPerUser', 2)) : 0,
  };
}

/** @param {any} options */
function read(options) {
  for (const name of Object.keys(Object(options))) {
    if (!Object.hasOwn(DEFAULTS, name)) throw wrong(`there is no option ${name}; there is ${Object.keys(DEFAULTS).join(', ')}`, 'unknown-option');
  }
  const { channel = DEFAULTS.channel, answerTimeout = DEFAULTS.answerTimeout } = Object(options);
  if (typeof channel !== 'string' || !channel) throw wrong(`channel must be text, but it is ${show(channel)}`);
  if (!(answerTimeout >= 50 && answerTimeout <= 60_000)) throw wrong(`answerTimeout must be a number of milliseconds from 50 to 60000, but it is ${show(answerTimeout)}`);
  return { channel, answerTimeout: Number(answerTimeout) };
}

/** @param {string} sentence */
function wrong(sentence, code = 'bad-option') {
  return Object.assign(new TypeError(`rtcMultiConnectionSocket: ${sentence}`), { code });
}

/** @param {unknown} value */
function show(value) {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** 128 random bits. */
function token() {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(16)));
}
