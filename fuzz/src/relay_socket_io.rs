//! Socket.IO as the relay reads it: packets of both layers and the payloads of long-polling,
//! against serde_json and against what is written.

use signal_relay::protocols::socket_io::engine::{self, Packets, PayloadForm, Version};
use signal_relay::protocols::socket_io::packet::{self, Body, Event, Packet};

use crate::json::is_json;
use serde_json::value::RawValue;

/// The first number tells how the bytes come in.
pub fn run(data: &[u8]) {
    let Some(([how], payload)) = data.split_first_chunk() else {
        return;
    };
    let version = if how & 1 == 0 {
        Version::Three
    } else {
        Version::Four
    };
    let form = PayloadForm::of(version, how & 2 != 0);
    let mut packets = 0;
    for read in Packets::new(form, payload) {
        packets += 1;
        assert!(packets <= payload.len() + 1, "more packets than bytes");
        match read {
            Ok(engine::Packet::Message(text)) => message(text),
            Ok(engine::Packet::Ping(text)) => assert!(text.len() <= 125),
            Ok(_) | Err(_) => {}
        }
    }
    if let Ok(text) = str::from_utf8(payload) {
        message(text);
        written(text, form);
    }
}

fn message(text: &str) {
    let Ok(Packet {
        namespace,
        list: said,
        body,
    }) = Packet::parse(text)
    else {
        return;
    };
    assert!(
        namespace.starts_with('/') && !namespace.contains([',', '?']),
        "{text}"
    );
    let Body::Event { id, what } = body else {
        return;
    };
    assert!(
        id.is_none_or(|id| !id.is_empty()
            && id.len() <= 16
            && id.bytes().all(|digit| digit.is_ascii_digit())),
        "{text}"
    );
    // Where no namespace is named, the list is all from the first bracket.
    let Some(start) = text
        .find('[')
        .filter(|_| text.starts_with('2') && !text.starts_with("2/"))
    else {
        return;
    };
    assert_eq!(said, &text[start..]);
    let list: Vec<&RawValue> = serde_json::from_str(said).expect("an event is a JSON list");
    let is_message = list.len() > 1
        && serde_json::from_str::<String>(list[0].get()).is_ok_and(|name| name == "message");
    match what {
        Event::Message(argument) => {
            assert!(is_message, "{text}");
            assert_eq!(argument, list[1].get(), "{text}");
        }
        Event::Other => assert!(!is_message, "{text}"),
    }
}

/// What is written is read again.
fn written(text: &str, form: PayloadForm) {
    if is_json(text) {
        let packet = packet::message("/room", text);
        let parsed = Packet::parse(packet.strip_prefix('4').unwrap_or_default());
        let what = Event::Message(text.trim_matches([' ', '\t', '\n', '\r']));
        assert_eq!(
            parsed.map(|packet| (packet.namespace, packet.body)),
            Ok(("/room", Body::Event { id: None, what })),
            "{text}"
        );
    }
    let mut payload = Vec::new();
    let parts: Vec<_> = text
        .split('\u{1e}')
        .map(|part| format!("4{part}"))
        .collect();
    for part in &parts {
        form.append(&mut payload, part);
    }
    let read: Result<Vec<_>, _> = Packets::new(form, &payload).collect();
    let expected: Vec<_> = parts
        .iter()
        .map(|part| engine::Packet::Message(&part[1..]))
        .collect();
    assert_eq!(read, Ok(expected), "{text}");
}
