//! A host for the library without JavaScript: its texts and JSON values, made of Rust's strings and
//! serde_json's values.
//!
//! Both behave as JavaScript's do, with two exceptions. Half a surrogate pair is U+FFFD from the
//! start, where JavaScript's string keeps it. And JSON is what serde_json reads: no halves of
//! surrogate pairs, no numbers beyond an `f64` and long ones with a last digit that may be off, no
//! more than 127 levels.

use serde_json::Value as Json;
use signal_wasm::protocol::{NOT_TEXT, TOO_LONG, Text, Value};
use std::cell::Cell;
use std::fmt;

thread_local! {
    static COST: Cell<Cost> = const { Cell::new(Cost { full_parses: 0, parses: 0, copied: 0 }) };
}

/// What receiving frames costs, summed up on this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// How many texts were parsed that run to the end of a frame or a record: what a frame costs
    /// that its head doesn't explain.
    pub full_parses: usize,
    /// How many texts were parsed.
    pub parses: usize,
    /// How many UTF-16 code units were copied for heads.
    pub copied: usize,
}

impl Cost {
    /// So far.
    pub fn now() -> Cost {
        COST.get()
    }

    /// What was added since then.
    pub fn since(earlier: Cost) -> Cost {
        let now = Cost::now();
        Cost {
            full_parses: now.full_parses - earlier.full_parses,
            parses: now.parses - earlier.parses,
            copied: now.copied - earlier.copied,
        }
    }
}

fn add_cost(full_parses: usize, parses: usize, copied: usize) {
    let cost = Cost::now();
    COST.set(Cost {
        full_parses: cost.full_parses + full_parses,
        parses: cost.parses + parses,
        copied: cost.copied + copied,
    });
}

/// A text.
#[derive(Clone)]
pub struct HostText {
    text: String,
    /// It is a frame or a record, or the rest of one.
    runs_to_the_end: bool,
}

impl HostText {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn whole(text: String) -> HostText {
        HostText {
            text,
            runs_to_the_end: true,
        }
    }
}

impl From<&str> for HostText {
    fn from(text: &str) -> HostText {
        HostText::new(text)
    }
}

impl From<String> for HostText {
    fn from(text: String) -> HostText {
        HostText::whole(text)
    }
}

impl PartialEq for HostText {
    fn eq(&self, other: &HostText) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for HostText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(out)
    }
}

/// The UTF-16 code units of a text.
pub fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// `text.slice(start, end)`; half a surrogate pair becomes U+FFFD, as on its way from JavaScript
/// into WebAssembly.
pub fn slice(text: &str, start: usize, end: usize) -> String {
    if text.is_ascii() {
        let end = end.min(text.len());
        return text[start.min(end)..end].into();
    }
    let units = units(text);
    let end = end.min(units.len());
    String::from_utf16_lossy(&units[start.min(end)..end])
}

impl Text for HostText {
    type Value = HostValue;
    type Binary = Vec<u8>;

    fn new(text: &str) -> HostText {
        HostText::whole(text.into())
    }

    fn decode(binary: &Vec<u8>, longest: usize) -> Result<HostText, &'static str> {
        if binary.len() > longest {
            return Err(TOO_LONG);
        }
        // `TextDecoder` leaves a byte order mark out.
        let text = std::str::from_utf8(binary).map_err(|_| NOT_TEXT)?;
        if text.contains('\0') {
            return Err(NOT_TEXT);
        }
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text).into())
    }

    fn length(&self) -> usize {
        self.text.encode_utf16().count()
    }

    fn utf8_length(&self) -> usize {
        self.text.len()
    }

    fn head(&self, units: usize) -> String {
        add_cost(0, 0, units.min(self.length()));
        slice(&self.text, 0, units)
    }

    fn slice(&self, start: usize, end: usize) -> HostText {
        HostText {
            text: slice(&self.text, start, end),
            runs_to_the_end: self.runs_to_the_end && end >= self.length(),
        }
    }

    fn ends_with(&self, suffix: &str) -> bool {
        self.text.ends_with(suffix)
    }

    fn has_inner_line_break(&self) -> bool {
        let place = self.text.find('\n');
        place.is_some_and(|place| place + 1 < self.text.len())
    }

    fn contains_from(&self, part: &str, start: usize) -> bool {
        slice(&self.text, start, usize::MAX).contains(part)
    }

    fn between(&self, before: &str, after: &str) -> HostText {
        HostText::whole([before, &self.text, after].concat())
    }

    fn followed_by(&self, next: &HostText) -> HostText {
        self.between("", &next.text)
    }

    fn split(&self, separator: &str) -> Vec<HostText> {
        self.text.split(separator).map(HostText::new).collect()
    }

    fn lines(&self, most: u32) -> Option<Vec<HostText>> {
        let lines: Vec<_> = self.text.split('\n').collect();
        let is_blank = |line: &str| line.trim().is_empty();
        (lines.len() <= most as usize).then(|| {
            let lines = lines.into_iter().filter(|line| !is_blank(line));
            lines.map(HostText::new).collect()
        })
    }

    fn quoted(&self) -> HostText {
        HostText::whole(Json::from(&*self.text).to_string())
    }

    fn parse(&self) -> Option<HostValue> {
        add_cost(usize::from(self.runs_to_the_end), 1, 0);
        let value = serde_json::from_str(&self.text).ok()?;
        Some(HostValue(Some(value)))
    }
}

