// The demo's entry: loads signal-wasm, joins the room in the address, and connects the parts of the
// page to it.

import { Call } from './call.js';
import { openCamera } from './camera.js';
import { chat } from './chat.js';
import { connection } from './connection.js';
import { cut, remaining } from './cut.js';
import { inspector } from './inspector.js';
import { avatar, LONGEST_NAME, nameFor } from './names.js';
import { iceServersFromAddress, linkTo, LOBBY, newRoomName, roomName, serverFromAddress, settle } from './place.js';
import { Presence } from './presence.js';
import { foundIn, protocolFromAddress, protocolName, PROTOCOLS, signalingOptions } from './protocols.js';
import { pulse } from './pulse.js';
import { statePill } from './state-pill.js';
import { tiles } from './tiles.js';

const $ = (id) => document.getElementById(id);
const room = roomName();
const HAS_WEBRTC = 'RTCPeerConnection' in globalThis;
const { protocol, unknown } = chosenProtocol();

settle({ copyButton: $('copy-link'), secondTab: $('second-tab'), announce: (text) => ($('room-note').textContent = text) });
$('room-name').value = room;
$('room-name').addEventListener('change', () => goTo($('room-name').value.trim() || LOBBY));
$('room-new').addEventListener('click', () => goTo(newRoomName()));
protocolChoice();
document.title = room === LOBBY ? document.title : `${room} · signal-wasm`;

function goTo(name) {
  location.href = linkTo(name);
}

function chosenProtocol() {
  try {
    return { protocol: protocolFromAddress() };
  } catch (error) {
    return { unknown: error };
  }
}

// The choice of protocol, and for each other protocol a link to a second tab that uses it.
function protocolChoice() {
  const choice = $('protocol');
  for (const [id, { name, choice: words = name[0].toUpperCase() + name.slice(1) }] of Object.entries(PROTOCOLS)) {
    choice.append(new Option(words, id, false, id === protocol));
    // Tabs without a server only receive each other's messages.
    if (id === protocol || id === 'tabs' || protocol === 'tabs' || serverFromAddress()) continue;
    const link = document.createElement('a');
    link.href = linkTo(room, id);
    link.target = '_blank';
    link.rel = 'noopener';
    link.textContent = name;
    $('other-tabs').append(link);
  }
  if (unknown) choice.selectedIndex = -1;
  $('other-protocols').hidden = $('other-tabs').childElementCount === 0 || Boolean(unknown);
  choice.addEventListener('change', () => {
    location.href = linkTo(room, choice.value);
  });
  if (protocol) $('inspector-note').textContent = `${PROTOCOLS[protocol].frames} Click a counter to hide or show its kind.`;
}

try {
  if (unknown) throw unknown;
  await start();
} catch (error) {
  fail(error);
}

