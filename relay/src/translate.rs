//! What kinds of connection have in common: the envelope inside a frame, and the canonical frame that is made of what they send.
//!
//! In the hub every frame is a text of the plain protocol. Connections of that protocol get it as it is, whatever it says. All others get only
//! *envelopes*, JSON objects that name a channel, each in the form of its own kind (see [`Frame::as_kind`]). That the text was read as JSON
//! before it's put into another is also what keeps it from ending that other early.
//!
//! What the others send goes the opposite way through [`canonical`]. JSON is read here only as far as an object's members; their values
//! are kept byte for byte, so that numbers which no `f64` holds, the order of members and lone surrogates all survive.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use signal_wasm::protocol::{UserId, write_string};

use crate::frame::Frame;
use crate::store::Id;

/// The kinds of connection that have a form of their own for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Socket.IO, whatever its version.
    SocketIo,
    /// SignalR of ASP.NET Core.
    SignalR,
    /// SignalR of ASP.NET.
    SignalRClassic,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = 3;
}

/// An envelope that has no id yet: the text of its canonical frame, with a place in it for the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    text: String,
    place: usize,
    channel: Arc<str>,
}

impl Draft {
    /// The text without an id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Never: an envelope names a channel at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The channel's name. Of a channel that is a number, its JSON text.
    #[must_use]
    pub fn channel(&self) -> &Arc<str> {
        &self.channel
    }

    /// The frame that members get: `{"sender":…,"channel":…,"id":"…","message":…}`.
    #[must_use]
    pub fn numbered(&self, id: Id) -> Frame {
        let (head, tail) = self.text.split_at_checked(self.place).unwrap_or_default();
        let member = format!(",\"id\":\"{id}\"");
        let mut text = String::with_capacity(self.text.len() + member.len());
        text.push_str(head);
        text.push_str(&member);
        text.push_str(tail);
        Frame::numbered(text.into(), head.len()..head.len() + member.len())
    }
}

enum Read<'a> {
    AsWritten(&'a str),
    Decoded(String),
}

/// The name that a channel's JSON text stands for; none if it is neither a string nor a number.
fn name(channel: &RawValue) -> Option<Read<'_>> {
    let json = channel.get();
    match json.as_bytes().first()? {
        b'"' => {
            let inner = json.get(1..json.len() - 1)?;
            if inner.contains('\\') {
                decode(json).map(Read::Decoded)
            } else {
                Some(Read::AsWritten(inner))
            }
        }
        b'-' | b'0'..=b'9' => Some(Read::AsWritten(json)),
        _ => None,
    }
}

/// The text that a JSON string stands for. Lone surrogates, which JavaScript's strings may have and Rust's may not, become replacement characters.
fn decode(json: &str) -> Option<String> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    // Asked for bytes, serde_json doesn't insist on Unicode.
    serde_json::Deserializer::from_str(json)
        .deserialize_bytes(Bytes)
        .ok()
}

/// The members of a frame. Of those that are there twice the last counts, as it does for `JSON.parse`.
#[derive(Debug, Default)]
struct Members<'a> {
    sender: Option<&'a RawValue>,
    channel: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    /// Given by clients of the relay, to recognise a message that is sent again.
    reference: Option<&'a RawValue>,
    /// All others, in their order. An `id` isn't among them: that is for the relay to give.
    others: Vec<(&'a RawValue, &'a RawValue)>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some(key) = map.next_key::<&RawValue>()? {
                    let value: &RawValue = map.next_value()?;
                    match &*key_name(key) {
                        "sender" => members.sender = Some(value),
                        "channel" => members.channel = Some(value),
                        "message" => members.message = Some(value),
                        "ref" => {
                            members.reference = Some(value);
                            members.others.push((key, value));
                        }
                        "id" => {}
                        _ => members.others.push((key, value)),
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What a member's key stands for.
fn key_name<'a>(key: &'a RawValue) -> Cow<'a, str> {
    let json = key.get();
    if json.contains('\\')
        && let Some(name) = decode(json)
    {
        return name.into();
    }
    json.trim_matches('"').into()
}

