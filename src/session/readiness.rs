//! Openings of channels whose readiness the page doesn't know yet, and messages that came before
//! it.

use std::collections::VecDeque;
use std::rc::Rc;

use super::state::ChannelId;
use crate::protocol::Millis;

/// An opening that isn't ready yet.
#[derive(Debug)]
struct PendingOpen<S> {
    due: Millis,
    id: ChannelId,
    subscriber: S,
}

/// Pending openings in order. All have the same delay, so they are due in this order too.
#[derive(Debug)]
pub struct PendingOpens<S>(VecDeque<PendingOpen<S>>);

impl<S> PendingOpens<S> {
    /// No pending opening.
    pub fn new() -> PendingOpens<S> {
        PendingOpens(VecDeque::new())
    }

    /// Adds one that is ready at `due`.
    pub fn push(&mut self, due: Millis, id: ChannelId, subscriber: S) {
        self.0.push_back(PendingOpen {
            due,
            id,
            subscriber,
        });
    }

    /// Removes one that was closed.
    pub fn remove(&mut self, id: ChannelId) {
        self.0.retain(|pending| pending.id != id);
    }

    /// Takes the first, if it is due.
    pub fn pop_due(&mut self, now: Millis) -> Option<(ChannelId, S)> {
        if self.next_due()? > now {
            return None;
        }
        let pending = self.0.pop_front()?;
        Some((pending.id, pending.subscriber))
    }

    /// Takes one, even if it isn't due.
    pub fn take(&mut self, id: ChannelId) -> Option<S> {
        let place = self.0.iter().position(|pending| pending.id == id)?;
        Some(self.0.remove(place)?.subscriber)
    }

    /// When the first is due.
    pub fn next_due(&self) -> Option<Millis> {
        self.0.front().map(|pending| pending.due)
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}

/// How much may come before a connection is open, in UTF-16 code units of frames.
const MOST_EARLY: usize = 4 << 20;

/// Messages that came before their connection was open, on channels whose page waits for that. They
/// are delivered after readiness.
#[derive(Debug)]
pub struct EarlyMessages<V> {
    messages: VecDeque<(Rc<str>, V)>,
    length: usize,
}

impl<V> EarlyMessages<V> {
    /// No message.
    pub fn new() -> EarlyMessages<V> {
        EarlyMessages {
            messages: VecDeque::new(),
            length: 0,
        }
    }

    /// Keeps a message of a frame of that length. Returns false if there is no room for it.
    pub fn push(&mut self, channel: Rc<str>, message: V, length: usize) -> bool {
        let has_room = length <= MOST_EARLY - self.length;
        if has_room {
            self.length += length;
            self.messages.push_back((channel, message));
        }
        has_room
    }

    /// Takes all, in order.
    pub fn take(&mut self) -> VecDeque<(Rc<str>, V)> {
        self.length = 0;
        std::mem::take(&mut self.messages)
    }
}
