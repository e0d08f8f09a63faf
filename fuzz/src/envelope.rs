//! The envelope as plain servers and our relay send it, read by its head: whole, and cut to the length that a page gives its module, against
//! serde_json.

use signal_wasm::protocol::{Head, Sender, UserId, websocket, write_string};

use crate::json::{is_json, members, string};
use crate::split;

/// So much longer heads are with our relay, and so much of an id isn't itself.
const ID_ROOM: usize = 28;
const ID_AROUND: usize = 8;

/// The first number is the longest channel name that the head is cut for.
pub fn run(data: &[u8]) {
    let Some(([longest], frame)) = split(data) else {
        return;
    };
    let read = websocket::decode_head(&frame, true);
    assert!(
        !matches!(read, Head::LongName { .. }),
        "more of a whole frame: {frame}"
    );
    if let Head::Envelope {
        sender,
        channel,
        id,
        payload,
    } = read
    {
        holds(&frame, sender, channel, id, payload);
    }
    canonical_is_read(&frame, read);
    cut(&frame, read, usize::from(longest));
}

/// What the head says holds for the whole frame, if what stands where the message is to be is one JSON value.
fn holds(frame: &str, sender: Sender<'_>, channel: &str, id: &str, payload: usize) {
    let start = byte(frame, payload);
    let Some(message) = frame
        .get(start..)
        .and_then(|rest| rest.strip_suffix(websocket::TAIL))
    else {
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
    assert_eq!(written.as_deref().unwrap_or_default(), id, "{frame}");
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

/// A frame in the very bytes of `JSON.stringify` is told by its head, unless its channel's name has escapes.
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
    let mut name = String::new();
    write_string(&mut name, &channel);
    let mut head = websocket::encode_head(UserId::from_bits(sender), &channel, 0);
    let id = members
        .get("id")
        .and_then(|id| string(id))
        .unwrap_or_default();
    if !id.is_empty() {
        let start = head.len() - ",\"message\":".len();
        head.insert_str(start, &format!(",\"id\":{}", members["id"]));
    }
    let is_plain = !name.contains('\\') && !head.contains('\\');
    if is_plain && format!("{head}{message}{}", websocket::TAIL) == frame {
        let payload = head.encode_utf16().count();
        let expected = Head::Envelope {
            sender: Sender::Number(sender),
            channel: &channel,
            id: &id,
            payload,
        };
        assert_eq!(read, expected, "{frame}");
    }
}

/// A head that was cut off tells the same, or less.
fn cut(frame: &str, read: Head<'_>, longest: usize) {
    let units: Vec<u16> = frame.encode_utf16().collect();
    for room in [0, ID_ROOM] {
        let length = websocket::HEAD_WITHOUT_NAME + longest + room;
        if units.len() > length {
            let head = String::from_utf16_lossy(&units[..length]);
            cut_to(frame, read, longest, room, &head);
        }
    }
}

fn cut_to(frame: &str, read: Head<'_>, longest: usize, room: usize, head: &str) {
    match (websocket::decode_head(head, false), read) {
        (
            Head::Unclear,
            Head::Envelope {
                sender: Sender::Number(_),
                channel,
                id,
                ..
            },
        ) => {
            // Where there is no room for an id, the frame is read whole.
            let name = channel.encode_utf16().count();
            let needed = if id.is_empty() && !frame.contains("\"id\"") {
                0
            } else {
                id.encode_utf16().count() + ID_AROUND
            };
            assert!(
                needed > room || name > longest,
                "not told by its head, with a name of {name}: {frame}"
            );
        }
        (Head::Unclear, _) => {}
        (Head::LongName { sender }, whole) => {
            if let Head::Envelope {
                sender: other,
                channel,
                ..
            } = whole
            {
                assert_eq!(sender, other, "{frame}");
                assert!(
                    channel.encode_utf16().count() > longest,
                    "its name may be open, and isn't told: {frame}"
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
