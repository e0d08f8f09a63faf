// The chat: the log of messages, and the form to send one.

import { avatar, LONGEST_NAME } from './names.js';

const LONGEST_TEXT = 2000;
const KEPT = 300;

/** Returns `{ tell(text), enable() }`, and handles the form. */
export function chat({ presence, log, form, field }) {
  presence.addEventListener('room', ({ detail: message }) => {
    if (message.kind !== 'chat' || typeof message.text !== 'string') return;
    const name = presence.peers.get(message.from)?.name ?? (typeof message.name === 'string' ? message.name : 'Somebody');
    said({ id: message.from, name: name.slice(0, LONGEST_NAME), text: message.text.slice(0, LONGEST_TEXT) });
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text === '') return;
    try {
      presence.send('chat', { name: presence.me.name, text });
    } catch (error) {
      tell(`Not sent: ${error.message}`);
      return;
    }
    said({ id: presence.me.id, name: presence.me.name, text, mine: true });
    field.value = '';
    field.focus();
  });

  function said({ id, name, text, mine = false }) {
    const item = document.createElement('li');
    item.className = mine ? 'said mine' : 'said';
    const who = element('span', 'said-who', mine ? 'You' : name);
    who.append(` · ${new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`);
    item.append(avatar(id, name), who, element('span', 'said-text', text));
    add(item);
  }

  function tell(text) {
    add(element('li', 'told', text));
  }

  function add(item) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    log.append(item);
    while (log.childElementCount > KEPT) log.firstElementChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  return {
    tell,
    enable() {
      for (const control of form.elements) control.disabled = false;
    },
  };
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}
