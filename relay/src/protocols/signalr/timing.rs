//! How long SignalR's clients and the relay wait for each other, and how much a client may send at
//! once.

use std::time::Duration;

/// How long SignalR's clients and the relay wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the negotiation to the WebSocket.
    pub ticket: Duration,
    /// Core: from the WebSocket to the handshake.
    pub handshake: Duration,
    /// Core: the relay sends something at least this often, because its clients take it for lost
    /// after twice the time. More often if the connections' ping interval is shorter.
    pub ping: Duration,
    /// Classic: clients take a relay for lost that was silent for so long. It sends something twice
    /// as often, or as often as the connections' ping interval if that is shorter.
    pub keep_alive: Duration,
    /// Classic: from a lost connection to the reconnect.
    pub resume: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ticket: Duration::from_secs(15),
            handshake: Duration::from_secs(15),
            ping: Duration::from_secs(15),
            keep_alive: Duration::from_secs(20),
            resume: Duration::from_secs(30),
        }
    }
}

/// The longest text that a client may send at once, in bytes: the longest frame, and what the
/// protocols put around it. In a string, each quotation mark and backslash of a JSON text takes two
/// characters; nothing else in it must be escaped.
pub(super) fn longest_text(max_frame: usize) -> usize {
    max_frame.saturating_mul(2).saturating_add(4096)
}
