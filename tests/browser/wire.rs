//! The bytes: what goes out is what the shim's `JSON.stringify` makes, what comes in is read as the shim reads it, whatever it is.
//!
//! What's tested
//! * out: each frame equals `JSON.stringify({ sender, channel, message })`, for awkward channels and awkward messages
//! * in: canonical frames and all the other ways to write the same envelope, names of every length, numbers for names
//! * in: thousands of generated frames, valid and broken, against the shim itself
//! * in: what no shim ever sends (no envelope, binary, too long, hostile members) is dropped, counted and reported once
//! * in: a hundred thousand frames for channels that nobody opened leave nothing behind

use super::page::{Verdict, page, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn out_awkward_channels() -> Verdict {
    page(
        r#"
        const { signaling, socket } = connected();
        const channels = ['a', '"', '\\', '\\"', '/', "'", '</script>', '\u007f', '\u0080', 'é', '😀', '\u2028\u2029', '\ufeff', '\ufffd', '\uffff', '__proto__', 'constructor', '{"sender":1}', 'x'.repeat(50_000), '😀'.repeat(20_000)];
        for (let code = 0; code < 0x30; code += 1) {
            channels.push(`<${String.fromCharCode(code)}>`);
        }
        for (const channel of channels) {
            signaling.openSocket({ channel }).send({ offer: channel });
            equal(socket.frames.at(-1), JSON.stringify({ sender: signaling.userid, channel, message: { offer: channel } }));
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn out_half_a_surrogate_pair_in_a_channels_name_is_refused() -> Verdict {
    page(
        r#"
        // It can't come back from the wire as what it was, so the two ends would never meet.
        const signaling = new Signaling({ url: 'ws://server.test/' });
        for (const channel of ['\ud800', 'a\udc00b', '😀\ud83d', '\udc00\ud800']) {
            refused(() => signaling.openSocket({ channel }), 'bad-config', 'config.channel', 'well-formed');
            refused(() => signaling.attach({ channel }).openSignalingChannel({}), 'bad-config', 'this.channel', 'well-formed');
        }
        equal(signaling.openSocket({ channel: '\ud83d\ude00' }).channel, '😀');
        "#,
    )
}

#[wasm_bindgen_test]
fn out_awkward_messages() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        const sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=candidate:1 1 UDP 2122252543 192.168.0.1 1 typ host\r\n';
        const messages = [0, -0, 1e21, 1e-7, -1.5, NaN, Infinity, '', '"', '}', '{', ',"channel":"room"', '\u0000', '\ud800', 'a\udfffb', '😀', '\u2028', sdp, sdp.repeat(2000), true, false, null,
            [], {}, [undefined, () => 1, Symbol('s')], { gone: undefined, also: () => 1, kept: null }, { __proto__: null, a: 1 }, JSON.parse('{"__proto__":1}'), new Date(0), new Map([[1, 2]]), Object(true), Object('text'),
            { toJSON: () => ({ as: 'told' }) }, { sender: 1, channel: 'other', message: 2 }, [,1], new (class Offer { type = 'offer'; get sdp() { return 'no'; } })(), Array.from({ length: 3 }, (_, i) => ({ i }))];
        for (const message of messages) {
            handle.send(message);
            equal(socket.frames.at(-1), JSON.stringify({ sender: signaling.userid, channel: 'room', message }));
        }
        equal(signaling.stats().sent, messages.length);
        "#,
    )
}

#[wasm_bindgen_test]
fn out_a_message_is_what_it_was_when_it_was_sent() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const handle = signaling.openSocket({ channel: 'room' });
        const message = { step: 1 };
        handle.send(message);
        message.step = 2;
        handle.send(message);
        equal(messages(sockets[0].accept()), [{ step: 1 }, { step: 2 }]);
        "#,
    )
}

#[wasm_bindgen_test]
fn out_the_sender_is_a_number_of_53_random_bits() -> Verdict {
    page(
        r#"
        const ids = new Set();
        let highest = 0;
        for (let count = 0; count < 200; count += 1) {
            const { userid } = new Signaling();
            ok(Number.isSafeInteger(userid) && userid >= 0, `${userid} is a whole number`);
            ids.add(userid);
            highest = Math.max(highest, userid);
        }
        equal(ids.size, 200);
        ok(highest > 2 ** 52, 'the upper half is used');
        "#,
    )
}