impl Members<'_> {
    /// The canonical form, if this is an envelope. `own` is for one without a sender.
    fn draft(&self, own: Option<UserId>, length: usize, with_reference: bool) -> Option<Draft> {
        let channel = self.channel?;
        let read = name(channel)?;
        let mut text = String::with_capacity(length + 40);
        text.push('{');
        match (self.sender, own) {
            (Some(sender), _) => {
                text.push_str("\"sender\":");
                text.push_str(sender.get());
                text.push(',');
            }
            (None, Some(own)) => {
                text.push_str("\"sender\":");
                text.push_str(&own.get().to_string());
                text.push(',');
            }
            (None, None) => {}
        }
        text.push_str("\"channel\":");
        match (&read, serde_json::from_str::<String>(channel.get())) {
            // Written anew, it has no escape that it can do without.
            (Read::Decoded(_), Ok(name)) => write_string(&mut text, &name),
            _ => text.push_str(channel.get()),
        }
        let place = text.len();
        if let Some(message) = self.message {
            text.push_str(",\"message\":");
            text.push_str(message.get());
        }
        for (key, value) in &self.others {
            if !with_reference && key_name(key) == "ref" {
                continue;
            }
            text.push(',');
            text.push_str(key.get());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        Some(Draft {
            text,
            place,
            channel: match read {
                Read::AsWritten(name) => name.into(),
                Read::Decoded(name) => name.into(),
            },
        })
    }

    /// The value of a further member; of one that is there twice, the last.
    fn other(&self, wanted: &str) -> Option<&RawValue> {
        self.others
            .iter()
            .rev()
            .find(|(key, _)| key_name(key) == wanted)
            .map(|(_, value)| *value)
    }
}

/// The frame of the plain protocol that stands for an envelope of another kind of connection: `{"sender":…,"channel":…,"message":…}`, in this
/// order, whatever order the members came in, and with further members behind them. Values are kept byte for byte. An envelope without
/// a sender gets the connection's own; one that says an `id` loses it. None if the text is no envelope.
#[must_use]
pub fn canonical(text: &str, own: UserId) -> Option<Draft> {
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    members.draft(Some(own), text.len(), true)
}

/// A frame of a plain WebSocket that is a JSON object.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    members: Members<'a>,
    length: usize,
}

impl<'a> Object<'a> {
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        Some(Self {
            members: serde_json::from_str(text).ok()?,
            length: text.len(),
        })
    }

    pub(crate) fn has_channel(&self) -> bool {
        self.members.channel.is_some()
    }

    /// The JSON text of `ref`.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.members.reference.map(RawValue::get)
    }

    /// The canonical form, if this is an envelope; one without a sender stays so, as pages know it.
    pub(crate) fn draft(&self, with_reference: bool) -> Option<Draft> {
        self.members.draft(None, self.length, with_reference)
    }

    /// The JSON text of another member.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        self.members.other(name).map(RawValue::get)
    }
}

/// The text that a JSON text stands for, if it is a string.
pub(crate) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') {
        decode(json)
    } else {
        None
    }
}

/// The JSON texts of an array's items.
pub(crate) fn items(json: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// The names of an object's members, and the JSON texts of their values.
pub(crate) fn members(json: &str) -> Option<Vec<(String, &str)>> {
    let Pairs(pairs) = serde_json::from_str(json).ok()?;
    Some(
        pairs
            .into_iter()
            .map(|(key, value)| (key_name(key).into_owned(), value.get()))
            .collect(),
    )
}

struct Pairs<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A text as one JSON string, quotes included: how a SignalR hub method's argument carries an envelope.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 2);
    write_string(&mut out, text);
    out
}

