//! Texts and JSON values that the host environment owns.
//!
//! In a browser both stay in JavaScript: most of a frame is never copied into WebAssembly. Host tests and fuzz targets implement the same two
//! traits for Rust's own strings, and so run the very code that the browser runs.

use std::fmt::Debug;

/// A text of the host's. Lengths and positions are in UTF-16 code units, as JavaScript counts.
pub trait Text: Clone + Debug + PartialEq {
    /// What the host makes of JSON text.
    type Value: Value<Text = Self>;
    /// A frame that isn't text, which is only handed on.
    type Binary: Clone + Debug + PartialEq;

    /// A text with these characters.
    fn new(text: &str) -> Self;
    /// How many code units it has.
    fn length(&self) -> usize;
    /// A copy of its first `units` code units, or of all if it has fewer. Half a surrogate pair becomes U+FFFD.
    fn head(&self, units: usize) -> String;
    /// The code units from `start` up to `end`.
    fn slice(&self, start: usize, end: usize) -> Self;
    /// Whether it ends with `suffix`, which is ASCII.
    fn ends_with(&self, suffix: &str) -> bool;
    /// Whether `part` occurs in it at `start` or later.
    fn contains_from(&self, part: &str, start: usize) -> bool;
    /// It, between two others.
    fn between(&self, before: &str, after: &str) -> Self;
    /// It, with another behind it.
    fn followed_by(&self, next: &Self) -> Self;
    /// The parts between the occurrences of `separator`.
    fn split(&self, separator: &str) -> Vec<Self>;
    /// It as a JSON string, as `JSON.stringify` writes it.
    fn quoted(&self) -> Self;
    /// The value that its JSON text stands for; `None` if it isn't JSON.
    fn parse(&self) -> Option<Self::Value>;
}

/// A value that JSON text stands for, or `undefined`.
pub trait Value: Clone + Debug + PartialEq {
    /// The texts of the same host.
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
    /// It, if it is a string; it stays with the host.
    fn as_text(&self) -> Option<Self::Text>;
    /// A copy of it, if it is a string.
    fn as_string(&self) -> Option<String>;
    /// It, if it is a number.
    fn as_number(&self) -> Option<f64>;
    /// The number that JavaScript's `==` compares with another one: `Number(value)`; `None` for
    /// `null`, which equals no number, and where that throws.
    fn to_number(&self) -> Option<f64>;
    /// JavaScript's `String(value)`; empty where that throws.
    fn to_text(&self) -> String;
}

/// A frame as a transport delivers it.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<T: Text> {
    /// A text frame.
    Text(T),
    /// A binary frame.
    Binary(T::Binary),
}
