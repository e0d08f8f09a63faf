//! Several envelopes in one frame or event, and binary frames of protocols that wrap envelopes.

use crate::setups::{self, Client, OWN};
use crate::support::page::{Received, Setup};
use serde_json::{Value, json};
use signal_wasm::protocol::{Frame, ServerEvent};
use signal_wasm::session::Input;

fn to_main(message: u32) -> Value {
    json!({ "sender": 8, "channel": "main", "message": message })
}

fn own() -> Value {
    json!({ "sender": OWN, "channel": "main", "message": 0 })
}

/// What a frame of that page's protocol looks like with this argument of a call.
type Wrap = fn(&Value) -> String;

const WRAPS: [(setups::Make, Wrap); 4] = [
    (setups::socket_io_4, |given| {
        format!("42{}", json!(["message", given]))
    }),
    (setups::socket_io_2, |given| {
        format!("42{}", json!(["message", given]))
    }),
    (setups::signalr_up, |given| {
        let call = json!({ "type": 1, "target": "onMessageReceived", "arguments": [given] });
        format!("{call}\u{1e}")
    }),
    (setups::classic_up, |given| {
        let call = json!({ "H": "webRtcHub3", "M": "onMessageReceived", "A": [given] });
        json!({ "C": "d-2", "M": [call] }).to_string()
    }),
];

/// The messages that it received, and how many frames of each other kind.
fn received(page: &mut Client) -> (Vec<u64>, usize, usize) {
    let (mut messages, mut own, mut bad) = (Vec::new(), 0, 0);
    for received in page.received.drain(..) {
        match received {
            Received::Message(_, message) => messages.extend(message.0.unwrap().as_u64()),
            Received::Own => own += 1,
            Received::Bad => bad += 1,
            Received::Foreign | Received::Control => panic!("{received:?}"),
        }
    }
    (messages, own, bad)
}

/// An event of an event stream whose data has several lines has line breaks in it.
#[test]
fn the_data_of_an_event_may_be_several_lines() {
    let mut page = setups::opened(&Setup::new("sse", "ws://h/x"));
    page.done.clear();
    page.handle(Input::SocketOpen);
    page.handle(Input::ServerEvent(ServerEvent {
        kind: "message".into(),
        id: "1".into(),
        data: format!("{}\n{}\n[{}]", to_main(1), own(), to_main(2)).into(),
    }));
    assert_eq!(page.stats().delivered, 2.0);
    assert_eq!(page.stats().own, 1.0);
    assert_eq!(page.stats().bad, 0.0);
}

/// A server that isn't our relay may pack its first frame, too.
#[test]
fn the_first_frame_of_a_plain_server_may_hold_several() {
    let mut page = setups::opened(&Setup::new("auto", "ws://h/x"));
    page.connects();
    page.receive(&format!("{}\n{}", to_main(1), to_main(2)));
    page.receive(&format!("[{},{}]", to_main(3), to_main(4)));
    assert_eq!(received(&mut page), (vec![1, 2, 3, 4], 0, 0));
}

/// SignalR's JSON protocol has no binary frames either; Socket.IO has some, for binary arguments.
#[test]
fn binary_frames_are_text_unless_the_protocol_has_some() {
    for (make, wrap) in WRAPS {
        let mut page = make();
        page.received.clear();
        let frame = wrap(&to_main(1).to_string().into());
        page.receive_from(page.session.connection(), Frame::Binary(frame.into_bytes()));
        let is_socket_io = matches!(page.received[..], [Received::Control]);
        assert!(is_socket_io || received(&mut page).0 == [1]);
        assert_eq!(page.stats().bad, 0.0);
    }
}
