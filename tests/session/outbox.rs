//! Bounds and order of the messages that wait.

use super::{Simple, connected, opened, send, transmitted};
use crate::support::host::HostText;
use crate::support::page::events;
use signal_wasm::session::{
    Action, Bounds, Config, DropReason, Event, Input, Overflow, SendError, Transmission,
    TransmitError,
};

fn bounded(messages: usize, bytes: usize) -> Config {
    Config {
        outbox: Bounds {
            messages,
            bytes,
            overflow: Overflow::Throw,
        },
        ..Config::default()
    }
}

fn full(messages: usize, bytes: usize) -> Result<(), SendError> {
    Err(SendError::OutboxFull { messages, bytes })
}

fn opens_socket(session: &mut Simple) {
    let action = session.poll_action();
    assert!(matches!(action, Some(Action::OpenSocket(_))), "{action:?}");
}

/// The next message that the socket is given, and what it holds.
fn transmission(session: &mut Simple) -> (Transmission<HostText>, String) {
    match session.poll_action() {
        Some(Action::Transmit(transmission)) => {
            let frame: serde_json::Value =
                serde_json::from_str(transmission.frame.as_str()).unwrap();
            let message = frame["message"].to_string();
            (transmission, message)
        }
        action => panic!("{action:?}"),
    }
}

#[test]
fn the_outbox_counts_two_bytes_for_each_utf16_unit() {
    let mut session = opened(bounded(10, 20), 1);
    assert_eq!(send(&mut session, "\"😀é\""), Ok(()));
    assert_eq!(session.stats().queued_bytes, 10.0);
    assert_eq!(send(&mut session, "123456"), full(1, 10));
    assert_eq!(send(&mut session, "12345"), Ok(()));
    assert_eq!(send(&mut session, "1"), full(2, 20));
}

#[test]
fn the_outbox_counts_messages() {
    let mut session = opened(bounded(2, 100), 1);
    assert_eq!(send(&mut session, "1"), Ok(()));
    assert_eq!(send(&mut session, "2"), Ok(()));
    assert_eq!(send(&mut session, "3"), full(2, 4));
    connected(&mut session, 0.0);
    opens_socket(&mut session);
    let (first, message) = transmission(&mut session);
    assert_eq!(message, "1");
    // It has its place until the socket has it.
    assert_eq!(send(&mut session, "4"), full(2, 4));
    transmitted(&mut session, 0.0, first, Ok(()));
    assert_eq!(send(&mut session, "4"), Ok(()));
}

#[test]
fn a_message_that_the_socket_did_not_take_keeps_its_place_in_the_outbox() {
    let mut session = opened(bounded(10, 20), 1);
    connected(&mut session, 0.0);
    opens_socket(&mut session);
    assert_eq!(send(&mut session, "12345678"), Ok(()));
    let (first, _) = transmission(&mut session);
    transmitted(&mut session, 1.0, first, Err(TransmitError::NotOpen));
    assert_eq!(session.state().name(), "waiting");
    assert_eq!(
        (session.stats().queued, session.stats().queued_bytes),
        (1.0, 16.0)
    );
    assert_eq!(send(&mut session, "123"), full(1, 16));
    assert_eq!(send(&mut session, "12"), Ok(()));
}

#[test]
fn what_the_socket_did_not_take_goes_out_first_and_later_messages_last() {
    let mut session = opened(Config::default(), 1);
    for message in ["1", "22", "333"] {
        send(&mut session, message).unwrap();
    }
    connected(&mut session, 0.0);
    opens_socket(&mut session);
    let (first, message) = transmission(&mut session);
    assert_eq!(message, "1");
    transmitted(&mut session, 0.0, first, Ok(()));
    // Sent from within what the page does about that frame, while others wait.
    send(&mut session, "4444").unwrap();
    let (second, _) = transmission(&mut session);
    transmitted(&mut session, 1.0, second, Err(TransmitError::NotOpen));
    let stats = session.stats();
    assert_eq!((stats.queued, stats.queued_bytes), (3.0, 18.0));
    session.handle(30_000.0, Input::Timeout);
    connected(&mut session, 30_000.0);
    assert_eq!(session.poll_action(), Some(Action::Disconnect));
    opens_socket(&mut session);
    for payload in ["22", "333", "4444"] {
        let (next, message) = transmission(&mut session);
        assert_eq!(message, payload);
        transmitted(&mut session, 30_000.0, next, Ok(()));
    }
    assert_eq!(session.poll_action(), None);
    assert_eq!(session.stats().queued_bytes, 0.0);
}

#[test]
fn a_limit_that_is_no_limit_does_not_overflow() {
    let config = Config {
        max_message: usize::MAX,
        ..bounded(usize::MAX, usize::MAX)
    };
    let mut session = opened(config, 1);
    assert_eq!(send(&mut session, "1"), Ok(()));
}

/// A transport may send another message from inside `send`, and then throw at the first.
#[test]
fn a_message_sent_inside_the_sending_of_another_accepts_only_itself() {
    let mut session = opened(Config::default(), 1);
    opens_socket(&mut session);
    connected(&mut session, 0.0);
    send(&mut session, "1").unwrap();
    send(&mut session, "2").unwrap();
    let (outer, _) = transmission(&mut session);
    let (inner, _) = transmission(&mut session);
    session.handle(0.0, Input::Transmitted(inner, Ok(())));
    assert_eq!(session.stats().queued, 1.0);
    let threw = Err(TransmitError::Threw);
    session.handle(0.0, Input::Transmitted(outer, threw));
    assert_eq!(session.state().name(), "waiting");
    assert_eq!(session.stats().queued, 1.0);
    while session.state().name() == "waiting" {
        let at = session.poll_timeout().unwrap();
        session.handle(at, Input::Timeout);
    }
    assert_eq!(session.poll_action(), Some(Action::Disconnect));
    opens_socket(&mut session);
    session.handle(1e6, Input::SocketOpen);
    assert_eq!(transmission(&mut session).1, "1");
    assert_eq!(session.poll_action(), None);
}

