// Reads frames for the inspector: finds the envelope in a frame of each protocol, and formats the
// frame.

// Longer frames aren't parsed, so they are shown without indentation.
const PARSED_CHARACTERS = 200_000;
const SHOWN_CHARACTERS = 4_000;

/** The end of each SignalR record. */
const END = '\x1e';

/**
 * Socket.IO: the prefix before the JSON (packet types, namespace, number of an acknowledgement).
 */
const EVENT = /^(0|4\d(?:\d+-)?(?:\/[^,]*,)?\d*)([[{].*)$/s;

/** A summary of the frame: `{ channel, text }`. */
export function describe(frame) {
  const parts = parse(frame);
  const envelope = parts?.values.map(find).find(Boolean);
  if (!envelope) return { channel: '', text: frame.slice(0, 200).replaceAll(END, '␞') };
  const { channel, message } = envelope;
  return { channel: channel === undefined ? '' : String(channel), text: summary(message) };
}

/** The frame indented, and shortened if it is long. */
export function pretty(frame) {
  const parts = parse(frame);
  const text = parts ? parts.prefix + parts.values.map((value) => JSON.stringify(value, null, 2)).join(`${parts.end}\n`) + parts.end : frame;
  const left = text.length - SHOWN_CHARACTERS;
  return left > 0 ? `${text.slice(0, SHOWN_CHARACTERS)}\n… and ${left.toLocaleString()} more characters` : text;
}

/**
 * The JSON values of a frame with its prefix and end, or `undefined` if it isn't built like that.
 */
function parse(frame) {
  if (frame.length > PARSED_CHARACTERS) return undefined;
  const [, prefix = '', json = frame] = EVENT.exec(frame) ?? [];
  const records = json.endsWith(END) ? json.slice(0, -1).split(END) : [json];
  try {
    const values = records.map((record) => JSON.parse(record));
    return values.every((value) => value !== null && typeof value === 'object') ? { prefix, values, end: json.endsWith(END) ? '␞' : '' } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The first envelope in a value: itself, the argument of an event, or the string argument of a
 * hub's method.
 */
function find(value, depth = 0) {
  if (typeof value === 'string' && value.startsWith('{')) {
    try {
      value = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  if (value === null || typeof value !== 'object' || depth > 4) return undefined;
  if ('message' in value && 'channel' in value) return value;
  const inside = Array.isArray(value) ? value : [value.arguments, value.A, value.M];
  for (const part of inside) {
    const found = find(part, depth + 1);
    if (found) return found;
  }
  return undefined;
}

function summary(message) {
  if (message === null || typeof message !== 'object') return JSON.stringify(message) ?? '';
  // What the pages of a room send each other: `hello`, `beat`, `message` …
  if (message.v === 1 && typeof message.kind === 'string') return [message.topic ?? message.kind, content(message)].filter(Boolean).join(' ');
  return JSON.stringify(message).slice(0, 200);
}

function content({ message, data }) {
  const { text, number, description, candidate, in: entered, out } = Object(message);
  if (description) return String(description.type);
  if (candidate !== undefined) return candidate === null ? 'end of candidates' : `candidate ${candidate.candidate ?? ''}`;
  if (entered !== undefined || out !== undefined) return entered === undefined ? 'left' : 'entered';
  return String(text ?? number ?? data?.name ?? '').slice(0, 200);
}
