//! The part of JSON (RFC 8259) that envelopes and the relay's frames need. Values stay JSON text
//! and are never converted.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Appends `text` as a JSON string, quotes included, byte for byte as `JSON.stringify` writes it.
pub fn write_string(out: &mut String, text: &str) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
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

/// `text` as a JSON string; see [`write_string`].
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    out
}

/// Appends a whole number in decimal digits.
pub fn write_number(out: &mut String, number: u64) {
    if number >= 10 {
        write_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// How a string without escapes ended.
#[derive(Debug, PartialEq, Eq)]
pub enum PlainString<'a> {
    /// At its closing quote, which is consumed.
    Closed(&'a str),
    /// Not before the end of the text.
    Open,
    /// At an escape, or at a control character, which JSON doesn't allow.
    NotPlain,
}

/// Reads the head of a text in canonical form, without reading the rest. Each successful method
/// consumes what it read.
#[derive(Debug, Clone, Copy)]
pub struct Scanner<'a> {
    /// The unread rest.
    pub rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Consumes exactly `literal`.
    #[inline]
    pub fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// Consumes a whole number of JSON's grammar, of at most 16 digits and without a sign.
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

    /// Consumes the rest of a string after its opening quote. `quote` closes it: `"`, or `\"`
    /// inside another string.
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
            _ => PlainString::NotPlain,
        }
    }
}

/// The whole number that a JSON text is, if it is one without a sign, a fraction or an exponent,
/// below 10^16.
#[must_use]
pub fn whole_number(json: &str) -> Option<u64> {
    let mut scanner = Scanner { rest: json };
    scanner.whole_number().filter(|_| scanner.rest.is_empty())
}

/// Whether a JSON value's text is a number's.
#[must_use]
pub fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// The JSON text of its name, quotes included.
    pub key: &'a str,
    /// The name.
    pub name: Cow<'a, str>,
    /// The JSON text of its value.
    pub value: &'a str,
}

/// The members of an object in order, including those with the same name. `None`: the text isn't
/// one JSON object.
#[must_use]
pub fn members(json: &str) -> Option<Vec<Member<'_>>> {
    let mut reader = Reader { text: json, at: 0 };
    let mut members = Vec::new();
    reader.white_space();
    reader.byte(b'{')?;
    reader.white_space();
    if reader.byte(b'}').is_none() {
        loop {
            let key = reader.key()?;
            let value = reader.value()?;
            members.push(Member {
                key,
                name: string(key)?,
                value,
            });
            if reader.separator(b'}')? == Separator::End {
                break;
            }
        }
    }
    reader.end()?;
    Some(members)
}

/// The members of an object without those of these names, each with a comma behind it. `None`: the
/// text isn't one JSON object.
#[must_use]
pub fn members_without(object: &str, names: &[&str]) -> Option<String> {
    let mut kept = String::with_capacity(object.len());
    let members = members(object)?.into_iter();
    for member in members.filter(|member| !names.contains(&&*member.name)) {
        kept.push_str(member.key);
        kept.push(':');
        kept.push_str(member.value);
        kept.push(',');
    }
    Some(kept)
}

/// The JSON text of a member's value; of members with the same name, the last one's, as JavaScript
/// reads it.
#[must_use]
pub fn find<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    let member = members.iter().rev().find(|member| member.name == name);
    member.map(|member| member.value)
}

/// The same of an object's JSON text. `None` also if the text isn't one JSON object.
#[must_use]
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    find(&members(object)?, name)
}

/// The JSON texts of an array's items. `None`: the text isn't one JSON array.
#[must_use]
pub fn items(json: &str) -> Option<Vec<&str>> {
    let mut reader = Reader { text: json, at: 0 };
    let mut items = Vec::new();
    reader.white_space();
    reader.byte(b'[')?;
    reader.white_space();
    if reader.byte(b']').is_none() {
        loop {
            items.push(reader.value()?);
            if reader.separator(b']')? == Separator::End {
                break;
            }
        }
    }
    reader.end()?;
    Some(items)
}

