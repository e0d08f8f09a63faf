//! The page connects and disconnects by its own calls.

use super::machine::Session;
use super::state::{Closed, State};
use crate::protocol::{Millis, Text};

impl<T: Text, S: Clone> Session<T, S> {
    /// Connects before the first channel is opened, or after [`disconnect`](Self::disconnect). In
    /// all other states nothing happens.
    pub fn connect(&mut self, now: Millis) -> Result<(), Closed> {
        match self.state {
            State::Closed => return Err(Closed),
            State::Idle => self.attempt_at_once(now, "the page connects"),
            State::Connecting | State::Open { .. } | State::Waiting { .. } => {}
        }
        Ok(())
    }

    /// Ends the connection, and makes none until the page calls [`connect`](Self::connect) or
    /// [`reconnect`](Self::reconnect): neither a timer, nor the network, nor another channel does.
    /// Channels, the outbox and the session at our relay are kept.
    pub fn disconnect(&mut self, now: Millis) {
        if self.state == State::Closed {
            return;
        }
        self.is_disconnected = true;
        if self.state != State::Idle {
            self.part(|session| session.leave(now));
            self.enter(State::Idle, "disconnected by the page".into(), None, None);
        }
    }

    /// Makes the next attempt at once. A connection that is open is ended before. An attempt that is
    /// under way goes on.
    pub fn reconnect(&mut self, now: Millis) -> Result<(), Closed> {
        match self.state {
            State::Closed => return Err(Closed),
            State::Idle => self.attempt_at_once(now, "the page connects"),
            State::Waiting { .. } => self.attempt_at_once(now, "the page tries at once"),
            State::Open { .. } => {
                self.leave(now);
                self.attempt_at_once(now, "the page wants another connection");
            }
            State::Connecting => {}
        }
        Ok(())
    }

    fn attempt_at_once(&mut self, now: Millis, reason: &str) {
        self.is_disconnected = false;
        self.reconnect.reset();
        self.attempt(now, reason);
    }
}
