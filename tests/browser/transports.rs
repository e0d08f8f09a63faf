//! Transports: what a page hands in to carry frames in place of a WebSocket.
//!
//! What's tested
//! * what the ten lines of the documentation come to: no `open`, one that calls back at once, one that calls back later
//! * an `open`, `send` and `close` that throw; an `onclose` with words and without; each ends the connection once and loses no message
//! * handlers called late, after a loss and after `close`, and from inside `send`; frames that are no strings
//! * another protocol than the plain one over a transport; transports that can't take handlers

use super::page::{Verdict, page, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn one_without_open_is_open_from_the_start() -> Verdict {
    page(
        r#"
        const states = [];
        const { notes, config } = noting({ channel: 'room' });
        const sent = [];
        const transport = { send: (text) => { sent.push(text); } };
        const signaling = new Signaling({ transport, onstatechange: (state, { reason }) => states.push([state, reason]) });
        equal([signaling.state, transport.onmessage, transport.onopen], ['idle', undefined, undefined], 'nothing is done before the first channel');
        const handle = signaling.openSocket(config);
        equal(states, [['connecting', 'the first channel was opened'], ['open', 'connected']]);
        equal(sockets.length, 0);
        handle.send({ a: 1 });
        equal(sent, [JSON.stringify({ sender: signaling.userid, channel: 'room', message: { a: 1 } })]);
        transport.onmessage(frame('room', 2));
        transport.onmessage(frame('other', 3));
        transport.onmessage(sent[0]);
        transport.onmessage('{"message":4,"channel":"room"}');
        equal(notes.take(), [['onmessage', 2], ['onmessage', 4]]);
        const { sentBytes, receivedBytes, ...counted } = signaling.stats();
        equal([sentBytes, receivedBytes > sentBytes], [sent[0].length, true]);
        equal(counted, { sent: 1, received: 4, delivered: 2, own: 1, foreign: 1, bad: 0, control: 0, dropped: 0, gaps: 0, queued: 0, queuedBytes: 0, channels: 1, connects: 1, reconnects: 0, roundTrip: undefined });
        clock.advance(1000);
        equal(notes.take(), [['onopen']]);
        signaling.close();
        equal(signaling.state, 'closed', 'and there is no close to call');
        "#,
    )
}

#[wasm_bindgen_test]
fn one_that_opens_at_once_or_later() -> Verdict {
    page(
        r#"
        const heard = [];
        for (const when of ['at once', 'later']) {
            const transport = new FakeTransport();
            transport.onopening = () => {
                equal([typeof transport.onopen, typeof transport.onmessage, typeof transport.onclose], ['function', 'function', 'function'], 'the handlers are there before open');
                if (when === 'at once') transport.onopen();
            };
            const signaling = new Signaling({ transport, onstatechange: (state) => heard.push(state) });
            const handle = signaling.openSocket({});
            handle.send(1);
            if (when === 'later') {
                handle.send(2);
                equal([signaling.state, transport.texts, signaling.stats().queued], ['connecting', [], 2]);
                transport.onopen();
                // A second time it says nothing new.
                transport.onopen();
            }
            equal([transport.openings, transport.closings, transport.texts.length, signaling.stats().connects], [1, 0, when === 'later' ? 2 : 1, 1]);
            equal(heard.splice(0), ['connecting', 'open']);
            signaling.close();
            equal(transport.closings, 1);
            equal(heard.splice(0), ['closed']);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn methods_are_called_as_methods() -> Verdict {
    page(
        r#"
        class Mine {
            #texts = [];
            open() { this.onopen(); }
            send(text) { this.#texts.push(text); }
            close() { this.#texts.push('closed'); }
            get texts() { return this.#texts; }
        }
        const transport = new Mine();
        const signaling = new Signaling({ transport });
        signaling.openSocket({ channel: 'room' }).send(1);
        signaling.close();
        equal(transport.texts.length, 2);
        // Handlers are plain functions, and may be taken off.
        const other = new Mine();
        const { notes, config } = noting();
        new Signaling({ transport: other, channel: 'room' }).openSocket(config);
        const { onmessage } = other;
        onmessage(frame('room', 1));
        equal(notes.take(), [['onmessage', 1]]);
        "#,
    )
}

#[wasm_bindgen_test]
fn an_open_that_throws_is_tried_again() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const transport = new FakeTransport();
        transport.onopening = () => { throw new Error('no cable'); };
        const signaling = new Signaling({ transport, reconnect: { attempts: 2 }, onstatechange: notes.taker('onstatechange'), onerror: notes.taker('onerror') });
        const handle = signaling.openSocket({});
        handle.send('waits');
        let calls = notes.take();
        equal(calls.map(([, state]) => state), ['connecting', 'waiting']);
        ok(calls[1][2].reason.includes('no cable'), calls[1][2].reason);
        clock.advance(clock.next);
        equal(transport.openings, 2);
        transport.onopening = () => transport.onopen();
        clock.advance(1000);
        equal([transport.openings, signaling.state, JSON.parse(transport.texts[0]).message], [3, 'open', 'waits']);
        clock.advance(5000);
        // Thrown after it had said that it is open, it isn't.
        transport.onopening = () => { transport.onopen(); throw new Error('no cable'); };
        transport.onclose();
        notes.take();
        clock.advance(clock.next);
        equal([signaling.state, notes.take().map(([, state]) => state)], ['waiting', ['connecting', 'open', 'waiting']]);
        clock.advance(2000);
        const [failed] = notes.take().filter(([name]) => name === 'onerror');
        isOurs(failed[1], 'connection-failed', 'no cable');
        equal(signaling.state, 'closed');
        "#,
    )
}

#[wasm_bindgen_test]
async fn an_open_that_rejects_is_tried_again() -> Verdict {
    page_awaiting(
        r#"
        const states = [];
        const transport = new FakeTransport();
        let asked = 0;
        transport.open = async () => { asked += 1; if (asked === 1) throw new Error('no cable'); transport.onopen(); };
        const signaling = new Signaling({ transport, onstatechange: (state, { reason }) => states.push([state, reason]) });
        const handle = signaling.openSocket({});
        handle.send('waits');
        await settled();
        equal(states.map(([state]) => state), ['connecting', 'waiting']);
        ok(states[1][1].includes('no cable'), states[1][1]);
        clock.advance(5000);
        await settled();
        equal([asked, signaling.state, transport.texts.map((text) => JSON.parse(text).message)], [2, 'open', ['waits']]);
        // What an opening of an earlier connection comes to is nobody's.
        let reject;
        transport.open = () => new Promise((_, rejects) => { reject = rejects; });
        transport.onclose();
        clock.advance(5000);
        equal(signaling.state, 'connecting');
        const late = reject;
        transport.open = async () => transport.onopen();
        transport.onclose('again');
        clock.advance(5000);
        await settled();
        equal(signaling.state, 'open');
        late(new Error('long gone'));
        await settled();
        equal(signaling.state, 'open');
        signaling.close();
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn a_send_that_throws_loses_no_message() -> Verdict {
    page(
        r#"
        const states = [];
        const transport = new FakeTransport();
        transport.onopening = () => transport.onopen();
        const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
        const handle = signaling.openSocket({});
        handle.send(1);
        transport.onsent = () => { throw new Error('broken pipe'); };
        equal(handle.send(2), undefined, 'the page is told nothing: the message is kept');
        handle.send(3);
        equal(states, ['connecting', 'open', 'waiting']);
        equal([signaling.stats().sent, signaling.stats().queued, transport.closings], [1, 2, 1]);
        // The next connection takes the first of them, and then breaks, too.
        let taken = 0;
        transport.onsent = () => { taken += 1; if (taken === 2) throw new Error('broken pipe'); };
        clock.advance(clock.next);
        equal([signaling.state, signaling.stats().queued], ['waiting', 1]);
        transport.onsent = null;
        clock.advance(1000);
        equal(transport.texts.map((text) => JSON.parse(text).message), [1, 2, 3]);
        equal([signaling.stats().sent, signaling.stats().queued, signaling.stats().connects, transport.openings, transport.closings], [3, 0, 3, 3, 2]);
        "#,
    )
}

#[wasm_bindgen_test]
fn what_a_transport_throws_at_twice_is_given_up() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const tried = [];
        const send = (text) => {
            const { message } = JSON.parse(text);
            tried.push(message);
            if (message === 'poison') throw new Error('never');
        };
        const signaling = new Signaling({ transport: { send }, onerror: notes.taker('onerror') });
        const handle = signaling.openSocket({ channel: 'room' });
        for (const message of ['before', 'poison', 'behind']) handle.send(message);
        clock.advance(60_000);
        equal(tried, ['before', 'poison', 'poison', 'behind']);
        equal([signaling.state, signaling.stats().queued, signaling.stats().dropped, signaling.stats().sent], ['open', 0, 1, 2]);
        equal(notes.calls.length, 1);
        isOurs(notes.calls[0][1], 'message-given-up', "'room'", 'twice');
        "#,
    )
}

#[wasm_bindgen_test]
fn onclose_says_why_or_not() -> Verdict {
    page(
        r#"
        const transport = new FakeTransport();
        let told;
        const signaling = new Signaling({ transport, onstatechange: (state, detail) => { if (state === 'waiting') told = detail; } });
        signaling.openSocket({});
        const lose = (...values) => {
            told = null;
            transport.onclose(...values);
            clock.advance(told.retryIn);
            equal(signaling.state, 'connecting');
            return told;
        };
        equal(Object.keys(lose()), ['reason', 'retryIn']);
        ok(lose('the subscription was cancelled').reason.includes('the subscription was cancelled'), told.reason);
        transport.onopen();
        ok(lose().reason.includes('lost'), told.reason);
        for (const odd of [null, undefined, '', 5, true, Symbol('s'), {}, [], new Error('as an error'), () => 1, { reason: 5, code: 'x' }]) {
            transport.onopen();
            ok(lose(odd).reason.length > 10, told.reason);
        }
        // An event of a WebSocket says its own.
        transport.onopen();
        equal(lose(new CloseEvent('close', { code: 4000, reason: 'told' })).code, 4000);
        transport.onopen();
        transport.onclose(new CloseEvent('close', { code: 4500, reason: 'told' }));
        equal([signaling.state, transport.closings], ['closed', transport.openings]);
        "#,
    )
}

#[wasm_bindgen_test]
fn late_calls_are_nobodys() -> Verdict {
    page(
        r#"
        const { notes, config } = noting({ channel: 'room' });
        const transport = new FakeTransport();
        const states = [];
        const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
        signaling.openSocket(config);
        const call = ({ onopen, onmessage, onclose }) => {
            onmessage(frame('room', 'late'));
            onopen();
            onmessage(frame('room', 'late'));
            onclose('late');
        };
        const first = transport.handlers;
        transport.onopen();
        transport.onclose();
        states.length = 0;
        // Lost, and those of the lost connection are the ones that it has.
        call(first);
        equal([states, signaling.state], [[], 'waiting']);
        clock.advance(500);
        ok(transport.onmessage !== first.onmessage, 'a new connection has new handlers');
        call(first);
        equal([states, signaling.state], [['connecting'], 'connecting']);
        const second = transport.handlers;
        transport.onopen();
        call(first);
        transport.onmessage(frame('room', 'in time'));
        equal([signaling.state, notes.take()], ['open', [['onmessage', 'in time']]]);
        equal(signaling.stats().received, 1);
        signaling.close();
        states.length = 0;
        call(first);
        call(second);
        call(transport.handlers);
        equal([states, notes.take(), signaling.state, signaling.stats().received], [[], [], 'closed', 1]);
        equal([transport.openings, transport.closings], [2, 2]);
        "#,
    )
}

#[wasm_bindgen_test]
fn messages_before_it_is_open() -> Verdict {
    page(
        r#"
        // Some servers are heard before they take anything.
        const { notes, config } = noting({ channel: 'room' });
        const transport = new FakeTransport();
        const signaling = new Signaling({ transport });
        const handle = signaling.openSocket(config);
        transport.onmessage(frame('room', 'early'));
        equal([notes.take(), signaling.state], [[['onmessage', 'early']], 'connecting']);
        handle.send(1);
        transport.onopen();
        equal(transport.texts.length, 1);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_send_that_calls_back() -> Verdict {
    page(
        r#"
        // An echo from inside send, and an answer from inside that.
        const { notes, config } = noting({ channel: 'room' });
        const transport = new FakeTransport();
        transport.onopening = () => transport.onopen();
        const signaling = new Signaling({ transport });
        config.onmessage = (message) => { notes.taker('onmessage')(message); if (message < 5) handle.send(message + 1); };
        transport.onsent = (text) => { transport.onmessage(text); transport.onmessage(JSON.stringify({ ...JSON.parse(text), sender: OTHER })); };
        const handle = signaling.openSocket(config);
        handle.send(1);
        equal(notes.take(), [1, 2, 3, 4, 5].map((message) => ['onmessage', message]));
        equal([signaling.stats().sent, signaling.stats().own, signaling.stats().delivered], [5, 5, 5]);
        signaling.close();

        // From inside the outbox: what waits goes out before what is sent now.
        const order = [];
        const slow = new FakeTransport();
        const other = new Signaling({ transport: slow });
        const another = other.openSocket({});
        [1, 2, 3].forEach((message) => another.send(message));
        slow.onsent = (text) => { const { message } = JSON.parse(text); order.push(message); if (message < 3) another.send(message + 10); };
        slow.onopen();
        equal(order, [1, 2, 3, 11, 12]);
        equal([other.stats().sent, other.stats().queued], [5, 0]);
        "#,
    )
}

#[wasm_bindgen_test]
fn a_send_that_says_it_is_closed() -> Verdict {
    page(
        r#"
        for (const throws of [true, false]) {
            const transport = new FakeTransport();
            const states = [];
            transport.onopening = () => transport.onopen();
            const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
            const handle = signaling.openSocket({});
            transport.onsent = () => { transport.onclose('gone'); if (throws) throw new Error('gone'); };
            handle.send(1);
            equal([states, transport.closings], [['connecting', 'open', 'waiting'], 1]);
            transport.onsent = null;
            clock.advance(500);
            handle.send(2);
            equal(transport.texts.map((text) => JSON.parse(text).message), [1, 2], 'once, and in order');
            signaling.close();
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn closing_from_inside() -> Verdict {
    page(
        r#"
        for (const inside of ['open', 'send', 'send, throwing', 'send to a lost one']) {
            const transport = new FakeTransport();
            const notes = new Notes();
            const signaling = new Signaling({ transport, onerror: notes.taker('onerror'), onstatechange: (state) => notes.taker(state)() , ...(inside === 'send to a lost one' ? { reconnect: false } : {}) });
            transport.onopening = () => { transport.onopen(); if (inside === 'open') signaling.close(); };
            transport.onsent = () => {
                if (inside === 'send to a lost one') transport.onclose(); else signaling.close();
                if (inside !== 'send') throw new Error('closed');
            };
            let handle;
            if (inside === 'open') {
                signaling.openSocket({});
            } else {
                handle = signaling.openSocket({});
                handle.send(1);
            }
            equal([signaling.state, transport.openings, transport.closings, signaling.stats().queued, clock.timers], ['closed', 1, 1, 0, 0], inside);
            equal(notes.take().at(-1), ['closed'], inside);
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn a_close_that_throws_or_calls_back() -> Verdict {
    page(
        r#"
        const transport = new FakeTransport();
        const mine = new Error('mine');
        transport.onclosing = ({ onclose }) => { onclose('by close'); throw mine; };
        transport.onopening = () => transport.onopen();
        const states = [];
        const signaling = new Signaling({ transport, onstatechange: (state) => states.push(state) });
        signaling.openSocket({});
        transport.onclose();
        equal(reported(), [mine], 'as any handler of the page');
        clock.advance(500);
        signaling.close();
        equal(reported(), [mine]);
        equal([states, transport.closings], [['connecting', 'open', 'waiting', 'connecting', 'open', 'closed'], 2]);
        const odd = new FakeTransport();
        odd.close = 'no function';
        const other = new Signaling({ transport: odd });
        other.openSocket({});
        other.close();
        isOurs(reported()[0], 'bad-config', 'close', "'no function'");
        "#,
    )
}

#[wasm_bindgen_test]
fn frames_that_are_no_strings() -> Verdict {
    page(
        r#"
        const frames = [];
        const { notes, config } = noting({ channel: 'room' });
        const transport = new FakeTransport();
        const errors = new Notes();
        const signaling = new Signaling({ transport, onerror: errors.taker('onerror'), onframe: (kind, data) => frames.push([kind, data]) });
        const handle = signaling.openSocket(config);
        transport.onopen();
        const odd = [undefined, null, 5, true, Symbol('s'), 5n, {}, { sender: 17, channel: 'room', message: 1 }, [], [1, 2, 3], ['{"channel":"room","message":1}'], { length: 5 }, { length: 5, slice: () => 5 }, new ArrayBuffer(8), new Uint8Array(8),
            new Blob(['{}']), () => 1, (one, two) => 1, new String('{"channel":"room","message":1}'), { get length() { throw new Error('mine'); } }];
        for (const data of odd) {
            transport.onmessage(data);
        }
        equal(notes.take(), []);
        equal(signaling.stats().bad, odd.length);
        equal(frames, odd.map((data) => ['bad', data]));
        equal(errors.take().length, 1, 'told of once');
        transport.onmessage(frame('room', 'goes on'));
        handle.send(1);
        equal([notes.take(), transport.texts.length, signaling.state], [[['onmessage', 'goes on']], 1, 'open']);
        "#,
    )
}

#[wasm_bindgen_test]
async fn it_carries_any_protocol() -> Verdict {
    page_awaiting(
        r#"
        const talks = { 'socket.io': [GREETING_4, '40{"sid":"x"}'], 'signalr': [`{}${END}`], 'websocket': [] };
        for (const [protocol, talk] of Object.entries(talks)) {
            const { notes, config } = noting({ channel: 'room' });
            const transport = new FakeTransport();
            const signaling = new Signaling({ transport, protocol });
            const handle = signaling.openSocket(config);
            handle.send('waits');
            await settled();
            transport.onopen();
            talk.forEach((text) => transport.onmessage(text));
            equal([signaling.state, requests.length, sockets.length], ['open', 0, 0], protocol);
            transport.onmessage(servers[protocol].wrap(frame('room', 1)));
            equal(notes.take(), [['onmessage', 1]], protocol);
            equal(servers[protocol].unwrap(transport.texts.at(-1)).message, 'waits', protocol);
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn one_that_takes_no_handlers_is_refused() -> Verdict {
    page(
        r#"
        // Nothing would ever be heard of it.
        for (const transport of [Object.freeze({ send() {} }), Object.preventExtensions({ send() {} }), new Proxy({ send() {} }, { set: () => false }), new Proxy({ send() {} }, { set() { throw new Error('mine'); } })]) {
            refused(() => new Signaling({ transport }), 'bad-option', 'transport', 'an object', 'onmessage');
        }
        "#,
    )
}

#[wasm_bindgen_test]
fn a_ready_state_that_isnt_open() -> Verdict {
    page(
        r#"
        // A page's own WebSocket, wrapped or as it is, has a state in which `send` throws nothing and sends nothing.
        const socket = new FakeSocket('ws://own.test/');
        const transport = Object.assign(socket, { open() {} });
        const signaling = new Signaling({ transport });
        const handle = signaling.openSocket({});
        handle.send(1);
        socket.accept();
        equal(messages(socket), [1]);
        socket.sink();
        handle.send(2);
        equal([signaling.state, signaling.stats().queued, socket.swallowed], ['waiting', 1, []]);
        "#,
    )
}
