//! ASP.NET Core SignalR as a page lives it: negotiation, handshake and records, on the stand-in socket, clock and `fetch`.
//!
//! What's tested
//! * from the first request to `open`, with and without negotiation; what is asked of `fetch`; redirection, with and without a token
//! * records split across frames at every place, and packed into one; records of every type
//! * heartbeats both ways; a server that falls silent
//! * answers that refuse, fail or come from another kind of server; answers that come late, or never
//! * the server's own end, with and without leave to come back

use super::page::{Verdict, page_awaiting};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn from_the_first_request_to_open() -> Verdict {
    page_awaiting(
        r#"
        const frames = [];
        const states = [];
        const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', onframe: (...frame) => frames.push(frame), onstatechange: (state) => states.push(state) });
        const handle = signaling.openSocket({ channel: 'room' });
        handle.send(1);
        await settled();
        equal(requests.map(({ url, method, headers, rest }) => ({ url, method, headers, rest })), [{ url: 'https://server.test/hub/negotiate?negotiateVersion=1', method: 'POST', headers: {}, rest: {} }]);
        requests[0].answer(NEGOTIATED);
        await settled();
        const [socket] = sockets;
        equal([sockets.length, socket.url], [1, 'wss://server.test/hub?id=to%2fk%2ben%3d']);
        socket.accept();
        equal([socket.frames.splice(0), states], [[`{"protocol":"json","version":1}${END}`], ['connecting']]);
        socket.deliver(`{}${END}`);
        equal(states, ['connecting', 'open']);
        const envelope = frame('room', 1, signaling.userid);
        equal(socket.frames, [`{"type":1,"invocationId":"1","target":"Send","arguments":[${JSON.stringify(envelope)}]}${END}`]);
        handle.send(2);
        ok(socket.frames[1].includes('"invocationId":"2"'), 'each has a number of its own');
        socket.deliver(`{"type":3,"invocationId":"1"}${END}`, `{"type":3,"invocationId":"2","result":null}${END}`, `{"type":6}${END}`);
        equal(frames.map(([kind]) => kind).filter((kind) => kind === 'sent').length, 2);
        const { control, bad, received } = signaling.stats();
        equal([control, bad, received], [4, 0, 4]);
        signaling.close();
        equal([socket.closings, requests.length], [1, 1]);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn other_targets_and_methods() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, handle, socket, notes } = await connectedBy('signalr', { target: 'on"Message', method: 'Bröadcast' });
        handle.send(1);
        const sent = JSON.parse(socket.frames[0].replace(END, ''));
        equal([sent.target, JSON.parse(sent.arguments[0]).message], ['Bröadcast', 1]);
        const invoke = (target, ...values) => JSON.stringify({ type: 1, target, arguments: values }) + END;
        socket.deliver(invoke('on"Message', frame('room', 1)), invoke('onMessage', frame('room', 2)), invoke('ON"MESSAGE', frame('room', 3)), invoke('on"Message', frame('room', 4), 'and more', { a: 1 }));
        equal(notes.take(), [['onmessage', 1], ['onmessage', 4]]);
        equal(signaling.stats().bad, 0);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn records_of_every_type() -> Verdict {
    page_awaiting(
        r#"
        const errors = new Notes();
        const { signaling, socket, notes } = await connectedBy('signalr', { onerror: errors.taker('onerror') });
        const say = (value) => socket.deliver(JSON.stringify(value) + END);
        // The members of others' envelopes: an object instead of a text, and no sender, as the old pages send it.
        say({ type: 1, target: 'onMessageReceived', arguments: [{ sender: OTHER, channel: 'room', message: 1 }] });
        say({ type: 1, target: 'onMessageReceived', arguments: [JSON.stringify({ message: 2, channel: 'room' })] });
        say({ target: 'onMessageReceived', arguments: [frame('room', 3)], type: 1, headers: {} });
        say({ type: 1, headers: {}, target: 'onMessageReceived', arguments: [frame('room', 4)], streamIds: [] });
        equal(notes.take(), [1, 2, 3, 4].map((message) => ['onmessage', message]));
        // Who asks for an answer gets one.
        say({ type: 1, invocationId: '7', target: 'onMessageReceived', arguments: [frame('room', 5)] });
        say({ type: 1, invocationId: 'a"b', target: 'other', arguments: [] });
        equal(notes.take(), [['onmessage', 5]]);
        equal(socket.frames.map((text) => JSON.parse(text.replace(END, ''))), [{ type: 3, invocationId: '7', result: null }, { type: 3, invocationId: 'a"b', error: 'no such method' }]);
        // The rest is nothing to us.
        for (const value of [{ type: 2, invocationId: '1', item: 1 }, { type: 3, invocationId: '1' }, { type: 4 }, { type: 5, invocationId: '1' }, { type: 6 }, { type: 8, sequenceId: 1 }, { type: 99 }, {}, [], null, 5, 'text', { type: '7' }, { type: 1 }, { type: 1, arguments: 5 }]) say(value);
        equal([signaling.state, notes.take(), errors.take()], ['open', [], []]);
        // A message that the hub refuses is told of.
        say({ type: 3, invocationId: '1', error: "Unknown hub method 'Send'" });
        const [[, error]] = errors.take();
        isOurs(error, 'message-refused', "Unknown hub method 'Send'", 'method');
        equal(signaling.state, 'open');
        for (const values of [[], [5], [null], ['no JSON'], [['x']], ['[]']]) {
            const { bad } = signaling.stats();
            say({ type: 1, target: 'onMessageReceived', arguments: values });
            equal([signaling.stats().bad - bad, signaling.state], [1, 'open'], JSON.stringify(values));
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn records_split_at_every_place() -> Verdict {
    page_awaiting(
        r#"
        const { signaling, socket, notes, server } = await connectedBy('signalr');
        const stream = server.wrap(frame('room', 'é😀"')) + `{"type":6}${END}` + server.wrap(frame('other', 1)) + server.wrap('{"message":2,"channel":"room"}');
        const control = signaling.stats().control;
        let rounds = 0;
        const whole = (...parts) => {
            socket.deliver(...parts);
            rounds += 1;
            equal(notes.take(), [['onmessage', 'é😀"'], ['onmessage', 2]], JSON.stringify(parts));
        };
        whole(stream);
        for (let at = 0; at <= stream.length; at += 1) {
            whole(stream.slice(0, at), stream.slice(at));
        }
        for (let length = 1; length < 20; length += 1) {
            whole(...Array.from({ length: Math.ceil(stream.length / length) }, (_, part) => stream.slice(part * length, (part + 1) * length)));
        }
        const { delivered, foreign, bad, control: now } = signaling.stats();
        equal([delivered, foreign, bad, now - control], [2 * rounds, rounds, 0, rounds]);
        // What was begun goes with its connection.
        socket.deliver(server.wrap(frame('room', 'half')).slice(0, 50));
        socket.end();
        clock.advance(500);
        await settled();
        const next = await server.up();
        next.deliver(server.wrap(frame('room', 'new')));
        equal(notes.take().filter(([name]) => name === 'onmessage'), [['onmessage', 'new']]);
        equal(signaling.stats().bad, 0);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_handshake_with_records_behind_it_and_split() -> Verdict {
    page_awaiting(
        r#"
        for (const parts of [(text) => [text], (text) => [...text]]) {
            const { notes, config } = noting({ channel: 'room' });
            const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', skipNegotiation: true });
            signaling.openSocket(config);
            await settled();
            const socket = sockets.at(-1).accept();
            socket.deliver(...parts(`{}${END}${servers.signalr.wrap(frame('room', 1))}`));
            equal([signaling.state, notes.take()], ['open', [['onmessage', 1]]]);
            signaling.close();
        }
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn heartbeats() -> Verdict {
    page_awaiting(
        r#"
        let detail;
        const { signaling, socket } = await connectedBy('signalr', { onstatechange: (state, told) => { if (state === 'waiting') detail ??= told; } });
        const ping = `{"type":6}${END}`;
        for (let beat = 1; beat <= 4; beat += 1) {
            clock.advance(15_000);
            equal(socket.frames, Array(beat).fill(ping));
            socket.deliver(ping);
        }
        clock.advance(29_999);
        equal(signaling.state, 'open');
        clock.advance(2);
        equal([signaling.state === 'open', socket.closings], [false, 1]);
        ok(detail.reason.includes('silent'), detail.reason);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn redirection() -> Verdict {
    page_awaiting(
        r#"
        const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', accessToken: 'mine', query: { a: 1 } });
        signaling.openSocket({});
        await settled();
        equal(requests[0].headers, { Authorization: 'Bearer mine' });
        requests[0].answer({ url: 'https://other.test/hub?hub=chat', accessToken: 'theirs' });
        await settled();
        equal([requests[1].url, requests[1].method, requests[1].headers], ['https://other.test/hub/negotiate?hub=chat&a=1&negotiateVersion=1', 'POST', { Authorization: 'Bearer theirs' }]);
        requests[1].answer({ url: 'https://third.test/' });
        await settled();
        equal([requests[2].url, requests[2].headers], ['https://third.test/negotiate?a=1&negotiateVersion=1', { Authorization: 'Bearer theirs' }]);
        requests[2].answer(NEGOTIATED);
        await settled();
        equal(sockets[0].url, 'wss://third.test?a=1&id=to%2fk%2ben%3d&access_token=theirs');
        sockets[0].accept().deliver(`{}${END}`);
        equal(signaling.state, 'open');
        // The next attempt begins at the page's own address, with its own token.
        sockets[0].end();
        clock.advance(500);
        await settled();
        equal([requests[3].url, requests[3].headers], ['https://server.test/hub/negotiate?a=1&negotiateVersion=1', { Authorization: 'Bearer mine' }]);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn redirection_in_a_circle_ends() -> Verdict {
    page_awaiting(
        r#"
        const notes = new Notes();
        const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', onerror: notes.taker('onerror') });
        signaling.openSocket({});
        await settled();
        for (let round = 0; round < 300 && signaling.state === 'connecting'; round += 1) {
            requests.at(-1).answer({ url: 'https://server.test/hub' });
            await settled();
        }
        equal(signaling.state, 'closed');
        ok(requests.length > 100 && requests.length < 104, `${requests.length} requests`);
        isOurs(notes.calls[0][1], 'connection-failed', 'circle', 'url');
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn answers_that_refuse_or_fail() -> Verdict {
    page_awaiting(
        r#"
        const html = '<!DOCTYPE html><title>Not a hub</title>';
        const cases = [
            ['', 401, 'closed', 'authentication-refused', '401'],
            [html, 403, 'closed', 'authentication-refused', '403'],
            [html, 404, 'closed', 'connection-failed', '404', '<!DOCTYPE', 'url'],
            [html, 200, 'closed', 'connection-failed', '200', '<!DOCTYPE', 'url'],
            ['', 405, 'closed', 'connection-failed', '405'],
            ['{}', 200, 'closed', 'connection-failed', 'connectionToken', 'url'],
            ['null', 200, 'closed', 'connection-failed', 'connectionToken'],
            ['[]', 200, 'closed', 'connection-failed', 'connectionToken'],
            [NEGOTIATED_CLASSIC, 200, 'closed', 'connection-failed', "'signalr-classic'"],
            ['', 500, 'waiting', null, '500'],
            [html, 503, 'waiting', null, '503'],
            [{ error: 'busy' }, 200, 'waiting', null, "'busy'"],
        ];
        await answersGive({ url: 'https://server.test/hub', protocol: 'signalr' }, cases);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn no_answer_at_all() -> Verdict {
    page_awaiting(
        r#"
        let detail;
        const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', reconnect: { base: 1, cap: 1 }, onstatechange: (state, told) => { if (state === 'waiting') detail = told; } });
        signaling.openSocket({});
        await settled();
        requests[0].fail();
        await settled();
        ok(detail.reason.includes('Failed to fetch') && detail.reason.includes('url'), detail.reason);
        clock.advance(1);
        await settled();
        // One that begins, and never ends.
        const end = requests[1].begin(200);
        await settled();
        // Each attempt comes within a millisecond.
        clock.advance(9_998);
        await settled();
        equal(requests.length, 2);
        clock.advance(3);
        await settled();
        equal(requests.length, 3, 'it was not waited for any longer');
        end(JSON.stringify(NEGOTIATED));
        await settled();
        equal([sockets.length, signaling.state], [0, 'connecting'], 'and its end is nobody\'s');
        // A fetch that throws at once, or is no function.
        const { fetch } = globalThis;
        for (const broken of [() => { throw new Error('blocked'); }, undefined, () => 5, () => undefined]) {
            globalThis.fetch = broken;
            const other = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', reconnect: false });
            let reason;
            other.onstatechange = (_, told) => { reason = told.reason; };
            other.openSocket({});
            await settled();
            equal(other.state, 'closed');
            ok(reason.includes('reach'), reason);
        }
        globalThis.fetch = fetch;
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_late_answer_has_no_say_in_a_later_one() -> Verdict {
    page_awaiting(
        r#"
        const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', reconnect: { base: 1, cap: 1 } });
        signaling.openSocket({});
        await settled();
        clock.advance(10_001);
        await settled();
        equal(requests.length, 2);
        // The second one's head, the first one's, and then the second one's text.
        const end = requests[1].begin(200);
        await settled();
        requests[0].begin(401)('');
        await settled();
        end(JSON.stringify(NEGOTIATED));
        await settled();
        equal([sockets.length, signaling.state], [1, 'connecting']);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn a_handshake_that_is_refused_or_odd() -> Verdict {
    page_awaiting(
        r#"
        const cases = [
            [`{"error":"The protocol 'json' is not supported."}${END}`, "The protocol 'json' is not supported."],
            [frame('room', 1) + END, 'protocol'],
            [`{"type":6}${END}`, 'protocol'],
            [`5${END}`, 'protocol'],
        ];
        for (const [text, ...says] of cases) {
            const notes = new Notes();
            const signaling = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', skipNegotiation: true, onerror: notes.taker('onerror') });
            signaling.openSocket({});
            await settled();
            sockets.at(-1).accept().deliver(text);
            equal([signaling.state, sockets.at(-1).closings], ['closed', 1], text);
            isOurs(notes.calls[0][1], 'connection-failed', ...says);
        }
        // A server that says nothing.
        let detail;
        const mute = new Signaling({ url: 'https://server.test/hub', protocol: 'signalr', skipNegotiation: true, onstatechange: (state, told) => { if (state === 'waiting') detail ??= told; } });
        mute.openSocket({});
        sockets.at(-1).accept();
        clock.advance(10_001);
        ok(detail.reason.includes('the option protocol'), detail.reason);
        "#,
    )
    .await
}

#[wasm_bindgen_test]
async fn the_server_ends_it() -> Verdict {
    page_awaiting(
        r#"
        for (const [record, state, ...says] of [
            [{ type: 7 }, 'closed'],
            [{ type: 7, error: 'too large' }, 'closed', 'too large'],
            [{ type: 7, error: 'restart', allowReconnect: false }, 'closed', 'restart'],
            [{ type: 7, error: 'restart', allowReconnect: true }, 'waiting', 'restart'],
        ]) {
            const notes = new Notes();
            let detail;
            const { signaling, handle, socket, notes: channel } = await connectedBy('signalr', { onerror: notes.taker('onerror'), onstatechange: (_, told) => { detail = told; } });
            const queue = signaling.stats().sent;
            // What comes behind it in the same frame is not of this connection any more.
            socket.deliver(JSON.stringify(record) + END + `{}${END}{"type":3,"invocationId":"1","error":"no"}${END}` + servers.signalr.wrap(frame('room', 'behind')));
            equal([signaling.state, socket.closings, socket.isHeard], [state, 1, false], JSON.stringify(record));
            says.forEach((part) => ok(detail.reason.includes(part), detail.reason));
            if (state === 'closed') isOurs(notes.calls[0][1], 'connection-failed', ...says);
            equal(notes.calls.length, state === 'closed' ? 1 : 0);
            if (state === 'waiting') {
                handle.send('waits');
                equal([signaling.stats().sent, signaling.stats().queued], [queue, 1]);
            }
            signaling.close();
        }
        "#,
    )
    .await
}
