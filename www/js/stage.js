// The call of the room: its pictures, the buttons to start and leave it, and the note that others
// are calling.
//
// When the page changes its protocol, it enters the call once more by the new signaling. A
// connection of the former call goes on until the new one to the same tab is up.

import { Call } from '/signal-wasm/call.js';
import { openCamera } from './camera.js';
import { names, personOf } from './people.js';
import { tiles } from './tiles.js';

const $ = (id) => document.getElementById(id);
const HAS_WEBRTC = 'RTCPeerConnection' in globalThis;

/** Handles the card of the call. `tell` shows what goes wrong. */
export function stage({ meeting, iceServers, tell }) {
  const toggle = $('call-toggle');
  const pictures = tiles({ grid: $('tiles'), empty: $('stage-empty') });
  /** What this tab shows, while it is in the call. */
  let own;
  /** The latest is that of the room. Each has the streams of its peers, by their ids. */
  let calls = [];
  /** The tabs whose call was declined. */
  let declined = new Set();

  meeting.addEventListener('room', ({ room }) => own && enter(room));
  for (const name of ['join', 'leave', 'update']) meeting.addEventListener(name, invite);
  meeting.addEventListener('update', show);
  invite();

  if (!HAS_WEBRTC) {
    $('call-note').textContent = 'This browser has no WebRTC, so this tab can’t join the call. All else works.';
    return;
  }
  toggle.disabled = false;
  toggle.addEventListener('click', async () => {
    toggle.disabled = true;
    try {
      if (own) hangUp();
      else await start();
    } finally {
      toggle.disabled = false;
    }
  });
  $('answer').addEventListener('click', () => toggle.click());
  $('decline').addEventListener('click', () => {
    declined = new Set(calling().map(({ tab }) => tab));
    invite();
  });

  async function start() {
    $('call-note').textContent = 'Asking for camera and microphone…';
    own = await openCamera({ id: meeting.me.tab, name: meeting.me.name });
    const [sound] = own.stream.getAudioTracks();
    const [picture] = own.stream.getVideoTracks();
    // Two tabs on one machine would howl by feedback, so the microphone starts off.
    if (sound) sound.enabled = false;
    $('call-note').textContent = own.note || 'Your microphone is off at first: two tabs on one machine would howl.';
    switchFor($('mic-toggle'), sound);
    switchFor($('camera-toggle'), picture);
    toggle.textContent = 'Leave the call';
    meeting.show({ call: true });
    if (meeting.room) enter(meeting.room);
    show();
    invite();
  }

  function enter(room) {
    const call = new Call(room, { stream: own.stream, iceServers });
    const streams = new Map();
    calls.push({ call, streams });
    call.addEventListener('track', ({ peer, streams: [stream] }) => {
      streams.set(peer.id, stream);
      show();
    });
    for (const name of ['join', 'leave', 'connectionstatechange']) call.addEventListener(name, show);
    // A former call can't reach its room any more, and needn't.
    call.addEventListener('error', ({ error }) => calls.at(-1)?.call === call && tell(`Call: ${error.message}`));
  }

  function hangUp() {
    const former = calls;
    calls = [];
    for (const { call } of former) call.hangUp();
    own.stop();
    own = undefined;
    $('call-note').textContent = '';
    $('mic-toggle').hidden = $('camera-toggle').hidden = true;
    meeting.show({ call: false });
    show();
    invite();
  }

  /** Shows a picture of each tab in the call. */
  function show() {
    if (!own) return pictures.keep([]);
    const { me } = meeting;
    const shown = new Map();
    for (const { call, streams } of calls) {
      for (const peer of call.peers.values()) {
        const { tab, name } = personOf(peer);
        const isWorse = shown.get(tab)?.state === 'connected' && peer.state !== 'connected';
        if (tab !== me.tab && !isWorse) shown.set(tab, { name, stream: streams.get(peer.id), state: peer.state });
      }
    }
    pictures.show(me.tab, 'You', { stream: own.stream, state: 'connected', muted: true, mirrored: own.mirrored });
    for (const [tab, { name, ...picture }] of shown) pictures.show(tab, name, picture);
    pictures.keep([me.tab, ...shown.keys()]);
    endFormer();
  }

  /** Hangs up the calls whose peers are all connected by a later one. */
  function endFormer() {
    const connected = (call) => [...call.peers.values()].filter(({ state }) => state === 'connected').map((peer) => personOf(peer).tab);
    const over = calls.filter(({ call }, index) => {
      const later = new Set(calls.slice(index + 1).flatMap((other) => connected(other.call)));
      return index < calls.length - 1 && [...call.peers.values()].every((peer) => later.has(personOf(peer).tab));
    });
    calls = calls.filter((call) => !over.includes(call));
    for (const { call } of over) call.hangUp();
  }

  function calling() {
    return [...meeting.people.values()].filter(({ call }) => call);
  }

  /** Says who is there, and who is in the call. */
  function invite() {
    const others = [...meeting.people.values()];
    const there = calling();
    const are = (people) => `${names(people)} ${people.length === 1 ? 'is' : 'are'}`;
    $('stage-hint').textContent =
      others.length === 0
        ? 'Nobody else is here yet. Open a second tab, or send the link to somebody.'
        : there.length > 0
          ? `${are(there)} in the call.`
          : `${are(others)} here.${HAS_WEBRTC ? ' Start the call.' : ''}`;
    if (!own) toggle.textContent = there.length > 0 ? 'Join the call' : 'Start the call';
    // Alone there is nobody to call.
    $('second-tab').classList.toggle('primary', others.length === 0 && !own);
    toggle.classList.toggle('primary', others.length > 0 && !own);
    toggle.classList.toggle('danger', Boolean(own));
    declined = new Set(there.map(({ tab }) => tab).filter((tab) => declined.has(tab)));
    $('incoming').hidden = !HAS_WEBRTC || Boolean(own) || there.every(({ tab }) => declined.has(tab));
    $('incoming-who').textContent = there.length > 0 ? `${are(there)} calling` : '';
  }
}

function switchFor(button, track) {
  button.hidden = !track;
  if (!track) return;
  const render = () => {
    button.ariaChecked = String(track.enabled);
  };
  button.onclick = () => {
    track.enabled = !track.enabled;
    render();
  };
  render();
}
