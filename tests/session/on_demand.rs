//! The page connects, disconnects and reconnects by its own calls.

use super::plain;
use crate::support::host::HostText;
use crate::support::page::{Page, loss};
use signal_wasm::protocol::Millis;
use signal_wasm::session::{Action, Config, DropReason, Event, Input, OpenWhen, Session, State};

const FOREVER: Millis = Millis::INFINITY;

type Client = Page<usize>;

fn client(config: Config) -> Client {
    Page::new(plain(config).session(7, 1))
}

/// One with the channel `a` on an open connection.
fn open() -> Client {
    let mut page = client(Config::default());
    page.open("a", 0);
    page.connects();
    page.events.clear();
    page
}

fn calls<R>(page: &mut Client, call: impl FnOnce(&mut Session<HostText, usize>, Millis) -> R) -> R {
    let now = page.now;
    let result = call(&mut page.session, now);
    page.settle();
    result
}

fn disconnect(page: &mut Client) {
    calls(page, Session::disconnect);
}

fn connect(page: &mut Client) {
    assert!(calls(page, Session::connect).is_ok());
}

fn reconnect(page: &mut Client) {
    assert!(calls(page, Session::reconnect).is_ok());
}

#[test]
fn it_connects_before_a_channel_is_opened() {
    let mut page = client(Config::default());
    connect(&mut page);
    assert_eq!(page.stands(), ("connecting", "the page connects"));
    connect(&mut page);
    page.connects();
    assert_eq!(page.states().len(), 2, "the second call changes nothing");
    page.open("a", 0);
    connect(&mut page);
    assert_eq!((page.done.len(), page.stats().connects), (0, 1.0));
}

#[test]
fn nothing_but_the_page_ends_a_disconnection() {
    let mut page = open();
    page.send("a", "1", FOREVER);
    page.take_sent();
    disconnect(&mut page);
    assert_eq!(page.stands(), ("idle", "disconnected by the page"));
    assert_eq!(page.next_done(), Action::Disconnect);
    page.events.clear();
    disconnect(&mut page);
    page.send("a", "2", FOREVER);
    page.open("b", 1);
    for input in [
        Input::Offline,
        Input::Online,
        Input::PageHiding,
        Input::PageHidden,
        Input::PageShown,
    ] {
        page.handle(input);
    }
    page.passes(100_000.0);
    assert_eq!((&page.done.len(), page.states()), (&0, vec![]));
    connect(&mut page);
    page.connects();
    assert_eq!(
        page.take_sent().len(),
        1,
        "what was sent meanwhile, and nothing twice"
    );
    assert_eq!((page.stats().channels, page.stats().connects), (2.0, 2.0));
    // From now on it reconnects by itself again.
    page.loses_socket(Some(1006));
    page.tries_again();
}

#[test]
fn a_page_may_disconnect_in_every_state() {
    // Before the first channel, which then doesn't connect.
    let mut page = client(Config::default());
    disconnect(&mut page);
    page.open("a", 0);
    assert_eq!(
        (page.state(), page.events.len(), page.done.len()),
        (State::Idle, 0, 0)
    );
    connect(&mut page);
    // While connecting: a late event is stale.
    let attempt = page.session.connection();
    disconnect(&mut page);
    page.handle_from(attempt, Input::SocketOpen);
    assert_eq!(page.state(), State::Idle);
    // While waiting: the timer is gone.
    let mut page = open();
    page.handle(Input::SocketClosed(loss(Some(1006))));
    disconnect(&mut page);
    page.passes(1_000.0);
    assert_eq!(page.state(), State::Idle);
    assert_eq!(page.session.poll_timeout(), None);
    // For good.
    page.close();
    disconnect(&mut page);
    assert_eq!(page.state(), State::Closed);
    assert!(calls(&mut page, Session::connect).is_err());
    assert!(calls(&mut page, Session::reconnect).is_err());
}

#[test]
fn messages_expire_while_the_page_is_disconnected() {
    let mut page = open();
    disconnect(&mut page);
    page.events.clear();
    page.send("a", "1", 10.0);
    page.passes(10.0);
    let dropped = |number, why| Event::Dropped {
        number,
        channel: "a".into(),
        why,
    };
    assert_eq!(page.events, [dropped(1, DropReason::Expired)]);
    page.events.clear();
    // A goodbye, too.
    page.handle(Input::PageHiding);
    page.send("a", "2", FOREVER);
    page.handle(Input::PageHidden);
    assert_eq!(page.events, [dropped(2, DropReason::Hidden)]);
}

#[test]
fn readiness_waits_for_the_page_to_connect() {
    let mut page = client(Config {
        open_when: OpenWhen::Connected,
        ..Config::default()
    });
    disconnect(&mut page);
    page.open("a", 0);
    page.passes(5_000.0);
    assert_eq!(page.events, []);
    connect(&mut page);
    page.connects();
    page.passes(0.0);
    assert!(page.events.contains(&Event::Ready(0)));
}

#[test]
fn the_next_attempt_comes_at_once() {
    let mut config = Config::default();
    config.reconnect.attempts = 2.0;
    let mut page = client(config);
    page.open("a", 0);
    for _ in 0..5 {
        page.loses_socket(None);
        assert_eq!(page.state().name(), "waiting");
        reconnect(&mut page);
        assert_eq!(page.stands(), ("connecting", "the page tries at once"));
    }
    // An attempt that is under way goes on.
    let attempt = page.session.connection();
    reconnect(&mut page);
    assert_eq!(page.session.connection(), attempt);
    // One that has disconnected, or was never connected, connects.
    disconnect(&mut page);
    reconnect(&mut page);
    assert_eq!(page.stands(), ("connecting", "the page connects"));
    let mut page = client(Config::default());
    reconnect(&mut page);
    assert_eq!(page.state(), State::Connecting);
}

#[test]
fn an_open_connection_is_ended_and_another_is_made_at_once() {
    let mut page = open();
    let first = page.session.connection();
    // Also while a second one is being made.
    for is_doubted in [false, true] {
        if is_doubted {
            page.handle(Input::Online);
            page.passes(2_001.0);
            assert!(matches!(page.next_done(), Action::OpenStandby(_)));
        }
        reconnect(&mut page);
        assert_eq!(page.session.standby(), None);
        assert_eq!(
            page.stands(),
            ("connecting", "the page wants another connection")
        );
        page.send("a", "2", FOREVER);
        page.done
            .retain(|action| matches!(action, Action::OpenSocket(_)));
        page.connects();
        assert_eq!(page.take_sent().len(), 1);
    }
    assert_ne!(page.session.connection(), first);
    assert_eq!(page.stats().connects, 3.0);
}

#[test]
fn a_message_is_withdrawn_unless_it_is_in_flight() {
    let mut page = open();
    disconnect(&mut page);
    page.done.clear();
    let sent: Vec<_> = ["1", "2", "3"]
        .map(|payload| {
            page.session
                .send(page.now, "a", payload.into(), FOREVER)
                .unwrap()
        })
        .into();
    page.session.withdraw(sent[1]);
    page.session.withdraw(99);
    assert_eq!((page.stats().queued, page.stats().dropped), (2.0, 0.0));
    connect(&mut page);
    page.connects();
    page.session.withdraw(sent[0]);
    let frames = page.take_sent();
    assert_eq!(frames.len(), 2);
    assert!(
        frames[0].ends_with("1}") && frames[1].ends_with("3}"),
        "{frames:?}"
    );
}
