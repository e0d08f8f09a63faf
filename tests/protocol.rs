//! The plain protocol, and whose a frame is: against serde_json, against what `JSON.stringify` writes, and against an oracle that reads
//! each frame as a whole, as the shim does.
//!
//! What's tested:
//! * encoding: the shim's bytes, for every sender, channel and message
//! * decoding: no text panics; every cut of a frame; offsets in UTF-16 units; what the head says holds for the whole frame
//! * the head path and the whole-frame path agree, whatever a frame's members look like
#![cfg(not(target_arch = "wasm32"))]
// A helper of a test may fail the test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::{Config as Proptest, TestRunner};
use serde_json::{Map, Value, json};
use signal_wasm::protocol::{Head, Protocol, Sender, UserId, websocket};
use signal_wasm::session::{Config, Received, Session};
use std::cell::Cell;

/// Nothing is written to disk: a failure prints its smallest input, which then becomes a test of its own.
fn cases(cases: u32) -> Proptest {
    Proptest {
        cases,
        failure_persistence: None,
        ..Proptest::default()
    }
}

// What frames are made of.

fn userids() -> impl Strategy<Value = UserId> {
    prop_oneof![
        Just(UserId::MAX),
        (0..20u64).prop_map(UserId::from_bits),
        (5_000..65_536u64).prop_map(UserId::from_bits),
        any::<u64>().prop_map(UserId::from_bits),
    ]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("main-channel".into()),
        Just("__proto__".into()),
        Just("日本語の部屋".into()),
        Just("😀".into()),
        Just("line\nend".into()),
        Just("5".into()),
        "[a-d]",
        "[a-z0-9]{20,40}",
        "[a-zé😀]{60,130}",
        any::<String>(),
    ]
}

fn messages() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000_000..1_000_000i32).prop_map(|quarters| (f64::from(quarters) / 4.0).into()),
        any::<String>().prop_map(Value::from),
        Just("}".into()),
        Just("\",\"message\":1}".into()),
    ];
    leaves.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]|sender|channel|message|[^a]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn envelopes() -> impl Strategy<Value = (UserId, String, Value)> {
    (userids(), names(), messages())
}

