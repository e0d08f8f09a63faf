//! The life of a page and of its network: put away and shown again, online and offline, hidden with timers that run late.
//!
//! What's tested
//! * a page that is put away and kept lets go of its connection in every state, tells so, and comes back; nothing is lost
//! * one that is put away for good, or was never kept, changes nothing
//! * online in every state: the next attempt comes within a second; offline and online doubt a connection to our relay, and no other
//! * timers that run late: a hidden page looks when it is shown, and no sooner gives up what lives
//! * the events are listened to while a signaling is in use, once, and no longer; where there are none, nothing breaks

use super::page::{Verdict, page, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_page_that_is_put_away_and_comes_back() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = joined({ onstatechange: notes.taker('state'), onerror: notes.taker('onerror') });
        socket.deliver(kept('room', 1, '1'));
        [1, 2, 3].forEach((message) => handle.send(message));
        socket.deliver(ack(1));
        clock.advance(1000);
        notes.take();
        happen.putAway();
        equal(notes.take(), [['state', 'waiting', { reason: 'the page was put away' }]]);
        ok(!socket.isHeard && socket.closings === 1, 'a connection would keep the page from being kept');
        handle.send('just before it froze');
        // It lies there for a day: no timer is to run.
        equal(clock.timers, 0);
        clock.advance(86_400_000);
        equal([sockets.length, signaling.state], [1, 'waiting']);
        happen.takenOut();
        const [[, state, detail]] = notes.take();
        equal([state, detail.reason, detail.retryIn >= 0 && detail.retryIn <= 1000], ['waiting', 'the page is back', true]);
        clock.advance(detail.retryIn);
        equal([sockets.length, signaling.state], [2, 'connecting']);
        sockets[1].accept().deliver(hello());
        equal(JSON.parse(sockets[1].frames[0]), { open: ['room'], after: { room: '1' }, session: SECRET });
        sockets[1].deliver(ack(2));
        equal([refs(sockets[1]), signaling.stats().queued], [[[3, 3], [4, 'just before it froze']], 2], 'what was not acknowledged goes again');
        equal(signaling.stats().reconnects, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn put_away_in_each_state() -> Verdict {
    page(
        r#"
        const prepare = {
            'connecting': () => { const signaling = new Signaling({ url: 'ws://server.test/' }); signaling.openSocket({ channel: 'room' }).send(1); return signaling; },
            'connecting, opened': () => { const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' }); signaling.openSocket({ channel: 'room' }).send(1); sockets.at(-1).accept(); return signaling; },
            'connecting, greeted': () => { const signaling = new Signaling({ url: 'ws://server.test/', protocol: 'auto' }); signaling.openSocket({ channel: 'room' }).send(1); sockets.at(-1).accept().deliver(hello()); return signaling; },
            'open': () => { const { signaling, socket, handle } = connected(); socket.sink(); handle.send(1); sockets.at(-1).end(); clock.advance(20_000); sockets.at(-1).accept(); handle.send(1); return signaling; },
            'open, relay': () => { const { signaling, handle } = joined(); handle.send(1); return signaling; },
            'waiting': () => { const { signaling, socket, handle } = connected(); socket.end(); handle.send(1); return signaling; },
        };
        for (const [name, make] of Object.entries(prepare)) {
            const signaling = make();
            const [state] = name.split(',');
            equal(signaling.state, state, name);
            const { sent } = signaling.stats();
            const states = [];
            signaling.onstatechange = (next, { reason }) => states.push([next, reason]);
            happen.putAway();
            equal([states, signaling.state], [[['waiting', 'the page was put away']], 'waiting'], name);
            // Once more, and what happens to the network there: nothing.
            const made = sockets.length;
            happen.online();
            happen.offline();
            happen.shown();
            happen.hidden();
            clock.advance(10_000_000);
            equal([sockets.length, signaling.state, sockets.some((socket) => socket.isHeard)], [made, 'waiting', false], name);
            happen.takenOut();
            clock.advance(1000);
            equal([sockets.length, signaling.state], [made + 1, 'connecting'], name);
            greet(0);
            clock.advance(250);
            equal(signaling.state, 'open', name);
            signaling.close();
        }
        // In these there is nothing to let go of.
        const idle = new Signaling({ url: 'ws://server.test/' });
        const closed = connected().signaling;
        closed.close();
        const told = [];
        idle.onstatechange = closed.onstatechange = (state) => told.push(state);
        happen.putAway();
        happen.takenOut();
        clock.advance(5000);
        equal([told, idle.state, closed.state], [[], 'idle', 'closed']);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_page_that_is_put_away_for_good() -> Verdict {
    page(
        r#"
        const states = [];
        const { signaling, handle, socket } = joined({ onstatechange: (state) => states.push(state) });
        states.length = 0;
        // It may yet say goodbye.
        happen.putAway(false);
        handle.send('goodbye');
        equal([refs(socket), signaling.state], [[[1, 'goodbye']], 'open']);
        // And the first showing of each page isn't persisted.
        happen.takenOut(false);
        clock.advance(2000);
        equal([states, sockets.length], [[], 1]);
        // One that was shown again although nobody had put it away.
        happen.takenOut();
        clock.advance(2000);
        equal([states, sockets.length, signaling.state], [[], 1, 'open']);
        "#,
    )
}

#[wasm_bindgen_test]
fn put_away_again_and_again() -> Verdict {
    page(
        r#"
        const { signaling, handle } = joined({ reconnect: { attempts: 2 } });
        for (let round = 1; round <= 10; round += 1) {
            handle.send(round);
            happen.putAway();
            happen.putAway();
            clock.advance(1000);
            happen.takenOut();
            happen.takenOut();
            happen.online();
            clock.advance(1000);
            equal(sockets.length, round + 1);
            equal(refs(greet(round - 1)).at(-1), [round, round]);
            sockets.at(-1).deliver(ack(round));
        }
        equal([signaling.state, signaling.stats().queued], ['open', 0]);
        // Put away while the attempt after the showing has its time.
        happen.putAway();
        happen.takenOut();
        happen.putAway();
        clock.advance(100_000);
        equal([signaling.state, sockets.length], ['waiting', 11]);
        // What is closed there stays closed.
        signaling.close();
        happen.takenOut();
        clock.advance(100_000);
        equal([signaling.state, sockets.length, clock.timers], ['closed', 11, 0]);
        "#,
    )
}

#[wasm_bindgen_test]
fn opening_and_sending_inside_the_showing() -> Verdict {
    page(
        r#"
        const { signaling, handle } = joined();
        let late;
        signaling.onstatechange = (state, { reason }) => {
            if (reason === 'the page was put away') handle.send('last');
            if (reason === 'the page is back') (late = signaling.openSocket({ channel: 'late' })).send('first');
        };
        happen.putAway();
        happen.takenOut();
        clock.advance(1000);
        equal(refs(greet(0)), [[1, 'last'], [2, 'first']]);
        equal(late.channel, 'late');
        // A listener of the page's own, before ours or behind it.
        happen.putAway();
        signaling.close();
        happen.takenOut();
        equal(signaling.state, 'closed');
        "#,
    )
}

#[wasm_bindgen_test]
fn online_hurries_what_waits() -> Verdict {
    page(
        r#"
        const delays = [];
        for (let round = 0; round < 40; round += 1) {
            const { signaling } = connected({ reconnect: { base: 1_000_000, cap: 1_000_000 } });
            sockets.at(-1).end();
            const made = sockets.length;
            const told = [];
            signaling.onstatechange = (state, detail) => told.push([state, detail]);
            const before = clock.next;
            happen.online();
            if (told.length === 0) {
                // It was due sooner.
                ok(before <= 1000, `${before}`);
            } else {
                equal([told.length, told[0][0], told[0][1].reason, Object.keys(told[0][1])], [1, 'waiting', 'the network is back', ['reason', 'retryIn']]);
                delays.push(told[0][1].retryIn);
                ok(Math.abs(clock.next - told[0][1].retryIn) < 1e-6, 'the timer is set anew');
            }
            clock.advance(1000);
            equal([sockets.length, signaling.state], [made + 1, 'connecting']);
            signaling.close();
        }
        ok(Math.max(...delays) > 500 && Math.min(...delays) < 500 && Math.max(...delays) <= 1000, 'at random within a second');
        "#,
    )
}

#[wasm_bindgen_test]
fn online_begins_the_count_anew() -> Verdict {
    page(
        r#"
        const { signaling } = connected({ reconnect: { attempts: 3, base: 1, cap: 1 } });
        for (let round = 0; round < 10; round += 1) {
            sockets.at(-1).end();
            happen.online();
            clock.advance(1000);
            equal(signaling.state, 'connecting', `round ${round}`);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn online_and_offline_in_the_other_states() -> Verdict {
    page(
        r#"
        const told = [];
        const idle = new Signaling({ url: 'ws://server.test/', onstatechange: (state) => told.push(state) });
        for (const what of ['online', 'offline', 'shown', 'hidden']) happen[what]();
        equal([idle.state, sockets.length, clock.timers], ['idle', 0, 0]);
        idle.openSocket({});
        told.length = 0;
        for (const what of ['online', 'offline', 'shown', 'hidden']) happen[what]();
        equal([told, idle.state, sockets.length], [[], 'connecting', 1]);
        // An ordinary server has no answer to give: it is as it was.
        sockets[0].accept();
        told.length = 0;
        for (const what of ['online', 'offline', 'shown', 'hidden']) happen[what]();
        clock.advance(100_000);
        equal([told, idle.state, sockets[0].frames, sockets.length], [[], 'open', [], 1]);
        idle.close();
        told.length = 0;
        for (const what of ['online', 'offline', 'shown', 'hidden']) happen[what]();
        clock.advance(100_000);
        equal([told, sockets.length], [[], 1]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_connection_that_is_doubted() -> Verdict {
    page(
        r#"
        for (const event of ['online', 'offline']) {
            const states = [];
            const { signaling, handle, socket } = joined({ onstatechange: (state, { reason }) => states.push([state, reason]) });
            clock.advance(10_000);
            socket.deliver('{"pong":1}');
            socket.frames.length = states.length = 0;
            // It answers.
            happen[event]();
            equal(socket.frames, ['{"ping":1}'], 'it is asked at once');
            clock.advance(4_000);
            socket.deliver('{"pong":1}');
            equal(signaling.stats().roundTrip, 4_000);
            clock.advance(30_000);
            equal([signaling.state, states], ['open', []], event);
            socket.deliver('{"pong":1}');
            // It speaks of something else, which is as good.
            happen[event]();
            clock.advance(4_999);
            socket.deliver(kept('other', 1, '1'));
            clock.advance(5_000);
            equal(signaling.state, 'open');
            // It is gone, and no close will tell.
            handle.send('into the void');
            happen[event]();
            clock.advance(4_999);
            happen[event]();
            equal(signaling.state, 'open', 'not too soon');
            clock.advance(1);
            equal(states, [['waiting', 'the server fell silent']], 'a second doubt gives no more time');
            clock.advance(20_000);
            equal(refs(greet(0)), [[1, 'into the void']]);
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn a_hidden_page_whose_timers_run_once_a_minute() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = joined();
        // The relay speaks every 25 s; frames come in time, timers do not.
        clock.late = 60_000;
        for (let at = 0; at < 600_000; at += 25_000) {
            clock.advance(25_000);
            socket.deliver('{"ping":25000}');
            equal(signaling.state, 'open', `after ${at}`);
        }
        ok(socket.frames.filter((text) => text === '{"pong":25000}').length === 24, 'each is answered');
        // The relay is gone: that is seen when a timer runs, or at the latest when the page is shown.
        clock.advance(34_000);
        equal(signaling.state, 'open');
        clock.advance(1_000);
        happen.shown();
        equal(signaling.state, 'waiting', 'seen at once when shown');
        clock.late = 0;
        handle.send('waits');
        clock.advance(20_000);
        equal(refs(sockets.length > 1 ? greet(0) : socket), [[1, 'waits']]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_page_that_slept() -> Verdict {
    page(
        r#"
        // Its lid was closed: no timer ran, and the clock went on. What was waiting is done when it is shown.
        const { signaling, socket } = connected();
        clock.advance(1000);
        clock.late = 1e9;
        socket.end();
        clock.advance(3_600_000);
        equal([signaling.state, sockets.length], ['waiting', 1]);
        happen.shown();
        equal([signaling.state, sockets.length], ['connecting', 2]);
        sockets[1].accept();
        equal(signaling.state, 'open');
        // Readiness, too.
        const late = noting({ channel: 'late' });
        signaling.openSocket(late.config);
        clock.advance(5_000);
        equal(late.notes.take(), []);
        happen.hidden();
        equal(late.notes.take(), [['onopen']]);
        happen.shown();
        equal(late.notes.take(), []);
        "#,
    )
}

const LISTENING: &str = r#"
        const kinds = ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange'];
        const listening = new Map(kinds.map((kind) => [kind, new Set()]));
        const { addEventListener, removeEventListener } = globalThis;
        globalThis.addEventListener = function (kind, listener, ...rest) { listening.get(kind)?.add(listener); return addEventListener.call(this, kind, listener, ...rest); };
        globalThis.removeEventListener = function (kind, listener, ...rest) { listening.get(kind)?.delete(listener); return removeEventListener.call(this, kind, listener, ...rest); };
        const counts = () => kinds.map((kind) => listening.get(kind).size);
        const restore = () => { delete globalThis.addEventListener; delete globalThis.removeEventListener; Object.assign(globalThis, { addEventListener, removeEventListener }); };
"#;

#[wasm_bindgen_test]
async fn what_is_listened_to_and_how_long() -> Verdict {
    page_awaiting(&format!(
        "{LISTENING}{}",
        r#"
        try {
            const none = Array(5).fill(0);
            const one = Array(5).fill(1);
            const ends = {
                close: ({ signaling }) => signaling.close(),
                'a final code': () => sockets.at(-1).end(4500),
                'no more attempts': () => { sockets.at(-1).end(); },
                'close inside a handler': ({ signaling }) => { signaling.onstatechange = () => signaling.close(); sockets.at(-1).end(); },
                'close while put away': ({ signaling }) => { happen.putAway(); signaling.close(); },
            };
            for (const [name, end] of Object.entries(ends)) {
                const signaling = new Signaling({ url: 'ws://server.test/', reconnect: { attempts: name === 'no more attempts' ? 1 : 5, base: 1, cap: 1 } });
                equal(counts(), none, 'an unused one needs nothing');
                signaling.openSocket({});
                equal(counts(), one, name);
                sockets.at(-1).accept().end();
                clock.advance(1);
                signaling.openSocket({ channel: 'another' });
                equal(counts(), one, `${name}: once, also after a reconnection`);
                end({ signaling });
                equal([signaling.state, counts()], ['closed', none], name);
            }
            // Two of them: each for itself.
            const pair = [connected(), connected()];
            equal(counts(), Array(5).fill(2));
            pair[0].signaling.close();
            equal(counts(), one);
            happen.putAway();
            equal(pair[1].signaling.state, 'waiting');
            pair[1].signaling.close();
            equal(counts(), none);
            // A browser that refuses a socket has nothing left, either.
            refuse(new DOMException('blocked', 'SecurityError'));
            thrownBy(() => new Signaling({ url: 'ws://server.test/' }).openSocket({}));
            equal(counts(), none, 'refused');
            // One whose server has to be asked for.
            const asking = new Signaling({ url: () => new Promise(() => {}) });
            asking.openSocket({});
            await settled();
            asking.close();
            equal(counts(), none, 'asking');
        } finally {
            restore();
        }
        "#
    ))
    .await
}

#[wasm_bindgen_test]
fn where_there_are_no_such_events() -> Verdict {
    page(&format!(
        "{LISTENING}{}",
        r#"
        try {
            for (const there of [undefined, null, 5]) {
                globalThis.addEventListener = globalThis.removeEventListener = there;
                const { signaling, handle, socket } = joined();
                handle.send(1);
                comeBack(socket);
                equal(refs(greet(0)), [[1, 1]]);
                signaling.close();
                equal(signaling.state, 'closed');
            }
            // One that throws is no better.
            globalThis.addEventListener = globalThis.removeEventListener = () => { throw new Error('not here'); };
            const { signaling, handle, socket } = joined();
            handle.send(1);
            equal(refs(socket), [[1, 1]]);
            signaling.close();
        } finally {
            restore();
        }
        "#
    ))
}

#[wasm_bindgen_test]
fn events_that_are_odd() -> Verdict {
    page(
        r#"
        const { signaling } = joined();
        // A page may make events of its own, with less in them.
        for (const kind of ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange']) {
            dispatchEvent(new Event(kind));
            dispatchEvent(new CustomEvent(kind, { detail: { persisted: true } }));
            for (const persisted of [1, 'true', {}, null]) dispatchEvent(Object.assign(new Event(kind), { persisted }));
        }
        equal([signaling.state, sockets.length], ['open', 1]);
        "#,
    )
}
