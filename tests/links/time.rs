//! What the protocols do in time: heartbeats and silence, conversations that don't get on, credentials that are refused, connections that are
//! resumed.

use crate::page::{Deed, Page, config, with};
use serde_json::json;
use signal_wasm::protocol::{Millis, Protocol};
use signal_wasm::session::{Config, Credentials, State};

// Conversations up to where envelopes may go.

const EIO4: &str =
    r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
/// Of Socket.IO 2, and of 3.0 up to 4.4.
const NO_MAX_PAYLOAD: &str =
    r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#;
const NEGOTIATED: &str = r#"{"negotiateVersion":1,"connectionId":"id","connectionToken":"to/ken"}"#;
const CLASSIC: &str = r#"{"ConnectionToken":"to/ken","ConnectionId":"id","KeepAliveTimeout":20,"DisconnectTimeout":30,"ProtocolVersion":"2.1"}"#;
const INIT: &str = r#"{"C":"d-1","S":1,"M":[]}"#;

fn socket_io() -> Config {
    config(Protocol::SocketIo, "ws://h/socket.io/")
}

fn signalr() -> Config {
    config(Protocol::SignalR, "ws://h/hub")
}

fn classic() -> Config {
    config(Protocol::SignalRClassic, "ws://h/signalr")
}

/// A page whose connection is up.
type Make = fn() -> Page;

/// What it meets at its next attempt.
type Meets = fn(&mut Page);