fn encode(sender: UserId, channel: &str, message: &Value) -> String {
    websocket::encode_head(sender, channel, 0) + &message.to_string() + websocket::TAIL
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// `text.slice(start, end)`; a pair that is cut in two becomes U+FFFD, as on the way from JavaScript into wasm.
fn slice(text: &[u16], start: usize, end: usize) -> String {
    String::from_utf16_lossy(&text[start.min(text.len())..end.min(text.len())])
}

// Encoding.

/// Names, and what Node 20's `JSON.stringify` makes of them.
const STRINGIFIED: [(&str, &str); 20] = [
    ("", "\"\""),
    ("main-channel", "\"main-channel\""),
    ("\"quoted\"", "\"\\\"quoted\\\"\""),
    ("back\\slash", "\"back\\\\slash\""),
    ("a/b", "\"a/b\""),
    ("line\u{a}end\u{d}\u{9}tab", "\"line\\nend\\r\\ttab\""),
    ("\u{8}\u{c}\u{b}", "\"\\b\\f\\u000b\""),
    (
        "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{e}\u{f}",
        "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f\"",
    ),
    (
        "\u{10}\u{11}\u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1b}\u{1c}\u{1d}\u{1e}\u{1f}",
        "\"\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f\"",
    ),
    ("\u{7f}\u{80}\u{9f}", "\"\u{7f}\u{80}\u{9f}\""),
    ("\u{2028}\u{2029}", "\"\u{2028}\u{2029}\""),
    ("\u{feff}", "\"\u{feff}\""),
    ("\u{fffd}\u{ffff}", "\"\u{fffd}\u{ffff}\""),
    ("\u{e9} \u{f1} \u{fc}", "\"\u{e9} \u{f1} \u{fc}\""),
    ("\u{65e5}\u{672c}\u{8a9e}", "\"\u{65e5}\u{672c}\u{8a9e}\""),
    (
        "\u{1f600}\u{1f469}\u{200d}\u{1f467}",
        "\"\u{1f600}\u{1f469}\u{200d}\u{1f467}\"",
    ),
    ("\\u0041", "\"\\\\u0041\""),
    ("__proto__", "\"__proto__\""),
    (
        "{\"sender\":1,\"channel\":\"x\",\"message\":2}",
        "\"{\\\"sender\\\":1,\\\"channel\\\":\\\"x\\\",\\\"message\\\":2}\"",
    ),
    (" spaces ", "\" spaces \""),
];

#[test]
fn frames_are_what_json_stringify_writes() {
    for (name, stringified) in STRINGIFIED {
        assert_eq!(
            encode(UserId::MAX, name, &Value::Null),
            format!("{{\"sender\":9007199254740991,\"channel\":{stringified},\"message\":null}}")
        );
    }
    assert_eq!(
        encode(UserId::from_bits(0), "a", &json!({ "x": [1, "}"] })),
        r#"{"sender":0,"channel":"a","message":{"x":[1,"}"]}}"#
    );
}

#[test]
fn protocols_have_names_of_their_own() {
    assert!(!Protocol::ALL.is_empty());
    for protocol in Protocol::ALL {
        assert_eq!(Protocol::from_name(protocol.name()), Some(*protocol));
    }
    for name in ["", "WebSocket", "websocket ", "socket"] {
        assert_eq!(Protocol::from_name(name), None, "{name:?}");
    }
}

#[test]
fn user_ids_are_exact_javascript_numbers() {
    assert_eq!(UserId::from_bits(u64::MAX), UserId::MAX);
    assert_eq!(UserId::MAX.get(), 9_007_199_254_740_991);
    assert_eq!(UserId::from_bits(1 << 53).get(), 0);
    assert_eq!(UserId::from_bits(65_535).get(), 65_535);
}

proptest! {
    #![proptest_config(cases(700))]

    #[test]
    fn frames_are_what_serde_json_writes((sender, channel, message) in envelopes()) {
        let expected = format!(
            "{{\"sender\":{},\"channel\":{},\"message\":{message}}}",
            sender.get(),
            serde_json::to_string(&channel).unwrap(),
        );
        prop_assert_eq!(encode(sender, &channel, &message), expected);
    }

    #[test]
    fn decode_of_encode_is_the_value((sender, channel, message) in envelopes()) {
        let frame = encode(sender, &channel, &message);
        let whole: Value = serde_json::from_str(&frame).unwrap();
        prop_assert_eq!(&whole, &json!({ "sender": sender.get(), "channel": channel, "message": message }));
        match websocket::decode_head(&frame, true) {
            Head::Envelope { sender: read, channel: name, payload, .. } => {
                prop_assert_eq!(read, Sender::Number(sender.get()));
                prop_assert_eq!(name, &channel);
                let frame = units(&frame);
                let payload = slice(&frame, payload, frame.len() - websocket::TAIL.len());
                prop_assert_eq!(payload, message.to_string());
            }
            head => {
                prop_assert_eq!(head, Head::Unclear);
                // Only what has to be escaped is left to the whole-frame path.
                prop_assert!(serde_json::to_string(&channel).unwrap().contains('\\'));
            }
        }
    }

    #[test]
    fn every_cut_of_a_frame_tells_the_same_or_less((sender, channel, message) in envelopes()) {
        let frame = encode(sender, &channel, &message);
        let whole = websocket::decode_head(&frame, true);
        let name = format!("{{\"sender\":{},\"channel\":\"", sender.get()).len();
        for cut in (0..=frame.len()).filter(|cut| frame.is_char_boundary(*cut)) {
            let head = &frame[..cut];
            match websocket::decode_head(head, false) {
                Head::Unclear => {}
                Head::LongName { sender: read } => {
                    prop_assert_eq!(read, Sender::Number(sender.get()));
                    // All up to the message counts: whoever has room for the name cuts the head behind it.
                    prop_assert!((name..name + channel.len() + "\",\"message\":".len()).contains(&cut));
                }
                head => prop_assert_eq!(head, whole),
            }
            let long_name = matches!(websocket::decode_head(head, true), Head::LongName { .. });
            prop_assert!(!long_name);
        }
    }

    #[test]
    fn no_text_panics(
        text in prop_oneof![any::<String>(), r#"[{}\[\]",:\\ a0é😀\x00-\x1f]{0,60}"#],
        start in prop::sample::select(vec!["", "{\"sender\":", "{\"sender\":\"", "{\"sender\":1,\"channel\":\"", "{\"sender\":1,\"channel\":\"a\",\"message\":"]),
    ) {
        let text = format!("{start}{text}");
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            for whole in [false, true] {
                if let Head::Envelope { payload, .. } = websocket::decode_head(&text[..cut], whole) {
                    prop_assert!(payload <= units(&text[..cut]).len());
                }
            }
        }
    }

    /// What `websocket` promises of its shortcut: if the rest is one JSON value, the frame is just these three members.
    #[test]
    fn a_frame_whose_payload_is_json_is_an_envelope(
        (sender, channel, message) in envelopes(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(prop::sample::select(vec!['{', '}', '"', ',', ':', '\\', ' ', '0', 'a', 'é', '\n', '\0']))), 1..3),
    ) {
        let mut frame: Vec<char> = encode(sender, &channel, &message).chars().collect();
        for (at, edit) in edits {
            let at = at.index(frame.len());
            match edit {
                Some(character) => frame.insert(at, character),
                None => drop(frame.remove(at)),
            }
        }
        let frame: String = frame.into_iter().collect();
        if let Head::Envelope { sender, channel, payload, .. } = websocket::decode_head(&frame, true)
            && let Some(rest) = slice(&units(&frame), payload, usize::MAX).strip_suffix(websocket::TAIL)
            && let Ok(message) = serde_json::from_str::<Value>(rest)
        {
            let whole: Map<String, Value> = serde_json::from_str(&frame).unwrap();
            prop_assert_eq!(whole.len(), 3);
            prop_assert_eq!(&whole["channel"], channel);
            prop_assert_eq!(&whole["message"], &message);
            match sender {
                Sender::Number(number) => prop_assert_eq!(to_number(&whole["sender"]), number as f64),
                Sender::Name(name) => prop_assert_eq!(&whole["sender"], name),
            }
        }
    }
}