/// The value of a JSON string. `None`: the JSON text isn't a string.
///
/// A lone surrogate becomes U+FFFD, as on the way from JavaScript into WebAssembly.
#[must_use]
pub fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut units = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        units.extend(plain.encode_utf16());
        let kind = escaped.chars().next()?;
        rest = escaped.get(kind.len_utf8()..)?;
        units.push(match kind {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let (digits, behind) = rest.split_at_checked(4)?;
                rest = behind;
                // `from_str_radix` accepts a sign too.
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?
            }
            _ => u16::try_from(u32::from(kind)).ok()?,
        });
    }
    units.extend(rest.encode_utf16());
    Some(Cow::Owned(String::from_utf16_lossy(&units)))
}

/// What follows an item or a member.
#[derive(PartialEq, Eq)]
enum Separator {
    Comma,
    End,
}

/// Reads a whole JSON text strictly. It has its own stack, so nesting costs one byte per level and
/// can't overflow the thread's stack.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        if self.peek()? != wanted {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        if !self.text.get(self.at..)?.starts_with(literal) {
            return None;
        }
        self.at += literal.len();
        Some(())
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Option<()> {
        self.white_space();
        (self.at == self.text.len()).then_some(())
    }

    /// What follows an item of the array or object that `closing` closes.
    fn separator(&mut self, closing: u8) -> Option<Separator> {
        self.white_space();
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(Separator::Comma),
            byte if byte == closing => Some(Separator::End),
            _ => None,
        }
    }

    /// Consumes a member's name and the colon. Returns the name's JSON text.
    fn key(&mut self) -> Option<&'a str> {
        self.white_space();
        let start = self.at;
        self.skip_string()?;
        let key = self.text.get(start..self.at)?;
        self.white_space();
        self.byte(b':')?;
        Some(key)
    }

    /// Consumes one value. Returns its JSON text.
    fn value(&mut self) -> Option<&'a str> {
        self.white_space();
        let start = self.at;
        let mut open = Vec::new();
        loop {
            self.white_space();
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    self.white_space();
                    if self.byte(b'}').is_none() {
                        open.push(b'}');
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.white_space();
                    if self.byte(b']').is_none() {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => self.skip_string()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => self.skip_number()?,
            }
            // A value has ended here, and perhaps the arrays and objects around it.
            loop {
                let Some(closing) = open.last().copied() else {
                    return self.text.get(start..self.at);
                };
                if self.separator(closing)? == Separator::Comma {
                    if closing == b'}' {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.byte(b'"')?;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let plain = plain_length(rest);
            self.at += plain + 1;
            match rest.get(plain)? {
                b'"' => return Some(()),
                b'\\' => self.skip_escape()?,
                _ => return None,
            }
        }
    }

    fn skip_escape(&mut self) -> Option<()> {
        let kind = self.peek()?;
        self.at += 1;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn skip_number(&mut self) -> Option<()> {
        // The sign is optional.
        let _ = self.byte(b'-');
        if self.byte(b'0').is_none() {
            self.skip_digits()?;
        }
        if self.byte(b'.').is_some() {
            self.skip_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Some(())
    }

    fn skip_digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// The number of bytes before a string's end, an escape or a control character. Most of a message
/// is in long strings, so whole chunks are tested first, which the compiler vectorises.
fn plain_length(bytes: &[u8]) -> usize {
    const CHUNK: usize = 16;
    let is_special = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < b' ');
    let plain = |chunk: &&[u8]| !chunk.iter().fold(false, |any, byte| any | is_special(byte));
    let start = bytes.chunks_exact(CHUNK).take_while(plain).count() * CHUNK;
    let rest = bytes.get(start..).unwrap_or_default();
    let plain = rest.iter().position(is_special).unwrap_or(rest.len());
    start + plain
}
