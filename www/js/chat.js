// The chat: the log of messages, and the form to send one.

import { avatar } from './names.js';

const LONGEST_TEXT = 2000;
const KEPT = 300;

/** Returns `{ tell(text), enable() }`, and handles the form. */
export function chat({ meeting, log, empty, form, field }) {
  meeting.addEventListener('message', ({ person, message: { text } }) => {
    if (typeof text === 'string') said({ ...person, text: text.slice(0, LONGEST_TEXT) });
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text === '') return;
    try {
      meeting.send({ text });
    } catch (error) {
      tell(`Not sent: ${error.message}`);
      return;
    }
    said({ ...meeting.me, text, mine: true });
    field.value = '';
    field.focus();
  });

  function said({ tab, name, text, mine = false }) {
    const item = element('div', mine ? 'said mine' : 'said');
    const who = element('span', 'said-who', mine ? 'You' : name);
    who.append(` · ${new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`);
    item.append(avatar(tab, name), who, element('span', 'said-text', text));
    empty.hidden = true;
    add(item);
  }

  function tell(text) {
    add(element('p', 'told', text));
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
      field.placeholder = 'Say something';
    },
  };
}

function element(tag, name, text = '') {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}
