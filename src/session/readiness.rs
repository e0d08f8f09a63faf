//! Openings of channels that the page hasn't been told to be ready.

use std::collections::VecDeque;

use super::state::ChannelId;
use crate::protocol::Millis;

/// An opening that isn't ready.
#[derive(Debug)]
struct PendingOpen<S> {
    due: Millis,
    id: ChannelId,
    subscriber: S,
}

/// Such openings in the order in which they came, which is the order in which they are due.
#[derive(Debug)]
pub struct PendingOpens<S>(VecDeque<PendingOpen<S>>);

impl<S> PendingOpens<S> {
    /// None.
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

    /// When the first is due.
    pub fn next_due(&self) -> Option<Millis> {
        self.0.front().map(|pending| pending.due)
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
