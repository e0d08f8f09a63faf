//! A second connection is made beside a silent one, and takes its place.
//!
//! When the network has changed and the connection stays silent, it may still be alive, and closing
//! it would miss what comes before another is open. So the other is opened first, where the protocol
//! allows two. If the silent one stays silent for a moment longer, the other takes its place. If
//! something is received on the silent one before, the other is closed, with all that it has
//! received: the first one receives the same. So nothing is missed, and nothing is delivered twice.

use super::config::CredentialsSource;
use super::machine::Session;
use super::standby::Standby;
use super::state::{Action, Input};
use crate::protocol::{Millis, Protocol, Text};

/// How long the silent connection is kept beside the open one. What the server sent on it, before it
/// accepted the other, may still be on its way.
const OVERLAP: Millis = 100.0;

impl<T: Text, S: Clone> Session<T, S> {
    /// The connection is silent since the network has changed. It is kept while a second one is
    /// made, if there can be two and the second is open in time.
    pub(super) fn on_lost(&mut self, now: Millis) {
        match &self.standby {
            None => self.stand_by(now),
            Some(standby) if standby.is_open() => self.take_over(now),
            Some(_) => self.replace(now),
        }
    }

    /// Begins to make a second connection. The page's functions may give an address, or credentials,
    /// for one connection only; then the first is closed before.
    fn stand_by(&mut self, now: Millis) {
        let is_fixed = !self.config.asks_url && self.config.credentials == CredentialsSource::None;
        let protocol: &dyn Protocol<T> = self.protocol.get();
        let url = protocol.standby_url().map(String::from);
        let Some(url) = url.filter(|_| is_fixed && self.state.is_open()) else {
            return self.replace(now);
        };
        let timeout = protocol.connect_timeout();
        self.standby = Some(Standby::new(self.next_connection()));
        self.actions.push_back(Action::OpenStandby(url));
        self.keepalive.prolong_doubt(now + timeout);
    }

    /// Handles an event of the second connection.
    pub(super) fn on_standby(&mut self, now: Millis, input: Input<T>) {
        let Some(standby) = &mut self.standby else {
            return;
        };
        match input {
            Input::SocketOpen => {
                standby.set_open();
                self.keepalive.prolong_doubt(now + OVERLAP);
                self.keep_alive(now);
            }
            Input::Frame(frame) => {
                standby.hold(frame);
                if standby.is_full() {
                    self.take_over(now);
                }
            }
            Input::SocketClosed(_) => self.replace(now),
            _ => {}
        }
    }

    /// The second connection takes the place of the silent one.
    fn take_over(&mut self, now: Millis) {
        let Some(standby) = &mut self.standby else {
            return;
        };
        let held = standby.take_held();
        self.protocol.get_mut::<T>().on_close(now);
        self.outbox.unconfirmed().clear();
        self.attempt(now, "the network changed, and a new connection is open");
        self.converse(now, |protocol, out| protocol.on_socket_open(out));
        for frame in held {
            self.on_frame(now, frame);
        }
    }

    /// Something was received on the current connection. A second one isn't needed.
    #[inline]
    pub(super) fn received(&mut self, now: Millis) {
        self.keepalive.received(now);
        if self.standby.is_some() {
            self.close_standby();
        }
    }

    #[cold]
    fn close_standby(&mut self) {
        self.standby = None;
        self.actions.push_back(Action::CloseStandby);
    }
}
