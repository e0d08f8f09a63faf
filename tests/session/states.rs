//! Inputs at the wrong time, closing, and names.

use super::{Simple, connected, lost, opened, plain, send};
use crate::support::page::events;
use signal_wasm::protocol::{CloseReason, Frame};
use signal_wasm::session::{
    Action, Config, Disconnect, Event, FrameKind, Input, SendError, State, Transmission,
    TransmitError,
};

fn untimed() -> Config {
    Config {
        own_transport: true,
        ..Config::default()
    }
}

#[test]
fn inputs_that_come_at_the_wrong_time_change_nothing() {
    let check = |session: &mut Simple, state: &str, inputs: &[fn(&mut Simple)]| {
        let before = (session.stats(), session.poll_timeout());
        for input in inputs {
            input(session);
            assert_eq!(session.state().name(), state);
            assert_eq!(events(session), []);
            assert_eq!(session.poll_action(), None);
            assert_eq!((session.stats(), session.poll_timeout()), before);
        }
    };
    let connects: fn(&mut Simple) = |session| connected(session, 2.0);
    let loses: fn(&mut Simple) = |session| lost(session, 2.0, 1006);
    let times_out: fn(&mut Simple) = |session| session.handle(2.0, Input::Timeout);
    let closes: fn(&mut Simple) = |session| session.close();
    let closes_unknown: fn(&mut Simple) = |session| session.close_channel("nowhere", 77);

    let mut session: Simple = plain(untimed()).session(7, 1);
    assert_eq!(session.poll_timeout(), None);
    let inputs = &[connects, loses, times_out, closes_unknown];
    check(&mut session, "idle", inputs);
    session.open(0.0, "a", 0).unwrap();
    let action = session.poll_action();
    assert!(matches!(action, Some(Action::OpenSocket(_))), "{action:?}");
    events(&mut session);
    check(&mut session, "connecting", &[times_out, closes_unknown]);
    connected(&mut session, 1.0);
    events(&mut session);
    check(&mut session, "open", &[connects, times_out, closes_unknown]);
    lost(&mut session, 1.0, 1006);
    assert_eq!(session.poll_action(), Some(Action::Disconnect));
    events(&mut session);
    check(&mut session, "waiting", &[connects, loses, closes_unknown]);
    session.close();
    assert_eq!(session.poll_action(), Some(Action::Disconnect));
    assert_eq!(events(&mut session).len(), 1);
    let inputs = &[connects, loses, times_out, closes_unknown, closes];
    check(&mut session, "closed", inputs);
    assert!(session.open(3.0, "a", 0).is_err());
    assert_eq!(send(&mut session, "1"), Err(SendError::SessionClosed));
}

#[test]
fn events_of_an_earlier_connection_are_stale() {
    let mut session = opened(untimed(), 1);
    let first = session.connection();
    assert!(session.handle_from(first, 0.0, Input::SocketOpen));
    lost(&mut session, 1.0, 1006);
    let now = session.poll_timeout().unwrap();
    session.handle(now, Input::Timeout);
    let state = session.state();
    let closed = Input::SocketClosed(Disconnect {
        why: CloseReason::Fatal,
        code: None,
        reason: "late".into(),
    });
    for input in [Input::SocketOpen, closed] {
        assert!(!session.handle_from(first, now, input));
        assert_eq!(session.state(), state);
    }
    let second = session.connection();
    assert!(session.handle_from(second, now, Input::SocketOpen));
    assert_eq!(session.state(), State::Open { since: now });
}

#[test]
fn a_socket_that_was_asked_for_is_not_opened_after_the_close() {
    let mut session = opened(Config::default(), 1);
    session.close();
    assert_eq!(session.poll_action(), Some(Action::Disconnect));
    assert_eq!(session.poll_action(), None);
}

#[test]
fn a_session_that_was_never_used_closes_too() {
    let mut session: Simple = plain(Config::default()).session(7, 1);
    session.close();
    assert_eq!(session.state(), State::Closed);
    assert_eq!(events(&mut session).len(), 1);
    assert!(session.open(3.0, "a", 0).is_err());
}

/// A message of another page's comes in on the channel `a`.
fn receive(session: &mut Simple) {
    let frame = "{\"sender\":8,\"channel\":\"a\",\"message\":1}";
    session.handle(1.0, Input::Frame(Frame::Text(frame.into())));
}

#[test]
fn a_page_that_closes_gets_no_more_messages() {
    let messages = |events: &[Event<_, usize>]| {
        let is_message = |event: &&Event<_, _>| matches!(event, Event::Message(..));
        events.iter().filter(is_message).count()
    };
    for ends_first in [false, true] {
        let mut session = opened(untimed(), 1);
        connected(&mut session, 0.0);
        events(&mut session);
        for _ in 0..3 {
            receive(&mut session);
        }
        if ends_first {
            lost(&mut session, 1.0, 4500);
            assert_eq!(session.state(), State::Closed);
        }
        let told = [session.poll_event().unwrap()];
        assert_eq!(messages(&told), 1);
        session.close();
        let told = events(&mut session);
        assert_eq!((messages(&told), session.state()), (0, State::Closed));
        assert_eq!(session.stats().channels, 0.0);
    }
}

#[test]
fn messages_that_came_before_the_end_are_delivered_before_the_page_learns_of_it() {
    let mut session = opened(untimed(), 1);
    connected(&mut session, 0.0);
    events(&mut session);
    receive(&mut session);
    lost(&mut session, 1.0, 4500);
    let told = events(&mut session);
    assert!(matches!(told[0], Event::Message(0, _)), "{told:?}");
    let is_failure = |event: &Event<_, _>| matches!(event, Event::Failed { .. });
    assert_eq!(told.iter().position(is_failure), Some(1));
    assert_eq!(session.stats().channels, 0.0);
    receive(&mut session);
    assert_eq!(events(&mut session), []);
}

#[test]
fn a_frame_of_the_protocol_that_the_socket_did_not_take_ends_the_connection() {
    let mut session = opened(Config::default(), 1);
    connected(&mut session, 0.0);
    let transmission = Transmission {
        frame: "own".into(),
        message: None,
        post_url: None,
    };
    let outcome = Err(TransmitError::Threw);
    super::transmitted(&mut session, 1.0, transmission, outcome);
    assert_eq!(session.state().name(), "waiting");
    assert_eq!(session.stats().sent_length, 0.0);
}

#[test]
fn states_and_kinds_of_frames_have_the_names_that_the_page_knows() {
    let states = [
        State::Idle,
        State::Connecting,
        State::Open { since: 0.0 },
        State::Waiting { until: None },
        State::Closed,
    ];
    assert_eq!(
        states.map(State::name),
        ["idle", "connecting", "open", "waiting", "closed"]
    );
    let kinds = [
        FrameKind::Sent,
        FrameKind::Delivered,
        FrameKind::Own,
        FrameKind::Foreign,
        FrameKind::Bad,
        FrameKind::Control,
    ];
    assert_eq!(
        kinds.map(FrameKind::name),
        ["sent", "delivered", "own", "foreign", "bad", "control"]
    );
}
