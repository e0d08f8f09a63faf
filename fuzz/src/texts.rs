//! Records, JSON and addresses: any text, against plain code that does the same the long way.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::value::RawValue;
use signal_wasm::protocol::{Cut, RECORD_END, Records, write_encoded};
use signal_wire::json::{self, Scanner, is_number, items, quoted, whole_number};

use crate::host::HostText;
use crate::json::{is_json, members, repeats_a_member, string};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    values: [&'a str; 4],
    frames: Vec<&'a str>,
}

/// All of them with one input's texts.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    records(&input.frames);
    for text in input.values {
        is_quoted(text);
        is_encoded(text);
        is_scanned(text);
        is_read(text);
    }
    is_put_together(&input.values);
}

/// The records of a stream are the same however it is cut into frames.
fn records(frames: &[&str]) {
    let stream = frames.concat();
    let mut expected: Vec<_> = stream.split(RECORD_END).collect();
    let rest = expected.pop().unwrap_or_default();
    let mut records = Records::default();
    let taken: Vec<_> = frames
        .iter()
        .flat_map(|frame| records.take(&HostText::from(*frame), Cut::Stream))
        .collect();
    let taken: Vec<_> = taken.iter().map(HostText::as_str).collect();
    assert_eq!(taken, expected);
    assert_eq!(records.begun().map_or("", HostText::as_str), rest);
    records.clear();
    assert_eq!(records.begun(), None);
}

fn is_quoted(text: &str) {
    let written = quoted(text);
    assert_eq!(string(&written).as_deref(), Some(text));
    assert_eq!(written, serde_json::to_string(text).unwrap_or_default());
    assert_eq!(json::string(&written).as_deref(), Some(text));
}

fn is_encoded(text: &str) {
    let mut encoded = String::new();
    write_encoded(&mut encoded, text);
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || {
                rest.next()
                    .and_then(|digit| char::from(digit).to_digit(16))
                    .expect("a hexadecimal digit") as u8
            };
            digit() * 16 + digit()
        } else {
            assert!(
                byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte),
                "{encoded}"
            );
            byte
        });
    }
    assert_eq!(bytes, text.as_bytes());
}

fn is_scanned(text: &str) {
    let mut scanner = Scanner { rest: text };
    let number = scanner.whole_number();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let expected = (digits.len() <= 16)
        .then(|| serde_json::from_str::<u64>(&digits).ok())
        .flatten();
    assert_eq!(number, expected, "{text}");
    let taken = if number.is_some() { digits.len() } else { 0 };
    assert_eq!(scanner.rest, &text[taken..]);
    let is_all = taken == text.len();
    assert_eq!(whole_number(text), number.filter(|_| is_all), "{text}");
}

/// A text that may be JSON.
fn is_read(text: &str) {
    let is_json = is_json(text);
    let start = text.trim_start();
    if is_json {
        let first = |first: char| first == '-' || first.is_ascii_digit();
        assert_eq!(is_number(start), start.starts_with(first), "{text}");
    }
    let found = items(text);
    assert_eq!(found.is_some(), is_json && start.starts_with('['), "{text}");
    if let Some(found) = found {
        let expected: Vec<&RawValue> = serde_json::from_str(text).expect("an array");
        let expected: Vec<_> = expected.into_iter().map(RawValue::get).collect();
        assert_eq!(found, expected, "{text}");
    }
    let found = json::members(text);
    assert_eq!(found.is_some(), is_json && start.starts_with('{'), "{text}");
    // Names with half a surrogate pair are more than serde_json reads.
    if let (Some(found), Some(expected)) = (found, members(text)) {
        if !repeats_a_member(text) {
            assert_eq!(found.len(), expected.len(), "{text}");
        }
        for (name, value) in expected {
            let last = found.iter().rev().find(|member| member.name == name);
            assert_eq!(last.map(|member| member.value), Some(value), "{text}");
        }
    }
}

/// An array and an object of any texts are read as what they were made of.
fn is_put_together(values: &[&str]) {
    let written: Vec<_> = values.iter().map(|value| quoted(value)).collect();
    let array = format!("[{}]", written.join(", "));
    let read = items(&array).expect("an array");
    assert_eq!(read, written);
    let object: Vec<_> = written.iter().map(|name| format!("{name} :1")).collect();
    let object = format!("{{{}}}", object.join(" ,"));
    let read = json::members(&object).expect("an object");
    let names: Vec<_> = read.iter().map(|member| &*member.name).collect();
    assert_eq!(names, values);
}
