//! A message that the page has sent, until the server has accepted it.

use std::rc::Rc;

use signal_wire::UserId;

use crate::protocol::{Millis, Outgoing, Text};

/// A message on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<T> {
    /// Its channel's name.
    pub channel: Rc<str>,
    /// Its JSON text.
    pub payload: T,
    /// Numbers rise from one message of the session to the next.
    pub number: u64,
    /// When it expires; `None`: never.
    pub expires: Option<Millis>,
    /// It was sent while the page was being hidden, so it must not be sent later.
    pub is_goodbye: bool,
    /// It was in flight on some connection.
    pub was_sent: bool,
    /// It was in flight when a connection failed.
    pub is_suspect: bool,
}

impl<T: Text> Message<T> {
    /// A message that wasn't sent yet.
    pub fn new(channel: Rc<str>, payload: T, number: u64, expires: Option<Millis>) -> Message<T> {
        Message {
            channel,
            payload,
            number,
            expires,
            is_goodbye: false,
            was_sent: false,
            is_suspect: false,
        }
    }

    /// The message as a protocol encodes it.
    pub fn outgoing(&self, sender: UserId) -> Outgoing<'_, T> {
        Outgoing {
            sender,
            channel: &self.channel,
            number: self.number,
            payload: &self.payload,
        }
    }

    /// The memory of its JSON text.
    pub fn bytes(&self) -> usize {
        bytes(self.payload.length())
    }
}

/// The memory of a text of that length in UTF-16 code units.
pub fn bytes(length: usize) -> usize {
    length.saturating_mul(2)
}
