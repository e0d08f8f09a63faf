//! Frames that are too long, and bad ones.

use crate::support::cases;
use crate::support::host::HostValue;
use crate::support::page::{Received, Setup};
use crate::{encode, page, page_of};
use proptest::prelude::*;
use signal_wire::UserId;

const TOO_LONG: &str = "a frame longer than maxMessage allows";

fn limited(max_message: usize) -> Setup {
    let mut setup = Setup::new("websocket", "ws://h/x");
    setup.config.max_message = max_message;
    setup
}

proptest! {
    #![proptest_config(cases(300))]

    /// Else a message that one page may send another would drop.
    #[test]
    fn the_frame_of_the_longest_message_is_not_too_long(
        name in prop_oneof![any::<String>(), "[\x00-\x1f]{0,2000}", "[a-z\"😀]{0,2000}"],
        length in 0..5000usize,
    ) {
        let mut sender = page_of(&limited(usize::MAX), UserId::MAX, std::slice::from_ref(&name));
        let message = format!("\"{}\"", "1".repeat(length));
        sender.send(&name, &*message, f64::INFINITY);
        let sent = sender.sent_message();
        let max_message = sent.len();
        let setup = limited(max_message);
        let mut page = page_of(&setup, UserId::from_bits(1), std::slice::from_ref(&name));
        page.receive(&sent);
        let delivered = Received::Message(name.clone(), HostValue(serde_json::from_str(&message).ok()));
        prop_assert_eq!(&page.received, &[delivered]);
        // Nor is that no limit at all.
        let limit = max_message + 6 * name.len() + 1024;
        page.receive(&"1".repeat(limit + 1));
        prop_assert_eq!(page.received.pop(), Some(Received::Bad));
        prop_assert_eq!(page.bad_frames(), [TOO_LONG]);
    }
}

#[test]
fn a_limit_that_is_no_limit_does_not_overflow() {
    let open = ["a".repeat(1_000)];
    let mut page = page_of(&limited(usize::MAX), UserId::from_bits(7), &open);
    page.receive(&encode(UserId::from_bits(8), &open[0], &1.into()));
    assert_eq!(page.stats().delivered, 1.0);
}

/// A frame that is too long isn't counted in the length received, nor does anything else of it
/// matter.
#[test]
fn the_limit_counts_utf16_units() {
    let open = ["a".into()];
    let limit = 10 + 1024 + 6;
    for (text, is_bad) in [
        ("x".repeat(limit), false),
        ("x".repeat(limit + 1), true),
        ("é".repeat(limit), false),
        ("😀".repeat(limit / 2), false),
        ("😀".repeat(limit / 2 + 1), true),
    ] {
        let mut page = page_of(&limited(10), UserId::from_bits(7), &open);
        page.receive(&text);
        assert_eq!(page.received, [Received::Bad]);
        assert_eq!(page.bad_frames() == [TOO_LONG], is_bad);
        assert_eq!(page.stats().received_length == 0.0, is_bad);
    }
}

#[test]
fn the_first_bad_frame_is_reported_with_the_way_out() {
    for (frame, what) in [
        ("<html>", "a frame that isn't JSON"),
        ("[1]", "a frame that isn't an object"),
        ("5", "a frame that isn't an object"),
        (
            "0{\"sid\":\"a\"}",
            "a frame of Engine.IO (the option protocol must be 'socket.io')",
        ),
        (
            "{\"type\":6}\u{1e}",
            "a frame of SignalR (the option protocol must be 'signalr')",
        ),
    ] {
        let mut page = page(UserId::from_bits(7), &["a".into()]);
        page.receive(frame);
        page.receive("<html>");
        page.receive_binary();
        assert_eq!(page.received, vec![Received::Bad; 3]);
        assert_eq!(page.stats().bad, 3.0);
        assert_eq!(page.bad_frames(), [what], "{frame}");
    }
}