/// A sender for a connection whose page gives none: 53 random bits.
#[must_use]
pub fn random_sender() -> UserId {
    // The standard library seeds its hashers from the system.
    UserId::from_bits(RandomState::new().hash_one(std::process::id()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use signal_wasm::protocol::{Head, websocket};

    use super::*;

    fn own() -> UserId {
        UserId::from_bits(77)
    }

    fn canonical_text(text: &str) -> Option<String> {
        canonical(text, own()).map(|frame| frame.as_str().to_owned())
    }

    fn envelope(text: &str) -> Option<(Option<String>, String, Option<String>)> {
        let object = Object::read(text)?;
        let draft = object.draft(true)?;
        let json = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
        Some((
            json(object.members.sender),
            draft.channel().to_string(),
            json(object.members.message),
        ))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn members_in_any_order_become_canonical() {
        let wanted =
            some(r#"{"sender":5,"channel":"a","message":{"z":1e400,"a":[9007199254740993]}}"#);
        for text in [
            r#"{"sender":5,"channel":"a","message":{"z":1e400,"a":[9007199254740993]}}"#,
            r#"{"message":{"z":1e400,"a":[9007199254740993]},"channel":"a","sender":5}"#,
            " {\n\"channel\" : \"\\u0061\" ,\t\"message\" : {\"z\":1e400,\"a\":[9007199254740993]} , \"s\\u0065nder\": 5 }\r\n",
            r#"{"sender":4,"sender":5,"channel":1,"message":0,"message":{"z":1e400,"a":[9007199254740993]},"channel":"a"}"#,
        ] {
            assert_eq!(canonical_text(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_sender_is_added_only_where_there_is_none() {
        assert_eq!(
            canonical_text(r#"{"message":"hi","channel":"a"}"#),
            some(r#"{"sender":77,"channel":"a","message":"hi"}"#)
        );
        for sender in ["null", "0", "\"\"", "\"me\"", "[1]", "-1.50E+2"] {
            let text = format!(r#"{{"sender":{sender},"channel":"a","message":"hi"}}"#);
            assert_eq!(canonical_text(&text), Some(text));
        }
    }

    #[test]
    fn whatever_else_an_envelope_has_stays() {
        assert_eq!(
            canonical_text(r#"{"to":"you","channel":7,"__proto__":{},"sender":1,"to":"me"}"#),
            some(r#"{"sender":1,"channel":7,"to":"you","__proto__":{},"to":"me"}"#)
        );
    }

    #[test]
    fn a_channel_may_be_any_string_or_number() {
        for (channel, name) in [
            (r#""""#, ""),
            (r#""a\"b\\""#, "a\"b\\"),
            ("\"\u{2028}\u{7f}😀\"", "\u{2028}\u{7f}😀"),
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83d""#, "\u{fffd}\u{fffd}\u{fffd}"),
            ("12.50", "12.50"),
            ("-0", "-0"),
        ] {
            let text = format!(r#"{{"channel":{channel}}}"#);
            assert_eq!(
                envelope(&text),
                Some((None, name.to_owned(), None)),
                "{text}"
            );
            let text = canonical_text(&text).unwrap();
            assert_eq!(
                envelope(&text),
                Some((some("77"), name.to_owned(), None)),
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_envelopes() {
        let deep = format!(r#"{{"channel":"a","message":{}"#, "[".repeat(100_000));
        for text in [
            "",
            "text",
            "null",
            r#""channel""#,
            r#"["channel"]"#,
            "{}",
            r#"{"sender":1,"message":2}"#,
            r#"{"channel":null}"#,
            r#"{"channel":{"a":1}}"#,
            r#"{"channel":true}"#,
            r#"{"channel":["a"]}"#,
            r#"{"channel":"a"}]"#,
            r#"{"channel":"a"},{}"#,
            r#"{"channel":"a"} x"#,
            "{\"channel\":\"a\"}\u{1e}",
            "{\"channel\":\"a\u{1e}\"}",
            "{\"channel\":\"a\n\"}",
            r#"{"channel":"a","message":}"#,
            r#"{"channel":"a","message":01}"#,
            r#"{"channel":"a","message":NaN}"#,
            r#"{"channel":"a","message":"\x"}"#,
            r#"{'channel':'a'}"#,
            r#"{channel:"a"}"#,
            "\u{feff}{\"channel\":\"a\"}",
            &deep,
        ] {
            assert_eq!(envelope(text), None, "{text}");
            assert_eq!(canonical_text(text), None, "{text}");
        }
    }

    #[test]
    fn depth_is_no_matter() {
        let message = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = format!(r#"{{"sender":1,"channel":"a","message":{message}}}"#);
        assert_eq!(
            envelope(&text),
            Some((some("1"), "a".to_owned(), Some(message)))
        );
        assert_eq!(canonical_text(&text), Some(text));
    }

    #[test]
    fn each_kind_is_translated_once_and_for_all_clones() {
        let draft = Object::read(r#"{"channel":"a"}"#)
            .unwrap()
            .draft(true)
            .unwrap();
        let frame = draft.numbered(Id(18));
        assert_eq!(frame.as_str(), r#"{"channel":"a","id":"18"}"#);
        assert_eq!(frame.len(), r#"{"channel":"a"}"#.len());
        let clone = frame.clone();
        let first = frame
            .as_kind(Kind::SignalR, |text| format!("<{text}>"))
            .unwrap();
        let second = clone
            .as_kind(Kind::SignalR, |_| "again".to_owned())
            .unwrap();
        assert_eq!(first.as_str(), r#"<{"channel":"a"}>"#);
        assert_eq!(first.as_ptr(), second.as_ptr());
        let other = clone
            .as_kind(Kind::SocketIo, |_| "other".to_owned())
            .unwrap();
        assert_eq!(other.as_str(), "other");
        assert_eq!(
            Frame::from("no envelope").as_kind(Kind::SocketIo, str::to_owned),
            None
        );
    }

    #[test]
    fn random_senders_differ() {
        assert_ne!(random_sender(), random_sender());
    }

    /// JSON as somebody may write it, white space included.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
            any::<String>().prop_map(|text| quoted(&text)),
            Just(r#""\ud800\u0000\/""#.to_owned()),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[ {}]", items.join(" ,\t"))),
                prop::collection::vec((any::<String>(), inner), 0..5).prop_map(|members| {
                    let members: Vec<_> = members
                        .iter()
                        .map(|(key, value)| format!("{} :{value}", quoted(key)))
                        .collect();
                    format!("{{{}\n}}", members.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_message_survives_byte_for_byte(channel: String, message in json(), other in json(), order in Just([0, 1, 2, 3]).prop_shuffle()) {
            let members = [
                r#""sender":12"#.to_owned(),
                format!("\"channel\":{}", quoted(&channel)),
                format!("\"message\":{message}"),
                format!("\"other\":{other}"),
            ];
            let text = format!("{{{}}}", order.map(|place| members[place].clone()).join(","));
            let frame = canonical(&text, own()).unwrap();
            let wanted = format!("{{{}}}", members.join(","));
            prop_assert_eq!(frame.as_str(), &wanted);
            prop_assert_eq!(envelope(&text), Some((some("12"), channel, Some(message))));
            // A second time changes nothing.
            let again = canonical(frame.as_str(), own()).unwrap();
            prop_assert_eq!(again.as_str(), wanted);
        }

        #[test]
        fn the_canonical_frame_is_what_the_library_reads_and_writes(name: String, message in json()) {
            let text = format!("{{\"message\":{message},\"channel\":{}}}", quoted(&name));
            let frame = canonical(&text, own()).unwrap();
            let wanted = websocket::encode_head(own(), &name, 0) + &message + websocket::TAIL;
            prop_assert_eq!(frame.as_str(), &wanted);
            if let Head::Envelope { sender, channel, .. } = websocket::decode_head(frame.as_str(), true) {
                prop_assert!(sender.is(own()));
                prop_assert_eq!(channel, &name);
            } else {
                prop_assert!(quoted(&name).contains('\\'));
            }
        }

        #[test]
        fn any_json_text_is_an_envelope_or_is_not_and_survives_quoting(text in json()) {
            prop_assert!(serde_json::from_str::<&RawValue>(&text).is_ok());
            let _ = envelope(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).unwrap(), text);
        }

        #[test]
        fn no_text_panics(text: String, cut: prop::sample::Index) {
            let _ = envelope(&text);
            let _ = canonical(&text, own());
            let whole = format!(r#"{{"channel":"a","message":{}}}"#, quoted(&text));
            let end = cut.index(whole.len());
            if let Some(part) = whole.get(..end) {
                prop_assert_eq!(envelope(part), None);
                prop_assert!(canonical(part, own()).is_none());
            }
        }
    }
}
