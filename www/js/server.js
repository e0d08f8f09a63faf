// The signaling server in `?server=`. A link can name any, so one that isn't the page's own is used
// only if the visitor agrees.

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
  if (!agreed().includes(url.origin)) await ask(url, before);
  return url.href;
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

function ask(url, before) {
  const card = element('section', 'card ask');
  card.ariaLabel = 'Another server';
  const where = element('p');
  const address = url.href.length > 300 ? `${url.href.slice(0, 300)}…` : url.href;
  where.append('The link names another signaling server than that of this page: ', element('code', '', address), '. It would learn your IP address, your name, and all that you write here. Go on only if you trust who gave you the link.');
  const agree = button('button', `Connect to ${url.host}`);
  const decline = button('button primary', 'Use the server of this page');
  const buttons = element('div', 'row');
  buttons.append(decline, agree);
  card.append(element('h2', '', `Connect to ${url.host}?`), where, buttons);
  before.before(card);
  document.getElementById('state-word').textContent = 'Not connected';
  decline.addEventListener('click', () => {
    const own = new URL(location.href);
    own.searchParams.delete('server');
    location.replace(own);
  });
  return new Promise((done) => {
    agree.addEventListener('click', () => {
      remember(url.origin);
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

function remember(server) {
  try {
    sessionStorage.setItem(AGREED, JSON.stringify([...agreed(), server]));
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