#[test]
fn senders_that_the_head_can_judge() {
    let sender = |json: &str| {
        let frame = format!("{{\"sender\":{json},\"channel\":\"a\",\"message\":0}}");
        match websocket::decode_head(&frame, true) {
            Head::Envelope { sender, .. } => Some(match sender {
                Sender::Number(number) => Ok(number),
                Sender::Name(name) => Err(name.to_owned()),
            }),
            head => {
                assert_eq!(head, Head::Unclear, "{json}");
                None
            }
        }
    };
    for (json, number) in [
        ("0", 0),
        ("12", 12),
        ("\"12\"", 12),
        ("\"0\"", 0),
        ("9007199254740991", UserId::MAX.get()),
        ("\"9007199254740991\"", UserId::MAX.get()),
    ] {
        assert_eq!(sender(json), Some(Ok(number)), "{json}");
    }
    for name in ["abc", "a1", "Infinity", "e5", "a b", "zé"] {
        assert_eq!(sender(&format!("\"{name}\"")), Some(Err(name.into())));
    }
    for json in [
        "12.0",
        "12e0",
        "-12",
        "-0",
        "012",
        "90071992547409910",
        "true",
        "null",
        "[12]",
        "{}",
        "",
        "\"\"",
        "\" 12\"",
        "\"012\"",
        "\"+12\"",
        "\"0xc\"",
        "\"12px\"",
        "\"1e3\"",
        "\"\\u0061\"",
        "\"a\nb\"",
        "\"é\"",
    ] {
        assert_eq!(sender(json), None, "{json}");
    }
}

#[test]
fn offsets_count_utf16_units() {
    for (name, offset) in [
        ("a", 36),
        ("é", 36),
        ("日本", 37),
        ("😀", 37),
        ("😀é😀", 40),
    ] {
        let frame = encode(UserId::from_bits(7), name, &json!("ü"));
        let Head::Envelope { payload, .. } = websocket::decode_head(&frame, true) else {
            panic!("unclear: {frame}");
        };
        assert_eq!(payload, offset, "{name}");
        assert_eq!(slice(&units(&frame), payload, usize::MAX), "\"ü\"}");
    }
}