/// A JSON value; `None` is `undefined`.
#[derive(Debug, Clone, PartialEq)]
pub struct HostValue(pub Option<Json>);

impl HostValue {
    /// `String(value)`; `None` where that throws: JavaScript then calls a member that is no
    /// function.
    fn primitive_text(value: &Json) -> Option<String> {
        Some(match value {
            Json::String(text) => text.clone(),
            Json::Number(number) => number_text(number.as_f64()?),
            Json::Null | Json::Bool(_) => value.to_string(),
            Json::Object(members) if members.contains_key("toString") => return None,
            Json::Object(_) => "[object Object]".into(),
            Json::Array(items) => {
                let texts = items.iter().map(|item| match item {
                    Json::Null => Some(String::new()),
                    item => HostValue::primitive_text(item),
                });
                texts.collect::<Option<Vec<_>>>()?.join(",")
            }
        })
    }
}

impl Value for HostValue {
    type Text = HostText;

    fn member(&self, name: &str) -> HostValue {
        HostValue(match &self.0 {
            Some(Json::Object(members)) => members.get(name).cloned(),
            _ => None,
        })
    }

    fn item(&self, place: u32) -> HostValue {
        HostValue(match &self.0 {
            Some(Json::Array(items)) => items.get(place as usize).cloned(),
            _ => None,
        })
    }

    fn is_undefined(&self) -> bool {
        self.0.is_none()
    }

    fn is_object(&self) -> bool {
        matches!(self.0, Some(Json::Object(_)))
    }

    fn is_true(&self) -> bool {
        self.0 == Some(Json::Bool(true))
    }

    fn as_text(&self) -> Option<HostText> {
        Some(HostText {
            text: self.as_string()?,
            runs_to_the_end: false,
        })
    }

    fn as_string(&self) -> Option<String> {
        self.0.as_ref()?.as_str().map(Into::into)
    }

    fn as_number(&self) -> Option<f64> {
        self.0.as_ref()?.as_f64()
    }

    fn to_number(&self) -> Option<f64> {
        Some(match &self.0 {
            None => f64::NAN,
            Some(Json::Null) => return None,
            Some(Json::Bool(value)) => f64::from(u8::from(*value)),
            Some(Json::Number(number)) => number.as_f64()?,
            Some(value) => text_number(&HostValue::primitive_text(value)?),
        })
    }

    fn to_text(&self) -> String {
        match &self.0 {
            None => "undefined".into(),
            Some(value) => HostValue::primitive_text(value).unwrap_or_default(),
        }
    }
}

/// `String(number)`.
fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".into();
    }
    if (1e-6..1e21).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// `Number(text)`.
fn text_number(text: &str) -> f64 {
    let is_white = |character: char| {
        (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
    };
    let text = text.trim_matches(is_white);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.to_ascii_lowercase().strip_prefix(prefix) {
            let add = |sum: f64, digit: char| {
                Some(sum * f64::from(radix) + f64::from(digit.to_digit(radix)?))
            };
            let number = digits.chars().try_fold(0.0, add);
            return number.filter(|_| !digits.is_empty()).unwrap_or(f64::NAN);
        }
    }
    let is_decimal = |character: char| "0123456789+-.eE".contains(character);
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if text.chars().all(is_decimal) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}
