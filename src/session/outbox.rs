//! The outbox: messages that the server hasn't accepted, in order, bounded in number and bytes.
//!
//! A message stays until it is accepted: when the server acknowledges it, or, if the protocol has
//! no acknowledgements, some time after the socket has taken it (`unconfirmed`). Messages in flight
//! on a lost connection are sent again on the next one.

use std::collections::VecDeque;
use std::rc::Rc;

use super::message::{Message, bytes};
use super::state::DropReason;
use super::unconfirmed::Unconfirmed;
use crate::protocol::{Millis, Text};

/// The option `outbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most messages that may wait.
    pub messages: usize,
    /// The most bytes of JSON text that may wait, two for each UTF-16 code unit.
    pub bytes: usize,
    /// What happens to a message that would exceed a bound.
    pub overflow: Overflow,
}

/// The option `outbox.overflow`: what happens when the outbox has no room for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// `send` fails.
    Throw,
    /// The oldest message that isn't in flight is dropped, and the page told. The new one is, if
    /// all others are in flight or if it is larger than the outbox.
    #[default]
    DropOldest,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            messages: 1000,
            bytes: 8 << 20,
            overflow: Overflow::default(),
        }
    }
}

/// Which message in flight ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspect {
    /// The first that the server didn't accept.
    Oldest,
    /// The one of this number.
    Number(u64),
}

/// The messages that wait, the oldest first.
#[derive(Debug)]
pub struct Outbox<T> {
    bounds: Bounds,
    waiting: VecDeque<Message<T>>,
    /// How many of these, from the first, are in flight on the current connection.
    in_flight: usize,
    bytes: usize,
    last_number: u64,
    /// No message expires before that.
    next_expiry: Option<Millis>,
    /// What the socket has taken, and the server isn't known to have accepted.
    unconfirmed: Unconfirmed<T>,
}

impl<T: Text> Outbox<T> {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Outbox<T> {
        Outbox {
            bounds,
            waiting: VecDeque::new(),
            in_flight: 0,
            bytes: 0,
            last_number: 0,
            next_expiry: None,
            unconfirmed: Unconfirmed::new(),
        }
    }

