//! Which servers `auto` takes for our relay, and for how long.

use crate::client::{
    Client, FOREVER, HELLO, HELLO_AGAIN, PING, PONG, answer, foreign, message, plain,
};
use signal_wasm::session::{Event, Input, State};

#[test]
fn a_relay_learns_which_channels_are_open_before_anything_is_sent() {
    for protocol in ["auto", "relay"] {
        let mut client = Client::connecting(protocol);
        client.sends(0.0, "a", "1", FOREVER);
        assert_eq!(client.done(), ["ws://h/x"]);
        client.receives(1.0, HELLO);
        assert_eq!(client.done(), [r#"{"open":["a"],"after":{}}"#]);
        client.receives(2.0, &answer("s1", 0));
        assert!(client.state().is_open());
        assert_eq!(client.done(), [PING.into(), message("a", 1, "1")]);
        assert_eq!(client.session().stats().queued, 1.0);
        client.receives(3.0, r#"{"ack":1}"#);
        assert_eq!(client.session().stats().queued, 0.0);
        assert_eq!(client.receives(4.0, &foreign("a", "6")), ["6"]);
        client.receives(52.0, PONG);
        assert_eq!(client.session().stats().round_trip, Some(50.0));
        assert_eq!(client.session().stats().connects, 1.0);
        assert_eq!(client.told(), []);
    }
}

/// What comes before the answer comes again behind it.
#[test]
fn a_session_that_is_resumed_delivers_nothing_before_the_answer() {
    let mut client = Client::subscribed();
    client.loses(1.0, 1006);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    assert!(client.receives(now, &foreign("a", "5")).is_empty());
    assert_eq!(client.state(), State::Connecting);
    client.receives(now, &answer("s1", 0));
    assert_eq!(client.receives(now, &foreign("a", "5")), ["5"]);
}

#[test]
fn a_server_that_says_nothing_at_first_is_an_ordinary_one() {
    let mut client = Client::connecting("auto");
    // The page knows at once that it is connected.
    assert_eq!(client.state(), State::Open { since: 0.0 });
    client.sends(0.0, "a", "1", FOREVER);
    assert_eq!(client.done(), ["ws://h/x"]);
    // Only what is sent as the socket opens waits a moment for a hello.
    assert_eq!(client.timeout(), 20.0);
    client.times_out(19.0);
    assert_eq!(client.done(), [""; 0]);
    client.times_out(20.0);
    assert_eq!(client.done(), [plain("a", "1")]);
    assert_eq!(client.session().stats().queued, 0.0);
    client.sends(21.0, "a", "2", FOREVER);
    assert_eq!(client.done(), [plain("a", "2")]);
    // Once it has said anything, no hello is waited for.
    client.receives(22.0, r#"{"sender":8,"channel":"a","message":5}"#);
    client.loses(10_000.0, 1006);
    let now = client.reconnects();
    assert_eq!(client.state(), State::Open { since: now });
    client.sends(now, "a", "3", FOREVER);
    assert_eq!(client.done(), [plain("a", "3")]);
}

/// It is handled first if the page does something else for a moment before it sends.
#[test]
fn a_hello_that_came_in_time_counts_though_the_page_was_busy() {
    let mut client = Client::connecting("auto");
    client.sends(30.0, "a", "1", FOREVER);
    client.receives(30.0, HELLO);
    client.receives(31.0, &answer("s1", 0));
    let last = client.done().pop();
    assert_eq!(last, Some(message("a", 1, "1")));
}

/// A goodbye in `beforeunload` comes before the page is hidden.
#[test]
fn a_page_that_leaves_at_once_waits_for_no_hello() {
    let mut client = Client::connecting("auto");
    client.sends(0.0, "a", "1", FOREVER);
    client.sends(0.0, "a", "2", FOREVER);
    assert_eq!(client.done(), ["ws://h/x"]);
    client.handles(1.0, Input::PageHiding);
    assert_eq!(client.done(), [plain("a", "1"), plain("a", "2")]);
}

/// The relay takes what comes behind a subscription, and acknowledges both.
#[test]
fn a_page_that_leaves_at_once_waits_for_no_acknowledgement() {
    let mut client = Client::connecting("auto");
    client.sends(0.0, "a", "1", FOREVER);
    client.receives(1.0, HELLO);
    assert_eq!(client.done(), ["ws://h/x", r#"{"open":["a"],"after":{}}"#]);
    client.sends(1.0, "a", "2", FOREVER);
    assert_eq!(client.done(), [""; 0]);
    client.handles(2.0, Input::PageHiding);
    assert_eq!(client.done(), [message("a", 1, "1"), message("a", 2, "2")]);
}

#[test]
fn a_server_whose_first_frame_is_an_envelope_is_an_ordinary_one() {
    let mut client = Client::connecting("auto");
    let frame = r#"{"sender":8,"channel":"a","message":5}"#;
    client.sends(0.0, "a", "1", FOREVER);
    assert_eq!(client.receives(1.0, frame), ["5"]);
    assert_eq!(client.done(), ["ws://h/x".into(), plain("a", "1")]);
    // Only the first one can be a hello: any other is what a page has sent.
    client.receives(2.0, HELLO);
    client.sends(2.0, "a", "2", FOREVER);
    assert_eq!(client.done(), [plain("a", "2")]);
}

/// On a server that is known, the first frame is read by its head.
#[test]
fn a_hello_behind_an_envelope_is_what_a_page_has_sent() {
    let mut client = Client::connecting("auto");
    client.receives(0.0, "{}");
    client.loses(300.0, 1006);
    let now = client.reconnects();
    assert_eq!(client.state(), State::Open { since: now });
    let frame = r#"{"sender":8,"channel":"a","message":5}"#;
    assert_eq!(client.receives(now, frame), ["5"]);
    client.receives(now, HELLO);
    client.sends(now, "a", "1", FOREVER);
    assert_eq!(client.done(), [plain("a", "1")]);
    // A relay may stand there after the next loss.
    client.loses(now, 1006);
    let now = client.reconnects();
    client.receives(now, HELLO);
    assert_eq!(client.done(), [r#"{"open":["a"],"after":{}}"#]);
}

#[test]
fn a_relay_that_was_taken_for_another_server_is_a_relay_once_its_hello_comes() {
    let mut client = Client::connecting("auto");
    client.times_out(250.0);
    client.sends(260.0, "a", "1", FOREVER);
    client.receives(300.0, HELLO);
    client.sends(301.0, "a", "2", FOREVER);
    client.done();
    // Nothing is replayed to a new session, so this one, which may be an answer, comes only once.
    assert_eq!(client.receives(340.0, &foreign("a", "5")), ["5"]);
    client.receives(350.0, &answer("s1", 0));
    // The first one was sent as to an ordinary server, which acknowledges nothing.
    assert_eq!(client.done(), [PING.into(), message("a", 2, "2")]);
    assert_eq!(client.session().stats().connects, 1.0);
}

/// The page counts as connected as soon as the socket is open. Others may know, and write to it.
#[test]
fn what_comes_before_the_subscription_is_delivered_if_the_page_was_connected() {
    // In time, while messages wait for the hello, and late.
    for hello_at in [1.0, 300.0] {
        let mut client = Client::connecting("auto");
        client.times_out(hello_at);
        assert!(client.state().is_open());
        client.receives(hello_at, HELLO);
        assert_eq!(client.receives(hello_at, &foreign("a", "5")), ["5"]);
        client.receives(350.0, &answer("s1", 0));
        assert_eq!(client.receives(351.0, &foreign("a", "6")), ["6"]);
    }
    let mut client = Client::connecting("relay");
    client.receives(1.0, HELLO);
    assert!(client.receives(1.0, &foreign("a", "5")).is_empty());
}

#[test]
fn a_proven_relay_is_never_taken_for_another_server() {
    // It says nothing at all, or nothing more after its hello.
    for says_hello in [false, true] {
        let mut client = Client::subscribed();
        client.sends(1.0, "a", "1", FOREVER);
        client.loses(2.0, 1006);
        let now = client.reconnects();
        if says_hello {
            client.receives(now, HELLO_AGAIN);
        }
        client.times_out(now + 9_999.0);
        assert_eq!(client.state(), State::Connecting);
        client.times_out(now + 10_000.0);
        assert_eq!(client.state().name(), "waiting");
        client.reconnects();
        assert_eq!(client.state(), State::Connecting);
        assert_eq!(client.session().stats().queued, 1.0);
    }
}

#[test]
fn a_server_that_must_be_our_relay_and_is_not_fails_with_the_way_out() {
    let mut client = Client::connecting("relay");
    client.receives(1.0, r#"{"sender":8,"channel":"a","message":5}"#);
    assert_eq!(client.state(), State::Closed);
    let told = client.told();
    let [Event::Failed { reason, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        reason.contains("signal-relay") && reason.contains("'auto'"),
        "{reason}"
    );
}

#[test]
fn a_silent_relay_is_disconnected() {
    let mut client = Client::subscribed();
    client.times_out(25_000.0);
    assert_eq!(client.done(), [PING]);
    client.times_out(34_999.0);
    assert_eq!(client.state(), State::Open { since: 0.0 });
    client.times_out(35_000.0);
    assert_eq!(client.state().name(), "waiting");
    assert_eq!(client.done(), ["disconnect"]);
}

#[test]
fn a_ping_is_answered_with_its_number() {
    let mut client = Client::subscribed();
    client.receives(1.0, r#"{"ping":1234567}"#);
    assert_eq!(client.done(), [r#"{"pong":1234567}"#]);
}

#[test]
fn the_protocol_that_is_spoken_is_known_once_the_server_is() {
    let spoken = |client: &Client| client.session().stats().protocol;
    // Silent at first, then an ordinary server, then a relay after all.
    let mut client = Client::connecting("auto");
    assert_eq!((client.state().is_open(), spoken(&client)), (true, None));
    client.times_out(20.0);
    assert_eq!(spoken(&client), Some("websocket"));
    client.receives(300.0, HELLO);
    assert_eq!(spoken(&client), Some("relay"));
    client.receives(301.0, &answer("s1", 0));
    assert_eq!(spoken(&client), Some("relay"));
    client.loses(302.0, 1006);
    assert_eq!(spoken(&client), None);
    // An ordinary one.
    let mut client = Client::connecting("auto");
    client.receives(1.0, "{}");
    assert_eq!(spoken(&client), Some("websocket"));
    // A relay, as the option says.
    let mut client = Client::connecting("relay");
    assert_eq!(spoken(&client), None);
    client.receives(1.0, HELLO);
    client.receives(2.0, &answer("s1", 0));
    assert_eq!(spoken(&client), Some("relay"));
}
