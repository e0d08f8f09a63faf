//! The head path and the full parse agree, whatever a frame's members look like.

use crate::frames::{Frame, frames};
use crate::page;
use crate::support::cases;
use crate::support::full_parse::read_envelope;
use crate::support::host::{Cost, HostText, slice, units};
use crate::support::page::Received;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use signal_wasm::protocol::Text;
use signal_wire::envelope::decode_head;
use signal_wire::{Embedding, Head, UserId};
use std::cell::Cell;

/// How often each thing was seen: a check that was never made checks nothing.
#[derive(Debug, Default)]
struct Tally {
    own: Cell<u32>,
    foreign: Cell<u32>,
    delivered: Cell<u32>,
    /// The head told, but more members follow the message.
    delivered_in_part: Cell<u32>,
    needs_full_parse: Cell<u32>,
    long_names: Cell<u32>,
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

/// What the session makes of a frame.
fn receive(frame: &Frame, tally: &Tally) -> Received<String> {
    let mut page = page(frame.own, &frame.open);
    let cost = Cost::now();
    page.receive(&frame.text);
    let was_parsed = Cost::since(cost).full_parses > 0;
    assert_eq!(page.by_head, usize::from(!was_parsed));
    assert_eq!(page.bad_frames(), [""; 0]);
    let received = page.received.pop().unwrap();
    assert_eq!(page.received, [], "of one frame");

    let longest_name = frame.open.iter().map(String::len).max().unwrap_or(0);
    let head_length = Embedding::Object.head_length(longest_name, false);
    let is_whole = units(&frame.text).len() <= head_length;
    let head = slice(&frame.text, 0, head_length);
    let head = decode_head(&head, 0, Embedding::Object, is_whole);
    if let Head::NotOurs { .. } = head {
        count(&tally.long_names);
    }
    match (&received, was_parsed) {
        (Received::Own, false) => count(&tally.own),
        (Received::Foreign, false) => count(&tally.foreign),
        (Received::Message(..), false) => count(&tally.delivered),
        (_, true) if head == Head::NeedsFullParse => count(&tally.needs_full_parse),
        (_, true) => {
            assert!(!frame.is_canonical, "the payload's range is wrong");
            count(&tally.delivered_in_part);
        }
        (received, false) => panic!("{received:?}"),
    }
    received
}

#[test]
fn the_head_path_and_the_full_parse_agree_on_every_frame() {
    let tally = Tally::default();
    TestRunner::new(cases(3000))
        .run(&frames(), |frame| {
            let envelope = HostText::new(&frame.text).parse().unwrap();
            let expected = read_envelope(&envelope, frame.own.get(), &frame.open);
            prop_assert_eq!(receive(&frame, &tally), expected);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    for seen in [
        &tally.own,
        &tally.foreign,
        &tally.delivered,
        &tally.delivered_in_part,
        &tally.needs_full_parse,
        &tally.long_names,
    ] {
        assert!(seen.get() >= 5, "{tally:?}");
    }
}

/// No sender of frames writes a member twice; here the head counts, where `JSON.parse` takes the
/// last.
#[test]
fn of_a_member_named_twice_the_first_counts_unless_the_frame_is_parsed_as_a_whole() {
    for (frame, expected, by_head) in [
        (
            r#"{"sender":7,"channel":"b","message":1,"sender":8,"channel":"a"}"#,
            Received::Own,
            1,
        ),
        (
            r#"{"sender":8,"channel":"b","message":1,"channel":"a"}"#,
            Received::Foreign,
            1,
        ),
        (
            r#"{"sender":8,"sender":7,"channel":"a","message":1}"#,
            Received::Own,
            0,
        ),
    ] {
        let mut page = page(UserId::from_bits(7), &["a".into()]);
        page.receive(frame);
        assert_eq!((page.received, page.by_head), (vec![expected], by_head));
    }
}

/// Of a message for a channel that is open here the whole frame counts.
#[test]
fn a_frame_that_lost_its_end_or_goes_on_behind_it_is_bad() {
    for message in ["123", "\"é}\"", "{\"a\":[1]}", "[{}]"] {
        let mut page = page(UserId::from_bits(7), &["a".into()]);
        let start = "{\"sender\":8,\"channel\":\"a\",\"message\":";
        let frame = format!("{start}{message}}}");
        for (end, _) in frame.char_indices() {
            page.receive(&frame[..end]);
            assert_eq!(
                page.received.pop(),
                Some(Received::Bad),
                "{}",
                &frame[..end]
            );
        }
        for more in ["}", "]", ",", "1", "\u{1e}", "}}", "x}"] {
            page.receive(&format!("{frame}{more}"));
            assert_eq!(page.received.pop(), Some(Received::Bad), "{frame}{more}");
        }
        for more in [" ", "\n\t"] {
            page.receive(&format!("{frame}{more}"));
            let received = page.received.pop();
            assert!(
                matches!(received, Some(Received::Message(..))),
                "{received:?}"
            );
        }
    }
}

/// `null == 0` is false, though `Number(null)` is 0.
#[test]
fn a_sender_that_is_null_is_never_own() {
    let mut page = page(UserId::from_bits(0), &["a".into()]);
    for sender in ["null", "0", "\"\"", "false", "[]"] {
        page.receive(&format!(
            "{{\"sender\":{sender},\"channel\":\"b\",\"message\":1}}"
        ));
    }
    let own = Received::Own;
    assert_eq!(
        page.received,
        [
            Received::Foreign,
            own.clone(),
            own.clone(),
            own.clone(),
            own
        ]
    );
}
