//! Handshakes: their time, messages meanwhile, and servers that aren't what the options say.

use crate::setups::{
    CLASSIC, Client, EIO4, INIT, Make, NEGOTIATED, OWN, classic, classic_up, loses, negotiates,
    negotiates_classic, opened, posts, requests, signalr, signalr_up, socket_io, socket_io_4, up,
    waits,
};
use crate::support::page::{Page, Setup, control};
use signal_wasm::protocol::{HttpResponse, Millis};
use signal_wasm::session::{Action, Input, State};

const STUCK: &str = "the server didn't answer as the option protocol requires";

/// What a page meets.
type Meets = fn(&mut Client);

/// Nothing more comes: the handshake times out after ten seconds.
fn is_stuck(page: Client) {
    let mut page = times_out(page, 10_000.0);
    waits(&page, STUCK);
    page.tries_again();
}

/// Nothing more comes: the browser didn't even open the socket.
fn is_held_back(page: Client) {
    let mut page = times_out(page, 10_000.0);
    let (_, reason) = page.stands();
    let start = "the browser didn't open the WebSocket within 10000 ms";
    assert!(reason.starts_with(start), "{reason}");
    page.tries_again();
}

fn times_out(mut page: Client, after: Millis) -> Client {
    page.done.clear();
    page.passes(after - 1.0);
    assert_eq!(page.state(), State::Connecting);
    page.passes(1.0);
    assert_eq!(page.state().name(), "waiting");
    page
}

/// Firefox holds a socket back after failures, for up to a minute.
#[test]
fn a_socket_that_the_browser_holds_back_uses_up_no_attempts() {
    let mut plain = Setup::new("websocket", "ws://h/");
    plain.config.reconnect.attempts = 2.0;
    let mut page = opened(&plain);
    page.connects();
    page.loses_socket(Some(1006));
    for _ in 0..10 {
        page.tries_again();
        page.passes(10_000.0);
        let reason = page.stands().1;
        assert!(
            reason.contains("Firefox") && reason.contains("connectTimeout"),
            "{reason}"
        );
    }
    // One that failed does.
    page.tries_again();
    page.loses_socket(Some(1006));
    page.tries_again();
    page.loses_socket(Some(1006));
    assert_eq!(page.state(), State::Closed);

    // One that never reconnects gives up.
    plain.config.reconnect.attempts = 0.0;
    let mut page = opened(&plain);
    page.passes(10_000.0);
    assert_eq!(page.state(), State::Closed);
}

#[test]
fn the_time_of_a_step_is_an_option() {
    for (setup, meets) in [
        (socket_io(), 0),
        (socket_io(), 1),
        (signalr(), 0),
        (classic(), 0),
        (Setup::new("websocket", "ws://h/"), 0),
        (Setup::new("relay", "ws://h/"), 0),
        (Setup::new("relay", "ws://h/"), 1),
        (Setup::new("auto", "ws://h/"), 0),
        (Setup::new("sse", "ws://h/"), 0),
    ] {
        let mut setup = setup;
        setup.options.connect_timeout = Some(45_000.0);
        let mut page = opened(&setup);
        if meets > 0 {
            page.connects();
        }
        times_out(page, 45_000.0);
    }
}

#[test]
fn every_step_of_a_handshake_has_ten_seconds() {
    // The socket is asked for; it is open; the namespace is asked for.
    is_held_back(opened(&socket_io()));
    let mut page = opened(&socket_io());
    page.connects();
    is_stuck(page);
    let mut page = opened(&socket_io());
    page.connects();
    page.passes(9_000.0);
    page.receive(EIO4);
    is_stuck(page);
    // The request; the socket; the handshake.
    is_stuck(opened(&signalr()));
    let mut page = opened(&signalr());
    posts(&mut page);
    page.passes(9_000.0);
    page.is_answered(200, NEGOTIATED);
    is_held_back(page);
    let mut page = opened(&signalr());
    posts(&mut page);
    page.is_answered(200, NEGOTIATED);
    page.connects();
    is_stuck(page);
    // The request; the socket; the first frame; the last request.
    is_stuck(opened(&classic()));
    let negotiated = || {
        let mut page = opened(&classic());
        requests(&mut page, "http:");
        page.is_answered(200, CLASSIC);
        page
    };
    is_held_back(negotiated());
    let mut page = negotiated();
    page.connects();
    page.passes(9_000.0);
    page.receive("{}");
    is_stuck(page);
    let mut page = negotiated();
    page.connects();
    page.receive(INIT);
    is_stuck(page);
    // With a plain WebSocket only the socket has a time, and a transport of the page's takes its
    // own.
    let mut plain = Setup::new("websocket", "ws://h/");
    is_held_back(opened(&plain));
    plain.config.own_transport = true;
    let mut page = opened(&plain);
    page.passes(1e9);
    assert_eq!(page.state(), State::Connecting);
    page.connects();
    page.passes(1e9);
    assert!(page.state().is_open());
}