#[wasm_bindgen_test]
fn in_every_way_to_write_an_envelope() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected();
        const written = [
            '{"sender":17,"channel":"room","message":"m"}',
            '{"sender":"17","channel":"room","message":"m"}',
            '{"sender":"peer-é😀","channel":"room","message":"m"}',
            '{"sender":"with \\"quotes\\"","channel":"room","message":"m"}',
            '{"sender":null,"channel":"room","message":"m"}',
            '{"sender":1.5e3,"channel":"room","message":"m"}',
            '{"sender":-1,"channel":"room","message":"m"}',
            '{"sender":12345678901234567890,"channel":"room","message":"m"}',
            '{"sender":{"id":1},"channel":"room","message":"m"}',
            '{"sender":[],"channel":"room","message":"m"}',
            '{"channel":"room","message":"m"}',
            '{"message":"m","channel":"room"}',
            '{"message":"m","channel":"room","sender":17}',
            '{"channel":"room","sender":17,"message":"m"}',
            '{"sender":17,"message":"m","channel":"room"}',
            '{"sender":17,"channel":"room","message":"m","extra":1}',
            '{"id":1,"sender":17,"channel":"room","message":"m"}',
            '{"sender":17,"channel":"room","extra":{"message":"no"},"message":"m"}',
            '{ "sender" : 17 , "channel" : "room" , "message" : "m" }',
            '\n{\t"sender":17,\r\n"channel":"room","message":"m"}\n',
            '{"sender":17,"channel":"room","message":"m"} ',
            '{"sender":17,"channel":"room","message": "m" }',
            '{"sender":17,"channel":"r\\u006fom","message":"m"}',
            '{"sender":17,"ch\\u0061nnel":"room","message":"m"}',
            '{"sender":17,"channel":"room","message":"\\u006d"}',
            '{"sender":17,"channel":["room"],"message":"m"}',
            '{"sender":17,"channel":"room","message":"old","message":"m"}',
            '{"sender":17,"channel":"other","channel":"room","message":"m"}',
        ];
        for (const text of written) {
            socket.deliver(text);
            equal(notes.take(), [['onmessage', 'm']], text);
        }
        equal(signaling.stats().delivered, written.length);
        socket.deliver('{"sender":17,"channel":"room"}');
        equal(notes.take(), [['onmessage', undefined]], 'without a message, as the shim has it');
        "#,
    )
}

