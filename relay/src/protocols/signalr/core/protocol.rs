//! The JSON hub protocol of ASP.NET Core SignalR, the server's side: decodes a client's records,
//! and encodes those that it is sent. Pure.
//!
//! The hub has one method, `Send(string)`, and calls `onMessageReceived(string)` of its
//! clients. The string is the JSON text of an envelope.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use signal_wire::json::quoted;

use super::records::SEPARATOR;
use crate::protocols::signalr::method::{self, Arguments, excerpt};

/// The answer to a handshake that is accepted. Clients of SignalR ignore both members, of which
/// ASP.NET Core 2.2 sends the first too; signal-wasm knows our relay by the second.
pub const WELCOME: &str = "{\"minorVersion\":0,\"relay\":true}\u{1e}";
/// The keep-alive record.
pub const PING: &str = "{\"type\":6}\u{1e}";

/// What to do about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Send these records back.
    Answer(String),
    /// Publish the text, if it is an envelope, and answer the receipt with the result.
    Publish {
        /// The argument of `Send`.
        text: String,
        /// What the client waits for.
        receipt: Receipt,
    },
    /// The client closes the connection.
    Leave,
    /// The client doesn't speak the protocol: send this last record and close the connection.
    Refuse(String),
}

/// The id of an invocation, if the client waits for its result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Receipt(Option<String>);

impl Receipt {
    /// The record with the result. `None`: the client doesn't wait for it.
    #[must_use]
    pub fn answer(self, result: Result<(), &str>) -> Option<String> {
        let completion = Completion {
            kind: 3,
            id: &self.0?,
            error: result.err(),
        };
        record(&completion)
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(rename = "invocationId")]
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Close<'a> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(rename = "allowReconnect", skip_serializing_if = "std::ops::Not::not")]
    allow_reconnect: bool,
}

#[derive(Serialize)]
struct HandshakeError<'a> {
    error: &'a str,
}

fn record(value: &impl Serialize) -> Option<String> {
    let mut record = serde_json::to_string(value).ok()?;
    record.push(SEPARATOR);
    Some(record)
}

/// The record that closes a connection after its handshake. With `allow_reconnect` the client may
/// connect again by itself.
#[must_use]
pub fn close(error: Option<&str>, allow_reconnect: bool) -> String {
    record(&Close {
        kind: 7,
        error,
        allow_reconnect,
    })
    .unwrap_or_default()
}

/// The answer to a handshake that isn't accepted.
#[must_use]
pub fn handshake_error(error: &str) -> String {
    record(&HandshakeError { error }).unwrap_or_default()
}

/// The record that delivers an envelope.
#[must_use]
pub fn delivery(frame: &str) -> String {
    let mut record = format!(
        "{{\"type\":1,\"target\":\"{}\",\"arguments\":[",
        method::TARGET
    );
    record.push_str(&quoted(frame));
    record.push_str("]}");
    record.push(SEPARATOR);
    record
}

/// The state of one client: whether its handshake is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocol {
    ready: bool,
}

impl Protocol {
    /// Reads one record.
    #[must_use]
    pub fn read(&mut self, record: &str) -> Step {
        if self.ready {
            return match serde_json::from_str::<Record<'_>>(record) {
                Ok(record) => act(record),
                Err(error) => Step::Refuse(close(
                    Some(&format!(
                        "That is no record of the JSON hub protocol: {error}."
                    )),
                    false,
                )),
            };
        }
        match handshake(record) {
            Ok(()) => {
                self.ready = true;
                Step::Answer(WELCOME.to_owned())
            }
            Err(error) => Step::Refuse(handshake_error(&error)),
        }
    }
}

#[derive(Deserialize)]
struct Handshake<'a> {
    #[serde(borrow)]
    protocol: Cow<'a, str>,
    version: f64,
}

fn handshake(record: &str) -> Result<(), String> {
    let handshake: Handshake<'_> = serde_json::from_str(record).map_err(|error| {
        format!("The first record must be the handshake {{\"protocol\":\"json\",\"version\":1}}: {error}.")
    })?;
    if handshake.protocol != "json" {
        let name = excerpt(&handshake.protocol);
        return Err(format!(
            "The protocol '{name}' is not supported. This hub speaks 'json'."
        ));
    }
    if handshake.version != 1.0 {
        let version = handshake.version;
        return Err(format!(
            "Version {version} of the protocol 'json' is not supported. This hub speaks version 1."
        ));
    }
    Ok(())
}

/// A record. Members that don't belong to its type are ignored, and so are unknown types.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(rename = "type")]
    kind: f64,
    #[serde(borrow, default)]
    target: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<Arguments<'a>>,
    #[serde(rename = "invocationId", default)]
    id: Option<String>,
    #[serde(rename = "streamIds", default)]
    streams: Option<Vec<IgnoredAny>>,
}

