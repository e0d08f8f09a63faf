//! Socket.IO's packets, in both directions. Pure.
//!
//! `<type>[<attachments>-][/namespace,][id][JSON]`, the same in all versions. The namespace
//! `/` isn't written.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

use signal_wire::frames::LONGEST_TOKEN;
use signal_wire::json::{self, quoted};

use super::engine::{Malformed, Version};

/// The main namespace, which packets don't name.
pub const MAIN: &str = "/";
/// The event that is relayed.
pub const EVENT: &str = "message";
/// Ids have at most as many digits as an exact JavaScript number.
const LONGEST_ID: usize = 16;

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its namespace, without a query.
    pub namespace: &'a str,
    /// Its content.
    pub body: Body<'a>,
    /// Of an event without attachments: the JSON text of the list of its name and its arguments.
    pub list: &'a str,
}

/// The content of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// The client joins, with the JSON text of its credentials, if it has any.
    Connect(Option<&'a str>),
    /// The client leaves.
    Disconnect,
    /// An event.
    Event {
        /// The id that an acknowledgement must name, if one is requested.
        id: Option<&'a str>,
        /// The event itself.
        what: Event<'a>,
    },
    /// An acknowledgement. The relay never requests one.
    Answer,
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The JSON text of a message's argument.
    Message(&'a str),
    /// Another event, or one with attachments.
    Other,
}

impl<'a> Packet<'a> {
    /// Reads a packet.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let kind = text.chars().next().ok_or(Malformed("an empty packet"))?;
        let rest = text.get(kind.len_utf8()..).unwrap_or_default();
        let binary = matches!(kind, '5' | '6');
        let rest = if binary {
            let (count, rest) = digits(rest);
            rest.strip_prefix('-')
                .filter(|_| (1..=4).contains(&count.len()))
                .ok_or(Malformed("a binary packet without a count"))?
        } else {
            rest
        };
        let (namespace, rest) = if rest.starts_with('/') {
            rest.split_once(',').unwrap_or((rest, ""))
        } else {
            (MAIN, rest)
        };
        let namespace = namespace.split('?').next().unwrap_or(namespace);
        let mut list = "";
        let body = match kind {
            '0' => Body::Connect((!rest.is_empty()).then_some(rest)),
            '1' => Body::Disconnect,
            '2' | '5' => {
                let (id, json) = digits(rest);
                if id.len() > LONGEST_ID {
                    return Err(Malformed("an acknowledgement id over 16 digits"));
                }
                let what = event(json).ok_or(Malformed("an event that is no list"))?;
                if !binary {
                    list = json;
                }
                Body::Event {
                    id: (!id.is_empty()).then_some(id),
                    what: if binary { Event::Other } else { what },
                }
            }
            '3' | '6' => Body::Answer,
            _ => return Err(Malformed("a Socket.IO packet of no known type")),
        };
        Ok(Self {
            namespace,
            body,
            list,
        })
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Reads an event: the list of its name and its arguments.
fn event(json: &str) -> Option<Event<'_>> {
    struct List<'a>(Event<'a>);
    impl<'de> Deserialize<'de> for List<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Elements;
            impl<'de> Visitor<'de> for Elements {
                type Value = List<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a list that begins with a string")
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<'de>, A::Error> {
                    let name: Option<&RawValue> = list.next_element()?;
                    let name = name
                        .filter(|name| name.get().starts_with('"'))
                        .ok_or_else(|| A::Error::custom("no name"))?;
                    let argument: Option<&RawValue> = list.next_element()?;
                    while list.next_element::<IgnoredAny>()?.is_some() {}
                    let is_message =
                        serde_json::from_str::<String>(name.get()).is_ok_and(|name| name == EVENT);
                    Ok(List(match argument {
                        Some(argument) if is_message => Event::Message(argument.get()),
                        _ => Event::Other,
                    }))
                }
            }
            deserializer.deserialize_seq(Elements)
        }
    }
    serde_json::from_str(json).ok().map(|List(event)| event)
}

