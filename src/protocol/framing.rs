//! The framing of an envelope: what a protocol writes before and after it.

use signal_wire::envelope::{self, UNNAMED, encode_head, encode_unnamed_head, utf16_length};
use signal_wire::{Embedding, Head, UserId};

use super::records::Cut;
use super::text::Text;

/// The canonical frames of a protocol: one envelope each, in the form that servers write. They can
/// be classified by their head; all other frames need a full parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// The beginning of a canonical frame. If the envelope is embedded as a JSON string, it
    /// includes the opening quote.
    pub prefix: String,
    /// The end of a canonical frame, after the message.
    pub suffix: &'static str,
    /// How the envelope is embedded between the two.
    pub embedding: Embedding,
    /// A text that occurs after the first character of a frame only if the frame holds a second
    /// record.
    pub second_record: Option<&'static str>,
    /// How a frame is cut into records.
    pub cut: Cut,
}

impl Framing {
    /// The envelope alone.
    pub fn plain() -> Framing {
        Framing {
            prefix: String::new(),
            suffix: envelope::TAIL,
            embedding: Embedding::Object,
            second_record: None,
            cut: Cut::Lines,
        }
    }

    /// The length of the head that [`read_head`](Self::read_head) needs, in UTF-16 code units. A
    /// channel name that continues after it is longer than `longest_name`.
    pub fn head_length(&self, longest_name: usize, with_id: bool) -> usize {
        self.prefix.len() + self.embedding.head_length(longest_name, with_id)
    }

    /// Whether the envelope is embedded as a JSON string.
    pub fn is_string(&self) -> bool {
        self.embedding == Embedding::JsonString
    }

    /// Whether a frame whose head is canonical holds more than one record.
    pub fn holds_more<T: Text>(&self, frame: &T) -> bool {
        match self.second_record {
            Some(sign) => frame.contains_from(sign, 1),
            None => self.cut == Cut::Lines && frame.has_inner_line_break(),
        }
    }

    /// The most code units that a message of that length takes in a frame.
    pub fn room_for(&self, length: usize) -> usize {
        match self.embedding {
            Embedding::Object => length,
            // A server may escape each character, as in `\u0022`.
            Embedding::JsonString => length.saturating_mul(6),
        }
    }

    /// Reads the head of a frame, which must have the prefix at the byte `start`. `whole`: the head
    /// is the whole frame.
    ///
    /// The payload that it finds is the message's JSON text. If the envelope is embedded as a JSON
    /// string, it is that string.
    #[inline]
    pub fn read_head<'h>(&self, head: &'h str, start: usize, whole: bool) -> Head<'h> {
        let has_prefix = head
            .get(start..)
            .is_some_and(|rest| rest.starts_with(&*self.prefix));
        if !has_prefix {
            return Head::NeedsFullParse;
        }
        let start = start + self.prefix.len();
        let mut read = envelope::decode_head(head, start, self.embedding, whole);
        if self.is_string()
            && let Head::Envelope { payload, .. } = &mut read
        {
            let before_string = start.saturating_sub(1);
            *payload = utf16_length(head.get(..before_string).unwrap_or_default());
        }
        read
    }
}

/// A message to send.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a, T> {
    /// The page that sends it.
    pub sender: UserId,
    /// Its channel's name. [`UNNAMED`] stands for none.
    pub channel: &'a str,
    /// Its number, unique and rising within the session.
    pub number: u64,
    /// Its JSON text.
    pub payload: &'a T,
}

impl<T: Text> Outgoing<'_, T> {
    /// The envelope between `before` and `after`.
    pub fn between(&self, before: &str, after: &str) -> T {
        let head = match self.channel {
            UNNAMED => encode_unnamed_head(self.sender),
            channel => encode_head(self.sender, channel, None),
        };
        self.object(before, &head, after)
    }

    /// The envelope with the message's number as its member `ref`. It always names a channel,
    /// because our relay tells messages from its other frames by that.
    pub fn with_reference(&self) -> T {
        let head = encode_head(self.sender, self.channel, Some(self.number));
        self.object("", &head, "")
    }

    fn object(&self, before: &str, envelope_head: &str, after: &str) -> T {
        let mut head = String::from(before);
        head.push_str(envelope_head);
        let mut tail = String::from(envelope::TAIL);
        tail.push_str(after);
        self.payload.between(&head, &tail)
    }

    /// The envelope as a JSON string between `before` and `after`.
    pub fn quoted_between(&self, before: &str, after: &str) -> T {
        self.between("", "").quoted().between(before, after)
    }
}
