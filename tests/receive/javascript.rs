//! The host of these tests does what JavaScript does: recorded from Node 20.

use crate::support::host::{HostText, HostValue};
use signal_wasm::protocol::{Text, Value};

fn parse(json: &str) -> HostValue {
    HostText::new(json).parse().unwrap()
}

#[test]
fn strings_equal_numbers_as_in_javascript() {
    let equal = |text: &str, own: u64| {
        let value = HostValue(Some(text.into()));
        value.to_number() == Some(own as f64)
    };
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
    assert!(equal("0x1fffffffffffff", (1 << 53) - 1));
}

/// JSON, the number that `==` compares (`None`: it equals no number), and `String(value)`.
const VALUES: [(&str, Option<f64>, &str); 17] = [
    ("null", None, "null"),
    ("true", Some(1.0), "true"),
    ("false", Some(0.0), "false"),
    ("\"x\"", None, "x"),
    ("[]", Some(0.0), ""),
    ("[null,1,[2,3]]", None, ",1,2,3"),
    ("{}", None, "[object Object]"),
    ("[{}]", None, "[object Object]"),
    ("{\"valueOf\":1}", None, "[object Object]"),
    // Both throw.
    ("{\"toString\":1}", None, ""),
    ("[{\"toString\":1}]", None, ""),
    ("[[\"12\"]]", Some(12.0), "12"),
    ("[12]", Some(12.0), "12"),
    ("[1,2]", None, "1,2"),
    ("\"\"", Some(0.0), ""),
    ("\" 12 \"", Some(12.0), " 12 "),
    ("\"0x1g\"", None, "0x1g"),
];

#[test]
fn values_become_numbers_and_strings_as_in_javascript() {
    for (json, number, text) in VALUES {
        let value = parse(json);
        let found = value.to_number().filter(|number| !number.is_nan());
        assert_eq!((found, &*value.to_text()), (number, text), "{json}");
    }
    let undefined = parse("{}").member("none");
    assert!(undefined.is_undefined() && undefined.to_number().unwrap().is_nan());
    assert_eq!(undefined.to_text(), "undefined");
}

#[test]
fn numbers_become_strings_as_in_javascript() {
    for (json, text) in [
        ("0", "0"),
        ("-0", "0"),
        ("1.0", "1"),
        ("5.5", "5.5"),
        ("-7", "-7"),
        ("1e21", "1e+21"),
        ("1e20", "100000000000000000000"),
        ("1e-6", "0.000001"),
        ("1e-7", "1e-7"),
        ("1.5e-7", "1.5e-7"),
        ("-1.25e30", "-1.25e+30"),
        ("9007199254740993", "9007199254740992"),
        ("0.1", "0.1"),
        ("1e300", "1e+300"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ] {
        assert_eq!(parse(json).to_text(), text, "{json}");
    }
}

#[test]
fn texts_are_counted_and_cut_in_utf16_units() {
    let text = HostText::new("a😀é");
    assert_eq!(text.length(), 4);
    assert_eq!(text.head(2), "a\u{fffd}");
    assert_eq!(text.head(9), "a😀é");
    assert_eq!(text.slice(1, 3), "😀".into());
    assert_eq!(text.slice(3, 1), "".into());
    assert!(text.contains_from("😀", 1) && !text.contains_from("😀", 3));
    assert_eq!(text.between("<", ">"), "<a😀é>".into());
    assert_eq!(text.followed_by(&"b".into()), "a😀éb".into());
    assert_eq!(
        HostText::new("a\u{1e}\u{1e}b").split("\u{1e}"),
        ["a".into(), "".into(), "b".into()]
    );
    assert_eq!(
        HostText::new("\"\u{7f}\u{b}\u{2028}é\\").quoted(),
        "\"\\\"\u{7f}\\u000b\u{2028}é\\\\\"".into()
    );
}
