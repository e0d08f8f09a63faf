//! The session and our relay, rule by rule: what is said to the relay word for word, and what the page is told.
//!
//! What's tested:
//! * `auto`: which servers are taken for our relay, and for how long
//! * coming back: what is asked for, what is sent again, what is a gap
//! * messages that expire, that bring the connection down, and marks of the outbox
//! * the page's life: put away, shown, online, offline; the address that the page is asked for
//!
//! `lossless.rs` has the schedules of faults that put all of it together.
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "relay")]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "support/value.rs"]
mod value;

use signal_wasm::protocol::{Effect, Ending, Protocol, UserId};
use signal_wasm::session::{Action, Bounds, Config, Event, Loss, Millis, Received, Session, State};
use value::Js;

const FOREVER: Millis = Millis::INFINITY;

const HELLO: &str = r#"{"signal":1,"session":"s1","epoch":"e1","ping":25000}"#;
const HELLO_AGAIN: &str = r#"{"signal":1,"session":"s2","epoch":"e1","ping":25000}"#;
const HELLO_OF_ANOTHER: &str = r#"{"signal":1,"session":"s3","epoch":"e2","ping":25000}"#;

const PING: &str = r#"{"ping":1}"#;

/// A page, which keeps what it says, and what it is told but for states and readiness.
struct Page {
    session: Session<String, usize>,
    said: Vec<String>,
    told: Vec<Event<usize>>,
    /// What a socket does with a message: takes it, or not, or goes down by it.
    taken: Result<(), bool>,
}

impl Page {
    fn new(config: Config) -> Page {
        Page {
            session: Session::new(config, UserId::from_bits(7), 1),
            said: Vec::new(),
            told: Vec::new(),
            taken: Ok(()),
        }
    }

    /// One that has opened the channel `a`, on a socket that is open.
    fn connecting(protocol: Protocol) -> Page {
        let mut page = Page::new(Config {
            protocol,
            url: "ws://h/x".into(),
            ..Config::default()
        });
        page.does(0.0, |session| {
            session.open(0.0, "a", 0).unwrap();
        });
        page.does(0.0, |session| session.opened(0.0));
        page
    }

    /// One that has joined.
    fn joined() -> Page {
        let mut page = Page::connecting(Protocol::Auto);
        page.hears(0.0, HELLO);
        page.hears(0.0, r#"{"ack":0}"#);
        page.hears(0.0, r#"{"pong":1}"#);
        page.said.clear();
        page
    }

    fn does(&mut self, now: Millis, deed: impl FnOnce(&mut Session<String, usize>)) {
        deed(&mut self.session);
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Disconnect => self.said.push("disconnect".into()),
                Action::Converse(Effect::Socket, url) => self.said.push(url),
                Action::Converse(Effect::Say, frame) => self.said.push(frame),
                Action::Ask => self.said.push("ask".into()),
                Action::Transmit(message) => match self.taken {
                    Ok(()) => {
                        let head = self.session.wrap(&message.channel, message.number).0;
                        self.said.push(format!("{head}{}}}", message.payload));
                        self.session.taken(message.number);
                    }
                    Err(blamed) => self.session.not_taken(now, blamed),
                },
                action => panic!("{action:?}"),
            }
        }
        while let Some(event) = self.session.next_event() {
            if !matches!(event, Event::Ready(_) | Event::State { .. }) {
                self.told.push(event);
            }
        }
    }

    /// A frame comes in; what it delivers.
    fn hears(&mut self, now: Millis, frame: &str) -> Vec<String> {
        let mut delivered = Vec::new();
        self.does(now, |session| {
            if session.listens() {
                session.heard(now);
            }
            match session.receive(frame, true) {
                Received::Deliver(_, start) => {
                    delivered.push(frame[start..frame.len() - 1].into());
                }
                Received::Own | Received::Foreign => {}
                Received::Unclear => {
                    let mut envelopes = Vec::new();
                    let value = Js(Some(serde_json::from_str(frame).unwrap()));
                    session.record(now, frame, value, &mut envelopes);
                    for Js(envelope) in envelopes {
                        let envelope = envelope.unwrap();
                        let text = |name: &str| envelope[name].as_str().unwrap_or_default();
                        let own = envelope["sender"] == 7;
                        if let Received::Deliver(..) =
                            session.receive_whole(own, text("channel"), text("id"))
                        {
                            delivered.push(envelope["message"].to_string());
                        }
                    }
                }
            }
        });
        delivered
    }

