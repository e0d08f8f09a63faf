//! A connection's life as the page sees it: states and why, reconnecting, what is lost and what isn't, in virtual time.
//!
//! What's tested
//! * each change of state with its reason, its close code and the time of the next attempt
//! * reconnecting: when, how often, which close codes end it, `reconnect: false`
//! * messages sent while the connection is down, or going down, go out once and in order
//! * a browser that makes no WebSocket; sockets that are late
//! * `close`: detached, closed, nothing left; the handlers as properties; frames as an inspector sees them; the counters
//! * two signalings on one page

use super::page::{Verdict, page, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn states_come_with_their_reasons() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({
            url: 'ws://server.test/',
            onstatechange(state, detail) {
                ok(this === signaling, 'called as a method of the signaling');
                equal(signaling.state, state, 'what the signaling itself says');
                equal(arguments.length, 2);
                notes.taker(state)(detail);
            },
        });
        equal(signaling.state, 'idle');
        clock.advance(60_000);
        equal(sockets.length, 0, 'no socket without a channel');
        signaling.openSocket({});
        equal(notes.take(), [['connecting', { reason: 'the first channel was opened' }]]);
        sockets[0].accept();
        equal(notes.take(), [['open', { reason: 'connected' }]]);
        sockets[0].end(1011, 'out of memory');
        let [[state, detail]] = notes.take();
        equal(state, 'waiting');
        equal(Object.keys(detail), ['reason', 'code', 'retryIn']);
        equal(detail.code, 1011);
        ok(detail.reason.includes('out of memory'), detail.reason);
        ok(Math.abs(detail.retryIn - clock.next) < 1e-6, 'when it says, the timer runs');
        clock.advance(detail.retryIn);
        equal(notes.take(), [['connecting', { reason: 'trying again' }]]);
        sockets[1].end(1006);
        [[state, detail]] = notes.take();
        equal([state, detail.code], ['waiting', 1006]);
        ok(detail.reason.includes('ws://server.test/'), detail.reason);
        clock.advance(detail.retryIn);
        sockets[2].accept().end(1006);
        detail = notes.take().at(-1)[1];
        ok(detail.reason.includes('lost'), detail.reason);
        signaling.close();
        equal(notes.take(), [['closed', { reason: 'closed by the page' }]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn the_next_attempt_comes_at_its_time_and_not_before() -> Verdict {
    page(
        r#"
        const { signaling, socket } = connected();
        let retryIn;
        signaling.onstatechange = (state, detail) => { retryIn = detail.retryIn ?? retryIn; };
        socket.end();
        ok(retryIn >= 0 && retryIn <= 500, `${retryIn} is within the base`);
        clock.advance(retryIn - 0.001);
        equal([sockets.length, signaling.state], [1, 'waiting']);
        clock.advance(0.002);
        equal([sockets.length, signaling.state], [2, 'connecting']);
        "#,
    )
}

#[wasm_bindgen_test]
fn attempts_come_later_and_later_up_to_the_cap() -> Verdict {
    page(
        r#"
        // Full jitter: from nothing up to a bound that doubles.
        const waits = [];
        for (let run = 0; run < 30; run += 1) {
            const signaling = new Signaling({ url: 'ws://server.test/', reconnect: { base: 100, cap: 1000 } });
            signaling.openSocket({});
            for (let attempt = 0; attempt < 8; attempt += 1) {
                let retryIn;
                signaling.onstatechange = (state, detail) => { retryIn = detail.retryIn ?? retryIn; };
                sockets.at(-1).end();
                (waits[attempt] ??= []).push(retryIn);
                clock.advance(retryIn);
            }
            signaling.close();
        }
        const bounds = [100, 200, 400, 800, 1000, 1000, 1000, 1000];
        waits.forEach((drawn, attempt) => {
            const longest = Math.max(...drawn);
            ok(longest <= bounds[attempt] && longest > bounds[attempt] / 2, `attempt ${attempt}: ${longest} of at most ${bounds[attempt]}`);
            ok(Math.min(...drawn) < bounds[attempt] / 2, `attempt ${attempt}: ${Math.min(...drawn)}`);
        });
        "#,
    )
}

#[wasm_bindgen_test]
fn a_connection_that_worked_begins_the_count_anew() -> Verdict {
    page(
        r#"
        const { signaling } = connected({ reconnect: { attempts: 2, base: 1, cap: 1 } });
        const lose = (after) => {
            clock.advance(after);
            sockets.at(-1).end();
            clock.advance(1);
            if (signaling.state === 'connecting') sockets.at(-1).accept();
        };
        for (let count = 0; count < 10; count += 1) {
            lose(5000);
            equal(signaling.state, 'open');
        }
        // Up and down at once is no working connection.
        lose(4000);
        equal(signaling.state, 'open');
        lose(4000);
        equal(signaling.state, 'closed');
        "#,
    )
}

#[wasm_bindgen_test]
fn attempts_are_counted() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/', reconnect: { attempts: 2, base: 10 }, onerror: notes.taker('onerror'), onstatechange: (state) => notes.taker(state)() });
        const handle = signaling.openSocket({});
        handle.send(1);
        handle.send(2);
        for (let attempt = 0; attempt < 3; attempt += 1) {
            sockets.at(-1).end();
            clock.advance(1000);
        }
        equal(sockets.length, 3);
        const calls = notes.take();
        equal(calls.map(([name]) => name), ['connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'onerror', 'closed']);
        isOurs(calls[5][1], 'connection-failed', 'ws://server.test/', '2 unsent');
        refused(() => handle.send(3), 'signaling-closed');
        equal([clock.timers, signaling.stats().queued, signaling.stats().channels], [0, 0, 0]);
        "#,
    )
}

#[wasm_bindgen_test]
fn reconnect_false_means_never() -> Verdict {
    page(
        r#"
        for (const reconnect of [false, { attempts: 0 }]) {
            for (const open of [true, false]) {
                const notes = new Notes();
                const signaling = new Signaling({ url: 'ws://server.test/', reconnect, onerror: notes.taker('onerror') });
                signaling.openSocket({});
                if (open) sockets.at(-1).accept();
                const made = sockets.length;
                sockets.at(-1).end(1001, 'bye');
                equal(signaling.state, 'closed');
                isOurs(notes.calls[0][1], 'connection-failed', 'bye');
                clock.advance(60_000);
                equal(sockets.length, made);
            }
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn final_close_codes_are_final() -> Verdict {
    page(
        r#"
        const ends = (code) => {
            const notes = new Notes();
            const { signaling, socket } = connected({ onerror: notes.taker('onerror'), onstatechange: notes.taker('onstatechange') });
            notes.take();
            socket.end(code, 'told');
            const { state } = signaling;
            if (state === 'closed') {
                isOurs(notes.calls[0][1], 'connection-failed', 'told');
                equal(notes.calls[1][2].code, code);
                clock.advance(100_000);
                equal(sockets.at(-1), socket);
            }
            signaling.close();
            return state;
        };
        for (const code of [3500, 3501, 3999, 4500, 4501, 4999]) {
            equal(ends(code), 'closed', `code ${code}`);
        }
        for (const code of [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 3000, 3499, 4000, 4499]) {
            equal(ends(code), 'waiting', `code ${code}`);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn messages_sent_while_it_is_down_go_out_once_and_in_order() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        handle.send(1);
        socket.end();
        handle.send(2);
        clock.advance(500);
        handle.send(3);
        sockets[1].end();
        handle.send(4);
        clock.advance(1000);
        const other = signaling.openSocket({ channel: 'other' });
        other.send(5);
        sockets[2].accept();
        handle.send(6);
        equal(messages(socket), [1]);
        equal(sockets[1].frames.length + sockets[1].swallowed.length, 0);
        equal(messages(sockets[2]), [2, 3, 4, 5, 6]);
        equal([signaling.stats().sent, signaling.stats().queued, signaling.stats().connects], [6, 0, 2]);
        "#,
    )
}

#[wasm_bindgen_test]
fn channels_stay_open_across_a_loss() -> Verdict {
    page(
        r#"
        const { signaling, socket, notes } = connected();
        clock.advance(1000);
        notes.take();
        socket.end();
        clock.advance(500);
        const late = noting({ channel: 'late' });
        signaling.openSocket(late.config);
        sockets[1].accept().deliver(frame('room', 1), frame('late', 2));
        equal(notes.take(), [['onmessage', 1]]);
        equal(late.notes.take(), [['onmessage', 2]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_socket_that_is_going_down_loses_no_message() -> Verdict {
    page(
        r#"
        for (const gone of [(socket) => socket.sink(), (socket) => { socket.readyState = WebSocket.CLOSED; }, (socket) => { socket.send = () => { throw new Error('no'); }; }]) {
            const notes = new Notes();
            const { signaling, handle, socket } = connected();
            signaling.onstatechange = (state, { reason }) => notes.taker(state)(reason);
            handle.send(1);
            gone(socket);
            handle.send('é');
            handle.send(3);
            equal(notes.take(), [['waiting', 'the connection went down']]);
            equal([signaling.stats().sent, signaling.stats().queued, signaling.stats().queuedBytes], [1, 2, 8]);
            ok(!socket.isHeard && socket.closings === 1, 'the old socket is let go');
            socket.end();
            clock.advance(500);
            equal(messages(socket), [1]);
            equal(socket.swallowed, []);
            equal(messages(sockets.at(-1).accept()), ['é', 3]);
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn a_socket_that_goes_down_amid_the_outbox() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const handle = signaling.openSocket({});
        [1, 2, 3, 4].forEach((message) => handle.send(message));
        sockets[0].onsent = (sent) => { if (JSON.parse(sent).message === 2) sockets[0].sink(); };
        sockets[0].accept();
        equal(messages(sockets[0]), [1, 2]);
        equal(signaling.state, 'waiting');
        clock.advance(500);
        equal(messages(sockets[1].accept()), [3, 4]);
        equal(signaling.stats().sent, 4);
        "#,
    )
}

#[wasm_bindgen_test]
fn the_outbox_goes_out_before_the_page_hears_that_it_is_open() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        socket.end();
        handle.send('waited');
        signaling.onstatechange = (state) => { if (state === 'open') handle.send('told'); };
        clock.advance(500);
        equal(messages(sockets[1].accept()), ['waited', 'told']);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_browser_that_refuses_to_make_a_socket() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test:25/', onerror: notes.taker('onerror'), onstatechange: (state) => notes.taker(state)() });
        refuse(new DOMException('the port 25 is blocked', 'SecurityError'));
        refused(() => signaling.openSocket({}), 'connection-failed', 'ws://server.test:25/', 'the port 25 is blocked');
        equal(signaling.state, 'closed');
        const calls = notes.take();
        equal(calls.map(([name]) => name), ['connecting', 'onerror', 'closed']);
        isOurs(calls[1][1], 'connection-failed');
        refused(() => signaling.openSocket({}), 'signaling-closed');
        equal([clock.timers, signaling.stats().channels], [0, 0]);

        const { WebSocket } = globalThis;
        delete globalThis.WebSocket;
        refused(() => new Signaling({ url: 'ws://server.test/' }).openSocket({}), 'connection-failed', 'WebSocket');
        globalThis.WebSocket = class { constructor() { throw null; } };
        refused(() => new Signaling({ url: 'ws://server.test/' }).openSocket({}), 'connection-failed', 'null');
        globalThis.WebSocket = WebSocket;
        "#,
    )
}

#[wasm_bindgen_test]
fn a_refusal_at_the_next_attempt_ends_it_too() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = connected({ onerror: notes.taker('onerror') });
        socket.end();
        handle.send(1);
        refuse(new DOMException('an insecure connection from a secure page', 'SecurityError'));
        clock.advance(500);
        equal(signaling.state, 'closed');
        isOurs(notes.calls[0][1], 'connection-failed', 'insecure', '1 unsent');
        refused(() => signaling.openSocket({}), 'signaling-closed');
        "#,
    )
}

#[wasm_bindgen_test]
fn late_events_of_an_old_socket_are_nobodys() -> Verdict {
    page(
        r#"
        const states = [];
        const { signaling, socket, notes } = connected();
        socket.end();
        clock.advance(500);
        const next = sockets[1];
        signaling.onstatechange = (state) => states.push(state);
        socket.accept();
        socket.deliver(frame('room', 'late'));
        socket.end(4500);
        equal([states, signaling.state], [[], 'connecting']);
        next.accept();
        socket.deliver(frame('room', 'late'));
        socket.end(4500);
        next.deliver(frame('room', 'new'));
        equal([states, signaling.state], [['open'], 'open']);
        equal(notes.take().filter(([name]) => name === 'onmessage'), [['onmessage', 'new']]);
        equal(signaling.stats().received, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn one_socket_serves_all_channels() -> Verdict {
    page(
        r#"
        const signaling = configure({ url: 'ws://server.test/' });
        for (let count = 0; count < 20; count += 1) {
            [openSocket, openSignalingChannel, signaling.openSocket][count % 3]({ channel: count + 1 });
        }
        equal(sockets.length, 1);
        sockets[0].end();
        openSocket({ channel: 'while it waits' });
        equal(sockets.length, 1);
        clock.advance(500);
        openSocket({ channel: 'while it connects' });
        equal(sockets.length, 2);
        equal(signaling.stats().channels, 22);
        "#,
    )
}

#[wasm_bindgen_test]
fn close_lets_go_of_everything() -> Verdict {
    page(
        r#"
        const prepare = {
            idle: () => new Signaling({ url: 'ws://server.test/' }),
            connecting: () => {
                const signaling = new Signaling({ url: 'ws://server.test/' });
                signaling.openSocket({});
                return signaling;
            },
            open: () => connected().signaling,
            waiting: () => {
                const { signaling, socket } = connected();
                socket.end();
                return signaling;
            },
        };
        for (const [state, make] of Object.entries(prepare)) {
            for (const how of ['close', Symbol.dispose]) {
                const before = sockets.length;
                const signaling = make();
                const socket = sockets.length > before ? sockets.at(-1) : null;
                equal(signaling.state, state);
                const notes = new Notes();
                signaling.onstatechange = (...change) => notes.taker('onstatechange')(...change);
                signaling.onerror = notes.taker('onerror');
                equal(signaling[how](), undefined);
                equal(signaling.state, 'closed');
                equal(notes.take(), [['onstatechange', 'closed', { reason: 'closed by the page' }]]);
                signaling.close();
                signaling[how]();
                equal(notes.take(), [], 'closing twice');
                equal(clock.timers, 0);
                if (socket !== null) {
                    ok(!socket.isHeard, 'detached');
                    equal(socket.closings, 1);
                    socket.accept();
                    socket.deliver(frame('room', 1));
                    socket.end();
                }
                clock.advance(100_000);
                equal(notes.take(), []);
                equal(sockets.length, before + (socket === null ? 0 : 1));
                equal(signaling.stats().channels, 0);
            }
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn close_tells_of_messages_that_were_never_sent() -> Verdict {
    page(
        r#"
        let told;
        const signaling = new Signaling({ url: 'ws://server.test/', onstatechange: (state, detail) => { told = detail; } });
        signaling.openSocket({}).send(1);
        signaling.close();
        equal(told.reason, "closed by the page, with messages that the server hadn't taken");
        "#,
    )
}

#[wasm_bindgen_test]
fn close_inside_each_handler() -> Verdict {
    page(
        r#"
        const closing = {
            onstatechange: (signaling, socket) => { signaling.onstatechange = () => signaling.close(); socket.end(); },
            onerror: (signaling, socket) => { signaling.onerror = () => signaling.close(); socket.deliver('bad'); },
            onframe: (signaling, socket) => { signaling.onframe = () => signaling.close(); socket.deliver(frame('room', 1)); },
            'onframe of a send': (signaling, socket, handle) => { signaling.onframe = () => signaling.close(); handle.send(1); },
            onmessage: (signaling, socket, handle, config) => { config.onmessage = () => signaling.close(); socket.deliver(frame('room', 1), frame('room', 2)); },
            onopen: (signaling, socket, handle, config) => { config.onopen = () => signaling.close(); clock.advance(1000); },
        };
        for (const [name, provoke] of Object.entries(closing)) {
            const { signaling, socket, handle, config } = connected();
            provoke(signaling, socket, handle, config);
            equal(signaling.state, 'closed', name);
            equal([socket.isHeard, clock.timers, signaling.stats().channels, signaling.stats().queued], [false, 0, 0, 0], name);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn one_thing_is_told_after_the_other() -> Verdict {
    page(
        r#"
        // A handler hears of what it causes when it is through with what it is hearing of.
        const heard = [];
        const signaling = new Signaling({
            url: 'ws://server.test/',
            onstatechange(state) {
                heard.push(state);
                if (state === 'connecting') sockets.at(-1).accept();
                if (state === 'open') sockets[0].deliver('bad');
                heard.push(`${state}, through`);
            },
            onerror() {
                heard.push('error');
                signaling.close();
                heard.push('error, through');
            },
        });
        signaling.openSocket({});
        equal(heard, ['connecting', 'connecting, through', 'open', 'open, through', 'error', 'error, through', 'closed', 'closed, through']);
        "#,
    )
}

#[wasm_bindgen_test]
fn handlers_are_properties() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const given = () => undefined;
        const signaling = new Signaling({ url: 'ws://server.test/', onerror: given });
        ok(signaling.onerror === given, 'the option becomes the property');
        signaling.onerror = notes.taker('first');
        signaling.openSocket({});
        const socket = sockets[0].accept();
        socket.deliver('bad');
        equal(notes.targets, [signaling]);
        equal(notes.take().map(([name]) => name), ['first']);
        signaling.onframe = notes.taker('onframe');
        socket.deliver(frame('x', 1));
        signaling.onframe = null;
        socket.deliver(frame('x', 2));
        equal(notes.take(), [['onframe', 'foreign', frame('x', 1)]]);
        signaling.onstatechange = 'no function';
        socket.end();
        isOurs(reported()[0], 'bad-config', 'onstatechange', "'no function'");
        equal(signaling.state, 'waiting');
        "#,
    )
}

#[wasm_bindgen_test]
fn frames_as_an_inspector_sees_them() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = connected({ onframe: notes.taker('onframe') }, { onmessage: notes.taker('onmessage') });
        handle.send({ a: 1 });
        const [sent] = socket.frames;
        const bytes = new ArrayBuffer(2);
        const odd = '{ "channel": "room", "message": 3 }';
        socket.deliver(sent, frame('room', 2), odd, frame('foreign', 4), 'bad', bytes);
        equal(notes.take(), [
            ['onframe', 'sent', sent],
            ['onframe', 'own', sent],
            ['onframe', 'delivered', frame('room', 2)],
            ['onmessage', 2],
            ['onframe', 'delivered', odd],
            ['onmessage', 3],
            ['onframe', 'foreign', frame('foreign', 4)],
            ['onframe', 'bad', 'bad'],
            ['onframe', 'bad', bytes],
        ]);
        "#,
    )
}

#[wasm_bindgen_test]
fn the_counters_are_exact_and_a_snapshot() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        const zero = signaling.stats();
        const nothing = { sent: 0, sentBytes: 0, receivedBytes: 0, received: 0, delivered: 0, own: 0, foreign: 0, bad: 0, control: 0, dropped: 0, gaps: 0, queued: 0, queuedBytes: 0, channels: 1, connects: 1, reconnects: 0, roundTrip: undefined };
        equal(zero, nothing);
        for (let count = 0; count < 3; count += 1) handle.send(count);
        const given = [...socket.frames.slice(0, 2), frame('room', 1), ...Array(4).fill(frame('f', 1)), ...Array(5).fill('bad')];
        socket.deliver(...given);
        const length = (frames) => frames.join('').length;
        signaling.openSocket({ channel: 'b' });
        socket.end();
        handle.send('é');
        const counted = { ...nothing, sent: 3, sentBytes: length(socket.frames), receivedBytes: length(given), received: 12, delivered: 1, own: 2, foreign: 4, bad: 5 };
        equal(signaling.stats(), { ...counted, queued: 1, queuedBytes: 6, channels: 2 });
        equal(zero, nothing);
        clock.advance(500);
        sockets[1].accept();
        signaling.close();
        equal(signaling.stats(), { ...counted, sent: 4, sentBytes: length([...socket.frames, ...sockets[1].frames]), channels: 0, connects: 2, reconnects: 1 });
        "#,
    )
}

#[wasm_bindgen_test]
fn two_signalings_on_one_page_stay_apart() -> Verdict {
    page(
        r#"
        const one = connected({ url: 'ws://one.test/' });
        const two = connected({ url: 'ws://two.test/' });
        ok(one.signaling.userid !== two.signaling.userid, 'each has an id of its own');
        one.handle.send('from one');
        two.handle.send('from two');
        equal([messages(one.socket), messages(two.socket)], [['from one'], ['from two']]);
        one.socket.deliver(frame('room', 'to one'));
        // The other one's message is a message like any other page's.
        two.socket.deliver(one.socket.frames[0]);
        equal([one.notes.take(), two.notes.take()], [[['onmessage', 'to one']], [['onmessage', 'from one']]]);
        one.handle.close();
        two.socket.deliver(frame('room', 'still'));
        equal(two.notes.take(), [['onmessage', 'still']]);
        one.signaling.close();
        equal([one.signaling.state, two.signaling.state], ['closed', 'open']);
        two.handle.send('still');
        two.socket.end();
        clock.advance(500);
        equal(messages(sockets.at(-1).accept()), []);
        equal(two.signaling.state, 'open');
        "#,
    )
}

#[wasm_bindgen_test]
fn the_default_signaling_is_configured_before_its_first_channel() -> Verdict {
    page(
        r#"
        const first = configure({ url: 'ws://first.test/' });
        const second = configure({ url: 'ws://second.test/' });
        openSocket({ channel: 'room' });
        equal(sockets.map(({ url }) => url), ['ws://second.test/'], 'until then the last one counts');
        refused(() => configure({ url: 'ws://third.test/' }), 'in-use', 'configure', 'new Signaling');
        sockets[0].accept();
        refused(() => configure(), 'in-use');
        sockets[0].end();
        refused(() => configure(), 'in-use');
        equal(second.stats().channels, 1, 'and what is in use goes on');
        // The one that was replaced is a signaling all the same.
        equal(first.openSocket({ channel: 'own' }).channel, 'own');
        equal(sockets.at(-1).url, 'ws://first.test/');
        second.close();
        refused(() => openSocket({}), 'signaling-closed', 'configure()');
        const third = configure({ url: 'ws://third.test/' });
        openSignalingChannel({}).send(1);
        equal([sockets.at(-1).url, third.stats().queued], ['ws://third.test/', 1]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_refused_configure_changes_nothing() -> Verdict {
    page(
        r#"
        configure({ url: 'ws://first.test/', channel: 'first' });
        refused(() => configure({ url: 'nonsense://' }), 'bad-url');
        refused(() => configure({ openDelay: -1 }), 'bad-option');
        equal(openSocket({}).channel, 'first');
        equal(sockets[0].url, 'ws://first.test/');
        "#,
    )
}

#[wasm_bindgen_test]
async fn nothing_need_be_configured() -> Verdict {
    page_awaiting(
        r#"
        const fresh = await freshModule();
        const connection = { channel: 'room', openSignalingChannel: fresh.openSignalingChannel };
        const handle = connection.openSignalingChannel({});
        equal([handle.channel, sockets[0].url], ['room', `ws://${location.host}/`]);
        const error = thrownBy(() => fresh.configure({ url: 'ws://server.test/' }));
        equal([error.name, error.code], ['SignalingError', 'in-use']);
        handle.send(1);
        sockets[0].accept();
        equal(sockets[0].frames, [], 'first it is found out which server it is');
        clock.advance(250);
        equal(messages(sockets[0]), [1]);
        equal(fresh.openSocket({}).channel, 'main-channel');
        equal(sockets.length, 1);
        sockets[0].end(4500);
        equal(thrownBy(() => fresh.openSocket({})).code, 'signaling-closed');
        fresh.configure({ url: 'ws://server.test/' });
        fresh.openSocket({});
        equal(sockets[1].url, 'ws://server.test/');
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn attach() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const connection = { channel: 'room', openSignalingChannel: () => 'the old one' };
        ok(signaling.attach(connection) === connection, 'the connection comes back');
        equal(connection.openSignalingChannel({}).channel, 'room');
        const { attach } = signaling;
        function Connection() {}
        ok(attach(Connection) === Connection, 'a function is an object, too');
        const inheriting = Object.create(new Proxy({ channel: 'far' }, {}));
        equal(attach(inheriting).openSignalingChannel({}).channel, 'far');
        for (const [value, shown] of [[undefined, 'undefined'], [null, 'null'], [5, '5'], ['text', "'text'"], [true, 'true'], [Symbol('s'), 'Symbol(s)'], [1n, '1']]) {
            refused(() => signaling.attach(value), 'bad-config', 'attach', shown, 'RTCMultiConnection');
        }
        for (const closed of [Object.freeze({}), Object.seal({}), Object.preventExtensions({}), { get openSignalingChannel() { return null; } }, Object.defineProperty({}, 'openSignalingChannel', { value: 1 }), new Proxy({}, { set: () => false })]) {
            refused(() => signaling.attach(closed), 'bad-config', 'attach', 'openSignalingChannel', 'an object');
        }
        refused(() => signaling.attach(new Proxy({}, { set() { throw new Error('mine'); } })), 'bad-config');
        refused(() => signaling.attach(), 'bad-config');
        "#,
    )
}

#[wasm_bindgen_test]
fn attach_to_several() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const connections = ['a', 'b', 'c'].map((channel) => signaling.attach({ channel, notes: new Notes() }));
        const handles = connections.map((connection) => connection.openSignalingChannel({ onmessage: connection.notes.taker(connection.channel) }));
        const socket = sockets[0].accept();
        handles.forEach((handle) => handle.send(handle.channel));
        equal(messages(socket), ['a', 'b', 'c']);
        socket.deliver(frame('b', 1));
        equal(connections.map(({ notes }) => notes.take()), [[], [['b', 1]], []]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_closed_signaling_attaches_to_nothing() -> Verdict {
    page(
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        signaling.close();
        const connection = { openSignalingChannel: 1 };
        refused(() => signaling.attach(connection), 'signaling-closed');
        equal(connection, { openSignalingChannel: 1 });
        "#,
    )
}

#[wasm_bindgen_test]
fn the_signaling_is_the_pages_own_object() -> Verdict {
    page(
        r#"
        for (const signaling of [new Signaling(), configure()]) {
            signaling.mine = 1;
            equal(signaling.mine, 1);
            for (const method of ['openSocket', 'openSignalingChannel', 'attach', 'stats', 'close']) {
                equal(typeof signaling[method], 'function', method);
            }
            equal([signaling.onstatechange, signaling.onerror, signaling.onframe], [undefined, undefined, undefined]);
            // Methods work off the object.
            const { stats, close } = signaling;
            equal(stats().channels, 0);
            close();
            equal(signaling.state, 'closed');
        }
        "#,
    )
}
