//! Texts that are known by name, and templates that are filled with them: addresses (RFC 3986), frames, sentences.
//!
//! A template is a hundred times cheaper than code that puts a text together, and reads like the protocol's own documentation.

use super::json::{HEX, write_string};
use super::link::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// `template`, each `#` in it replaced by the next of `values`.
pub fn fill(template: &str, values: &[&str]) -> String {
    let mut text = String::new();
    let mut values = values.iter();
    for character in template.chars() {
        match character {
            '#' => text.push_str(values.next().unwrap_or(&"")),
            _ => text.push(character),
        }
    }
    text
}

/// Appends `text` as `encodeURIComponent` has it, or stricter.
pub fn write_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(HEX.get(usize::from(byte >> 4)));
            out.extend(HEX.get(usize::from(byte & 15)));
        }
    }
}

/// `text` up to the first `end`, and what comes behind it.
pub(super) fn cut(text: &str, end: u8) -> (&str, &str) {
    let at = text.bytes().position(|byte| byte == end);
    let split = at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    split.unwrap_or((text, ""))
}

/// The names, and what stands for them from the start.
const NAMES: [(&str, &str); 31] = [
    // What the page says, by the names of its options; the query as `a=b&c=d`.
    ("path", "/socket.io/"),
    ("namespace", "/"),
    ("event", "message"),
    ("target", "onMessageReceived"),
    ("method", "Send"),
    ("hub", "webRtcHub3"),
    ("query", ""),
    // Made of that: the server without the `ws` that it begins with, and all queries, from the `?` to where something is to follow.
    ("base", ""),
    ("queries", ""),
    // Of Socket.IO: the namespace in packets, the version in addresses, the credential, also as it stands in addresses.
    ("of", ""),
    ("version", "4"),
    ("auth", ""),
    ("authQuery", ""),
    ("authInQuery", ""),
    // Of SignalR: the token as it stands in addresses, a message's number. Classic: the hubs as JSON, the connection in addresses.
    ("access", ""),
    ("number", ""),
    ("hubs", ""),
    ("connection", ""),
    // What the server says, by the names of members, and is not to be forgotten.
    ("accessToken", ""),
    ("connectionToken", ""),
    ("connectionId", ""),
    ("ConnectionToken", ""),
    ("C", ""),
    ("G", ""),
    // What it said last.
    ("error", ""),
    ("E", ""),
    ("url", ""),
    ("RedirectUrl", ""),
    ("AccessToken", ""),
    ("message", ""),
    ("invocationId", ""),
];

/// Where the names that the server uses begin, and those that are forgotten.
const SAID: usize = 18;
const SAID_LAST: usize = 24;

/// Texts by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Texts(Vec<String>);

impl Default for Texts {
    fn default() -> Texts {
        Texts(NAMES.iter().map(|(_, text)| String::from(*text)).collect())
    }
}

impl Texts {
    fn place(name: &str) -> usize {
        let place = NAMES.iter().position(|(known, _)| *known == name);
        debug_assert!(place.is_some(), "there is no text named {name}");
        place.unwrap_or_default()
    }

    /// The text of that name.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(Texts::place(name)).map_or("", String::as_str)
    }

    /// Makes it another.
    pub fn set(&mut self, name: &str, text: String) {
        if let Some(place) = self.0.get_mut(Texts::place(name)) {
            *place = text;
        }
    }

    /// Notes the texts that `value` has under names that servers use.
    pub(super) fn note<V: Value>(&mut self, value: &V) {
        let names = NAMES.iter().zip(&mut self.0).enumerate();
        for (place, ((name, _), noted)) in names.skip(SAID) {
            match value.member(name).text() {
                Some(text) => *noted = text,
                None if place >= SAID_LAST => *noted = String::new(),
                None => {}
            }
        }
    }

    /// `template` with the texts whose names it has: `<name>` as it is, `<"name>` as a JSON string, `<%name>` as a part of a query.
    pub fn fill(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while !rest.is_empty() {
            let (plain, behind) = cut(rest, b'<');
            out.push_str(plain);
            let (name, after) = cut(behind, b'>');
            if let Some(name) = name.strip_prefix('"') {
                write_string(&mut out, self.get(name));
            } else if let Some(name) = name.strip_prefix('%') {
                write_encoded(&mut out, self.get(name));
            } else if !name.is_empty() {
                out.push_str(self.get(name));
            }
            rest = after;
        }
        out
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn templates_take_texts_by_name() {
        let mut texts = Texts::default();
        texts.set("event", "a \"b\" <c>".into());
        let filled = texts.fill("<namespace>,<\"event>,<%event>;<of>.");
        assert_eq!(filled, "/,\"a \\\"b\\\" <c>\",a%20%22b%22%20%3cc%3e;.");
        assert_eq!(texts.fill("plain"), "plain");
    }

    #[test]
    fn what_an_address_cant_hold_is_encoded() {
        let mut out = String::new();
        write_encoded(&mut out, "a-Z_0.~[{\"é\"+& /?#%");
        assert_eq!(out, "a-Z_0.~%5b%7b%22%c3%a9%22%2b%26%20%2f%3f%23%25");
    }

    #[test]
    fn the_names_stand_in_their_parts() {
        assert_eq!(NAMES[SAID].0, "accessToken");
        assert_eq!(NAMES[SAID_LAST].0, "error");
    }
}
