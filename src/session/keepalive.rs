//! Whether the server is there, and whether it knows that we are. Judged by times, never by counting timers: those of a hidden page fire late.

use crate::protocol::{Keepalive as Frames, Millis};

/// A connection that is doubted must answer within this time.
const PROBE_TIMEOUT: Millis = 5_000.0;

/// Watches one connection after the other.
#[derive(Debug)]
pub struct Keepalive {
    /// When the server was last heard.
    heard: Millis,
    /// When the last keep-alive frame was sent; `None`: the next one is due at once.
    sent: Option<Millis>,
    /// When to look at these two; `None`: there is nothing to wait for.
    due: Option<Millis>,
}

impl Keepalive {
    /// Watches nothing.
    pub fn new() -> Keepalive {
        Keepalive {
            heard: 0.0,
            sent: None,
            due: None,
        }
    }

    /// When to look again.
    pub fn due(&self) -> Option<Millis> {
        self.due
    }

    /// There is nothing to wait for but the page, which may take its time.
    pub fn rest(&mut self) {
        self.due = None;
    }

    /// The server was heard.
    #[inline]
    pub fn heard(&mut self, now: Millis) {
        self.heard = now;
    }

    /// Messages may be sent from now on. Where the server answers keep-alive frames the first is sent at once, for it measures the round trip.
    pub fn ready(&mut self, now: Millis, frames: Option<Frames>) {
        let measures = frames.is_some_and(|frames| frames.is_answered);
        self.sent = (!measures).then_some(now);
    }

    /// How long the answer to the last keep-alive frame took, if one was sent.
    pub fn round_trip(&self, now: Millis) -> Option<Millis> {
        self.sent.map(|sent| now - sent)
    }

    /// The connection is doubted: the server is asked at once, and has little time to answer.
    pub fn doubt(&mut self, now: Millis, server_timeout: Option<Millis>) {
        if let Some(timeout) = server_timeout {
            self.heard = self.heard.min(now + PROBE_TIMEOUT - timeout);
        }
        self.sent = None;
    }

    /// Whether the server was silent for too long.
    pub fn is_silent(&self, now: Millis, server_timeout: Option<Millis>) -> bool {
        // The same sum as in `schedule`: a difference may be rounded to less, and then the timer would be set for the same time again.
        server_timeout.is_some_and(|timeout| now >= self.heard + timeout)
    }

    /// Sets the time of the next look, and tells whether a keep-alive frame is due now.
    pub fn schedule(
        &mut self,
        now: Millis,
        server_timeout: Option<Millis>,
        frames: Option<Frames>,
    ) -> bool {
        self.due = server_timeout.map(|timeout| self.heard + timeout);
        let Some(Frames { interval, .. }) = frames else {
            return false;
        };
        let is_due = self.sent.is_none_or(|sent| now >= sent + interval);
        if is_due {
            self.sent = Some(now);
        }
        let next = self.sent.unwrap_or(now) + interval;
        self.due = Some(self.due.map_or(next, |due| due.min(next)));
        is_due
    }
}