async function start() {
  const { default: init, configure, openSocket } = await load();
  await init();
  const options = await signalingOptions(protocol, serverFromAddress());

  // The protocol that is in use. Of 'auto' it is known when our relay's first frame has come, or has
  // not come soon.
  let spoken = protocol === 'auto' ? undefined : protocol;
  let announcing;
  /** Tells the others of this tab. */
  const announce = () => {
    clearTimeout(announcing);
    announcing = undefined;
    spoken ??= 'websocket';
    me.protocol = spoken;
    $('state-protocol').textContent = protocolName(spoken);
    call?.reconnected();
    presence?.hello();
  };
  const showState = statePill({ pill: $('state'), word: $('state-word'), more: $('state-more'), protocol: $('state-protocol'), by: () => protocolName(spoken) });
  const link = connection({ card: $('link'), pill: $('link-state'), word: $('link-word'), more: $('link-more'), events: $('events'), svg: $('plot'), trip: $('trip') });
  const frames = inspector({ counters: $('counters'), frames: $('frames'), pause: $('inspector-pause'), clear: $('inspector-clear') });

  let presence;
  let talk;
  let call;
  const me = { id: 0, name: '', call: null, protocol: spoken };
  const signaling = configure({
    ...options,
    onframe(kind, frame) {
      if (protocol === 'auto' && kind === 'control') {
        spoken = foundIn(frame) ?? spoken;
        if (spoken !== undefined && announcing !== undefined) announce();
      }
      frames.onframe(kind, frame);
      link.onframe(kind, frame);
    },
    onerror: (error) => talk?.tell(error.message),
    ongap(channel) {
      link.ongap(channel);
      if (channel === room) talk?.tell('The connection was down for so long that some messages may be missing here.');
    },
    onstatechange(state, detail) {
      showState(state, detail);
      link.onstatechange(state, detail);
      if (state === 'closed') $('cut').disabled = $('cut-longer').disabled = true;
      frames.refresh();
      $('chat-note').textContent = state === 'open' || state === 'idle' ? '' : 'No connection: what you send waits, and is sent after the reconnect.';
      // After each reconnect, too: people may have come and gone, and parts of a call's set-up may
      // be lost.
      clearTimeout(announcing);
      announcing = undefined;
      if (state !== 'open') return;
      if (spoken === undefined) announcing = setTimeout(announce, 200);
      else announce();
    },
  });
  frames.watch(signaling);
  link.watch(signaling);

  Object.assign(me, { id: signaling.userid, name: rememberedName() || nameFor(signaling.userid) });
  presence = new Presence({ openSocket, room, me });
  // Without a server the connection opens with the first channel, before `presence` exists.
  if (signaling.state === 'open') presence.hello();
  talk = chat({ presence, log: $('chat-log'), form: $('chat-form'), field: $('chat-text') });
  talk.enable();

  $('my-name').value = me.name;
  $('my-name').addEventListener('change', () => {
    me.name = $('my-name').value.trim().slice(0, LONGEST_NAME) || nameFor(me.id);
    $('my-name').value = me.name;
    sessionStorage.setItem('name', me.name);
    presence.changed();
    people();
  });

  presence.addEventListener('join', ({ detail }) => (talk.tell([`${detail.name} is here`, protocolName(detail.protocol)].filter(Boolean).join(', by ')), people()));
  presence.addEventListener('leave', ({ detail }) => (talk.tell(`${detail.name} has left`), people()));
  presence.addEventListener('change', people);

  // `pagehide` also fires when the page enters the back/forward cache, and `pageshow` when it
  // leaves it. The capture phase comes before the library disconnects.
  addEventListener('pagehide', () => presence.bye(), { capture: true });
  addEventListener('pageshow', ({ persisted }) => persisted && presence.hello());

  call = new Call({ presence, iceServers: iceServersFromAddress() });
  callControls({ call, presence, me, changed: people });
  // Tabs without a server have no connection to cut.
  if (protocol !== 'tabs') cutControls(link);
  pulseControl(presence, talk);
  people();

  function people() {
    const everybody = [{ ...me, mine: true }, ...presence.peers.values()];
    $('people').replaceChildren(...everybody.map(person));
    const others = [...presence.peers.values()];
    const calling = others.filter((peer) => peer.call !== null);
    $('stage-hint').textContent =
      others.length === 0
        ? 'Nobody else is here yet. Open a second tab, or send the link to somebody.'
        : calling.length > 0
          ? `${names(calling)} ${calling.length === 1 ? 'is' : 'are'} in the call.`
          : `${names(others)} ${others.length === 1 ? 'is' : 'are'} here.${HAS_WEBRTC ? ' Start the call.' : ''}`;
    if (!call.joined) $('call-toggle').textContent = calling.length > 0 ? 'Join the call' : 'Start the call';
  }
}

async function load() {
  try {
    return await import('/signal-wasm/signal_wasm.js');
  } catch (error) {
    throw new Error(`signal-wasm itself could not be loaded (${error.message}). Has it been built? npm start does that and serves this page.`, { cause: error });
  }
}

