//! The relay's frames: the canonical form of envelopes whose members come in any order, and frames
//! for the relay itself, against serde_json and against what the library reads and writes.

use serde_json::Value as Json;
use signal_relay::hub::frame::{Encoding, Frame, PendingMessage};
use signal_relay::hub::ids::MessageId;
use signal_wire::envelope::{UNNAMED, decode_head};
use signal_wire::frames::LONGEST_TOKEN;
use signal_wire::json::quoted;
use signal_wire::{ClientFrame, Embedding, Head, UserId};

use crate::json::{is_json, members, repeats_a_member, string};

const OWN: u64 = 77;

fn canonical(text: &str) -> Option<PendingMessage> {
    PendingMessage::read(text, Some(UserId::from_bits(OWN)))
}

/// One text, as a client of any protocol may send it.
pub fn run(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    assert_eq!(string(&quoted(text)).as_deref(), Some(text));
    let frame = Frame::from(text);
    assert!(frame.id().is_none() && frame.encoded(Encoding("any"), str::to_owned).is_none());
    let made = canonical(text);
    match &made {
        Some(message) => envelope(text, message, Some(OWN)),
        None => assert!(!names_a_channel(text) && !is_unnamed(text), "{text}"),
    }
    first(text, made.is_some());
    // In the relay's protocol each message names its channel.
    later(text, made.is_some() && !is_unnamed(text));
}

/// Whether it is an envelope without a channel, as the shim sends it.
fn is_unnamed(text: &str) -> bool {
    let members = members(text).unwrap_or_default();
    members.len() == 2 && members.contains_key("sender") && members.contains_key("message")
}

/// Whether an oracle finds a channel in it that is a string or a number.
fn names_a_channel(text: &str) -> bool {
    members(text)
        .and_then(|members| {
            members.get("channel").map(|name| {
                name.starts_with(['"', '-'])
                    || name.starts_with(|first: char| first.is_ascii_digit())
            })
        })
        .unwrap_or_default()
}

/// The canonical form of an envelope has the same members in another order. `own` is for one
/// without a sender.
fn envelope(text: &str, draft: &PendingMessage, own: Option<u64>) {
    assert!(is_json(text) && is_json(draft.as_str()), "{text}");
    // A name with half a surrogate pair in it is no text to the oracle.
    let Some(read) = members(text) else {
        return assert!(text.contains("\\u"), "{text}");
    };
    let Some(again) = members(draft.as_str()) else {
        return assert!(text.contains("\\u"), "{text}");
    };
    if is_unnamed(text) {
        assert_eq!(&**draft.channel(), UNNAMED, "{text}");
        assert!(!again.contains_key("channel"), "{text}");
    } else {
        assert!(names_a_channel(text), "{text}");
        if let Some(name) = string(read["channel"]) {
            assert_eq!(**draft.channel(), *name, "{text}");
            assert_eq!(string(again["channel"]), Some(name), "{text}");
        }
    }
    for (name, value) in &read {
        if !matches!(&**name, "channel" | "id" | "ref") {
            assert_eq!(again[name], *value, "{text}");
        }
    }
    let own = own.map(|own| own.to_string());
    let sender = read.get("sender").copied().or(own.as_deref());
    assert_eq!(again.get("sender").copied(), sender, "{text}");
    assert!(!again.contains_key("id"), "{text}");
    if let Some(twice) = canonical(draft.as_str()).filter(|_| sender.is_some()) {
        assert_eq!(twice.as_str(), draft.as_str(), "{text}");
    }

    // As plain WebSockets receive it, and as the others do.
    let frame = draft.with_id(MessageId(18));
    let numbered = members(frame.as_str()).expect("a numbered envelope is JSON");
    assert_eq!(numbered["id"], "\"18\"", "{text}");
    assert_eq!(numbered.len(), again.len() + 1, "{text}");
    assert_eq!(frame.len(), draft.len(), "{text}");
    let kind = frame.encoded(Encoding("any"), str::to_owned);
    assert_eq!(
        kind.as_ref().map(|text| text.as_str()),
        Some(draft.as_str()),
        "{text}"
    );
    if let Head::Envelope { channel, id, .. } =
        decode_head(frame.as_str(), 0, Embedding::Object, true)
    {
        assert_eq!((channel, id), (&**draft.channel(), Some("18")), "{text}");
    }
}

/// A client that hasn't subscribed: only control frames are for the relay.
fn first(text: &str, is_envelope: bool) {
    match ClientFrame::decode_first(text) {
        ClientFrame::Publish(read, reference) => {
            assert!(is_envelope && reference.is_none(), "{text}");
            let message = PendingMessage::new(&read, None, true);
            envelope(text, &message, None);
            keeps_the_reference(text, &message);
        }
        _ => assert!(!is_envelope, "{text}"),
    }
}

fn keeps_the_reference(text: &str, draft: &PendingMessage) {
    if let (Some(read), Some(again)) = (members(text), members(draft.as_str())) {
        assert_eq!(again.get("ref"), read.get("ref"), "{text}");
    }
}

/// A client that has subscribed: everything else closes the connection, with a reason.
fn later(text: &str, is_envelope: bool) {
    let said = ClientFrame::decode(text);
    // Numbers that no `f64` holds are none to the oracle, and which of two members counts isn't its
    // business.
    let read: Option<Json> = serde_json::from_str(text)
        .ok()
        .filter(|_| !repeats_a_member(text));
    match said {
        ClientFrame::Publish(read_envelope, reference) => {
            assert!(is_envelope, "{text}");
            let draft = PendingMessage::new(&read_envelope, None, reference.is_none());
            envelope(text, &draft, None);
            if let Some(read) = &read {
                assert_eq!(read.get("ref").and_then(Json::as_u64), reference, "{text}");
                let again: Option<Json> = serde_json::from_str(draft.as_str()).ok();
                assert!(
                    again.is_some_and(|again| again.get("ref").is_none()),
                    "{text}"
                );
            }
        }
        ClientFrame::Open(open) => {
            assert!(!is_envelope, "{text}");
            let Some(read) = read else { return };
            let names: Vec<_> = open
                .channels
                .iter()
                .map(|open| Json::from(&*open.channel))
                .collect();
            assert_eq!(read["open"], Json::from(names), "{text}");
            assert_eq!(read["session"].as_str(), open.session.as_deref(), "{text}");
            assert_eq!(read["token"].as_str(), open.token.as_deref(), "{text}");
            let mut seen = std::collections::BTreeSet::new();
            for open in &open.channels {
                if seen.insert(&open.channel) {
                    let after = &read["after"][&*open.channel];
                    assert_eq!(after.as_str(), open.after.as_deref(), "{text}");
                }
            }
            assert!(
                matches!(ClientFrame::decode_first(text), ClientFrame::Open(_)),
                "{text}"
            );
        }
        ClientFrame::Close(names) => {
            let Some(read) = read else { return };
            let names: Vec<_> = names.iter().map(|name| Json::from(&**name)).collect();
            assert_eq!(read["close"], Json::from(names), "{text}");
        }
        ClientFrame::Token(token) => {
            assert!(!is_envelope && token.len() <= LONGEST_TOKEN, "{text}");
            if let Some(read) = read {
                assert_eq!(read["token"].as_str(), Some(&*token), "{text}");
            }
        }
        ClientFrame::Ping(number) => {
            assert!(is_json(number) && number.len() <= 32, "{text}");
            if let Some(read) = read {
                assert!(read["ping"].is_number(), "{text}");
            }
        }
        ClientFrame::Pong | ClientFrame::Text => {}
        ClientFrame::Invalid(why) => assert!(!why.is_empty()),
    }
}
