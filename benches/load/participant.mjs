// A page of RTCMultiConnection 3.7.1 without a browser: Socket.IO's own client, and what the library
// says when several pages with camera, microphone and data channels are in one room. The sizes are
// those of Chromium 156 with the library's defaults.

import { io } from 'socket.io-client';

const EVENT = 'RTCMultiConnection-Message';

/** So many candidates a page in the room sends to one that joins, and so many it is sent. */
export const CANDIDATES = { offer: 6, answer: 2 };

const SDP_CONSTRAINTS = { OfferToReceiveAudio: true, OfferToReceiveVideo: true };
const DETAILS = {
  session: { audio: true, video: true, data: true },
  mediaConstraints: { audio: { mandatory: {}, optional: [] }, video: { mandatory: {}, optional: [{ facingMode: 'user' }] } },
  sdpConstraints: { mandatory: SDP_CONSTRAINTS, optional: [{ VoiceActivityDetection: false }] },
  streams: [{ streamid: 'cea3f2e8-053e-48be-b304-bda93c96651c', tracks: 2 }],
  extra: {},
};
const PREFERENCES = {
  extra: {},
  localPeerSdpConstraints: SDP_CONSTRAINTS,
  remotePeerSdpConstraints: SDP_CONSTRAINTS,
  dontGetRemoteStream: false,
  dontAttachLocalStream: false,
  isOneWay: false,
  isDataOnly: false,
  connectionDescription: { newParticipationRequest: true, isOneWay: false, isDataOnly: false, localPeerSdpConstraints: SDP_CONSTRAINTS, remotePeerSdpConstraints: SDP_CONSTRAINTS },
  streamsToShare: { 'cea3f2e8-053e-48be-b304-bda93c96651c': { isAudio: false, isVideo: true, isScreen: false } },
};
const OFFER = description(6600);
const ANSWER = description(6250);

/** A session description of about so many bytes as JSON. */
function description(bytes) {
  const lines = ['v=0', 'o=- 2040463472473814323 2 IN IP4 127.0.0.1', 's=-', 't=0 0'];
  for (let type = 96; JSON.stringify(lines.join('\r\n')).length < bytes; type += 1) lines.push(`a=rtpmap:${type} VP9/90000`, `a=rtcp-fb:${type} transport-cc`, `a=fmtp:${type} profile-id=0`);
  return lines.join('\r\n');
}

function candidate(number) {
  return { candidate: `candidate:258499115 1 udp 2122194687 192.0.2.2 ${49152 + number} typ host generation 0 ufrag +xiQ network-id 1`, sdpMid: String(number % 3), sdpMLineIndex: number % 3 };
}

/**
 * Connects a page and counts the packets of Socket.IO that it sends and receives in `traffic`.
 * `progress()` is called when something has come.
 */
export function participant(url, room, id, traffic, progress) {
  const query = {
    userid: id,
    sessionid: room,
    msgEvent: EVENT,
    socketCustomEvent: 'RTCMultiConnection-Custom-Message',
    autoCloseEntireSession: false,
    maxParticipantsAllowed: 1000,
    extra: '{}',
  };
  const socket = io(url, { query, forceNew: true, reconnection: false });
  // What this page has heard of the others: by their ids.
  const heard = { requests: new Set(), offers: new Set(), answers: new Set(), candidates: new Map(), connected: new Set() };
  // The library gives each message a function to be called with an answer.
  const say = (remoteUserId, message) => socket.emit(EVENT, { remoteUserId, message, sender: id }, () => {});

  const { engine } = socket.io;
  const count = (way) => ({ type, data }) => {
    if (type !== 'message') return;
    traffic[way].messages += 1;
    traffic[way].bytes += Buffer.byteLength(data);
  };
  engine.on('packet', count('received'));
  engine.on('packetCreate', count('sent'));
  socket.on(EVENT, ({ message, sender }) => {
    if (message.newParticipationRequest) {
      heard.requests.add(sender);
      say(sender, { enableMedia: true, userPreferences: PREFERENCES });
    } else if (message.enableMedia) {
      say(sender, { readyForOffer: true, userPreferences: message.userPreferences });
    } else if (message.readyForOffer) {
      say(sender, { type: 'offer', sdp: OFFER, remotePeerSdpConstraints: SDP_CONSTRAINTS });
      for (let number = 0; number < CANDIDATES.offer; number += 1) say(sender, candidate(number));
    } else if (message.type === 'offer') {
      heard.offers.add(sender);
      say(sender, { type: 'answer', sdp: ANSWER });
      for (let number = 0; number < CANDIDATES.answer; number += 1) say(sender, candidate(number));
    } else if (message.type === 'answer') {
      heard.answers.add(sender);
    } else if (message.candidate) {
      heard.candidates.set(sender, (heard.candidates.get(sender) ?? 0) + 1);
    }
    progress();
  });
  socket.on('user-connected', (other) => {
    heard.connected.add(other);
    progress();
  });

  return {
    id,
    socket,
    heard,
    connect: () => new Promise((done, fail) => socket.once('connect', done).once('connect_error', fail)),
    /** Opens or joins the room; resolves with the server's answer. */
    enter: (how) => new Promise((done) => socket.emit(`${how}-room`, { sessionid: room, ...DETAILS, identifier: '', password: '' }, (...answer) => done(answer))),
    participate: () => say(room, { newParticipationRequest: true, isOneWay: false, isDataOnly: false, localPeerSdpConstraints: SDP_CONSTRAINTS, remotePeerSdpConstraints: SDP_CONSTRAINTS }),
    showExtra: () => socket.emit('extra-data-updated', {}),
    /** Resolves when all has come that the server has sent; counts one message more in either direction. */
    settled: () => new Promise((done) => socket.emit('check-presence', room, done)),
    close: () => socket.close(),
  };
}
