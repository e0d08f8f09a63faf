// The demo's entry: joins the room in the address, and connects the parts of the page to it. The
// signaling is in meeting.js, the call in stage.js.

import { chat } from './chat.js';
import { connection } from './connection.js';
import { cut, remaining } from './cut.js';
import { inspector } from './inspector.js';
import { LONGEST_NAME, nameFor } from './names.js';
import { showPeople } from './people.js';
import { linkTo, LOBBY, newRoomName, roomName, settle } from './place.js';
import { protocolFromAddress, protocolName, PROTOCOLS, signalingOptions } from './protocols.js';
import { pulse } from './pulse.js';
import { agreedIceServers, agreedServer } from './server.js';
import { spokenBy, spokenProtocol, statePill } from './state-pill.js';

const $ = (id) => document.getElementById(id);
const room = roomName();
/** Chooses another protocol. Until the page has started it only can be loaded with it. */
let change = (protocol) => location.assign(linkTo(room, protocol));

const keepLinks = settle({ copyButton: $('copy-link'), secondTab: $('second-tab'), announce: (text) => ($('room-note').textContent = text) });
$('room-name').value = room;
$('room-name').addEventListener('change', () => goTo($('room-name').value.trim() || LOBBY));
$('room-new').addEventListener('click', () => goTo(newRoomName()));
$('protocol').append(...Object.entries(PROTOCOLS).map(([id, { name, choice = name[0].toUpperCase() + name.slice(1) }]) => new Option(choice, id)));
$('protocol').selectedIndex = -1;
$('protocol').addEventListener('change', () => change($('protocol').value));
document.title = room === LOBBY ? document.title : `${room} · signal-wasm`;

try {
  const protocol = protocolFromAddress();
  chosen(protocol);
  await start(protocol, await agreedServer($('failure')), await agreedIceServers($('failure')));
} catch (error) {
  console.error(error);
  $('failure').textContent = error.message;
  $('failure').hidden = false;
  $('state').dataset.state = 'closed';
  $('state-word').textContent = 'Not started';
}

async function start(first, server, iceServers) {
  const { Meeting, stage } = await load();
  const tab = crypto.getRandomValues(new Uint32Array(1))[0];
  const me = { tab, name: rememberedName() || nameFor(tab), protocol: '', call: false };
  let signaling;
  let protocol;

  const showState = statePill({ pill: $('state'), word: $('state-word'), more: $('state-more'), retry: $('reconnect') });
  const link = connection({ card: $('link'), pill: $('link-state'), word: $('link-word'), more: $('link-more'), events: $('events'), svg: $('plot'), trip: $('trip') });
  const frames = inspector({ counters: $('counters'), frames: $('frames'), pause: $('inspector-pause'), clear: $('inspector-clear') });
  const meeting = new Meeting(room, me, {
    onframe(kind, frame) {
      frames.onframe(kind, frame);
      link.onframe(kind, frame);
    },
    onerror: (error) => talk.tell(error.message),
    ongap(channel) {
      link.ongap(channel);
      if (channel === room) talk.tell('The connection was down for so long that some messages may be missing here.');
    },
    onstatechange(state, detail) {
      showState(state, detail);
      showProtocol();
      link.onstatechange(state, detail);
      frames.refresh();
      // Tabs without a server have no connection to cut.
      $('cut').disabled = $('cut-longer').disabled = state === 'closed' || protocol === 'tabs' || remaining() > 0;
      $('chat-note').textContent = meeting.isConnected || !meeting.room ? '' : 'No connection: what you send waits, and is sent after the reconnect.';
    },
  });
  const showProtocol = spokenProtocol({
    label: $('state-protocol'),
    nameOf: protocolName,
    spoken: () => signaling && spokenBy(signaling, protocol),
    changed: (spoken) => spoken && meeting.show({ protocol: spoken }),
  });
  const talk = chat({ meeting, log: $('chat-log'), empty: $('chat-empty'), form: $('chat-form'), field: $('chat-text') });

  meeting.addEventListener('signaling', (event) => {
    ({ signaling, protocol } = event);
    frames.watch(signaling);
    link.watch(signaling);
    chosen(protocol);
  });
  meeting.addEventListener('room', talk.enable);
  // The first protocol may have failed, and another one works.
  meeting.addEventListener('room', () => ($('failure').hidden = true));
  meeting.addEventListener('join', ({ person }) => talk.tell(`${person.name} is here`));
  meeting.addEventListener('leave', ({ person }) => talk.tell(`${person.name} has left`));
  meeting.addEventListener('error', ({ error }) => talk.tell(error.message));
  for (const name of ['join', 'leave', 'update', 'shown']) meeting.addEventListener(name, people);

  stage({ meeting, iceServers, tell: talk.tell });
  cutControls(link, () => protocol === 'tabs' || signaling.state === 'closed');
  pulseControl(meeting, talk);
  $('reconnect').addEventListener('click', () => signaling.reconnect());
  $('my-name').value = me.name;
  $('my-name').addEventListener('change', () => {
    const name = $('my-name').value.trim().slice(0, LONGEST_NAME) || nameFor(tab);
    $('my-name').value = name;
    rememberName(name);
    meeting.show({ name });
  });
  people();

  change = async (other) => {
    link.tell(`You change to ${protocolName(other)}`);
    try {
      await meeting.connect(other, await signalingOptions(other, server));
    } catch (error) {
      talk.tell(`Not changed to ${protocolName(other)}: ${error.message}`);
      chosen(protocol);
    }
  };
  await meeting.connect(first, await signalingOptions(first, server));

  function people() {
    showPeople($('people'), meeting.me, meeting.people.values());
  }
}