    /// How many messages wait.
    pub fn messages(&self) -> usize {
        self.waiting.len()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the last message that was added.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// The number before that of the first message that isn't known to be accepted.
    pub fn flushed(&self) -> u64 {
        let waiting = self.waiting.front().map(|message| message.number);
        let first = self.unconfirmed.first().into_iter().chain(waiting).min();
        first.map_or(self.last_number, |number| number - 1)
    }

    /// Messages that the socket has taken, and the server isn't known to have accepted.
    pub fn unconfirmed(&mut self) -> &mut Unconfirmed<T> {
        &mut self.unconfirmed
    }

    /// When to settle the unconfirmed messages.
    pub fn next_settled(&self) -> Option<Millis> {
        self.unconfirmed.next_settled()
    }

    /// Whether a message of that length, in UTF-16 code units, exceeds no bound.
    pub fn has_room(&self, length: usize) -> bool {
        self.waiting.len() < self.bounds.messages
            && bytes(length) <= self.bounds.bytes.saturating_sub(self.bytes)
    }

    /// Makes room for a message of that length. Returns a message that was dropped for it; `None`:
    /// there is room, or no other message can be dropped.
    pub fn drop_oldest_for(&mut self, length: usize) -> Option<Message<T>> {
        if self.has_room(length) || bytes(length) > self.bounds.bytes {
            return None;
        }
        // One that was in flight on an earlier connection may have been accepted. It would rather
        // be sent again.
        let was_never_sent = |message: &Message<T>| !message.was_sent;
        let place = self.waiting.iter().position(was_never_sent);
        self.remove(place.unwrap_or(self.in_flight))
    }

    /// The number of a message that isn't added.
    pub fn skip_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Adds a message at the end, and returns its number. There must be room for it.
    pub fn push(&mut self, channel: Rc<str>, payload: T, expires: Option<Millis>) -> u64 {
        let number = self.skip_number();
        let message = Message::new(channel, payload, number, expires);
        self.bytes += message.bytes();
        self.next_expiry = earliest(self.next_expiry, expires);
        self.waiting.push_back(message);
        number
    }

    /// Removes the message of that number, unless it is in flight.
    pub fn withdraw(&mut self, number: u64) {
        let is_meant = |message: &Message<T>| message.number == number;
        let place = self.waiting.iter().position(is_meant);
        if let Some(place) = place.filter(|place| *place >= self.in_flight) {
            self.remove(place);
        }
    }

    /// The next message for the current connection. It counts as in flight from now on.
    pub fn next_unsent(&mut self) -> Option<&Message<T>> {
        let message = self.waiting.get_mut(self.in_flight)?;
        self.in_flight += 1;
        message.was_sent = true;
        Some(message)
    }

    /// Removes the messages up to that number that were in flight on some connection.
    pub fn acknowledge(&mut self, number: u64) {
        while self
            .waiting
            .front()
            .is_some_and(|message| message.was_sent && message.number <= number)
        {
            self.remove(0);
        }
    }

    /// Removes the message of that number, which is in flight.
    pub fn take(&mut self, number: u64) -> Option<Message<T>> {
        let is_sent = |message: &Message<T>| message.number == number && message.was_sent;
        let place = self.waiting.iter().position(is_sent)?;
        self.remove(place)
    }

    /// Messages that the server hasn't read wait again, before all others. They may exceed the
    /// bounds.
    pub fn put_back(&mut self, messages: Vec<Message<T>>) {
        for mut message in messages.into_iter().rev() {
            message.was_sent = false;
            self.bytes += message.bytes();
            self.next_expiry = earliest(self.next_expiry, message.expires);
            self.waiting.push_front(message);
        }
    }

    /// The connection is lost: messages in flight wait for the next one.
    pub fn requeue_in_flight(&mut self) {
        self.in_flight = 0;
    }

    /// Removes one expired message, and returns it and why. Messages in flight are kept:
    /// they are likely to arrive. A message that an earlier connection had in flight may have been
    /// accepted, so it is kept unless `all` is set.
    pub fn expire(&mut self, now: Millis, all: bool) -> Option<(Message<T>, DropReason)> {
        self.next_expiry = None;
        for place in self.in_flight..self.waiting.len() {
            if let Some(message) = self.waiting.get(place)
                && (all || !message.was_sent)
            {
                if message.expires.is_some_and(|expires| expires <= now) {
                    let why = if message.is_goodbye {
                        DropReason::Hidden
                    } else {
                        DropReason::Expired
                    };
                    return self.remove(place).map(|message| (message, why));
                }
                self.next_expiry = earliest(self.next_expiry, message.expires);
            }
        }
        None
    }

    /// The page was hidden: messages after this number, which it sent meanwhile, expire now.
    pub fn expire_goodbyes(&mut self, number: u64, now: Millis) {
        for message in &mut self.waiting {
            if message.number > number {
                message.expires = Some(now);
                message.is_goodbye = true;
                self.next_expiry = Some(now);
            }
        }
    }

    /// When to call [`expire`](Self::expire) next, until it returns nothing more.
    pub fn next_expiry(&self) -> Option<Millis> {
        self.next_expiry
    }

    /// The connection failed with a message in flight. The second time, the message is removed and
    /// returned.
    pub fn record_send_failure(&mut self, suspect: Suspect) -> Option<Message<T>> {
        let place = match suspect {
            Suspect::Oldest if self.in_flight > 0 => 0,
            Suspect::Oldest => return None,
            Suspect::Number(number) => self
                .waiting
                .iter()
                .position(|message| message.number == number)?,
        };
        let message = self.waiting.get_mut(place)?;
        if !std::mem::replace(&mut message.is_suspect, true) {
            return None;
        }
        self.remove(place)
    }

    fn remove(&mut self, place: usize) -> Option<Message<T>> {
        let message = self.waiting.remove(place)?;
        self.in_flight -= usize::from(place < self.in_flight);
        self.bytes -= message.bytes();
        // Frees the memory of a burst.
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        Some(message)
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.in_flight = 0;
        self.bytes = 0;
        self.next_expiry = None;
        self.waiting = VecDeque::new();
        self.unconfirmed.clear();
    }
}

/// The earlier of two times, if there is one.
pub fn earliest(one: Option<Millis>, other: Option<Millis>) -> Option<Millis> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
