// What the pages of the older libraries share: the state pill, the links, the log, the form to send
// a message.

import { roomName, settle } from './place.js';
import { protocolFromAddress, protocolName, signalingOptions } from './protocols.js';
import { agreedServer } from './server.js';
import { spokenBy, spokenProtocol, statePill } from './state-pill.js';

const $ = (id) => document.getElementById(id);

/**
 * Sets up the page and calls `start(room)`, which makes the library's connection. Shows what is
 * thrown on the page.
 *
 * `start` returns `{ userid, open, send }`: this tab's id in the library, and what the page's
 * buttons do.
 */
export async function libraryPage({ library, start }) {
  settle({ copyButton: $('copy-link'), secondTab: $('second-tab'), announce: (text) => ($('room-note').textContent = text) });
  try {
    if (!globalThis.SignalWasm) throw new Error('signal-wasm itself could not be loaded. Has it been built? npm start does that and serves this page.');
    if (!globalThis[library]) throw new Error(`${library} could not be loaded. npm start installs it and serves it.`);

    if (!globalThis.RTCPeerConnection) throw new Error(`This browser has no WebRTC, which ${library} connects the tabs with. signal-wasm itself works here: the demo’s chat shows it.`);

    // Not needed on the server that served the page. It is here for the pill, and for ?server= and
    // ?protocol= in the address.
    const protocol = protocolFromAddress();
    const options = await signalingOptions(protocol, await agreedServer($('failure')));
    const showState = statePill({ pill: $('state'), word: $('state-word'), more: $('state-more'), retry: $('reconnect') });
    const signaling = globalThis.SignalWasm.configure({
      ...options,
      onstatechange(state, detail) {
        showState(state, detail);
        showProtocol();
      },
      onerror: (error) => tell(error.message),
    });
    const showProtocol = spokenProtocol({ label: $('state-protocol'), nameOf: protocolName, spoken: () => spokenBy(signaling, protocol) });
    $('reconnect').addEventListener('click', () => signaling.reconnect());
    run(start(roomName()));
  } catch (error) {
    console.error(error);
    $('failure').textContent = error.message;
    $('failure').hidden = false;
    $('state').dataset.state = 'closed';
    $('state-word').textContent = 'Not started';
  }
}

function run({ userid: own, open, send }) {
  // In browsers that it doesn't know, DataChannel.js gives its tab no id.
  if (own !== undefined) tell(`This tab is ${own}.`);
  const connected = new Set();

  $('open').disabled = false;
  $('open').addEventListener('click', () => {
    $('open').disabled = true;
    open();
    tell('You have opened a session. Others join within a few seconds.');
  });
  $('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = $('text').value.trim();
    if (text === '') return;
    send(text);
    say('You', text);
    $('text').value = '';
  });

  document.addEventListener('library:open', ({ detail: userid }) => {
    if (connected.has(userid)) return;
    connected.add(userid);
    tell(`${userid} is connected with you.`);
    render();
  });
  document.addEventListener('library:leave', ({ detail: userid }) => {
    if (!connected.delete(userid)) return;
    tell(`${userid} has left.`);
    render();
  });
  document.addEventListener('library:message', ({ detail: { userid, text } }) => say(userid, text));

  function render() {
    const some = connected.size > 0;
    for (const control of $('form').elements) control.disabled = !some;
    $('text').placeholder = some ? 'Say something' : 'Not connected yet';
    if (some) $('open').disabled = true;
  }
}

/**
 * Reports an event of the library: `open` and `leave` with a userid, `message` with `{ userid, text
 * }`.
 */
export function report(what, detail) {
  document.dispatchEvent(new CustomEvent(`library:${what}`, { detail }));
}

function tell(text) {
  const item = document.createElement('p');
  item.className = 'told';
  item.textContent = text;
  add(item);
}

function say(who, text) {
  const item = document.createElement('p');
  const name = document.createElement('b');
  name.textContent = `${who}: `;
  item.append(name, String(text));
  add(item);
}

function add(item) {
  $('log').append(item);
  $('log').scrollTop = $('log').scrollHeight;
}
