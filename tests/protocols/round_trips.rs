//! What one page sends another one receives, after what a server does to it.

use crate::generators::{Call, OTHERS, Settings, connect, frame, messages, names, settings, up};
use crate::setups::Client;
use crate::support::cases;
use crate::support::host::{HostValue, units};
use crate::support::page::{Page, Received, Setup};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;
use signal_wire::UserId;

/// What a server makes of a frame of ours for the other pages.
fn served(protocol: &str, settings: &Settings, sent: &str, odd: bool, upper: bool) -> String {
    let call = |envelope: &Json| Call::new(envelope.as_str().unwrap().into(), odd);
    match protocol {
        // It parses the event and writes it again, or hands it on.
        "socket.io" if odd => {
            let packet = format!("42{}", settings.namespace_part());
            let event: Json = serde_json::from_str(sent.strip_prefix(&*packet).unwrap()).unwrap();
            assert_eq!(event.as_array().unwrap().len(), 2);
            format!("{packet}{event}")
        }
        "socket.io" => sent.into(),
        "signalr" => {
            let record: Json = serde_json::from_str(sent.strip_suffix('\u{1e}').unwrap()).unwrap();
            assert_eq!(record["target"], settings.method);
            frame(protocol, settings, &[call(&record["arguments"][0])], "", "")
        }
        _ => {
            let sent: Json = serde_json::from_str(sent).unwrap();
            assert_eq!(sent["M"], settings.method);
            let hub = sent["H"].as_str().unwrap();
            assert!(hub.eq_ignore_ascii_case(&settings.hub));
            let mut settings = settings.clone();
            if upper {
                settings.hub = settings.hub.to_ascii_uppercase();
            }
            frame(protocol, &settings, &[call(&sent["A"][0])], "\"d-1\"", "")
        }
    }
}

/// A page with this `sender` that has nothing but this channel open.
fn only(setup: &Setup, settings: &Settings, userid: u64, channel: &str) -> Client {
    let mut page = Page::new(setup.session(userid, 1));
    page.session.inspect(true);
    page.open(channel, channel.into());
    connect(page, setup, settings)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn what_one_page_sends_another_receives(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        channel in names(),
        messages in prop::collection::vec(messages(), 1..4),
        odd: bool,
        upper: bool,
    ) {
        let setup = settings.setup(protocol);
        let mut receiver = up(&setup, &settings, std::slice::from_ref(&channel));
        let mut sender = only(&setup, &settings, 777, &channel);
        let mut own = up(&setup, &settings, std::slice::from_ref(&channel));
        for message in &messages {
            for (sends, receives) in [(&mut sender, Some(&mut receiver)), (&mut own, None)] {
                sends.send(&channel, message.to_string(), f64::INFINITY);
                let sent = sends.sent_message();
                receives.unwrap_or(sends).receive(&served(protocol, &settings, &sent, odd, upper));
            }
        }
        let delivered: Vec<_> = messages.iter().map(|message| Received::Message(channel.clone(), HostValue(Some(message.clone())))).collect();
        prop_assert_eq!(receiver.received, delivered);
        prop_assert_eq!(own.received, vec![Received::Own; messages.len()]);
    }

    /// Else a message that one page may send another would drop.
    #[test]
    fn the_frame_of_the_longest_message_is_not_too_long(
        protocol in select(&OTHERS[..]),
        channel in "[a-z\"\\\\é😀]{0,60}",
        length in 0..3_000usize,
        odd: bool,
    ) {
        let settings = Settings::default();
        let mut setup = settings.setup(protocol);
        let mut sender = only(&setup, &settings, UserId::MAX.get(), &channel);
        // Nothing grows more than quotes do.
        let message = Json::from("\"".repeat(length));
        sender.send(&channel, message.to_string(), f64::INFINITY);
        let sent = sender.sent_message();
        let max_message = sent.len();
        setup.config.max_message = max_message;
        let mut receiver = only(&setup, &settings, 1, &channel);
        receiver.receive(&served(protocol, &settings, &sent, odd, false));
        let delivered = Received::Message(channel.clone(), HostValue(Some(message)));
        prop_assert_eq!(&receiver.received, &[delivered]);
        // Nor is that no limit at all.
        let limit = 6 * (max_message + units(&channel).len() * 3) + 1024;
        receiver.receive(&"1".repeat(limit + 1));
        prop_assert_eq!(receiver.bad_frames(), ["a frame longer than maxMessage allows"]);
    }
}

#[test]
fn a_limit_that_is_no_limit_does_not_overflow() {
    for protocol in OTHERS {
        let settings = Settings::default();
        let mut setup = settings.setup(protocol);
        setup.config.max_message = usize::MAX;
        let mut page = up(&setup, &settings, &[]);
        let envelope = "{\"sender\":1,\"channel\":\"main\",\"message\":1}";
        let call = Call::new(envelope.into(), false);
        page.receive(&frame(protocol, &settings, &[call], "\"d-1\"", ""));
        assert_eq!(page.stats().delivered, 1.0, "{protocol}");
    }
}
