//! The envelope as plain servers and our relay send it, read by its head: whole, cut to the length
//! that a page reads, and inside a JSON string, against serde_json.

use signal_wire::envelope::{TAIL, decode_head, encode_head};
use signal_wire::json::quoted;
use signal_wire::{Embedding, Head, Sender, UserId};

use crate::json::{is_json, members, string};
use crate::split;

/// What of the room for an id isn't for the id itself.
const AROUND_ID: usize = 8;

/// The first number is the longest channel name that the head is cut for.
pub fn run(data: &[u8]) {
    let Some(([longest], frame)) = split(data) else {
        return;
    };
    let read = decode_head(&frame, 0, Embedding::Object, true);
    assert!(
        !matches!(read, Head::NotOurs { .. }),
        "of a whole frame: {frame}"
    );
    if let Head::Envelope {
        sender,
        channel,
        id,
        payload,
    } = read
    {
        holds(&frame, sender, channel, id, payload);
        is_read_in_a_string(&frame, sender, channel, id, payload);
    }
    canonical_is_read(&frame, read);
    cut(&frame, read, usize::from(longest));
}

/// What the head says holds for the whole frame, if what is in the place of the message is one
/// JSON value.
fn holds(frame: &str, sender: Sender<'_>, channel: &str, id: Option<&str>, payload: usize) {
    let start = byte(frame, payload);
    let Some(message) = frame.get(start..).and_then(|rest| rest.strip_suffix(TAIL)) else {
        return;
    };
    if !is_json(message) {
        return;
    }
    let members =
        members(frame).expect("an object with a JSON value in the message's place is JSON");
    let written = members
        .get("id")
        .map(|id| string(id).expect("an id is a string"));
    assert_eq!(written.as_deref(), id, "{frame}");
    assert_eq!(members.len(), 3 + usize::from(written.is_some()), "{frame}");
    assert_eq!(
        string(members["channel"]).as_deref(),
        Some(channel),
        "{frame}"
    );
    assert_eq!(members["message"].trim(), message.trim(), "{frame}");
    let written = members["sender"];
    match sender {
        Sender::Number(number) => {
            assert_eq!(written.trim_matches('"'), number.to_string(), "{frame}")
        }
        Sender::Name(name) => assert_eq!(string(written).as_deref(), Some(name), "{frame}"),
    }
}

/// The same envelope as the text of a JSON string tells the same by its head.
fn is_read_in_a_string(
    frame: &str,
    sender: Sender<'_>,
    channel: &str,
    id: Option<&str>,
    payload: usize,
) {
    let text = quoted(frame);
    let (before, _) = frame.split_at(byte(frame, payload));
    let expected = Head::Envelope {
        sender,
        channel,
        id,
        // One quote before, and its closing quote not yet.
        payload: quoted(before).encode_utf16().count() - 1,
    };
    let read = decode_head(&text, 1, Embedding::JsonString, true);
    assert_eq!(read, expected, "{text}");
}

/// A frame in the very bytes of `JSON.stringify` is read by its head, unless its channel's name has
/// escapes.
fn canonical_is_read(frame: &str, read: Head<'_>) {
    let Some(members) = members(frame) else {
        return;
    };
    let (Some(sender), Some(channel), Some(message)) = (
        members.get("sender"),
        members.get("channel").and_then(|name| string(name)),
        members.get("message"),
    ) else {
        return;
    };
    let Some(sender) = sender
        .parse()
        .ok()
        .filter(|number| *number <= UserId::MAX.get())
    else {
        return;
    };
    let name = quoted(&channel);
    let mut head = encode_head(UserId::from_bits(sender), &channel, None);
    let id = members.get("id").and_then(|id| string(id));
    if id.is_some() {
        let start = head.len() - ",\"message\":".len();
        head.insert_str(start, &format!(",\"id\":{}", members["id"]));
    }
    let is_plain = !name.contains('\\') && !head.contains('\\');
    if is_plain && format!("{head}{message}{TAIL}") == frame {
        let payload = head.encode_utf16().count();
        let expected = Head::Envelope {
            sender: Sender::Number(sender),
            channel: &channel,
            id: id.as_deref(),
            payload,
        };
        assert_eq!(read, expected, "{frame}");
    }
}

/// A head that was cut off tells the same, or less.
fn cut(frame: &str, read: Head<'_>, longest: usize) {
    let units: Vec<u16> = frame.encode_utf16().collect();
    for with_id in [false, true] {
        let length = Embedding::Object.head_length(longest, with_id);
        if units.len() > length {
            let head = String::from_utf16_lossy(&units[..length]);
            let room = length - Embedding::Object.head_length(longest, false);
            cut_to(frame, read, longest, room, &head);
        }
    }
}

fn cut_to(frame: &str, read: Head<'_>, longest: usize, room: usize, head: &str) {
    match (decode_head(head, 0, Embedding::Object, false), read) {
        (
            Head::NeedsFullParse,
            Head::Envelope {
                sender: Sender::Number(_),
                channel,
                id,
                ..
            },
        ) => {
            // Where there is no room for an id, the frame is parsed as a whole.
            let name = channel.encode_utf16().count();
            let needed = id.map_or(0, |id| id.encode_utf16().count() + AROUND_ID);
            assert!(
                needed > room || name > longest,
                "not read by its head, with a name of {name}: {frame}"
            );
        }
        (Head::NeedsFullParse, _) => {}
        (Head::NotOurs { sender }, whole) => {
            if let Head::Envelope {
                sender: other,
                channel,
                ..
            } = whole
            {
                assert_eq!(sender, other, "{frame}");
                assert!(
                    channel.encode_utf16().count() > longest,
                    "its channel may be open: {frame}"
                );
            }
        }
        (cut, whole) => assert_eq!(cut, whole, "{frame}"),
    }
}

/// Where the UTF-16 unit stands in the bytes.
fn byte(text: &str, unit: usize) -> usize {
    let mut units = 0;
    for (place, character) in text.char_indices() {
        if units == unit {
            return place;
        }
        units += character.len_utf16();
    }
    assert_eq!(
        units, unit,
        "a place inside a character, or behind the end: {text}"
    );
    text.len()
}
