//! What a page on a private channel is sent: numbered, and kept until the page has seen it. Pure.
//!
//! The page numbers its requests too. So whatever a lost connection took with it is sent again by
//! one side or the other, and nothing happens twice. The numbers count within one *life* of the
//! user, from its entering to its removal: the page learns by another life that the relay has
//! forgotten it, and the relay ignores what belongs to an earlier one.

use std::collections::VecDeque;
use std::sync::Arc;

/// How many deliveries are kept for one page, and how many bytes.
const MOST_KEPT: (usize, usize) = (1024, 1024 * 1024);
/// What a delivery costs besides its text, in bytes.
const DELIVERY: usize = 64;

/// What one user's page was sent and hasn't seen.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) life: Arc<str>,
    /// The number of the page's last request.
    asked: u64,
    /// The number of the last delivery.
    sent: u64,
    pub(super) kept: VecDeque<Kept>,
    bytes: usize,
    is_over: bool,
}

/// A delivery that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    number: u64,
    pub(super) channel: Option<Arc<str>>,
    pub(super) text: Arc<str>,
}

impl Mailbox {
    pub(super) fn new(life: Arc<str>) -> Self {
        Self {
            life,
            asked: 0,
            sent: 0,
            kept: VecDeque::new(),
            bytes: 0,
            is_over: false,
        }
    }

    /// Whether more was to be kept than there is room for. Its user has to go.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// What it costs, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.kept.len() * DELIVERY
    }

    /// Numbers a delivery and keeps it. `content` are the members that say what it is. Returns the
    /// text for the page.
    pub(super) fn keep(&mut self, channel: Option<&Arc<str>>, content: &str) -> Arc<str> {
        self.sent += 1;
        let number = self.sent;
        let text: Arc<str> = format!("{{\"number\":{number},{content}}}").into();
        let (most, most_bytes) = MOST_KEPT;
        self.is_over |= self.kept.len() >= most || self.bytes + text.len() > most_bytes;
        if self.is_over {
            self.kept = VecDeque::new();
            self.bytes = 0;
        } else {
            self.bytes += text.len();
            self.kept.push_back(Kept {
                number,
                channel: channel.cloned(),
                text: Arc::clone(&text),
            });
        }
        text
    }

    /// The page has seen all up to this number.
    pub(super) fn see(&mut self, seen: u64) {
        while let Some(first) = self.kept.front()
            && first.number <= seen
        {
            self.bytes -= first.text.len();
            self.kept.pop_front();
        }
    }

    /// The number of the page's last request.
    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    /// Whether a request with this number is new.
    pub(super) fn accept(&mut self, ask: u64) -> bool {
        let is_new = ask > self.asked;
        self.asked = self.asked.max(ask);
        is_new
    }
}