/// The token in the JSON text of a client's credentials: their member `token` or `access_token`.
pub fn token(credentials: &str) -> Option<String> {
    let value = |name| json::member(credentials, name).and_then(json::string);
    let token = value("token").or_else(|| value("access_token"));
    token
        .filter(|token| token.len() <= LONGEST_TOKEN)
        .map(Cow::into_owned)
}

/// The secret of an earlier connection in the JSON text of a client's credentials: clients since
/// 4.6 show there what [`connected`] has given them.
pub fn earlier_secret(credentials: &str) -> Option<String> {
    let secret = json::member(credentials, "pid").and_then(json::string);
    secret.map(Cow::into_owned)
}

/// An event's name and the JSON texts of its arguments.
pub fn arguments(list: &str) -> Option<(String, Vec<&str>)> {
    let list: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    let (name, arguments) = list.split_first()?;
    let name = serde_json::from_str(name.get()).ok()?;
    Some((
        name,
        arguments.iter().map(|argument| argument.get()).collect(),
    ))
}

/// A packet as Engine.IO carries it.
fn packet(kind: char, namespace: &str, rest: &str) -> String {
    let mut packet = String::with_capacity(namespace.len() + rest.len() + 3);
    packet.push('4');
    packet.push(kind);
    if namespace != MAIN {
        packet.push_str(namespace);
        packet.push(',');
    }
    packet.push_str(rest);
    packet
}

/// The client has joined. It shows the secret, if it gets one, when it connects again.
pub fn connected(version: Version, namespace: &str, id: &str, secret: Option<&str>) -> String {
    let secret = secret.map(|secret| format!(",\"pid\":{}", quoted(secret)));
    let secret = secret.unwrap_or_default();
    match version {
        Version::Two | Version::Three => packet('0', namespace, ""),
        Version::Four => packet(
            '0',
            namespace,
            &format!("{{\"sid\":{}{secret}}}", quoted(id)),
        ),
    }
}

/// The client may not join.
pub fn refused(version: Version, namespace: &str, reason: &str) -> String {
    let reason = quoted(reason);
    match version {
        Version::Two | Version::Three => packet('4', namespace, &reason),
        Version::Four => packet('4', namespace, &format!("{{\"message\":{reason}}}")),
    }
}

/// The requested acknowledgement: the event was relayed, or why it wasn't.
pub fn acknowledged(namespace: &str, id: &str, failure: Option<&str>) -> String {
    let failure = failure.map(quoted).unwrap_or_default();
    answered(namespace, id, &failure)
}

/// The requested acknowledgement, with the JSON texts of its values and commas between them.
pub fn answered(namespace: &str, id: &str, values: &str) -> String {
    packet('3', namespace, &format!("{id}[{values}]"))
}

/// An event, of the JSON text of its list.
pub fn event_packet(namespace: &str, list: &str) -> String {
    packet('2', namespace, list)
}

