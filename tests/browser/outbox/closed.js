// `closed`: the promise of a signaling's end, with the reason and the code, once, whichever way it
// ended; without a listener, and asked late.

import {
  configure,
  connected,
  equal,
  GREETING_4,
  nextSocket,
  ok,
  refuse,
  reported,
  settled,
  Signaling,
  sockets,
  thrownBy,
  untyped,
} from '../support/index.js';

export async function closed_says_why() {
  const ends = {
    'closed by the page': [(signaling) => signaling.close(), undefined],
    'out of service': [() => sockets.at(-1).end(4500, 'out of service'), 4500],
    'for ever': [() => sockets.at(-1).end(3500, 'for ever'), 3500],
  };
  for (const [says, [end, code]] of Object.entries(ends)) {
    const told = [];
    const { signaling } = connected({
      onstatechange: (state, detail) => told.push([state, detail]),
    });
    const { closed } = signaling;
    ok(closed instanceof Promise && signaling.closed === closed, 'one promise');
    let value;
    closed.then((detail) => {
      value = detail;
    });
    sockets.at(-1).end(1001);
    nextSocket().accept();
    await settled();
    equal(value, undefined, 'a loss is no end');
    untyped(end)(signaling);
    equal(value, undefined, 'not before the call returns');
    await settled();
    ok(value.reason.includes(says), value.reason);
    equal([value.code, told.at(-1)], [code, ['closed', value]]);
    equal(Object.keys(value), code === undefined ? ['reason'] : ['reason', 'code']);
    // A late caller gets the same.
    equal(await signaling.closed, value);
    signaling.close();
    equal(await signaling.closed, value);
  }
}

export async function closed_whichever_way_it_ends() {
  const unused = new Signaling({ url: 'ws://server.test/' });
  unused.close();
  equal(await unused.closed, { reason: 'closed by the page' });
  const never = new Signaling({ url: 'ws://server.test/', reconnect: false });
  never.openSocket({});
  sockets.at(-1).end(1006);
  equal((await never.closed).code, 1006);
  const blocked = new Signaling({ url: 'ws://server.test:25/' });
  refuse(new DOMException('the port 25 is blocked', 'SecurityError'));
  thrownBy(() => blocked.openSocket({}));
  ok((await blocked.closed).reason.includes('the port 25 is blocked'), 'why');
  const denied = new Signaling({ url: 'https://server.test/', protocol: 'socket.io' });
  denied.openSocket({});
  sockets.at(-1).accept().deliver(GREETING_4, '44{"message":"not you"}');
  ok((await denied.closed).reason.includes('not you'), 'why');
  // Handlers that throw or close don't keep the promise from resolving.
  const throwing = connected({
    onstatechange(state) {
      if (state === 'closed') throw new Error('mine');
    },
    onerror() {
      throwing.signaling.close();
    },
  });
  sockets.at(-1).end(4500, 'gone');
  equal((await throwing.signaling.closed).code, 4500);
  equal(
    reported().map(({ message }) => message),
    ['mine'],
  );
  // `using`, where the browser has it, and the default signaling.
  const configured = configure({ url: 'ws://server.test/' });
  configured[Symbol.dispose ?? 'close']();
  equal(await configured.closed, { reason: 'closed by the page' });
  // A `closed` that the page defines is the page's.
  const own = new Signaling({ url: 'ws://server.test/' });
  untyped(own).closed = 5;
  own.close();
  equal([own.closed, own.state], [5, 'closed']);
}
