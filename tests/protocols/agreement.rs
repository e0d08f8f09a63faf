//! However the session reads a frame, by its head or as a whole, it comes to the same.
//!
//! The session is compared with a conversation that parses every frame: what was received, what is
//! sent, and the state in which that leaves the conversation, which shows in the address with which
//! a lost connection is resumed.

use crate::generators::{
    Call, OTHERS, Settings, Welcome, calls, cursors, frame, messages, names, settings, up, welcome,
};
use crate::setups::OWN;
use crate::support::cases;
use crate::support::full_parse::FullParse;
use crate::support::host::{Cost, HostText, HostValue};
use crate::support::page::{Received, Setup};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value as Json;
use signal_wasm::protocol::{Cut, Millis, Output, Records, Text};
use signal_wasm::session::{Action, Transmission};

/// A conversation that parses every frame, in the state in which a page is.
fn full_parse(setup: &Setup, settings: &Settings, open: &[String], now: Millis) -> FullParse {
    let mut open = open.to_vec();
    open.push("main".into());
    let mut conversation = FullParse::new(setup, OWN, &open);
    conversation.connect(now);
    for said in welcome(setup.protocol, settings) {
        match said {
            Welcome::Answer(body) => conversation.is_answered(200, body),
            Welcome::Socket => conversation.tell(|protocol, out| protocol.on_socket_open(out)),
            Welcome::Frame(text) => conversation.receive(&text),
        }
    }
    assert_eq!(conversation.outputs.last(), Some(&Output::Ready));
    conversation.outputs.clear();
    conversation.received.clear();
    conversation
}

/// What a session does about what its protocol asks for.
fn as_action(output: &Output<HostText>) -> Action<HostText> {
    match output {
        Output::Send(frame) => Action::Transmit(Transmission {
            frame: frame.as_str().into(),
            message: None,
            post_url: None,
        }),
        Output::OpenSocket(url) => Action::OpenSocket(url.clone()),
        Output::Http(request) => Action::Http(request.clone()),
        output => panic!("{output:?}"),
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn both_paths_agree_on_every_frame(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        open in prop::collection::vec(names(), 0..3),
        frames in prop::collection::vec((prop::collection::vec(calls(), 1..4), cursors(), select(vec!["", "", ",\"G\":\"g\"", ",\"more\":[{\"A\":[\"\"]}]"])), 1..4),
    ) {
        let setup = settings.setup(protocol);
        let mut page = up(&setup, &settings, &open);
        let mut whole = full_parse(&setup, &settings, &open, page.now);
        for (calls, cursor, more) in &frames {
            let text = frame(protocol, &settings, calls, cursor, more);
            page.receive(&text);
            whole.receive(&text);
            prop_assert_eq!(&page.received, &whole.received, "{}", text);
            let outputs: Vec<_> = whole.outputs.iter().map(as_action).collect();
            prop_assert_eq!(&page.done, &outputs);
        }
        // What was noted of it shows in the address with which a connection is resumed.
        page.loses_socket(Some(1006));
        whole.protocol().on_close(page.now);
        page.tries_again();
        page.done.retain(|action| *action != Action::Disconnect);
        whole.connect(page.now);
        let outputs: Vec<_> = whole.outputs.iter().map(as_action).collect();
        prop_assert_eq!(&page.done, &outputs);
        let again = matches!(outputs.last(), Some(Action::OpenSocket(_) | Action::Http(_)));
        prop_assert!(again);
    }

    #[test]
    fn canonical_frames_are_judged_by_their_heads(
        protocol in select(&OTHERS[..]),
        settings in settings(),
        sender in any::<u32>(),
        name in "[a-zé😀]{0,100}",
        open in prop::collection::vec("[a-zé😀]{0,30}", 0..3),
        message in messages(),
    ) {
        let setup = settings.setup(protocol);
        let mut page = up(&setup, &settings, &open);
        let envelope = format!("{{\"sender\":{sender},\"channel\":\"{name}\",\"message\":{message}}}");
        let text = frame(protocol, &settings, &[Call::new(envelope, false)], "\"d-1\"", "");
        // What has a record's beginning in its message may be two.
        let second_record = match protocol {
            "signalr" => Some("\u{1e}{"),
            "signalr-classic" => Some(",{\"H\":"),
            _ => None,
        };
        prop_assume!(second_record.is_none_or(|sign| !text[1..].contains(sign)));
        let cost = Cost::now();
        page.receive(&text);
        prop_assert_eq!(page.by_head, 1);
        let expected = match () {
            () if u64::from(sender) == OWN => Received::Own,
            () if name == "main" || open.contains(&name) => Received::Message(name, HostValue(Some(message))),
            () => Received::Foreign,
        };
        // Of a message that isn't delivered nothing is parsed at all.
        let is_delivered = matches!(expected, Received::Message(..));
        prop_assert_eq!(Cost::since(cost).parses > 0, is_delivered);
        prop_assert_eq!(page.received, [expected]);
    }

    #[test]
    fn a_stream_may_be_cut_anywhere(
        records in prop::collection::vec("[^\u{1e}]{1,12}", 0..6),
        rest in "[^\u{1e}]{0,5}",
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let stream: String = records.iter().map(|record| format!("{record}\u{1e}")).collect::<String>() + &rest;
        let mut taken = Vec::new();
        let mut stream_of = Records::default();
        for frame in cut(&stream, &cuts) {
            taken.extend(stream_of.take(&HostText::new(frame), Cut::Stream));
        }
        let taken: Vec<_> = taken.iter().map(HostText::as_str).collect();
        prop_assert_eq!(taken, records);
        prop_assert_eq!(stream_of.begun().map_or("", HostText::as_str), &*rest);
        stream_of.clear();
        prop_assert!(stream_of.begun().is_none());
    }

    /// Whether records come alone, together or in pieces, the session receives the same.
    #[test]
    fn a_session_reads_the_same_however_its_frames_are_cut(
        settings in settings(),
        open in prop::collection::vec(names(), 0..3),
        calls in prop::collection::vec(calls(), 1..5),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let setup = settings.setup("signalr");
        let mut uncut = up(&setup, &settings, &open);
        for call in &calls {
            uncut.receive(&frame("signalr", &settings, std::slice::from_ref(call), "", ""));
        }
        let mut pieces = up(&setup, &settings, &open);
        for piece in cut(&frame("signalr", &settings, &calls, "", ""), &cuts) {
            pieces.receive(piece);
        }
        prop_assert_eq!(uncut.received, pieces.received);
        prop_assert_eq!(uncut.done, pieces.done);
    }
}

/// The pieces of a text.
fn cut<'a>(text: &'a str, cuts: &[Index]) -> Vec<&'a str> {
    let places: Vec<_> = (0..=text.len())
        .filter(|at| text.is_char_boundary(*at))
        .collect();
    let mut cuts: Vec<_> = cuts.iter().map(|cut| *cut.get(&places)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &text[pair[0]..pair[1]])
        .collect()
}

