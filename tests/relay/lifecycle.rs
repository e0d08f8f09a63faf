//! The page hidden and shown, the network gone and back, the address that the page is asked for.

use crate::client::{
    Client, FOREVER, HELLO, HELLO_AGAIN, PING, PONG, answer, dropped, foreign, message, plain,
};
use signal_wasm::protocol::Millis;
use signal_wasm::session::{Config, DropReason, Input, State};

fn waits_and_did_nothing(client: &mut Client) {
    assert_eq!(client.state().name(), "waiting");
    assert_eq!(client.done(), [""; 0]);
}

#[test]
fn a_hidden_page_closes_its_socket_and_resumes_when_it_is_shown() {
    let mut client = Client::subscribed();
    client.receives(1.0, &foreign("a", "17"));
    client.sends(1.0, "a", "1", FOREVER);
    client.done();
    client.handles(2.0, Input::PageHidden);
    assert_eq!(client.done(), ["disconnect"]);
    assert_eq!(client.state(), State::Waiting { until: None });
    client.times_out(1e9);
    client.handles(1e9, Input::Online);
    waits_and_did_nothing(&mut client);
    client.handles(2e9, Input::PageShown);
    let now = client.reconnects();
    assert!((2e9..=2e9 + 1_000.0).contains(&now), "{now}");
    client.receives(now, HELLO_AGAIN);
    client.receives(now, &answer("s1", 0));
    assert_eq!(
        client.done(),
        [
            r#"{"open":["a"],"after":{"a":"17"},"session":"s1"}"#.into(),
            PING.into(),
            message("a", 1, "1")
        ]
    );
}

/// A goodbye would tell the others that a page has left which is back.
#[test]
fn what_is_sent_in_hiding_is_sent_then_or_never() {
    let dropped = || dropped(2, DropReason::Hidden);
    // Connected: it is sent at once, and not again if the relay has it.
    for accepted in [2, 1] {
        let mut client = Client::subscribed();
        client.sends(1.0, "a", "1", FOREVER);
        client.done();
        client.handles(2.0, Input::PageHiding);
        client.sends(2.0, "a", "2", FOREVER);
        assert_eq!(client.done(), [message("a", 2, "2")]);
        client.handles(3.0, Input::PageHidden);
        client.told();
        client.handles(4.0, Input::PageShown);
        client.sends(4.0, "a", "3", FOREVER);
        let now = client.reconnects();
        client.receives(now, HELLO_AGAIN);
        client.receives(now, &answer("s1", accepted));
        let told = client.told();
        assert_eq!(told.contains(&dropped()), accepted == 1, "{told:?}");
        assert_eq!(client.done()[2..], [message("a", 3, "3")]);
    }
    // Not connected: only what was sent in hiding is dropped.
    let mut client = Client::subscribed();
    client.loses(1.0, 1006);
    client.sends(1.0, "a", "1", FOREVER);
    client.handles(2.0, Input::PageHiding);
    client.sends(2.0, "a", "2", FOREVER);
    client.handles(3.0, Input::PageHidden);
    assert!(client.told().contains(&dropped()));
    client.handles(4.0, Input::PageShown);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    client.receives(now, &answer("s1", 0));
    assert_eq!(client.done()[2..], [message("a", 1, "1")]);
    assert_eq!(client.session().stats().queued, 1.0);
}

#[test]
fn a_page_that_is_hidden_before_it_was_used_or_after_it_was_closed_stays_as_it_is() {
    let mut client = Client::new("auto", Config::default());
    client.handles(0.0, Input::PageHidden);
    client.handles(0.0, Input::PageShown);
    assert_eq!(client.state(), State::Idle);
    let mut client = Client::subscribed();
    client.calls(0.0, |session| session.close());
    client.done();
    client.handles(0.0, Input::PageHidden);
    client.handles(0.0, Input::PageShown);
    assert_eq!(client.state(), State::Closed);
    assert_eq!(client.done(), [""; 0]);
}

#[test]
fn a_network_that_is_back_is_tried_soon_and_resets_the_backoff() {
    let mut client = Client::subscribed();
    let mut now = 0.0;
    let mut longest: Millis = 0.0;
    for _ in 0..20 {
        client.loses(now, 1006);
        longest = longest.max(client.timeout() - now);
        now = client.reconnects();
    }
    assert!(longest > 1_000.0, "{longest}");
    client.loses(now, 1006);
    client.handles(now, Input::Online);
    let wait = client.timeout() - now;
    assert!((0.0..=1_000.0).contains(&wait), "{wait}");
    // Losses are counted from the start.
    now = client.reconnects();
    client.loses(now, 1006);
    let wait = client.timeout() - now;
    assert!((0.0..=500.0).contains(&wait), "{wait}");
}