/// No sender of frames writes a member twice; here the head counts, where `JSON.parse` takes the last.
#[test]
fn of_a_member_named_twice_the_first_counts_unless_the_frame_is_read_whole() {
    let mut session = session(UserId::from_bits(7), &["a".into()]);
    let mut twice = |text: &str| session.receive(text, true);
    assert_eq!(
        twice(r#"{"sender":7,"channel":"b","message":1,"sender":8,"channel":"a"}"#),
        Received::Own
    );
    assert_eq!(
        twice(r#"{"sender":8,"channel":"b","message":1,"channel":"a"}"#),
        Received::Foreign
    );
    assert_eq!(
        twice(r#"{"sender":8,"sender":7,"channel":"a","message":1}"#),
        Received::Unclear
    );
}

// Whose a frame is.

/// What becomes of a frame; channels are told by their place in the list of open ones.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    Own,
    Foreign,
    Deliver(usize, Option<Value>),
}

fn session(userid: UserId, open: &[String]) -> Session<String, usize> {
    let config = Config {
        protocol: Protocol::WebSocket,
        ..Config::default()
    };
    let mut session = Session::new(config, userid, 1);
    for (at, name) in open.iter().enumerate() {
        session.open(0.0, name, at).unwrap();
    }
    session.opened(0.0);
    session
}

/// `Number(text)`.
fn string_to_number(text: &str) -> f64 {
    let white = |character: char| {
        (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
    };
    let text = text.trim_matches(white);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.to_ascii_lowercase().strip_prefix(prefix) {
            let digits_only = digits.chars().all(|digit| digit.is_digit(radix));
            let number = u64::from_str_radix(digits, radix);
            return number.map_or(
                f64::NAN,
                |number| if digits_only { number as f64 } else { f64::NAN },
            );
        }
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if text
            .chars()
            .all(|character| "0123456789+-.eE".contains(character)) =>
        {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// `String(value)`.
fn to_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let items = values.iter().map(|value| match value {
                Value::Null => String::new(),
                value => to_string(value),
            });
            items.collect::<Vec<_>>().join(",")
        }
        Value::Object(_) => "[object Object]".into(),
        value => value.to_string(),
    }
}

/// The number that `value == a number` compares.
fn to_number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Null => f64::NAN,
        value => string_to_number(&to_string(value)),
    }
}

/// The shim's reading: `if (data.sender == own) return; channels[data.channel].onmessage(data.message)`.
fn oracle(frame: &str, own: UserId, open: &[String]) -> Verdict {
    let data: Map<String, Value> = serde_json::from_str(frame).unwrap();
    let channel = data.get("channel").map_or("undefined".into(), to_string);
    if data
        .get("sender")
        .is_some_and(|sender| to_number(sender) == own.get() as f64)
    {
        return Verdict::Own;
    }
    match open.iter().position(|name| *name == channel) {
        Some(at) => Verdict::Deliver(at, data.get("message").cloned()),
        None => Verdict::Foreign,
    }
}

#[test]
fn the_oracle_knows_javascripts_equality() {
    let equal = |text: &str, own: u64| to_number(&text.into()) == own as f64;
    // Recorded from Node 20.
    for text in [
        "12",
        " 12\n",
        "\u{feff}12\u{a0}",
        "012",
        "0xC",
        "0Xc",
        "0o14",
        "0b1100",
        "1.2e1",
        "+12",
        "12.",
        ".12e2",
        "12.0",
        "120e-1",
    ] {
        assert!(equal(text, 12), "{text:?}");
    }
    for text in [
        "\u{85}12",
        "-12",
        "12px",
        "1_2",
        "0x",
        "1e",
        "e1",
        "",
        " ",
        "Infinity",
        "-Infinity",
        "infinity",
        "NaN",
        "abc",
        "0x1g",
        "0x+c",
        "--12",
    ] {
        assert!(!equal(text, 12), "{text:?}");
    }
    assert!(equal("", 0) && equal(" ", 0) && equal("-0", 0) && !equal("abc", 0));
    assert_eq!(to_number(&json!(true)), 1.0);
    assert!(to_number(&json!(null)).is_nan() && to_number(&json!({})).is_nan());
    assert_eq!(to_number(&json!([["12"]])), 12.0);
    assert_eq!(to_string(&json!([null, 1, [2, 3]])), ",1,2,3");
}

/// A frame that is JSON, and an object; no member stands in it twice.
#[derive(Debug, Clone)]
struct Frame {
    text: String,
    canonical: bool,
    own: UserId,
    open: Vec<String>,
}

