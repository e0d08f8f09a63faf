//! The options of `configure` and `new Signaling`: what each may be, and what a page is told when it isn't that.
//!
//! What's tested
//! * each option with values of the wrong type and out of range: a `TypeError` with a `code`, which names the option and shows the value
//! * unknown options, nested ones among them; options that are no object; getters that throw
//! * the options of the protocols: what each takes, what it does not, and what of them the addresses hold
//! * URLs: absolute, relative, `http:` for `ws:`, `URL` objects, fragments; those that can't be; a page that has no origin
//! * the bounds of each range, and what the options do at them
//! * a browser without random numbers, of which each signaling takes some

use super::page::{Verdict, page, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn wrong_values_are_named_and_shown() -> Verdict {
    page(
        r#"
        const others = [['text', "'text'"], ['', "''"], [null, 'null'], [true, 'true'], [false, 'false'], [{}, 'an object'], [[], 'an object'], [[5], 'an object'], [() => 5, 'a function'], [Symbol('s'), 'Symbol(s)'], [5n, '5'], [new Date(0), 'an object']];
        const numbers = [[0, '0'], [-1, '-1'], [0.5, '0.5'], [NaN, 'NaN'], [Infinity, 'Infinity'], [-Infinity, '-Infinity'], [2 ** 31, '2147483648'], [1e300, '1e+300'], [5, '5']];
        const all = [...others, ...numbers];
        const but = (...right) => all.filter(([value]) => !right.some((one) => Object.is(one, value)));
        const wrong = {
            url: all.filter(([value]) => typeof value !== 'string' && typeof value !== 'function'),
            protocol: all,
            channel: but('text', '', null),
            openDelay: but(0, 0.5, 5),
            openWhen: all,
            maxMessage: but(5),
            outbox: all.filter(([, shown]) => shown !== 'an object').concat([[[], 'an object']]),
            'outbox.messages': but(5),
            'outbox.bytes': but(5),
            reconnect: all.filter(([value, shown]) => shown !== 'an object' && value !== false).concat([[[], 'an object']]),
            'reconnect.base': but(5),
            'reconnect.cap': but(5),
            'reconnect.attempts': but(0, 0.5, 5, Infinity, 2 ** 31, 1e300),
            transport: all,
            path: but('text'),
            namespace: but('text'),
            event: but('text'),
            target: but('text'),
            method: but('text'),
            hub: but('text'),
            auth: all.filter(([, shown]) => !['an object', 'a function'].includes(shown)),
            query: all.filter(([, shown]) => shown !== 'an object'),
            accessToken: all.filter(([value]) => !['string', 'function'].includes(typeof value)),
            skipNegotiation: but(true, false),
            onstatechange: all.filter(([value]) => value !== null && typeof value !== 'function'),
            ongap: all.filter(([value]) => value !== null && typeof value !== 'function'),
            onerror: all.filter(([value]) => value !== null && typeof value !== 'function'),
            onframe: all.filter(([value]) => value !== null && typeof value !== 'function'),
        };
        for (const [name, values] of Object.entries(wrong)) {
            const [outer, inner] = name.split('.');
            for (const [value, shown] of values) {
                const options = { url: 'ws://server.test/', [outer]: inner ? { [inner]: value } : value };
                for (const call of [() => new Signaling(options), () => configure(options)]) {
                    refused(call, 'bad-option', `the option ${name} is ${shown}; it must be`);
                }
            }
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn the_sentence_says_what_it_must_be() -> Verdict {
    page(
        r#"
        const says = (options, ...parts) => refused(() => new Signaling(options), 'bad-option', ...parts);
        says({ protocol: 'carrier-pigeon' }, "'carrier-pigeon'", "'websocket'");
        says({ openWhen: 'soon' }, "'timer' or 'connected'");
        says({ openDelay: -5 }, 'a number from 0 to 2147483647');
        says({ maxMessage: 1.5 }, 'a whole number from 1 to 2147483647');
        says({ reconnect: { attempts: -1 } }, 'a number from 0 to Infinity');
        says({ outbox: 5 }, 'an object');
        says({ onerror: 'x' }, 'a function, or null');
        says({ channel: 5 }, 'a string, or null');
        says({ protocol: 'socketio' }, "'auto' or 'relay' or 'websocket' or 'socket.io' or 'signalr' or 'signalr-classic'");
        for (const name of ['path', 'namespace', 'event', 'target', 'method', 'hub']) says({ [name]: '' }, name, "a string that isn't empty");
        says({ auth: 'token' }, "auth is 'token'", 'an object, or a function that gives it');
        says({ accessToken: { token: 1 } }, 'accessToken is an object', 'a string, or a function that gives it');
        says({ skipNegotiation: 'yes' }, 'true or false');
        says({ query: 'a=b' }, "query is 'a=b'", 'an object');
        says({ transport: {} }, 'an object with a function send(text)');
        says({ transport: { send: 'text' } }, 'an object with a function send(text)');
        says({ url: 5 }, 'a string or a URL');
        // A long value is cut, so that the sentence can be read.
        ok(says({ protocol: 'p'.repeat(100_000) }, "'ppp", '…').message.length < 300, 'the value is cut');
        "#,
    )
}

#[wasm_bindgen_test]
fn undefined_is_the_default() -> Verdict {
    page(
        r#"
        const names = ['url', 'protocol', 'transport', 'path', 'namespace', 'event', 'auth', 'query', 'target', 'method', 'accessToken', 'skipNegotiation', 'hub', 'channel', 'openDelay', 'openWhen', 'maxMessage', 'outbox', 'reconnect', 'onstatechange', 'ongap', 'onerror', 'onframe'];
        const none = (names) => Object.fromEntries(names.map((name) => [name, undefined]));
        for (const options of [undefined, {}, none(names), { outbox: none(['messages', 'bytes']), reconnect: none(['base', 'cap', 'attempts']) }, Object.freeze({ onerror: null, onframe: null, onstatechange: null }), Object.create(null)]) {
            const signaling = new Signaling(options);
            equal(signaling.openSocket({}).channel, 'main-channel');
            equal(sockets.at(-1).url, `ws://${location.host}/`);
            equal(clock.next, 1000);
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn unknown_options_are_named_and_the_known_ones_listed() -> Verdict {
    page(
        r#"
        const unknown = (options, name) => {
            for (const call of [() => new Signaling(options), () => configure(options)]) {
                refused(call, 'unknown-option', `'${name}'`, 'url', 'protocol', 'transport', 'accessToken', 'openDelay', 'outbox.messages', 'reconnect.attempts', 'onstatechange');
            }
        };
        for (const name of ['uri', 'URL', 'Url', 'onmessage', 'open', '', ' url', 'toString', 'constructor', 'transports', '5']) {
            unknown({ [name]: 1 }, name);
            unknown({ [name]: undefined }, name);
        }
        unknown(JSON.parse('{"__proto__":{"url":"ws://x/"}}'), '__proto__');
        unknown({ outbox: { size: 1 } }, 'outbox.size');
        unknown({ outbox: { messages: 1, url: 'x' } }, 'outbox.url');
        unknown({ reconnect: { delay: 1 } }, 'reconnect.delay');
        unknown({ reconnect: { outbox: {} } }, 'reconnect.outbox');
        unknown({ 'outbox.messages': 5 }, 'outbox.messages');
        "#,
    )
}

#[wasm_bindgen_test]
fn the_options_must_be_an_object() -> Verdict {
    page(
        r#"
        for (const [options, shown] of [[null, 'null'], ['ws://server.test/', "'ws://server.test/'"], [5, '5'], [true, 'true'], [[], 'an object'], [() => 1, 'a function'], [Symbol('s'), 'Symbol(s)'], [1n, '1']]) {
            for (const call of [() => new Signaling(options), () => configure(options)]) {
                refused(call, 'bad-option', `the options are ${shown}`, 'an object');
            }
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn what_a_getter_throws_is_the_pages_own() -> Verdict {
    page(
        r#"
        const own = new RangeError('mine');
        const throwing = (name) => ({ get [name]() { throw own; } });
        for (const name of ['url', 'protocol', 'transport', 'path', 'auth', 'query', 'accessToken', 'channel', 'openDelay', 'outbox', 'reconnect', 'onerror']) {
            equal(thrownBy(() => new Signaling(throwing(name))), own);
            equal(thrownBy(() => configure(throwing(name))), own);
        }
        equal(thrownBy(() => new Signaling({ outbox: throwing('bytes') })), own);
        equal(thrownBy(() => new Signaling({ reconnect: throwing('cap') })), own);
        equal(thrownBy(() => new Signaling({ url: throwing('href') })), own);
        equal(thrownBy(() => new Signaling({ query: throwing('a') })), own);
        equal(new Signaling({ get url() { return 'ws://got.test/'; } }).state, 'idle');
        "#,
    )
}

#[wasm_bindgen_test]
fn urls_as_websocket_takes_them() -> Verdict {
    page(
        r#"
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
        "#,
    )
}

#[wasm_bindgen_test]
fn urls_that_cannot_be() -> Verdict {
    page(
        r#"
        const bad = ['ftp://server.test/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/html,x', 'blob:http://x/y', 'mailto:a@b', 'wsx://server.test/', 'about:blank', 'chrome://gpu',
            'ws://', 'wss://', 'https://', 'ws://server.test:99999/', 'ws://server.test:port/', 'ws://[::1/', 'ws://%zz/', '//', 'http://:80/'];
        for (const url of bad) {
            for (const call of [() => new Signaling({ url }), () => configure({ url })]) {
                refused(call, 'bad-url', 'the option url', `'${url}'`, 'wss://example.org/');
            }
        }
        refused(() => new Signaling({ url: new URL('ftp://server.test/') }), 'bad-url', 'url');
        equal(sockets.length, 0);
        "#,
    )
}

#[wasm_bindgen_test]
async fn a_page_without_an_origin_is_told_to_name_the_server() -> Verdict {
    page_awaiting(
        r#"
        const iframe = document.createElement('iframe');
        document.body.append(iframe);
        try {
            equal(iframe.contentWindow.location.href, 'about:blank');
            // Functions of the frame's own: its own module, in a page that came from nowhere.
            const module = await iframe.contentWindow.eval(`import('${location.origin}/wasm-bindgen-test.js')`);
            await module.default(`${location.origin}/wasm-bindgen-test_bg.wasm`);
            for (const call of [() => new module.Signaling(), () => module.configure(), () => module.openSocket({}), () => new module.Signaling({ url: '/' })]) {
                const error = thrownBy(call);
                equal([error.name, error.code], ['TypeError', 'bad-url']);
            }
            const { message } = thrownBy(() => module.openSocket({}));
            ok(['url', "'about:blank'", "configure({ url: 'wss://example.org/' })"].every((part) => message.includes(part)), message);
            equal(new module.Signaling({ url: 'ws://server.test/' }).state, 'idle');
        } finally {
            iframe.remove();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn the_ends_of_each_range_are_taken() -> Verdict {
    page(
        r#"
        const most = 2 ** 31 - 1;
        const taken = [{ openDelay: 0 }, { openDelay: 0.25 }, { openDelay: most }, { maxMessage: 1 }, { maxMessage: most }, { outbox: { messages: 1, bytes: 1 } }, { outbox: { messages: most, bytes: most } },
            { reconnect: { base: 1, cap: 1, attempts: 0 } }, { reconnect: { base: most, cap: most, attempts: Infinity } }, { reconnect: false }, { reconnect: {} }, { outbox: {} }, { channel: null }, { channel: 'c' },
            { openWhen: 'timer' }, { openWhen: 'connected' }, { protocol: 'websocket' }, { protocol: 'socket.io' }, { protocol: 'signalr' }, { protocol: 'signalr-classic' },
            { path: 'x' }, { namespace: '/x' }, { event: '"' }, { auth: {} }, { auth: () => 1 }, { query: {} }, { target: 'x' }, { method: 'x' }, { accessToken: '' }, { accessToken: () => 1 },
            { skipNegotiation: true }, { skipNegotiation: false }, { hub: 'x' }, { transport: { send() {} } }];
        for (const options of taken) {
            equal(new Signaling({ url: 'ws://server.test/', ...options }).state, 'idle');
        }
        "#,
    )
}

#[wasm_bindgen_test]
async fn the_addresses_that_come_of_them() -> Verdict {
    page_awaiting(
        r#"
        const { host } = location;
        const EIO = 'EIO=4&transport=websocket';
        const io = (options, expected) => [{ protocol: 'socket.io', url: 'https://server.test/', ...options }, `${expected}${EIO}`];
        const hub = (options, ...expected) => [{ protocol: 'signalr', url: 'https://server.test/hub', ...options }, ...expected];
        const classic = (options, ...expected) => [{ protocol: 'signalr-classic', url: 'https://server.test/signalr', ...options }, ...expected];
        const negotiate = 'negotiate?negotiateVersion=1';
        const hubs = (name) => same(encodeURIComponent(JSON.stringify([{ name }])));
        const same = (text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
        const cases = [
            io({}, 'wss://server.test/socket.io/?'),
            io({ url: undefined }, `ws://${host}/socket.io/?`),
            io({ url: 'http://server.test:8888/deep/er' }, 'ws://server.test:8888/socket.io/?'),
            // A path without the first slash goes on from the one in url.
            io({ url: 'https://server.test/app/', path: 'socket.io/' }, 'wss://server.test/app/socket.io/?'),
            io({ url: 'https://server.test/app/page', path: 'sio' }, 'wss://server.test/app/sio?'),
            io({ url: 'https://server.test/app/', path: '/own/' }, 'wss://server.test/own/?'),
            io({ url: 'https://server.test/?a', path: '/own/?b#c' }, 'wss://server.test/own/?a&'),
            io({ path: '/with space/é' }, 'wss://server.test/with%20space/%C3%A9?'),
            io({ url: 'https://server.test/?room=1&x' }, 'wss://server.test/socket.io/?room=1&x&'),
            io({ url: new URL('https://server.test/#f') }, 'wss://server.test/socket.io/?'),
            io({ query: { a: 'b', n: 1.5, yes: true, 'é&=': '&=+ ?/#%"' } }, 'wss://server.test/socket.io/?a=b&n=1.5&yes=true&%c3%a9%26%3d=%26%3d%2b%20%3f%2f%23%25%22&'),
            io({ url: 'https://server.test/?room=1', query: { a: 'b' } }, 'wss://server.test/socket.io/?room=1&a=b&'),
            io({ query: {} }, 'wss://server.test/socket.io/?'),
            // Who says who he is says it when he connects to the namespace.
            io({ auth: { token: 't' } }, 'wss://server.test/socket.io/?'),
            hub({}, `https://server.test/hub/${negotiate}`),
            hub({ url: 'ws://server.test/hub/' }, `http://server.test/hub/${negotiate}`),
            hub({ url: 'https://server.test' }, `https://server.test/${negotiate}`),
            hub({ url: 'https://server.test/hub?room=1' }, 'https://server.test/hub/negotiate?room=1&negotiateVersion=1'),
            hub({ url: 'https://server.test/hub?room=1', query: { a: '&' } }, 'https://server.test/hub/negotiate?room=1&a=%26&negotiateVersion=1'),
            hub({ skipNegotiation: true }, null, 'wss://server.test/hub?'),
            hub({ skipNegotiation: true, accessToken: 'to/k en' }, null, 'wss://server.test/hub?&access_token=to%2fk%20en'),
            hub({ query: { a: 'b' } }, `https://server.test/hub/negotiate?a=b&negotiateVersion=1`, 'wss://server.test/hub?a=b&id=to%2fk%2ben%3d'),
            hub({ accessToken: 'to/k en' }, `https://server.test/hub/${negotiate}`, 'wss://server.test/hub?id=to%2fk%2ben%3d&access_token=to%2fk%20en'),
            classic({}, `https://server.test/signalr/negotiate?clientProtocol=2.1&connectionData=${hubs('webRtcHub3')}`,
                `wss://server.test/signalr/connect?clientProtocol=2.1&transport=webSockets&connectionData=${hubs('webRtcHub3')}&connectionToken=to%2fk%2ben%3d`),
            classic({ url: 'http://server.test/signalr/', hub: 'Chat"', query: { a: 'b' } }, `http://server.test/signalr/negotiate?a=b&clientProtocol=2.1&connectionData=${hubs('Chat"')}`,
                `ws://server.test/signalr/connect?a=b&clientProtocol=2.1&transport=webSockets&connectionData=${hubs('Chat"')}&connectionToken=to%2fk%2ben%3d`),
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
                equal(sockets.map(({ url }) => url), second === undefined ? [] : [second], what);
            }
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn the_namespace_that_comes_of_them() -> Verdict {
    page(
        r#"
        // As with Socket.IO's own client, whose address names server and namespace, and whose path is another matter.
        for (const [options, expected] of [
            [{ url: 'https://server.test' }, '40'],
            [{ url: 'https://server.test/?room=1' }, '40'],
            [{ url: 'https://server.test/chat?room=1' }, '40/chat,'],
            [{ url: 'https://server.test/chat', path: '/own/' }, '40/chat,'],
            [{ url: 'https://server.test/chat', namespace: '/other' }, '40/other,'],
            [{ url: 'https://server.test', namespace: 'other' }, '40/other,'],
            [{ url: 'https://server.test', namespace: '/' }, '40'],
            [{ url: 'https://server.test/app/', path: 'socket.io/' }, '40'],
            [{ url: 'https://server.test/app/', path: 'socket.io/', namespace: '/chat' }, '40/chat,'],
        ]) {
            const signaling = new Signaling({ protocol: 'socket.io', ...options });
            signaling.openSocket({});
            const socket = sockets.at(-1).accept();
            socket.deliver(GREETING_4);
            equal(socket.frames, [expected], JSON.stringify(options));
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn paths_that_cannot_be() -> Verdict {
    page(
        r#"
        // A path that would lead to another server, or nowhere, is no path.
        for (const path of ['//', 'http://[', 'https://other.test/socket.io/', 'data:text/html,x']) {
            refused(() => new Signaling({ protocol: 'socket.io', url: 'https://server.test/', path }), 'bad-option', 'path', `'${path}'`);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn the_longest_delay_is_waited_for() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 2 ** 31 - 1 });
        signaling.openSocket({ channel: 'slow', onopen: notes.taker('slow') });
        sockets[0].accept();
        clock.advance(2 ** 31 - 2);
        equal(notes.take(), []);
        clock.advance(1);
        equal(notes.take(), [['slow']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_timer_that_comes_early_is_set_again() -> Verdict {
    page(
        r#"
        const { notes, config } = noting();
        clock.early = 0.9;
        new Signaling({ url: 'ws://server.test/', openDelay: 10 }).openSocket(config);
        clock.advance(9.9);
        equal(notes.take(), []);
        clock.advance(1.5);
        equal(notes.take(), [['onopen']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn the_options_are_read_once() -> Verdict {
    page(
        r#"
        const options = { url: 'ws://first.test/', channel: 'first', outbox: { messages: 1 } };
        const signaling = new Signaling(options);
        Object.assign(options, { url: 'ws://second.test/', channel: 'second', nonsense: 1 });
        options.outbox.messages = 5;
        const handle = signaling.openSocket({});
        equal([handle.channel, sockets[0].url], ['first', 'ws://first.test/']);
        handle.send(1);
        refused(() => handle.send(2), 'outbox-full');
        "#,
    )
}

#[wasm_bindgen_test]
fn a_browser_that_gives_no_random_numbers() -> Verdict {
    page(
        r#"
        for (const value of [() => { throw new DOMException('no entropy', 'OperationError'); }, undefined]) {
            Object.defineProperty(crypto, 'getRandomValues', { value, configurable: true });
            try {
                for (const call of [() => new Signaling({ url: 'ws://server.test/' }), () => configure({ url: 'ws://server.test/' })]) {
                    refused(call, 'no-randomness', 'crypto.getRandomValues');
                }
            } finally {
                delete crypto.getRandomValues;
            }
        }
        equal(new Signaling({ url: 'ws://server.test/' }).state, 'idle');
        "#,
    )
}
