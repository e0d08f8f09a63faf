//! The envelope `{"sender":…,"channel":…,"message":…}`: written, read by its head alone, and read as a whole.
//!
//! * **Write**: [`encode_head`] + the message's JSON text + [`TAIL`], byte for byte what the shim's `JSON.stringify` makes.
//! * **Read the head**: [`decode_head`] takes the first few hundred characters of a frame and tells who sent it and on which channel, if the
//!   members stand in that canonical order. The message's JSON text is then everything up to the frame's last character, which must be
//!   [`TAIL`]: if that much is one JSON value, the frame is one JSON object with just these members.
//! * **Read the whole**: [`Envelope::read`] takes the members in any order, and [`Envelope::canonical`] writes them in the canonical one.
//!
//! SignalR carries the envelope inside a JSON string, where each quote of it is a `\"`: the same text in another [`Embedding`].

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, Member, PlainString, Scanner, write_number, write_string};

/// The `sender` of a page's messages: 53 random bits, so that it is an exact JavaScript number.
///
/// The shim's has 60,536 values: of 290 pages, two are as likely as not to share one, and then can't hear each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(u64);

impl UserId {
    /// The largest: `Number.MAX_SAFE_INTEGER`.
    pub const MAX: UserId = UserId((1 << 53) - 1);

    /// Keeps the lowest 53 of `bits`.
    #[must_use]
    pub fn from_bits(bits: u64) -> UserId {
        UserId(bits & UserId::MAX.0)
    }

    /// The number itself.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The `sender` of a canonical envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A whole number, or a string of digits: JavaScript's `==` takes them for the same.
    Number(u64),
    /// A string that `==` can't take for a whole number.
    Name(&'a str),
}

impl Sender<'_> {
    /// Whether `sender == own` in JavaScript.
    #[inline]
    #[must_use]
    pub fn is(self, own: UserId) -> bool {
        self == Sender::Number(own.0)
    }
}

/// What the head of a frame tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head<'a> {
    /// A canonical envelope.
    Envelope {
        /// Who sent it.
        sender: Sender<'a>,
        /// The channel's name.
        channel: &'a str,
        /// The message's id on the channel, which our relay gives.
        id: Option<&'a str>,
        /// Where the message's JSON text begins, in UTF-16 code units, as JavaScript counts. It ends where the frame's tail begins.
        payload: usize,
    },
    /// A canonical envelope whose channel has a longer name than any that the head was cut for: it isn't open here.
    NotOurs {
        /// Who sent it.
        sender: Sender<'a>,
    },
    /// The head doesn't tell: another order of members, escapes, white space, or no envelope at all.
    NeedsFullParse,
}

/// How an envelope stands in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embedding {
    /// As a JSON object.
    Object,
    /// As the text of a JSON string, so that its quotes are escaped.
    JsonString,
}

const SENDER: &str = "{\"sender\":";
const CHANNEL: &str = ",\"channel\":\"";
const MESSAGE: &str = ",\"message\":";

/// What stands behind the message.
pub const TAIL: &str = "}";

/// What stands before the channel's name if the sender is 16 digits in quotes.
const BEFORE_NAME: usize = SENDER.len() + 18 + CHANNEL.len();

/// All that stands around the channel's name, up to the message. Short, because each character of it costs two nanoseconds per frame.
const WITHOUT_NAME: usize = BEFORE_NAME + 1 + MESSAGE.len();

/// By how much an id makes a head longer: `,"id":""` and 20 digits.
const ID: usize = 28;

/// The parts of a canonical envelope as an embedding writes them.
struct Parts {
    sender: &'static str,
    channel: &'static str,
    message: &'static str,
    id: &'static str,
    quote: &'static str,
    before_name: usize,
    without_name: usize,
}

const OBJECT: Parts = Parts {
    sender: SENDER,
    channel: CHANNEL,
    message: MESSAGE,
    id: ",\"id\":\"",
    quote: "\"",
    before_name: BEFORE_NAME,
    without_name: WITHOUT_NAME,
};

const JSON_STRING: Parts = Parts {
    sender: "{\\\"sender\\\":",
    channel: ",\\\"channel\\\":\\\"",
    message: ",\\\"message\\\":",
    id: ",\\\"id\\\":\\\"",
    quote: "\\\"",
    // Seven quotes before the name, three behind it.
    before_name: BEFORE_NAME + 7,
    without_name: WITHOUT_NAME + 10,
};

impl Embedding {
    #[inline]
    fn parts(self) -> &'static Parts {
        match self {
            Embedding::Object => &OBJECT,
            Embedding::JsonString => &JSON_STRING,
        }
    }

    /// How many UTF-16 code units of an envelope [`decode_head`] needs, so that a channel name which runs past them is longer than `longest_name`.
    #[inline]
    #[must_use]
    pub fn head_length(self, longest_name: usize, with_id: bool) -> usize {
        self.parts().without_name + longest_name + if with_id { ID } else { 0 }
    }
}

/// What stands before the message. `reference` is the message's number within a session with our relay.
#[must_use]
pub fn encode_head(sender: UserId, channel: &str, reference: Option<u64>) -> String {
    let mut out = String::with_capacity(WITHOUT_NAME + channel.len());
    out.push_str(SENDER);
    write_number(&mut out, sender.get());
    out.push_str(",\"channel\":");
    write_string(&mut out, channel);
    if let Some(reference) = reference {
        out.push_str(",\"ref\":");
        write_number(&mut out, reference);
    }
    out.push_str(MESSAGE);
    out
}

