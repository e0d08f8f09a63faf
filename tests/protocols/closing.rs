//! Connections that the page or the server closes.

use crate::setups::{
    CLASSIC, Make, classic, classic_up, negotiates, opened, signalr_up, socket_io_2, socket_io_4,
    up,
};
use crate::support::host::HostValue;
use crate::support::page::Received;
use signal_wasm::session::{Action, Event, State};

#[test]
fn a_closed_page_aborts_its_classic_connection() {
    let mut page = classic_up();
    page.close();
    page.did(Action::Disconnect);
    let request = page.requested();
    assert_eq!(request.method, "POST");
    assert!(request.url.starts_with("http://h/signalr/abort?"));
    assert!(request.url.contains("connectionToken=to%2fken"));
    assert_eq!(page.done, []);
    page.is_answered(200, "");
    page.passes(1e9);
    assert_eq!((page.state(), page.done.len()), (State::Closed, 0));

    for make in [socket_io_4, socket_io_2, signalr_up] {
        let mut page = make();
        page.close();
        page.did(Action::Disconnect);
        assert_eq!(page.done, []);
        assert_eq!(page.session.poll_timeout(), None);
    }
}

#[test]
fn a_page_that_disconnects_aborts_it_and_begins_another_later() {
    let mut page = classic_up();
    let now = page.now;
    page.session.disconnect(now);
    page.settle();
    page.did(Action::Disconnect);
    let request = page.requested();
    assert!(request.url.starts_with("http://h/signalr/abort?"));
    page.session.connect(now).unwrap();
    page.settle();
    let request = page.requested();
    assert!(request.url.starts_with("http://h/signalr/negotiate?"));
}

#[test]
fn a_connection_that_never_was_is_not_aborted() {
    let mut page = opened(&classic());
    page.close();
    let posts = |action: &_| matches!(action, Action::Http(request) if request.method == "POST");
    assert!(!page.done.iter().any(posts), "{:?}", page.done);
    // The answer to an earlier request is ignored.
    page.is_answered(200, CLASSIC);
    assert_eq!(page.state(), State::Closed);
}

#[test]
fn the_server_closes_or_refuses() {
    let ends: [(Make, &str, &str); 7] = [
        (socket_io_4, "41", "closed"),
        (socket_io_4, "1", "waiting"),
        (socket_io_2, "41", "closed"),
        (signalr_up, "{\"type\":7,\"error\":\"e\"}\u{1e}", "closed"),
        (
            signalr_up,
            "{\"type\":7,\"allowReconnect\":true}\u{1e}",
            "waiting",
        ),
        (classic_up, r#"{"E":"e"}"#, "closed"),
        (classic_up, r#"{"I":"1","E":"e"}"#, "open"),
    ];
    for (make, frame, state) in ends {
        let mut page = make();
        page.receive(frame);
        assert_eq!(page.state().name(), state, "{frame}");
        assert_eq!(page.failure().is_some(), state == "closed");
        assert_eq!(page.refusals().len(), usize::from(state == "open"));
    }
}

#[test]
fn nothing_is_read_behind_a_record_that_ended_the_connection() {
    let behind = "{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[\"{}\"],\"invocationId\":\"1\"}\u{1e}{}\u{1e}{\"ty";
    for (end, state) in [
        ("{\"type\":7}\u{1e}", "closed"),
        ("{\"type\":7,\"allowReconnect\":true}\u{1e}", "waiting"),
    ] {
        let mut page = signalr_up();
        let before = page.received.len();
        page.receive(&format!("{end}{behind}"));
        assert_eq!(page.state().name(), state);
        assert_eq!(page.received.len(), before + 1);
        page.did(Action::Disconnect);
        assert_eq!(page.done, []);
        if state == "waiting" {
            page.tries_again();
            // Nor is the beginning of a record there the beginning of one on the next connection.
            negotiates(&mut page);
            up(page);
        }
    }
}

/// What came before the end is delivered, and before the page learns of the end.
#[test]
fn messages_in_the_frame_that_ends_the_connection_are_delivered() {
    const MESSAGE: &str = r#""{\"sender\":1,\"channel\":\"main\",\"message\":5}""#;
    let call = format!("{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[{MESSAGE}]}}");
    let frames: [(Make, String); 3] = [
        (signalr_up, format!("{call}\u{1e}{{\"type\":7}}\u{1e}")),
        (
            signalr_up,
            format!("{call}\u{1e}{{\"type\":7,\"allowReconnect\":true}}\u{1e}"),
        ),
        (
            classic_up,
            format!(
                "{{\"C\":\"d-2\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[{MESSAGE}]}}],\"E\":\"e\"}}"
            ),
        ),
    ];
    for (make, frame) in frames {
        let mut page = make();
        page.events.clear();
        page.receive(&frame);
        assert!(!page.state().is_open());
        assert_eq!(page.stats().delivered, 1.0, "{frame}");
        let message = Received::Message("main".into(), HostValue(Some(5.into())));
        assert!(page.received.contains(&message), "{frame}");
        let is_message = |event: &Event<_, _>| matches!(event, Event::Message(..));
        let is_state = |event: &Event<_, _>| matches!(event, Event::State { .. });
        let message = page.events.iter().position(is_message);
        assert!(message < page.events.iter().position(is_state));
    }
}
