//! Where a connection's answers to its entering wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{MOST_SEATS, envelope};
use crate::hub::frame::Frame;
use crate::hub::queue::Sender;

/// How many answers wait to be written.
const MOST_ANSWERS: usize = 4 * MOST_SEATS;

/// Where answers go.
#[derive(Clone, Debug)]
pub(super) enum Outlet {
    /// Before everything else that is written: clients of this protocol take an acknowledgement
    /// without an answer for a relay without rooms.
    First(Arc<Answers>),
    /// Into the connection's queue.
    Queue(Sender),
}

impl Outlet {
    /// Adds an answer.
    pub(super) fn add(&self, channel: &str, answer: &str) {
        match self {
            Self::First(answers) => answers.add(channel, answer),
            Self::Queue(sender) => {
                sender.push(Frame::to_one(envelope(channel, answer).into()));
            }
        }
    }
}

/// What a connection says of its entering, to be written before everything else. A connection reads
/// and writes in one task: an acknowledgement that is written after an answer was added comes after
/// it.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Answers {
    waiting: Mutex<VecDeque<Utf8Bytes>>,
    added: Notify,
}

impl Answers {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Utf8Bytes>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an answer. A client that reads none of them gets no more.
    pub(super) fn add(&self, channel: &str, answer: &str) {
        let mut waiting = self.waiting();
        if waiting.len() < MOST_ANSWERS {
            waiting.push_back(envelope(channel, answer).into());
            drop(waiting);
            self.added.notify_one();
        }
    }

    /// The next one.
    pub(in crate::protocols) fn next(&self) -> Option<Utf8Bytes> {
        self.waiting().pop_front()
    }

    /// Resolves when there may be one. One waiter at a time.
    pub(in crate::protocols) async fn ready(&self) {
        while self.waiting().is_empty() {
            self.added.notified().await;
        }
    }
}