fn act(record: Record<'_>) -> Step {
    const INVOCATION: f64 = 1.0;
    const STREAM_INVOCATION: f64 = 4.0;
    const CLOSE: f64 = 7.0;
    match record.kind {
        INVOCATION => invoke(record),
        STREAM_INVOCATION => {
            let target = excerpt(record.target.as_deref().unwrap_or_default());
            refuse(
                Receipt(record.id),
                &format!(
                    "The hub has no streams, and so none of the name '{target}'. It has the method Send(string): invoke or send that."
                ),
            )
        }
        CLOSE => Step::Leave,
        // Stream items and cancellations are for streams that there are none of, completions for
        // results that this hub never asks for, acknowledgements for a reconnect that it doesn't
        // negotiate. A ping needs no answer.
        _ => Step::Nothing,
    }
}

fn invoke(record: Record<'_>) -> Step {
    let Some(target) = record.target else {
        return Step::Refuse(close(Some("An invocation is without a target."), false));
    };
    let receipt = Receipt(record.id);
    if record.streams.is_some_and(|streams| !streams.is_empty()) {
        return refuse(receipt, "The hub takes no streams.");
    }
    match method::sent(&target, record.arguments) {
        Ok(text) => Step::Publish { text, receipt },
        Err(error) => refuse(receipt, &error),
    }
}

