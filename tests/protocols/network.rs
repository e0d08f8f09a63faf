//! The network of a page changes, and its connection may be dead without a sign.

use crate::setups::{
    Client, Make, classic_up, opened, signalr_up, socket_io, socket_io_2, socket_io_4, up,
};
use crate::support::host::HostText;
use crate::support::page::Setup;
use signal_wasm::protocol::{Frame, HttpResponse, Millis, ServerEvent};
use signal_wasm::session::{Action, Input, State};

const FOREVER: Millis = Millis::INFINITY;

fn websocket() -> Client {
    let mut page = opened(&Setup::new("websocket", "ws://h/"));
    page.connects();
    up(page)
}

fn auto() -> Client {
    let mut page = opened(&Setup::new("auto", "ws://h/"));
    page.connects();
    page.passes(250.0);
    up(page)
}

fn sse() -> Client {
    let mut page = opened(&Setup::new("sse", "ws://h/events"));
    assert!(matches!(page.next_done(), Action::OpenEventSource(_)));
    page.socket_opens();
    up(page)
}

const UNASKED: [(Make, &str); 7] = [
    (websocket, r#"{"sender":1,"channel":"x","message":1}"#),
    (auto, r#"{"sender":1,"channel":"x","message":1}"#),
    (socket_io_4, "2"),
    (socket_io_2, "3"),
    (signalr_up, "{\"type\":6}\u{1e}"),
    (classic_up, "{}"),
    (sse, r#"{"sender":1,"channel":"x","message":1}"#),
];

fn changes() -> [Input<HostText>; 2] {
    [Input::Online, Input::Offline]
}

fn reads_a_stream(page: &Client) -> bool {
    page.session.url() == "http://h/events"
}

/// It asks for a socket, a stream or an answer.
fn is_attempt(action: &Action<HostText>) -> bool {
    matches!(
        action,
        Action::OpenSocket(_) | Action::OpenEventSource(_) | Action::Http(_)
    )
}

#[test]
fn a_silent_connection_is_replaced_within_two_seconds() {
    for (make, _) in UNASKED {
        for change in changes() {
            let mut page = make();
            page.passes(5.0);
            page.handle(change);
            assert_eq!(page.done, [], "it may be alive");
            page.passes(999.0);
            assert_eq!(page.done, [], "it may be alive");
            page.passes(1_001.0);
            assert_eq!(page.state(), State::Connecting);
            let states: Vec<_> = page.states().into_iter().rev().take(2).collect();
            assert_eq!(
                states[1].1,
                "the network changed, and nothing was received since"
            );
            page.did(Action::Disconnect);
            let attempt = page.next_done();
            assert!(is_attempt(&attempt), "{attempt:?}");
        }
    }
}

#[test]
fn a_network_that_comes_and_goes_gives_no_more_time() {
    let mut page = websocket();
    for _ in 0..4 {
        page.handle(Input::Offline);
        page.passes(250.0);
        page.handle(Input::Online);
        page.passes(250.0);
    }
    assert_eq!(page.state(), State::Connecting);
}

#[test]
fn one_that_delivers_is_kept() {
    for (make, frame) in UNASKED {
        for change in changes() {
            let mut page = make();
            page.handle(change);
            page.passes(900.0);
            if reads_a_stream(&page) {
                page.handle(Input::ServerEvent(ServerEvent {
                    kind: "message".into(),
                    id: String::new(),
                    data: frame.into(),
                }));
            } else {
                page.receive(frame);
            }
            page.passes(5_000.0);
            assert!(page.state().is_open());
        }
    }
}

#[test]
fn a_binary_frame_is_a_sign_of_life_too() {
    let mut page = websocket();
    page.handle(Input::Online);
    page.receive_from(page.session.connection(), Frame::Binary(vec![1]));
    page.passes(5_000.0);
    assert!(page.state().is_open());
}

/// A connection without acknowledgements would lose them without a word.
#[test]
fn messages_wait_until_the_doubt_is_over() {
    for (make, frame) in UNASKED {
        let mut page = make();
        if reads_a_stream(&page) {
            continue;
        }
        page.handle(Input::Offline);
        page.send("main", "1", FOREVER);
        page.send("main", "2", FOREVER);
        assert_eq!(page.done, []);
        assert_eq!(page.stats().queued, 2.0);
        page.receive(frame);
        let sent = page.take_sent();
        let messages: Vec<_> = sent
            .iter()
            .filter(|frame| frame.contains("message"))
            .collect();
        assert!(
            messages.len() <= 2 && page.stats().queued == 0.0,
            "{sent:?}"
        );
    }
    // On a new connection, if the old one is dead.
    let mut page = websocket();
    page.handle(Input::Online);
    page.send("main", "1", FOREVER);
    page.passes(2_000.0);
    page.did(Action::Disconnect);
    assert_eq!(page.stats().sent, 0.0);
    page.connects();
    assert!(page.sent_message().ends_with("\"message\":1}"));
    // A page that leaves can't wait.
    page.handle(Input::Offline);
    page.handle(Input::PageHiding);
    page.send("main", "2", FOREVER);
    assert!(page.sent_message().ends_with("\"message\":2}"));
}

/// The timers of a hidden page fire late.
#[test]
fn what_expired_meanwhile_is_dropped_though_no_timer_fired() {
    let frame = r#"{"sender":1,"channel":"x","message":1}"#;
    let mut page = websocket();
    page.handle(Input::Online);
    page.send("main", "1", 100.0);
    page.send("main", "2", FOREVER);
    page.now += 900.0;
    page.receive(frame);
    assert!(page.sent_message().ends_with("\"message\":2}"));
    assert_eq!(page.stats().dropped, 1.0);
    // The same while a message waits for the answer to another.
    let mut page = sse();
    page.send("main", "1", FOREVER);
    page.send("main", "2", 100.0);
    page.done.clear();
    page.now += 900.0;
    let answer = HttpResponse {
        status: 204,
        retry_after: None,
        body: "".into(),
    };
    page.handle(Input::Posted(1, Ok(answer)));
    assert_eq!(page.done, []);
    assert_eq!((page.stats().queued, page.stats().dropped), (0.0, 1.0));
}

#[test]
fn an_answer_to_a_post_request_says_nothing_about_the_stream() {
    let mut page = sse();
    page.send("main", "1", FOREVER);
    page.done.clear();
    page.handle(Input::Online);
    page.handle(Input::Posted(1, Err("no".into())));
    page.passes(2_000.0);
    assert_eq!(page.state(), State::Connecting);
}

#[test]
fn an_attempt_of_before_the_change_is_replaced_too() {
    for attempts in [f64::INFINITY, 1.0] {
        let mut setup = socket_io();
        setup.config.reconnect.attempts = attempts;
        let mut page = opened(&setup);
        for _ in 0..5 {
            page.handle(Input::Online);
            page.passes(2_000.0);
            assert_eq!(page.state(), State::Connecting);
        }
        assert_eq!(
            page.done.iter().filter(|action| is_attempt(action)).count(),
            6
        );
        // One that gets on is not.
        page.handle(Input::Online);
        page.socket_opens();
        page.passes(3_000.0);
        assert_eq!(
            page.done.iter().filter(|action| is_attempt(action)).count(),
            6
        );
    }
}

#[test]
fn what_is_not_replaced() {
    // A page that never reconnects keeps what it has.
    let mut setup = Setup::new("websocket", "ws://h/");
    setup.config.reconnect.attempts = 0.0;
    let mut page = opened(&setup);
    page.connects();
    page.handle(Input::Online);
    page.passes(100_000.0);
    assert!(page.state().is_open());
    // A transport of the page's looks after itself.
    let mut setup = Setup::new("websocket", "");
    setup.config.own_transport = true;
    let mut page = opened(&setup);
    page.connects();
    page.handle(Input::Offline);
    page.send("main", "1", FOREVER);
    page.sent_message();
    page.passes(100_000.0);
    assert!(page.state().is_open());
    // The page's own functions take their time.
    let mut setup = Setup::new("websocket", "");
    setup.config.asks_url = true;
    let mut page = opened(&setup);
    page.did(Action::AskUrl);
    page.handle(Input::Online);
    page.passes(100_000.0);
    assert_eq!(page.done, []);
}

/// Classic SignalR delivers what came meanwhile.
#[test]
fn classic_signalr_resumes_the_connection_that_it_replaces() {
    let mut page = classic_up();
    page.handle(Input::Online);
    page.passes(2_000.0);
    page.did(Action::Disconnect);
    assert!(page.connects().starts_with("ws://h/signalr/reconnect?"));
    assert!(page.state().is_open());
    page.loses_socket(Some(1006));
    page.done.clear();
    page.tries_again();
    page.connects();
    page.handle(Input::Offline);
    page.receive("{}");
    page.passes(2_000.0);
    assert!(page.state().is_open());
}
