//! What pages expect of the two functions, rule by rule; the page is a WebRTC library in each of these.
//!
//! What's tested
//! * R1: the config is an object or a bare function; anything else is refused, and so are members that aren't what they should be
//! * R2: the channel is `config.channel`, else `this.channel`, else the default, for every way to hang the functions up
//! * R3: the handle is a plain, extensible, mutable object, at once
//! * R4: its `channel` is the very name
//! * R5: readiness comes once, never before the call returns, as a method of the config, `callback` first
//! * R6: `send` works at once, in order, and reaches an open socket before it returns
//! * R7: delivery as a method, of fresh values; nothing of one's own, nothing for channels that aren't open
//! * R8: the last config of a channel wins; nothing depends on the handle being kept
//! * R9: nothing is written on the connection
//! * R10: the functions may be called from inside every callback, and callbacks may throw
//! * R11: the hooks know their `this`, and `new` works where a page uses it

use super::page::{Verdict, page, page_awaiting, page_in_real_time};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn r1_the_config_is_an_object() -> Verdict {
    page(
        r#"
        const { socket, notes, config } = connected();
        socket.deliver(frame('room', { offer: 1 }));
        equal(notes.calls, [['onmessage', { offer: 1 }]]);
        equal(notes.targets, [config]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r1_the_config_is_a_bare_function() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const meeting = { channel: 'meeting', openSignalingChannel: new Signaling({ url: 'ws://server.test/' }).openSignalingChannel };
        const handle = meeting.openSignalingChannel(notes.taker('onmessage'));
        equal(handle.channel, 'meeting');
        clock.advance(5000);
        handle.send('{"text":1}');
        const socket = sockets[0].accept();
        socket.deliver(frame('meeting', '{"text":2}'));
        equal(notes.calls, [['onmessage', '{"text":2}']]);
        equal(messages(socket), ['{"text":1}']);
        "#,
    )
}

#[wasm_bindgen_test]
fn r1_all_members_are_optional_and_the_config_is_only_read() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        for (const config of [{}, { channel: null, onmessage: null, onopen: undefined, callback: null }, Object.create(null), [], new (class Config {})()]) {
            const handle = signaling.openSocket(Object.freeze(config));
            equal(handle.channel, 'main-channel');
        }
        sockets[0].accept().deliver(frame('main-channel', 1));
        clock.advance(5000);
        equal(signaling.stats().delivered, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn r1_inherited_members_count() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        class Config {
            get channel() { return 'inherited'; }
            onmessage(message) { notes.taker('onmessage').call(this, message); }
        }
        const config = new Config();
        const handle = new Signaling({ url: 'ws://server.test/' }).openSocket(config);
        equal(handle.channel, 'inherited');
        sockets[0].accept().deliver(frame('inherited', 1));
        equal(notes.calls, [['onmessage', 1]]);
        equal(notes.targets, [config]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r1_anything_else_is_refused() -> Verdict {
    page(
        r#"
        const signaling = configure({ url: 'ws://server.test/' });
        const connection = signaling.attach({ channel: 'room' });
        const shown = [[undefined, 'undefined'], [null, 'null'], ['room', "'room'"], [7, '7'], [true, 'true'], [Symbol('s'), 'Symbol(s)'], [10n, '10']];
        for (const [config, text] of shown) {
            for (const open of [openSocket, openSignalingChannel, signaling.openSocket, signaling.openSignalingChannel]) {
                refused(() => open(config), 'bad-config', `the config is ${text}`, 'channel, onmessage, onopen');
            }
            refused(() => connection.openSignalingChannel(config), 'bad-config', text);
        }
        refused(() => openSocket(), 'bad-config', 'undefined');
        equal(sockets.length, 0, 'sockets made for refused configs');
        equal(signaling.state, 'idle');
        equal(signaling.stats().channels, 0);
        "#,
    )
}

#[wasm_bindgen_test]
fn r1_members_of_the_wrong_type_are_refused_by_name() -> Verdict {
    page(
        r#"
        configure({ url: 'ws://server.test/' });
        for (const member of ['onmessage', 'onopen', 'callback']) {
            for (const [value, text] of [['later', "'later'"], [1, '1'], [true, 'true'], [{}, 'an object'], [[], 'an object'], [Symbol('s'), 'Symbol(s)']]) {
                refused(() => openSocket({ channel: 'room', [member]: value }), 'bad-config', `${member} is ${text}`);
            }
        }
        for (const [value, text] of [[true, 'true'], [{}, 'an object'], [['a'], 'an object'], [() => 'a', 'a function'], [Symbol('s'), 'Symbol(s)'], [5n, '5']]) {
            refused(() => openSocket({ channel: value }), 'bad-config', `config.channel is ${text}`);
        }
        equal(sockets.length, 0);
        "#,
    )
}

#[wasm_bindgen_test]
fn r1_what_a_getter_of_the_config_throws_is_the_pages_own() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        for (const member of ['channel', 'onmessage', 'onopen', 'callback']) {
            const own = new RangeError(member);
            equal(thrownBy(() => signaling.openSocket({ get [member]() { throw own; } })), own);
        }
        equal(thrownBy(() => signaling.openSocket(new Proxy({}, { get() { throw 'mine'; } }))), 'mine');
        equal(signaling.stats().channels, 0);
        signaling.openSocket({});
        equal(signaling.stats().channels, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn r2_the_configs_channel_comes_first() -> Verdict {
    page(
        r#"
        const signaling = configure({ url: 'ws://server.test/' });
        const connection = signaling.attach({ channel: 'connections' });
        equal(connection.openSignalingChannel({ channel: 'configs' }).channel, 'configs');
        const page = { channel: 'connections', openSocket, openSignalingChannel, hook: signaling.openSocket };
        equal(page.openSocket({ channel: 'configs' }).channel, 'configs');
        equal(page.openSignalingChannel({ channel: 'configs' }).channel, 'configs');
        equal(page.hook({ channel: 'configs' }).channel, 'configs');
        "#,
    )
}

#[wasm_bindgen_test]
fn r2_then_that_of_the_object_that_the_hook_hangs_on() -> Verdict {
    page(
        r#"
        const signaling = configure({ url: 'ws://server.test/' });
        equal(signaling.attach({ channel: 'attached' }).openSignalingChannel({}).channel, 'attached');
        const page = { channel: 'pages', openSocket, openSignalingChannel, one: signaling.openSocket, two: signaling.openSignalingChannel };
        for (const hook of ['openSocket', 'openSignalingChannel', 'one', 'two']) {
            equal(page[hook]({}).channel, 'pages', hook);
            equal(page[hook](() => undefined).channel, 'pages', hook);
        }
        // The name is read at each call, as libraries change it.
        page.channel = 'changed';
        equal(page.two({}).channel, 'changed');
        equal(signaling.openSocket.call({ channel: 'called' }, {}).channel, 'called');
        equal(signaling.openSignalingChannel.apply({ channel: 'applied' }, [{}]).channel, 'applied');
        equal(signaling.openSocket.bind({ channel: 'bound' })({}).channel, 'bound');
        // A connection's class may have it as a getter.
        class Connection { get channel() { return 'got'; } }
        equal(signaling.attach(new Connection()).openSignalingChannel({}).channel, 'got');
        "#,
    )
}

#[wasm_bindgen_test]
fn r2_then_the_default() -> Verdict {
    page(
        r#"
        const signaling = configure({ url: 'ws://server.test/' });
        equal(openSocket({}).channel, 'main-channel');
        equal(openSignalingChannel({}).channel, 'main-channel');
        const { openSocket: detached, openSignalingChannel: other } = signaling;
        equal(detached({}).channel, 'main-channel');
        equal(other({}).channel, 'main-channel');
        equal(signaling.openSocket({}).channel, 'main-channel');
        equal({ openSocket }.openSocket({}).channel, 'main-channel');
        const named = new Signaling({ url: 'ws://server.test/', channel: 'lobby' });
        equal(named.openSocket({}).channel, 'lobby');
        for (const falsy of [undefined, null, '', 0, NaN, false]) {
            equal(named.openSocket({ channel: falsy }).channel, 'lobby', String(falsy));
            equal(named.openSocket.call({ channel: falsy }, { channel: falsy }).channel, 'lobby', String(falsy));
        }
        for (const self of [undefined, null, 5, 'text', Symbol('s')]) {
            equal(named.openSocket.call(self, {}).channel, 'lobby', String(self));
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn r2_no_channel_to_be_had_is_an_error() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/', channel: null });
        refused(() => signaling.openSocket({}), 'no-channel', 'config.channel', 'this.channel', 'option channel');
        refused(() => signaling.openSignalingChannel(() => undefined), 'no-channel');
        equal(sockets.length, 0);
        equal(signaling.openSocket({ channel: 'named' }).channel, 'named');
        "#,
    )
}

#[wasm_bindgen_test]
fn r2_numbers_are_names_too() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const notes = new Notes();
        const handle = signaling.openSocket({ channel: 5, onmessage: notes.taker('five') });
        equal(handle.channel, '5');
        equal(signaling.openSignalingChannel.call({ channel: 1.5 }, {}).channel, '1.5');
        equal(signaling.openSocket({ channel: -7e30 }).channel, '-7e+30');
        const socket = sockets[0].accept();
        socket.deliver('{"sender":1,"channel":5,"message":"number"}', '{"sender":1,"channel":"5","message":"string"}');
        equal(notes.calls, [['five', 'number'], ['five', 'string']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r2_a_this_that_is_no_connection() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        // openSocket hangs on a config of the page's, whose channel may be anything: an RTCDataChannel, say.
        equal(signaling.openSocket.call({ channel: { label: 'data' } }, {}).channel, 'main-channel');
        refused(() => signaling.openSignalingChannel.call({ channel: { label: 'data' } }, {}), 'bad-config', 'this.channel is an object');
        "#,
    )
}

#[wasm_bindgen_test]
fn r3_the_handle_is_a_plain_extensible_mutable_object() -> Verdict {
    page(
        r#"
        const { signaling } = connected();
        const connection = signaling.attach({ channel: 'private' });
        for (const handle of [signaling.openSocket({ channel: 'a' }), connection.openSignalingChannel({ channel: 'b' })]) {
            equal(Object.getPrototypeOf(handle), Object.prototype);
            ok(Object.isExtensible(handle), 'extensible');
            equal(Object.keys(handle), ['send', 'channel', 'close']);
            for (const member of Object.keys(handle)) {
                const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(handle, member);
                ok(writable && enumerable && configurable, `${member} is a plain member`);
            }
            equal(handle.then, undefined, 'a member that would make it a promise');
            handle.index = 3;
            handle.userid = 'u';
            delete handle.close;
            equal(Object.keys(handle), ['send', 'channel', 'index', 'userid']);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn r3_libraries_replace_send() -> Verdict {
    page(
        r#"
        const { handle, socket } = connected();
        handle.__push = handle.send;
        handle.send = function (message) {
            message.userid = 'me';
            handle.__push(message);
        };
        handle.send({ left: true });
        equal(messages(socket), [{ left: true, userid: 'me' }]);
        const { send } = connected().handle;
        send('detached');
        handle.emit = handle.__push;
        handle.emit('emitted');
        equal(messages(sockets[1]), ['detached']);
        equal(messages(socket).at(-1), 'emitted');
        "#,
    )
}

#[wasm_bindgen_test]
fn r4_the_handles_channel_is_the_very_name() -> Verdict {
    page(
        r#"
        const { signaling, socket } = connected();
        for (const channel of ['a', ' spaces ', 'ünïcödé', '😀', 'quo"te', 'back\\slash', 'new\nline', '\u0000', '\u2028', '__proto__', 'constructor', 'toString', 'x'.repeat(10_000)]) {
            const notes = new Notes();
            const handle = signaling.openSocket({ channel, onmessage: notes.taker('onmessage') });
            equal(handle.channel, channel);
            handle.send(1);
            equal(JSON.parse(socket.frames.at(-1)).channel, channel);
            socket.deliver(frame(channel, 2));
            equal(notes.calls, [['onmessage', 2]], channel.slice(0, 20));
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_readiness_comes_once_a_second_after_the_call() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const { notes, config } = noting();
        signaling.openSocket(config);
        clock.advance(999);
        equal(notes.take(), []);
        clock.advance(1);
        equal(notes.targets, [config], 'onopen is called as a method of the config');
        equal(notes.take(), [['onopen']], 'with no argument');
        sockets[0].accept();
        clock.advance(100_000);
        sockets[0].end();
        clock.advance(100_000);
        sockets[1].accept();
        clock.advance(100_000);
        equal(notes.take(), [], 'and never again');
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_callback_gets_the_handle_and_comes_instead_of_onopen() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const notes = new Notes();
        const config = { onopen: notes.taker('onopen'), callback: notes.taker('callback') };
        const handle = signaling.attach({ channel: 'c' }).openSignalingChannel(config);
        clock.advance(1000);
        equal(notes.calls.length, 1);
        equal(notes.calls[0][0], 'callback');
        ok(notes.calls[0].length === 2 && notes.calls[0][1] === handle, 'the one argument is the handle that was returned');
        ok(notes.targets[0] === config, 'called as a method of the config');
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_a_callback_may_say_this_onopen() -> Verdict {
    page(
        r#"
        // As RTCMultiConnection 2 and the openSocket experiments do.
        const notes = new Notes();
        let socket;
        const config = {
            channel: 'private',
            onopen() { notes.taker('opened')(this === config, socket.channel); },
            callback(handle) { socket = handle; this.onopen(); },
        };
        new Signaling({ url: 'ws://server.test/' }).openSocket(config);
        clock.advance(1000);
        equal(notes.calls, [['opened', true, 'private']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_readiness_is_never_before_the_call_returns() -> Verdict {
    page(
        r#"
        for (const options of [{ openDelay: 0 }, { openDelay: 0, openWhen: 'connected' }, { openWhen: 'connected' }]) {
            const signaling = new Signaling({ url: 'ws://server.test/', ...options });
            const notes = new Notes();
            const open = (channel) => {
                let returned = null;
                const handle = signaling.openSocket({ channel, callback: (given) => notes.taker(channel)(given === returned) });
                returned = handle;
                return handle;
            };
            open('first');
            equal(notes.take(), [], 'on an idle signaling');
            clock.advance(0);
            sockets.at(-1).accept();
            clock.advance(0);
            equal(notes.take(), [['first', true]]);
            open('second');
            equal(notes.take(), [], 'on an open connection');
            clock.advance(0);
            equal(notes.take(), [['second', true]]);
            // Neither may an opening be ready inside another one's call, or inside a callback that opens it.
            signaling.openSocket({ channel: 'third', callback() { open('fourth'); equal(notes.calls, [], 'inside a callback'); } });
            clock.advance(0);
            clock.advance(0);
            equal(notes.take(), [['fourth', true]]);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_the_timer_does_not_wait_for_the_connection() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        for (const [options, delay] of [[{}, 1000], [{ openWhen: 'timer' }, 1000], [{ openDelay: 30 }, 30], [{ openDelay: 30, openWhen: 'timer' }, 30]]) {
            new Signaling({ url: 'ws://server.test/', ...options }).openSocket({ onopen: notes.taker('onopen') });
            clock.advance(delay - 1);
            equal(notes.take(), []);
            clock.advance(1);
            equal(notes.take(), [['onopen']]);
            equal(sockets.at(-1).readyState, WebSocket.CONNECTING);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_open_when_connected_waits_for_timer_and_connection() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/', openWhen: 'connected', openDelay: 100, reconnect: { base: 1, cap: 1 } });
        signaling.openSocket({ channel: 'a', onopen: notes.taker('a') });
        clock.advance(10_000);
        sockets[0].end();
        clock.advance(10);
        equal(notes.calls, []);
        signaling.openSocket({ channel: 'b', onopen: notes.taker('b') });
        sockets[1].accept();
        equal(notes.take(), [['a']], 'whose time has come');
        clock.advance(99 - 10);
        clock.advance(20);
        equal(notes.take(), [['b']]);
        sockets[1].end();
        clock.advance(10);
        sockets[2].accept();
        clock.advance(1000);
        equal(notes.take(), [], 'not again after a reconnection');
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_openings_get_ready_in_their_order() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/' });
        for (const channel of ['a', 'b', 'c']) {
            signaling.openSocket({ channel, onopen: notes.taker(channel) });
            clock.advance(100);
        }
        clock.advance(799);
        clock.early = 0.7;
        clock.advance(250);
        equal(notes.calls, [['a'], ['b'], ['c']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r5_a_channel_closed_before_its_time_never_gets_ready() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const open = (channel) => signaling.openSocket({ channel, onopen: notes.taker(channel), callback: null });
        open('a');
        const closed = open('b');
        open('c');
        closed.close();
        clock.advance(1000);
        equal(notes.take(), [['a'], ['c']]);
        open('d');
        signaling.close();
        clock.advance(1000);
        equal(notes.take(), []);
        equal(clock.timers, 0, 'timers left');
        "#,
    )
}

#[wasm_bindgen_test]
async fn r5_readiness_in_real_time() -> Verdict {
    page_in_real_time(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 5 });
        const before = performance.now();
        const handle = await new Promise((callback) => signaling.openSocket({ callback }));
        ok(performance.now() - before >= 5, 'it came too early');
        equal(handle.channel, 'main-channel');
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn r6_send_works_at_once_and_in_order() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const a = signaling.openSocket({ channel: 'a' });
        const b = signaling.openSocket({ channel: 'b' });
        for (let count = 0; count < 50; count += 1) {
            (count % 3 ? a : b).send(count);
        }
        equal(sockets[0].frames, []);
        equal(signaling.stats().queued, 50);
        sockets[0].accept();
        equal(messages(sockets[0]), Array.from({ length: 50 }, (_, count) => count));
        equal(sockets[0].frames.map((sent) => JSON.parse(sent).channel).slice(0, 4), ['b', 'a', 'a', 'b']);
        equal(signaling.stats().queued, 0);
        "#,
    )
}

#[wasm_bindgen_test]
fn r6_an_open_socket_has_it_before_send_returns() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        for (const message of [0, '', false, null, 'text', [1, [2]], { deep: { er: 1 } }]) {
            handle.send(message);
            equal(messages(socket).at(-1), message);
        }
        equal(signaling.stats().sent, 7);
        "#,
    )
}

#[wasm_bindgen_test]
fn r6_inside_a_handler_too() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = connected({}, {
            onmessage(message) {
                handle.send({ answer: message });
                notes.taker('frames after send')(socket.frames.length);
            },
        });
        socket.deliver(frame('room', 1), frame('room', 2));
        equal(notes.calls, [['frames after send', 1], ['frames after send', 2]]);
        signaling.onstatechange = () => { throw new Error('not now'); };
        equal(messages(socket), [{ answer: 1 }, { answer: 2 }]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r6_inside_beforeunload_too() -> Verdict {
    page(
        r#"
        const { handle, socket } = connected();
        let frames;
        const leave = () => {
            handle.send({ left: true });
            frames = socket.frames.length;
        };
        for (const type of ['beforeunload', 'pagehide']) {
            addEventListener(type, leave);
            dispatchEvent(new Event(type));
            removeEventListener(type, leave);
        }
        equal(frames, 2);
        equal(messages(socket), [{ left: true }, { left: true }]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r7_values_are_fresh_and_plain() -> Verdict {
    page(
        r#"
        const { socket, notes } = connected();
        const text = '{"a":[1,{"b":null}],"n":-0.5e3,"s":"\\u00fc\\ud83d\\ude00","__proto__":{"polluted":true}}';
        const sent = `{"sender":17,"channel":"room","message":${text}}`;
        socket.deliver(sent, sent);
        const [[, one], [, two]] = notes.take();
        equal(one, JSON.parse(text));
        ok(Object.hasOwn(one, '__proto__') && one.polluted === undefined && Object.getPrototypeOf(one) === Object.prototype, '__proto__ is a member like any other');
        equal({}.polluted, undefined);
        ok(one !== two && one.a !== two.a, 'each delivery has its own value');
        one.a.push('mine');
        equal(two.a.length, 2);
        for (const message of [0, -0, '', 'text', true, null, [], {}, [[[]]], 1e308]) {
            socket.deliver(frame('room', message));
            equal(notes.take(), [['onmessage', JSON.parse(JSON.stringify(message))]]);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn r7_onmessage_gets_one_argument() -> Verdict {
    page(
        r#"
        let length;
        const { socket } = connected({}, { onmessage() { length = arguments.length; } });
        socket.deliver(frame('room', 1));
        equal(length, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn r7_ones_own_messages_are_not_delivered() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket, notes } = connected();
        ok(Number.isSafeInteger(signaling.userid) && signaling.userid > 0, 'the userid is a whole number');
        handle.send('echo');
        const [sent] = socket.frames;
        // Each is `==` to the number, which is how the shim looks at it.
        const { userid } = signaling;
        const own = [sent, frame('room', 1, userid), frame('room', 1, String(userid)), frame('room', 1, ` ${userid} `), frame('room', 1, [userid]), frame('room', 1, `0x${userid.toString(16)}`),
            `{"channel":"room","message":1,"sender":${userid}}`, `{"sender":${userid}.0,"channel":"room","message":1}`, `{"sender":${userid}e0,"channel":"room","message":1}`];
        socket.deliver(...own);
        equal(notes.take(), []);
        equal(signaling.stats().own, own.length);
        const others = [userid - 1, `${userid}0`, `${userid}x`, 'me', '', null, true, {}, [], [userid, 1], 0, -userid].map((sender) => frame('room', 2, sender));
        socket.deliver(...others, '{"channel":"room","message":2}');
        equal(notes.take(), Array(others.length + 1).fill(['onmessage', 2]));
        "#,
    )
}

#[wasm_bindgen_test]
fn r7_channels_that_are_not_open_are_dropped_not_kept() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected();
        socket.deliver(frame('later', 1), frame('ROOM', 1), frame('roo', 1), frame('rooms', 1), frame('', 1));
        const late = noting({ channel: 'later' });
        signaling.openSocket(late.config);
        clock.advance(5000);
        equal(late.notes.take(), [['onopen']]);
        equal(notes.take(), [['onopen']]);
        equal(signaling.stats().foreign, 5);
        socket.deliver(frame('later', 2));
        equal(late.notes.take(), [['onmessage', 2]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r7_a_channel_gets_messages_before_it_is_ready() -> Verdict {
    page(
        r#"
        const { socket, notes } = connected();
        socket.deliver(frame('room', 'early'));
        equal(notes.take(), [['onmessage', 'early']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r7_handlers_are_looked_up_at_each_delivery() -> Verdict {
    page(
        r#"
        const { socket, notes, config, signaling } = connected();
        config.onmessage = notes.taker('replaced');
        socket.deliver(frame('room', 1));
        equal(notes.take(), [['replaced', 1]]);
        delete config.onmessage;
        socket.deliver(frame('room', 2));
        equal(notes.take(), []);
        config.onmessage = 'no function any more';
        socket.deliver(frame('room', 3));
        isOurs(reported()[0], 'bad-config', 'onmessage', "'no function any more'");
        equal(signaling.stats().delivered, 3);
        "#,
    )
}

#[wasm_bindgen_test]
fn r8_the_last_config_of_a_channel_wins() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const open = (name) => signaling.openSocket({ channel: 'room', onmessage: notes.taker(`message ${name}`), onopen: notes.taker(`open ${name}`) });
        const first = open('first');
        clock.advance(500);
        const second = open('second');
        const socket = sockets[0].accept();
        equal(sockets.length, 1, 'sockets');
        equal(signaling.stats().channels, 1);
        socket.deliver(frame('room', 1));
        equal(notes.take(), [['message second', 1]]);
        clock.advance(500);
        equal(notes.take(), [['open first']], 'the first is ready all the same');
        clock.advance(500);
        equal(notes.take(), [['open second']]);
        // Libraries keep both handles and use both.
        first.send('by the first');
        second.send('by the second');
        equal(messages(socket), ['by the first', 'by the second']);
        // To close the superseded one closes nothing.
        first.close();
        socket.deliver(frame('room', 2));
        equal(notes.take(), [['message second', 2]]);
        second.close();
        socket.deliver(frame('room', 3));
        equal(notes.take(), []);
        equal(signaling.stats().channels, 0);
        open('third');
        socket.deliver(frame('room', 4));
        equal(notes.take(), [['message third', 4]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r8_closing_a_channel() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket, notes } = connected();
        const neighbour = noting({ channel: 'neighbour' });
        signaling.openSocket(neighbour.config);
        handle.send('before');
        const { close, send } = handle;
        equal(close(), undefined);
        close();
        handle.close();
        refused(() => send('after'), 'channel-closed', "'room'", 'open it again');
        socket.deliver(frame('room', 1), frame('neighbour', 2));
        equal(notes.take(), []);
        equal(neighbour.notes.take(), [['onmessage', 2]]);
        equal(messages(socket), ['before']);
        equal(socket.closings, 0, 'the connection stays');
        equal(signaling.state, 'open');
        "#,
    )
}

#[wasm_bindgen_test]
fn r8_messages_sent_before_the_close_still_go_out() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const handle = signaling.openSocket({ channel: 'room' });
        handle.send('bye');
        handle.close();
        equal(messages(sockets[0].accept()), ['bye']);
        "#,
    )
}

#[wasm_bindgen_test]
async fn r8_nothing_depends_on_the_handle_being_kept() -> Verdict {
    page_awaiting(
        r#"
        const notes = new Notes();
        let gone = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 0 });
        (() => {
            for (let count = 0; count < 20; count += 1) {
                const dropped = {};
                registry.register(dropped, count);
                signaling.openSocket({ channel: `c${count}`, onmessage: notes.taker('onmessage') });
            }
        })();
        // The registry shows that garbage was collected in between.
        ok(await collected(() => gone === 20), 'nothing was collected');
        const socket = sockets[0].accept();
        for (let count = 0; count < 20; count += 1) {
            socket.deliver(frame(`c${count}`, count));
        }
        equal(notes.calls.length, 20);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn r9_nothing_else_is_written_on_the_connection() -> Verdict {
    page(
        r#"
        const signaling = configure({ url: 'ws://server.test/' });
        const connection = { channel: 'room', userid: 'mine' };
        equal(signaling.attach(connection), connection);
        const config = { onmessage() {}, callback() {} };
        connection.openSignalingChannel(config);
        const other = { channel: 'room', openSignalingChannel, openSocket };
        other.openSignalingChannel(config);
        other.openSocket(config);
        sockets[0].accept().deliver(frame('room', 1));
        clock.advance(5000);
        equal(Reflect.ownKeys(connection), ['channel', 'userid', 'openSignalingChannel']);
        equal(Reflect.ownKeys(other), ['channel', 'openSignalingChannel', 'openSocket']);
        equal(Reflect.ownKeys(config), ['onmessage', 'callback']);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_opening_and_sending_inside_onmessage() -> Verdict {
    page(
        r#"
        // As every library does: the joiner opens a private channel and answers on the default one.
        const notes = new Notes();
        const { signaling, handle, socket } = connected({ openDelay: 0 }, {
            onmessage(message) {
                const inner = signaling.openSocket({
                    channel: message.open,
                    onmessage: notes.taker(message.open),
                    onopen() { inner.send({ ready: message.open }); },
                });
                inner.send({ first: message.open });
                handle.send({ participant: message.open });
            },
        });
        socket.deliver(frame('room', { open: 'a' }), frame('room', { open: 'b' }), frame('a', 1), frame('b', 2));
        clock.advance(0);
        equal(notes.take(), [['a', 1], ['b', 2]]);
        equal(messages(socket), [{ first: 'a' }, { participant: 'a' }, { first: 'b' }, { participant: 'b' }, { ready: 'a' }, { ready: 'b' }]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_closing_inside_onmessage() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = connected({}, {
            onmessage(message) {
                notes.taker('onmessage')(message);
                handle.close();
                refused(() => handle.send(1), 'channel-closed');
            },
        });
        socket.deliver(frame('room', 1), frame('room', 2));
        equal(notes.take(), [['onmessage', 1]]);
        signaling.openSocket({ channel: 'room', onmessage() { signaling.close(); equal(signaling.state, 'closed'); } });
        socket.deliver(frame('room', 3), frame('room', 4));
        equal(signaling.stats().delivered, 2);
        equal(socket.closings, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_reopening_inside_its_own_onmessage() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, socket } = connected({}, {
            onmessage() { signaling.openSocket({ channel: 'room', onmessage: notes.taker('second') }); },
        });
        socket.deliver(frame('room', 1), frame('room', 2));
        equal(notes.calls, [['second', 2]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_opening_inside_onopen_and_callback() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/', openDelay: 10 });
        const open = (depth) => signaling.openSocket({
            channel: `c${depth}`,
            [depth % 2 ? 'callback' : 'onopen']() {
                notes.taker('ready')(depth);
                if (depth < 5) open(depth + 1).send(depth);
            },
        });
        open(0);
        sockets[0].accept();
        clock.advance(60);
        equal(notes.calls, [0, 1, 2, 3, 4, 5].map((depth) => ['ready', depth]));
        equal(messages(sockets[0]), [0, 1, 2, 3, 4]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_everything_from_inside_every_handler() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket, notes } = connected({ openDelay: 0 });
        let depth = 0;
        const everything = (name) => function () {
            if (depth > 0) return;
            depth += 1;
            const inner = signaling.openSocket({ channel: `from ${name}`, onmessage: notes.taker(`from ${name}`) });
            inner.send(name);
            handle.send(name);
            signaling.stats();
            signaling.attach({});
            inner.close();
            thrownBy(() => handle.send(undefined));
            depth -= 1;
        };
        signaling.onstatechange = everything('onstatechange');
        signaling.onerror = everything('onerror');
        signaling.onframe = everything('onframe');
        socket.deliver(frame('room', 1), 'not JSON', new ArrayBuffer(3), frame('foreign', 1));
        handle.send('sent');
        socket.deliver(socket.frames[0]);
        clock.advance(0);
        socket.end();
        clock.advance(500);
        const next = sockets[1].accept();
        next.deliver(frame('room', 2));
        const kinds = signaling.stats();
        equal([kinds.delivered, kinds.bad, kinds.foreign, kinds.own], [2, 2, 1, 1]);
        equal(kinds.received, 6);
        equal(kinds.sent, socket.frames.length + next.frames.length);
        equal(kinds.channels, 1);
        equal(notes.take().filter(([name]) => name === 'onmessage'), [['onmessage', 1], ['onmessage', 2]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_a_socket_that_answers_inside_send() -> Verdict {
    page(
        r#"
        // An in-memory server, or a page's own wrapper around WebSocket, calls back before send returns.
        const { signaling, handle, socket, notes } = connected();
        socket.onsent = (sent) => socket.deliver(frame('room', `answer to ${JSON.parse(sent).message}`));
        handle.send(1);
        handle.send(2);
        equal(notes.take(), [['onmessage', 'answer to 1'], ['onmessage', 'answer to 2']]);
        socket.onsent = () => signaling.close();
        handle.send(3);
        equal(signaling.state, 'closed');
        equal(messages(socket), [1, 2, 3]);
        equal(socket.closings, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_a_socket_that_ends_inside_send() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        socket.onsent = () => socket.end();
        handle.send(1);
        handle.send(2);
        equal(signaling.state, 'waiting');
        clock.advance(500);
        equal(messages(sockets[1].accept()), [2]);
        equal(signaling.stats().sent, 2);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_handlers_that_throw_are_reported_and_the_rest_still_run() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const failing = (name) => () => { throw new Error(name); };
        const names = () => reported().map((error) => error.message);
        Object.assign(signaling, { onstatechange: failing('onstatechange'), onerror: failing('onerror'), onframe: failing('onframe') });
        const { notes, config } = noting({ channel: 'b' });
        signaling.openSocket({ channel: 'a', onmessage: failing('onmessage'), callback: failing('callback') });
        signaling.openSocket({ channel: 'c', onopen: failing('onopen') });
        signaling.openSocket(config).send(1);
        equal(names(), ['onstatechange']);
        const socket = sockets[0].accept();
        equal(names(), ['onframe', 'onstatechange']);
        equal(messages(socket), [1]);
        socket.deliver(frame('a', 1), frame('b', 2), 'not JSON');
        equal(names(), ['onframe', 'onmessage', 'onframe', 'onframe', 'onerror']);
        clock.advance(1000);
        equal(names(), ['callback', 'onopen']);
        equal(notes.take(), [['onmessage', 2], ['onopen']]);
        equal(signaling.state, 'open');
        equal(signaling.stats().delivered, 2);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_whatever_is_thrown_is_reported() -> Verdict {
    page(
        r#"
        const thrown = [undefined, null, 0, 'text', Symbol('s'), {}, new RangeError('r')];
        const values = [...thrown];
        const { socket } = connected({}, { onmessage() { throw values.shift(); } });
        thrown.forEach(() => socket.deliver(frame('room', 1)));
        equal(reported().map(String), ['undefined', 'null', '0', 'text', 'Symbol(s)', '[object Object]', 'RangeError: r']);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_a_handler_that_recurses_without_end_breaks_nobody_else() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected();
        signaling.openSocket({ channel: 'endless', onmessage() { const again = () => again(); again(); } });
        socket.deliver(frame('endless', 1), frame('room', 2));
        equal(reported().map((error) => error.name), ['RangeError']);
        equal(notes.take(), [['onmessage', 2]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r10_a_handler_that_reports_errors_itself() -> Verdict {
    page(
        r#"
        // window.onerror runs inside reportError: it may call us, too.
        const { handle, socket } = connected({}, { onmessage() { throw new Error('mine'); } });
        const tell = () => handle.send({ error: true });
        addEventListener('error', tell);
        socket.deliver(frame('room', 1));
        removeEventListener('error', tell);
        equal(reported().length, 1);
        equal(messages(socket), [{ error: true }]);
        "#,
    )
}

#[wasm_bindgen_test]
fn r11_the_hooks_are_functions_that_know_their_this() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        for (const hook of [signaling.openSocket, signaling.openSignalingChannel, openSocket, openSignalingChannel]) {
            equal(typeof hook, 'function');
            ok(hook instanceof Function, 'a Function');
        }
        const connection = { channel: 'mine' };
        connection.openSignalingChannel = signaling.openSignalingChannel;
        equal(connection.openSignalingChannel({}).channel, 'mine');
        // A library that keeps the connection's hook under another name, on another object.
        const dataConnection = { channel: 'data', openSignalingChannel: connection.openSignalingChannel };
        equal(dataConnection.openSignalingChannel({}).channel, 'data');
        const inheriting = Object.create(connection, { channel: { value: 'inheriting' } });
        equal(inheriting.openSignalingChannel({}).channel, 'inheriting');
        "#,
    )
}

#[wasm_bindgen_test]
fn r11_signaling_is_a_class() -> Verdict {
    page(
        r#"
        const signaling = new Signaling();
        ok(signaling instanceof Signaling, 'an instance');
        ok(new Signaling({}) !== signaling, 'one of its own');
        class Mine extends Signaling {
            constructor() { super({ url: 'ws://mine.test/' }); this.extra = 1; }
            room() { return this.openSocket({ channel: 'room' }); }
        }
        const mine = new Mine();
        ok(mine instanceof Mine && mine instanceof Signaling, 'a subclass');
        equal(mine.room().channel, 'room');
        equal(sockets[0].url, 'ws://mine.test/');
        for (const call of [() => Signaling(), () => Signaling({}), () => (0, Signaling)(), () => Signaling.call(undefined, {}), () => Signaling.call(5)]) {
            refused(call, 'bad-config', 'Signaling', 'new');
        }
        "#,
    )
}
