//! One text frame on its way through the relay.
//!
//! A frame is either an *envelope* (a JSON object that names a channel) or any other text. The
//! frame holds the text as plain WebSockets receive it. Other protocols receive only envelopes,
//! each encoded once in the form of that protocol (see [`Frame::encoded`]). A frame is written as
//! JSON only after it was read as JSON, so no text can end the surrounding JSON early.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use signal_wire::{Envelope, UserId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::budget::{Account, Charge, Purpose};
use super::ids::MessageId;

/// What a frame costs besides its text, in bytes.
pub const OVERHEAD: usize = 256;
/// What a further encoding of a frame costs besides its text, in bytes.
const ENCODED: usize = 128;

/// Of so many messages one is measured: looking at the clock takes as long as a good part of a
/// delivery.
const MEASURED: u64 = 8;

/// An envelope that has no id yet: its canonical text, with a place in it for the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingMessage {
    text: String,
    /// Where the id's member belongs in the text, in bytes.
    id_place: usize,
    channel: Arc<str>,
    has_channel: bool,
}

impl PendingMessage {
    /// Reads an envelope. `sender` is for one that has none. `None`: the text isn't an envelope.
    #[must_use]
    pub fn read(text: &str, sender: Option<UserId>) -> Option<Self> {
        let envelope = Envelope::read(text).filter(|envelope| !envelope.is_anonymous())?;
        Some(Self::new(&envelope, sender, true))
    }

    /// Reads the text of a message ([`PendingMessage::as_str`]) that a relay has accepted.
    #[must_use]
    pub fn accepted(text: &str) -> Option<Self> {
        Some(Self::new(&Envelope::read_canonical(text)?, None, true))
    }

    /// Reads the string of a SignalR call. The shim for SignalR sends no sender, so an envelope may
    /// have neither a sender nor a channel.
    #[must_use]
    pub fn read_call(text: &str, sender: UserId) -> Option<Self> {
        let envelope = Envelope::read(text)?;
        Some(Self::new(&envelope, Some(sender), true))
    }

    /// The message of an envelope. `sender` is for one that has none; `with_reference` says whether
    /// a member `ref` stays in the text.
    #[must_use]
    pub fn new(envelope: &Envelope<'_>, sender: Option<UserId>, with_reference: bool) -> Self {
        let canonical = envelope.canonical(sender, with_reference);
        Self {
            text: canonical.text,
            id_place: canonical.id_place,
            channel: Arc::from(&*envelope.channel),
            has_channel: envelope.has_channel(),
        }
    }

    /// The text without an id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The length of the text without an id, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Always false: an envelope has at least a channel or a sender.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The channel's name. For a channel that is a number, its JSON text; for an envelope without
    /// a channel, [`UNNAMED`](signal_wire::envelope::UNNAMED).
    #[must_use]
    pub fn channel(&self) -> &Arc<str> {
        &self.channel
    }

    /// The frame that is delivered: `{"sender":…,"channel":…,"id":"…","message":…}`.
    #[must_use]
    pub fn with_id(&self, id: MessageId) -> Frame {
        let (head, tail) = self
            .text
            .split_at_checked(self.id_place)
            .unwrap_or_default();
        let member = format!(",\"id\":\"{id}\"");
        let mut text = String::with_capacity(self.text.len() + member.len());
        text.push_str(head);
        text.push_str(&member);
        text.push_str(tail);
        Frame(Arc::new(Shared {
            text: text.into(),
            made: id.0.is_multiple_of(MEASURED).then(Instant::now),
            id: Some((id, head.len()..head.len() + member.len())),
            channel: Some(Arc::clone(&self.channel)),
            has_channel: self.has_channel,
            kind: Kind::Envelope,
            encodings: Mutex::default(),
            charge: OnceLock::new(),
        }))
    }
}

/// The name of a protocol's form of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(pub &'static str);

/// The text of one frame. All queues that it waits in share it: a clone copies nothing.
#[derive(Clone)]
pub struct Frame(Arc<Shared>);

