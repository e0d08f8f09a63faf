//! Records, templates and what is written into them: any text, against plain code that does the same the long way.

use arbitrary::{Arbitrary, Unstructured};
use signal_wasm::protocol::{Records, Scanner, Texts, fill, write_encoded, write_string};

use crate::json::string;
use crate::value::Line;

/// Names that templates may have.
const NAMES: [&str; 6] = ["event", "hub", "accessToken", "C", "error", "number"];

#[derive(Debug, Arbitrary)]
enum Part<'a> {
    Plain(&'a str),
    AsItIs(u8),
    Quoted(u8),
    Encoded(u8),
}

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    values: [&'a str; NAMES.len()],
    template: Vec<Part<'a>>,
    frames: Vec<&'a str>,
}

/// All of them with one input's texts.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    templates(&input);
    records(&input.frames);
    for text in input.values {
        written(text);
        scanned(text);
    }
    let sentence = input.values.join("#");
    let filled = fill(&sentence, &input.values);
    let mut parts = sentence.split('#');
    let mut expected: String = parts.next().unwrap_or_default().into();
    for (place, part) in parts.enumerate() {
        expected += input.values.get(place).copied().unwrap_or_default();
        expected += part;
    }
    assert_eq!(filled, expected);
}

fn templates(input: &Input<'_>) {
    let mut texts = Texts::default();
    for (name, value) in NAMES.iter().zip(input.values) {
        texts.set(name, value.into());
        assert_eq!(texts.get(name), value);
    }
    let (mut template, mut expected) = (String::new(), String::new());
    for part in &input.template {
        let of = |place: &u8| {
            let place = usize::from(*place) % NAMES.len();
            (NAMES[place], input.values[place])
        };
        match part {
            Part::Plain(text) => {
                let text = text.replace('<', "");
                template += &text;
                expected += &text;
            }
            Part::AsItIs(place) => {
                template += &format!("<{}>", of(place).0);
                expected += of(place).1;
            }
            Part::Quoted(place) => {
                template += &format!("<\"{}>", of(place).0);
                write_string(&mut expected, of(place).1);
            }
            Part::Encoded(place) => {
                template += &format!("<%{}>", of(place).0);
                write_encoded(&mut expected, of(place).1);
            }
        }
    }
    assert_eq!(texts.fill(&template), expected, "{template}");
}

fn records(frames: &[&str]) {
    let stream = frames.concat();
    let mut expected: Vec<_> = stream.split('\u{1e}').collect();
    let rest = expected.pop().unwrap_or_default();
    let mut records = Records::default();
    let taken: Vec<_> = frames
        .iter()
        .flat_map(|frame| records.take(&Line((*frame).into())))
        .map(|line| line.0)
        .collect();
    assert_eq!(taken, expected);
    assert_eq!(records.begun().map_or("", |line| &*line.0), rest);
    records.clear();
    assert_eq!(records.begun(), None);
}

fn written(text: &str) {
    let mut json = String::new();
    write_string(&mut json, text);
    assert_eq!(string(&json).as_deref(), Some(text));
    assert_eq!(json, serde_json::to_string(text).unwrap_or_default());

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

fn scanned(text: &str) {
    let mut scanner = Scanner { rest: text };
    let number = scanner.whole_number();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let expected = (digits.len() <= 16)
        .then(|| serde_json::from_str::<u64>(&digits).ok())
        .flatten();
    assert_eq!(number, expected, "{text}");
    let taken = if number.is_some() { digits.len() } else { 0 };
    assert_eq!(scanner.rest, &text[taken..]);
}
