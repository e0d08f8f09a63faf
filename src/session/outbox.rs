//! The outbox: messages not yet taken by the server, in order, bounded in number and bytes.
//!
//! A message stays until it is taken: that is when the connection has it, or with our relay when it was acknowledged. What was handed to a
//! connection that is gone is handed to the next one again.

use super::queue::Queue;
use super::{Millis, Payload, SendError};
use alloc::rc::Rc;

/// The option `outbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many messages may wait.
    pub messages: usize,
    /// How many bytes of JSON text may wait, two for each UTF-16 unit.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            messages: 1000,
            bytes: 8 << 20,
        }
    }
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<P> {
    /// Its channel's name.
    pub channel: Rc<str>,
    /// Its JSON text.
    pub payload: P,
    /// Rises from one message of the session to the next.
    pub number: u64,
    /// When it is worth nothing any more.
    expires: Millis,
    /// Some connection was handed it.
    is_out: bool,
    /// A connection went down by it.
    is_suspect: bool,
}

impl<P: Payload> Message<P> {
    fn bytes(&self) -> usize {
        self.payload.length().saturating_mul(2)
    }
}

#[derive(Debug)]
pub(super) struct Outbox<P> {
    bounds: Bounds,
    waiting: Queue<Message<P>>,
    /// How many of these, from the first, the present connection was handed.
    out: usize,
    bytes: usize,
    last_number: u64,
    /// No message expires before that, if the server has nothing to tell of it.
    expires: Millis,
}

impl<P: Payload> Outbox<P> {
    pub fn new(bounds: Bounds) -> Outbox<P> {
        Outbox {
            bounds,
            waiting: Queue::default(),
            out: 0,
            bytes: 0,
            last_number: 0,
            expires: Millis::INFINITY,
        }
    }

    pub fn messages(&self) -> usize {
        self.waiting.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the last message that was put in.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// Whether nothing up to that number waits.
    pub fn is_past(&self, number: u64) -> bool {
        self.waiting
            .get(0)
            .is_none_or(|message| message.number > number)
    }

    /// Puts a message last, or refuses it where it would break a bound.
    pub fn push(&mut self, channel: Rc<str>, payload: P, expires: Millis) -> Result<(), SendError> {
        let message = Message {
            channel,
            payload,
            number: self.last_number + 1,
            expires,
            is_out: false,
            is_suspect: false,
        };
        let bytes = message.bytes();
        if self.waiting.len() >= self.bounds.messages
            || bytes > self.bounds.bytes.saturating_sub(self.bytes)
        {
            return Err(SendError::OutboxFull {
                messages: self.waiting.len(),
                bytes: self.bytes,
            });
        }
        self.last_number += 1;
        self.bytes += bytes;
        self.expires = self.expires.min(expires);
        self.waiting.push(message);
        Ok(())
    }

    /// The next message for the present connection. It stays until it's taken.
    pub fn hand_out(&mut self) -> Option<Message<P>> {
        let message = self.waiting.get_mut(self.out)?;
        self.out += 1;
        message.is_out = true;
        Some(message.clone())
    }

    /// Lets go of what was handed out up to that number.
    pub fn taken(&mut self, number: f64) {
        while self
            .waiting
            .get(0)
            .is_some_and(|message| message.is_out && message.number as f64 <= number)
        {
            self.remove(0);
        }
    }

    /// The connection that was handed messages is gone.
    pub fn rewind(&mut self) {
        self.out = 0;
    }

    /// Lets go of a message that is worth nothing any more, and says of which channel. What the present connection was handed is likely to
    /// arrive; of what an earlier one was handed the server may have yet to tell: it is let go of once that is `told`.
    pub fn expire(&mut self, now: Millis, told: bool) -> Option<Rc<str>> {
        self.expires = Millis::INFINITY;
        for place in self.out..self.waiting.len() {
            if let Some(message) = self.waiting.get(place)
                && (told || !message.is_out)
            {
                if message.expires <= now {
                    return self.remove(place);
                }
                self.expires = self.expires.min(message.expires);
            }
        }
        None
    }

    /// When to try [`expire`](Self::expire) next, until there is nothing more.
    pub fn expires(&self) -> Millis {
        self.expires
    }

    /// The connection went down by the message that it was handed last, or by the first that it didn't take. At the second time, lets go of it
    /// and says of which channel.
    pub fn blame(&mut self, last: bool) -> Option<Rc<str>> {
        let last_out = self.out.checked_sub(1)?;
        let place = if last { last_out } else { 0 };
        let message = self.waiting.get_mut(place)?;
        if !core::mem::replace(&mut message.is_suspect, true) {
            return None;
        }
        self.remove(place)
    }

    fn remove(&mut self, place: usize) -> Option<Rc<str>> {
        let message = self.waiting.remove(place)?;
        self.out -= usize::from(place < self.out);
        self.bytes -= message.bytes();
        Some(message.channel)
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.out = 0;
        self.bytes = 0;
        self.expires = Millis::INFINITY;
        self.waiting = Queue::default();
    }
}
