//! The envelope `{"sender":…,"channel":…,"message":…}`: written, read by its head alone, and read
//! as a whole.
//!
//! * **Write**: [`encode_head`] + the message's JSON text + [`TAIL`], byte for byte what the shim's
//!   `JSON.stringify` makes.
//! * **Read the head**: [`decode_head`] reads the first few hundred characters of a frame. If the
//!   members have the canonical order, it returns the sender and the channel. The message's JSON
//!   text is then everything up to the frame's last character, which must be [`TAIL`]: if that is
//!   one JSON value, the frame is one JSON object with exactly these members.
//! * **Read the whole**: [`Envelope::read`] accepts the members in any order, and
//!   [`Envelope::canonical`] writes them in the canonical one.
//!
//! SignalR carries the envelope inside a JSON string, where each quote is written as `\"`: the same
//! text in another [`Embedding`].

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, Member, PlainString, Scanner, write_number, write_string};

/// The `sender` of a page's messages: 53 random bits, so that it is an exact JavaScript number.
///
/// The shim's has only 60,536 values. Of 290 pages, two share one with a probability of one half,
/// and then ignore each other's messages.
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
    /// A whole number, or a string of digits. JavaScript's `==` treats them alike.
    Number(u64),
    /// A string that doesn't equal any whole number by `==`.
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

/// The result of reading the head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head<'a> {
    /// A canonical envelope.
    Envelope {
        /// Its sender.
        sender: Sender<'a>,
        /// The channel's name.
        channel: &'a str,
        /// The relay's id of the message.
        id: Option<&'a str>,
        /// The start of the message's JSON text, in UTF-16 code units. It ends where the frame's
        /// tail begins.
        payload: usize,
    },
    /// A canonical envelope whose channel name is longer than that of any open channel.
    NotOurs {
        /// Who sent it.
        sender: Sender<'a>,
    },
    /// Not canonical: another order of members, escapes, white space, or not an envelope.
    NeedsFullParse,
}

/// How an envelope is embedded in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embedding {
    /// As a JSON object.
    Object,
    /// As a JSON string, with escaped quotes.
    JsonString,
}

const SENDER: &str = "{\"sender\":";
const CHANNEL: &str = ",\"channel\":\"";
const MESSAGE: &str = ",\"message\":";

/// The member that says which user sent an envelope. Only the relay writes it.
pub const USER: &str = "user";

/// The end of an envelope, after the message.
pub const TAIL: &str = "}";

/// The channel of envelopes that have none. The shim looks up `channels[data.channel]`, and
/// JavaScript reads `channels[undefined]` as `channels['undefined']`.
pub const UNNAMED: &str = "undefined";

/// The longest text before the channel's name: the sender has 16 digits in quotes.
const BEFORE_NAME: usize = SENDER.len() + 18 + CHANNEL.len();

/// The longest head without the channel's name.
const WITHOUT_NAME: usize = BEFORE_NAME + 1 + MESSAGE.len();

/// The room for an id in a head: `,"id":""` and 20 digits.
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
    // Seven quotes before the name, three after it.
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

    /// The length of the head that [`decode_head`] needs, in UTF-16 code units. A channel name that
    /// continues after it is longer than `longest_name`.
    #[inline]
    #[must_use]
    pub fn head_length(self, longest_name: usize, with_id: bool) -> usize {
        self.parts().without_name + longest_name + if with_id { ID } else { 0 }
    }
}

/// The beginning of an envelope, before the message. `reference` is the message's number within a
/// session with our relay.
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

/// The beginning of an envelope without a channel, before the message.
#[must_use]
pub fn encode_unnamed_head(sender: UserId) -> String {
    let mut out = String::from(SENDER);
    write_number(&mut out, sender.get());
    out.push_str(MESSAGE);
    out
}

/// Reads the envelope that begins at the byte `start` of a frame's head. `whole`: the head is the
/// whole frame.
///
/// If a member occurs twice, the one in the head counts, where `JSON.parse` takes the last one.
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
    // The head contains everything before the message, unless the name or the sender is too long.
    let is_cut = !whole && head.len() - start - scanner.rest.len() <= parts.before_name;
    let channel = match scanner.plain_string(parts.quote) {
        PlainString::Closed(name) => name,
        PlainString::Open if is_cut => return Some(Head::NotOurs { sender }),
        // The last character may be the backslash of the closing quote. An earlier backslash
        // belongs to an escape.
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
        // A string that begins with a letter never equals a finite number by `==`. Others ("", "
        // 5", "0x5", "+5", "5e0") may.
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

/// A parsed envelope, with its members as JSON text. Of members with the same name the last counts,
/// as in `JSON.parse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The channel's name, or its JSON text if it is a number; [`UNNAMED`] if there is none.
    pub channel: Cow<'a, str>,
    channel_json: Option<&'a str>,
    sender: Option<&'a str>,
    message: Option<&'a str>,
    reference: Option<&'a str>,
    /// All other members in order, including `ref`. A member `id` is discarded, because the relay
    /// assigns ids.
    others: Vec<Member<'a>>,
}

