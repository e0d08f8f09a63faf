// What options say, to see whether those of this rendering say the same as those of the last.

/**
 * The content of a value as a text. All functions have the same, because components make new ones
 * each time. Members that are `undefined` don't count, nor does the order of members.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function contentOf(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'function';
  if (typeof value !== 'object' || value === null) return String(value);
  // A URL, or a Date.
  if ('toJSON' in value && typeof value.toJSON === 'function') return contentOf(value.toJSON());
  if (Array.isArray(value)) return `[${value.map(contentOf).join()}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${contentOf(member)}`).sort().join()}}`;
}
