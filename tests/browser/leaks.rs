//! What is let go of: by wasm, whose memory never shrinks, and by JavaScript, whose garbage collector tells.
//!
//! What's tested
//! * ten thousand channels opened and closed, opened again and again, and sent on leave wasm's memory and its table of JavaScript values as
//!   they were, and every handle and config goes
//! * so do thousands of exceptions, of every kind that is everyday
//! * a closed channel's config goes while its handle is kept; messages go once they are delivered
//! * a hundred signalings opened and closed go, with their sockets; a thousand reconnections keep one socket
//! * through our relay: thousands of reconnections, with messages taken and sent again, ids and gaps; thousands of `flushed()`, of a page put away and
//!   shown again, of addresses that the page is asked for; what listens to the page's life
//! * so do thousands of connections by each protocol, with their requests, handshakes, credentials and control frames; thousands of requests that
//!   fail, credentials that can't be had, and transports that throw
//! * what is open stays, whether or not the page keeps anything of it

use super::page::{Verdict, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn ten_thousand_channels_opened_and_closed() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, socket } = connected();
        const gone = { handles: 0, configs: 0 };
        const registry = new FinalizationRegistry((kind) => { gone[kind] += 1; });
        const openAndClose = (count) => {
            const config = { channel: `channel ${count % 100}`, onmessage() {}, onopen() {}, callback: null };
            const handle = signaling.openSocket(config);
            registry.register(handle, 'handles');
            registry.register(config, 'configs');
            handle.send({ count });
            socket.frames.length = 0;
            if (count % 50 === 0) clock.advance(1000);
            handle.close();
        };
        const rounds = (from, to) => { for (let count = from; count < to; count += 1) openAndClose(count); };
        rounds(0, 1_000);
        ok(await collected(() => gone.handles === 1_000), `${gone.handles} of 1000 handles went`);
        const before = await held();
        rounds(1_000, 11_000);
        ok(await collected(() => gone.handles === 11_000 && gone.configs === 11_000), `of 11000, ${gone.handles} handles and ${gone.configs} configs went`);
        await keptNothing(before, 10_000);
        equal(signaling.stats().channels, 1);
        equal(clock.timers, 0);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn ten_thousand_openings_of_one_channel() -> Verdict {
    page_awaiting(
        r#"
        const { signaling } = connected();
        let gone = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        const reopen = (rounds) => {
            for (let count = 0; count < rounds; count += 1) {
                const config = { channel: 'room', onmessage() {} };
                registry.register(config);
                registry.register(signaling.openSocket(config));
                // Each is ready once, and until then it is kept.
                clock.advance(1000);
            }
        };
        reopen(1_000);
        const before = await held();
        reopen(10_000);
        ok(await collected(() => gone === 22_000 - 2), `${gone} went`);
        await keptNothing(before, 10_000);
        equal(signaling.stats().channels, 1);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn ten_thousand_messages_each_way() -> Verdict {
    page_awaiting(
        r#"
        let gone = 0;
        let delivered = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        const { signaling, handle, socket } = connected({}, { onmessage(message) { registry.register(message); delivered += 1; } });
        const talk = (rounds) => {
            for (let count = 0; count < rounds; count += 1) {
                const message = { count };
                registry.register(message);
                handle.send(message);
                socket.deliver(frame('room', { count }), `{"channel":"room","message":{"count":${count}}}`, socket.frames.pop(), 'bad');
                thrownBy(() => handle.send(undefined));
            }
        };
        talk(1_000);
        const before = await held();
        talk(10_000);
        equal(delivered, 22_000);
        ok(await collected(() => gone === 33_000), `${gone} of 33000 messages went`);
        await keptNothing(before, 10_000);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn thousands_of_exceptions() -> Verdict {
    page_awaiting(
        r#"
        // Whatever throws in us or around us in everyday use: the page's handlers, broken frames, messages that can't be sent.
        const failing = () => { throw new Error('mine'); };
        const { signaling, handle, socket } = connected({ onframe: failing, onerror: failing, onstatechange: failing, openDelay: 0 });
        signaling.openSocket({ channel: 'failing', onmessage: failing });
        signaling.openSocket({ channel: 'nobody' });
        signaling.openSocket.call({ channel: 'function' }, failing);
        const { openSocket } = signaling;
        const live = (rounds) => {
            for (let count = 0; count < rounds; count += 1) {
                socket.deliver('bad', '[', '[]', 'null', '{"sender":17,"channel":"room","message":}', '{"sender":{"valueOf":1,"toString":1}}');
                socket.deliver(frame('failing', 1), frame('nobody', 1), frame('function', 1), '{"channel":"failing","message":1}');
                for (const message of [undefined, 5n, failing, { toJSON: failing }]) thrownBy(() => handle.send(message));
                for (const config of [undefined, { channel: {} }, { onopen: 5 }]) thrownBy(() => openSocket(config));
                thrownBy(() => signaling.attach(null));
                openSocket({ callback: failing }).close();
                openSocket({ channel: 'again', callback: failing });
                clock.advance(0);
                reported();
            }
        };
        live(200);
        const before = await held();
        live(3_000);
        await keptNothing(before, 3_000);
        equal(signaling.stats().bad, 3_200 * 5);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn the_outbox_lets_go_of_what_went_out() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, handle } = connected();
        const breakdown = () => {
            sockets.at(-1).end();
            for (let count = 0; count < 1_000; count += 1) handle.send({ count, text: 'x'.repeat(100) });
            clock.advance(500);
            sockets.at(-1).accept();
            equal(sockets.at(-1).frames.length, 1_000);
            clock.advance(6000);
            sockets.splice(0, sockets.length - 1);
        };
        for (let round = 0; round < 3; round += 1) breakdown();
        const before = await held();
        for (let round = 0; round < 30; round += 1) breakdown();
        await keptNothing(before, 30_000);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_closed_channel_lets_go_of_its_config() -> Verdict {
    page_awaiting(
        r#"
        const { signaling } = connected();
        const kept = [];
        const open = () => {
            const config = { channel: 'closed', onmessage() {}, huge: new Array(1000).fill(0) };
            kept.push(signaling.openSocket(config));
            return new WeakRef(config);
        };
        const config = open();
        kept[0].close();
        ok(await collected(() => config.deref() === undefined), 'the config went');
        refused(() => kept[0].send(1), 'channel-closed');
        const other = open();
        signaling.close();
        ok(await collected(() => other.deref() === undefined), 'so it did when the signaling was closed');
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_hundred_signalings_opened_and_closed() -> Verdict {
    page_awaiting(
        r#"
        const gone = { signalings: 0, sockets: 0, handles: 0 };
        const registry = new FinalizationRegistry((kind) => { gone[kind] += 1; });
        const live = (rounds) => {
            for (let count = 0; count < rounds; count += 1) {
                const { signaling, handle, socket } = connected();
                registry.register(signaling, 'signalings');
                registry.register(socket, 'sockets');
                registry.register(handle, 'handles');
                // A handler that knows its signaling, as most do.
                signaling.onstatechange = signaling.onerror = signaling.onframe = () => signaling.state;
                handle.send(1);
                socket.deliver(frame('room', 1));
                // Each of the ways in which one ends.
                const endings = [() => signaling.close(), () => socket.end(4500), () => { socket.end(); signaling.close(); }, () => { socket.end(); handle.send(2); clock.advance(500); sockets.at(-1).end(4500); }];
                endings[count % endings.length]();
                equal(signaling.state, 'closed');
                sockets.length = 0;
            }
        };
        const hundred = async (all) => {
            live(100);
            ok(await collected(() => Object.values(gone).every((count) => count === all)), `of ${all}, ${JSON.stringify(gone)} went`);
        };
        await hundred(100);
        const before = await held();
        for (let all = 200; all <= 1_000; all += 100) {
            await hundred(all);
        }
        await keptNothing(before, 900);
        equal(clock.timers, 0);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_thousand_reconnections_keep_one_socket() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, handle } = connected();
        let gone = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        const reconnect = (rounds) => {
            for (let count = 0; count < rounds; count += 1) {
                sockets[0].end();
                registry.register(sockets.shift());
                handle.send(count);
                clock.advance(500);
                sockets[0].accept();
                clock.advance(5_000);
            }
        };
        reconnect(100);
        ok(await collected(() => gone === 100), `${gone} of 100 sockets went`);
        const before = await held();
        reconnect(1_000);
        ok(await collected(() => gone === 1_100), `${gone} of 1100 sockets went`);
        await keptNothing(before, 1_000);
        equal([signaling.state, signaling.stats().connects], ['open', 1_101]);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn what_is_open_stays() -> Verdict {
    page_awaiting(
        r#"
        const notes = new Notes();
        (() => {
            const signaling = new Signaling({ url: 'ws://server.test/', onstatechange: (state) => notes.taker(state)() });
            signaling.openSocket({ channel: 'room', onmessage: notes.taker('onmessage'), onopen: notes.taker('onopen') });
        })();
        for (let round = 0; round < 5; round += 1) {
            await collect();
        }
        sockets[0].accept().deliver(frame('room', 1));
        clock.advance(1000);
        for (let round = 0; round < 5; round += 1) {
            await collect();
        }
        sockets[0].end();
        clock.advance(500);
        sockets[1].accept().deliver(frame('room', 2));
        equal(notes.take(), [['connecting'], ['open'], ['onmessage', 1], ['onopen'], ['waiting'], ['connecting'], ['open'], ['onmessage', 2]]);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn the_default_signaling_goes_when_another_takes_its_place() -> Verdict {
    page_awaiting(
        r#"
        const make = () => {
            const signaling = configure({ url: 'ws://server.test/' });
            openSocket({});
            signaling.close();
            sockets.length = 0;
            return new WeakRef(signaling);
        };
        const first = make();
        configure({ url: 'ws://server.test/' });
        ok(await collected(() => first.deref() === undefined), 'it went');
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn hundreds_of_connections_by_each_protocol() -> Verdict {
    page_awaiting(
        r#"
        const envelope = (protocol, ...values) => servers[protocol].wrap(frame(...values));
        const control = { 'websocket': [], 'socket.io': ['2', '6', '421["other"]', '0{}', '3'], 'signalr': [`{"type":6}${END}`, `{"type":1,"invocationId":"1","target":"other","arguments":[]}${END}`, '{"type"', `:6}${END}`], 'signalr-classic': ['{}', '{"I":"1"}', '{"C":"d-2","M":[],"G":"g"}', '{"I":"1","E":"no"}'] };
        for (const protocol of Object.keys(servers)) {
            let gone = 0;
            const registry = new FinalizationRegistry(() => { gone += 1; });
            const credential = protocol === 'socket.io' ? { auth: async () => ({ token: 'é' }) } : protocol === 'websocket' ? {} : { accessToken: async () => 'token' };
            let connections = 0;
            const { signaling, handle } = await connectedBy(protocol, { ...credential, onerror() {}, onframe() {}, reconnect: { base: 1, cap: 1 } });
            const live = async (rounds) => {
                for (let round = 0; round < rounds; round += 1) {
                    const socket = sockets.at(-1);
                    handle.send({ round });
                    socket.deliver(envelope(protocol, 'room', { round }), envelope(protocol, 'other', round), envelope(protocol, 'room', round, signaling.userid), ...control[protocol], envelope(protocol, 'room', [round], 'peer "é"'), 'bad', new ArrayBuffer(1));
                    socket.end();
                    registry.register(socket);
                    connections += 1;
                    sockets.length = requests.length = 0;
                    // A classic connection is resumed; every other time its time is over.
                    clock.advance(1);
                    await settled();
                    if (protocol === 'signalr-classic' && requests.length === 0) sockets.at(-1).accept();
                    else await servers[protocol].up();
                    if (signaling.state !== 'open') throw new Error(`${protocol} is ${signaling.state} in round ${round}`);
                    clock.advance(5_000);
                }
            };
            await live(100);
            ok(await collected(() => gone >= connections - 1), `${protocol}: ${gone} of ${connections} sockets went`);
            const before = await held();
            await live(600);
            ok(await collected(() => gone >= connections - 1), `${protocol}: ${gone} of ${connections} sockets went`);
            await keptNothing(before, 600);
            equal(signaling.stats().connects, connections + 1, protocol);
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn hundreds_of_attempts_that_fail() -> Verdict {
    page_awaiting(
        r#"
        const lost = (socket) => { socket.end(); };
        const cyclic = {};
        cyclic.self = cyclic;
        const failures = {
            'requests without an answer': [{ protocol: 'signalr' }, () => requests.at(-1).fail()],
            'requests with a bad answer': [{ protocol: 'signalr' }, () => requests.at(-1).answer('<html>', 503)],
            // By the time that one is given up, the next may be on its way already.
            'answers that never end': [{ protocol: 'signalr' }, () => { requests.at(-1)?.begin(200); clock.advance(10_001); }],
            'no answer': [{ protocol: 'signalr-classic' }, () => clock.advance(10_001)],
            'sockets that are not let in': [{ protocol: 'socket.io' }, () => lost(sockets.at(-1))],
            'sockets that are lost in the talk': [{ protocol: 'socket.io' }, () => { sockets.at(-1).accept().deliver(GREETING_4); lost(sockets.at(-1)); }],
            'credentials that throw': [{ protocol: 'socket.io', auth: () => { throw new Error('mine'); } }, () => {}],
            'credentials that are rejected': [{ protocol: 'signalr', accessToken: () => Promise.reject(new Error('mine')) }, () => {}],
            'credentials of no use': [{ protocol: 'socket.io', auth: () => cyclic }, () => {}],
            'transports that throw in open': [{ transport: { open() { throw new Error('mine'); }, send() {} } }, () => {}],
            // At the second time the message is given up, and all is well until the next.
            'transports that throw in send': [{ transport: { send() { throw new Error('mine'); }, close() {} } }, (signaling, handle) => { if (signaling.state === 'open') handle.send('another'); }],
            'transports that end at once': [{ transport: { open() { this.onclose('no'); }, send() {} } }, () => {}],
        };
        for (const [name, [options, provoke]] of Object.entries(failures)) {
            const signaling = new Signaling({ url: 'https://server.test/', ...options, reconnect: { base: 1, cap: 1 } });
            const handle = signaling.openSocket({});
            handle.send('waits');
            let attempts = 0;
            signaling.onstatechange = (state) => { if (state === 'connecting') attempts += 1; };
            const fail = async (rounds) => {
                for (let round = 0; round < rounds; round += 1) {
                    await settled();
                    provoke(signaling, handle);
                    await settled();
                    if (signaling.state !== 'waiting' && signaling.state !== 'connecting') throw new Error(`${name}: ${signaling.state}`);
                    sockets.length = requests.length = 0;
                    clock.advance(1);
                }
            };
            await fail(100);
            await collect();
            const before = await held();
            const made = attempts;
            await fail(400);
            await collect();
            ok(attempts - made >= 350, `${name}: ${attempts - made} attempts`);
            await keptNothing(before, 400);
            const { queued, dropped } = signaling.stats();
            ok(name === 'transports that throw in send' ? dropped > 200 && queued <= 1 : dropped === 0 && queued === 1, `${name}: ${queued} queued, ${dropped} dropped`);
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn transports_that_hand_over_anything() -> Verdict {
    page_awaiting(
        r#"
        const transport = new FakeTransport();
        const mine = new Error('mine');
        transport.onopening = () => transport.onopen();
        transport.onclosing = () => { throw mine; };
        const signaling = new Signaling({ transport, onerror() {}, reconnect: { base: 1, cap: 1 } });
        const handle = signaling.openSocket({ channel: 'room', onmessage() { throw mine; } });
        const live = (rounds) => {
            for (let round = 0; round < rounds; round += 1) {
                for (const odd of [undefined, null, round, Symbol('s'), [round], { length: 5 }, new Uint8Array(4), { get length() { throw mine; } }, 'bad', frame('room', round)]) transport.onmessage(odd);
                handle.send(round);
                transport.texts.length = 0;
                transport.onclose(round % 2 ? 'why' : undefined);
                clock.advance(1);
                clock.advance(5_000);
                reported();
            }
        };
        live(200);
        const before = await held();
        live(2_000);
        await keptNothing(before, 2_000);
        equal([signaling.stats().connects, signaling.stats().sent], [2_201, 2_200]);
        signaling.close();
        equal(reported(), [mine]);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn thousands_of_reconnections_through_our_relay() -> Verdict {
    page_awaiting(
        r#"
        let epoch = 0;
        let gaps = 0;
        const { signaling, handle } = joined({ reconnect: { base: 1, cap: 1 }, ongap() { gaps += 1; }, onerror() {}, onframe() {} });
        let gone = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        let number = 0;
        let id = 0;
        const live = (rounds) => {
            for (let round = 0; round < rounds; round += 1) {
                const socket = sockets.at(-1);
                handle.send({ round });
                handle.send({ round }, { ttl: 1 });
                number += 2;
                socket.deliver(kept('room', { round }, `${id += 1}`), `{"channel":"room","id":"${id += 1}","message":[${round}]}`, kept('other', round, `${id += 1}`), '{"gap":"room"}', '{"ping":1}', '{"pong":1}', 'bad');
                if (round % 3) socket.deliver(ack(number - 1));
                signaling.openSocket({ channel: `channel ${round}` }).close();
                if (round % 5 === 0) happen.offline();
                if (round % 7 === 0) {
                    happen.putAway();
                    happen.takenOut();
                    clock.advance(1_000);
                } else {
                    socket.end(round % 2 ? 1006 : 1009);
                    clock.advance(1);
                }
                registry.register(socket);
                sockets.splice(0, sockets.length - 1);
                // Now and then it is a relay that was started anew.
                if (round % 11 === 0) epoch += 1;
                greet(round % 4 ? number : 0, { epoch: `epoch ${epoch}`, session: `session ${round}` });
                if (signaling.state !== 'open') throw new Error(`${signaling.state} in round ${round}`);
                sockets.at(-1).deliver(ack(number));
                clock.advance(5_000);
            }
            return rounds;
        };
        let all = live(300);
        ok(await collected(() => gone === all), `${gone} of ${all} sockets went`);
        const before = await held();
        all += live(3_000);
        ok(await collected(() => gone === all), `${gone} of ${all} sockets went`);
        await keptNothing(before, 3_000);
        const { queued, connects, channels } = signaling.stats();
        equal([queued, connects, channels], [0, all + 1, 1]);
        ok(gaps > all && signaling.stats().dropped > 100, `${gaps} gaps, ${signaling.stats().dropped} dropped`);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn thousands_of_promises_of_the_outbox() -> Verdict {
    page_awaiting(
        r#"
        let gone = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        let outcomes = 0;
        const note = () => { outcomes += 1; };
        const ask = (signaling) => {
            const promise = signaling.flushed();
            promise.then(note, note);
            registry.register(promise);
        };
        const { signaling, handle, socket } = joined();
        let number = 0;
        const live = async (rounds) => {
            for (let round = 0; round < rounds; round += 1) {
                ask(signaling);
                handle.send(round);
                ask(signaling);
                ask(signaling);
                socket.deliver(ack(number += 1));
                socket.frames.length = 0;
                if (round % 100 === 0) await settled();
            }
            await settled();
        };
        await live(500);
        ok(await collected(() => gone === 1_500), `${gone} of 1500 promises went`);
        const before = await held();
        await live(5_000);
        ok(await collected(() => gone === 16_500), `${gone} of 16500 promises went`);
        await keptNothing(before, 5_000);
        equal(outcomes, 16_500);
        // Of signalings that were closed with some unanswered, also when nobody listened to what became of them.
        gone = outcomes = 0;
        const end = async (rounds) => {
            for (let round = 0; round < rounds; round += 1) {
                const one = joined();
                one.handle.send(round);
                ask(one.signaling);
                ask(one.signaling);
                one.signaling.closed.then(note);
                registry.register(one.signaling);
                registry.register(one.signaling.closed);
                one.signaling.close();
                sockets.length = 0;
            }
            await settled();
        };
        // In hundreds: memory that was needed at once stays.
        const hundred = async (all) => {
            await end(100);
            ok(await collected(() => gone === all * 4), `${gone} of ${all * 4} went`);
        };
        for (let all = 100; all <= 200; all += 100) await hundred(all);
        const closed = await held();
        for (let all = 300; all <= 700; all += 100) await hundred(all);
        await keptNothing(closed, 500);
        equal(outcomes, 2_100);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn hundreds_of_addresses_that_are_asked_for() -> Verdict {
    page_awaiting(
        r#"
        const answers = [() => 'ws://server.test/', async () => new URL('ws://server.test/x'), () => { throw new Error('mine'); }, () => Promise.reject(new Error('mine')), () => 5, async () => 'ftp://server.test/'];
        let asked = 0;
        const signaling = new Signaling({ url: () => answers[(asked += 1) % answers.length](), reconnect: { base: 1, cap: 1 }, onerror() {} });
        signaling.openSocket({});
        const live = async (rounds) => {
            for (let round = 0; round < rounds; round += 1) {
                await settled();
                if (sockets.length > 0) sockets.pop().accept().end();
                sockets.length = 0;
                if (signaling.state !== 'waiting') throw new Error(signaling.state);
                clock.advance(1);
            }
        };
        await live(300);
        await collect();
        const before = await held();
        const made = asked;
        await live(1_200);
        await collect();
        ok(asked - made === 1_200, `${asked - made} were asked for`);
        await keptNothing(before, 1_200);
        "#,
    )
    .await
}

/// What listens to the page's life has the signaling, so it must be gone with it.
#[wasm_bindgen_test]
async fn hundreds_of_signalings_that_listened_to_the_page() -> Verdict {
    page_awaiting(
        r#"
        let gone = 0;
        const registry = new FinalizationRegistry(() => { gone += 1; });
        const endings = [
            ({ signaling }) => signaling.close(),
            ({ signaling }) => { happen.putAway(); signaling.close(); },
            ({ signaling }) => { happen.putAway(); happen.takenOut(); signaling.close(); },
            () => { happen.offline(); sockets.at(-1).end(4500); },
            ({ signaling, handle }) => { handle.send(1); sockets.at(-1).end(); happen.online(); signaling.close(); },
        ];
        const live = (rounds) => {
            for (let round = 0; round < rounds; round += 1) {
                const one = joined();
                registry.register(one.signaling);
                registry.register(one.config);
                endings[round % endings.length](one);
                if (one.signaling.state !== 'closed') throw new Error(one.signaling.state);
                sockets.length = 0;
            }
        };
        const hundred = async (all) => {
            live(100);
            ok(await collected(() => gone === all * 2), `${gone} of ${all * 2} went`);
        };
        for (let all = 100; all <= 200; all += 100) await hundred(all);
        const before = await held();
        for (let all = 300; all <= 1_000; all += 100) await hundred(all);
        await keptNothing(before, 800);
        equal(clock.timers, 0);
        "#,
    )
    .await
}