    fn sends(&mut self, now: Millis, channel: &str, payload: &str, ttl: Millis) {
        self.does(now, |session| {
            session.send(now, channel, payload.into(), ttl).unwrap();
        });
    }

    fn loses(&mut self, now: Millis, code: u16) {
        let loss = Loss {
            code: Some(code),
            reason: "gone".into(),
            ending: Ending::Retry,
        };
        self.does(now, |session| session.lost(now, loss));
    }

    /// Comes back with a new socket, as soon as it wants to; when that is.
    fn returns(&mut self) -> Millis {
        let now = self.tries_again();
        assert_eq!(self.session.state(), State::Connecting);
        self.does(now, |session| session.opened(now));
        self.said.clear();
        now
    }

    /// Waits for its next attempt, and tells when that is.
    fn tries_again(&mut self) -> Millis {
        let mut now = 0.0;
        while self.session.state() == State::Waiting {
            now = self.session.wake_at().unwrap();
            self.does(now, |session| session.woken(now));
        }
        now
    }

    fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    fn told(&mut self) -> Vec<Event<usize>> {
        std::mem::take(&mut self.told)
    }
}

fn message(channel: &str, number: u64, payload: &str) -> String {
    format!(r#"{{"sender":7,"channel":"{channel}","ref":{number},"message":{payload}}}"#)
}

fn foreign(channel: &str, id: &str) -> String {
    format!(r#"{{"sender":8,"channel":"{channel}","id":"{id}","message":{id}}}"#)
}

fn dropped(expired: bool) -> Event<usize> {
    Event::Dropped {
        channel: "a".into(),
        expired,
    }
}

fn gap(channel: &str) -> Event<usize> {
    Event::Gap(channel.into())
}

// Which server it is.

#[test]
fn a_relay_is_told_which_channels_are_open_before_anything_is_sent() {
    for protocol in [Protocol::Auto, Protocol::Relay] {
        let mut page = Page::connecting(protocol);
        page.sends(0.0, "a", "1", FOREVER);
        assert_eq!(page.said(), ["ws://h/x"]);
        page.hears(1.0, HELLO);
        assert_eq!(page.said(), [r#"{"open":["a"],"after":{}}"#]);
        // What comes before the answer comes again behind it.
        assert!(page.hears(1.0, &foreign("a", "5")).is_empty());
        assert_eq!(page.session.state(), State::Connecting);
        page.hears(2.0, r#"{"ack":0}"#);
        assert_eq!(page.session.state(), State::Open);
        assert_eq!(page.said(), [PING.into(), message("a", 1, "1")]);
        assert_eq!(page.session.stats().queued, 1.0);
        page.hears(3.0, r#"{"ack":1}"#);
        assert_eq!(page.session.stats().queued, 0.0);
        assert_eq!(page.hears(4.0, &foreign("a", "6")), ["6"]);
        page.hears(52.0, r#"{"pong":1}"#);
        assert_eq!(page.session.stats().round_trip, 50.0);
        assert_eq!(page.told(), []);
    }
}

#[test]
fn a_server_that_says_nothing_at_first_is_an_ordinary_one() {
    let mut page = Page::connecting(Protocol::Auto);
    page.sends(0.0, "a", "1", FOREVER);
    assert_eq!(page.session.wake_at(), Some(250.0));
    page.does(249.0, |session| session.woken(249.0));
    assert_eq!(page.session.state(), State::Connecting);
    page.does(250.0, |session| session.woken(250.0));
    assert_eq!(page.session.state(), State::Open);
    let plain = r#"{"sender":7,"channel":"a","message":1}"#;
    assert_eq!(page.said(), ["ws://h/x", plain]);
    assert_eq!(page.session.stats().queued, 0.0);
    // From then on that isn't waited for any more.
    page.loses(10_000.0, 1006);
    page.returns();
    assert_eq!(page.session.state(), State::Open);
    assert!(!page.session.link().is_relay());
}

#[test]
fn a_server_whose_first_frame_is_an_envelope_is_an_ordinary_one() {
    let mut page = Page::connecting(Protocol::Auto);
    let frame = r#"{"sender":8,"channel":"a","message":5}"#;
    assert_eq!(page.hears(1.0, frame), ["5"]);
    assert_eq!(page.session.state(), State::Open);
    assert!(!page.session.link().is_relay());
    // Only the first one can be a greeting: any other is what a page has sent.
    page.hears(2.0, HELLO);
    assert!(!page.session.link().is_relay());
}

#[test]
fn a_relay_that_was_taken_for_another_server_is_a_relay_once_it_greets() {
    let mut page = Page::connecting(Protocol::Auto);
    page.does(250.0, |session| session.woken(250.0));
    page.sends(260.0, "a", "1", FOREVER);
    page.hears(300.0, HELLO);
    page.sends(301.0, "a", "2", FOREVER);
    page.said();
    page.hears(350.0, r#"{"ack":0}"#);
    // The first one went out in the plain way, and is on its own.
    assert_eq!(page.said(), [PING.into(), message("a", 2, "2")]);
    assert_eq!(page.session.stats().connects, 1.0);
}

#[test]
fn a_relay_that_has_proven_one_is_never_taken_for_another_server() {
    // It says nothing at all, or nothing more after its greeting.
    for greets in [false, true] {
        let mut page = Page::joined();
        page.sends(1.0, "a", "1", FOREVER);
        page.loses(2.0, 1006);
        let now = page.returns();
        if greets {
            page.hears(now, HELLO_AGAIN);
        }
        page.does(now + 9_999.0, |session| session.woken(now + 9_999.0));
        assert_eq!(page.session.state(), State::Connecting);
        page.does(now + 10_000.0, |session| session.woken(now + 10_000.0));
        assert_eq!(page.session.state(), State::Waiting);
        page.returns();
        assert_eq!(page.session.state(), State::Connecting);
        assert_eq!(page.session.stats().queued, 1.0);
    }
}

#[test]
fn a_server_that_must_be_our_relay_and_is_not_is_told_to_the_page() {
    let mut page = Page::connecting(Protocol::Relay);
    page.hears(1.0, r#"{"sender":8,"channel":"a","message":5}"#);
    assert_eq!(page.session.state(), State::Closed);
    let told = page.told();
    let [Event::Failed { reason, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        reason.contains("signal-relay") && reason.contains("'auto'"),
        "{reason}"
    );
}

#[test]
fn a_relay_that_falls_silent_is_left() {
    let mut page = Page::joined();
    page.does(25_000.0, |session| session.woken(25_000.0));
    assert_eq!(page.said(), [PING]);
    page.does(34_999.0, |session| session.woken(34_999.0));
    assert_eq!(page.session.state(), State::Open);
    page.does(35_000.0, |session| session.woken(35_000.0));
    assert_eq!(page.session.state(), State::Waiting);
    assert_eq!(page.said(), ["disconnect"]);
}

#[test]
fn a_ping_is_answered_with_its_number() {
    let mut page = Page::joined();
    page.hears(1.0, r#"{"ping":1234567}"#);
    assert_eq!(page.said(), [r#"{"pong":1234567}"#]);
}

// Coming back.

#[test]
fn who_comes_back_asks_for_what_came_after_and_sends_again_what_was_not_taken() {
    let mut page = Page::joined();
    page.does(1.0, |session| {
        session.open(1.0, "b", 1).unwrap();
        session.open(1.0, "c", 2).unwrap();
    });
    assert_eq!(
        page.said(),
        [
            r#"{"open":["b"],"after":{}}"#,
            r#"{"open":["c"],"after":{}}"#
        ]
    );
    for id in ["17", "18"] {
        page.hears(2.0, &foreign("a", id));
    }
    page.hears(2.0, &foreign("b", "19"));
    for payload in ["1", "2", "3"] {
        page.sends(3.0, "a", payload, FOREVER);
    }
    page.hears(4.0, r#"{"ack":1}"#);
    page.loses(5.0, 1006);
    page.sends(6.0, "b", "4", FOREVER);
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    // The secret is that of the first hello.
    assert_eq!(
        page.said(),
        [r#"{"open":["a","b","c"],"after":{"a":"18","b":"19"},"session":"s1"}"#]
    );
    assert!(
        page.hears(now, &foreign("a", "20")).is_empty(),
        "it comes again"
    );
    // The relay had taken the second one too.
    page.hears(now, r#"{"ack":2}"#);
    assert_eq!(
        page.said(),
        [PING.into(), message("a", 3, "3"), message("b", 4, "4")]
    );
    assert_eq!(page.hears(now, &foreign("a", "20")), ["20"]);
    page.hears(now, r#"{"ack":4}"#);
    assert_eq!(page.session.stats().queued, 0.0);
    assert_eq!(page.told(), []);
    // And so it is at the next time.
    page.loses(now + 1.0, 1006);
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    assert_eq!(
        page.said(),
        [r#"{"open":["a","b","c"],"after":{"a":"20","b":"19"},"session":"s1"}"#]
    );
}

#[test]
fn what_the_relay_does_not_keep_any_more_is_told_for_channels_that_are_open() {
    let mut page = Page::joined();
    page.hears(1.0, r#"{"gap":"a"}"#);
    page.hears(1.0, r#"{"gap":"nowhere"}"#);
    assert_eq!(page.told(), [gap("a")]);
    assert_eq!(page.session.stats().gaps, 1.0);
}

#[test]
fn a_relay_that_knows_nothing_any_more_is_a_gap_on_each_channel_and_gets_all_that_was_not_taken() {
    let mut page = Page::joined();
    page.does(1.0, |session| {
        session.open(1.0, "b", 1).unwrap();
    });
    page.hears(2.0, &foreign("a", "17"));
    page.sends(3.0, "a", "1", FOREVER);
    page.sends(3.0, "a", "2", FOREVER);
    page.hears(4.0, r#"{"ack":1}"#);
    page.loses(5.0, 1006);
    // One that the relay has never heard of has missed nothing.
    page.does(6.0, |session| {
        session.open(6.0, "c", 2).unwrap();
    });
    let now = page.returns();
    page.hears(now, HELLO_OF_ANOTHER);
    assert_eq!(page.said(), [r#"{"open":["a","b","c"],"after":{}}"#]);
    assert_eq!(page.told(), [gap("a"), gap("b")]);
    page.hears(now, r#"{"ack":0}"#);
    assert_eq!(page.said(), [PING.into(), message("a", 2, "2")]);
    // Its secret is the new one, and ids begin anew.
    page.hears(now, &foreign("b", "1"));
    page.loses(now + 1.0, 1006);
    let now = page.returns();
    page.hears(now, HELLO_OF_ANOTHER);
    assert_eq!(
        page.said(),
        [r#"{"open":["a","b","c"],"after":{"b":"1"},"session":"s3"}"#]
    );
}

#[test]
fn a_channel_that_was_closed_and_opened_while_away_is_a_new_one() {
    let mut page = Page::joined();
    page.does(1.0, |session| {
        session.open(1.0, "b", 1).unwrap();
        session.open(1.0, "c", 2).unwrap();
    });
    page.hears(2.0, &foreign("b", "17"));
    page.loses(3.0, 1006);
    page.does(4.0, |session| {
        let id = session.open(4.0, "b", 3).unwrap();
        session.close_channel("b", id);
        let id = session.open(4.0, "c", 4).unwrap();
        session.close_channel("c", id);
        session.open(4.0, "b", 5).unwrap();
    });
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    assert_eq!(
        page.said(),
        [
            r#"{"open":["a"],"after":{},"session":"s1"}"#,
            r#"{"open":["b"],"after":{}}"#
        ]
    );
}

#[test]
fn a_channel_that_is_closed_is_left() {
    let mut page = Page::joined();
    page.does(1.0, |session| {
        let earlier = session.open(1.0, "b", 1).unwrap();
        let id = session.open(1.0, "b", 2).unwrap();
        session.close_channel("b", earlier);
        session.close_channel("b", id);
        session.close_channel("b", id);
    });
    assert_eq!(
        page.said(),
        [r#"{"open":["b"],"after":{}}"#, r#"{"close":["b"]}"#]
    );
}

// Messages that are dropped, and marks.

#[test]
fn a_message_that_waits_too_long_is_dropped_and_told() {
    let mut page = Page::joined();
    page.loses(1.0, 1006);
    page.sends(2.0, "a", "1", 10.0);
    page.sends(2.0, "a", "2", FOREVER);
    page.sends(2.0, "a", "3", 100_000.0);
    let mark = page.session.flush();
    let now = page.returns();
    assert!(now > 12.0 && now < 100_000.0, "{now}");
    page.hears(now, HELLO_AGAIN);
    page.hears(now, r#"{"ack":0}"#);
    assert_eq!(
        page.said()[1..],
        [PING.into(), message("a", 2, "2"), message("a", 3, "3")]
    );
    assert_eq!(page.told(), [dropped(true)]);
    assert_eq!(page.session.stats().dropped, 1.0);
    page.hears(now, r#"{"ack":3}"#);
    assert!(page.session.flushed(mark));
}

#[test]
fn a_message_that_expired_makes_room_in_the_outbox() {
    let mut page = Page::new(Config {
        url: "ws://h/x".into(),
        outbox: Bounds {
            messages: 1,
            ..Bounds::default()
        },
        ..Config::default()
    });
    page.does(0.0, |session| {
        session.open(0.0, "a", 0).unwrap();
    });
    page.sends(0.0, "a", "1", 10.0);
    assert!(session_is_full(&mut page, 9.0));
    assert!(!session_is_full(&mut page, 10.0));
    page.does(10.0, |_| {});
    assert_eq!(page.told(), [dropped(true)]);
}

fn session_is_full(page: &mut Page, now: Millis) -> bool {
    page.session.send(now, "a", "2".into(), FOREVER).is_err()
}

#[test]
fn a_message_that_the_connection_was_handed_does_not_expire_with_it() {
    let mut page = Page::joined();
    page.sends(1.0, "a", "1", 10.0);
    page.sends(100.0, "a", "2", FOREVER);
    page.hears(101.0, r#"{"ack":2}"#);
    assert_eq!(page.told(), []);
    // With the connection it is no longer known whether it arrived, until the relay tells what it has taken.
    page.sends(102.0, "a", "3", 10.0);
    page.sends(102.0, "a", "4", 10.0);
    page.loses(103.0, 1006);
    page.sends(200.0, "a", "5", FOREVER);
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    assert_eq!(page.told(), []);
    page.hears(now, r#"{"ack":3}"#);
    assert_eq!(page.told(), [dropped(true)]);
    assert_eq!(page.said()[2..], [message("a", 5, "5")]);
}

#[test]
fn a_message_that_no_connection_was_handed_expires_in_its_own_time() {
    let mut page = Page::joined();
    page.loses(1.0, 1006);
    page.session.page_hidden(1.0);
    page.sends(2.0, "a", "1", 30.0);
    page.sends(2.0, "a", "2", 20.0);
    page.sends(2.0, "a", "3", FOREVER);
    for at in [22.0, 32.0] {
        assert_eq!(page.session.wake_at(), Some(at));
        page.does(at, |session| session.woken(at));
        assert_eq!(page.told(), [dropped(true)]);
    }
    assert_eq!(page.session.stats().queued, 1.0);
    assert_ne!(page.session.wake_at(), Some(32.0));
}

#[test]
fn what_the_relay_was_not_sent_it_cannot_have_taken() {
    let mut page = Page::connecting(Protocol::Auto);
    page.sends(0.0, "a", "1", FOREVER);
    page.hears(1.0, HELLO);
    page.said.clear();
    page.hears(1.0, r#"{"ack":999}"#);
    assert!(page.said().contains(&message("a", 1, "1")));
    assert_eq!(page.session.stats().queued, 1.0);
    page.hears(2.0, r#"{"ack":1}"#);
    assert_eq!(page.session.stats().queued, 0.0);
}

#[test]
fn a_message_that_brings_the_connection_down_twice_is_given_up() {
    for code in [1002, 1003, 1007, 1009] {
        let mut page = Page::joined();
        for payload in ["1", "2", "3"] {
            page.sends(1.0, "a", payload, FOREVER);
        }
        page.hears(2.0, r#"{"ack":1}"#);
        page.loses(3.0, code);
        assert_eq!(page.told(), []);
        let now = page.returns();
        page.hears(now, HELLO_AGAIN);
        page.hears(now, r#"{"ack":1}"#);
        assert_eq!(
            page.said()[2..],
            [message("a", 2, "2"), message("a", 3, "3")]
        );
        page.loses(now + 1.0, code);
        assert_eq!(page.told(), [dropped(false)]);
        let now = page.returns();
        page.hears(now, HELLO_AGAIN);
        page.hears(now, r#"{"ack":1}"#);
        assert_eq!(page.said()[2..], [message("a", 3, "3")]);
        // That one is blamed for the first time now.
        page.loses(now + 1.0, code);
        assert_eq!(page.told(), []);
    }
}

#[test]
fn other_losses_blame_no_message_and_neither_do_those_of_a_connection_that_was_handed_none() {
    let mut page = Page::joined();
    page.sends(1.0, "a", "1", FOREVER);
    page.loses(2.0, 1009);
    for code in [1006, 1001, 4012, 1006] {
        let now = page.returns();
        page.hears(now, HELLO_AGAIN);
        page.hears(now, r#"{"ack":0}"#);
        page.loses(now + 1.0, code);
    }
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    page.loses(now + 1.0, 1009);
    assert_eq!(page.told(), []);
    assert_eq!(page.session.stats().queued, 1.0);
}

#[test]
fn a_message_that_a_socket_throws_at_twice_is_given_up() {
    let mut page = Page::joined();
    page.sends(1.0, "a", "1", FOREVER);
    page.hears(1.0, r#"{"ack":0}"#);
    page.taken = Err(true);
    page.sends(2.0, "a", "2", FOREVER);
    assert_eq!(page.session.state(), State::Waiting);
    assert_eq!(page.told(), []);
    // It throws at the first message next, then takes both.
    for taken in [Err(true), Ok(())] {
        page.taken = taken;
        let now = page.returns();
        page.hears(now, HELLO_AGAIN);
        page.hears(now, r#"{"ack":0}"#);
        assert_eq!(page.told(), []);
    }
    assert_eq!(
        page.said()[2..],
        [message("a", 1, "1"), message("a", 2, "2")]
    );
    page.hears(50_000.0, r#"{"ack":1}"#);
    page.loses(50_000.0, 1006);
    // And now at the second, for the second time.
    page.taken = Err(true);
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    page.hears(now, r#"{"ack":1}"#);
    assert_eq!(page.told(), [dropped(false)]);
    assert_eq!(page.session.stats().queued, 0.0);
    // One that merely isn't open any more blames nobody.
    page.sends(now, "a", "3", FOREVER);
    page.taken = Err(false);
    for _ in 0..3 {
        let now = page.returns();
        page.hears(now, HELLO_AGAIN);
        page.hears(now, r#"{"ack":1}"#);
        assert_eq!(page.session.state(), State::Waiting);
    }
    assert_eq!(page.told(), []);
    assert_eq!(page.session.stats().queued, 1.0);
}

#[test]
fn marks_are_reached_when_all_before_them_was_taken_and_not_when_it_was_handed_out() {
    let mut page = Page::joined();
    assert!(page.session.flushed(page.session.flush()));
    page.sends(1.0, "a", "1", FOREVER);
    let first = page.session.flush();
    page.sends(1.0, "a", "2", FOREVER);
    let second = page.session.flush();
    assert!(!page.session.flushed(first));
    page.hears(2.0, r#"{"ack":1}"#);
    assert!(page.session.flushed(first) && !page.session.flushed(second));
    // An ack of what isn't sent yet is a relay's mistake; what waits stays.
    page.loses(3.0, 1006);
    page.sends(4.0, "a", "3", FOREVER);
    assert!(!page.session.flushed(second));
    let now = page.returns();
    page.hears(now, HELLO_AGAIN);
    page.hears(now, r#"{"ack":2}"#);
    assert!(page.session.flushed(second));
    assert!(!page.session.flushed(page.session.flush()));
}

// The page's life.

#[test]
fn a_page_that_is_put_away_lets_go_of_its_socket_and_comes_back_where_it_was() {
    let mut page = Page::joined();
    page.hears(1.0, &foreign("a", "17"));
    page.sends(1.0, "a", "1", FOREVER);
    page.said();
    page.does(2.0, |session| session.page_hidden(2.0));
    assert_eq!(page.said(), ["disconnect"]);
    assert_eq!(page.session.state(), State::Waiting);
    page.does(3.0, |session| session.woken(1e9));
    page.does(3.0, |session| session.online(1e9));
    assert_eq!(
        (page.session.state(), page.said()),
        (State::Waiting, vec![])
    );
    page.does(4.0, |session| session.page_shown(2e9));
    let now = page.returns();
    assert!((2e9..=2e9 + 1_000.0).contains(&now), "{now}");
    page.hears(now, HELLO_AGAIN);
    page.hears(now, r#"{"ack":0}"#);
    assert_eq!(
        page.said(),
        [
            r#"{"open":["a"],"after":{"a":"17"},"session":"s1"}"#.into(),
            PING.into(),
            message("a", 1, "1")
        ]
    );
}

#[test]
fn a_page_that_is_put_away_before_it_was_used_or_after_it_was_closed_stays_as_it_is() {
    let mut page = Page::new(Config::default());
    page.does(0.0, |session| session.page_hidden(0.0));
    page.does(0.0, |session| session.page_shown(0.0));
    assert_eq!(page.session.state(), State::Idle);
    let mut page = Page::joined();
    page.does(0.0, |session| session.close());
    page.said();
    page.does(0.0, |session| session.page_hidden(0.0));
    page.does(0.0, |session| session.page_shown(0.0));
    assert_eq!((page.session.state(), page.said()), (State::Closed, vec![]));
}

#[test]
fn a_network_that_is_back_is_tried_soon_and_the_backoff_begins_anew() {
    let mut page = Page::joined();
    let mut now = 0.0;
    let mut longest: Millis = 0.0;
    for _ in 0..20 {
        page.loses(now, 1006);
        longest = longest.max(page.session.wake_at().unwrap() - now);
        now = page.returns();
    }
    assert!(longest > 1_000.0, "{longest}");
    page.loses(now, 1006);
    page.does(now, |session| session.online(now));
    let wait = page.session.wake_at().unwrap() - now;
    assert!((0.0..=1_000.0).contains(&wait), "{wait}");
    // Losses are counted anew.
    now = page.returns();
    page.loses(now, 1006);
    let wait = page.session.wake_at().unwrap() - now;
    assert!((0.0..=500.0).contains(&wait), "{wait}");
}

#[test]
fn a_connection_is_doubted_when_the_network_comes_or_goes() {
    let doubts: [fn(&mut Session<String, usize>); 2] = [
        |session| session.online(100.0),
        |session| session.offline(100.0),
    ];
    for doubt in doubts {
        let mut page = Page::joined();
        page.does(100.0, doubt);
        assert_eq!(page.said(), [PING]);
        assert_eq!(
            page.session.wake_at(),
            Some(1_000.0),
            "readiness comes first"
        );
        page.does(5_099.0, |session| session.woken(5_099.0));
        assert_eq!(page.session.state(), State::Open);
        page.does(5_100.0, |session| session.woken(5_100.0));
        assert_eq!(page.session.state(), State::Waiting);

        let mut page = Page::joined();
        page.does(100.0, doubt);
        page.hears(5_000.0, r#"{"pong":1}"#);
        page.does(5_100.0, |session| session.woken(5_100.0));
        assert_eq!(page.session.state(), State::Open);
    }
}

#[test]
fn the_page_is_asked_for_the_server_at_each_attempt() {
    let mut page = Page::new(Config {
        asks_url: true,
        ..Config::default()
    });
    page.does(0.0, |session| {
        session.open(0.0, "a", 0).unwrap();
    });
    assert_eq!(page.said(), ["ask"]);
    assert_eq!(page.session.state(), State::Connecting);
    page.does(1.0, |session| {
        session.located(1.0, "ws://h/x?token=1".into())
    });
    assert_eq!(page.said(), ["ws://h/x?token=1"]);
    page.does(2.0, |session| session.opened(2.0));
    page.hears(2.0, HELLO);
    page.hears(2.0, r#"{"ack":0}"#);
    page.loses(3.0, 1006);
    page.said();

    // The same server under another query is the one that it knows.
    let now = page.tries_again();
    assert_eq!(page.said(), ["ask"]);
    page.does(now, |session| {
        session.located(now, "ws://h/x?token=2".into())
    });
    page.does(now, |session| session.opened(now));
    page.does(now, |session| session.woken(now + 250.0));
    assert_eq!(page.said(), ["ws://h/x?token=2"]);
    assert_eq!(page.session.state(), State::Connecting);
    page.loses(now + 300.0, 1006);
    page.said();

    // Of another one, nothing is known.
    let now = page.tries_again();
    page.does(now, |session| session.located(now, "ws://other/x".into()));
    page.does(now, |session| session.opened(now));
    page.does(now, |session| session.woken(now + 250.0));
    assert_eq!(page.session.state(), State::Open);
    assert!(!page.session.link().is_relay());
}

#[test]
fn a_server_that_comes_too_late_is_not_connected_to() {
    let mut page = Page::new(Config {
        asks_url: true,
        ..Config::default()
    });
    page.does(0.0, |session| {
        session.open(0.0, "a", 0).unwrap();
    });
    page.does(0.0, |session| session.close());
    page.said();
    page.does(1.0, |session| session.located(1.0, "ws://h/x".into()));
    assert_eq!((page.session.state(), page.said()), (State::Closed, vec![]));
}
