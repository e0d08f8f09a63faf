//! The longest frame that may be sent, in bytes of UTF-8, and servers that close the connection over
//! a message.

use crate::setups::{
    Client, EIO4, Make, classic_up, opened, signalr_up, socket_io, socket_io_4, without_disconnects,
};
use crate::support::page::{Page, Setup, control};
use signal_wasm::protocol::Millis;
use signal_wasm::session::{DropReason, Event, SendError};

/// Messages of all kinds, of about so many characters.
fn messages(length: usize) -> [String; 6] {
    ["x", "é", "漢", "😀", "\"", "\\"].map(|part| {
        let text = part.repeat(length / part.encode_utf16().count());
        serde_json::Value::from(text).to_string()
    })
}

fn frame_of(make: Make, message: &str) -> usize {
    let mut page = make();
    page.send("main", message, Millis::INFINITY);
    page.sent_message().len()
}

fn try_to_send(page: &mut Client, message: &str) -> Result<(), SendError> {
    let result = page
        .session
        .send(page.now, "main", message.into(), Millis::INFINITY);
    page.settle();
    result.map(drop)
}

fn dropped(page: &mut Client) -> Vec<DropReason> {
    let reason = |event| match event {
        Event::Dropped { why, .. } => Some(why),
        _ => None,
    };
    page.events.drain(..).filter_map(reason).collect()
}

fn plain_up() -> Client {
    let mut page = opened(&Setup::new("websocket", "ws://h/"));
    page.connects();
    page
}

#[test]
fn max_message_counts_the_bytes_of_the_frame() {
    let makes: [(&str, Make, Setup); 4] = [
        ("websocket", plain_up, Setup::new("websocket", "ws://h/")),
        ("socket.io", socket_io_4, socket_io()),
        ("signalr", signalr_up, Setup::new("signalr", "ws://h/hub")),
        (
            "signalr-classic",
            classic_up,
            Setup::new("signalr-classic", "ws://h/signalr"),
        ),
    ];
    for (what, make, mut setup) in makes {
        for message in messages(2_000) {
            let bytes = frame_of(make, &message);
            for limit in [bytes - 1, bytes] {
                setup.config.max_message = limit;
                let mut page: Client = Page::new(setup.session(crate::setups::OWN, 5));
                page.open("main", "main".into());
                let expected = if bytes > limit {
                    Err(SendError::TooLarge { bytes, limit })
                } else {
                    Ok(())
                };
                assert_eq!(try_to_send(&mut page, &message), expected, "{what}");
            }
        }
    }
}

