//! The envelope: against serde_json, and against what `JSON.stringify` writes.
//!
//! What's tested:
//! * encoding: the shim's bytes, for every sender, channel and message
//! * decoding a head: no text panics; every cut of a frame; offsets in UTF-16 units; what the head
//!   says holds for the whole frame
//! * reading the whole: members in any order become canonical, values byte for byte
#![cfg(not(target_arch = "wasm32"))]
// A helper of a test may fail the test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config as Proptest;
use serde_json::{Map, Value, json};
use signal_wire::envelope::{self, TAIL};
use signal_wire::{Embedding, Envelope, Head, Sender, UserId};

/// Nothing is written to disk: a failure prints its smallest input, which then becomes a test of
/// its own.
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
    envelope::encode_head(sender, channel, None) + &message.to_string() + TAIL
}

fn decode(head: &str, whole: bool) -> Head<'_> {
    envelope::decode_head(head, 0, Embedding::Object, whole)
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// `text.slice(start, end)`; a pair that is cut in two becomes U+FFFD, as on the way from
/// JavaScript into wasm.
fn slice(text: &[u16], start: usize, end: usize) -> String {
    String::from_utf16_lossy(&text[start.min(text.len())..end.min(text.len())])
}

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
        match decode(&frame, true) {
            Head::Envelope { sender: read, channel: name, payload, .. } => {
                prop_assert_eq!(read, Sender::Number(sender.get()));
                prop_assert_eq!(name, &channel);
                let frame = units(&frame);
                let payload = slice(&frame, payload, frame.len() - TAIL.len());
                prop_assert_eq!(payload, message.to_string());
            }
            head => {
                prop_assert_eq!(head, Head::NeedsFullParse);
                // Only what has to be escaped is left to the whole-frame path.
                prop_assert!(serde_json::to_string(&channel).unwrap().contains('\\'));
            }
        }
    }

    #[test]
    fn every_cut_of_a_frame_tells_the_same_or_less((sender, channel, message) in envelopes()) {
        let frame = encode(sender, &channel, &message);
        let whole = decode(&frame, true);
        let name = format!("{{\"sender\":{},\"channel\":\"", sender.get()).len();
        for cut in (0..=frame.len()).filter(|cut| frame.is_char_boundary(*cut)) {
            let head = &frame[..cut];
            match decode(head, false) {
                Head::NeedsFullParse => {}
                Head::NotOurs { sender: read } => {
                    prop_assert_eq!(read, Sender::Number(sender.get()));
                    // All up to the message counts: whoever has room for the name cuts the head
                    // behind it.
                    prop_assert!((name..name + channel.len() + "\",\"message\":".len()).contains(&cut));
                }
                head => prop_assert_eq!(head, whole),
            }
            let not_ours = matches!(decode(head, true), Head::NotOurs { .. });
            prop_assert!(!not_ours);
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
                if let Head::Envelope { payload, .. } = decode(&text[..cut], whole) {
                    prop_assert!(payload <= units(&text[..cut]).len());
                }
            }
        }
    }

    /// What `decode_head` promises of its shortcut: if the rest is one JSON value, the frame is
    /// just these three members.
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
        if let Head::Envelope { sender, channel, payload, .. } = decode(&frame, true)
            && let Some(rest) = slice(&units(&frame), payload, usize::MAX).strip_suffix(TAIL)
            && let Ok(message) = serde_json::from_str::<Value>(rest)
        {
            let whole: Map<String, Value> = serde_json::from_str(&frame).unwrap();
            prop_assert_eq!(whole.len(), 3);
            prop_assert_eq!(&whole["channel"], channel);
            prop_assert_eq!(&whole["message"], &message);
            match sender {
                Sender::Number(number) => {
                    let written = whole["sender"].to_string();
                    prop_assert_eq!(written.trim_matches('"'), number.to_string());
                }
                Sender::Name(name) => prop_assert_eq!(&whole["sender"], name),
            }
        }
    }
}