fn refuse(receipt: Receipt, error: &str) -> Step {
    receipt
        .answer(Err(error))
        .map_or(Step::Nothing, Step::Answer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ready() -> Protocol {
        Protocol { ready: true }
    }

    fn answered(record: &str) -> String {
        match ready().read(record) {
            Step::Answer(answer) => answer,
            other => format!("{other:?}"),
        }
    }

    fn refused(mut protocol: Protocol, record: &str) -> String {
        match protocol.read(record) {
            Step::Refuse(last) => last,
            other => format!("{other:?}"),
        }
    }

    fn published(text: &str, id: Option<&str>) -> Step {
        Step::Publish {
            text: text.to_owned(),
            receipt: Receipt(id.map(str::to_owned)),
        }
    }

    #[test]
    fn the_handshake_comes_first() {
        for record in [
            r#"{"protocol":"json","version":1}"#,
            r#" { "version" : 1.0, "more": [], "protocol": "js\u006fn" } "#,
        ] {
            let mut protocol = Protocol::default();
            assert_eq!(protocol.read(record), Step::Answer(WELCOME.to_owned()));
            assert!(protocol.ready);
        }
    }

    #[test]
    fn what_is_no_handshake_is_refused_with_a_reason() {
        let refusal = |record| refused(Protocol::default(), record);
        assert_eq!(
            refusal(r#"{"protocol":"messagepack","version":1}"#),
            "{\"error\":\"The protocol 'messagepack' is not supported. This hub speaks 'json'.\"}\u{1e}"
        );
        assert_eq!(
            refusal(r#"{"protocol":"json","version":2}"#),
            "{\"error\":\"Version 2 of the protocol 'json' is not supported. This hub speaks version 1.\"}\u{1e}"
        );
        for record in [
            "",
            "{}",
            "hello",
            "null",
            r#"{"type":6}"#,
            r#"{"sender":1,"channel":"a","message":"\"}"}"#,
            r#"{"protocol":"json","version":"1"}"#,
            r#"{"protocol":["json"],"version":1}"#,
        ] {
            let last = refusal(record);
            assert!(
                last.starts_with(
                    "{\"error\":\"The first record must be the handshake {\\\"protocol\\\""
                ),
                "{last}"
            );
            assert!(last.ends_with("\"}\u{1e}"), "{last}");
        }
    }

    #[test]
    fn send_is_published_whatever_its_case() {
        assert_eq!(
            ready().read(r#"{"type":1,"target":"Send","arguments":["{\"channel\":\"a\"}"]}"#),
            published(r#"{"channel":"a"}"#, None)
        );
        assert_eq!(
            ready().read(r#"{"arguments":["\u0061"],"invocationId":"7","streamIds":[],"headers":{"a":"b"},"target":"sEND","type":1}"#),
            published("a", Some("7"))
        );
        assert_eq!(
            ready().read(r#"{"type":1,"target":"send","arguments":[""],"invocationId":null,"streamIds":null}"#),
            published("", None)
        );
    }

    #[test]
    fn a_receipt_is_answered_if_the_client_asked() {
        let receipt = || Receipt(Some("a\"b".to_owned()));
        assert_eq!(
            receipt().answer(Ok(())).as_deref(),
            Some("{\"type\":3,\"invocationId\":\"a\\\"b\"}\u{1e}")
        );
        assert_eq!(
            receipt().answer(Err("no \u{1e}")).as_deref(),
            Some("{\"type\":3,\"invocationId\":\"a\\\"b\",\"error\":\"no \\u001e\"}\u{1e}")
        );
        assert_eq!(Receipt(None).answer(Err("no")), None);
    }

    #[test]
    fn invocations_that_cannot_be_are_answered_with_the_reason() {
        for (record, reason) in [
            (
                r#"{"type":1,"target":"Shout","arguments":["a"],"invocationId":"0"}"#,
                "The hub has no method 'Shout'. It has Send(string).",
            ),
            (
                r#"{"type":1,"target":"Send","arguments":[],"invocationId":"0"}"#,
                "Send takes one argument, a string, and got 0.",
            ),
            (
                r#"{"type":1,"target":"Send","invocationId":"0"}"#,
                "Send takes one argument, a string, and got 0.",
            ),
            (
                r#"{"type":1,"target":"Send","arguments":["a","b",[]],"invocationId":"0"}"#,
                "Send takes one argument, a string, and got 3.",
            ),
            (
                r#"{"type":1,"target":"Send","arguments":[{"channel":"a"}],"invocationId":"0"}"#,
                "The argument of Send must be a string, the JSON text of {message, channel}: use JSON.stringify.",
            ),
            (
                r#"{"type":1,"target":"Send","arguments":["a"],"invocationId":"0","streamIds":["1"]}"#,
                "The hub takes no streams.",
            ),
            (
                r#"{"type":4,"target":"Send","arguments":["a"],"invocationId":"0"}"#,
                "The hub has no streams, and so none of the name 'Send'. It has the method Send(string): invoke or send that.",
            ),
        ] {
            assert_eq!(
                answered(record),
                format!("{{\"type\":3,\"invocationId\":\"0\",\"error\":\"{reason}\"}}\u{1e}")
            );
            assert_eq!(
                ready().read(&record.replace(r#""invocationId":"0""#, r#""x":0"#)),
                Step::Nothing
            );
        }
        let long = format!(
            r#"{{"type":1,"target":"{}","arguments":[],"invocationId":"0"}}"#,
            "é".repeat(1000)
        );
        assert!(answered(&long).contains(&format!("no method '{}…'", "é".repeat(64))));
    }

    #[test]
    fn what_needs_no_answer_gets_none() {
        for record in [
            r#"{"type":6}"#,
            r#"{"type":2,"invocationId":"0","item":1}"#,
            r#"{"type":3,"invocationId":"0","result":"unasked"}"#,
            r#"{"type":5,"invocationId":"0"}"#,
            r#"{"type":8,"sequenceId":1}"#,
            r#"{"type":9,"sequenceId":1}"#,
            r#"{"type":99,"target":"Send"}"#,
            r#"{"type":1e3}"#,
        ] {
            assert_eq!(ready().read(record), Step::Nothing, "{record}");
        }
        assert_eq!(ready().read(r#"{"type":7}"#), Step::Leave);
        assert_eq!(ready().read(r#"{"type":7,"error":"tired"}"#), Step::Leave);
    }

    #[test]
    fn what_is_no_record_closes_with_the_reason() {
        for record in [
            "",
            "x",
            "[]",
            "{}",
            "{\"type\":6}{\"type\":6}",
            r#"{"type":"6"}"#,
            r#"{"type":1,"target":5}"#,
            r#"{"type":1,"target":"Send","arguments":"a"}"#,
            r#"{"type":1,"target":"Send","arguments":["a"],"invocationId":0}"#,
            r#"{"type":1,"target":"Send","arguments":["a"#,
        ] {
            let last = refused(ready(), record);
            assert!(
                last.starts_with(
                    "{\"type\":7,\"error\":\"That is no record of the JSON hub protocol: "
                ),
                "{record}: {last}"
            );
        }
        assert_eq!(
            refused(ready(), r#"{"type":1,"arguments":["a"]}"#),
            "{\"type\":7,\"error\":\"An invocation is without a target.\"}\u{1e}"
        );
    }

    #[test]
    fn closing_says_whether_to_allow_reconnect() {
        assert_eq!(
            close(None, true),
            "{\"type\":7,\"allowReconnect\":true}\u{1e}"
        );
        assert_eq!(
            close(Some("why"), false),
            "{\"type\":7,\"error\":\"why\"}\u{1e}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_delivery_is_one_record_with_the_frame_inside(frame: String) {
            let record = delivery(&frame);
            let json = record.strip_suffix(SEPARATOR).unwrap_or_default();
            prop_assert!(!json.contains(SEPARATOR));
            let value: serde_json::Value = serde_json::from_str(json).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(value, serde_json::json!({ "type": 1, "target": "onMessageReceived", "arguments": [frame] }));
        }

        #[test]
        fn every_sent_text_arrives_as_it_was(text: String, id: Option<String>) {
            let record = serde_json::json!({ "type": 1, "target": "Send", "arguments": [text], "invocationId": id });
            prop_assert_eq!(ready().read(&record.to_string()), published(&text, id.as_deref()));
        }

        #[test]
        fn no_text_panics(text: String, ready: bool) {
            let mut protocol = Protocol { ready };
            let _ = protocol.read(&text);
            prop_assert_eq!(protocol.ready, ready);
        }
    }
}
