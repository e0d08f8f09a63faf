//! Messages that expire or end the connection, and marks of the outbox.

use crate::client::{Client, FOREVER, HELLO, HELLO_AGAIN, PING, answer, dropped, message};
use signal_wasm::session::{Bounds, Config, DropReason, Input, Overflow, TransmitError};

#[test]
fn a_message_that_waits_too_long_is_dropped_and_reported() {
    let mut client = Client::subscribed();
    client.loses(1.0, 1006);
    client.sends(2.0, "a", "1", 10.0);
    client.sends(2.0, "a", "2", FOREVER);
    client.sends(2.0, "a", "3", 100_000.0);
    let mark = client.session().flush();
    let now = client.reconnects();
    assert!(now > 12.0 && now < 100_000.0, "{now}");
    client.receives(now, HELLO_AGAIN);
    client.receives(now, &answer("s1", 0));
    assert_eq!(
        client.done()[1..],
        [PING.into(), message("a", 2, "2"), message("a", 3, "3")]
    );
    assert_eq!(client.told(), [dropped(1, DropReason::Expired)]);
    assert_eq!(client.session().stats().dropped, 1.0);
    client.receives(now, r#"{"ack":3}"#);
    assert!(client.session().flushed() >= mark);
}

#[test]
fn a_message_that_expired_makes_room_in_the_outbox() {
    let config = Config {
        outbox: Bounds {
            messages: 1,
            overflow: Overflow::Throw,
            ..Bounds::default()
        },
        ..Config::default()
    };
    let mut client = Client::new("auto", config);
    client.opens(0.0, "a", 0);
    client.sends(0.0, "a", "1", 10.0);
    let mut send = |now| client.calls(now, |session| session.send(now, "a", "2".into(), FOREVER));
    assert!(send(9.0).is_err());
    assert!(send(10.0).is_ok());
    assert_eq!(client.told(), [dropped(1, DropReason::Expired)]);
}

#[test]
fn a_message_in_flight_does_not_expire_with_its_connection() {
    let mut client = Client::subscribed();
    client.sends(1.0, "a", "1", 10.0);
    client.sends(100.0, "a", "2", FOREVER);
    client.receives(101.0, r#"{"ack":2}"#);
    assert_eq!(client.told(), []);
    // With the connection it is no longer known whether it arrived, until the relay says what it
    // has accepted.
    client.sends(102.0, "a", "3", 10.0);
    client.sends(102.0, "a", "4", 10.0);
    client.loses(103.0, 1006);
    client.sends(200.0, "a", "5", FOREVER);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    assert_eq!(client.told(), []);
    client.receives(now, &answer("s1", 3));
    assert_eq!(client.told(), [dropped(4, DropReason::Expired)]);
    assert_eq!(client.done()[2..], [message("a", 5, "5")]);
}

#[test]
fn a_message_that_was_never_in_flight_expires_in_its_own_time() {
    let mut client = Client::subscribed();
    client.loses(1.0, 1006);
    client.handles(1.0, Input::PageHidden);
    client.sends(2.0, "a", "1", 30.0);
    client.sends(2.0, "a", "2", 20.0);
    client.sends(2.0, "a", "3", FOREVER);
    for (at, number) in [(22.0, 2), (32.0, 1)] {
        assert_eq!(client.timeout(), at);
        client.times_out(at);
        assert_eq!(client.told(), [dropped(number, DropReason::Expired)]);
    }
    assert_eq!(client.session().stats().queued, 1.0);
    assert_ne!(client.session().poll_timeout(), Some(32.0));
}

#[test]
fn the_relay_cannot_have_accepted_what_it_was_not_sent() {
    let mut client = Client::connecting("auto");
    client.sends(0.0, "a", "1", FOREVER);
    client.receives(1.0, HELLO);
    client.done();
    client.receives(1.0, &answer("s1", 999));
    assert_eq!(client.session().stats().bad, 1.0);
    assert_eq!(client.done(), [""; 0]);
    client.receives(1.0, &answer("s1", 0));
    assert!(client.done().contains(&message("a", 1, "1")));
    client.receives(2.0, r#"{"ack":2}"#);
    assert_eq!(client.session().stats().bad, 2.0);
    assert_eq!(client.session().stats().queued, 1.0);
    client.receives(2.0, r#"{"ack":1}"#);
    assert_eq!(client.session().stats().queued, 0.0);
}

#[test]
fn a_message_that_ends_the_connection_twice_is_given_up() {
    for code in [1002, 1003, 1007, 1009] {
        let mut client = Client::subscribed();
        for payload in ["1", "2", "3"] {
            client.sends(1.0, "a", payload, FOREVER);
        }
        client.receives(2.0, r#"{"ack":1}"#);
        client.loses(3.0, code);
        assert_eq!(client.told(), []);
        let now = client.reconnects();
        client.receives(now, HELLO_AGAIN);
        client.receives(now, &answer("s1", 1));
        assert_eq!(
            client.done()[2..],
            [message("a", 2, "2"), message("a", 3, "3")]
        );
        client.loses(now + 1.0, code);
        assert_eq!(client.told(), [dropped(2, DropReason::GivenUp)]);
        let now = client.reconnects();
        client.receives(now, HELLO_AGAIN);
        client.receives(now, &answer("s1", 1));
        assert_eq!(client.done()[2..], [message("a", 3, "3")]);
        // That one is blamed for the first time now.
        client.loses(now + 1.0, code);
        assert_eq!(client.told(), []);
    }
}

#[test]
fn other_losses_blame_no_message_nor_does_that_of_a_connection_with_none_in_flight() {
    let mut client = Client::subscribed();
    client.sends(1.0, "a", "1", FOREVER);
    client.loses(2.0, 1009);
    for code in [1006, 1001, 4012, 1006] {
        let now = client.reconnects();
        client.receives(now, HELLO_AGAIN);
        client.receives(now, &answer("s1", 0));
        client.loses(now + 1.0, code);
    }
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    client.loses(now + 1.0, 1009);
    assert_eq!(client.told(), []);
    assert_eq!(client.session().stats().queued, 1.0);
}

#[test]
fn a_message_that_makes_the_socket_throw_twice_is_given_up() {
    let mut client = Client::subscribed();
    client.sends(1.0, "a", "1", FOREVER);
    client.receives(1.0, &answer("s1", 0));
    client.socket(Err(TransmitError::Threw));
    client.sends(2.0, "a", "2", FOREVER);
    assert_eq!(client.state().name(), "waiting");
    assert_eq!(client.told(), []);
    // It throws at the first message next, then takes both.
    for takes_messages in [Err(TransmitError::Threw), Ok(())] {
        client.socket(takes_messages);
        let now = client.reconnects();
        client.receives(now, HELLO_AGAIN);
        client.receives(now, &answer("s1", 0));
        assert_eq!(client.told(), []);
    }
    assert_eq!(
        client.done()[2..],
        [message("a", 1, "1"), message("a", 2, "2")]
    );
    client.receives(50_000.0, r#"{"ack":1}"#);
    client.loses(50_000.0, 1006);
    // And now at the second, for the second time.
    client.socket(Err(TransmitError::Threw));
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    client.receives(now, &answer("s1", 1));
    assert_eq!(client.told(), [dropped(2, DropReason::GivenUp)]);
    assert_eq!(client.session().stats().queued, 0.0);
    // A socket that merely isn't open any more blames no message.
    client.sends(now, "a", "3", FOREVER);
    client.socket(Err(TransmitError::NotOpen));
    for _ in 0..3 {
        let now = client.reconnects();
        client.receives(now, HELLO_AGAIN);
        client.receives(now, &answer("s1", 1));
        assert_eq!(client.state().name(), "waiting");
    }
    assert_eq!(client.told(), []);
    assert_eq!(client.session().stats().queued, 1.0);
}

#[test]
fn marks_are_reached_when_all_before_them_was_accepted_and_not_when_it_was_sent() {
    let mut client = Client::subscribed();
    assert_eq!(client.session().flushed(), client.session().flush());
    client.sends(1.0, "a", "1", FOREVER);
    let first = client.session().flush();
    client.sends(1.0, "a", "2", FOREVER);
    let second = client.session().flush();
    assert!(client.session().flushed() < first);
    client.receives(2.0, r#"{"ack":1}"#);
    assert!((first..second).contains(&client.session().flushed()));
    // An acknowledgement of what isn't sent yet is a relay's mistake; what waits stays.
    client.loses(3.0, 1006);
    client.sends(4.0, "a", "3", FOREVER);
    assert!(client.session().flushed() < second);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    client.receives(now, &answer("s1", 2));
    assert!(client.session().flushed() >= second);
    assert!(client.session().flushed() < client.session().flush());
}
