//! What holds by every protocol: the same channels, the same messages, the same counters, whatever stands around the envelopes.
//!
//! What's tested
//! * the outbox goes out when the server is ready and not before, in order, and before the page hears `open`
//! * messages and channel names of every kind, out and in; own and foreign envelopes; frames that are no envelope
//! * of frames for others nothing is parsed, however long they are
//! * thousands of generated envelopes, valid and broken, against the shim
//! * a connection lost, and a signaling closed, at each step of the talk; what comes afterwards is nobody's

use super::page::{Verdict, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn the_outbox_goes_out_when_the_server_is_ready() -> Verdict {
    page_awaiting(
        r#"
        for (const [protocol, server] of Object.entries(servers)) {
            const heard = [];
            const signaling = new Signaling({ url: 'ws://server.test/', protocol, onstatechange: (state) => { heard.push(state); if (state === 'open') handle.send('told'); } });
            const handle = signaling.openSocket({ channel: 'room' });
            const sent = [];
            signaling.onframe = (kind, frame) => { if (kind === 'sent') sent.push(server.unwrap(frame)); };
            ['é', { a: '"' }, 3].forEach((message) => handle.send(message));
            await settled();
            equal([heard, sent, signaling.stats().queued], [['connecting'], [], 3], protocol);
            const socket = await server.up();
            equal(heard, ['connecting', 'open'], protocol);
            const envelopes = ['é', { a: '"' }, 3, 'told'].map((message) => ({ sender: signaling.userid, channel: 'room', message }));
            equal(sent, envelopes, protocol);
            equal(socket.frames.slice(-4).map(server.unwrap), envelopes, protocol);
            handle.send('later');
            equal(server.unwrap(socket.frames.at(-1)).message, 'later', protocol);
            equal([signaling.stats().sent, signaling.stats().queued, signaling.stats().connects], [5, 0, 1], protocol);
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn envelopes_are_delivered_dropped_and_counted() -> Verdict {
    page_awaiting(
        r#"
        for (const protocol of Object.keys(servers)) {
            const frames = [];
            const { signaling, handle, socket, notes, server } = await connectedBy(protocol, { onframe: (...frame) => frames.push(frame) });
            const before = signaling.stats();
            frames.length = 0;
            handle.send({ from: 'me' });
            const own = server.wrap(JSON.stringify(server.unwrap(socket.frames[0])));
            const kinds = [
                ['delivered', frame('room', { sdp: 'v=0\r\n"é😀' })],
                ['own', frame('room', 1, signaling.userid)],
                ['own', frame('room', 1, String(signaling.userid))],
                ['foreign', frame('rooms', 1)],
                // The whole has to be read of these.
                ['delivered', '{"message":2,"channel":"room","sender":17}'],
                ['delivered', '{"sender":17,"channel":"\\u0072oom","message":3}'],
                ['delivered', ' {"channel":"room","message":4}'],
                ['own', `{"channel":"room","sender":${signaling.userid},"message":5}`],
                ['foreign', '{"message":6,"channel":"other"}'],
                // Nobody's.
                ['bad', '[]'],
                ['bad', 'null'],
                ['bad', '5'],
            ].map(([kind, envelope]) => [kind, server.wrap(envelope)]);
            kinds.push(['own', own]);
            socket.deliver(...kinds.map(([, text]) => text));
            equal(notes.take(), [['onmessage', { sdp: 'v=0\r\n"é😀' }], ['onmessage', 2], ['onmessage', 3], ['onmessage', 4]], protocol);
            // A record of SignalR is shown without what ends it, where records were cut out of a frame.
            const shown = frames.map(([kind, text]) => [kind, text.replace(END, '')]);
            equal(shown, [['sent', socket.frames[0]], ...kinds].map(([kind, text]) => [kind, text.replace(END, '')]), protocol);
            const { delivered, own: owns, foreign, bad, control, received } = signaling.stats();
            equal([delivered, owns, foreign, bad, control - before.control, received - before.received], [4, 4, 2, 3, 0, 13], protocol);
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn awkward_messages_and_names_go_out_and_come_in() -> Verdict {
    page_awaiting(
        r#"
        const texts = ['', '"', '\\', '\\"', '\\\\', '\n\r\t\b\f\0', '\u001e', '{"a":"b"}', ']}\u001e', '"}]}', ']', '\u2028\u2029', '\ufeff', '\ud800', 'é', '😀', '</script>', '<method>', '#', 'x'.repeat(5000), '😀'.repeat(2000)];
        for (const protocol of Object.keys(servers)) {
            const { signaling, socket, server } = await connectedBy(protocol);
            const names = texts.filter((text) => text.isWellFormed() && text !== '');
            for (const channel of names) {
                const notes = new Notes();
                const handle = signaling.openSocket({ channel, onmessage: notes.taker('onmessage') });
                for (const message of [...texts, { [channel]: channel }, [null, 0.5]]) {
                    handle.send(message);
                    const envelope = JSON.stringify({ sender: signaling.userid, channel, message });
                    equal(JSON.stringify(server.unwrap(socket.frames.pop())), envelope, protocol);
                    socket.deliver(server.wrap(frame(channel, message)));
                    equal(notes.take(), [['onmessage', message]], protocol);
                }
                handle.close();
            }
            equal(signaling.stats().bad, 0, protocol);
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn names_of_every_length() -> Verdict {
    page_awaiting(
        r#"
        // Only a frame's head enters wasm, and it is cut for the longest name.
        for (const protocol of Object.keys(servers)) {
            for (const letter of ['x', 'é', '😀', '"', '\\', '\n']) {
                const { signaling, socket, notes, server } = await connectedBy(protocol, {}, { channel: letter.repeat(150) });
                for (let length = 1; length <= 320; length += 1) {
                    socket.deliver(server.wrap(frame(letter.repeat(length), length)));
                }
                equal(notes.take(), [['onmessage', 150]], `${protocol} ${letter}`);
                equal([signaling.stats().foreign, signaling.stats().bad], [319, 0], `${protocol} ${letter}`);
                for (const sender of ['p', 'p'.repeat(100), '12345678901234567', signaling.userid]) {
                    socket.deliver(server.wrap(frame(letter.repeat(150), 1, sender)), server.wrap(frame(letter.repeat(149), 2, sender)), server.wrap(frame(letter.repeat(151), 3, sender)));
                }
                equal(notes.take(), Array(3).fill(['onmessage', 1]), `${protocol} ${letter}`);
                equal(signaling.stats().own, 3, `${protocol} ${letter}`);
                signaling.close();
            }
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn of_frames_for_others_nothing_is_parsed() -> Verdict {
    page_awaiting(
        r#"
        const { parse } = JSON;
        let parsed = [];
        try {
            for (const protocol of Object.keys(servers)) {
                const { signaling, handle, socket, notes, server } = await connectedBy(protocol);
                // What a server's own capitals and cursors are is learnt of the first frame.
                socket.deliver(server.wrap(frame('room', 'first')));
                notes.take();
                const long = { sdp: 'x"\\\n'.repeat(20_000) };
                handle.send(long);
                const own = server.wrap(JSON.stringify(server.unwrap(socket.frames[0])));
                const foreign = [frame('other', long), frame('other', long, 'peer'), frame('r', 1), frame('a far longer name than any that is open here'.repeat(9), long)].map(server.wrap);
                const control = { 'websocket': [], 'socket.io': ['2', '3', '6'], 'signalr': [], 'signalr-classic': [] }[protocol];
                const before = signaling.stats();
                JSON.parse = (text) => { parsed.push(text); return parse(text); };
                for (let round = 0; round < 50; round += 1) socket.deliver(...foreign, own, ...control);
                equal(parsed.splice(0), [], protocol);
                const after = signaling.stats();
                equal([after.foreign - before.foreign, after.own - before.own], [200, 50], protocol);
                // The spy sees what is delivered: the message's text, and no more of the frame.
                const delivered = server.wrap(frame('room', long));
                socket.deliver(delivered);
                ok(parsed.length > 0 && parsed.every((text) => text.length < delivered.length), protocol);
                JSON.parse = parse;
                equal(notes.take(), [['onmessage', long]], protocol);
                parsed = [];
                signaling.close();
            }
        } finally {
            JSON.parse = parse;
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn thousands_of_envelopes_as_the_shim_reads_them() -> Verdict {
    page_awaiting(
        r#"
        // A generator that gives the same envelopes each time (mulberry32).
        let seed = 20261122;
        const random = () => {
            seed = (seed + 0x6d2b79f5) | 0;
            let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
            bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
            return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
        };
        const below = (bound) => Math.floor(random() * bound);
        const pick = (list) => list[below(list.length)];
        const open = ['room', '5', 'é😀', 'quo"te', 'back\\slash', 'a long name '.repeat(12), 'undefined'];
        for (const [protocol, server] of Object.entries(servers)) {
            if (protocol === 'websocket') continue;
            const notes = new Notes();
            const { signaling, socket } = await connectedBy(protocol);
            open.forEach((channel) => signaling.openSocket({ channel, onmessage: notes.taker(channel) }));
            let expected = [];
            const shim = (text) => {
                const data = JSON.parse(text);
                if (Array.isArray(data) || data.sender == signaling.userid) return;
                const channel = String(data.channel);
                if (open.includes(channel)) expected.push([channel, data.message]);
            };
            const name = () => pick([...open, ...open, 'foreign', 'roo', 'room ', '', 'f'.repeat(below(300)), '"'.repeat(below(100)), '\\'.repeat(below(100))]);
            const sender = () => pick(['17', '"17"', String(signaling.userid), `"${signaling.userid}"`, `${signaling.userid}.0`, '"peer"', '"é"', 'null', '{}', '-3', `"${'s'.repeat(below(150))}"`, '"a\\"b"']);
            const value = () => pick([() => String(below(1000)), () => 'null', () => JSON.stringify(pick(['', '}', '"', '\\', '\\"', '😀', ']}', '"]}]}', '"]}\u001e', '"}]', ',"channel":"room"', '\n'])), () => `{"a":[${below(9)},"b"]}`, () => '[]'])();
            const canonical = () => `{"sender":${sender()},"channel":${JSON.stringify(name())},"message":${value()}}`;
            const shuffled = () => `{${[['sender', sender()], ['channel', JSON.stringify(name())], ['message', value()], ['extra', value()]].filter(() => below(8) > 0).sort(() => random() - 0.5).map(([member, content]) => `"${member}":${content}`).join(',')}}`;
            const broken = () => {
                const whole = canonical();
                const at = below(whole.length + 1);
                return pick([() => whole.slice(0, at), () => whole.slice(at), () => whole.slice(0, at) + pick(['"', '}', '{', ',', '\\', 'x']) + whole.slice(at), () => whole + whole, () => `[${whole}]`])();
            };
            const kinds = { delivered: 0, silent: 0 };
            for (let count = 0; count < 2500; count += 1) {
                const given = pick([canonical, canonical, shuffled, broken])();
                expected = [];
                let valid = true;
                try {
                    shim(given);
                } catch {
                    valid = false;
                }
                // The envelope of Socket.IO is part of the frame's own JSON: where it is none, its place may be taken for something else.
                if (!valid && protocol === 'socket.io') {
                    let event;
                    try { event = JSON.parse(`["message",${given}]`); } catch { /* nothing */ }
                    if (event !== undefined) continue;
                }
                socket.deliver(server.wrap(given));
                equal(notes.take(), expected, `${protocol}: ${given}`);
                kinds[expected.length ? 'delivered' : 'silent'] += 1;
            }
            ok(kinds.delivered > 400 && kinds.silent > 400, `the generator makes both kinds: ${JSON.stringify(kinds)}`);
            equal(signaling.state, 'open');
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_connection_lost_at_each_step_is_tried_again() -> Verdict {
    page_awaiting(
        r#"
        // Each talk as the steps that a test can stop behind.
        const answer = (body) => async () => { requests.at(-1).answer(body); await settled(); };
        const talks = {
            'websocket': [],
            'socket.io': [() => sockets.at(-1).accept(), () => sockets.at(-1).deliver(GREETING_4)],
            'signalr': [answer(NEGOTIATED), () => sockets.at(-1).accept()],
            'signalr-classic': [answer(NEGOTIATED_CLASSIC), () => sockets.at(-1).accept(), () => sockets.at(-1).deliver('{"C":"d-1","S":1,"M":[]}')],
        };
        for (const [protocol, steps] of Object.entries(talks)) {
            for (let stop = 0; stop <= steps.length; stop += 1) {
                const what = `${protocol}, stopped behind step ${stop}`;
                const made = [sockets.length, requests.length];
                const signaling = new Signaling({ url: 'ws://server.test/', protocol });
                const handle = signaling.openSocket({ channel: 'room' });
                handle.send('waits');
                await settled();
                for (const step of steps.slice(0, stop)) await step();
                equal(signaling.state, 'connecting', what);
                const [socket] = sockets.slice(made[0]).slice(-1);
                const [request] = requests.slice(made[1]).slice(-1);
                // Whichever is under way is lost.
                const asked = protocol.startsWith('signalr') && (stop === 0 || stop === 3);
                if (asked) {
                    request.fail();
                    await settled();
                } else {
                    socket.end();
                }
                equal(signaling.state, 'waiting', what);
                clock.advance(500);
                await settled();
                equal(signaling.state, 'connecting', what);
                // What is still said by the lost connection is nobody's.
                socket?.deliver('0{}', '{}\x1e', '{"C":"d-9","S":1,"M":[]}', '40');
                request?.answer('late', 403);
                await settled();
                equal(signaling.state, 'connecting', what);
                const next = await servers[protocol].up();
                equal([signaling.state, signaling.stats().connects, signaling.stats().queued], ['open', 1, 0], what);
                equal(servers[protocol].unwrap(next.frames.at(-1)).message, 'waits', what);
                signaling.close();
            }
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_signaling_closed_at_each_step_is_closed() -> Verdict {
    page_awaiting(
        r#"
        const answer = (body) => async () => { requests.at(-1).answer(body); await settled(); };
        const talks = {
            'websocket': [() => sockets.at(-1).accept()],
            'socket.io': [() => sockets.at(-1).accept(), () => sockets.at(-1).deliver(GREETING_4), () => sockets.at(-1).deliver('40{"sid":"x"}')],
            'signalr': [answer(NEGOTIATED), () => sockets.at(-1).accept(), () => sockets.at(-1).deliver('{}\x1e')],
            'signalr-classic': [answer(NEGOTIATED_CLASSIC), () => sockets.at(-1).accept(), () => sockets.at(-1).deliver('{"C":"d-1","S":1,"M":[]}'), answer({ Response: 'started' })],
        };
        for (const [protocol, steps] of Object.entries(talks)) {
            for (let stop = 0; stop <= steps.length; stop += 1) {
                const what = `${protocol}, closed behind step ${stop}`;
                sockets.length = requests.length = 0;
                const notes = new Notes();
                const signaling = new Signaling({ url: 'ws://server.test/', protocol, onstatechange: notes.taker('onstatechange'), onerror: notes.taker('onerror'), onframe: notes.taker('onframe') });
                signaling.openSocket({ channel: 'room', onmessage: notes.taker('onmessage') });
                await settled();
                for (const step of steps.slice(0, stop)) await step();
                notes.take();
                signaling.close();
                equal(notes.take().map(([name, state]) => [name, state]), [['onstatechange', 'closed']], what);
                const made = [sockets.length, requests.length];
                ok(sockets.every((socket) => !socket.isHeard && socket.closings === 1), what);
                equal(clock.timers, 0, what);
                for (const socket of sockets) {
                    socket.accept();
                    socket.deliver('0{}', '{}\x1e', '{"C":"d-9","S":1,"M":[]}', '40', servers[protocol].wrap(frame('room', 1)));
                    socket.end();
                }
                requests.forEach((request, at) => (at % 2 ? request.fail() : request.answer(protocol === 'signalr' ? NEGOTIATED : NEGOTIATED_CLASSIC)));
                await settled();
                clock.advance(100_000);
                await settled();
                equal([notes.take(), signaling.state, sockets.length, requests.length], [[], 'closed', ...made], what);
            }
        }
        "#,
    )
    .await
}