/// A frame that looks like a record may be the rest of one.
#[test]
fn a_frame_behind_the_beginning_of_a_record_is_not_read_by_its_head() {
    let settings = Settings::default();
    let envelope = "{\"sender\":1,\"channel\":\"main\",\"message\":1}";
    let record = frame(
        "signalr",
        &settings,
        &[Call::new(envelope.into(), false)],
        "",
        "",
    );
    let mut page = up(&settings.setup("signalr"), &settings, &[]);
    page.receive("{\"type\":");
    assert_eq!(page.received, []);
    page.receive(&record);
    assert_eq!(page.received, [Received::Bad]);
    page.receive(&record);
    assert_eq!((page.received.len(), page.by_head), (2, 1));
    // Nor is one that goes on in the next frame.
    let (start, end) = record.split_at(record.len() - 1);
    page.receive(start);
    assert_eq!(page.received.len(), 2);
    page.receive(end);
    assert_eq!((page.received.len(), page.by_head), (3, 1));
}

/// A property that never saw both paths would say nothing.
#[test]
fn both_paths_are_taken() {
    let settings = Settings::default();
    for protocol in OTHERS {
        let mut page = up(&settings.setup(protocol), &settings, &[]);
        let envelope =
            |message: Json| format!("{{\"sender\":1,\"channel\":\"main\",\"message\":{message}}}");
        let canonical = Call::new(envelope(1.into()), false);
        page.receive(&frame(protocol, &settings, &[canonical], "\"d-1\"", ""));
        assert_eq!((page.by_head, page.received.len()), (1, 1));
        let spaced = Call::new(envelope(1.into()).replace(':', ": "), false);
        page.receive(&frame(protocol, &settings, &[spaced], "\"d-1\"", ""));
        assert_eq!((page.by_head, page.received.len()), (1, 2));
        assert_eq!(page.received[0], page.received[1]);
    }
}