/// The event that delivers the JSON text of an envelope.
pub fn message(namespace: &str, envelope: &str) -> String {
    packet('2', namespace, &format!("[\"{EVENT}\",{envelope}]"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Option<(&str, Body<'_>)> {
        let Packet {
            namespace, body, ..
        } = Packet::parse(text).ok()?;
        Some((namespace, body))
    }

    fn event<'a>(id: Option<&'a str>, what: Event<'a>) -> Body<'a> {
        Body::Event { id, what }
    }

    #[test]
    fn packets_as_real_clients_write_them() {
        for (text, namespace, body) in [
            ("0", "/", Body::Connect(None)),
            (
                "0{\"token\":\"x\"}",
                "/",
                Body::Connect(Some("{\"token\":\"x\"}")),
            ),
            ("0/admin,", "/admin", Body::Connect(None)),
            ("0/admin", "/admin", Body::Connect(None)),
            (
                "0/admin,{\"a,b\":1}",
                "/admin",
                Body::Connect(Some("{\"a,b\":1}")),
            ),
            ("0/admin?token=1,", "/admin", Body::Connect(None)),
            ("1", "/", Body::Disconnect),
            ("1/admin,", "/admin", Body::Disconnect),
            (
                "2[\"message\",{\"a\":1e400}]",
                "/",
                event(None, Event::Message("{\"a\":1e400}")),
            ),
            (
                "27[\"message\",\"a\",2]",
                "/",
                event(Some("7"), Event::Message("\"a\"")),
            ),
            (
                "2/a,12[ \"mess\\u0061ge\" , [1, 2] ]",
                "/a",
                event(Some("12"), Event::Message("[1, 2]")),
            ),
            ("2[\"message\"]", "/", event(None, Event::Other)),
            ("20[\"hello\",1]", "/", event(Some("0"), Event::Other)),
            ("2[\"\\ud800\",1]", "/", event(None, Event::Other)),
            (
                "51-[\"message\",{\"_placeholder\":true,\"num\":0}]",
                "/",
                event(None, Event::Other),
            ),
            (
                "52-/a,3[\"message\",1,2]",
                "/a",
                event(Some("3"), Event::Other),
            ),
            ("3/a,12[]", "/a", Body::Answer),
            ("61-/a,12[]", "/a", Body::Answer),
        ] {
            assert_eq!(parse(text), Some((namespace, body)), "{text}");
        }
    }

    #[test]
    fn credentials_may_hold_a_token() {
        for (credentials, expected) in [
            (r#"{"token":"a"}"#, Some("a")),
            (r#"{"a":1,"access_token":"\u0061"}"#, Some("a")),
            (r#"{"access_token":"b","token":"a"}"#, Some("a")),
            (r#"{"token":1}"#, None),
            (r#"["token"]"#, None),
            ("token", None),
            ("", None),
        ] {
            assert_eq!(token(credentials).as_deref(), expected, "{credentials}");
        }
    }

    #[test]
    fn other_texts_are_no_packets() {
        for text in [
            "",
            "7",
            "é",
            "4",
            "4{}",
            "2",
            "2{}",
            "2[]",
            "2[1,2]",
            "2[\"message\",]",
            "2[\"message\",1",
            "2[\"message\",1]]",
            "2[\"message\",1],",
            "2[\"message\",nan]",
            "212345678901234567[\"message\",1]",
            "2/a",
            "5[\"message\",1]",
            "5-[\"message\",1]",
            "512345-[\"message\",1]",
            "51[\"a\"]",
        ] {
            assert!(Packet::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_clients_are_sent() {
        assert_eq!(connected(Version::Three, "/", "x", Some("y")), "40");
        assert_eq!(connected(Version::Three, "/a", "x", None), "40/a,");
        assert_eq!(
            connected(Version::Four, "/", "x", None),
            "40{\"sid\":\"x\"}"
        );
        assert_eq!(
            connected(Version::Four, "/a", "x", Some("y")),
            "40/a,{\"sid\":\"x\",\"pid\":\"y\"}"
        );
        assert_eq!(
            refused(Version::Three, "/a", "no \"a\""),
            "44/a,\"no \\\"a\\\"\""
        );
        assert_eq!(refused(Version::Four, "/", "no"), "44{\"message\":\"no\"}");
        assert_eq!(acknowledged("/", "7", None), "437[]");
        assert_eq!(acknowledged("/a", "7", Some("no")), "43/a,7[\"no\"]");
        assert_eq!(message("/", "{}"), "42[\"message\",{}]");
        assert_eq!(message("/a", "{}"), "42/a,[\"message\",{}]");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_message_survives(namespace in "/[^,?]{0,20}", text: String) {
            let json = quoted(&text);
            let packet = message(&namespace, &json);
            let (_, packet) = packet.split_at(1);
            let list = format!("[\"message\",{json}]");
            let read = Packet::parse(packet).unwrap();
            prop_assert_eq!(read, Packet { namespace: &namespace, body: event(None, Event::Message(&json)), list: &list });
        }

        #[test]
        fn no_text_panics(text: String, packet in "[0-6][0-9]{0,3}-?(/[a-z,?]{0,4})?[0-9]{0,20}[\\[\\]{}\",a-z]{0,10}") {
            let _ = Packet::parse(&text);
            let _ = Packet::parse(&packet);
        }
    }
}
