//! The envelope as text, which is the plain protocol of the seed's "any WebSocket server": each text frame is
//! `{"sender":…,"channel":…,"message":…}`, no more.
//!
//! * encode: [`encode_head`] + the message's JSON text + [`TAIL`], byte for byte what the shim's `JSON.stringify` makes.
//! * decode: [`decode_head`] reads sender and channel of a frame in that canonical order. The message's JSON text is then all up to the
//!   frame's last character, which must be [`TAIL`]: if that much is one JSON value, the frame is one JSON object with just these three members.
//!
//! SignalR carries the envelope inside a JSON string, where each quote of it is a `\"`: the same text in other [`Quotes`].
//!
//! A frame that names a member twice is no canonical frame of anybody's; of such a frame the head counts here, where `JSON.parse` takes
//! the last.

use super::envelope::{Head, Sender, UserId};
use super::json::{PlainString, Scanner, write_number, write_string};
use super::text;
use alloc::string::String;

const SENDER: &str = "{\"sender\":";
const CHANNEL: &str = ",\"channel\":\"";
const MESSAGE: &str = ",\"message\":";

/// What stands after the message.
pub const TAIL: &str = "}";

/// What stands before the channel's name if the sender is 16 digits in quotes.
const BEFORE_NAME: usize = SENDER.len() + 18 + CHANNEL.len();

/// All that stands before and behind the channel's name, up to the message. Short, for each character of it costs two nanoseconds a frame.
pub const HEAD_WITHOUT_NAME: usize = BEFORE_NAME + 1 + MESSAGE.len();

/// How an envelope's quotes are written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// As they are.
    Plain,
    /// Behind a backslash: the envelope is inside a string.
    Escaped,
}

/// An envelope's parts, as they are written with such quotes.
struct Parts {
    sender: &'static str,
    channel: &'static str,
    message: &'static str,
    /// What our relay has before a message's id.
    id: &'static str,
    quote: &'static str,
    /// What [`BEFORE_NAME`] and [`HEAD_WITHOUT_NAME`] are with such quotes.
    before_name: usize,
    head_without_name: usize,
}

const PLAIN: Parts = Parts {
    sender: SENDER,
    channel: CHANNEL,
    message: MESSAGE,
    id: ",\"id\":\"",
    quote: "\"",
    before_name: BEFORE_NAME,
    head_without_name: HEAD_WITHOUT_NAME,
};

const ESCAPED: Parts = Parts {
    sender: "{\\\"sender\\\":",
    channel: ",\\\"channel\\\":\\\"",
    message: ",\\\"message\\\":",
    id: ",\\\"id\\\":\\\"",
    quote: "\\\"",
    // Seven quotes before the name, three behind it.
    before_name: BEFORE_NAME + 7,
    head_without_name: HEAD_WITHOUT_NAME + 10,
};

impl Quotes {
    #[inline]
    fn parts(self) -> &'static Parts {
        match self {
            Quotes::Plain => &PLAIN,
            Quotes::Escaped => &ESCAPED,
        }
    }

    /// All that stands before and behind the channel's name, up to the message.
    #[inline]
    pub(super) fn head_without_name(self) -> usize {
        self.parts().head_without_name
    }
}

/// What stands before the message; `number` is its `ref` with our relay, or 0 for none.
pub fn encode_head(sender: UserId, channel: &str, number: u64) -> String {
    let mut out = String::with_capacity(HEAD_WITHOUT_NAME + channel.len());
    out.push_str(SENDER);
    write_number(&mut out, sender.get());
    out.push_str(",\"channel\":");
    write_string(&mut out, channel);
    if number > 0 {
        out.push_str(",\"ref\":");
        write_number(&mut out, number);
    }
    out.push_str(MESSAGE);
    out
}

/// Reads the head of a frame; `whole` says that it is all there is of it.
pub fn decode_head(head: &str, whole: bool) -> Head<'_> {
    decode_at(head, 0, Quotes::Plain, whole)
}

/// Reads the envelope that begins at the byte `start` of a frame's head.
#[inline]
pub(super) fn decode_at(head: &str, start: usize, quotes: Quotes, whole: bool) -> Head<'_> {
    scan(head, start, quotes, whole).unwrap_or(Head::Unclear)
}

fn scan(head: &str, start: usize, quotes: Quotes, whole: bool) -> Option<Head<'_>> {
    let parts = quotes.parts();
    let mut scanner = Scanner {
        rest: head.get(start..)?,
    };
    scanner.literal(parts.sender)?;
    let sender = scan_sender(&mut scanner, parts.quote)?;
    scanner.literal(parts.channel)?;
    // The head holds all up to the message, unless the name is longer than any it was cut for; or else the sender is.
    let cut = !whole && head.len() - start - scanner.rest.len() <= parts.before_name;
    let channel = match scanner.plain_string(parts.quote) {
        PlainString::Closed(name) => name,
        PlainString::Open if cut => return Some(Head::LongName { sender }),
        // The backslash of the closing quote may be the last character; one before it is an escape's.
        PlainString::Odd
            if cut
                && quotes == Quotes::Escaped
                && head.ends_with('\\')
                && text::cut(scanner.rest, b'\\').1.is_empty() =>
        {
            return Some(Head::LongName { sender });
        }
        PlainString::Open | PlainString::Odd => return None,
    };
    let mut id = "";
    if scanner.literal(parts.id).is_some() {
        let PlainString::Closed(read) = scanner.plain_string(parts.quote) else {
            return None;
        };
        id = read;
    } else if cut && scanner.rest.len() < parts.message.len() {
        return Some(Head::LongName { sender });
    }
    scanner.literal(parts.message)?;
    let read = head.get(..head.len() - scanner.rest.len())?;
    Some(Head::Envelope {
        sender,
        channel,
        id,
        payload: utf16_length(read),
    })
}

fn scan_sender<'a>(scanner: &mut Scanner<'a>, quote: &str) -> Option<Sender<'a>> {
    if scanner.literal(quote).is_none() {
        return scanner.whole_number().map(Sender::Number);
    }
    let PlainString::Closed(name) = scanner.plain_string(quote) else {
        return None;
    };
    let mut digits = Scanner { rest: name };
    match digits.whole_number() {
        Some(number) if digits.rest.is_empty() => Some(Sender::Number(number)),
        // What begins with a letter is never a finite number to `==`; anything else ("", " 5", "0x5", "+5", "5e0") might be.
        _ => name
            .starts_with(|first: char| first.is_ascii_alphabetic())
            .then_some(Sender::Name(name)),
    }
}

pub(super) fn utf16_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    }
}