function callControls({ call, presence, me, changed }) {
  const toggle = $('call-toggle');
  const mic = $('mic-toggle');
  const camera = $('camera-toggle');
  const stage = tiles({ grid: $('tiles'), empty: $('stage-empty') });
  let own;

  call.addEventListener('peer', ({ detail: { peer, stream, state } }) => stage.show(peer.id, peer.name, { stream, state }));
  call.addEventListener('gone', ({ detail }) => stage.remove(detail.id));
  presence.addEventListener('change', ({ detail }) => stage.rename(detail.id, detail.name));

  if (!HAS_WEBRTC) {
    $('call-note').textContent = 'This browser has no WebRTC, so this tab can’t join the call. All else works.';
    return;
  }
  toggle.disabled = false;
  toggle.addEventListener('click', async () => {
    toggle.disabled = true;
    try {
      if (call.joined) hangUp();
      else await join();
    } finally {
      toggle.disabled = false;
    }
  });

  async function join() {
    $('call-note').textContent = 'Asking for camera and microphone…';
    own = await openCamera(me);
    const [sound] = own.stream.getAudioTracks();
    const [picture] = own.stream.getVideoTracks();
    // Two tabs on one machine would howl by feedback, so the microphone starts off.
    if (sound) sound.enabled = false;
    $('call-note').textContent = own.note || 'Your microphone is off at first: two tabs on one machine would howl.';
    stage.show(me.id, `${me.name} (you)`, { stream: own.stream, state: 'connected', muted: true, mirrored: own.mirrored });
    call.join(own.stream);
    toggle.textContent = 'Leave the call';
    toggle.classList.replace('primary', 'danger');
    switchFor(mic, sound);
    switchFor(camera, picture);
    changed();
  }

  function hangUp() {
    call.leave();
    own.stop();
    stage.clear();
    $('call-note').textContent = '';
    toggle.classList.replace('danger', 'primary');
    mic.hidden = camera.hidden = true;
    changed();
  }
}

function cutControls(link) {
  const once = $('cut');
  const longer = $('cut-longer');
  const label = longer.textContent;
  once.disabled = longer.disabled = false;
  once.addEventListener('click', () => {
    link.tell('You cut the connection');
    cut();
  });
  longer.addEventListener('click', () => {
    link.tell('You keep the connection cut for 5 s');
    once.disabled = longer.disabled = true;
    cut(5000);
    const ticking = setInterval(() => {
      const seconds = Math.ceil(remaining() / 1000);
      longer.textContent = seconds > 0 ? `Cut for another ${seconds} s` : label;
      if (seconds > 0) return;
      clearInterval(ticking);
      once.disabled = longer.disabled = $('state').dataset.state === 'closed';
    }, 100);
  });
}

function pulseControl(presence, talk) {
  const button = $('pulse');
  const sending = () => button.ariaChecked === 'true';
  const numbers = pulse({
    presence,
    changed() {
      const { heard, missed, again } = numbers.counts;
      $('pulse-note').textContent = `Numbers that the others sent: ${heard.toLocaleString()} came, ${missed.toLocaleString()} never did, ${again.toLocaleString()} came twice.`;
    },
    failed(error) {
      button.ariaChecked = 'false';
      talk.tell(`Not sent: ${error.message}`);
    },
  });
  button.disabled = false;
  button.addEventListener('click', () => {
    button.ariaChecked = String(!sending());
    if (sending()) numbers.start();
    else numbers.stop();
  });
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

function person({ id, name, call, protocol, mine }) {
  const item = document.createElement('li');
  item.className = 'person';
  const label = document.createElement('span');
  label.textContent = name;
  const more = document.createElement('small');
  more.textContent = [mine && 'you', protocolName(protocol), call !== null && 'in the call'].filter(Boolean).join(', ');
  item.append(avatar(id, name), label, ...(more.textContent ? [more] : []));
  return item;
}

function names(people) {
  return new Intl.ListFormat('en').format(people.map(({ name }) => name));
}

function rememberedName() {
  try {
    return sessionStorage.getItem('name') ?? '';
  } catch {
    return '';
  }
}

function fail(error) {
  console.error(error);
  $('failure').textContent = error.message;
  $('failure').hidden = false;
  $('state').dataset.state = 'closed';
  $('state-word').textContent = 'Not started';
}
