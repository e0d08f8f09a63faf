// The page about transports: shows the source of one, runs that file, and has a form to send
// messages over it.

import { nameFor } from './names.js';
import { roomName, settle } from './place.js';
import { statePill } from './state-pill.js';

const $ = (id) => document.getElementById(id);

/** The values of `?transport=` in the address, with their labels. The files are own/<id>.js. */
const CHOICES = {
  'publish-subscribe': 'A server with topics, wrapped by hand',
  storage: 'No server: localStorage, by hand',
  'socket-io-client': 'Socket.IO client, ready: socketIo',
  'hub-connection': 'SignalR client, ready: hubConnection',
  'hub-proxy': 'Classic SignalR client, ready: hubProxy',
  'broadcast-channel': 'Tabs of this browser, ready: broadcastChannel',
};

const choice = new URLSearchParams(location.search).get('transport') ?? 'publish-subscribe';
const room = roomName();

settle({ copyButton: $('copy-link'), secondTab: $('second-tab'), announce: (text) => ($('room-note').textContent = text) });
for (const [id, words] of Object.entries(CHOICES)) $('transport').append(new Option(words, id, false, id === choice));
$('transport').addEventListener('change', () => {
  const link = new URL(location.href);
  link.searchParams.set('transport', $('transport').value);
  location.href = link.href;
});

try {
  if (!Object.hasOwn(CHOICES, choice)) {
    $('transport').selectedIndex = -1;
    throw new RangeError(`There is no transport “${choice}” (?transport= in the address). There is ${Object.keys(CHOICES).join(', ')}.`);
  }
  const file = new URL(`own/${choice}.js`, import.meta.url);
  $('source-name').textContent = `js/own/${choice}.js`;
  $('source').textContent = await sourceOf(file);
  await start(file);
} catch (error) {
  console.error(error);
  $('failure').textContent = error.message;
  $('failure').hidden = false;
  $('state').dataset.state = 'closed';
  $('state-word').textContent = 'Not started';
}

async function start(file) {
  const { default: init, configure, openSocket } = await load('/signal-wasm/signal_wasm.js');
  await init();
  const { transport } = await load(file.href);

  const signaling = configure({
    transport,
    onstatechange: statePill({ pill: $('state'), word: $('state-word'), more: $('state-more'), retry: $('reconnect') }),
    onerror: (error) => add('told', error.message),
  });
  $('reconnect').addEventListener('click', () => signaling.reconnect());
  const name = nameFor(signaling.userid);
  const channel = openSocket({
    channel: `bring-your-own/${room}`,
    onmessage(message) {
      if (typeof message?.text === 'string') add('', message.text.slice(0, 2000), String(message.name ?? 'Somebody').slice(0, 40));
    },
  });

  add('told', `This tab is ${name}.`);
  for (const control of $('form').elements) control.disabled = false;
  $('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = $('text').value.trim();
    if (text === '') return;
    try {
      channel.send({ name, text });
      add('', text, 'You');
      $('text').value = '';
    } catch (error) {
      add('told', `Not sent: ${error.message}`);
    }
  });
}

async function sourceOf(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`The source could not be loaded: ${file} answered with ${answer.status}.`);
  return (await answer.text()).trimEnd();
}

async function load(address) {
  try {
    return await import(address);
  } catch (error) {
    throw new Error(`${address} could not be loaded (${error.message}). npm start builds it and serves this page.`, { cause: error });
  }
}

function add(kind, text, who) {
  const item = document.createElement('p');
  item.className = kind;
  if (who !== undefined) {
    const name = document.createElement('b');
    name.textContent = `${who}: `;
    item.append(name);
  }
  item.append(text);
  $('log').append(item);
  $('log').scrollTop = $('log').scrollHeight;
}
