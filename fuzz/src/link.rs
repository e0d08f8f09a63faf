//! A conversation with a server that says anything, in each protocol. Frames are read as the driver reads them, by their heads where these
//! tell enough; a second conversation reads all of them whole, and both must come to the same.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::Value as Json;
use signal_wasm::protocol::{Effect, Head, Link, Protocol, Records, Texts, UserId};

use crate::json::{is_json, repeats_a_member};
use crate::value::{Js, Line};

const OWN: u64 = 12345;

/// So long is the longest name that heads are cut for.
const LONGEST_NAME: usize = 6;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    protocol: u8,
    namespace: Option<&'a str>,
    names: Option<&'a str>,
    skip_negotiation: bool,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Begin,
    Opened,
    /// What a server of that protocol says to let the page in, one after the other.
    LetIn,
    Lost,
    Silent,
    Answered(u16, &'a str),
    Frame(&'a str),
    /// A call with this envelope's text in it, as servers write it.
    Call(&'a str),
    /// A call with an envelope of these parts, and this behind it.
    Envelope(u16, &'a str, Option<&'a str>, &'a str, &'a str),
    Send(&'a str),
    Credential(&'a str),
}

struct Page {
    link: Link,
    records: Records<Line>,
    by_head: bool,
    /// Who sent what on which channel, as far as JSON of the oracle's goes.
    envelopes: Vec<Json>,
    bad: usize,
}

/// Both conversations.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let protocol = Protocol::ALL[usize::from(input.protocol) % Protocol::ALL.len()];
    let mut texts = Texts::default();
    for (name, text) in [
        ("namespace", input.namespace),
        ("event", input.names),
        ("target", input.names),
        ("hub", input.names),
    ] {
        if let Some(text) = text {
            texts.set(name, text.into());
        }
    }
    let page = |by_head| Page {
        link: Link::new(protocol, "ws://h/x", texts.clone(), input.skip_negotiation),
        records: Records::default(),
        by_head,
        envelopes: Vec::new(),
        bad: 0,
    };
    let (mut quick, mut slow) = (page(true), page(false));
    let mut let_in = 0;
    let mut sent_number = 0;
    let mut redirected = false;
    for step in &input.steps {
        let said = match step {
            Step::LetIn => {
                let_in += 1;
                welcome(protocol, let_in, quick.link.credential())
            }
            Step::Frame(text) => Some(Said::Frame((*text).into())),
            Step::Answered(status, body) => Some(Said::Answer(*status, (*body).into())),
            Step::Call(text) => Some(Said::Frame(call(&texts, protocol, text, ""))),
            Step::Envelope(sender, channel, id, message, behind) => {
                let id = id.map_or(String::new(), |id| format!(",\"id\":{}", Json::from(id)));
                let envelope = format!(
                    "{{\"sender\":{sender},\"channel\":{}{id},\"message\":{message}}}",
                    Json::from(*channel)
                );
                Some(Said::Frame(call(&texts, protocol, &envelope, behind)))
            }
            _ => None,
        };
        if let Some(Said::Frame(frame)) = &said
            && only_looks_canonical(protocol, frame)
        {
            return;
        }
        for page in [&mut quick, &mut slow] {
            match (&said, step) {
                (Some(Said::Frame(frame)), _) => page.frame(frame),
                (Some(Said::Answer(status, body)), _) => {
                    redirected |= body.contains("rl\"");
                    page.link.answered(
                        *status,
                        serde_json::from_str(body).ok().map(|value| Js(Some(value))),
                        body,
                    );
                }
                (_, Step::Begin) => {
                    page.records.clear();
                    page.link.begin(1_000.0);
                    let_in = 0;
                }
                (_, Step::Opened) => page.link.opened(),
                (_, Step::Lost) => page.link.lost(900.0),
                (_, Step::Silent) => page.link.silent(),
                (_, Step::Credential(text)) => {
                    page.link.set_credential((*text).into(), "a=b".into())
                }
                _ => {}
            }
        }
        if let Step::Send(channel) = step {
            sent_number += 1;
            let wrapped = quick
                .link
                .wrap(UserId::from_bits(OWN), channel, sent_number);
            assert_eq!(
                wrapped,
                slow.link.wrap(UserId::from_bits(OWN), channel, sent_number)
            );
            sent(&quick.link, channel, wrapped);
        }
        quick.is(&slow, step);
        for (effect, text) in std::mem::take(&mut quick.link.effects) {
            done(quick.link.protocol(), effect, &text, redirected);
        }
        slow.link.effects.clear();
    }
}

enum Said {
    Frame(String),
    Answer(u16, String),
}

/// The server's way of letting a page in.
fn welcome(protocol: Protocol, turn: usize, credential: &str) -> Option<Said> {
    let frame = |text: &str| Some(Said::Frame(text.into()));
    let answer = |text: &str| Some(Said::Answer(200, text.into()));
    match (protocol, turn) {
        (Protocol::SocketIo, 1) => {
            frame(r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#)
        }
        (Protocol::SocketIo, 2) if credential.is_empty() => frame(r#"40{"sid":"b"}"#),
        (Protocol::SocketIo, 2) => frame("40"),
        (Protocol::SignalR, 1) => answer(r#"{"connectionToken":"t é&"}"#),
        (Protocol::SignalR, 2) => frame("{}\u{1e}"),
        (Protocol::SignalRClassic, 1) => {
            answer(r#"{"ConnectionToken":"t+/","KeepAliveTimeout":20,"DisconnectTimeout":30}"#)
        }
        (Protocol::SignalRClassic, 2) => frame(r#"{"C":"d-0","S":1,"M":[]}"#),
        (Protocol::SignalRClassic, 3) => answer("{}"),
        _ => None,
    }
}

/// A frame with a call that brings an envelope's text.
fn call(texts: &Texts, protocol: Protocol, envelope: &str, behind: &str) -> String {
    let quoted = Json::from(envelope);
    let name = |name| Json::from(texts.get(name));
    match protocol {
        Protocol::SocketIo => {
            let of = match texts.get("namespace") {
                "/" => String::new(),
                of if of.starts_with('/') => format!("{of},"),
                of => format!("/{of},"),
            };
            format!("42{of}[{},{envelope}]{behind}", name("event"))
        }
        Protocol::SignalR => format!(
            "{{\"type\":1,\"target\":{},\"arguments\":[{quoted}]}}\u{1e}{behind}",
            name("target")
        ),
        Protocol::SignalRClassic => {
            let cursor = Json::from(behind);
            format!(
                "{{\"C\":{cursor},\"M\":[{{\"H\":{},\"M\":{},\"A\":[{quoted}]}}]}}",
                name("hub"),
                name("target")
            )
        }
        _ => format!("{envelope}{behind}"),
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn slice(units: &[u16], start: usize, end: usize) -> String {
    let end = end.min(units.len());
    String::from_utf16_lossy(&units[start.min(end)..end])
}

impl Page {
    /// The driver's way with a frame.
    fn frame(&mut self, frame: &str) {
        if self.by_head && self.read(frame) {
            return;
        }
        if !self.link.is_stream() {
            return self.record(frame);
        }
        for record in self.records.take(&Line(frame.into())) {
            self.record(&record.0);
        }
    }

    fn head<'a>(&mut self, frame: &'a str) -> Option<(Vec<u16>, std::borrow::Cow<'a, str>, bool)> {
        let tail = self.link.received_tail();
        if self.link.is_text() && (self.records.begun().is_some() || !frame.ends_with(tail)) {
            return None;
        }
        let units = units(frame);
        let length = self.link.head_length(LONGEST_NAME);
        let whole = units.len() <= length;
        let head = if whole {
            frame.into()
        } else {
            slice(&units, 0, length).into()
        };
        Some((units, head, whole))
    }

    fn read(&mut self, frame: &str) -> bool {
        let Some((units, head, whole)) = self.head(frame) else {
            return false;
        };
        let tail = self.link.received_tail();
        let received = self.link.decode_head(&head, whole);
        let second = self.link.second();
        if !second.is_empty()
            && frame
                .chars()
                .next()
                .is_some_and(|first| frame[first.len_utf8()..].contains(second))
        {
            return false;
        }
        let (sender, channel, id, payload) = match received {
            Head::Envelope {
                sender,
                channel,
                id,
                payload,
            } if frame.ends_with(tail) => (sender, channel, id, payload),
            // Nobody has it open: what it is doesn't count.
            _ => return false,
        };
        let payload = slice(&units, payload, units.len() - tail.len());
        let Ok(mut message) = serde_json::from_str::<Json>(&payload) else {
            return false;
        };
        if self.link.is_text() {
            let Some(text) = message.as_str() else {
                return false;
            };
            let Ok(envelope) = serde_json::from_str::<Json>(text) else {
                return false;
            };
            if repeats_a_member(text) {
                return false;
            }
            message = envelope["message"].clone();
        }
        self.envelopes.push(summary(
            sender.is(UserId::from_bits(OWN)),
            channel,
            id,
            message,
        ));
        true
    }

    fn record(&mut self, record: &str) {
        let units = units(record);
        let head = slice(&units, 0, self.link.head_length(LONGEST_NAME));
        let value = match self.link.json_start(&head) {
            Some(start) => serde_json::from_str(&slice(&units, start, usize::MAX)).map(Some),
            None => Ok(None),
        };
        let Ok(value) = value else {
            assert!(!self.link.what_is_no_json(&head).is_empty());
            self.bad += 1;
            return;
        };
        let mut envelopes = Vec::new();
        self.link.record(&head, Js(value), &mut envelopes);
        for Js(envelope) in envelopes {
            let envelope = match &envelope {
                Some(Json::String(text))
                    if !matches!(self.link.protocol(), Protocol::WebSocket | Protocol::Relay) =>
                {
                    serde_json::from_str(text).ok()
                }
                _ => envelope,
            };
            let Some(Json::Object(members)) = envelope else {
                self.bad += 1;
                continue;
            };
            let own = match members.get("sender") {
                Some(Json::Number(number)) => number.as_f64() == Some(OWN as f64),
                Some(Json::String(text)) => *text == OWN.to_string(),
                _ => false,
            };
            let channel = match members.get("channel") {
                Some(Json::String(name)) => name.clone(),
                Some(other) => other.to_string(),
                None => "undefined".into(),
            };
            let id = members.get("id").and_then(Json::as_str).unwrap_or_default();
            let message = members.get("message").cloned().unwrap_or_default();
            self.envelopes.push(summary(own, &channel, id, message));
        }
    }

    /// Both came to the same.
    fn is(&self, other: &Page, step: &Step<'_>) {
        assert_eq!(self.envelopes, other.envelopes, "{step:?}");
        assert_eq!(self.bad, other.bad, "{step:?}");
        assert_eq!(self.link.effects, other.link.effects, "{step:?}");
        assert_eq!(
            self.link.ping_every.to_bits(),
            other.link.ping_every.to_bits(),
            "{step:?}"
        );
        assert_eq!(
            self.link.patience().to_bits(),
            other.link.patience().to_bits(),
            "{step:?}"
        );
        assert_eq!(
            self.link.head_length(LONGEST_NAME),
            other.link.head_length(LONGEST_NAME),
            "{step:?}"
        );
    }
}

fn summary(own: bool, channel: &str, id: &str, message: Json) -> Json {
    serde_json::json!([own, channel, id, message])
}

/// A frame whose head tells enough to drop it needn't be JSON, and its cursor counts all the same; that is meant to be so. And no server says
/// an empty cursor, which a head doesn't note.
fn only_looks_canonical(protocol: Protocol, frame: &str) -> bool {
    protocol == Protocol::SignalRClassic
        && frame.starts_with("{\"C\":\"")
        && (frame.starts_with("{\"C\":\"\"") || serde_json::from_str::<Json>(frame).is_err())
}

/// A message of ours in its frame is JSON, and has all its parts in it.
fn sent(link: &Link, channel: &str, (head, before): (String, String)) {
    const MESSAGE: &str = "{\"a\":\"}]\"}";
    let tail = link.tail();
    let envelope = format!("{head}{MESSAGE}}}");
    let (frame, envelope): (String, String) = if before.is_empty() {
        let frame = format!("{head}{MESSAGE}{tail}");
        if link.protocol() != Protocol::SocketIo {
            assert!(is_json(&frame), "{frame}");
        }
        let start = frame
            .find("{\"sender\":")
            .expect("an envelope is in the frame");
        let end = frame.len() - (tail.len() - 1);
        (frame.clone(), frame[start..end].into())
    } else {
        (
            format!("{before}{}{tail}", Json::from(&*envelope)),
            envelope,
        )
    };
    if !before.is_empty() {
        assert!(is_json(frame.trim_end_matches('\u{1e}')), "{frame}");
    }
    let read: Json = serde_json::from_str(&envelope).expect("the envelope is JSON");
    assert_eq!(
        (&read["sender"], &read["channel"]),
        (&OWN.into(), &channel.into()),
        "{frame}"
    );
}

/// What a conversation wants done is something that can be done.
fn done(protocol: Protocol, effect: Effect, text: &str, redirected: bool) {
    match effect {
        Effect::Get | Effect::Post | Effect::Socket => {
            let scheme = if effect == Effect::Socket {
                "ws"
            } else {
                "http"
            };
            assert!(text.starts_with(scheme), "{text}");
            // A server that redirects says a whole address; all else that it says is encoded.
            if !redirected {
                assert!(text.starts_with(&format!("{scheme}://h/x")), "{text}");
                assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            }
        }
        Effect::Say if protocol == Protocol::SignalR => {
            let record = text.strip_suffix('\u{1e}').expect("a record has an end");
            assert!(!record.contains('\u{1e}') && is_json(record), "{text}");
        }
        Effect::Say if protocol == Protocol::Relay => assert!(is_json(text), "{text}"),
        Effect::Say => assert!(
            text.starts_with(|first: char| first.is_ascii_digit()),
            "{text}"
        ),
        Effect::Down(_) => assert!(!text.is_empty()),
        _ => {}
    }
}
