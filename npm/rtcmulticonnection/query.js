// The query that RTCMultiConnection 3 puts into the address for `io`. It encodes nothing.

const EXTRA = '&extra=';

/**
 * The parameters of an address like `/?userid=a&extra={"b":"c&d"}&more=e`.
 *
 * @param {unknown} address
 * @returns {{ parameters: Map<string, string>, extra: unknown }}
 */
export function readQuery(address) {
  const text = String(address ?? '');
  const start = text.indexOf('?');
  const query = start < 0 ? '' : text.slice(start + 1);
  const at = `&${query}`.indexOf(EXTRA);
  if (at < 0) return { parameters: parametersOf(query), extra: {} };
  const rest = `&${query}`.slice(at + EXTRA.length);
  const end = endOfJson(rest);
  return {
    parameters: parametersOf(query.slice(0, Math.max(0, at - 1)) + rest.slice(end)),
    extra: parsed(rest.slice(0, end)),
  };
}

/** @param {string} query */
function parametersOf(query) {
  const parameters = new Map();
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    if (equals > 0) parameters.set(decoded(part.slice(0, equals)), decoded(part.slice(equals + 1)));
  }
  return parameters;
}

/**
 * Where the JSON object at the start of a text ends. What isn't an object ends at the next `&`.
 *
 * @param {string} text
 */
function endOfJson(text) {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === '&' && depth <= 0) return at;
  }
  return text.length;
}

/** @param {string} json */
function parsed(json) {
  for (const text of [json, decoded(json)]) {
    try {
      return JSON.parse(text);
    } catch {
      // Encoded by the page, or no JSON at all.
    }
  }
  return {};
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The query of a page, encoded, for our relay.
 *
 * @param {import('./types.js').Profile} profile
 * @param {string | undefined} group
 */
export function queryOf({ user, extra, messageEvent, customEvent, autoClose, max, relays }, group) {
  return new URLSearchParams({
    userid: user,
    msgEvent: messageEvent,
    socketCustomEvent: customEvent,
    autoCloseEntireSession: String(autoClose),
    maxParticipantsAllowed: String(max),
    ...(relays && { enableScalableBroadcast: 'true', maxRelayLimitPerUser: String(relays) }),
    extra: JSON.stringify(extra ?? {}),
    ...(group !== undefined && { group }),
  }).toString();
}
