//! Classic SignalR connections that are resumed, or can't be.

use crate::setups::{
    CLASSIC, Client, INIT, classic, classic_up, loses, negotiates_classic, opened, requests, up,
};
use signal_wasm::session::{Action, Input};

/// A connection is resumed from this cursor; it is ready when it is open.
fn resumes(page: &mut Client, cursor: &str) {
    match page.next_done() {
        Action::OpenSocket(url) => {
            assert!(url.starts_with("ws://h/signalr/reconnect?"), "{url}");
            assert!(url.contains(&format!("&messageId={cursor}&")), "{url}");
        }
        action => panic!("{action:?}"),
    }
}

#[test]
fn a_lost_connection_is_resumed_from_the_last_cursor() {
    let mut page = classic_up();
    let frame = |cursor: &str, sender: u64, tail: &str| {
        format!(
            "{{\"C\":\"{cursor}\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[\"{{\\\"sender\\\":{sender},\\\"channel\\\":\\\"main\\\",\\\"message\\\":1}}\"]}}]{tail}}}"
        )
    };
    // Read by its head or as a whole, another page's or our own.
    for (cursor, sender, tail) in [
        ("d-2", 1, ""),
        ("d-3", 12345, ""),
        ("d-4", 1, ",\"G\":\"groups\""),
        ("d-5", 1, ""),
    ] {
        page.receive(&frame(cursor, sender, tail));
        loses(&mut page);
        page.tries_again();
        resumes(&mut page, cursor);
        page.socket_opens();
        page = up(page);
    }
    loses(&mut page);
    page.tries_again();
    assert!(page.connects().ends_with("&groupsToken=groups"));
    assert_eq!(page.stats().delivered, 3.0);
    assert_eq!(page.stats().own, 1.0);
}

/// A socket that the server refuses looks like a network that is down. So the server must answer a
/// request before the last try.
#[test]
fn a_connection_that_is_not_resumed_is_replaced_once_the_server_answers() {
    let mut page = classic_up();
    loses(&mut page);
    page.tries_again();
    resumes(&mut page, "d-1");
    loses(&mut page);
    // The network is down: nothing is concluded from that.
    for _ in 0..2 {
        page.tries_again();
        requests(&mut page, "http://h/signalr/negotiate?");
        page.loses_socket(None);
    }
    page.tries_again();
    requests(&mut page, "http://h/signalr/negotiate?");
    page.is_answered(200, CLASSIC);
    // With the token that the connection has, not that of this answer.
    resumes(&mut page, "d-1");
    loses(&mut page);
    page.tries_again();
    negotiates_classic(&mut page);
    assert!(page.state().is_open());
    // And from then on as ever.
    loses(&mut page);
    page.tries_again();
    resumes(&mut page, "d-1");
    page.socket_opens();
    assert!(page.state().is_open());
}

#[test]
fn a_connection_in_doubt_may_be_resumed_after_all() {
    let mut page = classic_up();
    loses(&mut page);
    page.tries_again();
    resumes(&mut page, "d-1");
    loses(&mut page);
    page.tries_again();
    requests(&mut page, "http://h/signalr/negotiate?");
    page.is_answered(200, CLASSIC);
    resumes(&mut page, "d-1");
    page.socket_opens();
    assert!(page.state().is_open());
    // No doubt is left.
    loses(&mut page);
    page.tries_again();
    resumes(&mut page, "d-1");
}

#[test]
fn a_connection_that_the_server_has_forgotten_is_replaced() {
    let mut page = classic_up();
    loses(&mut page);
    page.wakes(page.now + 30_000.0);
    negotiates_classic(&mut page);
    assert!(page.state().is_open());

    // Likewise if it was in doubt.
    loses(&mut page);
    page.tries_again();
    resumes(&mut page, "d-1");
    loses(&mut page);
    page.wakes(page.now + 30_000.0);
    negotiates_classic(&mut page);
    assert!(page.state().is_open());
}

#[test]
fn a_connection_that_was_never_open_is_not_resumed() {
    let mut page = opened(&classic());
    requests(&mut page, "http:");
    page.is_answered(200, CLASSIC);
    page.connects();
    page.receive(INIT);
    for _ in 0..3 {
        loses(&mut page);
        page.tries_again();
        requests(&mut page, "http://h/signalr/negotiate?");
        page.is_answered(200, CLASSIC);
        assert!(page.connects().contains("/connect?"));
        page.receive(INIT);
        requests(&mut page, "http://h/signalr/start?");
    }
}

/// A frame with one message of another page's.
fn frame(cursor: &str, hub: &str) -> String {
    format!(
        "{{\"C\":\"{cursor}\",\"M\":[{{\"H\":\"{hub}\",\"M\":\"onMessageReceived\",\"A\":[\"{{\\\"sender\\\":1,\\\"channel\\\":\\\"main\\\",\\\"message\\\":1}}\"]}}]}}"
    )
}

/// A cursor names what came last on every topic, so that it may grow by more than a head has room
/// for.
#[test]
fn a_cursor_may_be_of_any_length() {
    for length in 1..400 {
        let mut page = classic_up();
        let cursor = "7".repeat(length);
        page.receive(&frame(&cursor, "webRtcHub3"));
        page.receive(&frame(&cursor, "webRtcHub3"));
        assert_eq!(page.stats().delivered, 2.0, "{length}");
        // The second one is no longer than the first.
        assert!(page.by_head >= 1);
        loses(&mut page);
        page.tries_again();
        resumes(&mut page, &cursor);
    }
}

#[test]
fn a_cursor_may_be_written_with_escapes() {
    let mut page = classic_up();
    page.receive(&frame("d-\\u002b1", "webRtcHub3"));
    loses(&mut page);
    page.tries_again();
    resumes(&mut page, "d-%2b1");
}

/// Once it is known how the server writes the hub's name, heads do again.
#[test]
fn the_server_has_its_own_way_with_capitals() {
    let mut page = classic_up();
    for by_head in 0..3 {
        page.receive(&frame("d-1", "WebRtcHub3"));
        assert_eq!(page.by_head, by_head);
    }
    assert_eq!(page.stats().delivered, 3.0);
}

/// A page that is put away between two attempts hasn't tried anything.
#[test]
fn a_page_that_is_put_away_while_it_waits_resumes_all_the_same() {
    let mut page = classic_up();
    loses(&mut page);
    page.handle(Input::PageHidden);
    page.done.clear();
    page.handle(Input::PageShown);
    page.tries_again();
    resumes(&mut page, "d-1");
    page.socket_opens();
    assert!(page.state().is_open());
}
