//! Messages without a channel: they are those of the default channel, and of the channel `undefined`
//! on the wire, as `channels[undefined]` is in the shim.

use crate::support::page::{Page, Received, Setup};
use signal_wasm::protocol::Millis;
use signal_wasm::session::{Action, DropReason, Event};
use signal_wire::envelope::UNNAMED;

const FOREVER: Millis = Millis::INFINITY;
const BARE: &str = r#"{"sender":8,"message":1}"#;
const NAMED: &str = r#"{"sender":8,"channel":"main","message":1}"#;
const UNDEFINED: &str = r#"{"sender":8,"channel":"undefined","message":1}"#;

fn setup(protocol: &'static str, default_channel: Option<&str>) -> Setup {
    let mut setup = Setup::new(protocol, "ws://h/x");
    setup.config.default_channel = default_channel.map(Into::into);
    setup
}

fn page(setup: &Setup) -> Page<&'static str> {
    let mut page = Page::new(setup.session(7, 1));
    page.session.inspect(true);
    page
}

/// Who received each of these.
fn receivers(page: &mut Page<&'static str>, frames: &[&str]) -> Vec<&'static str> {
    page.received.clear();
    for frame in frames {
        page.receive(frame);
    }
    let received = page.received.drain(..);
    let receivers = received.map(|received| match received {
        Received::Message(receiver, _) => receiver,
        Received::Foreign => "nobody",
        received => panic!("{received:?}"),
    });
    receivers.collect()
}

#[test]
fn the_default_channel_receives_them() {
    let mut page = page(&setup("websocket", Some("main")));
    let other = page.open("other", "other");
    page.connects();
    assert_eq!(
        receivers(&mut page, &[BARE, NAMED, UNDEFINED]),
        ["nobody"; 3]
    );
    let first = page.open("main", "first");
    assert_eq!(
        receivers(&mut page, &[BARE, NAMED, UNDEFINED]),
        ["first"; 3]
    );
    assert_eq!(page.stats().channels, 2.0);
    // The last opening of a name receives its messages, as with the shim.
    let second = page.open("main", "second");
    page.session.close_channel("main", first);
    assert_eq!(
        receivers(&mut page, &[BARE, NAMED, UNDEFINED]),
        ["second"; 3]
    );
    let hello = r#"{"signal":1,"version":2,"session":"s","epoch":"e","ping":25000}"#;
    assert_eq!(
        receivers(&mut page, &[hello, r#"{"sender":8}"#, "{}"]),
        ["nobody"; 3]
    );
    page.open(UNNAMED, "undefined");
    assert_eq!(
        receivers(&mut page, &[BARE, NAMED, UNDEFINED]),
        ["undefined", "second", "undefined"]
    );
    // As the shim has it.
    assert_eq!(receivers(&mut page, &["{}"]), ["undefined"]);
    page.open("main", "third");
    page.session.close_channel("main", second);
    assert_eq!(
        receivers(&mut page, &[BARE, NAMED, UNDEFINED]),
        ["third"; 3]
    );
    page.session.close_channel("other", other);
    assert_eq!(page.stats().channels, 1.0);
}

#[test]
fn without_a_default_channel_they_are_for_the_channel_undefined() {
    let mut page = page(&setup("websocket", None));
    page.open("main", "main");
    page.connects();
    assert_eq!(
        receivers(&mut page, &[BARE, NAMED, UNDEFINED]),
        ["nobody", "main", "nobody"]
    );
    page.open(UNNAMED, "undefined");
    assert_eq!(receivers(&mut page, &[BARE, UNDEFINED]), ["undefined"; 2]);
}

#[test]
fn a_message_on_it_is_sent_without_a_channel() {
    let mut page = page(&setup("websocket", Some("main")));
    page.open("main", "main");
    page.connects();
    page.send(UNNAMED, "1", FOREVER);
    assert_eq!(page.sent_message(), r#"{"sender":7,"message":1}"#);
    page.send("main", "1", FOREVER);
    assert_eq!(
        page.sent_message(),
        r#"{"sender":7,"channel":"main","message":1}"#
    );
}

/// The relay's own frames are those without a channel, so there it has its name.
#[test]
fn to_our_relay_it_is_a_channel_with_a_name() {
    let mut page = page(&setup("relay", Some("main")));
    let id = page.open("main", "main");
    page.connects();
    page.receive(r#"{"signal":1,"version":2,"session":"s","epoch":"e","ping":25000}"#);
    assert_eq!(
        sent(&mut page),
        [r#"{"open":["main","undefined"],"after":{}}"#]
    );
    page.receive(r#"{"ack":0,"session":"s"}"#);
    page.done.clear();
    page.send(UNNAMED, "1", FOREVER);
    assert_eq!(
        page.sent_message(),
        r#"{"sender":7,"channel":"undefined","ref":1,"message":1}"#
    );
    page.receive(r#"{"ack":1}"#);
    let delivered = [
        r#"{"sender":8,"id":"17","message":1}"#,
        r#"{"sender":8,"channel":"undefined","id":"18","message":1}"#,
        r#"{"sender":8,"channel":"main","id":"5","message":1}"#,
    ];
    assert_eq!(receivers(&mut page, &delivered), ["main"; 3]);
    // Each resumes from its own last message.
    page.loses_socket(Some(1006));
    page.done.clear();
    page.tries_again();
    page.connects();
    page.receive(r#"{"signal":1,"version":2,"session":"s2","epoch":"e","ping":25000}"#);
    let open =
        r#"{"open":["main","undefined"],"after":{"main":"5","undefined":"18"},"session":"s"}"#;
    assert_eq!(sent(&mut page), [open]);
    page.receive(r#"{"ack":1,"session":"s"}"#);
    page.done.clear();
    page.session.close_channel("main", id);
    page.handle(signal_wasm::session::Input::Timeout);
    assert_eq!(
        sent(&mut page),
        [r#"{"close":["undefined"]}"#, r#"{"close":["main"]}"#]
    );
}

fn sent(page: &mut Page<&'static str>) -> Vec<String> {
    let sent = page.done.drain(..).filter_map(|action| match action {
        Action::Transmit(transmission) => Some(transmission.frame.as_str().into()),
        _ => None,
    });
    sent.collect()
}

/// Gaps and drops are reported by the name that the page knows.
#[test]
fn the_page_is_told_of_its_default_channel() {
    let mut page = page(&setup("relay", Some("main")));
    page.open("main", "main");
    page.connects();
    page.receive(r#"{"signal":1,"version":2,"session":"s","epoch":"e","ping":25000}"#);
    page.receive(r#"{"ack":0,"session":"s"}"#);
    page.events.clear();
    page.receive(r#"{"gap":"undefined"}"#);
    assert_eq!(page.events, [Event::Gap("main".into())]);
    // A relay with another epoch has lost everything, which is reported once.
    page.loses_socket(Some(1006));
    page.send(UNNAMED, "1", 1.0);
    page.tries_again();
    page.events.clear();
    page.done.clear();
    page.has_socket = true;
    page.socket_opens();
    page.receive(r#"{"signal":1,"version":2,"session":"s2","epoch":"e2","ping":25000}"#);
    let gaps = page
        .events
        .iter()
        .filter(|event| matches!(event, Event::Gap(_)));
    assert_eq!(gaps.collect::<Vec<_>>(), [&Event::Gap("main".into())]);
}

#[test]
fn a_dropped_message_is_one_of_the_default_channel() {
    let mut page = page(&setup("websocket", Some("main")));
    let id = page.open("main", "main");
    page.send(UNNAMED, "1", 1.0);
    page.send(UNNAMED, "2", 2.0);
    page.events.clear();
    let dropped = |number| Event::Dropped {
        number,
        channel: "main".into(),
        why: DropReason::Expired,
    };
    page.passes(1.0);
    assert_eq!(page.events, [dropped(1)]);
    page.events.clear();
    // Even when it is closed.
    page.session.close_channel("main", id);
    page.passes(1.0);
    assert_eq!(page.events, [dropped(2)]);
}