#[test]
fn senders_that_the_head_can_judge() {
    let sender = |json: &str| {
        let frame = format!("{{\"sender\":{json},\"channel\":\"a\",\"message\":0}}");
        match decode(&frame, true) {
            Head::Envelope { sender, .. } => Some(match sender {
                Sender::Number(number) => Ok(number),
                Sender::Name(name) => Err(name.to_owned()),
            }),
            head => {
                assert_eq!(head, Head::NeedsFullParse, "{json}");
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
        let Head::Envelope { payload, .. } = decode(&frame, true) else {
            panic!("not canonical: {frame}");
        };
        assert_eq!(payload, offset, "{name}");
        assert_eq!(slice(&units(&frame), payload, usize::MAX), "\"ü\"}");
    }
}

// Reading the whole.

/// JSON as somebody may write it, white space included.
fn json_texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| json!(text).to_string()),
        Just(r#""\ud800\u0000\/""#.to_owned()),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| format!("[ {}]", items.join(" ,\t"))),
            prop::collection::vec((any::<String>(), inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{} :{value}", json!(key)))
                    .collect();
                format!("{{{}\n}}", members.join(", "))
            }),
        ]
    })
}

fn own() -> UserId {
    UserId::from_bits(77)
}

fn canonical(text: &str) -> Option<String> {
    Some(Envelope::read(text)?.canonical(Some(own()), true).text)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_message_survives_byte_for_byte(channel: String, message in json_texts(), other in json_texts(), order in Just([0, 1, 2, 3]).prop_shuffle()) {
        let members = [
            r#""sender":12"#.to_owned(),
            format!("\"channel\":{}", json!(channel)),
            format!("\"message\":{message}"),
            format!("\"other\":{other}"),
        ];
        let text = format!("{{{}}}", order.map(|place| members[place].clone()).join(","));
        let wanted = format!("{{{}}}", members.join(","));
        prop_assert_eq!(canonical(&text), Some(wanted.clone()));
        prop_assert_eq!(&Envelope::read(&text).unwrap().channel, &channel);
        // A second time changes nothing.
        prop_assert_eq!(canonical(&wanted), Some(wanted));
    }

    #[test]
    fn the_canonical_text_is_what_the_library_writes_and_reads(name: String, message in json_texts()) {
        let text = format!("{{\"message\":{message},\"channel\":{}}}", json!(name));
        let read = Envelope::read(&text).unwrap();
        let made = read.canonical(Some(own()), true);
        let wanted = envelope::encode_head(own(), &name, None) + &message + TAIL;
        prop_assert_eq!(&made.text, &wanted);
        prop_assert_eq!(made.text.split_at(made.id_place).1, format!(",\"message\":{message}}}"));
        if let Head::Envelope { sender, channel, .. } = decode(&made.text, true) {
            prop_assert!(sender.is(own()));
            prop_assert_eq!(channel, &name);
        } else {
            prop_assert!(json!(name).to_string().contains('\\'));
        }
    }
}

#[test]
fn what_is_left_out_and_what_is_added() {
    let text = r#"{"x":1,"ref":9,"id":"5","message":[2],"channel":"a"}"#;
    let read = Envelope::read(text).unwrap();
    assert_eq!(read.reference(), Some("9"));
    let text = |own, with_reference| read.canonical(own, with_reference).text;
    assert_eq!(
        text(None, true),
        r#"{"channel":"a","message":[2],"x":1,"ref":9}"#
    );
    assert_eq!(
        text(Some(own()), false),
        r#"{"sender":77,"channel":"a","message":[2],"x":1}"#
    );
}

#[test]
fn channels_are_strings_or_numbers() {
    let channel = |json: &str| {
        let text = format!("{{\"channel\":{json}}}");
        Envelope::read(&text).map(|read| read.channel.into_owned())
    };
    assert_eq!(channel("\"a\\u0062\""), Some("ab".into()));
    assert_eq!(channel("5"), Some("5".into()));
    assert_eq!(channel("-1.50"), Some("-1.50".into()));
    assert_eq!(
        channel("\"\\ud83d\\ude00\\ud800\""),
        Some("😀\u{fffd}".into())
    );
    for json in ["null", "true", "[]", "{}", "", "\"a", "a"] {
        assert_eq!(channel(json), None, "{json}");
    }
    // Half a pair can't be written again: it stays as it is.
    let half = r#"{"channel":"\ud800a","message":1}"#;
    assert_eq!(
        canonical(half).unwrap(),
        format!("{{\"sender\":77,{}", &half[1..])
    );
}

