//! Strings and JSON values of the host environment.
//!
//! In a browser both stay in JavaScript, so most of a frame is never copied into WebAssembly. Host
//! tests and fuzz targets implement the same two traits for Rust's strings, so they run the same
//! code as the browser.

use std::fmt::Debug;

/// A string of the host. Lengths and positions are in UTF-16 code units.
pub trait Text: Clone + Debug + PartialEq {
    /// The host's type of parsed JSON.
    type Value: Value<Text = Self>;
    /// The host's type of binary frames.
    type Binary: Clone + Debug + PartialEq;

    /// A text with these characters.
    fn new(text: &str) -> Self;
    /// The UTF-8 text, without U+0000, in a binary frame of at most `longest` bytes. The error says
    /// what the frame is instead.
    fn decode(binary: &Self::Binary, longest: usize) -> Result<Self, &'static str>;
    /// How many code units it has.
    fn length(&self) -> usize;
    /// How many bytes it has as UTF-8; half a surrogate pair may count as two. It isn't copied.
    fn utf8_length(&self) -> usize;
    /// A copy of its first `units` code units, or of all if it has fewer. Half a surrogate pair
    /// becomes U+FFFD.
    fn head(&self, units: usize) -> String;
    /// The code units from `start` up to `end`.
    fn slice(&self, start: usize, end: usize) -> Self;
    /// Whether it ends with `suffix`, which is ASCII.
    fn ends_with(&self, suffix: &str) -> bool;
    /// Whether it has a line break (U+000A) before its last code unit.
    fn has_inner_line_break(&self) -> bool;
    /// Whether `part` occurs in it at `start` or later.
    fn contains_from(&self, part: &str, start: usize) -> bool;
    /// This text between two others.
    fn between(&self, before: &str, after: &str) -> Self;
    /// This text followed by another.
    fn followed_by(&self, next: &Self) -> Self;
    /// The parts between the occurrences of `separator`.
    fn split(&self, separator: &str) -> Vec<Self>;
    /// The lines that aren't blank; `None` if there are more than `most` lines.
    fn lines(&self, most: u32) -> Option<Vec<Self>>;
    /// This text as a JSON string, as `JSON.stringify` writes it.
    fn quoted(&self) -> Self;
    /// The parsed value; `None` if it isn't JSON.
    fn parse(&self) -> Option<Self::Value>;
}

/// A parsed JSON value, or `undefined`.
pub trait Value: Clone + Debug + PartialEq {
    /// The strings of the same host.
    type Text;

    /// The member of that name; `undefined` if there is none, or it isn't an object.
    fn member(&self, name: &str) -> Self;
    /// The item at that place; `undefined` if there is none, or it isn't an array.
    fn item(&self, place: u32) -> Self;
    /// Whether it is `undefined`.
    fn is_undefined(&self) -> bool;
    /// Whether it is an object, and neither `null` nor an array.
    fn is_object(&self) -> bool;
    /// Whether it is `true`.
    fn is_true(&self) -> bool;
    /// The string, if it is one; not copied.
    fn as_text(&self) -> Option<Self::Text>;
    /// A copy of the string, if it is one.
    fn as_string(&self) -> Option<String>;
    /// The number, if it is one.
    fn as_number(&self) -> Option<f64>;
    /// The number that JavaScript's `==` compares with another one: `Number(value)`; `None` for
    /// `null`, which equals no number, and where that throws.
    fn to_number(&self) -> Option<f64>;
    /// JavaScript's `String(value)`; empty where that throws.
    fn to_text(&self) -> String;
}

/// What a binary frame is that doesn't hold UTF-8 text.
pub const NOT_TEXT: &str = "a binary frame that isn't UTF-8 text";

/// What a frame is that has too many characters or bytes.
pub const TOO_LONG: &str = "a frame longer than maxMessage allows";

/// A received frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<T: Text> {
    /// A text frame.
    Text(T),
    /// A binary frame.
    Binary(T::Binary),
}
