//! Messages that the socket has taken, where the server doesn't acknowledge them. The server may
//! still close the connection over one, because it is too large or because of its kind; that comes
//! about a round trip later. Until then a message isn't known to be accepted.
//!
//! A stream is in order. So the server has read what was sent before the message that it closes the
//! connection over, and nothing that was sent after it.

use std::collections::VecDeque;

use super::message::Message;
use crate::protocol::{Millis, Text};

/// How long after a message has left the page a server may close the connection over it.
const ROUND_TRIP: Millis = 1_000.0;

/// The same where the server confirms each message.
const CONFIRMATION: Millis = 10_000.0;

/// The slowest uplink that is expected, in UTF-16 code units per millisecond.
const UPLINK: f64 = 100.0;

/// The most that is remembered, in messages and in UTF-16 code units of frames. Older messages
/// count as accepted.
const MOST_MESSAGES: usize = 1_000;
const MOST_LENGTH: usize = 4 << 20;

/// A message that the socket has taken.
#[derive(Debug)]
struct Sent<T> {
    message: Message<T>,
    /// The length of its frame, in UTF-16 code units.
    length: usize,
    /// When it counts as accepted.
    settles: Millis,
}

/// The messages that aren't known to be accepted, in the order of their numbers.
#[derive(Debug)]
pub struct Unconfirmed<T> {
    sent: VecDeque<Sent<T>>,
    length: usize,
    /// When the last of them has left the page.
    left: Millis,
    /// The longest frame that was accepted, in UTF-16 code units. It has at least as many bytes.
    accepted_length: usize,
}

/// What follows from a connection that the server closed over a message.
#[derive(Debug)]
pub struct Verdict<T> {
    /// The message that it was closed over, if it is known.
    pub culprit: Option<Message<T>>,
    /// Messages that may have been accepted or not.
    pub uncertain: Vec<Message<T>>,
    /// Messages that the server hasn't read, in order.
    pub unread: Vec<Message<T>>,
}

impl<T: Text> Unconfirmed<T> {
    /// No message.
    pub fn new() -> Unconfirmed<T> {
        Unconfirmed {
            sent: VecDeque::new(),
            length: 0,
            left: 0.0,
            accepted_length: 0,
        }
    }

    /// The number of the first.
    pub fn first(&self) -> Option<u64> {
        self.sent.front().map(|sent| sent.message.number)
    }

    /// When to call [`settle`](Self::settle) next.
    pub fn next_settled(&self) -> Option<Millis> {
        self.sent.front().map(|sent| sent.settles)
    }

    /// The socket has taken a message, in a frame of that length. `confirms`: the server will
    /// confirm it.
    pub fn push(&mut self, now: Millis, message: Message<T>, length: usize, confirms: bool) {
        let patience = if confirms { CONFIRMATION } else { ROUND_TRIP };
        self.left = self.left.max(now) + length as f64 / UPLINK;
        let sent = Sent {
            length,
            settles: self.left + patience,
            message,
        };
        // A message that is sent inside the sending of another is taken before that.
        let place = self
            .sent
            .partition_point(|other| other.message.number < sent.message.number);
        self.length += length;
        self.sent.insert(place, sent);
        while self.sent.len() > MOST_MESSAGES || self.length > MOST_LENGTH {
            self.remove_first();
        }
    }

    /// Messages whose time has passed count as accepted.
    pub fn settle(&mut self, now: Millis) {
        while self.next_settled().is_some_and(|settles| now >= settles) {
            self.accept_first();
        }
    }

    /// The server has confirmed this message, so it has read those before it, too.
    pub fn confirm(&mut self, number: u64) {
        while self.first().is_some_and(|first| first <= number) {
            self.accept_first();
        }
    }

    fn accept_first(&mut self) {
        if let Some(sent) = self.remove_first() {
            self.accepted_length = self.accepted_length.max(sent.length);
        }
    }

    fn remove_first(&mut self) -> Option<Sent<T>> {
        let sent = self.sent.pop_front()?;
        self.length -= sent.length;
        Some(sent)
    }

    /// The connection ended for another reason, or for good: forgets all.
    pub fn clear(&mut self) {
        self.sent = VecDeque::new();
        self.length = 0;
        self.left = 0.0;
    }

    /// The server closed the connection over a message that is too large. `bytes` measures its
    /// frame.
    pub fn blame_largest(&mut self, bytes: impl Fn(&Message<T>) -> usize) -> Verdict<T> {
        let sizes: Vec<usize> = self.sent.iter().map(|sent| bytes(&sent.message)).collect();
        let largest = sizes.iter().copied().max().unwrap_or_default();
        let mut verdict = Verdict::none();
        for size in sizes {
            let Some(sent) = self.remove_first() else {
                break;
            };
            if verdict.culprit.is_some() {
                verdict.unread.push(sent.message);
            } else if size == largest {
                verdict.culprit = Some(sent.message);
            } else if size > self.accepted_length {
                // The limit may be lower than this one.
                verdict.uncertain.push(sent.message);
            }
        }
        self.clear();
        verdict
    }

    /// The server closed the connection over the kind of a message. Each may be the one.
    pub fn blame_any(&mut self) -> Verdict<T> {
        let mut verdict = Verdict::none();
        while let Some(sent) = self.remove_first() {
            verdict.uncertain.push(sent.message);
        }
        self.clear();
        verdict
    }
}

impl<T> Verdict<T> {
    fn none() -> Verdict<T> {
        Verdict {
            culprit: None,
            uncertain: Vec::new(),
            unread: Vec::new(),
        }
    }
}