#[test]
fn the_servers_own_limit_counts_from_its_announcement_on() {
    let announced = EIO4.replace("1000000", "500");
    let mut page = opened(&socket_io());
    let long = messages(1_000);
    for message in &long {
        assert_eq!(try_to_send(&mut page, message), Ok(()));
    }
    assert_eq!(try_to_send(&mut page, "\"short\""), Ok(()));
    let mark = page.session.flush();
    page.connects();
    page.receive(&announced);
    page.did(control("40"));
    page.receive(r#"40{"sid":"b"}"#);
    assert_eq!(dropped(&mut page), [DropReason::TooLarge { limit: 500 }; 6]);
    assert!(page.sent_message().contains("short"));
    page.passes(2_000.0);
    assert!(page.session.flushed() >= mark);
    for message in &long {
        let refused = try_to_send(&mut page, message);
        assert!(matches!(
            refused,
            Err(SendError::TooLarge { limit: 500, .. })
        ));
    }
    // Another server, or another setting.
    page.loses_socket(Some(1006));
    page.done.clear();
    page.tries_again();
    page.connects();
    page.receive(EIO4);
    assert_eq!(try_to_send(&mut page, &long[0]), Ok(()));
}

#[test]
fn odd_announcements_are_no_harm() {
    for odd in ["-5", "0", "1e300", "\"5\"", "null"] {
        let mut page = opened(&socket_io());
        page.connects();
        page.receive(&EIO4.replace("1000000", odd));
        page.did(control("40"));
        page.receive(r#"40{"sid":"b"}"#);
        let _ = try_to_send(&mut page, "1");
        assert!(page.state().is_open(), "{odd}");
    }
}

/// Sends these, whose last a server doesn't take. What was reported, and what is sent on the next
/// connection.
fn refuses(mut page: Client, sent: &[String], code: u16) -> (Vec<DropReason>, Vec<String>) {
    for message in sent {
        page.send("main", &**message, Millis::INFINITY);
    }
    let mark = page.session.flush();
    assert!(page.session.flushed() < mark, "not known to be accepted");
    page.done.clear();
    page.loses_socket(Some(code));
    let told = dropped(&mut page);
    without_disconnects(&mut page);
    page.tries_again();
    page.connects();
    let again = page.take_sent();
    page.passes(100_000.0);
    assert_eq!(page.session.flushed(), page.session.flush());
    (told, again)
}

fn texts(lengths: &[usize]) -> Vec<String> {
    let texts = lengths
        .iter()
        .map(|length| format!("\"{}\"", "漢".repeat(*length)));
    texts.collect()
}

#[test]
fn a_message_that_is_too_large_for_the_server_is_told_and_what_follows_goes_on() {
    let (told, again) = refuses(plain_up(), &texts(&[4_000]), 1009);
    assert_eq!(told, [DropReason::Blamed]);
    assert_eq!(again, [""; 0]);
    let (told, again) = refuses(plain_up(), &texts(&[4_000, 3, 2]), 1009);
    assert_eq!(told, [DropReason::Blamed]);
    assert_eq!(again.len(), 2);
    assert!(again[0].contains("漢漢漢\"") && again[1].contains("\"漢漢\""));
}

#[test]
fn a_message_before_the_largest_may_be_the_one_unless_one_as_long_was_accepted() {
    let sent = texts(&[1_000, 5, 4_000, 7]);
    let (told, again) = refuses(plain_up(), &sent, 1009);
    assert_eq!(
        told,
        [
            DropReason::Uncertain,
            DropReason::Uncertain,
            DropReason::Blamed
        ]
    );
    assert_eq!(again.len(), 1);
    let mut page = plain_up();
    page.send("main", &*texts(&[3_500])[0], Millis::INFINITY);
    page.passes(5_000.0);
    let (told, again) = refuses(page, &sent, 1009);
    assert_eq!(told, [DropReason::Blamed]);
    assert_eq!(again.len(), 1);
}

#[test]
fn a_kind_of_message_that_the_server_does_not_take_is_told() {
    for code in [1003, 1007] {
        let (told, again) = refuses(plain_up(), &texts(&[2, 1]), code);
        assert_eq!(told, [DropReason::Uncertain; 2], "{code}");
        assert_eq!(again, [""; 0]);
    }
}

#[test]
fn other_losses_blame_no_message() {
    for code in [1000, 1001, 1006, 1011, 1012] {
        let (told, again) = refuses(plain_up(), &texts(&[2, 4_000]), code);
        assert_eq!((told.len(), again.len()), (0, 0), "{code}");
    }
}

#[test]
fn what_was_sent_long_before_counts_as_accepted() {
    let mut page = plain_up();
    page.send("main", "1", Millis::INFINITY);
    let mark = page.session.flush();
    page.passes(500.0);
    assert!(page.session.flushed() < mark);
    page.passes(600.0);
    assert_eq!(page.session.flushed(), mark);
    page.loses_socket(Some(1009));
    assert_eq!(dropped(&mut page), []);
    // A large message takes its time on the way, and those after it too.
    let mut page = plain_up();
    page.send("main", &*texts(&[300_000])[0], Millis::INFINITY);
    page.send("main", "2", Millis::INFINITY);
    page.passes(3_000.0);
    assert!(page.session.flushed() < page.session.flush());
    page.loses_socket(Some(1009));
    assert_eq!(dropped(&mut page), [DropReason::Blamed]);
    assert_eq!(page.stats().queued, 1.0, "sent again");
}

#[test]
fn a_hub_confirms_each_message() {
    let mut page = signalr_up();
    for message in texts(&[1, 12_000, 2]) {
        page.send("main", &*message, Millis::INFINITY);
    }
    page.passes(1_500.0);
    assert_eq!(page.session.flushed(), 0);
    page.receive("{\"type\":3,\"invocationId\":\"1\",\"result\":null}\u{1e}");
    assert_eq!(page.session.flushed(), 1);
    page.done.clear();
    // As a hub of ASP.NET Core says that a message was over its limit.
    page.receive(
        "{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}\u{1e}",
    );
    assert_eq!(dropped(&mut page), [DropReason::Blamed]);
    assert_eq!((page.stats().queued, page.session.flushed()), (1.0, 2));
    // One that ends without an error blames no message.
    let mut page = signalr_up();
    page.send("main", "1", Millis::INFINITY);
    page.receive("{\"type\":7,\"allowReconnect\":true}\u{1e}");
    assert_eq!(dropped(&mut page), []);
    // A refused message has reached the hub.
    let mut page = signalr_up();
    page.send("main", "1", Millis::INFINITY);
    page.receive("{\"type\":3,\"invocationId\":\"1\",\"error\":\"no\"}\u{1e}");
    assert_eq!(page.session.flushed(), 1);
    let mut page = classic_up();
    page.send("main", "1", Millis::INFINITY);
    page.send("main", "2", Millis::INFINITY);
    page.receive(r#"{"I":"1"}"#);
    assert_eq!(page.session.flushed(), 1);
    page.loses_socket(Some(1009));
    assert_eq!(dropped(&mut page), [DropReason::Blamed]);
}

/// A server that never confirms anything.
#[test]
fn a_hub_that_is_silent_about_messages_counts_as_having_them_after_a_while() {
    let mut page = signalr_up();
    page.send("main", "1", Millis::INFINITY);
    page.passes(11_000.0);
    assert_eq!(page.session.flushed(), page.session.flush());
}
