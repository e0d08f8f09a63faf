// A page in a room and its call, as tests drive it. What happens is in `told`.

import { Signaling } from '/signal-wasm/inline.js';
import { Call } from '/signal-wasm/call.js';
import { joinRoom } from '/signal-wasm/room.js';

window.told = [];
const tell = (...what) => window.told.push(what);

/** Joins. `name` is what the others see of the page. */
window.join = async ({ options, name, password, room = 'lobby' }) => {
  window.signaling = new Signaling(options);
  window.room = await joinRoom(window.signaling, room, { data: { name }, password });
  for (const event of ['join', 'leave', 'update']) window.room.addEventListener(event, ({ peer }) => tell(event, peer.data.name));
  window.room.addEventListener('message', ({ peer, message, isPrivate }) => tell('message', peer.data.name, message, isPrivate));
  window.room.addEventListener('error', ({ error }) => tell('error', error.code));
};

/** The names of the others. */
window.names = () => [...window.room.peers.values()].map(({ data }) => data.name).sort();

/** A moving picture: no camera, which Chromium's pages would have to share. */
function picture() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
  const context = canvas.getContext('2d');
  let hue = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(hue += 10)} 100% 50%)`;
    context.fillRect(0, 0, 64, 48);
  }, 50);
  return canvas.captureStream(20);
}
window.picture = picture;

window.enter = ({ sends = true, dataChannels = {}, iceServers = [] } = {}) => {
  const stream = sends ? picture() : undefined;
  window.call = new Call(window.room, { stream, dataChannels, iceServers });
  window.channels = new Map();
  for (const event of ['join', 'leave']) window.call.addEventListener(event, ({ peer }) => tell(`call ${event}`, peer.data.name));
  window.call.addEventListener('error', ({ error }) => tell('call error', typeof error.code === 'string' ? error.code : String(error)));
  window.call.addEventListener('track', ({ peer, track, streams: [remote] }) => {
    tell('track', peer.data.name, track.kind);
    const video = document.getElementById(peer.id) ?? Object.assign(document.createElement('video'), { id: peer.id, muted: true, autoplay: true });
    video.srcObject = remote ?? new MediaStream([track]);
    document.body.append(video);
  });
  window.call.addEventListener('leave', ({ peer }) => document.getElementById(peer.id)?.remove());
  window.call.addEventListener('datachannel', ({ peer, channel }) => {
    channel.onmessage = ({ data }) => tell('data', peer.data.name, channel.label, data);
    channel.onopen = () => tell('open', peer.data.name, channel.label);
    window.channels.set(`${peer.data.name} ${channel.label}`, channel);
  });
};

/** The names of those whose pictures move. */
window.seen = () => {
  const moving = [...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0 && video.currentTime > 0 && !video.paused);
  return moving.map(({ id }) => window.room.peers.get(id)?.data.name ?? window.call.peers.get(id)?.data.name).sort();
};
window.ready = true;
