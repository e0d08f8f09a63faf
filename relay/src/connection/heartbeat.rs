//! The heartbeat: a connection that was silent for a while is pinged, and closed if it doesn't
//! answer.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::close::CloseReason;
use super::socket::{Stream, next_message};
use crate::limits::Limits;

/// How a connection's silence is watched.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    /// After this silence a ping is sent.
    interval: Duration,
    /// After so much more the connection is closed.
    timeout: Duration,
}

impl Heartbeat {
    /// The heartbeat that these limits set.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            interval: limits.ping_interval,
            timeout: limits.ping_timeout,
        }
    }

    /// The next message of whatever kind. Notifies `ping` when a ping is to be sent.
    ///
    /// Silence counts from the last read, and only after everything that has arrived was read: a
    /// relay that was itself stopped for a while doesn't take its connections for dead. No message
    /// is lost if this is dropped.
    pub(super) async fn next_message(
        &self,
        stream: &mut Stream,
        max_frame: usize,
        ping: &Notify,
    ) -> Result<Message, CloseReason> {
        let mut pinged = false;
        loop {
            let wait = if pinged { self.timeout } else { self.interval };
            let deadline = Instant::now() + wait;
            match timeout_at(deadline, next_message(stream, max_frame)).await {
                Ok(message) => return message,
                Err(_) if pinged => return Err(CloseReason::PingTimeout),
                Err(_) => {
                    ping.notify_one();
                    pinged = true;
                }
            }
        }
    }
}