#[test]
fn a_connection_is_doubted_when_the_network_comes_or_goes() {
    for doubt in [Input::Online, Input::Offline] {
        let mut client = Client::subscribed();
        client.handles(100.0, doubt.clone());
        assert_eq!(client.done(), [PING]);
        assert_eq!(client.timeout(), 1_000.0, "readiness comes first");
        client.times_out(3_099.0);
        assert!(client.state().is_open());
        client.times_out(3_100.0);
        assert_eq!(client.state().name(), "waiting");

        let mut client = Client::subscribed();
        client.handles(100.0, doubt);
        client.receives(3_000.0, PONG);
        client.times_out(3_100.0);
        assert!(client.state().is_open());
    }
}

#[test]
fn the_page_is_asked_for_the_address_at_each_attempt() {
    let config = Config {
        asks_url: true,
        ..Config::default()
    };
    let url = |url: &str| Input::Url(url.into());
    let mut client = Client::new("auto", config);
    client.opens(0.0, "a", 0);
    assert_eq!(client.done(), ["ask"]);
    assert_eq!(client.state(), State::Connecting);
    client.handles(1.0, url("ws://h/x?token=1"));
    assert_eq!(client.done(), ["ws://h/x?token=1"]);
    client.handles(2.0, Input::SocketOpen);
    client.receives(2.0, HELLO);
    client.receives(2.0, &answer("s1", 0));
    client.loses(3.0, 1006);
    client.done();

    // The same server with another query is still a proven relay.
    let now = client.tries_again();
    assert_eq!(client.done(), ["ask"]);
    client.handles(now, url("ws://h/x?token=2"));
    client.handles(now, Input::SocketOpen);
    client.times_out(now + 250.0);
    assert_eq!(client.done(), ["ws://h/x?token=2"]);
    assert_eq!(client.state(), State::Connecting);
    client.loses(now + 300.0, 1006);
    client.done();

    // Of another server nothing is known.
    let now = client.tries_again();
    client.handles(now, url("ws://other/x"));
    client.handles(now, Input::SocketOpen);
    client.times_out(now + 250.0);
    assert!(client.state().is_open());
    client.done();
    client.sends(now + 250.0, "a", "1", FOREVER);
    assert_eq!(client.done(), [plain("a", "1")]);
}

#[test]
fn an_address_that_comes_too_late_is_ignored() {
    let config = Config {
        asks_url: true,
        ..Config::default()
    };
    let mut client = Client::new("auto", config);
    client.opens(0.0, "a", 0);
    client.calls(0.0, |session| session.close());
    client.done();
    client.handles(1.0, Input::Url("ws://h/x".into()));
    assert_eq!(client.state(), State::Closed);
    assert_eq!(client.done(), [""; 0]);
}

/// The session at the relay is kept: what others sent meanwhile comes when the page is back.
#[test]
fn a_page_that_disconnects_keeps_its_session() {
    let mut client = Client::subscribed();
    client.receives(1.0, &foreign("a", "17"));
    client.calls(2.0, |session| session.disconnect(2.0));
    client.sends(3.0, "a", "1", FOREVER);
    client.handles(4.0, Input::Online);
    assert_eq!(
        (client.state(), client.done()),
        (State::Idle, vec!["disconnect".into()])
    );
    client
        .calls(900.0, |session| session.connect(900.0))
        .unwrap();
    client.handles(900.0, Input::SocketOpen);
    client.receives(900.0, HELLO_AGAIN);
    assert_eq!(
        client.done().last().unwrap(),
        r#"{"open":["a"],"after":{"a":"17"},"session":"s1"}"#
    );
    client.receives(900.0, &answer("s1", 0));
    assert!(client.done().contains(&message("a", 1, "1")));
}

/// The relay keeps the session of the page.
#[test]
fn a_page_that_reconnects_resumes_its_session() {
    let mut client = Client::subscribed();
    client.calls(1.0, |session| session.reconnect(1.0)).unwrap();
    assert_eq!(client.state().name(), "connecting");
    client.handles(1.0, Input::SocketOpen);
    client.receives(1.0, HELLO_AGAIN);
    assert_eq!(
        client.done(),
        [
            "disconnect",
            "ws://h/x",
            r#"{"open":["a"],"after":{},"session":"s1"}"#
        ]
    );
}
