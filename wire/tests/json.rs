//! The JSON reader and writer, against serde_json and the standard library.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use proptest::test_runner::Config as Proptest;
use serde_json::value::RawValue;
use signal_wire::json::{
    PlainString, Scanner, items, members, members_without, quoted, string, whole_number,
    write_number,
};

fn cases() -> Proptest {
    Proptest {
        cases: 1000,
        failure_persistence: None,
        ..Proptest::default()
    }
}

/// Whether the reader takes a text for one JSON value.
fn is_json(text: &str) -> bool {
    items(&format!("[{text}\n]")).is_some_and(|items| items.len() == 1)
}

#[test]
fn control_characters_as_json_stringify_writes_them() {
    assert_eq!(
        quoted("\0\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1f}\u{7f}"),
        "\"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001f\u{7f}\""
    );
    assert_eq!(quoted("\"\\/é\u{2028}😀"), "\"\\\"\\\\/é\u{2028}😀\"");
}

#[test]
fn whole_numbers_of_jsons_grammar_only() {
    let take = |text| {
        let mut scanner = Scanner { rest: text };
        scanner.whole_number().map(|number| (number, scanner.rest))
    };
    assert_eq!(take("0,"), Some((0, ",")));
    assert_eq!(take("9007199254740991}"), Some((9007199254740991, "}")));
    for text in ["007", "-1", "12345678901234567", ""] {
        assert_eq!(take(text), None, "{text}");
    }
    assert_eq!(whole_number("17"), Some(17));
    for text in ["17 ", "1.0", "1e3", "\"17\""] {
        assert_eq!(whole_number(text), None, "{text}");
    }
}

#[test]
fn plain_strings_end_at_their_quote() {
    let take = |text, quote| {
        let mut scanner = Scanner { rest: text };
        (scanner.plain_string(quote), scanner.rest)
    };
    assert_eq!(take("ab\",1", "\""), (PlainString::Closed("ab"), ",1"));
    assert_eq!(take("ab\\\",1", "\\\""), (PlainString::Closed("ab"), ",1"));
    assert_eq!(take("ab", "\"").0, PlainString::Open);
    assert_eq!(take("a\\n\"", "\"").0, PlainString::NotPlain);
    assert_eq!(take("a\nb\"", "\"").0, PlainString::NotPlain);
    assert_eq!(take("a\"", "\\\"").0, PlainString::NotPlain);
}

#[test]
fn members_keep_their_order_and_the_text_of_their_values() {
    let found = members(" { \"a\" : [ 1 , {} ] ,\n\"\\u0062\":-1.5e+3, \"a\":\"}\" } ").unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|member| (member.key, &*member.name, member.value))
        .collect();
    assert_eq!(
        found,
        [
            ("\"a\"", "a", "[ 1 , {} ]"),
            ("\"\\u0062\"", "b", "-1.5e+3"),
            ("\"a\"", "a", "\"}\"")
        ]
    );
    assert_eq!(members("{}"), Some(vec![]));
    assert_eq!(items("[]"), Some(vec![]));
    assert_eq!(
        items("[ null,[true,false ] ]"),
        Some(vec!["null", "[true,false ]"])
    );
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "{",
        "}",
        "{}{}",
        "{} x",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":[1}",
        "{\"a\":{]}",
        "\u{feff}{}",
        "[]",
        "null",
        "{\"a\n\":1}",
        "{}\u{1e}",
        "{1:2}",
    ] {
        assert_eq!(members(text), None, "{text}");
    }
    for text in [
        "", "[", "]", "[]]", "[,]", "[1,]", "[,1]", "[1 2]", "{}", "[1}", "[\"]", "[//]",
    ] {
        assert_eq!(items(text), None, "{text}");
    }
    for text in [
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "TRUE",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\t\"",
        "\"\\",
        "undefined",
        "1,2",
    ] {
        assert!(!is_json(text), "{text}");
    }
}

#[test]
fn depth_is_no_matter() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(is_json(&deep));
    assert!(!is_json(&deep[1..]));
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(members(&deep).is_some());
}

#[test]
fn strings_as_javascript_reads_them() {
    for (json, text) in [
        (r#""""#, ""),
        (r#""a\"b\\c\/""#, "a\"b\\c/"),
        (r#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
        (r#""\u00e9\ud83d\ude00é""#, "é😀é"),
        // Half a pair, as it arrives in WebAssembly.
        (r#""\ud83dx\ude00""#, "\u{fffd}x\u{fffd}"),
    ] {
        assert_eq!(string(json).as_deref(), Some(text), "{json}");
    }
    for json in ["1", "null", "", "\"", "[\"a\"]"] {
        assert_eq!(string(json), None, "{json}");
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn strings_are_what_serde_json_reads(text: String) {
        let written = quoted(&text);
        let read: Option<String> = serde_json::from_str(&written).ok();
        prop_assert_eq!(read.as_deref(), Some(&*text));
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        for json in [written, format!("\"{escaped}\"")] {
            let read = string(&json);
            prop_assert_eq!(read.as_deref(), Some(&*text));
        }
    }

    #[test]
    fn numbers_are_what_the_standard_library_writes(number: u64) {
        let mut out = String::new();
        write_number(&mut out, number);
        prop_assert_eq!(out, number.to_string());
    }

    /// The reader and serde_json agree on what JSON is.
    #[test]
    fn no_text_panics_and_json_is_what_serde_json_takes(
        text in prop_oneof![
            any::<String>(),
            r#"[{}\[\]",:\\ a0truefalsn.eE+-]{0,12}"#,
            r#"(\{"a":)?[\[{]?("[a-z\\"]{0,3}"|-?[0-9]{0,2}(\.[0-9]?)?([eE][+-]?[0-9]?)?|true|null)[,:]?"?[\]}]?\}?"#,
        ],
    ) {
        let expected = serde_json::from_str::<&RawValue>(&text).is_ok();
        // Between brackets a comma would be between two items.
        if let Some(found) = items(&format!("[{text}]")) {
            prop_assert_eq!(found.len() == 1, expected);
        } else {
            prop_assert!(!expected);
        }
        prop_assert_eq!(members(&text).is_some(), expected && text.trim_start().starts_with('{'));
        let _ = string(&text);
        let mut scanner = Scanner { rest: &text };
        let _ = (scanner.whole_number(), scanner.plain_string("\""), scanner.plain_string("\\\""), scanner.literal("\""));
    }
}

#[test]
fn members_without_some_keep_their_text() {
    let object = r#" {"a" : 1,"b":[2, 3],"\u0062":4,"c":"x"} "#;
    assert_eq!(
        members_without(object, &["b"]).as_deref(),
        Some(r#""a":1,"c":"x","#)
    );
    assert_eq!(members_without("{}", &[]).as_deref(), Some(""));
    assert_eq!(members_without("[1]", &[]), None);
}
