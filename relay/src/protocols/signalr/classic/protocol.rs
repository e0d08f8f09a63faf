//! The hub protocol of ASP.NET SignalR 2, the server's side: decodes a client's frames, and encodes
//! those that it is sent. Pure.
//!
//! A client calls `{"H":hub,"M":method,"A":[…],"I":number}` and is answered `{"I":"number"}`, with
//! `E` if the call failed. It receives `{"C":cursor,"M":[{"H":hub,"M":method,"A":[…]}]}`. The hub
//! has every name that a client calls it by.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use signal_wire::json::quoted;

use crate::protocols::signalr::method::{self, Arguments};

/// The keep-alive frame.
pub const KEEP_ALIVE: &str = "{}";
/// How many hubs a client may name. Each receives every message.
pub const HUBS: usize = 16;

/// What to do about a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Send this frame back.
    Answer(String),
    /// Publish the text, if it is an envelope, and answer the receipt with the result.
    Publish {
        /// The argument of `Send`.
        text: String,
        /// What the client waits for.
        receipt: Receipt,
    },
    /// The client doesn't speak the protocol: send this last frame and close the connection for
    /// good.
    Refuse(String),
}

/// The number of a call, if the client waits for its result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Receipt(Option<String>);

impl Receipt {
    /// The frame with the result. `None`: the client doesn't wait for it.
    #[must_use]
    pub fn answer(self, result: Result<(), &str>) -> Option<String> {
        let answer = Answer {
            id: &self.0?,
            error: result.err(),
            meant_for_the_page: result.is_err(),
        };
        serde_json::to_string(&answer).ok()
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(rename = "I")]
    id: &'a str,
    #[serde(rename = "E", skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(rename = "H", skip_serializing_if = "std::ops::Not::not")]
    meant_for_the_page: bool,
}

/// The frame that stops a client for good, with the reason for its page.
#[must_use]
pub fn stop(error: &str) -> String {
    format!("{{\"E\":{}}}", quoted(error))
}

/// The first frame of a new connection. Clients of SignalR ignore its last member, by which
/// signal-wasm knows our relay.
#[must_use]
pub fn welcome(cursor: u64) -> String {
    format!("{{\"C\":\"{cursor}\",\"S\":1,\"M\":[],\"relay\":true}}")
}

/// The cursor that a client names as the last one it saw. Without one, it has seen no message.
/// `None`: it isn't a cursor.
#[must_use]
pub fn cursor(message_id: Option<&str>) -> Option<u64> {
    message_id.map_or(Some(0), |cursor| cursor.parse().ok())
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow, rename = "M")]
    method: Cow<'a, str>,
    #[serde(borrow, rename = "A", default)]
    arguments: Option<Arguments<'a>>,
    #[serde(borrow, rename = "I", default)]
    id: Option<&'a RawValue>,
}

/// Reads one frame.
#[must_use]
pub fn read(frame: &str) -> Step {
    let call: Call<'_> = match serde_json::from_str(frame) {
        Ok(call) => call,
        Err(error) => {
            return Step::Refuse(stop(&format!(
                "That is no call of a hub's method, {{\"H\",\"M\",\"A\",\"I\"}}: {error}."
            )));
        }
    };
    let receipt = Receipt(call.id.and_then(id));
    match method::sent(&call.method, call.arguments) {
        Ok(text) => Step::Publish { text, receipt },
        Err(error) => receipt
            .answer(Err(&error))
            .map_or(Step::Nothing, Step::Answer),
    }
}

/// Clients number their calls. Some write the number as a string.
fn id(id: &RawValue) -> Option<String> {
    match id.get().as_bytes().first()? {
        b'"' => serde_json::from_str(id.get()).ok(),
        b'-' | b'0'..=b'9' => Some(id.get().to_owned()),
        _ => None,
    }
}

/// The hubs that a client listens to, by the names that it calls them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hubs(Vec<String>);

