//! What goes out to one client.

use std::sync::atomic::Ordering;
use std::time::Duration;

use signal_wire::frames::encode_ping;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Context;
use crate::connection::Outbound;
use crate::hub::queue::Receiver;
use crate::protocols::late::Late;
use crate::protocols::referee::Answers;

/// What goes out to one client: its queue, and pings that it can see. Pages don't see those of the
/// WebSocket.
pub(super) struct Output<'a> {
    pub(super) queue: &'a mut Receiver,
    pub(super) context: &'a Context,
    pub(super) late: &'a Late,
    pub(super) answers: &'a Answers,
    pub(super) pings: u64,
}

impl Outbound for Output<'_> {
    async fn ready(&mut self) {
        tokio::select! {
            () = self.queue.ready() => {}
            () = self.late.due() => {}
            () = self.answers.ready() => {}
        }
    }

    fn next(&mut self) -> Option<Utf8Bytes> {
        if let Some(hello) = self.late.next(|| !self.queue.is_empty()) {
            return Some(hello.text().clone());
        }
        if let Some(answer) = self.answers.next() {
            return Some(answer);
        }
        while let Some(frame) = self.queue.pop() {
            if let Some(text) = self.context.text(&frame) {
                return Some(text);
            }
        }
        None
    }

    fn keep_alive_interval(&self) -> Option<Duration> {
        Some(self.context.limits.ping_interval)
    }

    fn keep_alive(&mut self) -> Option<Utf8Bytes> {
        if !self.context.subscribed.load(Ordering::Relaxed) {
            return None;
        }
        self.pings += 1;
        Some(encode_ping(self.pings).into())
    }
}
