//! What becomes of messages that wait: a time after which they are worth nothing, the promise that they were taken, and the end of it all.
//!
//! What's tested
//! * `ttl`: values that can't be; messages that expire before a connection comes, while it is down and not while it has them; each told once, and in time
//! * `flushed()`: nothing waits; handed over to an ordinary server, acknowledged by our relay; across losses; what was dropped; closed; several
//! * `closed`: with the reason and the code, once, whichever way it ended; with no listener, and asked late

use super::page::{Verdict, page, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_ttl_that_cannot_be() -> Verdict {
    page(
        r#"
        const { signaling, handle, socket } = connected();
        for (const [ttl, shown] of [[-1, '-1'], [-Infinity, '-Infinity'], [NaN, 'NaN'], ['5', "'5'"], ['', "''"], [null, 'null'], [true, 'true'], [false, 'false'], [{}, 'an object'], [[5], 'an object'], [() => 5, 'a function'], [5n, '5'], [Symbol('s'), 'Symbol(s)'], [new Date(0), 'an object']]) {
            refused(() => handle.send(1, { ttl }), 'bad-option', 'ttl', shown, 'milliseconds');
        }
        equal([socket.frames, signaling.stats().queued], [[], 0], 'nothing was sent');
        for (const ttl of [undefined, 0, 0.5, 5, 1e300, Infinity, Number.MAX_VALUE, Number.MIN_VALUE, -0]) handle.send(ttl ?? null, { ttl });
        equal(socket.frames.length, 9);
        // Libraries hand over this and that behind the message.
        for (const odd of [null, undefined, 5, 'ttl', true, [], () => 1, Symbol('s'), {}, { ttl: undefined }, { channel: 'x' }, Object.create(null)]) handle.send('odd', odd);
        equal(messages(socket).slice(9), Array(12).fill('odd'));
        handle.send(1, { get ttl() { throw new Error('mine'); } }, 2);
        "#,
    )
}

#[wasm_bindgen_test]
fn messages_that_expire_before_a_connection_comes() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'ws://server.test/', onerror: notes.taker('onerror') });
        const handle = signaling.openSocket({ channel: 'room "1"' });
        handle.send('at once', { ttl: 0 });
        handle.send('short', { ttl: 100 });
        handle.send('long', { ttl: 1000 });
        handle.send('for ever');
        handle.send('just', { ttl: 500 });
        clock.advance(499);
        sockets[0].accept();
        equal(messages(sockets[0]), ['long', 'for ever', 'just']);
        equal(notes.targets, [signaling, signaling]);
        for (const [, error] of notes.take()) isOurs(error, 'message-expired', `'room "1"'`, 'ttl');
        equal([signaling.stats().dropped, signaling.stats().queued, signaling.stats().queuedBytes], [2, 0, 0]);
        clock.advance(10_000);
        equal([notes.take(), signaling.stats().dropped], [[], 2], 'what went out does not expire');
        "#,
    )
}

#[wasm_bindgen_test]
fn messages_that_expire_while_it_is_down() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = connected({ onerror: notes.taker('onerror'), outbox: { messages: 2 } });
        handle.send('goes', { ttl: 0 });
        equal(messages(socket), ['goes']);
        const next = comeBack(socket);
        handle.send('stale', { ttl: 100 });
        handle.send('waits');
        refused(() => handle.send('too many'), 'outbox-full');
        // What has expired makes room.
        clock.advance(100);
        handle.send('in its place');
        isOurs(notes.take()[0][1], 'message-expired');
        next.accept();
        equal([messages(next), notes.take(), signaling.stats().dropped], [['waits', 'in its place'], [], 1]);
        "#,
    )
}

