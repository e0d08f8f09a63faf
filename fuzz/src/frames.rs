//! What our relay and its clients say besides envelopes: any text is read as a frame of either
//! side, compared with serde_json, and what was understood is written and read again.

use signal_wire::frames::{encode_close, encode_token};
use signal_wire::{ClientFrame, Open, ServerFrame};

use crate::json::{is_json, members, string};

/// The text as each kind of frame.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let decoded = ClientFrame::decode(&text);
    client(&text, &decoded);
    first(&text, &decoded);
    server(&text);
}

fn client(text: &str, decoded: &ClientFrame<'_>) {
    let is_object = is_json(text) && text.trim_start().starts_with('{');
    assert_eq!(*decoded == ClientFrame::Text, !is_object, "{text}");
    match decoded {
        ClientFrame::Publish(envelope, reference) => {
            // Names with half a surrogate pair are more than serde_json reads.
            if let Some(members) = members(text) {
                if let Some(name) = string(members["channel"]) {
                    assert_eq!(name, envelope.channel, "{text}");
                }
                if let Some(reference) = reference {
                    assert_eq!(members["ref"], reference.to_string(), "{text}");
                }
            }
            let canonical = envelope.canonical(None, true).text;
            assert!(is_json(&canonical), "{text}: {canonical}");
        }
        ClientFrame::Open(open) => is_written_again(text, open),
        ClientFrame::Close(names) => {
            let written = encode_close(names.iter().map(AsRef::as_ref));
            assert_eq!(ClientFrame::decode(&written), *decoded, "{text}");
        }
        ClientFrame::Token(token) => {
            let written = encode_token(token);
            assert_eq!(ClientFrame::decode(&written), *decoded, "{text}");
        }
        ClientFrame::Ping(number) => assert!(is_json(number), "{text}"),
        ClientFrame::Pong | ClientFrame::Text => {}
        ClientFrame::Invalid(why) => assert!(!why.is_empty()),
    }
}

fn is_written_again(text: &str, open: &Open<'_>) {
    let written = open.encode();
    assert!(is_json(&written), "{written}");
    let again = ClientFrame::decode(&written);
    assert_eq!(again, ClientFrame::Open(open.clone()), "{text}");
    assert_eq!(ClientFrame::decode_first(&written), again, "{text}");
}

/// Of a client that hasn't subscribed, only control frames are for the relay. No client takes
/// anything that is for the others for a frame of the relay.
fn first(text: &str, decoded: &ClientFrame<'_>) {
    let first = ClientFrame::decode_first(text);
    if matches!(first, ClientFrame::Text | ClientFrame::Publish(..)) {
        for line in text.split('\n').chain([text]) {
            assert_eq!(ServerFrame::decode(line), None, "{text}");
        }
    }
    match (first, decoded) {
        (ClientFrame::Publish(first, reference), decoded) => {
            assert_eq!(reference, None, "{text}");
            if let ClientFrame::Publish(envelope, _) = decoded {
                assert_eq!(first, *envelope, "{text}");
            }
        }
        (ClientFrame::Open(first), decoded) => {
            assert_eq!(ClientFrame::Open(first), *decoded, "{text}");
        }
        (ClientFrame::Text, decoded) => {
            let is_nothing = matches!(decoded, ClientFrame::Text | ClientFrame::Invalid(_));
            assert!(is_nothing, "{text}");
        }
        (ClientFrame::Invalid(why), ClientFrame::Text) => assert!(why.contains("lines"), "{text}"),
        (first, decoded) => assert_eq!(first, *decoded, "{text}"),
    }
}

fn server(text: &str) {
    let Some(frame) = ServerFrame::decode(text) else {
        return;
    };
    assert!(is_json(text), "{text}");
    let written = frame.encode();
    assert!(is_json(&written), "{written}");
    assert_eq!(ServerFrame::decode(&written), Some(frame), "{text}");
}
