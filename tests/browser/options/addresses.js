// The options that make the address.
//
// What's tested
// * URLs: absolute, relative, `http:` for `ws:`, `URL` objects, fragments; invalid ones; a frame
//   without an address of its own; addresses without their scheme; what relative ones mean
// * the options of the protocols: which each takes, and how they appear in the addresses

import {
  configure,
  equal,
  GREETING_4,
  NEGOTIATED,
  NEGOTIATED_CLASSIC,
  ok,
  refused,
  requests,
  settled,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

export function urls_as_websocket_takes_them() {
  const { host } = location;
  const urls = [
    ['ws://server.test', 'ws://server.test/'],
    ['wss://server.test/a/b?c=d&e', 'wss://server.test/a/b?c=d&e'],
    ['http://server.test/x', 'ws://server.test/x'],
    ['https://server.test:8443', 'wss://server.test:8443/'],
    ['HTTPS://SERVER.test/Path', 'wss://server.test/Path'],
    ['ws://server.test:80/', 'ws://server.test/'],
    ['ws://[::1]:8888/', 'ws://[::1]:8888/'],
    ['ws://bücher.test/', 'ws://xn--bcher-kva.test/'],
    ['ws://me:secret@server.test/', 'ws://me:secret@server.test/'],
    ['  ws://server.test/\n', 'ws://server.test/'],
    ['/', `ws://${host}/`],
    ['', `ws://${host}/`],
    ['room', `ws://${host}/room`],
    ['/a/../b', `ws://${host}/b`],
    ['?room=1', `ws://${host}/?room=1`],
    ['//other.test/y', 'ws://other.test/y'],
    ['null', `ws://${host}/null`],
    // A WebSocket takes no fragment.
    ['ws://server.test/#a', 'ws://server.test/'],
    ['ws://server.test/x?y#a#b', 'ws://server.test/x?y'],
    ['ws://server.test/#', 'ws://server.test/'],
    ['#room', `ws://${host}/`],
    ['ws://server.test/%23', 'ws://server.test/%23'],
    [new URL('wss://server.test/from-url'), 'wss://server.test/from-url'],
    [new URL('https://server.test/from-url#f'), 'wss://server.test/from-url'],
    [location, `ws://${host}/`],
    [undefined, `ws://${host}/`],
  ];
  for (const [url, expected] of urls) {
    const signaling = new Signaling({ url });
    signaling.openSocket({});
    equal(sockets.at(-1).url, expected, String(url));
    signaling.close();
  }
}

export function urls_that_cannot_be() {
  const bad = [
    'ftp://server.test/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:http://x/y',
    'mailto:a@b',
    'wsx://server.test/',
    'about:blank',
    'chrome://gpu',
    'ws://',
    'wss://',
    'https://',
    'ws://server.test:99999/',
    'ws://server.test:port/',
    'ws://[::1/',
    'ws://%zz/',
    '//',
    'http://:80/',
  ];
  for (const url of bad) {
    for (const call of [() => new Signaling({ url }), () => configure({ url })]) {
      refused(call, 'bad-url', 'the option url', `'${url}'`, 'wss://example.org/');
    }
  }
  refused(() => new Signaling({ url: new URL('ftp://server.test/') }), 'bad-url', 'url');
  equal(sockets.length, 0);
}

const withoutScheme = [
  ['127.0.0.1:9000', 'ws://127.0.0.1:9000'],
  ['127.0.0.1', 'ws://127.0.0.1'],
  ['127.1:9000/x', 'ws://127.1:9000/x'],
  ['localhost', 'ws://localhost'],
  ['localhost:8888', 'ws://localhost:8888'],
  [' localhost/room\n', 'ws://localhost/room'],
  ['app.localhost:8888/', 'ws://app.localhost:8888/'],
  ['[::1]:9000/room', 'ws://[::1]:9000/room'],
  ['example.org', 'wss://example.org'],
  ['example.org/x', 'wss://example.org/x'],
  ['example.org:9000/x?token=secret#y', 'wss://example.org:9000/x'],
  ['example.org?token=secret', 'wss://example.org'],
  ['192.168.1.7:9000', 'wss://192.168.1.7:9000'],
  ['[2001:db8::1]/x', 'wss://[2001:db8::1]/x'],
  ['räume.example', 'wss://räume.example'],
  ['myserver:9000/room', 'wss://myserver:9000/room'],
  ['events.php', 'wss://events.php'],
];

export function urls_that_lack_their_scheme() {
  for (const [url, written] of withoutScheme) {
    for (const protocol of ['auto', 'socket.io', 'signalr', 'sse']) {
      const { message } = refused(
        () => new Signaling({ url, protocol }),
        'bad-url',
        'the option url',
        'no scheme',
        `'${written}'`,
        'wss://',
        `'./${written.replace(/^wss?:\/\//, '')}'`,
      );
      ok(!message.includes('secret'), message);
    }
  }
  equal(sockets.length, 0);
}

export function relative_urls_that_are_no_hosts() {
  const { host } = location;
  for (const [url, expected] of [
    ['room', `ws://${host}/room`],
    ['a/b', `ws://${host}/a/b`],
    ['./example.org/x', `ws://${host}/example.org/x`],
    ['./events.php', `ws://${host}/events.php`],
    ['../x', `ws://${host}/x`],
    ['.well-known/x', `ws://${host}/.well-known/x`],
    ['/example.org', `ws://${host}/example.org`],
    ['/localhost:8888', `ws://${host}/localhost:8888`],
    ['?a.b', `ws://${host}/?a.b`],
    ['v1.2/room', `ws://${host}/v1.2/room`],
    ['2024.11.26/room', `ws://${host}/2024.11.26/room`],
    ['my room.x y', `ws://${host}/my%20room.x%20y`],
    ['me@example.org/x', `ws://${host}/me@example.org/x`],
  ]) {
    const signaling = new Signaling({ url });
    signaling.openSocket({});
    equal(sockets.at(-1).url, expected, url);
    signaling.close();
  }
}

export function relative_urls_are_relative_to_the_base() {
  const base = document.createElement('base');
  base.href = 'https://server.test/app/index.html';
  document.head.prepend(base);
  try {
    for (const [url, expected] of [
      ['/', 'wss://server.test/'],
      ['/x', 'wss://server.test/x'],
      ['x', 'wss://server.test/app/x'],
      ['./x', 'wss://server.test/app/x'],
      ['../x?y', 'wss://server.test/x?y'],
      ['//other.test/y', 'wss://other.test/y'],
      // The default is the page's own origin.
      [undefined, `ws://${location.host}/`],
    ]) {
      const signaling = new Signaling({ url });
      signaling.openSocket({});
      equal(sockets.at(-1).url, expected, String(url));
      signaling.close();
    }
  } finally {
    base.remove();
  }
}

export async function a_blank_frame_has_the_address_of_its_page() {
  const iframe = document.createElement('iframe');
  document.body.append(iframe);
  try {
    equal(iframe.contentWindow?.location.href, 'about:blank');
    // The module inside a frame whose page has no origin.
    const module = await untyped(iframe.contentWindow).eval(
      `import('${location.origin}/wasm-bindgen-test.js')`,
    );
    await module.default(`${location.origin}/wasm-bindgen-test_bg.wasm`);
    for (const url of [undefined, '/', 'x', '?y']) {
      equal(new module.Signaling({ url }).state, 'idle');
    }
    const error = thrownBy(() => new module.Signaling({ url: 'example.org' }));
    equal([error.name, error.code], ['TypeError', 'bad-url']);
  } finally {
    iframe.remove();
  }
}

export async function the_addresses_that_come_of_them() {
  const { host } = location;
  const EIO = 'EIO=4&transport=websocket';
  const io = (options, expected) => [
    { protocol: 'socket.io', url: 'https://server.test/', ...options },
    `${expected}${EIO}`,
  ];
  const hub = (options, ...expected) => [
    { protocol: 'signalr', url: 'https://server.test/hub', ...options },
    ...expected,
  ];
  const classic = (options, ...expected) => [
    { protocol: 'signalr-classic', url: 'https://server.test/signalr', ...options },
    ...expected,
  ];
  const negotiate = 'negotiate?negotiateVersion=1';
  const hubs = (name) => same(encodeURIComponent(JSON.stringify([{ name }])));
  const same = (text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const cases = [
    io({}, 'wss://server.test/socket.io/?'),
    io({ url: undefined }, `ws://${host}/socket.io/?`),
    io({ url: 'http://server.test:8888/deep/er' }, 'ws://server.test:8888/socket.io/?'),
    // A path without the first slash goes on from the one in url.
    io(
      { url: 'https://server.test/app/', path: 'socket.io/' },
      'wss://server.test/app/socket.io/?',
    ),
    io({ url: 'https://server.test/app/page', path: 'sio' }, 'wss://server.test/app/sio/?'),
    io({ url: 'https://server.test/app/', path: '/own/' }, 'wss://server.test/own/?'),
    io({ url: 'https://server.test/?a', path: '/own/?b#c' }, 'wss://server.test/own/?a&'),
    io({ path: '/with space/é' }, 'wss://server.test/with%20space/%C3%A9/?'),
    io({ url: 'https://server.test/?room=1&x' }, 'wss://server.test/socket.io/?room=1&x&'),
    io({ url: new URL('https://server.test/#f') }, 'wss://server.test/socket.io/?'),
    io(
      { query: { 'a': 'b', 'n': 1.5, 'yes': true, 'é&=': '&=+ ?/#%"' } },
      'wss://server.test/socket.io/?a=b&n=1.5&yes=true&%c3%a9%26%3d=%26%3d%2b%20%3f%2f%23%25%22&',
    ),
    io(
      { url: 'https://server.test/?room=1', query: { a: 'b' } },
      'wss://server.test/socket.io/?room=1&a=b&',
    ),
    io({ query: {} }, 'wss://server.test/socket.io/?'),
    // `auth` is sent on connecting to the namespace.
    io({ auth: { token: 't' } }, 'wss://server.test/socket.io/?'),
    hub({}, `https://server.test/hub/${negotiate}`),
    hub({ url: 'ws://server.test/hub/' }, `http://server.test/hub/${negotiate}`),
    hub({ url: 'https://server.test' }, `https://server.test/${negotiate}`),
    hub(
      { url: 'https://server.test/hub?room=1' },
      'https://server.test/hub/negotiate?room=1&negotiateVersion=1',
    ),
    hub(
      { url: 'https://server.test/hub?room=1', query: { a: '&' } },
      'https://server.test/hub/negotiate?room=1&a=%26&negotiateVersion=1',
    ),
    hub({ skipNegotiation: true }, null, 'wss://server.test/hub'),
    hub(
      { skipNegotiation: true, accessToken: 'to/k en' },
      null,
      'wss://server.test/hub?access_token=to%2fk%20en',
    ),
    hub(
      { query: { a: 'b' } },
      `https://server.test/hub/negotiate?a=b&negotiateVersion=1`,
      'wss://server.test/hub?a=b&id=to%2fk%2ben%3d',
    ),
    hub(
      { accessToken: 'to/k en' },
      `https://server.test/hub/${negotiate}`,
      'wss://server.test/hub?id=to%2fk%2ben%3d&access_token=to%2fk%20en',
    ),
    classic(
      {},
      `https://server.test/signalr/negotiate?clientProtocol=2.1&connectionData=${hubs('webRtcHub3')}`,
      `wss://server.test/signalr/connect?clientProtocol=2.1&transport=webSockets&connectionData=${hubs('webRtcHub3')}&connectionToken=to%2fk%2ben%3d`,
    ),
    classic(
      { url: 'http://server.test/signalr/', hub: 'Chat"', query: { a: 'b' } },
      `http://server.test/signalr/negotiate?a=b&clientProtocol=2.1&connectionData=${hubs('Chat"')}`,
      `ws://server.test/signalr/connect?a=b&clientProtocol=2.1&transport=webSockets&connectionData=${hubs('Chat"')}&connectionToken=to%2fk%2ben%3d`,
    ),
  ];
  for (const [options, first, second] of cases) {
    sockets.length = requests.length = 0;
    const signaling = new Signaling(options);
    signaling.openSocket({});
    await settled();
    const what = JSON.stringify(options);
    if (options.protocol === 'socket.io') {
      equal(same(sockets[0].url), same(first), what);
    } else {
      if (first === null) equal(requests.length, 0, what);
      else equal(same(requests[0].url), same(first), what);
      if (first !== null && second !== undefined) {
        requests[0].answer(options.protocol === 'signalr' ? NEGOTIATED : NEGOTIATED_CLASSIC);
        await settled();
      }
      equal(
        sockets.map(({ url }) => url),
        second === undefined ? [] : [second],
        what,
      );
    }
    signaling.close();
  }
}

export function the_namespace_that_comes_of_them() {
  // As with Socket.IO's own client: the address names server and namespace; the path is separate.
  /** @type {[object, string][]} */
  const cases = [
    [{ url: 'https://server.test' }, '40'],
    [{ url: 'https://server.test/?room=1' }, '40'],
    [{ url: 'https://server.test/chat?room=1' }, '40/chat,'],
    [{ url: 'https://server.test/chat', path: '/own/' }, '40/chat,'],
    [{ url: 'https://server.test/chat', namespace: '/other' }, '40/other,'],
    [{ url: 'https://server.test', namespace: 'other' }, '40/other,'],
    [{ url: 'https://server.test', namespace: '/' }, '40'],
    [{ url: 'https://server.test/app/', path: 'socket.io/' }, '40'],
    [{ url: 'https://server.test/app/', path: 'socket.io/', namespace: '/chat' }, '40/chat,'],
  ];
  for (const [options, expected] of cases) {
    const signaling = new Signaling({ protocol: 'socket.io', ...options });
    signaling.openSocket({});
    const socket = sockets.at(-1).accept();
    socket.deliver(GREETING_4);
    equal(socket.frames, [expected], JSON.stringify(options));
    signaling.close();
  }
}

export function paths_that_cannot_be() {
  // A path that would lead to another server, or nowhere, is refused.
  for (const path of ['//', 'http://[', 'https://other.test/socket.io/', 'data:text/html,x']) {
    refused(
      () => new Signaling({ protocol: 'socket.io', url: 'https://server.test/', path }),
      'bad-option',
      'path',
      `'${path}'`,
    );
  }
}