struct Shared {
    text: Utf8Bytes,
    /// Since when there is this frame, if its deliveries are measured.
    made: Option<Instant>,
    /// An envelope's id, and where the member stands that holds it, from the comma before it on.
    id: Option<(MessageId, Range<usize>)>,
    /// An envelope's channel.
    channel: Option<Arc<str>>,
    has_channel: bool,
    kind: Kind,
    /// What [`Frame::encoded`] has made so far.
    encodings: Mutex<Vec<Encoded>>,
    /// Paid for the text, from the first place on where it is kept or waits.
    charge: OnceLock<Charge>,
}

/// What a frame's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An envelope.
    Envelope,
    /// Any other text, for plain WebSockets.
    Other,
    /// In the form of its connection's protocol already.
    Direct,
}

struct Encoded {
    encoding: Encoding,
    text: Utf8Bytes,
    _charge: Option<Charge>,
}

impl Frame {
    /// A frame that isn't an envelope. It shares the text's memory.
    #[must_use]
    pub fn new(text: Utf8Bytes) -> Self {
        Self::without_id(text, Kind::Other)
    }

    /// An envelope that the relay itself sends to one connection. It has no id.
    #[must_use]
    pub fn to_one(envelope: Utf8Bytes) -> Self {
        Self::without_id(envelope, Kind::Envelope)
    }

    /// A packet for one connection, in the form of its protocol already.
    #[must_use]
    pub fn direct(text: Utf8Bytes) -> Self {
        Self::without_id(text, Kind::Direct)
    }

    fn without_id(text: Utf8Bytes, kind: Kind) -> Self {
        Self(Arc::new(Shared {
            text,
            made: None,
            id: None,
            channel: None,
            has_channel: kind == Kind::Envelope,
            kind,
            encodings: Mutex::default(),
            charge: OnceLock::new(),
        }))
    }

    /// Whether the text is in the form of its connection's protocol already.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.0.kind == Kind::Direct
    }

    /// Whether it is an envelope, which all protocols deliver.
    #[must_use]
    pub fn is_envelope(&self) -> bool {
        self.0.kind == Kind::Envelope
    }

    /// The text, as plain WebSockets receive it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.text.as_str()
    }

    /// The text; a clone of it shares its memory.
    #[must_use]
    pub fn text(&self) -> &Utf8Bytes {
        &self.0.text
    }

    /// The text for a plain WebSocket that hasn't subscribed. An envelope without a channel is as
    /// its sender wrote it, because such objects may be those of other programs.
    #[must_use]
    pub fn unsubscribed_text(&self) -> Utf8Bytes {
        let as_sent = if self.0.has_channel {
            None
        } else {
            self.encoded(Encoding("as sent"), str::to_owned)
        };
        as_sent.unwrap_or_else(|| self.0.text.clone())
    }

    /// The length in bytes of what its sender wrote. The id, which the relay put in, isn't counted.
    #[must_use]
    pub fn len(&self) -> usize {
        let id = self.0.id.as_ref().map_or(0, |(_, place)| place.len());
        self.0.text.len().saturating_sub(id)
    }

    /// What it costs, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.len() + OVERHEAD
    }

    /// Has it paid by an account, until the last clone is dropped. Only the first call counts.
    pub fn pay(&self, account: &Arc<Account>) {
        let charge = || account.charge(Purpose::Messages, self.cost());
        self.0.charge.get_or_init(charge);
    }

    /// Whether it is the empty text, which is a frame like any other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.text.is_empty()
    }

    /// How long the relay has had the frame, if its deliveries are measured.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.0.made.map(|made| made.elapsed())
    }

    /// The message's id, if the frame is an envelope that was published.
    #[must_use]
    pub fn id(&self) -> Option<MessageId> {
        self.0.id.as_ref().map(|(id, _)| *id)
    }

    /// The channel, if the frame is an envelope that was published.
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }

    /// The frame in the form of another protocol: what `encode` makes of the envelope without its
    /// id. `encode` runs once for each encoding; all clones of the frame share the result. `None`:
    /// the frame isn't an envelope.
    pub fn encoded(
        &self,
        encoding: Encoding,
        encode: impl FnOnce(&str) -> String,
    ) -> Option<Utf8Bytes> {
        if !self.is_envelope() {
            return None;
        }
        let mut encodings = self
            .0
            .encodings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = encodings.iter().find(|known| known.encoding == encoding) {
            return Some(known.text.clone());
        }
        let text = Utf8Bytes::from(match &self.0.id {
            Some((_, id)) => {
                let head = self.as_str().get(..id.start).unwrap_or_default();
                let tail = self.as_str().get(id.end..).unwrap_or_default();
                encode(&[head, tail].concat())
            }
            None => encode(self.as_str()),
        });
        encodings.push(Encoded {
            encoding,
            text: text.clone(),
            _charge: self.0.charge.get().map(|charge| {
                let cost = text.len() + ENCODED;
                charge.account().charge(Purpose::Messages, cost)
            }),
        });
        Some(text)
    }
}

