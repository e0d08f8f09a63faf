//! The outbox: messages not yet taken by the server, in order, bounded in number and bytes.

use super::queue::Queue;
use super::{Payload, SendError};
use alloc::rc::Rc;

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
        Bounds {
            messages: 1000,
            bytes: 4 << 20,
        }
    }
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<P> {
    /// Its channel's name.
    pub channel: Rc<str>,
    /// Its JSON text.
    pub payload: P,
    /// The bytes that it counts for in the outbox.
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Outbox<P> {
    bounds: Bounds,
    waiting: Queue<Message<P>>,
    bytes: usize,
}

impl<P: Payload> Outbox<P> {
    pub fn new(bounds: Bounds) -> Outbox<P> {
        Outbox {
            bounds,
            waiting: Queue::default(),
            bytes: 0,
        }
    }

    pub fn messages(&self) -> usize {
        self.waiting.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a message last, or refuses it where it would break a bound.
    pub fn push(&mut self, channel: Rc<str>, payload: P) -> Result<(), SendError> {
        let bytes = payload.bytes();
        if self.waiting.len() >= self.bounds.messages
            || bytes > self.bounds.bytes.saturating_sub(self.bytes)
        {
            return Err(SendError::OutboxFull {
                messages: self.waiting.len(),
                bytes: self.bytes,
            });
        }
        self.bytes += bytes;
        self.waiting.push(Message {
            channel,
            payload,
            bytes,
        });
        Ok(())
    }

    /// Puts a message last that is about to be taken out again. It isn't refused, nor, if none waits before it, measured.
    pub fn pass(&mut self, channel: Rc<str>, payload: P) {
        let bytes = if self.waiting.len() == 0 {
            0
        } else {
            payload.bytes()
        };
        self.bytes += bytes;
        self.waiting.push(Message {
            channel,
            payload,
            bytes,
        });
    }

    /// Puts a message that was taken out back to the head. It was taken once, so it isn't refused.
    pub fn put_back(&mut self, mut message: Message<P>) {
        message.bytes = message.payload.bytes();
        self.bytes += message.bytes;
        self.waiting.push_front(message);
    }

    pub fn pop(&mut self) -> Option<Message<P>> {
        let message = self.waiting.pop()?;
        self.bytes -= message.bytes;
        Some(message)
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.bytes = 0;
        self.waiting = Queue::default();
    }
}
