//! Keep-alive frames and the detection of dead connections. Both compare times and never count
//! timers, because the timers of hidden pages fire late.
//!
//! When the network changes, the connection may be dead without a sign. If the server answers
//! keep-alive frames, it is asked for one ([`probe`](Keepalive::probe)). Otherwise the connection is
//! in doubt until something is received ([`doubt`](Keepalive::doubt)).

use super::outbox::earliest;
use crate::protocol::{Keepalive as Frames, Millis};

/// A probed connection must answer within this time.
const PROBE_TIMEOUT: Millis = 3_000.0;

/// The keep-alive state of the current connection.
#[derive(Debug)]
pub struct Keepalive {
    /// When the last frame was received.
    last_received: Millis,
    /// When the last keep-alive frame was sent; `None`: the next one is due at once.
    sent: Option<Millis>,
    doubt: Doubt,
    /// When to check all of these; `None`: never.
    due: Option<Millis>,
}

/// Whether the connection may be dead, until something is received.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Doubt {
    /// It works.
    No,
    /// It may be dead. The server was asked for an answer.
    Asked,
    /// It may be dead. From this time on it counts as lost.
    Until(Millis),
}

impl Keepalive {
    /// No connection.
    pub fn new() -> Keepalive {
        Keepalive {
            last_received: 0.0,
            sent: None,
            doubt: Doubt::No,
            due: None,
        }
    }

    /// When to check next.
    pub fn due(&self) -> Option<Millis> {
        self.due
    }

    /// Stops checking, while the page's own functions run, which have no time limit.
    pub fn stop(&mut self) {
        self.doubt = Doubt::No;
        self.due = None;
    }

    /// Something was received on the connection.
    #[inline]
    pub fn received(&mut self, now: Millis) {
        self.last_received = now;
        self.doubt = Doubt::No;
    }

    /// The server timeout begins again.
    pub fn restart(&mut self, now: Millis) {
        self.last_received = now;
    }

    /// Messages may be sent from now on. If the server answers keep-alive frames, the first is sent
    /// at once: it measures the round trip.
    pub fn ready(&mut self, now: Millis, frames: Option<Frames<'_>>) {
        let measures = frames.is_some_and(|frames| frames.is_answered);
        self.sent = (!measures).then_some(now);
    }

    /// How long the answer to the last keep-alive frame took, if one was sent.
    pub fn round_trip(&self, now: Millis) -> Option<Millis> {
        self.sent.map(|sent| now - sent)
    }

    /// Sends a keep-alive frame at once, and shortens the time to answer it.
    pub fn probe(&mut self, now: Millis, server_timeout: Option<Millis>) {
        if let Some(timeout) = server_timeout {
            self.last_received = self.last_received.min(now + PROBE_TIMEOUT - timeout);
        }
        self.sent = None;
        self.doubt = Doubt::Asked;
    }

    /// The connection is in doubt until something is received, at the latest until this time.
    pub fn doubt(&mut self, until: Millis) {
        self.doubt = match self.doubt {
            Doubt::Until(earlier) => Doubt::Until(until.min(earlier)),
            _ => Doubt::Until(until),
        };
    }

    /// The connection stays in doubt until something is received, at the latest until this time.
    pub fn prolong_doubt(&mut self, until: Millis) {
        self.doubt = Doubt::Until(until);
    }

    /// Whether the connection is in doubt.
    pub fn is_doubted(&self) -> bool {
        self.doubt != Doubt::No
    }

    /// Whether nothing was received while the connection was in doubt.
    pub fn is_lost(&self, now: Millis) -> bool {
        matches!(self.doubt, Doubt::Until(until) if now >= until)
    }

    /// Whether the server timeout has passed.
    pub fn is_silent(&self, now: Millis, server_timeout: Option<Millis>) -> bool {
        // The same sum as in `schedule`: a difference may be rounded to less, and then the timer
        // would be set for the same time again.
        server_timeout.is_some_and(|timeout| now >= self.last_received + timeout)
    }

    /// Schedules the next check. Returns whether a keep-alive frame is due now.
    pub fn schedule(
        &mut self,
        now: Millis,
        server_timeout: Option<Millis>,
        frames: Option<Frames<'_>>,
    ) -> bool {
        let silence = server_timeout.map(|timeout| self.last_received + timeout);
        self.due = match self.doubt {
            Doubt::Until(until) => earliest(silence, Some(until)),
            _ => silence,
        };
        let Some(Frames { interval, .. }) = frames else {
            return false;
        };
        let is_due = self.sent.is_none_or(|sent| now >= sent + interval);
        if is_due {
            self.sent = Some(now);
        }
        let next = self.sent.unwrap_or(now) + interval;
        self.due = earliest(self.due, Some(next));
        is_due
    }
}
