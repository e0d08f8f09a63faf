// A conference over openSocket: everybody is connected with everybody. A page that starts says so to
// all. Of two pages the one with the lower id makes the offer.

import { roomName } from './place.js';

const $ = (id) => document.getElementById(id);
const me = crypto.getRandomValues(new Uint32Array(1))[0];
const peers = new Map();
let stream;
let channel;

$('start').disabled = false;
$('start').addEventListener('click', async () => {
  $('start').disabled = true;
  $('told').textContent = 'Connecting …';
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  } catch (error) {
    $('told').textContent = `No camera or microphone: ${error.message}`;
    $('start').disabled = false;
    return;
  }
  show('you', stream).muted = true;
  channel = window.SignalWasm.openSocket({ channel: `conference-${roomName()}`, onmessage: hear });
  send({ hello: true });
  addEventListener('pagehide', () => send({ bye: true }));
});

function send(message) {
  channel.send({ from: me, ...message });
}

async function hear({ from, to, hello, bye, description, candidate }) {
  if (to !== undefined && to !== me) return;
  if (hello && !peers.has(from)) {
    if (me < from) connect(from);
    else send({ to: from, hello: true });
  }
  if (description?.type === 'offer' && !peers.has(from)) connect(from);
  const peer = peers.get(from);
  if (bye) peer?.leave();
  if (candidate) await peer?.connection.addIceCandidate(candidate);
  if (description) await peer?.connection.setRemoteDescription(description);
  if (description?.type === 'offer') await peer.describe();
}

function connect(id) {
  const connection = new RTCPeerConnection();
  const video = show(id, new MediaStream());
  const leave = () => {
    connection.close();
    peers.delete(id);
    video.remove();
    count();
  };
  const describe = async () => {
    await connection.setLocalDescription();
    send({ to: id, description: connection.localDescription });
  };
  connection.onicecandidate = ({ candidate }) => candidate && send({ to: id, candidate });
  connection.ontrack = ({ track }) => video.srcObject.addTrack(track);
  connection.onconnectionstatechange = () => connection.connectionState === 'failed' && leave();
  if (me < id) connection.onnegotiationneeded = describe;
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  peers.set(id, { connection, describe, leave });
}

function show(title, srcObject) {
  const video = Object.assign(document.createElement('video'), { title, srcObject, autoplay: true, playsInline: true });
  $('videos').append(video);
  count();
  return video;
}

function count() {
  const { length } = $('videos').children;
  $('told').textContent = length === 1 ? 'You are alone in the room. Open this page in another tab.' : `${length} are in the room.`;
}
