//! Counters.

use std::time::Duration;

use super::protocol::ProtocolKind;
use super::state::duration;
use crate::session;

/// Counters since the signaling was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Messages passed to the connection. A message that is sent again counts again.
    pub sent: u64,
    /// The length of all frames sent, in UTF-16 code units (bytes, if a text is ASCII).
    pub sent_length: u64,
    /// The length of all frames received, likewise.
    pub received_length: u64,
    /// Frames received, of all kinds. If a frame holds several messages, each counts.
    pub received: u64,
    /// Frames received for a channel that is open here.
    pub delivered: u64,
    /// Frames received that this page itself had sent.
    pub own: u64,
    /// Frames received for channels that aren't open here.
    pub foreign: u64,
    /// Frames received that aren't envelopes.
    pub bad: u64,
    /// Frames received that belong to the protocol itself.
    pub control: u64,
    /// Messages dropped, each reported by `on_error`.
    pub dropped: u64,
    /// How often messages may have been missed (`on_gap`).
    pub gaps: u64,
    /// Messages waiting in the outbox.
    pub queued: u64,
    /// Their bytes, two for each UTF-16 code unit.
    pub queued_bytes: u64,
    /// Open channels.
    pub channels: u64,
    /// How often a connection was established.
    pub connects: u64,
    /// How often a connection was established again after a loss.
    pub reconnects: u64,
    /// The last round trip to our relay, if one was measured.
    pub round_trip: Option<Duration>,
    /// The protocol spoken on the open connection. `None` without a connection, and as long as
    /// [`ProtocolKind::Auto`] waits for the server's first frame.
    pub protocol: Option<ProtocolKind>,
    /// Whether the server of the open connection is our relay, whatever the protocol.
    pub relay: bool,
}

impl From<session::Stats> for Stats {
    fn from(stats: session::Stats) -> Stats {
        // The session counts in numbers as JavaScript has them.
        let count = |number: f64| number as u64;
        Stats {
            sent: count(stats.sent),
            sent_length: count(stats.sent_length),
            received_length: count(stats.received_length),
            received: count(stats.received()),
            delivered: count(stats.delivered),
            own: count(stats.own),
            foreign: count(stats.foreign),
            bad: count(stats.bad),
            control: count(stats.control),
            dropped: count(stats.dropped),
            gaps: count(stats.gaps),
            queued: count(stats.queued),
            queued_bytes: count(stats.queued_bytes),
            channels: count(stats.channels),
            connects: count(stats.connects),
            reconnects: count(stats.connects).saturating_sub(1),
            round_trip: stats.round_trip.map(duration),
            protocol: stats.protocol.and_then(ProtocolKind::of_name),
            relay: stats.relay,
        }
    }
}