async function load() {
  try {
    const [{ Meeting }, { stage }] = await Promise.all([import('./meeting.js'), import('./stage.js')]);
    return { Meeting, stage };
  } catch (error) {
    throw new Error(`signal-wasm itself could not be loaded (${error.message}). Has it been built? npm start does that and serves this page.`, { cause: error });
  }
}

/** Shows that protocol as the chosen one: in the form, in the address, and in all links. */
function chosen(protocol) {
  if (protocol !== protocolFromAddress()) window.history.replaceState(null, '', linkTo(room, protocol));
  keepLinks();
  $('protocol').value = protocol;
  $('inspector-note').textContent = `${PROTOCOLS[protocol].frames} Click a counter to hide or show its kind.`;
  // Tabs without a server only receive each other's messages.
  const others = Object.keys(PROTOCOLS).filter((id) => id !== protocol && id !== 'tabs' && protocol !== 'tabs');
  $('other-tabs').replaceChildren(...others.map((id) => Object.assign(document.createElement('a'), { href: linkTo(room, id), target: '_blank', rel: 'noopener', textContent: PROTOCOLS[id].name })));
  $('other-protocols').hidden = others.length === 0 || new URLSearchParams(location.search).has('server');
}

function goTo(name) {
  location.href = linkTo(name);
}

function cutControls(link, isOff) {
  const once = $('cut');
  const longer = $('cut-longer');
  const label = longer.textContent;
  once.addEventListener('click', () => {
    link.tell('You cut the connection');
    cut();
  });
  longer.addEventListener('click', () => {
    link.tell('You keep the connection cut for 5 s');
    cut(5000);
    once.disabled = longer.disabled = true;
    const ticking = setInterval(() => {
      const seconds = Math.ceil(remaining() / 1000);
      longer.textContent = seconds > 0 ? `Cut for another ${seconds} s` : label;
      if (seconds > 0) return;
      clearInterval(ticking);
      once.disabled = longer.disabled = isOff();
    }, 100);
  });
}

function pulseControl(meeting, talk) {
  const button = $('pulse');
  const sending = () => button.ariaChecked === 'true';
  const numbers = pulse({
    meeting,
    changed() {
      const { heard, missed, again } = numbers.counts;
      $('pulse-note').textContent = `Numbers that the others sent: ${heard.toLocaleString()} came, ${missed.toLocaleString()} never did, ${again.toLocaleString()} came twice.`;
    },
    failed(error) {
      button.ariaChecked = 'false';
      talk.tell(`Not sent: ${error.message}`);
    },
  });
  meeting.addEventListener('room', () => (button.disabled = false));
  button.addEventListener('click', () => {
    button.ariaChecked = String(!sending());
    if (sending()) numbers.start();
    else numbers.stop();
  });
}

function rememberedName() {
  try {
    return sessionStorage.getItem('name') ?? '';
  } catch {
    return '';
  }
}

function rememberName(name) {
  try {
    sessionStorage.setItem('name', name);
  } catch {
    // It lasts as long as the page.
  }
}
