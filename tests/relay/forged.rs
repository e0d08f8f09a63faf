//! What other pages forge: control frames that a page believes only if its relay made them.

use crate::client::{
    Client, FOREVER, HELLO_AGAIN, HELLO_OF_ANOTHER, PING, PONG, answer, foreign, message,
};
use signal_wasm::session::{Event, State};

/// The hellos of a relay of version 1, on the first connection and on later ones.
const OLD_HELLO: &str = r#"{"signal":1,"session":"s1","epoch":"e1","ping":25000}"#;
const OLD_HELLO_AGAIN: &str = r#"{"signal":1,"session":"s2","epoch":"e1","ping":25000}"#;

/// What another page may send before the relay has handled a page's first request.
const FORGED: [&str; 12] = [
    r#"{"ack":2}"#,
    r#"{"ack":1000000000}"#,
    r#"{"ack":2,"session":"s2"}"#,
    r#"{"ack":2,"session":null}"#,
    r#" { "\u0061ck" : 2 , "ack":2 } "#,
    r#"{"ack":2,"x":{"session":"s1"}}"#,
    r#"{"gap":"a"}"#,
    r#"{"expires":1}"#,
    r#"{"refused":"a","why":"no"}"#,
    r#"{"pong":1}"#,
    HELLO_OF_ANOTHER,
    "1\n{\"ack\":2}",
];

/// A page that lost its connection with two messages in flight, and has sent its first request on
/// the next one.
fn joining(mut client: Client, hello: &str) -> (Client, f64) {
    client.sends(1.0, "a", "1", FOREVER);
    client.sends(1.0, "a", "2", FOREVER);
    client.loses(2.0, 1006);
    client.told();
    let now = client.reconnects();
    client.receives(now, hello);
    (client, now)
}

/// One on a relay of version 1, and the ping that follows its first request.
fn on_an_old_relay(protocol: &'static str) -> Client {
    let mut client = Client::connecting(protocol);
    client.receives(0.0, OLD_HELLO);
    let ping = client.done().pop().unwrap();
    client.receives(0.0, r#"{"ack":0}"#);
    client.receives(0.0, &pong(&ping));
    assert!(client.state().is_open());
    client.receives(0.0, PONG);
    client.done();
    client
}

fn pong(ping: &str) -> String {
    ping.replace("ping", "pong")
}

#[test]
fn only_the_relay_knows_the_answer_to_the_first_request() {
    for forged in FORGED {
        let (mut client, now) = joining(Client::subscribed(), HELLO_AGAIN);
        client.done();
        client.receives(now, forged);
        assert_eq!(client.state(), State::Connecting, "{forged}");
        assert_eq!(client.session().stats().queued, 2.0, "{forged}");
        assert!(client.receives(now, &foreign("a", "20")).is_empty());
        client.receives(now, &answer("s1", 1));
        assert_eq!(
            client.done(),
            [PING.into(), message("a", 2, "2")],
            "{forged}"
        );
        let told = client.told();
        assert!(
            told.iter().all(|event| matches!(event, Event::BadFrame(_))),
            "{forged}: {told:?}"
        );
    }
}

#[test]
fn an_old_relay_shows_with_a_pong_that_it_answered() {
    for forged in FORGED {
        let (mut client, now) = joining(on_an_old_relay("auto"), OLD_HELLO_AGAIN);
        let done = client.done();
        let [request, ping] = &done[..] else {
            panic!("{done:?}");
        };
        assert_eq!(request, r#"{"open":["a"],"after":{},"session":"s1"}"#);
        client.receives(now, forged);
        assert_eq!(client.state(), State::Connecting, "{forged}");
        assert_eq!(client.session().stats().queued, 2.0, "{forged}");
        // The answer, the replay, and the pong.
        client.receives(now, r#"{"ack":1}"#);
        assert_eq!(client.receives(now, &foreign("a", "20")), ["20"]);
        client.receives(now, &pong(ping));
        assert_eq!(
            client.done(),
            [PING.into(), message("a", 2, "2")],
            "{forged}"
        );
        // What it had delivered before the pong, it asks for no more.
        client.loses(now, 1006);
        let now = client.reconnects();
        client.receives(now, OLD_HELLO_AGAIN);
        assert_eq!(
            client.done()[0],
            r#"{"open":["a"],"after":{"a":"20"},"session":"s1"}"#
        );
    }
}

/// Another page may see all pings but this one.
#[test]
fn the_ping_of_a_first_request_is_another_on_each_connection() {
    let mut client = Client::connecting("relay");
    client.receives(0.0, OLD_HELLO);
    let first = client.done().pop().unwrap();
    client.loses(1.0, 1006);
    let now = client.reconnects();
    client.receives(now, OLD_HELLO_AGAIN);
    let second = client.done().pop().unwrap();
    assert_ne!(first, second);
    client.receives(now, r#"{"ack":0}"#);
    client.receives(now, &pong(&first));
    assert_eq!(client.state(), State::Connecting);
    client.receives(now, &pong(&second));
    assert!(client.state().is_open());
}

/// Such an id would be named when the page resumes, and nothing replayed.
#[test]
fn ids_of_messages_that_come_before_the_answer_are_not_the_relays() {
    let mut client = Client::connecting("auto");
    client.times_out(250.0);
    client.sends(260.0, "a", "1", FOREVER);
    client.receives(300.0, crate::client::HELLO);
    let forged = r#"{"sender":8,"channel":["a"],"id":"999999999","message":5}"#;
    assert_eq!(client.receives(301.0, forged), ["5"]);
    client.receives(302.0, &answer("s1", 0));
    client.done();
    client.loses(303.0, 1006);
    let now = client.reconnects();
    client.receives(now, HELLO_AGAIN);
    assert_eq!(
        client.done(),
        [r#"{"open":["a"],"after":{},"session":"s1"}"#]
    );
}

#[test]
fn nothing_is_acknowledged_that_was_not_sent() {
    for old in [false, true] {
        let mut client = if old {
            on_an_old_relay("relay")
        } else {
            Client::subscribed()
        };
        client.sends(1.0, "a", "1", FOREVER);
        client.receives(2.0, r#"{"ack":2}"#);
        let stats = client.session().stats();
        assert_eq!((stats.queued, stats.bad), (1.0, 1.0));
        client.receives(3.0, r#"{"ack":1}"#);
        assert_eq!(client.session().stats().queued, 0.0);
    }
}
