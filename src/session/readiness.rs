//! Openings of channels whose readiness the page doesn't know yet.

use std::collections::VecDeque;

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

    /// When the first is due.
    pub fn next_due(&self) -> Option<Millis> {
        self.0.front().map(|pending| pending.due)
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