#[test]
fn of_a_member_named_twice_the_last_counts() {
    let text = r#"{"channel":"a","sender":1,"message":1,"ref":1,"channel":"b","sender":2,"message":2,"ref":2}"#;
    let read = Envelope::read(text).unwrap();
    assert_eq!((&*read.channel, read.reference()), ("b", Some("2")));
    assert_eq!(
        read.canonical(None, false).text,
        r#"{"sender":2,"channel":"b","message":2}"#
    );
}

#[test]
fn an_envelope_may_have_no_channel() {
    let head = envelope::encode_unnamed_head(own());
    assert_eq!(format!("{head}1{TAIL}"), r#"{"sender":77,"message":1}"#);
    for (text, wanted) in [
        (
            r#"{"sender":5,"message":1}"#,
            Some(r#"{"sender":5,"message":1}"#),
        ),
        (
            r#" {"message" : [1], "sender":"5"} "#,
            Some(r#"{"sender":"5","message":[1]}"#),
        ),
        (r#"{"message":1}"#, Some(r#"{"sender":77,"message":1}"#)),
        (
            r#"{"sender":5,"message":1,"message":2}"#,
            Some(r#"{"sender":5,"message":2}"#),
        ),
        // Messages of other programs.
        (r#"{"sender":5}"#, None),
        (r#"{"sender":5,"message":1,"id":"7"}"#, None),
        (r#"{"sender":5,"message":1,"ref":7}"#, None),
        (r#"{"sender":5,"message":1,"type":"chat"}"#, None),
        ("{}", None),
        ("[]", None),
    ] {
        assert_eq!(canonical(text).as_deref(), wanted, "{text}");
        if wanted.is_some() {
            assert_eq!(Envelope::read(text).unwrap().channel, envelope::UNNAMED);
        }
    }
    let anonymous = Envelope::read(r#"{"message":1}"#).unwrap();
    assert!(anonymous.is_anonymous());
    let made = anonymous.canonical(None, true);
    assert_eq!(made.text, r#"{"sender":null,"message":1}"#);
    assert_eq!(made.id_place, r#"{"sender":null"#.len());
    for text in [r#"{"sender":5,"message":1}"#, r#"{"channel":"a"}"#] {
        assert!(!Envelope::read(text).unwrap().is_anonymous());
    }
}

#[test]
fn a_user_is_vouched_for_whatever_the_sender_wrote() {
    let vouched = |text: &str| {
        let mut envelope = Envelope::read(text).unwrap();
        envelope.vouch("\"alice\"");
        envelope.canonical(None, false).text
    };
    for (text, expected) in [
        (
            r#"{"sender":5,"channel":"a","message":1}"#,
            r#"{"sender":5,"channel":"a","message":1,"user":"alice"}"#,
        ),
        (
            r#"{"user":1,"channel":"a","x":2,"\u0075ser":{"a":"b"},"message":1}"#,
            r#"{"channel":"a","message":1,"x":2,"user":"alice"}"#,
        ),
        (
            r#"{"sender":5,"message":1}"#,
            r#"{"sender":5,"message":1,"user":"alice"}"#,
        ),
    ] {
        assert_eq!(vouched(text), expected);
        // Another relay reads it, too.
        let read = Envelope::read_canonical(expected).unwrap();
        assert_eq!(read.canonical(None, false).text, expected);
        assert_eq!(read.user().as_deref(), Some("alice"));
        assert_eq!(read.has_channel(), expected.contains("channel"));
    }
    let envelope = Envelope::read(r#"{"sender":"5","channel":"a"}"#).unwrap();
    assert_eq!(envelope.sender(), Some("\"5\""));
}