/// The sender as it may stand in a frame, be it JSON of a number or of a string.
fn senders(own: UserId) -> impl Strategy<Value = String> {
    let own = own.get();
    let quoted = |text: String| Value::from(text).to_string();
    prop_oneof![
        9 => Just(own.to_string()),
        12 => (0..1u64 << 53).prop_map(|number| number.to_string()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => (-20..20i64).prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("JSON", |number| number.is_finite()).prop_map(|number| json!(number).to_string()),
        3 => prop::sample::select(vec![
            format!("{own}.0"), format!("{own}e0"), format!("-{own}"), format!("{own}e-0"), format!("{own}.5"),
            "true".into(), "false".into(), "null".into(), format!("[{own}]"), "{}".into(), "[]".into(),
        ]),
        3 => prop::sample::select(vec![
            own.to_string(), format!(" {own}"), format!("{own} "), format!("0x{own:x}"), format!("0{own}"), format!("+{own}"),
            format!("-{own}"), format!("{own}.0"), format!("{own}e0"), format!("{own}px"), format!("a{own}"), format!("\u{feff}{own}"),
            "12".into(), " 12".into(), "0x1f".into(), "1e3".into(), "".into(), " ".into(), "Infinity".into(), "abc".into(), "é".into(),
        ]).prop_map(quoted),
        1 => "[a-z]{1,120}".prop_map(quoted),
        1 => "[a-zé]{60,100}".prop_map(quoted),
        1 => any::<String>().prop_map(quoted),
        1 => Just(format!("\"\\u00{:x}{}\"", own.to_string().as_bytes()[0], &own.to_string()[1..])),
    ]
}

/// The channel as it may stand in a frame: mostly an open one.
fn channels(open: Vec<String>) -> impl Strategy<Value = String> {
    let known = if open.is_empty() {
        vec!["a".into()]
    } else {
        open
    };
    let escaped = |name: String| {
        let units = name.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    };
    prop_oneof![
        9 => prop::sample::select(known.clone()).prop_map(|name| Value::from(name).to_string()),
        1 => prop::sample::select(known.clone()).prop_map(escaped),
        1 => (prop::sample::select(known), "[a-z]{1,150}").prop_map(|(name, more)| Value::from(name + &more).to_string()),
        3 => names().prop_map(|name| Value::from(name).to_string()),
        1 => prop::sample::select(vec!["5", "5.5", "null", "true", "[5]", "{}"]).prop_map(String::from),
    ]
}

fn members(own: UserId, open: Vec<String>) -> impl Strategy<Value = Vec<(String, String)>> {
    let extra =
        ("id|time|[x-z]{1,9}", messages()).prop_map(|(name, value)| (name, value.to_string()));
    let canonical =
        (senders(own), channels(open), messages()).prop_map(|(sender, channel, message)| {
            let member = |name: &str, json| (String::from(name), json);
            vec![
                member("sender", sender),
                member("channel", channel),
                member("message", message.to_string()),
            ]
        });
    (
        canonical,
        prop::option::weighted(0.4, extra),
        any::<prop::sample::Index>(),
        prop::option::weighted(0.1, 0..3usize),
    )
        .prop_map(|(mut members, extra, at, missing)| {
            if let Some(missing) = missing {
                members.remove(missing);
            }
            if let Some(extra) = extra {
                members.insert(at.index(members.len() + 1), extra);
            }
            members
        })
}

fn frames() -> impl Strategy<Value = Frame> {
    let spaces = || prop::sample::select(vec!["", "", "", " ", "\n\t"]);
    let open = prop::collection::hash_set(names(), 0..4).prop_map(Vec::from_iter);
    (userids(), open)
        .prop_flat_map(move |(own, open)| {
            let ordered = prop_oneof![
                5 => members(own, open.clone()),
                1 => members(own, open.clone()).prop_shuffle(),
            ];
            (
                Just(own),
                Just(open),
                ordered,
                prop::bool::weighted(0.1),
                [spaces(), spaces(), spaces(), spaces()],
            )
        })
        .prop_map(|(own, open, members, spaced, spaces)| {
            let [before, colon, comma, after] = if spaced { spaces } else { [""; 4] };
            let parts: Vec<_> = members
                .iter()
                .map(|(name, json)| format!("\"{name}\"{colon}:{before}{json}"))
                .collect();
            let text = format!(
                "{before}{{{after}{}{colon}}}{after}",
                parts.join(&format!("{comma},{after}"))
            );
            let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
            let canonical = names == ["sender", "channel", "message"]
                && [before, colon, comma, after] == [""; 4];
            Frame {
                text,
                canonical,
                own,
                open,
            }
        })
}

/// How often each thing was seen: a check that was never made checks nothing.
#[derive(Debug, Default)]
struct Tally {
    own: Cell<u32>,
    foreign: Cell<u32>,
    delivered: Cell<u32>,
    delivered_in_part: Cell<u32>,
    unclear: Cell<u32>,
    long_names: Cell<u32>,
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

/// Reads a frame as the driver does.
fn read(frame: &Frame, session: &mut Session<String, usize>, tally: &Tally) -> Verdict {
    let text = units(&frame.text);
    let head_length = session.head_length();
    let head = slice(&text, 0, head_length);
    let whole = text.len() <= head_length;
    if let Head::LongName { .. } = websocket::decode_head(&head, whole) {
        count(&tally.long_names);
    }
    match session.receive(&head, whole) {
        Received::Own => {
            count(&tally.own);
            return Verdict::Own;
        }
        Received::Foreign => {
            count(&tally.foreign);
            return Verdict::Foreign;
        }
        Received::Deliver(at, payload) => {
            let payload = slice(&text, payload, text.len() - 1);
            let message = serde_json::from_str(&payload).ok();
            if slice(&text, text.len() - 1, text.len()) == websocket::TAIL
                && let Some(message) = message
            {
                count(&tally.delivered);
                return Verdict::Deliver(at, Some(message));
            }
            // More members follow.
            assert!(!frame.canonical, "the payload's range is wrong: {payload}");
            count(&tally.delivered_in_part);
        }
        Received::Unclear => count(&tally.unclear),
    }
    // The whole-frame path; what the browser tells the session of the frame is JavaScript's own doing, and here the oracle's.
    let data: Map<String, Value> = serde_json::from_str(&frame.text).unwrap();
    let own = oracle(&frame.text, frame.own, &[]) == Verdict::Own;
    let channel = data.get("channel").map_or("undefined".into(), to_string);
    match session.receive_whole(own, &channel, "") {
        Received::Deliver(at, 0) => Verdict::Deliver(at, data.get("message").cloned()),
        Received::Own => Verdict::Own,
        Received::Foreign => Verdict::Foreign,
        verdict => panic!("{verdict:?} of a whole frame"),
    }
}

#[test]
fn the_head_path_and_the_whole_frame_path_agree_on_every_frame() {
    let tally = Tally::default();
    TestRunner::new(cases(3000))
        .run(&frames(), |frame| {
            let mut session = session(frame.own, &frame.open);
            prop_assert_eq!(
                read(&frame, &mut session, &tally),
                oracle(&frame.text, frame.own, &frame.open)
            );
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    for seen in [
        &tally.own,
        &tally.foreign,
        &tally.delivered,
        &tally.delivered_in_part,
        &tally.unclear,
        &tally.long_names,
    ] {
        assert!(seen.get() >= 5, "{tally:?}");
    }
}

/// A sender that is a long token takes so much of the head that even a short name runs past it.
#[test]
fn a_long_sender_does_not_make_a_channel_foreign() {
    let mut session = session(UserId::from_bits(7), &["room".into()]);
    for length in 1..200 {
        let text = format!(
            r#"{{"sender":"{}","channel":"room","message":1}}"#,
            "t".repeat(length)
        );
        let received = session.receive(&text[..session.head_length().min(text.len())], false);
        assert!(
            matches!(received, Received::Deliver(0, _) | Received::Unclear),
            "{length}: {received:?}"
        );
    }
}

proptest! {
    #![proptest_config(cases(700))]

    /// What keeps receiving cheap: the shim's frames are judged by their head alone, however long they are.
    #[test]
    fn the_head_decides_of_canonical_frames(
        own in userids(),
        sender in userids(),
        open in prop::collection::vec("[a-zé😀]{0,30}", 1..4),
        name in "[a-zé😀]{0,100}",
        quoted: bool,
    ) {
        let mut session = session(own, &open);
        let mut frame = encode(sender, &name, &"x".repeat(1000).into());
        if quoted {
            let number = sender.get();
            frame = frame.replacen(&format!(":{number},"), &format!(":\"{number}\","), 1);
        }
        let received = session.receive(&slice(&units(&frame), 0, session.head_length()), false);
        prop_assert_ne!(received, Received::Unclear);
    }
}

#[test]
fn foreign_names_longer_than_any_open_one_are_foreign_by_the_head() {
    let mut session = session(UserId::from_bits(7), &["a".into(), "日本語".into()]);
    assert_eq!(
        session.head_length(),
        websocket::HEAD_WITHOUT_NAME + "日本語".len()
    );
    let length = session.head_length();
    let head = |sender: u64| {
        let frame = encode(UserId::from_bits(sender), &"é".repeat(5000), &Value::Null);
        slice(&units(&frame), 0, length)
    };
    assert_eq!(session.receive(&head(8), false), Received::Foreign);
    assert_eq!(session.receive(&head(7), false), Received::Own);
    assert_eq!(session.receive(&head(8), true), Received::Unclear);
}
