//! When channels are ready.

use super::{connected, opened};
use crate::support::page::events;
use signal_wasm::session::{Config, Event, Input, OpenWhen};

#[test]
fn a_channel_opened_on_a_working_connection_is_ready_after_the_call_not_within_it() {
    let config = Config {
        open_when: OpenWhen::Connected,
        ..Config::default()
    };
    let mut session = opened(config, 1);
    connected(&mut session, 10.0);
    assert!(events(&mut session).contains(&Event::Ready(0)));
    session.open(20.0, "b", 1).unwrap();
    assert_eq!(events(&mut session), []);
    assert_eq!(session.poll_timeout(), Some(20.0));
    session.handle(20.0, Input::Timeout);
    assert_eq!(events(&mut session), [Event::Ready(1)]);
    assert_eq!(session.poll_timeout(), None);
}

/// Else a page that opens and closes channels while the server can't be reached would pile them up.
#[test]
fn nothing_is_kept_of_a_channel_that_was_closed_before_it_was_ready() {
    let config = Config {
        own_transport: true,
        ..Config::default()
    };
    let mut session = opened(config, 1);
    session.handle(1000.0, Input::Timeout);
    events(&mut session);
    for now in 1000..1100 {
        let id = session.open(f64::from(now), "b", 1).unwrap();
        assert_eq!(session.poll_timeout(), Some(f64::from(now) + 1000.0));
        session.close_channel("b", id);
        assert_eq!(session.poll_timeout(), None);
    }
    session.handle(5000.0, Input::Timeout);
    assert_eq!(events(&mut session), []);
}
