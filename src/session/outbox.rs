//! The outbox: messages not yet taken by the server, in order, bounded in number and bytes.

use super::{Payload, SendError};
use std::collections::VecDeque;
use std::rc::Rc;

/// The option `outbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many messages may wait.
    pub messages: usize,
    /// How many bytes of JSON text (UTF-8) may wait.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { messages: 1000, bytes: 4 << 20 }
    }
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<P> {
    /// Its channel's name.
    pub channel: Rc<str>,
    /// Its JSON text.
    pub payload: P,
}

#[derive(Debug)]
pub(super) struct Outbox<P> {
    bounds: Bounds,
    /// Each message with its bytes.
    waiting: VecDeque<(Message<P>, usize)>,
    bytes: usize,
}

impl<P: Payload> Outbox<P> {
    pub fn new(bounds: Bounds) -> Outbox<P> {
        Outbox { bounds, waiting: VecDeque::new(), bytes: 0 }
    }

    pub fn messages(&self) -> usize {
        self.waiting.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a message last, or refuses it where it would break a bound.
    pub fn push(&mut self, message: Message<P>) -> Result<(), SendError> {
        let size = message.payload.bytes();
        if self.waiting.len() >= self.bounds.messages || size > self.bounds.bytes.saturating_sub(self.bytes) {
            return Err(SendError::OutboxFull { messages: self.waiting.len(), bytes: self.bytes });
        }
        self.bytes += size;
        self.waiting.push_back((message, size));
        Ok(())
    }

    /// Puts a message that was taken out back to the head. It was within the bounds before, so it isn't refused.
    pub fn put_back(&mut self, message: Message<P>) {
        let size = message.payload.bytes();
        self.bytes += size;
        self.waiting.push_front((message, size));
    }

    pub fn pop(&mut self) -> Option<Message<P>> {
        let (message, size) = self.waiting.pop_front()?;
        self.bytes -= size;
        Some(message)
    }

    /// Drops everything; returns how many messages that were.
    pub fn clear(&mut self) -> usize {
        self.bytes = 0;
        std::mem::take(&mut self.waiting).len()
    }
}
