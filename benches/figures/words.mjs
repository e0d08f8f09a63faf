// How figures are written: numbers, lists, tables, sentences about goals.

/** 1234567 → '1,234,567', with so many digits behind the point. */
export function number(value, digits = 0) {
  if (!Number.isFinite(value)) throw new Error(`${value} is no figure: what it is made of isn't recorded`);
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Two significant digits: 0.034, 1.2, 15, 1,200. */
export function rounded(value) {
  return Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 20 });
}

/** '1.0 to 2.5', or '1.0' if the least and the most are written alike. */
export function range(values, digits = 0) {
  const ends = [Math.min(...values), Math.max(...values)].map((value) => number(value, digits));
  return [...new Set(ends)].join(' to ');
}

/** 'a, b and c'. */
export function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** A table; `rows` are lists of cells, the first of which names the row. */
export function table(columns, rows) {
  const line = (cells) => `${cells.map((cell) => (cell === '' ? '| ' : `| ${cell} `)).join('')}|`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Lines of at most 100 columns, as all documents have them. */
export function paragraph(text) {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length > 100) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join('\n');
}

/** Which goals, `{ text, reached }`, are reached. */
export function verdict(goals) {
  const [reached, missed] = [true, false].map((wanted) => goals.filter((goal) => goal.reached === wanted).map(({ text }) => text));
  const are = (texts, not) => (texts.length === 1 ? `is${not}` : `are${not}`);
  const ours = (texts) => `Our ${texts.length === 1 ? 'goal' : 'goals'} of ${list(texts)}`;
  if (missed.length === 0) return `${ours(reached)} ${are(reached, '')} reached.`;
  if (reached.length === 0) return `${ours(missed)} ${are(missed, "n't")} reached.`;
  return `${ours(missed)} ${are(missed, "n't")} reached; ${reached.length === 1 ? 'that' : 'those'} of ${list(reached)} ${are(reached, '')}.`;
}
