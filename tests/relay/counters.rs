//! Frames are counted by what they were, and shown to an inspector in the order of things.

use crate::client::{Client, FOREVER, PONG, foreign, message};
use signal_wasm::protocol::{Frame, NOT_TEXT};
use signal_wasm::session::{Event, FrameKind, Input, Stats};

const OWN: &str = r#"{"sender":7,"channel":"a","message":1}"#;

#[test]
fn frames_are_counted_and_the_first_bad_one_is_reported() {
    let mut client = Client::subscribed();
    let before = client.session().stats();
    client.sends(1.0, "a", "1", FOREVER);
    let frames = [
        (2, foreign("a", "1")),
        (3, OWN.into()),
        (4, foreign("b", "2")),
        (5, PONG.into()),
    ];
    for (times, frame) in frames {
        for _ in 0..times {
            client.receives(1.0, &frame);
        }
    }
    for _ in 0..5 {
        client.handles(1.0, Input::Frame(Frame::Binary(vec![0xff])));
    }
    let stats = client.session().stats();
    let counted = Stats {
        sent: before.sent + 1.0,
        delivered: before.delivered + 2.0,
        own: before.own + 3.0,
        foreign: before.foreign + 4.0,
        control: before.control + 5.0,
        bad: before.bad + 5.0,
        queued: 1.0,
        queued_bytes: 2.0,
        sent_length: before.sent_length + message("a", 1, "1").len() as f64,
        received_length: before.received_length
            + (2 * foreign("a", "1").len()
                + 3 * OWN.len()
                + 4 * foreign("b", "2").len()
                + 5 * PONG.len()) as f64,
        round_trip: Some(1.0),
        ..before
    };
    assert_eq!(stats, counted);
    assert_eq!(client.told(), [Event::BadFrame(NOT_TEXT)]);
}

#[test]
fn an_inspector_is_shown_each_frame_once() {
    let mut client = Client::subscribed();
    client.calls(1.0, |session| session.inspect(true));
    client.sends(1.0, "a", "1", FOREVER);
    let text = |kind, frame: &str| (kind, Frame::Text(frame.into()));
    assert_eq!(
        client.shown(),
        [text(FrameKind::Sent, &message("a", 1, "1"))]
    );
    let ping = r#"{"ping":5}"#;
    for (frame, kind) in [
        (foreign("a", "1"), FrameKind::Delivered),
        (OWN.into(), FrameKind::Own),
        (foreign("b", "2"), FrameKind::Foreign),
        ("no JSON".into(), FrameKind::Bad),
        (ping.into(), FrameKind::Control),
    ] {
        let delivered = client.receives(2.0, &frame);
        assert_eq!(delivered.len(), usize::from(kind == FrameKind::Delivered));
        let mut expected = vec![text(kind, &frame)];
        // The answer is a frame of the protocol too.
        if kind == FrameKind::Control {
            expected.push(text(kind, r#"{"pong":5}"#));
        }
        assert_eq!(client.shown(), expected);
    }
    assert_eq!(client.told(), [Event::BadFrame("a frame that isn't JSON")]);
    let binary = Frame::Binary(vec![0xff]);
    client.handles(3.0, Input::Frame(binary.clone()));
    assert_eq!(client.shown(), [(FrameKind::Bad, binary)]);
    client.calls(3.0, |session| session.inspect(false));
    client.receives(3.0, OWN);
    assert_eq!(client.shown(), []);
}
