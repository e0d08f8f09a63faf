//! Bounds and order of the messages that wait.

use super::{Simple, connected, opened, send, transmitted};
use crate::support::host::HostText;
use signal_wasm::session::{Action, Bounds, Config, Input, SendError, Transmission, TransmitError};

fn bounded(messages: usize, bytes: usize) -> Config {
    Config {
        outbox: Bounds { messages, bytes },
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
fn a_message_of_the_longest_length_is_accepted_and_a_longer_one_is_not() {
    let config = Config {
        max_message: 12,
        ..Config::default()
    };
    for is_connected in [false, true] {
        let mut session = opened(config.clone(), 1);
        if is_connected {
            connected(&mut session, 0.0);
        }
        // A character outside the basic plane is two UTF-16 units, and four bytes.
        for longest in ["\"0123456789\"", "\"😀😀😀😀😀\"", "\"éééééééééé\""] {
            assert_eq!(send(&mut session, longest), Ok(()));
            assert_eq!(
                send(&mut session, &format!("{longest} ")),
                Err(SendError::TooLarge { length: 13 })
            );
        }
        assert_eq!(session.stats().queued, 3.0);
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