/// The messages that go out, in order.
fn all_sent(session: &mut Simple) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(action) = session.poll_action() {
        if let Action::Transmit(transmission) = action {
            let frame: serde_json::Value =
                serde_json::from_str(transmission.frame.as_str()).unwrap();
            sent.push(frame["message"].to_string());
            transmitted(session, 0.0, transmission, Ok(()));
        }
    }
    sent
}

/// How many messages were reported that the outbox had no room for.
fn dropped(session: &mut Simple) -> usize {
    let is_dropped = |event: &Event<_, _>| matches!(event, Event::Dropped { why: DropReason::Overflow, channel, .. } if &**channel == "a");
    events(session)
        .iter()
        .filter(|event| is_dropped(event))
        .count()
}

fn dropping(messages: usize, bytes: usize) -> Config {
    Config {
        outbox: Bounds {
            messages,
            bytes,
            ..Bounds::default()
        },
        ..Config::default()
    }
}

#[test]
fn a_full_outbox_drops_its_oldest_messages() {
    // By their number; by their bytes, one large message for several small ones.
    for (bounds, messages, left) in [
        (
            (3, 1000),
            vec!["1", "2", "3", "4", "5"],
            vec!["3", "4", "5"],
        ),
        (
            (99, 12),
            vec!["1", "2", "3", "4444"],
            vec!["2", "3", "4444"],
        ),
        ((99, 12), vec!["1", "2", "3", "666666"], vec!["666666"]),
        // Larger than the outbox: nothing can make room for it.
        ((99, 12), vec!["1", "7777777", "2"], vec!["1", "2"]),
        ((1, 1000), vec!["1", "2"], vec!["2"]),
    ] {
        let mut session = opened(dropping(bounds.0, bounds.1), 1);
        for message in &messages {
            assert_eq!(send(&mut session, message), Ok(()), "{messages:?}");
        }
        let expected = messages.len() - left.len();
        assert_eq!(dropped(&mut session), expected, "{messages:?}");
        assert_eq!(session.stats().dropped, expected as f64);
        connected(&mut session, 0.0);
        assert_eq!(all_sent(&mut session), left);
        session.handle(5_000.0, Input::Timeout);
        assert_eq!(session.flushed(), session.flush());
    }
}

#[test]
fn a_message_in_flight_is_not_dropped_for_another() {
    let mut session = opened(dropping(2, 1000), 1);
    connected(&mut session, 0.0);
    opens_socket(&mut session);
    assert_eq!(send(&mut session, "1"), Ok(()));
    let (first, _) = transmission(&mut session);
    assert_eq!(send(&mut session, "2"), Ok(()));
    let (second, _) = transmission(&mut session);
    // Both are in flight, so that the new one goes.
    assert_eq!(send(&mut session, "3"), Ok(()));
    assert_eq!(dropped(&mut session), 1);
    transmitted(&mut session, 0.0, first, Ok(()));
    assert_eq!(send(&mut session, "4"), Ok(()));
    assert_eq!(send(&mut session, "5"), Ok(()));
    assert_eq!(dropped(&mut session), 1);
    transmitted(&mut session, 0.0, second, Ok(()));
    assert_eq!(all_sent(&mut session), ["5"]);
}

#[test]
fn what_an_earlier_connection_may_have_carried_is_dropped_last() {
    let mut session = opened(dropping(2, 1000), 1);
    connected(&mut session, 0.0);
    opens_socket(&mut session);
    assert_eq!(send(&mut session, "1"), Ok(()));
    let (first, _) = transmission(&mut session);
    transmitted(&mut session, 0.0, first, Err(TransmitError::NotOpen));
    assert_eq!(session.state().name(), "waiting");
    for message in ["2", "3", "4"] {
        assert_eq!(send(&mut session, message), Ok(()));
    }
    assert_eq!(dropped(&mut session), 2);
    let now = session.poll_timeout().unwrap();
    session.handle(now, Input::Timeout);
    connected(&mut session, now);
    assert_eq!(all_sent(&mut session), ["1", "4"]);
}

#[test]
fn a_message_of_the_longest_frame_is_accepted_and_a_longer_one_is_not() {
    let head = "{\"sender\":7,\"channel\":\"a\",\"message\":";
    let limit = head.len() + "\"\"}".len() + 20;
    let config = Config {
        max_message: limit,
        ..Config::default()
    };
    for is_connected in [false, true] {
        let mut session = opened(config.clone(), 1);
        if is_connected {
            connected(&mut session, 0.0);
        }
        // Twenty bytes each.
        for longest in [
            "x".repeat(20),
            "😀".repeat(5),
            "é".repeat(10),
            "\\\"".repeat(10),
        ] {
            let longest = format!("\"{longest}\"");
            assert_eq!(send(&mut session, &longest), Ok(()));
            let bytes = limit + 1;
            assert_eq!(
                send(&mut session, &format!("{longest} ")),
                Err(SendError::TooLarge { bytes, limit })
            );
        }
        assert_eq!(session.stats().queued, 4.0);
    }
}
