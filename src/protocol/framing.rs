//! What stands around an envelope in a frame, on its way out and on its way in.

use signal_wire::envelope::{self, encode_head, utf16_length};
use signal_wire::{Embedding, Head, UserId};

use super::text::Text;

/// How a protocol's canonical frames look: those that hold one envelope, as servers write them. They can be judged by their head; all
/// others are parsed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// What a canonical frame begins with. Where the envelope is the text of a JSON string, the string's opening quote is the last character.
    pub prefix: String,
    /// What it ends with, behind the message.
    pub suffix: &'static str,
    /// How the envelope stands between the two.
    pub embedding: Embedding,
    /// What a frame that holds a second record has somewhere behind its first character.
    pub second_record: Option<&'static str>,
    /// Frames are pieces of a stream of records: a frame may hold several records, or part of one.
    pub is_stream: bool,
}

impl Framing {
    /// The envelope and nothing else.
    pub fn plain() -> Framing {
        Framing {
            prefix: String::new(),
            suffix: envelope::TAIL,
            embedding: Embedding::Object,
            second_record: None,
            is_stream: false,
        }
    }

    /// How many code units of a frame [`read_head`](Self::read_head) needs, so that a channel name which runs past them is longer than `longest_name`.
    pub fn head_length(&self, longest_name: usize, with_id: bool) -> usize {
        self.prefix.len() + self.embedding.head_length(longest_name, with_id)
    }

    /// Whether the envelope is the text of a JSON string.
    pub fn is_string(&self) -> bool {
        self.embedding == Embedding::JsonString
    }

    /// How many code units a message of `length` may take in a frame.
    pub fn room_for(&self, length: usize) -> usize {
        match self.embedding {
            Embedding::Object => length,
            // A server may write each character as `\u0022`.
            Embedding::JsonString => length.saturating_mul(6),
        }
    }

    /// Reads the head of a frame whose prefix is to stand at the byte `start`; `whole` says that the head is all of the frame.
    ///
    /// The payload that it finds is the message's JSON text, or where the envelope is the text of a JSON string, that string.
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

/// A message of ours on its way out.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a, T> {
    /// The page that sends it.
    pub sender: UserId,
    /// Its channel's name.
    pub channel: &'a str,
    /// Its number, which rises from one message of the session to the next.
    pub number: u64,
    /// Its JSON text.
    pub payload: &'a T,
}

impl<T: Text> Outgoing<'_, T> {
    /// The frame that is the envelope between `before` and `after`.
    pub fn between(&self, before: &str, after: &str) -> T {
        self.object(before, None, after)
    }

    /// The envelope with the message's number as its `ref`.
    pub fn with_reference(&self) -> T {
        self.object("", Some(self.number), "")
    }

    fn object(&self, before: &str, reference: Option<u64>, after: &str) -> T {
        let mut head = String::from(before);
        head.push_str(&encode_head(self.sender, self.channel, reference));
        let mut tail = String::from(envelope::TAIL);
        tail.push_str(after);
        self.payload.between(&head, &tail)
    }

    /// The frame that has the envelope as the text of a JSON string between `before` and `after`.
    pub fn quoted_between(&self, before: &str, after: &str) -> T {
        self.between("", "").quoted().between(before, after)
    }
}
