//! As much JSON (RFC 8259) as heads need: a string written as `JSON.stringify` writes it, and a scanner that never looks back.

use alloc::string::String;

/// The digits of hexadecimal numbers.
pub(super) const HEX: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
];

/// Appends `text` as a JSON string, quotes included, byte for byte what `JSON.stringify` makes of it.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        let short = match character {
            '"' | '\\' => character,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\0'..' ' => {
                out.push_str(if character < '\u{10}' {
                    "\\u000"
                } else {
                    "\\u001"
                });
                out.extend(HEX.get(character as usize & 15));
                continue;
            }
            _ => {
                out.push(character);
                continue;
            }
        };
        out.push('\\');
        out.push(short);
    }
    out.push('"');
}

/// Appends a whole number in decimal digits, without the weight of `core::fmt`.
pub(super) fn write_number(out: &mut String, number: u64) {
    if number >= 10 {
        write_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Where a string without escapes ended.
#[derive(Debug, PartialEq, Eq)]
pub enum PlainString<'a> {
    /// At its closing quote, which is taken.
    Closed(&'a str),
    /// Not within the text.
    Open,
    /// At an escape, or at a control character, which JSON doesn't allow.
    Odd,
}

/// Reads a text from its start; each method that succeeds moves on past what it read.
#[derive(Debug, Clone, Copy)]
pub struct Scanner<'a> {
    /// What hasn't been read yet.
    pub rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Takes exactly `literal`.
    #[inline]
    pub fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// Takes a whole number of JSON's grammar, of at most 16 digits and no sign.
    #[inline]
    pub fn whole_number(&mut self) -> Option<u64> {
        let end = self
            .rest
            .bytes()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        if digits.is_empty() || digits.len() > 16 || (digits.len() > 1 && digits.starts_with('0')) {
            return None;
        }
        self.rest = rest;
        Some(
            digits
                .bytes()
                .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
        )
    }

    /// Takes the rest of a string whose opening quote was taken; `quote` closes it: `"`, or `\"` inside another string.
    #[inline]
    pub fn plain_string(&mut self, quote: &str) -> PlainString<'a> {
        let Some(end) = self
            .rest
            .bytes()
            .position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')
        else {
            return PlainString::Open;
        };
        match (
            self.rest.get(..end),
            self.rest
                .get(end..)
                .and_then(|rest| rest.strip_prefix(quote)),
        ) {
            (Some(string), Some(rest)) => {
                self.rest = rest;
                PlainString::Closed(string)
            }
            _ => PlainString::Odd,
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        write_string(&mut out, text);
        out
    }

    #[test]
    fn control_characters_as_json_stringify_writes_them() {
        assert_eq!(
            written("\0\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1f}\u{7f}"),
            "\"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001f\u{7f}\""
        );
        assert_eq!(written("\"\\/é\u{2028}😀"), "\"\\\"\\\\/é\u{2028}😀\"");
    }

    #[test]
    fn whole_numbers_of_jsons_grammar_only() {
        let take = |text| {
            let mut scanner = Scanner { rest: text };
            scanner.whole_number().map(|number| (number, scanner.rest))
        };
        assert_eq!(take("0,"), Some((0, ",")));
        assert_eq!(take("9007199254740991}"), Some((9007199254740991, "}")));
        assert_eq!(take("007"), None);
        assert_eq!(take("-1"), None);
        assert_eq!(take("12345678901234567"), None);
        assert_eq!(take(""), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn strings_are_what_serde_json_reads(text: String) {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).ok(), Some(text));
        }

        #[test]
        fn numbers_are_what_the_standard_library_writes(number: u64) {
            let mut out = String::new();
            write_number(&mut out, number);
            prop_assert_eq!(out, number.to_string());
        }

        #[test]
        fn no_text_panics(text: String) {
            let mut scanner = Scanner { rest: &text };
            let _ = scanner.whole_number();
            let _ = scanner.plain_string("\"");
            let _ = scanner.plain_string("\\\"");
            let _ = scanner.literal("\"");
        }
    }
}
