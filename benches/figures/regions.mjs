// The places for figures in a document.

const START = '<!-- figures: ';
const END = '<!-- end -->';

/**
 * The document with each place filled by what `write` gives for its name. Where a line ends behind
 * the start, the figures are lines of their own.
 */
export function rewrite(text, path, write) {
  const [before, ...places] = text.split(START);
  const parts = [before];
  for (const place of places) {
    const closed = place.indexOf(' -->');
    const end = place.indexOf(END);
    const name = place.slice(0, closed);
    if (closed < 0 || end < closed) throw new Error(`${path}: "${START}${place.slice(0, 40)}" has no ${END}`);
    const line = place[closed + ' -->'.length] === '\n' ? '\n' : '';
    parts.push(`${START}${name} -->${line}${write(name)}${line}${place.slice(end)}`);
  }
  return parts.join('');
}