#[wasm_bindgen_test]
fn in_braces_and_quotes_where_they_belong_to_the_message() -> Verdict {
    page(
        r#"
        const { socket, notes } = connected();
        const messages = ['}', '"}', '\\"}', '\\', '{"', '","channel":"foreign"}', { a: { b: { c: {} } } }, [[[{}]]], '}'.repeat(300), { '}': '}' }, { message: { message: '}' } }];
        for (const message of messages) {
            socket.deliver(frame('room', message));
            equal(notes.take(), [['onmessage', message]]);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn in_names_of_every_length() -> Verdict {
    page(
        r#"
        // Only a frame's head enters wasm, and it is cut for the longest name.
        for (const letter of ['x', 'é', '😀', '"']) {
            const { signaling, socket, notes } = connected({}, { channel: letter.repeat(150) });
            for (let length = 1; length <= 400; length += 1) {
                socket.deliver(frame(letter.repeat(length), length));
            }
            equal(notes.take(), [['onmessage', 150]], letter);
            equal(signaling.stats().foreign, 399, letter);
            equal(signaling.openSocket({ channel: letter.repeat(400), onmessage: notes.taker('400') }).channel.length, letter.length * 400);
            socket.deliver(frame(letter.repeat(400), 1), frame(letter.repeat(150), 2), frame(letter.repeat(399), 3), frame(letter.repeat(401), 4), frame(letter.repeat(4000), 5));
            equal(notes.take(), [['400', 1], ['onmessage', 2]], letter);
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn in_a_long_sender_hides_no_channel() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected();
        for (const length of [1, 16, 50, 70, 80, 90, 100, 200, 5000]) {
            socket.deliver(frame('room', length, 'p'.repeat(length)), frame('foreign', length, 'p'.repeat(length)));
        }
        equal(notes.take().length, 9);
        equal(signaling.stats().foreign, 9);
        "#,
    )
}

#[wasm_bindgen_test]
fn in_prototype_names_are_names_like_any_other() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected();
        const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'undefined', 'null', 'true', 'NaN', '[object Object]'];
        names.forEach((name) => socket.deliver(frame(name, { polluted: true })));
        socket.deliver('{"__proto__":{"sender":1,"channel":"room","message":1}}', '{"sender":1,"__proto__":{"channel":"room"},"message":1}', '{"constructor":{"prototype":{"polluted":true}}}');
        equal(notes.take(), []);
        equal({}.polluted, undefined);
        equal(signaling.stats().foreign, names.length + 3);
        for (const name of names) {
            signaling.openSocket({ channel: name, onmessage: notes.taker(name) });
            socket.deliver(frame(name, 1));
            equal(notes.take(), [[name, 1]]);
        }
        // What has no channel goes to the channel `undefined`, as the shim's lookup has it; likewise the others.
        socket.deliver('{"message":1}', '{"channel":null,"message":2}', '{"channel":true,"message":3}', '{"channel":{},"message":4}');
        equal(notes.take(), [['undefined', 1], ['null', 2], ['true', 3], ['[object Object]', 4]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn in_of_a_member_named_twice_the_head_counts() -> Verdict {
    page(
        r#"
        // Nobody's JSON.stringify writes such a frame; who writes one by hand decides nothing about channels that are open here.
        const { signaling, socket, notes } = connected();
        socket.deliver('{"sender":17,"channel":"foreign","message":1,"channel":"room"}', `{"sender":${signaling.userid},"channel":"room","message":1,"sender":17}`);
        equal(notes.take(), []);
        socket.deliver('{"sender":17,"channel":"room","message":1,"channel":"foreign"}', `{"sender":17,"channel":"room","message":1,"sender":${signaling.userid}}`);
        equal(notes.take(), []);
        equal([signaling.stats().own, signaling.stats().foreign], [2, 2]);
        "#,
    )
}

#[wasm_bindgen_test]
fn in_thousands_of_frames_as_the_shim_reads_them() -> Verdict {
    page(
        r#"
        // A generator that gives the same frames each time (mulberry32).
        let seed = 20260101;
        const random = () => {
            seed = (seed + 0x6d2b79f5) | 0;
            let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
            bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
            return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
        };
        const below = (bound) => Math.floor(random() * bound);
        const pick = (list) => list[below(list.length)];

        const notes = new Notes();
        const open = ['room', '5', 'é😀', 'quo"te', 'a long name '.repeat(12), 'undefined', '__proto__'];
        const signaling = new Signaling({ url: 'ws://server.test/' });
        open.forEach((channel) => signaling.openSocket({ channel, onmessage: notes.taker(channel) }));
        const socket = sockets[0].accept();

        // The shim, with a map for its object, and without its readiness.
        const channels = new Map(open.map((channel) => [channel, (message) => expected.push([channel, message])]));
        let expected = [];
        const shim = (text) => {
            const data = JSON.parse(text);
            // The one difference: an array is no envelope to us, and to the shim one for the channel `undefined`.
            if (Array.isArray(data)) return;
            if (data.sender == signaling.userid) return;
            channels.get(String(data.channel))?.(data.message);
        };

        const escaped = (text) => `"${[...JSON.stringify(text).slice(1, -1)].map((letter) => (letter !== '\\' && /[a-z]/.test(letter) && below(4) === 0 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter)).join('')}"`;
        const name = () => pick([...open, ...open, 'foreign', 'roo', 'room ', '', 'f'.repeat(below(300))]);
        const text = (value) => (below(6) > 0 || /[\\"]/.test(value) ? JSON.stringify(value) : escaped(value));
        const sender = () => pick([
            () => '17', () => '"17"', () => String(signaling.userid), () => JSON.stringify(String(signaling.userid)), () => `" ${signaling.userid}"`, () => `${signaling.userid}.0`, () => `[${signaling.userid}]`,
            () => '"peer"', () => '"é"', () => 'null', () => 'true', () => '{}', () => '1e5', () => '-3', () => '"7up"', () => '9007199254740993', () => `"${'s'.repeat(below(150))}"`, () => '"\\u0061"',
        ])();
        const value = (depth) => pick([
            () => String(below(1000)), () => '-0.5e-3', () => 'true', () => 'null', () => text(pick(['', '}', '"', '😀', ',"channel":"room"', '\\', '\n', 'candidate:1 1 UDP'])),
            ...(depth > 3 ? [] : [
                () => `[${Array.from({ length: below(4) }, () => value(depth + 1)).join(space() + ',')}]`,
                () => `{${Array.from({ length: below(4) }, (_, at) => `${JSON.stringify(pick(['a', 'message', 'channel', '__proto__']) + at)}:${space()}${value(depth + 1)}`).join(',')}}`,
            ]),
        ])();
        const space = () => (below(12) > 0 ? '' : pick([' ', '\n', '\t', '\r', '  ']));
        const canonical = () => `{"sender":${sender()},"channel":${text(name())},"message":${value(0)}}`;
        const shuffled = () => {
            const members = [['sender', sender()], ['channel', pick([() => text(name()), () => text(name()), () => '5', () => '["room"]', () => 'null'])()], ['message', value(0)], ['extra', value(2)]]
                .filter(() => below(8) > 0).sort(() => random() - 0.5);
            return `${space()}{${members.map(([member, content]) => `${space()}"${member}"${space()}:${space()}${content}`).join(space() + ',')}${space()}}${space()}`;
        };
        const broken = () => {
            const whole = canonical();
            const at = below(whole.length + 1);
            return pick([
                () => whole.slice(0, at), () => whole.slice(at), () => whole.slice(0, at) + pick(['"', '}', '{', ',', ' ', '\\', '0', 'x', '\u0000', '😀']) + whole.slice(at),
                () => whole.slice(0, at) + whole.slice(at + 1), () => whole + whole, () => whole + '}', () => `[${whole}]`,
            ])();
        };

        const kinds = { delivered: 0, silent: 0 };
        for (let count = 0; count < 6000; count += 1) {
            const given = pick([canonical, canonical, shuffled, broken])();
            expected = [];
            try {
                shim(given);
            } catch {
                // The shim's handler would have thrown: nothing is delivered.
            }
            socket.deliver(given);
            equal(notes.take(), expected, given);
            kinds[expected.length ? 'delivered' : 'silent'] += 1;
        }
        reported().forEach((error) => { throw error; });
        ok(kinds.delivered > 1000 && kinds.silent > 1000, `the generator makes both kinds: ${JSON.stringify(kinds)}`);
        const { delivered, own, foreign, bad, received } = signaling.stats();
        equal(delivered, kinds.delivered);
        ok(own > 100 && foreign > 100 && bad > 100, 'all kinds came up');
        equal(received, 6000);
        "#,
    )
}

#[wasm_bindgen_test]
fn in_what_is_no_envelope_is_counted_and_reported_once() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, socket, notes: channel } = connected({ onerror: notes.taker('onerror'), onframe: notes.taker('onframe') });
        notes.take();
        const bad = ['', ' ', 'hello', '{', '}', '{"sender":17,"channel":"room","message":', '{"sender":17,"channel":"room","message":}', '{"sender":17,"channel":"room","message":1', '{"sender":17,"channel":"room","message":1}}',
            '{"sender":17,"channel":"room","message":"}', '{"sender":17,"channel":"room"', '{"sender":17,"channel":"ro', "{'sender':17}", 'undefined', 'null', 'true', '5', '"text"', '[]', '[{"sender":17,"channel":"room","message":1}]',
            '\ufeff{"sender":17,"channel":"room","message":1}', new ArrayBuffer(0), new ArrayBuffer(8), new Uint8Array([123, 125]).buffer];
        socket.deliver(...bad);
        equal(channel.take(), []);
        equal(signaling.stats().bad, bad.length);
        equal(signaling.stats().received, bad.length);
        const calls = notes.take();
        equal(calls.filter(([name]) => name === 'onerror').length, 1);
        isOurs(calls.find(([name]) => name === 'onerror')[1], 'bad-frame', "isn't JSON", 'ws://server.test/', 'stats().bad');
        equal(calls.filter(([name]) => name === 'onframe').map(([, kind, text]) => [kind, text]), bad.map((text) => ['bad', text]));
        socket.deliver(frame('room', 1));
        equal(channel.take(), [['onmessage', 1]], 'and the connection goes on');
        equal(signaling.state, 'open');
        "#,
    )
}

#[wasm_bindgen_test]
fn in_the_report_says_what_was_wrong() -> Verdict {
    page(
        r#"
        for (const [bad, words] of [['x', "isn't JSON"], ['[]', "isn't an object"], ['null', "isn't an object"], [new ArrayBuffer(1), 'binary'], ['x'.repeat(2000), 'maxMessage']]) {
            const notes = new Notes();
            const { socket, signaling } = connected({ maxMessage: 100, onerror: notes.taker('onerror') });
            socket.deliver(bad);
            isOurs(notes.calls[0][1], 'bad-frame', words);
            equal(notes.targets[0], signaling);
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn in_binary_frames_come_as_buffers() -> Verdict {
    page(
        r#"
        equal(connected().socket.binaryType, 'arraybuffer', 'what a browser reads without a detour by a Blob');
        const { signaling, socket } = connected();
        socket.deliver(new Blob(['{}']));
        equal(signaling.stats().bad, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn in_too_long_a_frame_is_not_even_read() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected({ maxMessage: 1000 });
        const text = (length) => 'x'.repeat(length - 2);
        socket.deliver(frame('room', text(1000)));
        equal(notes.take(), [['onmessage', text(1000)]]);
        // There is room for the envelope beside the longest message, and no more.
        const tooLong = frame('room', text(5000));
        for (const given of [tooLong, frame('foreign', text(5000)), frame('room', text(5000), signaling.userid), 'x'.repeat(5000)]) {
            socket.deliver(given);
        }
        equal(notes.take(), []);
        equal(signaling.stats().bad, 4);
        equal(signaling.stats().delivered, 1);
        socket.deliver(' '.repeat(50_000_000));
        equal(signaling.stats().bad, 5);
        "#,
    )
}

#[wasm_bindgen_test]
async fn in_hostile_members_harm_nobody() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, handle, socket, notes } = connected();
        const deep = '['.repeat(30_000) + ']'.repeat(30_000);
        const hostile = [
            '{"sender":{"valueOf":1,"toString":1},"channel":"room","message":1}',
            '{"sender":{"toString":null},"channel":"room","message":1}',
            `{"sender":${deep},"channel":"room","message":1}`,
            '{"sender":17,"channel":{"toString":1,"valueOf":1},"message":1}',
            `{"sender":17,"channel":${deep},"message":1}`,
            `{"channel":${deep}}`,
            deep,
            `{"sender":17,"channel":"room","message":${'{"a":'.repeat(1000)}`,
            '{"length":5,"0":"a","sender":17}',
            '{"then":1,"sender":17,"channel":"foreign","message":1}',
        ];
        socket.deliver(...hostile);
        const before = await held();
        // An exception that crossed wasm would leak a piece of its stack each time, until there is none.
        for (let round = 0; round < 2000; round += 1) {
            socket.deliver(hostile[0], hostile[1], hostile[3]);
        }
        for (let round = 0; round < 3; round += 1) {
            socket.deliver(...hostile);
        }
        await keptNothing(before, 6_000);
        equal(signaling.stats().received, 10 + 6000 + 30);
        notes.take();
        socket.deliver(frame('room', 'still here'));
        handle.send('still here');
        equal(notes.take(), [['onmessage', 'still here']]);
        equal(messages(socket), ['still here']);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn in_a_hundred_thousand_channels_that_nobody_opened() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, socket, notes } = connected();
        const names = (from, to) => {
            for (let count = from; count < to; count += 1) {
                socket.deliver(`{"sender":${count},"channel":"c${count}","message":{"candidate":"candidate:1 1 UDP 2122252543 192.168.0.1 1 typ host"}}`);
                if (count % 10 === 0) {
                    socket.deliver(`{"channel":"c${count}","sender":"x","message":1}`, frame('é'.repeat(count % 500), 1), `{"sender":1,"channel":"${'\\u0041'.repeat(count % 50)}","message":1}`);
                }
            }
        };
        names(0, 5_000);
        const before = await held();
        names(5_000, 100_000);
        await keptNothing(before, 95_000);
        equal(signaling.stats().foreign, 130_000);
        equal(signaling.stats().channels, 1);
        equal(notes.take(), []);
        socket.deliver(frame('room', 1));
        equal(notes.take(), [['onmessage', 1]]);
        "#,
    )
    .await
}
