//! The relay's frames: what it makes of an envelope in whatever order and of what a client says to the relay itself, against serde_json and
//! against what the library reads and writes.

use serde_json::Value as Json;
use signal_relay::control::{self, Said};
use signal_relay::frame::Frame;
use signal_relay::store::Id;
use signal_relay::translate::{Draft, Kind, canonical, quoted};
use signal_wasm::protocol::{Head, UserId, websocket};

use crate::json::{is_json, members, repeats_a_member, string};

const OWN: u64 = 77;

/// One text, as a member of any kind may send it.
pub fn run(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    assert_eq!(string(&quoted(text)).as_deref(), Some(text));
    let frame = Frame::from(text);
    assert!(!frame.is_envelope() && frame.as_kind(Kind::SignalR, str::to_owned).is_none());
    let made = canonical(text, UserId::from_bits(OWN));
    match &made {
        Some(draft) => envelope(text, draft, Some(OWN)),
        None => assert!(!names_a_channel(text), "{text}"),
    }
    first(text, made.is_some());
    later(text, made.is_some());
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

/// What was made of an envelope is the same in another order. `own`: for one that has no sender.
fn envelope(text: &str, draft: &Draft, own: Option<u64>) {
    assert!(is_json(text) && is_json(draft.as_str()), "{text}");
    // A name with half a surrogate pair in it is no text to the oracle.
    let Some(read) = members(text) else {
        return assert!(text.contains("\\u"), "{text}");
    };
    let Some(again) = members(draft.as_str()) else {
        return assert!(text.contains("\\u"), "{text}");
    };
    assert!(names_a_channel(text), "{text}");
    if let Some(name) = string(read["channel"]) {
        assert_eq!(**draft.channel(), *name, "{text}");
        assert_eq!(string(again["channel"]), Some(name), "{text}");
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
    if let Some(twice) =
        canonical(draft.as_str(), UserId::from_bits(OWN)).filter(|_| sender.is_some())
    {
        assert_eq!(twice.as_str(), draft.as_str(), "{text}");
    }

    // As plain WebSockets get it, and as the others do.
    let frame = draft.numbered(Id(18));
    let numbered = members(frame.as_str()).expect("a numbered envelope is JSON");
    assert_eq!(numbered["id"], "\"18\"", "{text}");
    assert_eq!(numbered.len(), again.len() + 1, "{text}");
    assert_eq!(frame.len(), draft.len(), "{text}");
    let kind = frame.as_kind(Kind::SocketIo, str::to_owned);
    assert_eq!(
        kind.map(|text| text.as_str()),
        Some(draft.as_str()),
        "{text}"
    );
    if let Head::Envelope { channel, id, .. } = websocket::decode_head(frame.as_str(), true) {
        assert_eq!((channel, id), (&**draft.channel(), "18"), "{text}");
    }
}

/// A client that has opened nothing: only `open` is for the relay.
fn first(text: &str, is_envelope: bool) {
    match control::read_first(text) {
        Said::Message(draft, reference) => {
            assert!(is_envelope && reference.is_none(), "{text}");
            envelope(text, &draft, None);
            keeps_the_reference(text, &draft);
        }
        Said::Open(_) => assert!(!is_envelope, "{text}"),
        Said::Nothing(_) => assert!(!is_envelope, "{text}"),
        said => panic!("{said:?} before any open: {text}"),
    }
}

fn keeps_the_reference(text: &str, draft: &Draft) {
    if let (Some(read), Some(again)) = (members(text), members(draft.as_str())) {
        assert_eq!(again.get("ref"), read.get("ref"), "{text}");
    }
}

/// A client that has: everything else ends the connection, with a reason.
fn later(text: &str, is_envelope: bool) {
    let said = control::read(text);
    // Numbers that no `f64` holds are none to the oracle, and which of two members counts isn't its business.
    let read: Option<Json> = serde_json::from_str(text)
        .ok()
        .filter(|_| !repeats_a_member(text));
    match said {
        Said::Message(draft, reference) => {
            assert!(is_envelope, "{text}");
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
        Said::Open(open) => {
            assert!(!is_envelope, "{text}");
            let Some(read) = read else { return };
            let names: Vec<_> = open
                .channels
                .iter()
                .map(|(name, _)| Json::from(&**name))
                .collect();
            assert_eq!(read["open"], Json::from(names), "{text}");
            assert_eq!(read["session"].as_str(), open.session.as_deref(), "{text}");
            let mut seen = std::collections::BTreeSet::new();
            for (name, after) in &open.channels {
                if seen.insert(name) {
                    assert_eq!(read["after"][&**name].as_str(), after.as_deref(), "{text}");
                }
            }
            assert!(matches!(control::read_first(text), Said::Open(_)), "{text}");
        }
        Said::Close(names) => {
            let Some(read) = read else { return };
            let names: Vec<_> = names.iter().map(|name| Json::from(&**name)).collect();
            assert_eq!(read["close"], Json::from(names), "{text}");
        }
        Said::Ping(number) => {
            assert!(is_json(&number) && number.len() <= 32, "{text}");
            if let Some(read) = read {
                assert!(read["ping"].is_number(), "{text}");
            }
        }
        Said::Pong => {}
        Said::Nothing(why) => assert!(!why.is_empty()),
    }
}
