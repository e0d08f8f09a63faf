//! Whether the server is there, and whether it knows that we are. Judged by times, never by counting timers: those of a hidden page run late.

use crate::protocol::Millis;

/// A connection that is doubted must answer within this time.
const PROBE: Millis = 5_000.0;

#[derive(Debug)]
pub(super) struct Liveness {
    /// When the server was last heard.
    heard: Millis,
    /// When it was last asked, or told that we are there.
    pinged: Millis,
    /// When to look at these two.
    watch: Millis,
}

impl Liveness {
    pub fn new() -> Liveness {
        Liveness {
            heard: 0.0,
            pinged: 0.0,
            watch: Millis::INFINITY,
        }
    }

    /// When to look again, which may be never.
    #[inline]
    pub fn watch(&self) -> Millis {
        self.watch
    }

    /// There is nothing to wait for but the page, which may take its time.
    pub fn rest(&mut self) {
        self.watch = Millis::INFINITY;
    }

    #[inline]
    pub fn heard(&mut self, now: Millis) {
        self.heard = now;
    }

    /// Envelopes may go from `now` on; the first ping goes with them if it is to be `asked` how long an answer takes.
    pub fn up(&mut self, now: Millis, asked: bool) {
        self.pinged = if asked { Millis::NEG_INFINITY } else { now };
    }

    /// How long the answer to the last ping took.
    pub fn round_trip(&self, now: Millis) -> Millis {
        now - self.pinged
    }

    /// The server is asked whether it is there, and has little time to answer.
    pub fn doubt(&mut self, now: Millis, patience: Millis) {
        self.heard = self.heard.min(now + PROBE - patience);
        self.pinged = Millis::NEG_INFINITY;
    }

    /// Whether the server was silent for too long.
    pub fn is_silent(&self, now: Millis, patience: Millis) -> bool {
        // Added up as `beat` does it: a difference may be rounded to less, and the timer be set for the same time again.
        now >= self.heard + patience
    }

    /// Sets the time of the next look, and tells whether a ping is due, which goes `every` so many milliseconds; 0: never.
    pub fn beat(&mut self, now: Millis, patience: Millis, every: Millis) -> bool {
        self.watch = self.heard + patience;
        if every <= 0.0 {
            return false;
        }
        let is_due = now >= self.pinged + every;
        if is_due {
            self.pinged = now;
        }
        self.watch = self.watch.min(self.pinged + every);
        is_due
    }
}
