//! The limits of each connection and of each address.

use std::time::Duration;

use super::rate::{Burst, Rate};
use crate::hub::queue;

/// The limits of each connection and of each address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame that is accepted, in bytes.
    pub max_frame: usize,
    /// What may wait for one connection.
    pub queue: queue::Limits,
    /// How many WebSockets and other sessions there may be at one time.
    pub connections: usize,
    /// How many of them clients of one address may have.
    pub connections_per_address: usize,
    /// How much may be sent.
    pub rates: Rates,
    /// Whether the limits for addresses and the rates hold for loopback addresses too.
    pub limit_loopback: bool,
    /// How long the hello waits for a client's first frame.
    pub hello_delay: Duration,
    /// How long a connection may be silent before it is pinged.
    pub ping_interval: Duration,
    /// How long a pinged connection may stay silent before it is closed.
    pub ping_timeout: Duration,
    /// How long a message may take from its first byte to its last.
    pub message_timeout: Duration,
    /// How long a connection may take to close.
    pub close_timeout: Duration,
    /// How long a client may read nothing of what waits for it.
    pub write_timeout: Duration,
}

/// How much may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// By one client.
    pub connection: Rate,
    /// By all clients of one address.
    pub address: Rate,
    /// How long a client may be over its rate before it is disconnected.
    pub patience: Duration,
}

impl Limits {
    /// The same with pings at least this often, each to be answered within this time.
    #[must_use]
    pub(crate) fn with_pings(&self, time: Duration) -> Self {
        Self {
            ping_interval: self.ping_interval.min(time),
            ping_timeout: self.ping_timeout.min(time),
            ..*self
        }
    }

    /// At once, a client may send what fills half a send queue: no receiver's queue overflows if it
    /// doesn't read in that moment.
    pub(super) fn burst(&self) -> Burst {
        Burst {
            messages: (self.queue.frames / 2) as u64,
            bytes: (self.queue.bytes / 2) as u64,
        }
    }
}
