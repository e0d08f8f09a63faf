// The servers in `?server=` and `?stun=`. A link can name any, so those that aren't on the page's own
// host are used only if the visitor agrees.

/** Where this tab remembers the servers that were agreed to. */
const AGREED = 'servers';

/**
 * The server in the address; `undefined` stands for the page's own. It asks first, with a card
 * before that element, and resolves when the visitor agrees. If they don't, the page is loaded
 * without the server.
 */
export async function agreedServer(before) {
  const named = new URLSearchParams(location.search).get('server')?.trim();
  if (!named) return undefined;
  const url = foreign(named);
  // One that is no server's address is refused by the library, which says why.
  if (!url) return named;
  await agreeTo([url.origin], {
    before,
    label: 'Another server',
    title: `Connect to ${url.host}?`,
    text: ['The link names another signaling server than that of this page: ', url.href, '. It would learn your IP address, your name, and all that you write here.'],
    yes: `Connect to ${url.host}`,
    no: 'Use the server of this page',
    parameter: 'server',
  });
  return url.href;
}

/**
 * The ICE servers in `?stun=`. None by default, because they learn the visitors' addresses. It asks
 * as `agreedServer` does.
 */
export async function agreedIceServers(before) {
  const urls = new URLSearchParams(location.search).getAll('stun').filter(Boolean);
  const others = urls.filter((url) => !isOwnStun(url));
  await agreeTo(others, {
    before,
    label: 'A STUN server',
    title: 'Use the STUN server of the link?',
    text: ['The link names a server that helps calls between different networks: ', others.join(' '), '. It would learn your IP address when you start a call.'],
    yes: 'Use it',
    no: 'Go on without it',
    parameter: 'stun',
  });
  return urls.length === 0 ? [] : [{ urls }];
}

/** Whether it is on the page's own host. */
function isOwnStun(url) {
  const [, host] = /^stuns?:(\[[\da-f:.]+\]|[^\s:/?#@[\]]+)(?::\d+)?$/i.exec(url) ?? [];
  return host?.toLowerCase() === location.hostname;
}

/** The address, if it is that of another server than the page's. */
function foreign(named) {
  let url;
  try {
    url = new URL(named, document.baseURI);
  } catch {
    return undefined;
  }
  const isOwn = url.origin.replace(/^ws/, 'http') === location.origin;
  return /^(wss?|https?):$/.test(url.protocol) && !isOwn ? url : undefined;
}

/**
 * Asks whether these servers may be used, unless the visitor has agreed to all of them. `text` has
 * three parts: the words before the address, the address, and the words after it. If the visitor says
 * no, the page is loaded again without that `parameter`.
 */
async function agreeTo(servers, { before, label, title, text: [start, address, end], yes, no, parameter }) {
  const known = agreed();
  if (servers.every((server) => known.includes(server))) return undefined;
  const card = element('section', 'card ask');
  card.ariaLabel = label;
  // What is new on the page is read aloud, and the next key is for it.
  card.tabIndex = -1;
  const where = element('p');
  where.id = `ask-${parameter}`;
  card.setAttribute('aria-describedby', where.id);
  const shown = address.length > 300 ? `${address.slice(0, 300)}…` : address;
  where.append(start, element('code', '', shown), `${end} Go on only if you trust who gave you the link.`);
  const agree = button('button', yes);
  const decline = button('button primary', no);
  const buttons = element('div', 'row');
  buttons.append(decline, agree);
  card.append(element('h2', '', title), where, buttons);
  before.before(card);
  card.focus();
  document.getElementById('state-word').textContent = 'Not connected';
  decline.addEventListener('click', () => {
    const own = new URL(location.href);
    own.searchParams.delete(parameter);
    location.replace(own);
  });
  return new Promise((done) => {
    agree.addEventListener('click', () => {
      remember(servers);
      card.remove();
      done();
    });
  });
}

function agreed() {
  try {
    return JSON.parse(sessionStorage.getItem(AGREED)) ?? [];
  } catch {
    return [];
  }
}

function remember(servers) {
  try {
    sessionStorage.setItem(AGREED, JSON.stringify([...agreed(), ...servers]));
  } catch {
    // Without storage it asks each time.
  }
}

function element(tag, name = '', text = '') {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function button(name, text) {
  return Object.assign(element('button', name, text), { type: 'button' });
}