impl From<&str> for Frame {
    /// Copies the text into memory of its own.
    fn from(text: &str) -> Self {
        Self::new(Utf8Bytes::from(text))
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self::new(Utf8Bytes::from(text))
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Frame").field(&self.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_encoding_is_made_once_for_all_clones() {
        let message = PendingMessage::read(r#"{"channel":"a"}"#, None).unwrap();
        let frame = message.with_id(MessageId(18));
        assert_eq!(frame.as_str(), r#"{"channel":"a","id":"18"}"#);
        assert_eq!(frame.id(), Some(MessageId(18)));
        assert_eq!(frame.len(), r#"{"channel":"a"}"#.len());
        let clone = frame.clone();
        let (one, other) = (Encoding("one"), Encoding("other"));
        let first = frame.encoded(one, |text| format!("<{text}>")).unwrap();
        let second = clone.encoded(one, |_| "again".to_owned()).unwrap();
        assert_eq!(first.as_str(), r#"<{"channel":"a"}>"#);
        assert_eq!(first.as_ptr(), second.as_ptr());
        let third = clone.encoded(other, |_| "other".to_owned()).unwrap();
        assert_eq!(third.as_str(), "other");
        for text in [Frame::from("no envelope"), Frame::direct("a packet".into())] {
            assert_eq!(text.encoded(one, str::to_owned), None);
        }
        let to_one = Frame::to_one(r#"{"channel":"a"}"#.into());
        assert_eq!(to_one.id(), None);
        let encoded = to_one.encoded(one, |text| format!("<{text}>"));
        assert_eq!(encoded.unwrap().as_str(), r#"<{"channel":"a"}>"#);
    }

    #[test]
    fn a_sender_is_added_only_where_there_is_none() {
        let own = Some(UserId::from_bits(77));
        let read = |text| PendingMessage::read(text, own).unwrap();
        assert_eq!(
            read(r#"{"message":"hi","channel":"a"}"#).as_str(),
            r#"{"sender":77,"channel":"a","message":"hi"}"#
        );
        let text = r#"{"sender":null,"channel":"a","message":"hi"}"#;
        assert_eq!(read(text).as_str(), text);
        let anonymous = r#"{"message":"hi"}"#;
        assert_eq!(PendingMessage::read(anonymous, own), None);
        let call = PendingMessage::read_call(anonymous, UserId::from_bits(77)).unwrap();
        assert_eq!(call.as_str(), r#"{"sender":77,"message":"hi"}"#);
    }

    #[test]
    fn an_envelope_without_a_channel_stays_one() {
        let message = PendingMessage::read(r#"{"message":"hi","sender":5}"#, None).unwrap();
        assert_eq!(&**message.channel(), "undefined");
        assert_eq!(
            message.with_id(MessageId(18)).as_str(),
            r#"{"sender":5,"id":"18","message":"hi"}"#
        );
        let unsubscribed = |message: &PendingMessage| {
            let frame = message.with_id(MessageId(18));
            frame.unsubscribed_text().as_str().to_owned()
        };
        assert_eq!(unsubscribed(&message), r#"{"sender":5,"message":"hi"}"#);
        let message = PendingMessage::read(r#"{"channel":"undefined"}"#, None).unwrap();
        assert_eq!(
            unsubscribed(&message),
            r#"{"channel":"undefined","id":"18"}"#
        );
        let frame = Frame::from("no envelope");
        assert_eq!(frame.unsubscribed_text().as_str(), "no envelope");
    }
}
