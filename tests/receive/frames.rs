//! What random frames are made of.

use proptest::prelude::*;
use serde_json::{Value, json};
use signal_wire::UserId;

pub fn userids() -> impl Strategy<Value = UserId> {
    prop_oneof![
        Just(UserId::MAX),
        (0..20u64).prop_map(UserId::from_bits),
        (5_000..65_536u64).prop_map(UserId::from_bits),
        any::<u64>().prop_map(UserId::from_bits),
    ]
}

pub fn names() -> impl Strategy<Value = String> {
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

/// A frame that is JSON, and an object; no member stands in it twice.
#[derive(Debug, Clone)]
pub struct Frame {
    pub text: String,
    pub is_canonical: bool,
    pub own: UserId,
    pub open: Vec<String>,
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

pub fn frames() -> impl Strategy<Value = Frame> {
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
            let is_canonical = names == ["sender", "channel", "message"]
                && [before, colon, comma, after] == [""; 4];
            Frame {
                text,
                is_canonical,
                own,
                open,
            }
        })
}
