//! Several envelopes in one frame, envelopes in JSON strings, and binary frames that hold text: what
//! servers make of one page's message on its way to another.

use crate::support::host::{Cost, HostValue};
use crate::support::page::{Page, Received, Setup};
use crate::{encode, page, page_of};
use serde_json::{Value, json};
use signal_wasm::protocol::{Frame, MOST_IN_FRAME, NOT_TEXT};
use signal_wire::UserId;

const OWN: UserId = UserId::MAX;

fn listening() -> Page<String> {
    page(OWN, &["a".into(), "é".into()])
}

fn envelope(channel: &str, message: impl Into<Value>) -> String {
    encode(UserId::from_bits(8), channel, &message.into())
}

fn own() -> String {
    encode(OWN, "a", &1.into())
}

fn message(channel: &str, message: impl Into<Value>) -> Received<String> {
    Received::Message(channel.into(), HostValue(Some(message.into())))
}

fn binary(page: &mut Page<String>, bytes: impl Into<Vec<u8>>) {
    let connection = page.session.connection();
    page.receive_from(connection, Frame::Binary(bytes.into()));
}

#[test]
fn envelopes_on_lines_each_count() {
    let (here, foreign) = (envelope("a", "hi"), envelope("b", "no"));
    let pretty = "{\n \"sender\": 8,\n \"channel\": \"é\",\n \"message\": [\n2]\n}";
    for (frame, expected) in [
        (format!("{here}\n{here}"), vec![message("a", "hi"); 2]),
        // The head tells of the first envelope alone.
        (
            format!("{foreign}\n{here}"),
            vec![Received::Foreign, message("a", "hi")],
        ),
        (
            format!("{}\n{here}\n", own()),
            vec![Received::Own, message("a", "hi")],
        ),
        (
            format!("{here}\r\n\r\n{foreign}\r\n{here}\r\n"),
            vec![message("a", "hi"), Received::Foreign, message("a", "hi")],
        ),
        (
            format!("\n{here}\nhello\n{{}}\n5\n{here}"),
            vec![
                message("a", "hi"),
                Received::Bad,
                Received::Foreign,
                Received::Bad,
                message("a", "hi"),
            ],
        ),
        // One value that has line breaks in it is one envelope.
        (pretty.into(), vec![message("é", json!([2]))]),
        (format!("{here}\n"), vec![message("a", "hi")]),
        (format!("{foreign}\r\n"), vec![Received::Foreign]),
        ("hello".into(), vec![Received::Bad]),
        // Without an envelope on its first line it is one bad frame, be it JSON that was cut off.
        ("hello\nthere".into(), vec![Received::Bad]),
        (format!("hello\n{here}"), vec![Received::Bad]),
        (format!("{{\n{here}"), vec![Received::Bad]),
        (String::new(), vec![Received::Bad]),
    ] {
        let mut page = listening();
        page.receive(&frame);
        assert_eq!(page.received, expected, "{frame}");
        assert_eq!(page.stats().received() as usize, expected.len(), "{frame}");
        let length = frame.encode_utf16().count();
        assert_eq!(page.stats().received_length as usize, length, "{frame}");
    }
}

/// Most of what a broadcast server sends is foreign: that stays cheap, be it alone or among others.
#[test]
fn a_foreign_envelope_is_never_parsed_for_what_comes_before_or_after_it() {
    let mut page = listening();
    let foreign = envelope("b", "x".repeat(5_000));
    for end in ["", "\n", "\r\n"] {
        let cost = Cost::now();
        page.receive(&format!("{foreign}{end}"));
        assert_eq!(Cost::since(cost).parses, 0, "{end:?}");
    }
    let cost = Cost::now();
    page.receive(&[&*foreign; 50].join("\n"));
    // The first, which shows that they are lines.
    assert_eq!(Cost::since(cost).parses, 1);
    assert_eq!(page.stats().foreign, 53.0);
}

