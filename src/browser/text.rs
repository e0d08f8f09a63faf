//! JavaScript's strings and values as the host's texts of the session.

use js_sys::{JsString, Reflect};
use wasm_bindgen::prelude::*;

use super::js;
use crate::protocol::{NOT_TEXT, TOO_LONG, Text, Value};

impl Text for JsString {
    type Value = JsValue;
    type Binary = JsValue;

    fn new(text: &str) -> JsString {
        text.into()
    }

    fn decode(binary: &JsValue, longest: usize) -> Result<JsString, &'static str> {
        let Some(bytes) = js::member(binary, "byteLength").as_f64() else {
            return Err(NOT_TEXT);
        };
        if bytes > longest as f64 {
            return Err(TOO_LONG);
        }
        js::read_utf8(binary).ok_or(NOT_TEXT)
    }

    fn length(&self) -> usize {
        JsString::length(self) as usize
    }

    fn utf8_length(&self) -> usize {
        js::utf8_length(self) as usize
    }

    fn head(&self, units: usize) -> String {
        let end = u32::try_from(units).unwrap_or(u32::MAX);
        self.unchecked_ref::<js::FrameText>().copy(0, end)
    }

    fn slice(&self, start: usize, end: usize) -> JsString {
        let limit = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        JsString::slice(self, limit(start), limit(end))
    }

    fn ends_with(&self, suffix: &str) -> bool {
        // Without a copy: most suffixes have one or two characters.
        let length = JsString::length(self);
        (1..=length)
            .zip(suffix.bytes().rev())
            .all(|(back, byte)| self.char_code_at(length - back) == f64::from(byte))
    }

    fn has_inner_line_break(&self) -> bool {
        js::has_inner_line_break(self)
    }

    fn contains_from(&self, part: &str, start: usize) -> bool {
        self.includes(part, i32::try_from(start).unwrap_or(i32::MAX))
    }

    fn between(&self, before: &str, after: &str) -> JsString {
        JsString::from(before).concat(self).concat(&after.into())
    }

    fn followed_by(&self, next: &JsString) -> JsString {
        self.concat(next)
    }

    fn split(&self, separator: &str) -> Vec<JsString> {
        let parts = self.split_limit(separator, u32::MAX);
        parts.iter().map(JsCast::unchecked_into).collect()
    }

    fn lines(&self, most: u32) -> Option<Vec<JsString>> {
        let lines = self.split_limit("\n", most + 1);
        (lines.length() <= most).then(|| {
            let lines = lines.iter().map(JsCast::unchecked_into);
            let is_blank = |line: &JsString| line.trim().length() == 0;
            lines.filter(|line| !is_blank(line)).collect()
        })
    }

    fn quoted(&self) -> JsString {
        // Every string has a JSON form.
        js::to_json(self).ok().flatten().unwrap_or_default()
    }

    fn parse(&self) -> Option<JsValue> {
        let value = js::parse_json(self);
        (!value.is_undefined()).then_some(value)
    }
}

impl Value for JsValue {
    type Text = JsString;

    fn member(&self, name: &str) -> JsValue {
        js::member(self, name)
    }

    fn item(&self, place: u32) -> JsValue {
        if !self.is_object() {
            return JsValue::UNDEFINED;
        }
        Reflect::get_u32(self, place).unwrap_or_default()
    }

    fn is_undefined(&self) -> bool {
        JsValue::is_undefined(self)
    }

    fn is_object(&self) -> bool {
        JsValue::is_object(self) && !js_sys::Array::is_array(self)
    }

    fn is_true(&self) -> bool {
        self.as_bool() == Some(true)
    }

    fn as_text(&self) -> Option<JsString> {
        self.dyn_ref::<JsString>().cloned()
    }

    fn as_string(&self) -> Option<String> {
        JsValue::as_string(self)
    }

    fn as_number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn to_number(&self) -> Option<f64> {
        if self.is_null() {
            return None;
        }
        js::to_number(self).ok()
    }

    fn to_text(&self) -> String {
        js::text(self)
    }
}
