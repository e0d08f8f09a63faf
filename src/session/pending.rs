//! Frames that the page's own transport is still sending: its `send` has returned a promise.

use std::collections::VecDeque;

use crate::protocol::Millis;

/// The longest time that a transport may take for a frame.
const SEND_TIMEOUT: Millis = 30_000.0;

/// The deadlines of the frames that are being sent on the current connection.
#[derive(Debug)]
pub struct PendingSends(VecDeque<Millis>);

impl PendingSends {
    /// None.
    pub fn new() -> PendingSends {
        PendingSends(VecDeque::new())
    }

    /// Another one.
    pub fn push(&mut self, now: Millis) {
        self.0.push_back(now + SEND_TIMEOUT);
    }

    /// One of them is finished.
    pub fn settle(&mut self) {
        self.0.pop_front();
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the transport has taken too long.
    pub fn due(&self) -> Option<Millis> {
        self.0.front().copied()
    }

    /// Another connection begins.
    pub fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
