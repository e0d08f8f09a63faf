//! The network of a page changes, and its connection may be dead without a sign.

use crate::setups::{
    Client, Make, classic_up, opened, signalr_up, socket_io, socket_io_2, socket_io_4, up,
};
use crate::support::host::HostText;
use crate::support::page::{Setup, loss};
use signal_wasm::protocol::{Frame, HttpResponse, Millis, ServerEvent};
use signal_wasm::session::{Action, Event, Input, State};

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

const PLAIN: [(Make, &str); 2] = [
    (websocket, r#"{"sender":1,"channel":"x","message":1}"#),
    (auto, r#"{"sender":1,"channel":"x","message":1}"#),
];

/// Their servers know a connection from any other.
const KNOWN: [(Make, &str); 5] = [
    (socket_io_4, "2"),
    (socket_io_2, "3"),
    (signalr_up, "{\"type\":6}\u{1e}"),
    (classic_up, "{}"),
    (sse, r#"{"sender":1,"channel":"x","message":1}"#),
];

fn unasked() -> impl Iterator<Item = (Make, &'static str)> {
    PLAIN.into_iter().chain(KNOWN)
}

fn changes() -> [Input<HostText>; 2] {
    [Input::Online, Input::Offline]
}

fn standby() -> Action<HostText> {
    Action::OpenStandby("ws://h/".into())
}

fn message(number: u64) -> HostText {
    format!(r#"{{"sender":1,"channel":"main","message":{number}}}"#)
        .as_str()
        .into()
}

fn from_standby(page: &mut Client, input: Input<HostText>) {
    let standby = page.session.standby().expect("no second connection");
    page.handle_from(standby, input);
}

fn standby_opens(page: &mut Client) {
    from_standby(page, Input::SocketOpen);
    assert_eq!(page.done, []);
}

/// A plain connection that is silent since a change of the network, and a second one beside it.
fn doubled(make: Make, change: Input<HostText>) -> Client {
    let mut page = make();
    page.passes(5.0);
    page.handle(change);
    page.passes(999.0);
    assert_eq!(page.done, [], "it may be alive");
    page.passes(1_001.0);
    page.did(standby());
    assert_eq!(page.done, [], "it may still be alive");
    assert!(page.state().is_open());
    page
}

fn heard(page: &Client) -> Vec<u64> {
    let messages = page.events.iter().filter_map(|event| match event {
        Event::Message(_, message) => message.0.as_ref()?.as_u64(),
        _ => None,
    });
    messages.collect()
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
    for (make, _) in KNOWN {
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

/// The second connection is open before the first is closed.
#[test]
fn a_plain_connection_is_kept_until_the_second_is_open() {
    for (make, _) in PLAIN {
        for change in changes() {
            let mut page = doubled(make, change);
            let silent = page.session.connection();
            page.events.clear();
            page.send("main", "1", FOREVER);
            standby_opens(&mut page);
            page.passes(99.0);
            from_standby(&mut page, Input::Frame(Frame::Text(message(5))));
            from_standby(&mut page, Input::Frame(Frame::Text(message(6))));
            assert_eq!(page.done, [], "something may still be on its way");
            page.passes(1.0);
            page.did(Action::UseStandby);
            page.passes(20.0);
            assert!(page.sent_message().ends_with("\"message\":1}"));
            let states: Vec<_> = page
                .states()
                .iter()
                .map(|(state, _)| state.name())
                .collect();
            assert_eq!(states, ["connecting", "open"]);
            assert_eq!(page.session.standby(), None);
            // What the first one still says is stale.
            page.handle_from(silent, Input::SocketClosed(loss(Some(1006))));
            page.receive_from(silent, Frame::Text(message(7)));
            page.receive_from(page.session.connection(), Frame::Text(message(8)));
            assert_eq!(heard(&page), [5, 6, 8]);
            page.passes(100_000.0);
            assert!(page.state().is_open());
            assert_eq!(page.done, []);
        }
    }
}

/// A message that the server sends to both of its connections arrives once.
#[test]
fn a_plain_connection_that_is_alive_is_kept_and_misses_nothing() {
    for (make, _) in PLAIN {
        for is_open in [false, true] {
            let mut page = doubled(make, Input::Offline);
            let standby = page.session.standby().expect("no second connection");
            page.events.clear();
            page.send("main", "1", FOREVER);
            let alive = page.session.connection();
            if is_open {
                page.handle_from(standby, Input::SocketOpen);
                page.handle_from(standby, Input::Frame(Frame::Text(message(1))));
            }
            page.receive_from(alive, Frame::Text(message(1)));
            page.did(Action::CloseStandby);
            assert!(page.sent_message().ends_with("\"message\":1}"));
            for late in [
                Input::SocketOpen,
                Input::Frame(Frame::Text(message(1))),
                Input::SocketClosed(loss(None)),
            ] {
                page.handle_from(standby, late);
            }
            page.receive_from(alive, Frame::Text(message(2)));
            page.passes(100_000.0);
            assert_eq!(heard(&page), [1, 2]);
            assert_eq!(page.states(), []);
            assert_eq!(page.done, []);
            // The same may happen again.
            page.handle(Input::Online);
            page.passes(2_000.0);
            page.did(Action::OpenStandby("ws://h/".into()));
            assert_ne!(page.session.standby(), Some(standby));
        }
    }
}

/// What is held costs no memory without limit.
#[test]
fn a_second_connection_that_receives_much_takes_over_at_once() {
    let mut page = doubled(websocket, Input::Offline);
    standby_opens(&mut page);
    for number in 0..100 {
        assert_eq!(page.done, []);
        from_standby(&mut page, Input::Frame(Frame::Text(message(number))));
    }
    page.did(Action::UseStandby);
    assert_eq!(heard(&page), (0..100).collect::<Vec<_>>());
}

#[test]
fn without_a_second_connection_the_first_is_replaced() {
    let fails: [fn(&mut Client); 4] = [
        |page| from_standby(page, Input::SocketClosed(loss(None))),
        |page| {
            standby_opens(page);
            from_standby(page, Input::SocketClosed(loss(Some(1006))));
        },
        // The option connectTimeout.
        |page| page.passes(10_000.0),
        // The network changes again, and both are silent.
        |page| {
            page.handle(Input::Online);
            page.passes(2_000.0);
        },
    ];
    for fail in fails {
        let mut page = doubled(websocket, Input::Offline);
        page.events.clear();
        fail(&mut page);
        page.did(Action::Disconnect);
        page.passes(0.0);
        page.connects();
        let reasons: Vec<_> = page.states().iter().map(|(_, reason)| *reason).collect();
        assert_eq!(
            reasons[0],
            "the network changed, and nothing was received since"
        );
        assert!(page.state().is_open());
    }
    // The page's functions may give an address, or credentials, for one connection only.
    let mut setup = Setup::new("websocket", "ws://h/");
    setup.config.asks_url = true;
    let mut page = opened(&setup);
    page.did(Action::AskUrl);
    page.handle(Input::Url("ws://h/?ticket=1".into()));
    page.connects();
    page.handle(Input::Online);
    page.passes(2_000.0);
    page.did(Action::Disconnect);
    page.did(Action::AskUrl);
}

#[test]
fn what_ends_the_first_connection_closes_the_second() {
    let ends: [fn(&mut Client); 3] = [
        |page| page.loses_socket(Some(1006)),
        |page| page.handle(Input::PageHidden),
        |page| page.close(),
    ];
    for end in ends {
        let mut page = doubled(websocket, Input::Offline);
        let standby = page.session.standby().expect("no second connection");
        end(&mut page);
        page.did(Action::Disconnect);
        assert_eq!(page.session.standby(), None);
        let state = page.state();
        page.handle_from(standby, Input::SocketOpen);
        assert_eq!(page.state(), state);
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
    page.did(standby());
}

#[test]
fn one_that_delivers_is_kept() {
    for (make, frame) in unasked() {
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
    for (make, frame) in unasked() {
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
    page.did(standby());
    assert_eq!(page.stats().sent, 0.0);
    standby_opens(&mut page);
    page.passes(100.0);
    page.did(Action::UseStandby);
    assert!(page.sent_message().ends_with("\"message\":1}"));
    // A page that leaves can't wait.
    page.handle(Input::Offline);
    page.handle(Input::PageHiding);
    page.send("main", "2", FOREVER);
    assert!(page.sent_message().ends_with("\"message\":2}"));
}

/// What proves that a connection works may have been received while the page was busy. It is handled
/// after the task that sends.
#[test]
fn a_busy_page_that_sends_does_not_end_a_connection_in_doubt() {
    for (make, frame) in unasked() {
        let mut page = make();
        page.handle(Input::Online);
        page.now += 2_001.0;
        page.send("main", "1", FOREVER);
        assert!(page.state().is_open());
        if reads_a_stream(&page) {
            continue;
        }
        page.take_sent();
        page.receive(frame);
        assert!(page.state().is_open());
        assert_eq!(page.stats().queued, 0.0);
    }
}

/// Closing is the last chance for what waits.
#[test]
fn a_page_that_leaves_or_closes_sends_what_waits_on_an_open_connection() {
    // A goodbye in `beforeunload` comes before the page is hidden.
    let leave = |page: &mut Client| page.handle(Input::PageHiding);
    for end in [leave, Client::close] {
        for (make, _) in unasked() {
            let mut page = make();
            // Requests could arrive in another order.
            if reads_a_stream(&page) {
                continue;
            }
            page.handle(Input::Offline);
            page.send("main", "1", FOREVER);
            page.send("main", "2", FOREVER);
            assert_eq!(page.take_sent(), [""; 0]);
            end(&mut page);
            let sent = page.take_sent().join(" ").replace('\\', "");
            let place = |number| sent.find(&format!("\"message\":{number}"));
            assert!(place(1).is_some() && place(1) < place(2), "{sent}");
            assert_eq!(page.stats().queued, 0.0);
        }
    }
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
