// The people in the room: what a page shows of itself, and the list of them.

import { avatar, LONGEST_NAME } from './names.js';
import { protocolName } from './protocols.js';

/**
 * Who that peer of a room or a call is: `{ tab, name, protocol, call }`. A peer may show anything of
 * itself, so everything has a default.
 */
export function personOf({ id, data }) {
  const { tab, name, protocol, call } = Object(data);
  return {
    tab: Number.isSafeInteger(tab) && tab >= 0 ? tab : numberOf(id),
    name: (typeof name === 'string' && name.trim().slice(0, LONGEST_NAME)) || 'Somebody',
    protocol: typeof protocol === 'string' ? protocol : '',
    call: call === true,
  };
}

/** Shows them in the list. */
export function showPeople(list, me, others) {
  list.replaceChildren(person(me, 'you'), ...[...others].map((other) => person(other)));
}

/** Their names in a sentence. */
export function names(people) {
  return new Intl.ListFormat('en').format(people.map(({ name }) => name));
}

function person({ tab, name, call, protocol }, you) {
  const item = document.createElement('li');
  item.className = 'person';
  const label = document.createElement('span');
  label.textContent = name;
  const more = document.createElement('small');
  more.textContent = [you, protocolName(protocol), call && 'in the call'].filter(Boolean).join(', ');
  item.append(avatar(tab, name), label, ...(more.textContent ? [more] : []));
  return item;
}

function numberOf(text) {
  return [...text].reduce((number, letter) => (number * 31 + letter.codePointAt(0)) % 2 ** 32, 7);
}