#[test]
fn messages_wait_for_the_end_of_the_handshake() {
    let handshakes: [(Setup, Meets); 3] = [
        (socket_io(), |page| {
            page.connects();
            page.receive(EIO4);
            page.did(control("40"));
            page.receive(r#"40{"sid":"b"}"#);
        }),
        (signalr(), negotiates),
        (classic(), negotiates_classic),
    ];
    for (setup, handshake) in handshakes {
        let mut page = opened(&setup);
        page.send("main", "\"first\"", Millis::INFINITY);
        page.send("main", "\"second\"", Millis::INFINITY);
        handshake(&mut page);
        for message in ["first", "second"] {
            assert!(page.sent_message().contains(message));
        }
        assert_eq!(page.done, []);
    }
}

/// After the first connection the server may be another one for a while, such as a proxy with a
/// page that says so.
#[test]
fn a_protocol_mismatch_is_final_only_before_the_first_connection() {
    let nonsense: [(Setup, Make, Meets); 3] = [
        (socket_io(), socket_io_4, |page| {
            page.connects();
            page.receive(r#"{"sender":1,"channel":"main","message":1}"#);
        }),
        (signalr(), signalr_up, |page| {
            posts(page);
            page.is_answered(200, "<html>Back soon</html>");
        }),
        (classic(), classic_up, |page| {
            // A lost connection is resumed first, and given up after a while.
            if let Action::OpenSocket(_) = page.done[0] {
                page.passes(40_000.0);
                page.done.clear();
                while page.done.is_empty() {
                    page.wakes(0.0);
                }
            }
            requests(page, "http:");
            page.is_answered(404, "Not Found");
        }),
    ];
    for (setup, make, meet) in nonsense {
        let mut page = opened(&setup);
        meet(&mut page);
        let (unauthorized, reason) = page.failure().expect("not final");
        assert!(!unauthorized && reason.contains("the option "), "{reason}");
        assert_eq!(page.state(), State::Closed);
        let reason = String::from(reason);

        let mut page = make();
        loses(&mut page);
        page.tries_again();
        meet(&mut page);
        assert_eq!(page.failure(), None);
        waits(&page, &reason);
    }
}

#[test]
fn servers_of_the_other_signalr_are_recognised() {
    let reason = |setup: Setup, answer: &str| {
        let mut page = opened(&setup);
        page.requested();
        page.is_answered(200, answer);
        String::from(page.failure().expect("not final").1)
    };
    assert!(reason(signalr(), CLASSIC).contains("must be 'signalr-classic'"));
    assert!(reason(classic(), NEGOTIATED).contains("must be 'signalr'"));
    assert!(reason(signalr(), "[]").contains("the option url"));
    assert!(reason(classic(), "7").contains("the option url"));
}

/// ASP.NET Core 2.2 says its minor version there.
#[test]
fn a_handshake_may_be_answered_with_a_minor_version() {
    let mut page = opened(&signalr());
    posts(&mut page);
    page.is_answered(200, NEGOTIATED);
    page.connects();
    page.sent_control();
    page.receive("{\"minorVersion\":0}\u{1e}");
    up(page);
}

#[test]
fn a_server_that_fails_is_tried_again() {
    for setup in [signalr(), classic()] {
        let mut page = opened(&setup);
        page.requested();
        page.is_answered(503, "Service Unavailable");
        waits(&page, "the server failed with HTTP status 503");
        page.tries_again();
        page.requested();
        page.loses_socket(None);
        page.tries_again();
    }
    let mut page = opened(&signalr());
    page.requested();
    page.is_answered(200, r#"{"error":"too many connections"}"#);
    waits(&page, "the server said 'too many connections'");
}

/// Many servers and proxies answer so for a moment.
#[test]
fn a_server_that_is_busy_is_tried_again() {
    for make in [signalr, classic] {
        for status in [408, 425, 429, 500, 502, 503, 504, 520, 599] {
            let mut page = opened(&make());
            for _ in 0..3 {
                page.requested();
                page.is_answered(status, "");
                let (state, reason) = page.stands();
                assert_eq!(state, "waiting", "{status}");
                assert!(
                    reason.contains(&format!("HTTP status {status}")),
                    "{reason}"
                );
                assert!(!reason.contains("''"), "{reason}");
                page.tries_again();
            }
        }
    }
}

/// A server of the classic SignalR fails on a hub that it doesn't have, and may hide the reason.
#[test]
fn a_classic_hub_that_fails_each_time_is_not_there() {
    let mut page = opened(&classic());
    for _ in 0..3 {
        page.requested();
        page.is_answered(500, "<title>Runtime Error</title>");
        assert_eq!(page.failure(), None);
        page.tries_again();
    }
    page.requested();
    page.is_answered(500, "");
    let reason = "the server failed on the hub 'webRtcHub3' with HTTP status 500; the option hub must be one that it has";
    assert_eq!(page.failure(), Some((false, reason)));
}

#[test]
fn the_next_attempt_comes_when_the_server_wants_it() {
    for make in [signalr, classic] {
        for (status, after, least) in [
            (429, Some(7_000.0), 7_000.0),
            (503, Some(7_000.0), 7_000.0),
            (503, Some(99_999_000.0), 60_000.0),
            (503, None, 0.0),
        ] {
            let mut page = opened(&make());
            page.requested();
            page.handle(Input::HttpResponse(HttpResponse {
                status,
                retry_after: after,
                body: "".into(),
            }));
            let since = page.now;
            // The network's return doesn't make it come earlier.
            page.handle(Input::Online);
            page.handle(Input::PageHidden);
            page.handle(Input::PageShown);
            page.tries_again();
            page.requested();
            let waited = page.now - since;
            assert!(
                (least..least + 1_000.0).contains(&waited),
                "{status}: {waited}"
            );
            // It counts for that attempt only.
            page.is_answered(503, "");
            let since = page.now;
            page.tries_again();
            assert!(page.now - since <= 1_000.0);
        }
    }
}

#[test]
fn pages_that_were_refused_together_come_back_apart() {
    let waits = (0..100).map(|seed| {
        let mut page: Client = Page::new(signalr().session(OWN, seed));
        page.open("main", "main".into());
        page.requested();
        page.handle(Input::HttpResponse(HttpResponse {
            status: 503,
            retry_after: Some(10_000.0),
            body: "".into(),
        }));
        let since = page.now;
        page.tries_again();
        page.now - since
    });
    let waits: Vec<_> = waits.collect();
    assert!(waits.iter().all(|wait| (10_000.0..10_500.0).contains(wait)));
    let early = waits.iter().filter(|wait| **wait < 10_250.0).count();
    assert!((25..75).contains(&early), "{early}");
}

/// An answer without a body isn't quoted.
#[test]
fn answers_without_a_body_are_worded() {
    for make in [signalr, classic] {
        for body in ["", " \r\n"] {
            let mut page = opened(&make());
            page.requested();
            page.is_answered(404, body);
            let reason = "the server answered with HTTP status 404; the option url must be that of a SignalR hub";
            assert_eq!(page.failure(), Some((false, reason)));
        }
        let mut page = opened(&make());
        page.requested();
        page.is_answered(404, "<h1>nothing</h1>\n");
        let reason = "the server answered with HTTP status 404 and '<h1>nothing</h1>'; the option url must be that of a SignalR hub";
        assert_eq!(page.failure(), Some((false, reason)));
    }
    for (ends, reason) in [
        ("{\"type\":7}\u{1e}", "the server closed the connection"),
        (
            "{\"type\":7,\"error\":\"\"}\u{1e}",
            "the server closed the connection",
        ),
        (
            "{\"type\":7,\"error\":\"e\"}\u{1e}",
            "the server closed the connection: 'e'",
        ),
    ] {
        let mut page = signalr_up();
        page.receive(ends);
        assert_eq!(page.failure(), Some((false, reason)));
    }
    let mut page = opened(&socket_io());
    page.connects();
    page.receive(EIO4);
    page.receive("44{}");
    let reason = "the server refused the connection without a reason";
    assert_eq!(page.failure(), Some((true, reason)));
}

#[test]
fn a_request_without_an_answer_is_made_again_and_the_reason_told() {
    for setup in [signalr(), classic()] {
        let mut page = opened(&setup);
        page.requested();
        page.is_unanswered("TypeError: Failed to fetch");
        let (state, reason) = page.stands();
        assert_eq!(state, "waiting");
        assert!(reason.contains("the option url must be a SignalR hub's"));
        assert!(reason.ends_with("TypeError: Failed to fetch"), "{reason}");
        page.tries_again();
        page.requested();
    }
}