#[test]
fn arrays_and_json_strings_hold_envelopes() {
    let quoted = |text: &str| Value::from(text).to_string();
    let (here, foreign) = (envelope("a", "hi"), envelope("b", "no"));
    let hi = || message("a", "hi");
    for (frame, expected) in [
        (quoted(&here), vec![hi()]),
        (format!("[{here}]"), vec![hi()]),
        (
            format!("[{foreign}, {here}]"),
            vec![Received::Foreign, hi()],
        ),
        (
            quoted(&format!("[{here},{}]", own())),
            vec![hi(), Received::Own],
        ),
        (
            format!("[{},{}]", quoted(&here), quoted(&foreign)),
            vec![hi(), Received::Foreign],
        ),
        (
            format!("[1,{here},null]"),
            vec![Received::Bad, hi(), Received::Bad],
        ),
        (format!("{}\n[{here}]", quoted(&here)), vec![hi(); 2]),
        // No deeper than that.
        (quoted(&quoted(&here)), vec![Received::Bad]),
        (format!("[[{here}]]"), vec![Received::Bad]),
        ("[]".into(), vec![Received::Bad]),
        ("\"\"".into(), vec![Received::Bad]),
        ("\"hello\"".into(), vec![Received::Bad]),
        ("null".into(), vec![Received::Bad]),
    ] {
        let mut page = listening();
        page.receive(&frame);
        assert_eq!(page.received, expected, "{frame}");
    }
}

#[test]
fn a_frame_of_countless_envelopes_is_one_bad_frame() {
    let most = MOST_IN_FRAME as usize;
    for (whole, too_many) in [
        (vec!["{}"; most].join("\n"), vec!["{}"; most + 1].join("\n")),
        (
            format!("[{}]", vec!["{}"; most].join(",")),
            format!("[{}]", vec!["{}"; most + 1].join(",")),
        ),
        ("{}\n".repeat(most - 1), "{}\n".repeat(most)),
    ] {
        let mut page = listening();
        page.receive(&whole);
        let received = page.stats().received() as usize;
        assert!(received >= most - 1, "{received}");
        page.received.clear();
        page.receive(&too_many);
        assert_eq!(page.received, [Received::Bad]);
    }
}

#[test]
fn a_binary_frame_is_the_text_in_it() {
    let mut page = listening();
    for text in [
        envelope("é", "日本語"),
        format!("\u{feff}{}", envelope("é", "日本語")),
        format!("[{}]", envelope("é", "日本語")),
        format!("{}\n", envelope("é", "日本語")),
    ] {
        page.received.clear();
        binary(&mut page, text.clone());
        assert_eq!(page.received, [message("é", "日本語")], "{text}");
    }
    page.received.clear();
    binary(&mut page, envelope("b", 1));
    binary(&mut page, own());
    assert_eq!(page.received, [Received::Foreign, Received::Own]);
    assert_eq!(page.bad_frames(), [""; 0]);

    for bytes in [
        b"\xff".to_vec(),
        // UTF-16, and what most binary data has.
        b"{\0}\0\xe9\0".to_vec(),
        b"{\0}\0".to_vec(),
        vec![0; 8],
        // Half a character, half a surrogate pair, and more bytes than the character needs.
        b"\"\xc3".to_vec(),
        b"\"\xed\xa0\x80\"".to_vec(),
        b"\"\xc0\x80\"".to_vec(),
    ] {
        let mut page = listening();
        binary(&mut page, bytes.clone());
        assert_eq!(page.received, [Received::Bad]);
        assert_eq!(page.bad_frames(), [NOT_TEXT]);
        assert_eq!(
            page.frames.pop().map(|(_, frame)| frame),
            Some(Frame::Binary(bytes))
        );
    }
}

/// `maxMessage` holds for the text in it, and a frame that can't have so short a text isn't decoded.
#[test]
fn a_binary_frame_may_be_too_long() {
    let mut setup = Setup::new("websocket", "ws://h/x");
    setup.config.max_message = 10;
    let limit = 10 + 1024 + 6;
    for (text, is_too_long) in [
        ("x".repeat(limit), false),
        ("x".repeat(limit + 1), true),
        ("漢".repeat(limit), false),
        ("漢".repeat(limit + 1), true),
        ("😀".repeat(limit / 2), false),
    ] {
        let mut page = page_of(&setup, OWN, &["a".into()]);
        binary(&mut page, text);
        assert_eq!(page.received, [Received::Bad]);
        let expected = [
            "a frame that isn't JSON",
            "a frame longer than maxMessage allows",
        ];
        assert_eq!(page.bad_frames(), [expected[usize::from(is_too_long)]]);
    }
}
