//! The page's surroundings: it is hidden and shown again, and its network changes.

use super::machine::Session;
use super::state::State;
use crate::protocol::{Millis, Phase, Text};

/// A connection that is in doubt is replaced after this time and a random one.
const DOUBT: Millis = 1_000.0;

impl<T: Text, S: Clone> Session<T, S> {
    /// The page is about to be unloaded, or to go into the back/forward cache.
    pub(super) fn on_page_hiding(&mut self) {
        let last = self.outbox.last_number();
        self.hiding.get_or_insert(last);
    }

    /// The page goes into the back/forward cache. A connection would keep the browser from putting
    /// it there. What the page sent while it was being hidden, such as a goodbye, must not arrive
    /// when it is back.
    pub(super) fn on_page_hidden(&mut self, now: Millis) {
        let hiding = self.hiding.take();
        if !matches!(self.state, State::Idle | State::Closed) {
            self.leave(now);
            let state = State::Waiting { until: None };
            self.enter(state, "the page was put away".into(), None, None);
        }
        if let Some(last) = hiding {
            self.outbox.expire_goodbyes(last, now);
            self.expire(now, false);
        }
    }

    /// What kept the connection away is over: the next attempt comes soon.
    pub(super) fn reconnect_soon(&mut self, now: Millis, reason: &str) {
        let State::Waiting { until } = self.state else {
            return;
        };
        let soon = self.reconnect.soon();
        let delay = self.wait(now, soon);
        if until.is_none_or(|until| now + delay < until) {
            self.schedule_reconnect(now, delay, reason.into(), None);
        }
    }

    /// The network has changed, which a connection may not survive, without a sign of it. If the
    /// server answers keep-alive frames, it is asked whether it is still there. Otherwise something
    /// must be received soon, or the connection is replaced. Until then it takes no messages, unless
    /// the server acknowledges them.
    pub(super) fn doubt(&mut self, now: Millis) {
        let can_ask = self
            .protocol()
            .keepalive()
            .is_some_and(|frames| frames.is_answered);
        // While the page's own functions run, there is nothing to doubt.
        let is_waiting = self.state.is_open() || self.keepalive.due().is_some();
        if self.state.is_open() && can_ask && self.phase() == Phase::Ready {
            self.keepalive.probe(now, self.server_timeout());
        } else if self.state.has_connection()
            && is_waiting
            && !self.config.own_transport
            && self.reconnect.can_reconnect()
        {
            self.keepalive.doubt(now + DOUBT + self.reconnect.soon());
        } else {
            return;
        }
        self.keep_alive(now);
    }

    /// Closes the connection; another takes its place at once.
    pub(super) fn replace(&mut self, now: Millis) {
        self.leave(now);
        let reason = "the network changed, and nothing was received since";
        self.schedule_reconnect(now, self.wait(now, 0.0), reason.into(), None);
    }
}