impl Hubs {
    /// Reads a request's `connectionData`.
    ///
    /// # Errors
    /// It isn't a list of names, or has too many. The error is the answer to the request.
    pub fn read(data: Option<&str>) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Hub<'a> {
            #[serde(borrow)]
            name: Cow<'a, str>,
        }
        let Some(data) = data.filter(|data| !data.is_empty()) else {
            return Ok(Self::default());
        };
        let hubs: Vec<Hub<'_>> = serde_json::from_str(data).map_err(|error| {
            format!("The query's connectionData must be a list of hubs, [{{\"name\":\"webrtchub3\"}}]: {error}.\n")
        })?;
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        for Hub { name } in hubs {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                names.push(name);
            }
            if names.len() > HUBS {
                return Err(format!(
                    "The query's connectionData may name up to {HUBS} hubs.\n"
                ));
            }
        }
        let head = |name: Cow<'_, str>| {
            format!(
                "{{\"H\":{},\"M\":\"{}\",\"A\":[",
                quoted(&name),
                method::TARGET
            )
        };
        Ok(Self(names.into_iter().map(head).collect()))
    }

    /// Whether the client named none, and so receives nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The frame that delivers one message, which is given as a JSON string.
    #[must_use]
    pub fn delivery(&self, cursor: u64, message: &str) -> String {
        let room: usize = self
            .0
            .iter()
            .map(|head| head.len() + message.len() + 3)
            .sum();
        let mut frame = String::with_capacity(room + 40);
        frame.push_str("{\"C\":\"");
        frame.push_str(&cursor.to_string());
        frame.push_str("\",\"M\":[");
        for (place, head) in self.0.iter().enumerate() {
            if place > 0 {
                frame.push(',');
            }
            frame.push_str(head);
            frame.push_str(message);
            frame.push_str("]}");
        }
        frame.push_str("]}");
        frame
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn published(text: &str, id: Option<&str>) -> Step {
        Step::Publish {
            text: text.to_owned(),
            receipt: Receipt(id.map(str::to_owned)),
        }
    }

    #[test]
    fn send_is_published_whatever_the_hub_and_the_case() {
        for (frame, id) in [
            (
                r#"{"H":"webrtchub3","M":"send","A":["a"],"I":0}"#,
                Some("0"),
            ),
            (
                r#"{"I":"17","A":["\u0061"],"M":"Send","H":"Any","S":{"state":[1]}}"#,
                Some("17"),
            ),
            (r#"{"M":"SEND","A":["a"]}"#, None),
            (r#"{"M":"send","A":["a"],"I":null}"#, None),
        ] {
            assert_eq!(read(frame), published("a", id), "{frame}");
        }
    }

    #[test]
    fn calls_that_cannot_be_are_answered_with_the_reason() {
        let error = "The hub has no method 'shout'. It has Send(string).";
        assert_eq!(
            read(r#"{"H":"h","M":"shout","A":[],"I":3}"#),
            Step::Answer(format!(r#"{{"I":"3","E":"{error}","H":true}}"#))
        );
        assert_eq!(read(r#"{"H":"h","M":"shout","A":[]}"#), Step::Nothing);
        for arguments in ["[]", "[1]", r#"["a","b"]"#, "null"] {
            let frame = format!(r#"{{"H":"h","M":"send","A":{arguments},"I":3}}"#);
            assert!(
                matches!(read(&frame), Step::Answer(answer) if answer.starts_with(r#"{"I":"3","E":""#))
            );
        }
        for frame in [
            "",
            "x",
            "[]",
            "{}",
            "null",
            r#"{"M":1}"#,
            r#"{"M":"send","A":"a"}"#,
            "{\"protocol\":\"json\",\"version\":1}\u{1e}",
        ] {
            assert!(
                matches!(read(frame), Step::Refuse(last) if last.starts_with(r#"{"E":"That is no call of a hub's method"#)),
                "{frame}"
            );
        }
    }

    #[test]
    fn receipts_say_whether_it_was_done() {
        let receipt = || Receipt(Some("0".to_owned()));
        assert_eq!(receipt().answer(Ok(())).as_deref(), Some(r#"{"I":"0"}"#));
        assert_eq!(
            receipt().answer(Err("no")).as_deref(),
            Some(r#"{"I":"0","E":"no","H":true}"#)
        );
        assert_eq!(Receipt(None).answer(Ok(())), None);
    }

    #[test]
    fn hubs_are_called_as_the_client_calls_them() {
        let hubs = Hubs::read(Some(
            r#"[{"name":"webrtchub3"},{"name":"WebRtcHub3"},{"name":"a\"b","more":1}]"#,
        ));
        assert_eq!(
            hubs.map(|hubs| hubs.delivery(9, r#""{}""#)),
            Ok(r#"{"C":"9","M":[{"H":"webrtchub3","M":"onMessageReceived","A":["{}"]},{"H":"a\"b","M":"onMessageReceived","A":["{}"]}]}"#.to_owned())
        );
        assert_eq!(Hubs::read(None).map(|hubs| hubs.is_empty()), Ok(true));
        assert_eq!(Hubs::read(Some("[]")).map(|hubs| hubs.is_empty()), Ok(true));
        for wrong in ["x", "{}", "[1]", r#"["webrtchub3"]"#, r#"[{"name":1}]"#] {
            assert!(
                Hubs::read(Some(wrong)).is_err_and(|error| error.contains("connectionData")),
                "{wrong}"
            );
        }
        let named = |count: usize| {
            let names: Vec<Value> = (0..count)
                .map(|n| json!({ "name": format!("h{n}") }))
                .collect();
            Hubs::read(Some(&json!(names).to_string()))
        };
        assert!(named(HUBS).is_ok() && named(HUBS + 1).is_err());
    }

    #[test]
    fn cursors_are_numbers() {
        assert_eq!(cursor(None), Some(0));
        assert_eq!(cursor(Some("17")), Some(17));
        for wrong in ["", "-1", "d-17", "18446744073709551616"] {
            assert_eq!(cursor(Some(wrong)), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_sent_text_arrives_as_it_was(text: String, id: Option<u32>) {
            let frame = json!({ "H": "h", "M": "Send", "A": [text], "I": id }).to_string();
            prop_assert_eq!(read(&frame), published(&text, id.map(|id| id.to_string()).as_deref()));
        }

        #[test]
        fn a_delivery_is_json_with_the_frame_inside(names in prop::collection::vec("[a-z\"\u{1}é]{0,5}", 0..4), text: String, number: u64) {
            let data: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
            let hubs = Hubs::read(Some(&json!(data).to_string())).map_err(TestCaseError::fail)?;
            let frame: Value = serde_json::from_str(&hubs.delivery(number, &quoted(&text))).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&frame["C"], &json!(number.to_string()));
            let messages = frame["M"].as_array().map(Vec::as_slice).unwrap_or_default();
            prop_assert_eq!(messages.len(), hubs.0.len());
            for message in messages {
                prop_assert!(names.iter().any(|name| message["H"] == name.as_str()));
                prop_assert_eq!(&message["A"], &json!([text]));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = read(&text);
            let _ = Hubs::read(Some(&text));
            let _ = cursor(Some(&text));
            let stopped: Result<Value, _> = serde_json::from_str(&stop(&text));
            prop_assert_eq!(stopped.ok(), Some(json!({ "E": text })));
        }
    }
}
