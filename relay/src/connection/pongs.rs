//! Pongs that wait to be written.
//!
//! The WebSocket library answers pings by itself, into a buffer without a bound. So the relay reads
//! no further while a client that doesn't read is owed many pongs.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;

/// Pongs may wait up to so many bytes.
const MOST: usize = 16 * 1024;

/// The header of a pong, in bytes.
const HEADER: usize = 2;

/// The pongs that one client is owed.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    /// An upper bound of the bytes that wait.
    waiting: AtomicUsize,
    due: Notify,
    written: Notify,
}

impl Pongs {
    /// Counts the pong that answers a message, if it is a ping.
    pub(super) fn count(&self, message: &Message) {
        if let Message::Ping(payload) = message {
            let bytes = payload.len() + HEADER;
            self.waiting.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Waits until there is room for another pong.
    pub(super) async fn room(&self) {
        while self.waiting.load(Ordering::Relaxed) > MOST {
            self.due.notify_one();
            self.written.notified().await;
        }
    }

    /// Resolves when the output is to be flushed for the sake of pongs.
    pub(super) async fn due(&self) {
        self.due.notified().await;
    }

    /// Notes that the output was flushed.
    pub(super) fn flushed(&self) {
        self.waiting.store(0, Ordering::Relaxed);
        self.written.notify_one();
    }
}