/// An envelope's canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The text.
    pub text: String,
    /// Where the member `id` can be inserted, in bytes.
    pub id_place: usize,
}

impl<'a> Envelope<'a> {
    /// Reads a frame. `None`: it isn't a JSON object whose `channel` is a string or a number, nor
    /// one with no other members than `sender` and `message`, as the shim sends without a channel.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Envelope<'a>> {
        Envelope::of(json::members(text)?)
    }

    /// Reads what [`Envelope::canonical`] has written: then an envelope without a channel may have
    /// further members, which the relay has added.
    #[must_use]
    pub fn read_canonical(text: &'a str) -> Option<Envelope<'a>> {
        Envelope::assemble(json::members(text)?, true)
    }

    /// Reads the members of an object.
    pub(crate) fn of(members: Vec<Member<'a>>) -> Option<Envelope<'a>> {
        Envelope::assemble(members, false)
    }

    fn assemble(members: Vec<Member<'a>>, is_canonical: bool) -> Option<Envelope<'a>> {
        let (mut sender, mut channel, mut message, mut reference) = (None, None, None, None);
        let mut has_id = false;
        let mut others = Vec::new();
        for member in members {
            match &*member.name {
                "sender" => sender = Some(member.value),
                "channel" => channel = Some(member.value),
                "message" => message = Some(member.value),
                "id" => has_id = true,
                name => {
                    if name == "ref" {
                        reference = Some(member.value);
                    }
                    others.push(member);
                }
            }
        }
        let name = match channel {
            Some(json) if json::is_number(json) => Cow::Borrowed(json),
            Some(json) => json::string(json)?,
            None => {
                // Objects with other members are messages of other programs.
                let is_bare = others.is_empty() && !has_id && message.is_some();
                (is_bare || is_canonical).then_some(Cow::Borrowed(UNNAMED))?
            }
        };
        Some(Envelope {
            channel: name,
            channel_json: channel,
            sender,
            message,
            reference,
            others,
        })
    }

    /// Whether it has a channel.
    #[must_use]
    pub fn has_channel(&self) -> bool {
        self.channel_json.is_some()
    }

    /// Whether it has neither a sender nor a channel. Such an object may be anything.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.sender.is_none() && !self.has_channel()
    }

    /// The JSON text of its sender.
    #[must_use]
    pub fn sender(&self) -> Option<&'a str> {
        self.sender
    }

    /// The JSON text of its message.
    #[must_use]
    pub fn message(&self) -> Option<&'a str> {
        self.message
    }

    /// Adds a member after the others, with this key and value as JSON texts.
    pub fn mark(&mut self, key: &'a str, name: &'a str, value: &'a str) {
        self.others.push(Member {
            key,
            name: Cow::Borrowed(name),
            value,
        });
    }

    /// Says who sent it: the member `user` gets this JSON text, whatever the sender wrote there.
    pub fn vouch(&mut self, user: &'a str) {
        self.others.retain(|member| member.name != USER);
        self.others.push(Member {
            key: "\"user\"",
            name: Cow::Borrowed(USER),
            value: user,
        });
    }

    /// The user for whom the relay vouches.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'a, str>> {
        let member = self.others.iter().rfind(|member| member.name == USER)?;
        json::string(member.value)
    }

    /// The JSON text of `ref`.
    #[must_use]
    pub fn reference(&self) -> Option<&'a str> {
        self.reference
    }

    /// The text with its members in canonical order, followed by other members. Values are kept
    /// byte for byte, so large numbers and lone surrogates survive. An envelope without a sender
    /// gets `own`, if given, and an anonymous one `null`. `ref` is included only if
    /// `with_reference` is set.
    #[must_use]
    pub fn canonical(&self, own: Option<UserId>, with_reference: bool) -> Canonical {
        let mut text = String::new();
        match (self.sender, own) {
            (Some(sender), _) => {
                text.push_str(SENDER);
                text.push_str(sender);
            }
            (None, Some(own)) => {
                text.push_str(SENDER);
                write_number(&mut text, own.get());
            }
            (None, None) if self.is_anonymous() => text.push_str("{\"sender\":null"),
            (None, None) => {}
        }
        if let Some(json) = self.channel_json {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str("\"channel\":");
            // A name is rewritten without needless escapes. A name with a lone surrogate is kept as
            // it is.
            match &self.channel {
                Cow::Owned(name) if !name.contains(char::REPLACEMENT_CHARACTER) => {
                    write_string(&mut text, name);
                }
                _ => text.push_str(json),
            }
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