/// Reads the envelope that begins at the byte `start` of a frame's head; `whole` says that the head is the whole frame.
///
/// A frame that names a member twice isn't canonical; of such a frame the head counts here, where `JSON.parse` takes the last.
#[inline]
#[must_use]
pub fn decode_head(head: &str, start: usize, embedding: Embedding, whole: bool) -> Head<'_> {
    scan(head, start, embedding, whole).unwrap_or(Head::NeedsFullParse)
}

fn scan(head: &str, start: usize, embedding: Embedding, whole: bool) -> Option<Head<'_>> {
    let parts = embedding.parts();
    let mut scanner = Scanner {
        rest: head.get(start..)?,
    };
    scanner.literal(parts.sender)?;
    let sender = scan_sender(&mut scanner, parts.quote)?;
    scanner.literal(parts.channel)?;
    // The head holds everything up to the message, unless the name is longer than any it was cut for; or else the sender is.
    let is_cut = !whole && head.len() - start - scanner.rest.len() <= parts.before_name;
    let channel = match scanner.plain_string(parts.quote) {
        PlainString::Closed(name) => name,
        PlainString::Open if is_cut => return Some(Head::NotOurs { sender }),
        // The backslash of the closing quote may be the last character; one before it is an escape's.
        PlainString::NotPlain
            if is_cut
                && embedding == Embedding::JsonString
                && scanner.rest.bytes().position(|byte| byte == b'\\')
                    == scanner.rest.len().checked_sub(1) =>
        {
            return Some(Head::NotOurs { sender });
        }
        PlainString::Open | PlainString::NotPlain => return None,
    };
    let mut id = None;
    if scanner.literal(parts.id).is_some() {
        let PlainString::Closed(read) = scanner.plain_string(parts.quote) else {
            return None;
        };
        id = Some(read);
    } else if is_cut && scanner.rest.len() < parts.message.len() {
        return Some(Head::NotOurs { sender });
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
    match json::whole_number(name) {
        Some(number) => Some(Sender::Number(number)),
        // What begins with a letter is never a finite number to `==`; anything else ("", " 5", "0x5", "+5", "5e0") might be.
        None => name
            .starts_with(|first: char| first.is_ascii_alphabetic())
            .then_some(Sender::Name(name)),
    }
}

/// The length of a text in UTF-16 code units.
#[must_use]
pub fn utf16_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    }
}

/// An envelope read as a whole: its members as they are written. Of members with the same name the last counts, as for `JSON.parse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The channel's name. Of a channel that is a number, its JSON text.
    pub channel: Cow<'a, str>,
    channel_json: &'a str,
    sender: Option<&'a str>,
    message: Option<&'a str>,
    reference: Option<&'a str>,
    /// All other members in their order, `ref` among them. An `id` isn't: the relay gives those.
    others: Vec<Member<'a>>,
}

/// An envelope's canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The text.
    pub text: String,
    /// Where an id's member belongs in it, in bytes.
    pub id_place: usize,
}

impl<'a> Envelope<'a> {
    /// Reads a frame. `None`: it isn't a JSON object whose `channel` is a string or a number.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Envelope<'a>> {
        Envelope::of(json::members(text)?)
    }

    /// The envelope that an object's members are.
    pub(crate) fn of(members: Vec<Member<'a>>) -> Option<Envelope<'a>> {
        let (mut sender, mut channel, mut message, mut reference) = (None, None, None, None);
        let mut others = Vec::new();
        for member in members {
            match &*member.name {
                "sender" => sender = Some(member.value),
                "channel" => channel = Some(member.value),
                "message" => message = Some(member.value),
                "id" => {}
                name => {
                    if name == "ref" {
                        reference = Some(member.value);
                    }
                    others.push(member);
                }
            }
        }
        let channel_json = channel?;
        let channel = if json::is_number(channel_json) {
            Cow::Borrowed(channel_json)
        } else {
            json::string(channel_json)?
        };
        Some(Envelope {
            channel,
            channel_json,
            sender,
            message,
            reference,
            others,
        })
    }

    /// The JSON text of `ref`.
    #[must_use]
    pub fn reference(&self) -> Option<&'a str> {
        self.reference
    }

    /// The text with its members in the canonical order, and further members behind them. Values are kept byte for byte, so that numbers which no
    /// `f64` holds and lone surrogates survive. An envelope without a sender gets `own`, if there is one; `ref` is left out on demand.
    #[must_use]
    pub fn canonical(&self, own: Option<UserId>, with_reference: bool) -> Canonical {
        let mut text = String::from("{");
        match (self.sender, own) {
            (Some(sender), _) => {
                text.push_str("\"sender\":");
                text.push_str(sender);
                text.push(',');
            }
            (None, Some(own)) => {
                text.push_str("\"sender\":");
                write_number(&mut text, own.get());
                text.push(',');
            }
            (None, None) => {}
        }
        text.push_str("\"channel\":");
        // A name is written again without the escapes that it doesn't need; one that holds half a surrogate pair can only be kept.
        match &self.channel {
            Cow::Owned(name) if !name.contains(char::REPLACEMENT_CHARACTER) => {
                write_string(&mut text, name);
            }
            _ => text.push_str(self.channel_json),
        }
        let id_place = text.len();
        if let Some(message) = self.message {
            text.push_str(MESSAGE);
            text.push_str(message);
        }
        for Member { key, name, value } in &self.others {
            if with_reference || *name != "ref" {
                text.push(',');
                text.push_str(key);
                text.push(':');
                text.push_str(value);
            }
        }
        text.push('}');
        Canonical { text, id_place }
    }
}