fn socket_io_4() -> Page {
    let mut page = Page::opened(socket_io());
    page.connects();
    page.frame(EIO4);
    page.expect(Page::say("40"));
    page.frame(r#"40{"sid":"b"}"#);
    up(page)
}

fn socket_io_2() -> Page {
    let mut page = Page::opened(socket_io());
    page.connects();
    page.frame(NO_MAX_PAYLOAD);
    page.frame("40");
    up(page)
}

/// From the request on.
fn negotiates(page: &mut Page) {
    assert!(
        matches!(page.deed(), Deed::Post(url, _) if url == "http://h/hub/negotiate?negotiateVersion=1")
    );
    page.answered(200, NEGOTIATED);
    assert_eq!(page.connects(), "ws://h/hub?id=to%2fken");
    page.expect(Page::say("{\"protocol\":\"json\",\"version\":1}\u{1e}"));
    page.frame("{}\u{1e}");
}

fn signalr_up() -> Page {
    let mut page = Page::opened(signalr());
    negotiates(&mut page);
    up(page)
}

fn negotiates_classic(page: &mut Page) {
    assert!(
        matches!(page.deed(), Deed::Get(url) if url.starts_with("http://h/signalr/negotiate?"))
    );
    page.answered(200, CLASSIC);
    assert!(page.connects().starts_with("ws://h/signalr/connect?"));
    page.frame(INIT);
    assert!(matches!(page.deed(), Deed::Get(url) if url.starts_with("http://h/signalr/start?")));
    page.answered(200, r#"{"Response":"started"}"#);
}

fn classic_up() -> Page {
    let mut page = Page::opened(classic());
    negotiates_classic(&mut page);
    up(page)
}

fn up(page: Page) -> Page {
    assert_eq!(page.state(), State::Open, "{:?}", page.states);
    assert_eq!(page.deeds, []);
    page
}

/// What our side says by itself in that time, and when; to each the server answers.
fn said_in(page: &mut Page, time: Millis, answer: &str) -> Vec<(Millis, String)> {
    let start = page.now;
    let mut said = Vec::new();
    while page.session.wake_at().is_some_and(|at| at <= start + time) {
        page.wake(0.0);
        while let Some(deed) = page.deeds.pop_front() {
            let Deed::Say(text) = deed else {
                panic!("{deed:?}")
            };
            said.push((page.now - start, text));
            page.frame(answer);
        }
    }
    page.now = start + time;
    said
}

fn at(times: &[Millis], text: &str) -> Vec<(Millis, String)> {
    times.iter().map(|time| (*time, text.into())).collect()
}

const SILENT: &str = "the server fell silent";
const STUCK: &str = "the server didn't answer as the option protocol has it";

// Heartbeats.

#[test]
fn engine_io_4_is_asked_by_the_server() {
    let mut page = socket_io_4();
    for _ in 0..100 {
        page.pass(25_000.0);
        assert_eq!(page.deeds, []);
        page.frame("2");
        page.expect(Page::say("3"));
    }
    page.pass(44_999.0);
    assert_eq!((page.state(), page.deeds.len()), (State::Open, 0));
    page.pass(1.0);
    assert_eq!((page.state(), page.reason()), (State::Waiting, SILENT));
}

#[test]
fn engine_io_3_is_asked_by_us() {
    let mut page = socket_io_2();
    let said = said_in(&mut page, 100_000.0, "3");
    assert_eq!(said, at(&[25_000.0, 50_000.0, 75_000.0, 100_000.0], "2"));
    // What else is said doesn't replace that.
    for _ in 0..50 {
        page.pass(600.0);
        page.frame(r#"42["message",{"sender":1,"channel":"main","message":1}]"#);
        page.send("main", &json!(1));
    }
    let pings = page.deeds.drain(..).filter(|deed| *deed == Page::say("2"));
    assert_eq!(pings.count(), 1);
    page.pass(29_999.0);
    assert_eq!(page.state(), State::Open);
    page.pass(1.0);
    assert_eq!((page.state(), page.reason()), (State::Waiting, SILENT));
}

#[test]
fn signalr_pings_every_15_seconds_and_hears_for_30() {
    let mut page = signalr_up();
    let said = said_in(&mut page, 60_000.0, "{\"type\":6}\u{1e}");
    assert_eq!(
        said,
        at(
            &[15_000.0, 30_000.0, 45_000.0, 60_000.0],
            "{\"type\":6}\u{1e}"
        )
    );
    page.pass(29_999.0);
    assert_eq!(page.state(), State::Open);
    page.pass(1.0);
    assert_eq!((page.state(), page.reason()), (State::Waiting, SILENT));
}

#[test]
fn classic_signalr_hears_for_as_long_as_the_server_says() {
    let mut page = classic_up();
    for _ in 0..20 {
        page.pass(10_000.0);
        page.frame("{}");
    }
    page.pass(19_999.0);
    assert_eq!((page.state(), page.deeds.len()), (State::Open, 0));
    page.pass(1.0);
    assert_eq!((page.state(), page.reason()), (State::Waiting, SILENT));

    for without in [
        r#"{"ConnectionToken":"t","KeepAliveTimeout":null}"#,
        r#"{"ConnectionToken":"t"}"#,
    ] {
        let mut page = Page::opened(classic());
        page.deed();
        page.answered(200, without);
        page.connects();
        page.frame(INIT);
        page.deed();
        page.answered(200, "{}");
        page = up(page);
        page.pass(1e9);
        assert_eq!(page.state(), State::Open);
    }
}

/// A laptop that slept: what counts is when the server was heard, not when the timer happens to fire.
#[test]
fn a_timer_that_fires_late_judges_by_the_clock() {
    for make in [socket_io_4, socket_io_2, signalr_up, classic_up] {
        let mut page = make();
        let hour = page.now + 3_600_000.0;
        page.wake(hour);
        assert_eq!((page.state(), page.reason()), (State::Waiting, SILENT));

        // What came in meanwhile was handed over before the timer.
        let mut page = make();
        let hour = page.now + 3_600_000.0;
        page.now = hour;
        match page.session.link().protocol() {
            Protocol::SocketIo => page.frame("42[\"else\"]"),
            Protocol::SignalR => page.frame("{\"type\":6}\u{1e}"),
            _ => page.frame("{}"),
        }
        page.wake(hour);
        assert_eq!(page.state(), State::Open);
        // One ping at most, however many had their times.
        assert!(page.deeds.len() <= 1, "{:?}", page.deeds);
        assert!(page.session.wake_at().unwrap() > page.now);
    }
}

/// Heads are all that is read of most frames, and must do to show that the server is there.
#[test]
fn frames_that_are_read_by_their_heads_break_the_silence() {
    let envelope = r#"{\"sender\":1,\"channel\":\"main\",\"message\":1}"#;
    let frames = [
        format!("42[\"message\",{}]", envelope.replace('\\', "")),
        format!(
            "{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[\"{envelope}\"]}}\u{1e}"
        ),
        format!(
            "{{\"C\":\"d-2\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[\"{envelope}\"]}}]}}"
        ),
    ];
    for (make, frame) in [socket_io_4, signalr_up, classic_up].iter().zip(frames) {
        let mut page = make();
        for count in 1..=20 {
            page.pass(19_000.0);
            page.frame(&frame);
            assert_eq!(page.by_head, count);
        }
        assert_eq!(page.state(), State::Open);
        assert_eq!(page.stats().delivered, 20.0);
    }
}

// Conversations that don't get on.

#[test]
fn every_step_of_a_conversation_has_its_time() {
    let stuck = |mut page: Page| {
        page.deeds.clear();
        page.pass(9_999.0);
        assert_eq!(page.state(), State::Connecting);
        page.pass(1.0);
        assert_eq!((page.state(), page.reason()), (State::Waiting, STUCK));
        page.again();
    };
    // The socket is asked for; it is open; the namespace is asked for.
    stuck(Page::opened(socket_io()));
    let mut page = Page::opened(socket_io());
    page.connects();
    stuck(page);
    let mut page = Page::opened(socket_io());
    page.connects();
    page.pass(9_000.0);
    page.frame(EIO4);
    stuck(page);
    // The request; the socket; the handshake.
    stuck(Page::opened(signalr()));
    let mut page = Page::opened(signalr());
    page.deed();
    page.pass(9_000.0);
    page.answered(200, NEGOTIATED);
    stuck(page);
    let mut page = Page::opened(signalr());
    page.deed();
    page.answered(200, NEGOTIATED);
    page.connects();
    stuck(page);
    // The request; the socket; the first frame; the last request.
    stuck(Page::opened(classic()));
    let mut page = Page::opened(classic());
    page.deed();
    page.answered(200, CLASSIC);
    stuck(page);
    let mut page = Page::opened(classic());
    page.deed();
    page.answered(200, CLASSIC);
    page.connects();
    page.pass(9_000.0);
    page.frame("{}");
    stuck(page);
    let mut page = Page::opened(classic());
    page.deed();
    page.answered(200, CLASSIC);
    page.connects();
    page.frame(INIT);
    stuck(page);
    // A plain WebSocket has no conversation.
    let mut page = Page::opened(config(Protocol::WebSocket, "ws://h/"));
    page.pass(1e9);
    assert_eq!(page.state(), State::Connecting);
    page.connects();
    page.pass(1e9);
    assert_eq!(page.state(), State::Open);
}

#[test]
fn messages_wait_for_the_end_of_the_conversation() {
    for config in [socket_io(), signalr(), classic()] {
        let mut page = Page::opened(config);
        page.send("main", &json!("first"));
        page.send("main", &json!("second"));
        match page.session.config().protocol {
            Protocol::SocketIo => {
                page.connects();
                page.frame(EIO4);
                page.expect(Page::say("40"));
                page.frame(r#"40{"sid":"b"}"#);
            }
            Protocol::SignalR => negotiates(&mut page),
            _ => negotiates_classic(&mut page),
        }
        for message in ["first", "second"] {
            assert!(matches!(page.deed(), Deed::Message(frame) if frame.contains(message)));
        }
        assert_eq!(page.deeds, []);
    }
}

/// After the first connection the server may be another for a while, such as a proxy's page that says so.
#[test]
fn a_misfit_is_final_only_before_the_first_connection() {
    let nonsense: [(Config, Make, Meets); 3] = [
        (socket_io(), socket_io_4, |page| {
            page.connects();
            page.frame(r#"{"sender":1,"channel":"main","message":1}"#);
        }),
        (signalr(), signalr_up, |page| {
            page.deed();
            page.answered(200, "<html>Back soon</html>");
        }),
        (classic(), classic_up, |page| {
            // First resumed, then connected to anew.
            if let Deed::Socket(_) = page.deeds[0] {
                page.pass(40_000.0);
                page.deeds.clear();
                while page.deeds.is_empty() {
                    page.wake(0.0);
                }
            }
            page.deed();
            page.answered(404, "Not Found");
        }),
    ];
    for (config, make, meet) in nonsense {
        let mut page = Page::opened(config);
        meet(&mut page);
        let (refused, reason) = page.failed.clone().expect("not final");
        assert!(!refused && reason.contains("the option "), "{reason}");
        assert_eq!(page.state(), State::Closed);

        let mut page = make();
        page.lost(Some(1006));
        page.deeds.clear();
        page.again();
        meet(&mut page);
        assert_eq!((page.state(), page.failed.clone()), (State::Waiting, None));
        assert_eq!(page.reason(), reason);
    }
}

#[test]
fn servers_of_another_signalr_are_told_apart() {
    let reason = |config: Config, answer: &str| {
        let mut page = Page::opened(config);
        page.deed();
        page.answered(200, answer);
        page.failed.expect("not final").1
    };
    assert!(reason(signalr(), CLASSIC).contains("must be 'signalr-classic'"));
    assert!(reason(classic(), NEGOTIATED).contains("must be 'signalr'"));
    assert!(reason(signalr(), "[]").contains("the option url"));
    assert!(reason(classic(), "7").contains("the option url"));
}

/// ASP.NET Core 2.2 says its minor version there.
#[test]
fn a_handshake_may_be_answered_with_a_minor_version() {
    let mut page = Page::opened(signalr());
    page.deed();
    page.answered(200, NEGOTIATED);
    page.connects();
    page.deed();
    page.frame("{\"minorVersion\":0}\u{1e}");
    up(page);
}

#[test]
fn a_server_that_fails_is_tried_again() {
    for config in [signalr(), classic()] {
        let mut page = Page::opened(config);
        page.deed();
        page.answered(503, "Service Unavailable");
        assert_eq!(
            (page.state(), page.reason()),
            (State::Waiting, "the server failed with HTTP status 503")
        );
        page.again();
        page.deed();
        page.lost(None);
        page.again();
    }
    let mut page = Page::opened(signalr());
    page.deed();
    page.answered(200, r#"{"error":"too many connections"}"#);
    assert_eq!(
        (page.state(), page.reason()),
        (State::Waiting, "the server said 'too many connections'")
    );
}

// Versions of Socket.IO.

fn room(texts: &[(&str, &str)]) -> Config {
    with(socket_io(), texts)
}

/// Its open packet is that of Socket.IO 2; but it waits for our `40`, and a ping of ours would be its reason to close.
#[test]
fn socket_io_3_is_told_by_its_waiting() {
    for (namespace, of) in [("/", ""), ("/my-room", "/my-room,")] {
        let mut page = Page::renewing(
            room(&[("namespace", namespace)]),
            &[("{\"token\":\"x\"}", "token=x")],
        );
        page.connects();
        page.frame(NO_MAX_PAYLOAD);
        page.pass(1_000.0);
        // Had it been said before, then without the credential.
        page.expect(Deed::Say(format!("40{of}{{\"token\":\"x\"}}")));
        page.frame(&format!("40{of}{{\"sid\":\"b\"}}"));
        let mut page = up(page);
        for _ in 0..4 {
            page.pass(24_000.0);
            assert_eq!(page.deeds, [], "{namespace}");
            page.frame("2");
            page.expect(Page::say("3"));
        }
    }
}

#[test]
fn socket_io_2_may_take_its_time_over_the_40() {
    for (namespace, of) in [("/", ""), ("/my-room", "/my-room,")] {
        let mut page = Page::opened(room(&[("namespace", namespace)]));
        page.connects();
        page.frame(NO_MAX_PAYLOAD);
        page.pass(3_000.0);
        page.expect(Deed::Say(format!("40{of}")));
        page.frame("40");
        if !of.is_empty() {
            page.pass(3_000.0);
            page.frame(&format!("40{of}"));
        }
        let mut page = up(page);
        assert_eq!(said_in(&mut page, 25_000.0, "3").len(), 1, "{namespace}");
    }
}

#[test]
fn socket_io_2_is_given_the_credential_in_the_address() {
    let mut page = Page::renewing(socket_io(), &[("{\"token\":\"x\"}", "token=x")]);
    assert!(!page.connects().contains("token"));
    page.frame(NO_MAX_PAYLOAD);
    page.frame("44\"not authorized\"");
    assert_eq!(
        (page.state(), page.reason()),
        (State::Waiting, "the server wants auth in the query")
    );
    page.deeds.clear();
    page.again();
    assert_eq!(
        page.connects(),
        "ws://h/socket.io/?EIO=4&transport=websocket&token=x"
    );
    page.frame(NO_MAX_PAYLOAD);
    page.frame("40");
    up(page);
}

#[test]
fn a_server_that_goes_without_a_word_is_asked_for_the_other_version() {
    let mut page = Page::opened(socket_io());
    // One that can't be reached is asked the same again.
    page.lost(Some(1006));
    page.deeds.clear();
    for version in [4, 3, 4, 3] {
        page.again();
        let url = page.connects();
        assert!(
            url.starts_with(&format!(
                "ws://h/socket.io/?EIO={version}&transport=websocket"
            )),
            "{url}"
        );
        page.lost(Some(1006));
        page.deeds.clear();
    }
}

// Credentials.

/// Up to where the server refuses `token`.
fn refuse(page: &mut Page, token: &str) {
    assert!(matches!(page.deed(), Deed::Post(_, said) if said == token));
    page.answered(401, "");
}

#[test]
fn a_credential_that_never_changes_is_refused_for_good() {
    let mut page = Page::new(Config {
        credentials: Credentials::Fixed,
        ..signalr()
    });
    page.provide(&[("wrong", "")]);
    page.open("main");
    refuse(&mut page, "wrong");
    let reason = "the server refused the connection with HTTP status 401";
    assert_eq!(page.failed, Some((true, reason.into())));
    assert_eq!(page.state(), State::Closed);
}

#[test]
fn a_refused_credential_is_asked_for_anew_and_must_be_another() {
    let mut page = Page::renewing(signalr(), &[("old", ""), ("new", ""), ("new", "")]);
    refuse(&mut page, "old");
    assert_eq!((page.state(), page.failed.clone()), (State::Waiting, None));
    page.again();
    refuse(&mut page, "new");
    while page.state() == State::Waiting {
        page.wake(0.0);
    }
    let reason =
        "the server refused the connection with HTTP status 401, and the page gave the same again";
    assert_eq!(page.failed, Some((true, reason.into())));
    assert_eq!(page.asked, 3);
    assert_eq!(page.deeds, []);
}

#[test]
fn a_credential_that_worked_since_it_was_refused_may_be_given_again() {
    let mut page = Page::renewing(signalr(), &[("a", ""), ("b", ""), ("a", "")]);
    refuse(&mut page, "a");
    page.again();
    page.deed();
    page.answered(200, NEGOTIATED);
    assert!(page.connects().ends_with("&access_token=b"));
    page.deed();
    page.frame("{}\u{1e}");
    page = up(page);
    page.lost(Some(1006));
    page.deeds.clear();
    page.again();
    assert!(matches!(page.deed(), Deed::Post(_, token) if token == "a"));
}

/// The page may have to ask its user.
#[test]
fn a_page_may_take_its_time_over_its_credential() {
    for lost_before in [false, true] {
        let mut page = Page::renewing(
            signalr(),
            if lost_before {
                &[("first", ""), ("", "")]
            } else {
                &[]
            },
        );
        if lost_before {
            page.deed();
            page.answered(200, NEGOTIATED);
            page.connects();
            page.deed();
            page.frame("{}\u{1e}");
            page = up(page);
            page.credentials.clear();
            page.lost(Some(1006));
            page.deeds.clear();
            page.again();
        }
        let asked = page.asked;
        page.pass(3_600_000.0);
        assert_eq!(
            (page.state(), page.asked),
            (State::Connecting, asked),
            "{lost_before}"
        );
        page.session
            .provided(page.now, "late".into(), String::new());
        page.settle();
        assert!(matches!(page.deed(), Deed::Post(_, token) if token == "late"));
    }
}

// Redirections.

const REDIRECT: &str = r#"{"url":"http://elsewhere/hub?a=b","accessToken":"granted"}"#;
const REDIRECT_CLASSIC: &str = r#"{"RedirectUrl":"http://elsewhere/signalr?a=b","AccessToken":"granted","ProtocolVersion":"2.1"}"#;

const NOWHERE: &str =
    "the server redirects in a circle, or to no HTTP address; the option url is wrong";

#[test]
fn a_circle_of_redirections_has_an_end() {
    for (config, answer) in [(signalr(), REDIRECT), (classic(), REDIRECT_CLASSIC)] {
        let mut page = Page::opened(config);
        let mut requests = 0;
        while page.failed.is_none() {
            assert!(matches!(page.deed(), Deed::Get(_) | Deed::Post(..)));
            requests += 1;
            assert!(requests < 1_000);
            page.answered(200, answer);
        }
        assert_eq!(requests, 101);
        assert_eq!(page.deeds, []);
        assert_eq!(page.failed, Some((false, NOWHERE.into())));
    }
}

/// Nor is anything asked of the page's own server in its place, with a token in hand.
#[test]
fn a_redirection_to_no_http_address_ends_it() {
    for address in ["ftp://elsewhere/hub", "/hub", "javascript:alert(1)"] {
        let core = format!(r#"{{"url":"{address}","accessToken":"granted"}}"#);
        let old = format!(r#"{{"RedirectUrl":"{address}","AccessToken":"granted"}}"#);
        for (config, answer) in [(signalr(), core), (classic(), old)] {
            let mut page = Page::opened(config);
            assert!(matches!(page.deed(), Deed::Get(_) | Deed::Post(..)));
            page.answered(200, &answer);
            assert_eq!(page.deeds, []);
            assert_eq!(page.failed, Some((false, NOWHERE.into())));
        }
    }
}

#[test]
fn a_redirection_is_for_one_connection() {
    let mut page = Page::renewing(signalr(), &[("own", "")]);
    for _ in 0..3 {
        page.expect(Deed::Post(
            "http://h/hub/negotiate?negotiateVersion=1".into(),
            "own".into(),
        ));
        page.answered(200, REDIRECT);
        page.expect(Deed::Post(
            "http://elsewhere/hub/negotiate?a=b&negotiateVersion=1".into(),
            "granted".into(),
        ));
        page.answered(200, NEGOTIATED);
        assert_eq!(
            page.connects(),
            "ws://elsewhere/hub?a=b&id=to%2fken&access_token=granted"
        );
        page.deed();
        page.frame("{}\u{1e}");
        page = up(page);
        page.lost(Some(1006));
        page.deeds.clear();
        page.again();
    }
}

// Classic connections that are resumed.

fn reconnects(page: &mut Page, cursor: &str) {
    match page.deed() {
        Deed::Socket(url) => {
            assert!(url.starts_with("ws://h/signalr/reconnect?"), "{url}");
            assert!(url.contains(&format!("&messageId={cursor}&")), "{url}");
        }
        deed => panic!("{deed:?}"),
    }
}

fn lost(page: &mut Page) {
    page.lost(Some(1006));
    page.deeds.clear();
}

#[test]
fn a_lost_classic_connection_is_resumed_from_the_last_cursor() {
    let mut page = classic_up();
    let frame = |cursor: &str, sender: u64, tail: &str| {
        format!(
            "{{\"C\":\"{cursor}\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[\"{{\\\"sender\\\":{sender},\\\"channel\\\":\\\"main\\\",\\\"message\\\":1}}\"]}}]{tail}}}"
        )
    };
    // Read by its head or as a whole, somebody's or our own.
    for (cursor, sender, tail) in [
        ("d-2", 1, ""),
        ("d-3", 12345, ""),
        ("d-4", 1, ",\"G\":\"groups\""),
        ("d-5", 1, ""),
    ] {
        page.frame(&frame(cursor, sender, tail));
        lost(&mut page);
        page.again();
        reconnects(&mut page, cursor);
        // It is up when it is open.
        page.up();
        page = up(page);
    }
    lost(&mut page);
    page.again();
    assert!(matches!(page.deed(), Deed::Socket(url) if url.ends_with("&groupsToken=groups")));
    assert_eq!(page.stats().delivered, 3.0);
    assert_eq!(page.stats().own, 1.0);
}

/// A socket that isn't let in looks like a network that is down. So the server is asked something else before the next attempt, and the last.
#[test]
fn a_connection_that_is_not_resumed_is_made_anew_once_the_server_answers() {
    let mut page = classic_up();
    lost(&mut page);
    page.again();
    reconnects(&mut page, "d-1");
    lost(&mut page);
    // The network is down: nothing is concluded from that.
    for _ in 0..2 {
        page.again();
        assert!(matches!(page.deed(), Deed::Get(url) if url.contains("/negotiate?")));
        page.lost(None);
    }
    page.again();
    assert!(matches!(page.deed(), Deed::Get(url) if url.contains("/negotiate?")));
    page.answered(200, CLASSIC);
    // With the token that the connection has, not that of this answer.
    reconnects(&mut page, "d-1");
    lost(&mut page);
    page.again();
    negotiates_classic(&mut page);
    assert_eq!(page.state(), State::Open);
    // And from then on as ever.
    lost(&mut page);
    page.again();
    reconnects(&mut page, "d-1");
    page.up();
    assert_eq!(page.state(), State::Open);
}

#[test]
fn a_doubtful_connection_may_be_resumed_after_all() {
    let mut page = classic_up();
    lost(&mut page);
    page.again();
    reconnects(&mut page, "d-1");
    lost(&mut page);
    page.again();
    page.deed();
    page.answered(200, CLASSIC);
    reconnects(&mut page, "d-1");
    page.up();
    assert_eq!(page.state(), State::Open);
    // No doubt is left of it.
    lost(&mut page);
    page.again();
    reconnects(&mut page, "d-1");
}

#[test]
fn a_connection_that_the_server_has_forgotten_is_made_anew() {
    let mut page = classic_up();
    lost(&mut page);
    page.wake(page.now + 30_000.0);
    negotiates_classic(&mut page);
    assert_eq!(page.state(), State::Open);

    // Likewise if it was in doubt.
    lost(&mut page);
    page.again();
    reconnects(&mut page, "d-1");
    lost(&mut page);
    page.wake(page.now + 30_000.0);
    negotiates_classic(&mut page);
    assert_eq!(page.state(), State::Open);
}

#[test]
fn a_connection_that_never_came_up_is_not_resumed() {
    let mut page = Page::opened(classic());
    page.deed();
    page.answered(200, CLASSIC);
    page.connects();
    page.frame(INIT);
    for _ in 0..3 {
        lost(&mut page);
        page.again();
        assert!(matches!(page.deed(), Deed::Get(url) if url.contains("/negotiate?")));
        page.answered(200, CLASSIC);
        assert!(page.connects().contains("/connect?"));
        page.frame(INIT);
        assert!(matches!(page.deed(), Deed::Get(url) if url.contains("/start?")));
    }
}

/// Where the page is sent, there its connection is; and so is the token for it.
#[test]
fn a_redirected_connection_is_resumed_where_it_is() {
    for credentials in [&[("", "")][..], &[("own", "")]] {
        let mut page = Page::renewing(classic(), credentials);
        for _ in 0..2 {
            assert!(
                matches!(page.deed(), Deed::Get(url) if url.starts_with("http://h/signalr/negotiate?")
                && url.contains("access_token=own") == (credentials[0].0 == "own"))
            );
            page.answered(200, REDIRECT_CLASSIC);
            assert!(
                matches!(page.deed(), Deed::Get(url) if url.starts_with("http://elsewhere/signalr/negotiate?a=b&")
                && url.ends_with("&access_token=granted"))
            );
            page.answered(200, CLASSIC);
            assert!(page.connects().ends_with("&access_token=granted"));
            page.frame(INIT);
            page.deed();
            page.answered(200, "{}");
            page = up(page);
            lost(&mut page);
            page.again();
            let url = page.connects();
            assert!(
                url.starts_with("ws://elsewhere/signalr/reconnect?a=b&"),
                "{url}"
            );
            assert!(url.contains("&access_token=granted&"), "{url}");
            page = up(page);
            lost(&mut page);
            page.wake(page.now + 30_000.0);
        }
    }
}

// Closing.

#[test]
fn a_closed_page_aborts_its_classic_connection() {
    let mut page = classic_up();
    page.close();
    page.expect(Deed::Disconnect);
    assert!(
        matches!(page.deed(), Deed::Post(url, _) if url.starts_with("http://h/signalr/abort?") && url.contains("connectionToken=to%2fken"))
    );
    assert_eq!(page.deeds, []);
    page.answered(200, "");
    page.pass(1e9);
    assert_eq!((page.state(), page.deeds.len()), (State::Closed, 0));

    for make in [socket_io_4, socket_io_2, signalr_up] {
        let mut page = make();
        page.close();
        page.expect(Deed::Disconnect);
        assert_eq!(page.deeds, []);
        assert_eq!(page.session.wake_at(), None);
    }
}

#[test]
fn a_connection_that_never_was_is_not_aborted() {
    let mut page = Page::opened(classic());
    page.close();
    assert!(
        page.deeds
            .iter()
            .all(|deed| !matches!(deed, Deed::Post(..))),
        "{:?}",
        page.deeds
    );
    // What was asked for before is nobody's.
    page.answered(200, CLASSIC);
    assert_eq!(page.state(), State::Closed);
}

#[test]
fn what_the_server_ends_is_ended() {
    let ends: [(Make, &str, State); 7] = [
        (socket_io_4, "41", State::Closed),
        (socket_io_4, "1", State::Waiting),
        (socket_io_2, "41", State::Closed),
        (
            signalr_up,
            "{\"type\":7,\"error\":\"e\"}\u{1e}",
            State::Closed,
        ),
        (
            signalr_up,
            "{\"type\":7,\"allowReconnect\":true}\u{1e}",
            State::Waiting,
        ),
        (classic_up, r#"{"E":"e"}"#, State::Closed),
        (classic_up, r#"{"I":"1","E":"e"}"#, State::Open),
    ];
    for (make, frame, state) in ends {
        let mut page = make();
        page.frame(frame);
        assert_eq!(page.state(), state, "{frame}");
        assert_eq!(page.failed.is_some(), state == State::Closed);
        assert_eq!(page.refused.len(), usize::from(state == State::Open));
    }
}

#[test]
fn nothing_is_read_behind_a_record_that_ended_the_connection() {
    let behind = "{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[\"{}\"],\"invocationId\":\"1\"}\u{1e}{}\u{1e}{\"ty";
    for (end, state) in [
        ("{\"type\":7}\u{1e}", State::Closed),
        ("{\"type\":7,\"allowReconnect\":true}\u{1e}", State::Waiting),
    ] {
        let mut page = signalr_up();
        let before = page.verdicts.len();
        page.frame(&format!("{end}{behind}"));
        assert_eq!((page.state(), page.verdicts.len()), (state, before + 1));
        page.expect(Deed::Disconnect);
        assert_eq!(page.deeds, []);
        if state == State::Waiting {
            page.again();
            // Nor is what was begun there the beginning of what comes here.
            negotiates(&mut page);
            up(page);
        }
    }
}

// Frames of conversations, one by one.

fn classic_frame(cursor: &str, hub: &str) -> String {
    format!(
        "{{\"C\":\"{cursor}\",\"M\":[{{\"H\":\"{hub}\",\"M\":\"onMessageReceived\",\"A\":[\"{{\\\"sender\\\":1,\\\"channel\\\":\\\"main\\\",\\\"message\\\":1}}\"]}}]}}"
    )
}

/// A cursor names what was heard on every topic, so that it may grow by more than a head has room for.
#[test]
fn a_cursor_may_be_of_any_length() {
    for length in 1..400 {
        let mut page = classic_up();
        let cursor = "7".repeat(length);
        page.frame(&classic_frame(&cursor, "webRtcHub3"));
        page.frame(&classic_frame(&cursor, "webRtcHub3"));
        assert_eq!(page.stats().delivered, 2.0, "{length}");
        // The second one is no longer than the first.
        assert!(page.by_head >= 1);
        lost(&mut page);
        page.again();
        reconnects(&mut page, &cursor);
    }
}

#[test]
fn a_cursor_may_be_written_with_escapes() {
    let mut page = classic_up();
    page.frame(&classic_frame("d-\\u002b1", "webRtcHub3"));
    lost(&mut page);
    page.again();
    reconnects(&mut page, "d-%2b1");
}

/// Once it is known how the server writes the hub's name, heads do again.
#[test]
fn the_server_has_its_own_way_with_capitals() {
    let mut page = classic_up();
    for by_head in 0..3 {
        page.frame(&classic_frame("d-1", "WebRtcHub3"));
        assert_eq!(page.by_head, by_head);
    }
    assert_eq!(page.stats().delivered, 3.0);
}

#[test]
fn events_of_other_namespaces_are_nothing_of_ours() {
    let event = r#"["message",{"sender":1,"channel":"main","message":1}]"#;
    let all = [("/", ""), ("/a", "/a,"), ("/ab", "/ab,"), ("/é", "/é,")];
    for (namespace, of) in all {
        let mut page = Page::opened(room(&[("namespace", namespace)]));
        page.connects();
        page.frame(EIO4);
        page.expect(Deed::Say(format!("40{of}")));
        page.frame(&format!("40{of}{{\"sid\":\"b\"}}"));
        let mut page = up(page);
        for (_, other) in all {
            page.frame(&format!("42{other}{event}"));
            page.frame(&format!("42{other}9{event}"));
            // Nor is it our namespace that is closed there.
            if other != of {
                page.frame(&format!("41{other}"));
                page.frame(&format!("44{other}{{\"message\":\"no\"}}"));
            }
        }
        assert_eq!(page.stats().delivered, 2.0, "{namespace}");
        page.expect(Deed::Say(format!("43{of}9[]")));
        up(page);
    }
}
