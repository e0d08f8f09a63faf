//! What clients may cost: the one place for it, whatever their protocol.
//!
//! | module | |
//! | --- | --- |
//! | `http` | connections that are neither a WebSocket nor another session |
//! | `places` | places for WebSockets and other sessions |
//! | `shares` | what each address may have |
//! | `allowance`, `rate` | how much a client may send |
//! | `write_deadline` | how long a client may read nothing |

mod allowance;
mod http;
mod places;
mod rate;
mod shares;
mod write_deadline;

use std::time::Duration;

pub(crate) use self::allowance::{Allowance, RateExceeded, too_many};
pub(crate) use self::http::{HttpConnection, HttpConnections};
pub(crate) use self::places::{Place, Places};
use self::rate::Burst;
pub use self::rate::Rate;
pub(crate) use self::write_deadline::WriteDeadline;
use crate::hub::queue;

/// The longest name of a space, in bytes.
pub const LONGEST_SPACE: usize = 1024;

/// How many namespaces a Socket.IO client may be in. Each takes a place.
pub(crate) const NAMESPACES: usize = 64;

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
    /// At once, a client may send what fills half a send queue: no receiver's queue overflows if it
    /// doesn't read in that moment.
    fn burst(&self) -> Burst {
        Burst {
            messages: (self.queue.frames / 2) as u64,
            bytes: (self.queue.bytes / 2) as u64,
        }
    }
}
