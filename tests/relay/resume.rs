//! Reconnecting: what is asked for, what is sent again, what is a gap.

use crate::client::{
    Client, FOREVER, HELLO_AGAIN, HELLO_OF_ANOTHER, PING, answer, foreign, gap, message,
};

#[test]
fn a_resumed_session_asks_for_later_messages_and_sends_unacknowledged_ones_again() {
    let mut client = Client::subscribed();
    client.opens(1.0, "b", 1);
    client.opens(1.0, "c", 2);
    assert_eq!(
        client.done(),
        [
            r#"{"open":["b"],"after":{}}"#,
            r#"{"open":["c"],"after":{}}"#
        ]
    );
    for id in ["17", "18"] {
        client.receives(2.0, &foreign("a", id));
    }
    client.receives(2.0, &foreign("b", "19"));
    for payload in ["1", "2", "3"] {
        client.sends(3.0, "a", payload, FOREVER);
    }
    client.receives(4.0, r#"{"ack":1}"#);
    client.loses(5.0, 1006);
    client.sends(6.0, "b", "4", FOREVER);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    // The secret is that of the first hello.
    assert_eq!(
        client.done(),
        [r#"{"open":["a","b","c"],"after":{"a":"18","b":"19"},"session":"s1"}"#]
    );
    assert!(
        client.receives(now, &foreign("a", "20")).is_empty(),
        "it comes again"
    );
    // The relay had accepted the second one too.
    client.receives(now, &answer("s1", 2));
    assert_eq!(
        client.done(),
        [PING.into(), message("a", 3, "3"), message("b", 4, "4")]
    );
    assert_eq!(client.receives(now, &foreign("a", "20")), ["20"]);
    client.receives(now, r#"{"ack":4}"#);
    assert_eq!(client.session().stats().queued, 0.0);
    assert_eq!(client.told(), []);
    // And so it is the next time.
    client.loses(now + 1.0, 1006);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    assert_eq!(
        client.done(),
        [r#"{"open":["a","b","c"],"after":{"a":"20","b":"19"},"session":"s1"}"#]
    );
}

#[test]
fn a_gap_is_reported_for_channels_that_are_open() {
    let mut client = Client::subscribed();
    client.receives(1.0, r#"{"gap":"a"}"#);
    client.receives(1.0, r#"{"gap":"nowhere"}"#);
    // What is said between a page and the relay alone isn't kept, and asked for again.
    client.opens(1.0, "signal-wasm-presence/secret", 7);
    client.receives(1.0, r#"{"gap":"signal-wasm-presence/secret"}"#);
    assert_eq!(client.told(), [gap("a")]);
    assert_eq!(client.session().stats().gaps, 1.0);
}

#[test]
fn a_relay_that_lost_its_memory_is_a_gap_on_each_channel_and_is_sent_all_that_was_not_acknowledged()
{
    let mut client = Client::subscribed();
    client.opens(1.0, "b", 1);
    client.receives(2.0, &foreign("a", "17"));
    client.sends(3.0, "a", "1", FOREVER);
    client.sends(3.0, "a", "2", FOREVER);
    client.receives(4.0, &answer("s1", 1));
    client.loses(5.0, 1006);
    // A channel that the relay never knew has missed nothing.
    client.opens(6.0, "c", 2);
    let now = client.reconnects();
    client.receives(now, HELLO_OF_ANOTHER);
    assert_eq!(client.done(), [r#"{"open":["a","b","c"],"after":{}}"#]);
    assert_eq!(client.told(), [gap("a"), gap("b")]);
    client.receives(now, &answer("s3", 0));
    assert_eq!(client.done(), [PING.into(), message("a", 2, "2")]);
    // Its secret is the new one, and ids begin again.
    client.receives(now, &foreign("b", "1"));
    client.loses(now + 1.0, 1006);
    let now = client.reconnects();
    client.receives(now, HELLO_OF_ANOTHER);
    assert_eq!(
        client.done(),
        [r#"{"open":["a","b","c"],"after":{"b":"1"},"session":"s3"}"#]
    );
}

#[test]
fn a_channel_that_was_closed_and_opened_while_disconnected_is_a_new_one() {
    let mut client = Client::subscribed();
    client.opens(1.0, "b", 1);
    client.opens(1.0, "c", 2);
    client.receives(2.0, &foreign("b", "17"));
    client.loses(3.0, 1006);
    client.calls(4.0, |session| {
        for (name, subscriber) in [("b", 3), ("c", 4)] {
            let id = session.open(4.0, name, subscriber).unwrap();
            session.close_channel(name, id);
        }
    });
    client.opens(4.0, "b", 5);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    assert_eq!(
        client.done(),
        [
            r#"{"open":["a"],"after":{},"session":"s1"}"#,
            r#"{"open":["b"],"after":{}}"#
        ]
    );
}

#[test]
fn a_channel_that_is_closed_is_unsubscribed() {
    let mut client = Client::subscribed();
    client.calls(1.0, |session| {
        let earlier = session.open(1.0, "b", 1).unwrap();
        let id = session.open(1.0, "b", 2).unwrap();
        session.close_channel("b", earlier);
        session.close_channel("b", id);
        session.close_channel("b", id);
    });
    assert_eq!(
        client.done(),
        [r#"{"open":["b"],"after":{}}"#, r#"{"close":["b"]}"#]
    );
}
