// The page's address: its room (the hash), its options, and the link for others.

import { USUAL } from './protocols.js';

/** The room of an address without a hash, so that two tabs with the bare address meet. */
export const LOBBY = 'lobby';

/** The room's name, from the address. */
export function roomName() {
  const hash = location.hash.slice(1);
  try {
    return decodeURIComponent(hash).trim() || LOBBY;
  } catch {
    return hash;
  }
}

/** A random room name. */
export function newRoomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => 'abcdefghijkmnpqrstuvwxyz23456789'[byte & 31]).join('');
}

/** The address of this page in that room, with another protocol if one is given. */
export function linkTo(room, protocol) {
  const link = new URL(location.href);
  if (protocol === USUAL) link.searchParams.delete('protocol');
  else if (protocol !== undefined) link.searchParams.set('protocol', protocol);
  link.hash = encodeURIComponent(room);
  return link.href;
}

/**
 * Sets up what every page has: links that keep the room, the copy button, and a reload when the
 * room changes. Returns the function to call when the address has changed.
 */
export function settle({ copyButton, secondTab, announce }) {
  const keep = () => {
    for (const other of document.querySelectorAll('a[data-keep-room]')) {
      other.search = location.search;
      other.hash = location.hash;
    }
    if (secondTab) secondTab.href = linkTo(roomName());
  };
  keep();
  if (copyButton) {
    const label = copyButton.textContent;
    copyButton.addEventListener('click', async () => {
      const link = linkTo(roomName());
      const copied = await copy(link);
      copyButton.textContent = copied ? 'Copied' : 'Not copied';
      announce?.(copied ? 'The link is on the clipboard.' : `The browser doesn’t let this page copy. The link is ${link}`);
      setTimeout(() => (copyButton.textContent = label), 2000);
    });
  }
  addEventListener('hashchange', () => location.reload());
  return keep;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http pages, except on localhost, have no clipboard. The old command works there.
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'unseen';
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    return copied;
  }
}
