// Names, initials and colours for people, also for those who haven't typed a name.

const FIRST = ['Amber', 'Bright', 'Clever', 'Dusty', 'Early', 'Fair', 'Gentle', 'Hazel', 'Ivory', 'Jolly', 'Keen', 'Lucky', 'Merry', 'Noble', 'Olive', 'Quiet'];
const SECOND = ['Badger', 'Crane', 'Dolphin', 'Finch', 'Heron', 'Ibex', 'Kestrel', 'Lynx', 'Marten', 'Newt', 'Otter', 'Plover', 'Robin', 'Seal', 'Tern', 'Wren'];

/** The longest name that is shown. */
export const LONGEST_NAME = 40;

/** The default name for a number. */
export function nameFor(number) {
  return `${FIRST[number % FIRST.length]} ${SECOND[Math.floor(number / FIRST.length) % SECOND.length]}`;
}

/** One or two letters for an avatar. */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toUpperCase() || '?';
}

/** A round badge with the initials, in the colour of the number. */
export function avatar(number, name) {
  const badge = document.createElement('span');
  badge.className = 'avatar';
  badge.ariaHidden = 'true';
  badge.textContent = initials(name);
  badge.style.setProperty('--hue', hue(number));
  return badge;
}

/** The hue of a number. */
export function hue(number) {
  return Math.floor(number % 997) * 137 % 360;
}