#[wasm_bindgen_test]
async fn the_drop_is_told_when_its_time_comes() -> Verdict {
    page_awaiting(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = connected({ onerror: notes.taker('onerror'), reconnect: { base: 60_000, cap: 60_000 } });
        socket.end(1006);
        handle.send('later', { ttl: 300 });
        handle.send('for ever');
        handle.send('soon', { ttl: 100 });
        const left = () => [notes.take().map(([, error]) => error.code), signaling.stats().queued];
        clock.advance(99);
        equal(left(), [[], 3]);
        clock.advance(1);
        equal(left(), [['message-expired'], 2], 'nobody sent, and no connection came');
        clock.advance(199);
        equal(left(), [[], 2]);
        clock.advance(1);
        equal(left(), [['message-expired'], 1]);
        // It may have been all that somebody waits for.
        const other = new Signaling({ url: 'ws://server.test/', onerror() {} });
        other.openSocket({}).send('stale', { ttl: 50 });
        let flushed = false;
        other.flushed().then(() => { flushed = true; });
        clock.advance(50);
        await settled();
        equal(flushed, true);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
fn with_our_relay_too() -> Verdict {
    page(
        r#"
        const notes = new Notes();
        const { signaling, handle, socket } = joined({ onerror: notes.taker('onerror') });
        handle.send('candidate', { ttl: 100 });
        clock.advance(200);
        // The relay has it, most likely, and is slow to say so: nothing was dropped.
        handle.send('next');
        equal([notes.take(), signaling.stats().dropped], [[], 0], 'it is on its way');
        socket.deliver(ack(2));
        equal([signaling.stats().queued, signaling.stats().dropped], [0, 0]);
        // Lost with the connection, and too late for the next.
        handle.send('stale', { ttl: 100 });
        handle.send('taken', { ttl: 100 });
        handle.send('fresh', { ttl: 1e6 });
        let next = comeBack(socket);
        clock.advance(100);
        next.accept().deliver(hello(), ack(2));
        equal(refs(next), [[5, 'fresh']]);
        equal(notes.calls.map(([, error]) => error.code), ['message-expired', 'message-expired']);
        equal([signaling.stats().dropped, signaling.stats().queued], [2, 1]);
        next.deliver(ack(5));
        notes.take();
        // One that the relay had taken after all was not dropped, however late it says so.
        handle.send('taken', { ttl: 100 });
        next = comeBack(next);
        clock.advance(100);
        next.accept().deliver(hello(), ack(6));
        equal([refs(next), notes.take(), signaling.stats().dropped, signaling.stats().queued], [[], [], 2, 0]);
        "#,
    )
}

#[wasm_bindgen_test]
fn sending_and_closing_inside_the_report() -> Verdict {
    page(
        r#"
        const codes = [];
        const signaling = new Signaling({ url: 'ws://server.test/', onerror(error) { codes.push(error.code); if (codes.length < 3) handle.send('again', { ttl: 0 }); else signaling.close(); } });
        const handle = signaling.openSocket({});
        handle.send(1, { ttl: 0 });
        handle.send(2);
        equal(codes.length, 1, 'what the handler sends has a time of its own');
        clock.advance(1);
        clock.advance(1);
        equal([codes, signaling.state], [['message-expired', 'message-expired', 'message-expired'], 'closed']);
        equal(sockets[0].frames, []);
        "#,
    )
}

#[wasm_bindgen_test]
async fn flushed_when_nothing_waits() -> Verdict {
    page_awaiting(
        r#"
        const idle = new Signaling({ url: 'ws://server.test/' });
        ok(idle.flushed() instanceof Promise, 'a promise');
        equal(await idle.flushed(), undefined);
        equal([idle.state, sockets.length], ['idle', 0], 'asking connects nothing');
        idle.openSocket({});
        equal(await idle.flushed(), undefined, 'nothing was sent');
        const { flushed } = connected().signaling;
        equal(await flushed(), undefined, 'taken off the object');
        const { signaling, handle, socket } = joined();
        equal(await signaling.flushed(), undefined);
        handle.send(1);
        socket.deliver(ack(1));
        equal(await signaling.flushed(), undefined);
        "#,
    )
    .await
}

/// What becomes of promises, by name, in the order in which it does.
const WATCH: &str = r#"
        const heard = [];
        const watch = (name, promise) => { promise.then((value) => heard.push([name, value]), (error) => heard.push([name, error.code])); };
        const take = async () => { await settled(); return heard.splice(0); };
"#;

#[wasm_bindgen_test]
async fn flushed_to_an_ordinary_server() -> Verdict {
    page_awaiting(&format!(
        "{WATCH}{}",
        r#"
        const signaling = new Signaling({ url: 'ws://server.test/' });
        const handle = signaling.openSocket({});
        handle.send(1);
        watch('first', signaling.flushed());
        handle.send(2);
        watch('second', signaling.flushed());
        watch('second again', signaling.flushed());
        equal(await take(), []);
        sockets[0].accept();
        equal((await take()).map(([name]) => name).sort(), ['first', 'second', 'second again'], 'handed over is all that can be known');
        handle.send(3);
        watch('third', signaling.flushed());
        equal(await take(), [['third', undefined]]);
        const next = comeBack(sockets[0]);
        handle.send(4);
        watch('fourth', signaling.flushed());
        equal(await take(), []);
        next.end();
        equal(await take(), []);
        clock.advance(20_000);
        sockets.at(-1).accept();
        equal(await take(), [['fourth', undefined]]);
        "#
    ))
    .await
}

#[wasm_bindgen_test]
async fn flushed_to_our_relay() -> Verdict {
    page_awaiting(&format!(
        "{WATCH}{}",
        r#"
        const { signaling, handle, socket } = joined();
        for (const message of [1, 2, 3]) {
            handle.send(message);
            watch(`up to ${message}`, signaling.flushed());
        }
        equal(await take(), [], 'handed over is not taken');
        socket.deliver(ack(1));
        equal(await take(), [['up to 1', undefined]]);
        socket.deliver(ack(1), ack(0), '{"ack":"9"}');
        equal(await take(), []);
        const next = comeBack(socket);
        equal(await take(), []);
        handle.send(4);
        watch('up to 4', signaling.flushed());
        next.accept().deliver(hello());
        equal(await take(), []);
        next.deliver(ack(3));
        equal((await take()).map(([name]) => name), ['up to 2', 'up to 3'], 'in their order');
        next.deliver(ack(4));
        equal(await take(), [['up to 4', undefined]]);
        // What is sent behind it isn't waited for.
        handle.send(5);
        watch('up to 5', signaling.flushed());
        handle.send(6);
        next.deliver(ack(5));
        equal(await take(), [['up to 5', undefined]]);
        // And a channel that was closed meanwhile changes nothing.
        handle.send(7);
        watch('up to 7', signaling.flushed());
        handle.close();
        equal(await take(), []);
        next.deliver(ack(7));
        equal(await take(), [['up to 7', undefined]]);
        "#
    ))
    .await
}

#[wasm_bindgen_test]
async fn flushed_of_what_was_dropped() -> Verdict {
    page_awaiting(&format!(
        "{WATCH}{}",
        r#"
        const { signaling, handle, socket } = joined({ onerror: (error) => heard.push(['onerror', error.code]) });
        handle.send('poison');
        watch('poison', signaling.flushed());
        comeBack(socket, 1009);
        greet(0).end(1009);
        equal(await take(), [['onerror', 'message-given-up'], ['poison', undefined]], 'nothing waits for it any more');
        handle.send('stale', { ttl: 10 });
        watch('stale', signaling.flushed());
        clock.advance(20_000);
        greet(0);
        equal(await take(), [['onerror', 'message-expired'], ['stale', undefined]]);
        "#
    ))
    .await
}

#[wasm_bindgen_test]
async fn flushed_and_closed() -> Verdict {
    page_awaiting(&format!(
        "{WATCH}{}",
        r#"
        const ends = {
            close: (signaling) => signaling.close(),
            'a final code': () => sockets.at(-1).end(4500),
            'close inside a handler': (signaling) => { signaling.onframe = () => signaling.close(); sockets.at(-1).deliver(frame('x', 1)); },
        };
        for (const [name, end] of Object.entries(ends)) {
            const { signaling, handle } = joined();
            watch('before', signaling.flushed());
            handle.send(1);
            watch('a', signaling.flushed());
            watch('b', signaling.flushed());
            end(signaling);
            watch('after', signaling.flushed());
            equal((await take()).sort(), [['a', 'signaling-closed'], ['after', 'signaling-closed'], ['b', 'signaling-closed'], ['before', undefined]], name);
        }
        // A rejection that nobody listens to is told as any other, but only of a promise that was asked for.
        const { signaling, handle } = joined();
        handle.send(1);
        signaling.close();
        await settled();
        equal(reported(), []);
        const error = await joined().signaling.flushed().then(() => signaling.flushed()).catch((thrown) => thrown);
        isOurs(error, 'signaling-closed', 'new Signaling()');
        // One that was never used, too.
        const unused = new Signaling({ url: 'ws://server.test/' });
        unused.close();
        isOurs(await unused.flushed().catch((thrown) => thrown), 'signaling-closed');
        "#
    ))
    .await
}

#[wasm_bindgen_test]
async fn flushed_inside_handlers() -> Verdict {
    page_awaiting(&format!(
        "{WATCH}{}",
        r#"
        const { signaling, handle, socket } = joined({ onstatechange(state) { if (state === 'open') watch('at open', this.flushed()); } }, { onmessage(message) { handle.send(message); watch(`echo ${message}`, signaling.flushed()); } });
        equal(await take(), [['at open', undefined]]);
        socket.deliver(kept('room', 1, '1'), kept('room', 2, '2'));
        equal(await take(), []);
        socket.deliver(ack(1));
        equal(await take(), [['echo 1', undefined]]);
        // A promise's own reaction may send, ask and close.
        signaling.flushed().then(() => { handle.send('behind'); watch('behind', signaling.flushed()); });
        socket.deliver(ack(2));
        await settled();
        heard.length = 0;
        signaling.onframe = (kind) => { if (kind === 'control') watch('in onframe', signaling.flushed()); };
        socket.deliver(ack(3));
        equal((await take()).map(([name]) => name).sort(), ['behind', 'in onframe']);
        "#
    ))
    .await
}

#[wasm_bindgen_test]
async fn many_at_once() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, handle, socket } = joined({ outbox: { messages: 5_000 } });
        let resolved = 0;
        const all = [];
        for (let message = 1; message <= 2_000; message += 1) {
            handle.send(message);
            all.push(signaling.flushed().then(() => { resolved += 1; }));
        }
        socket.deliver(ack(999));
        await settled();
        equal(resolved, 999);
        socket.deliver(ack(2_000));
        await Promise.all(all);
        equal(resolved, 2_000);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn closed_says_why() -> Verdict {
    page_awaiting(
        r#"
        const ends = {
            'closed by the page': [(signaling) => signaling.close(), undefined],
            'out of service': [() => sockets.at(-1).end(4500, 'out of service'), 4500],
            'for ever': [() => sockets.at(-1).end(3500, 'for ever'), 3500],
        };
        for (const [says, [end, code]] of Object.entries(ends)) {
            const told = [];
            const { signaling } = connected({ onstatechange: (state, detail) => told.push([state, detail]) });
            const { closed } = signaling;
            ok(closed instanceof Promise && signaling.closed === closed, 'one promise');
            let value;
            closed.then((detail) => { value = detail; });
            sockets.at(-1).end(1001);
            clock.advance(20_000);
            sockets.at(-1).accept();
            await settled();
            equal(value, undefined, 'a loss is no end');
            end(signaling);
            equal(value, undefined, 'not before the call returns');
            await settled();
            ok(value.reason.includes(says), value.reason);
            equal([value.code, told.at(-1)], [code, ['closed', value]]);
            equal(Object.keys(value), code === undefined ? ['reason'] : ['reason', 'code']);
            // Whoever asks late hears the same.
            equal(await signaling.closed, value);
            signaling.close();
            equal(await signaling.closed, value);
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn closed_whichever_way_it_ends() -> Verdict {
    page_awaiting(
        r#"
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
        // Handlers that throw or close keep nobody from hearing.
        const throwing = connected({ onstatechange(state) { if (state === 'closed') throw new Error('mine'); }, onerror() { throwing.signaling.close(); } });
        sockets.at(-1).end(4500, 'gone');
        equal((await throwing.signaling.closed).code, 4500);
        equal(reported().map(({ message }) => message), ['mine']);
        // `using` and the default signaling.
        const configured = configure({ url: 'ws://server.test/' });
        configured[Symbol.dispose]();
        equal(await configured.closed, { reason: 'closed by the page' });
        // The page's own use of the name is its own.
        const own = new Signaling({ url: 'ws://server.test/' });
        own.closed = 5;
        own.close();
        equal([own.closed, own.state], [5, 'closed']);
        "#,
    )
    .await
}
