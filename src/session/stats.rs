//! What a session counts.

use crate::protocol::Millis;

/// The kind of a sent or received frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Sent.
    Sent,
    /// Its message went to a subscriber.
    Delivered,
    /// Received, and sent by this very page.
    Own,
    /// Received, for a channel that isn't open here.
    Foreign,
    /// Received, and no envelope.
    Bad,
    /// Received, or sent, of the protocol itself.
    Control,
}

impl FrameKind {
    /// The name as the page sees it.
    pub fn name(self) -> &'static str {
        match self {
            FrameKind::Sent => "sent",
            FrameKind::Delivered => "delivered",
            FrameKind::Own => "own",
            FrameKind::Foreign => "foreign",
            FrameKind::Bad => "bad",
            FrameKind::Control => "control",
        }
    }
}

/// Counters since the session was made. They are numbers as JavaScript has them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// Frames sent.
    pub sent: f64,
    /// Frames received whose message went to a subscriber.
    pub delivered: f64,
    /// Frames received that this page had sent.
    pub own: f64,
    /// Frames received for channels not open here.
    pub foreign: f64,
    /// Frames received that are no envelope.
    pub bad: f64,
    /// Frames received of the protocol itself.
    pub control: f64,
    /// The UTF-16 code units of all frames sent.
    pub sent_length: f64,
    /// The UTF-16 code units of all frames received.
    pub received_length: f64,
    /// Messages that were dropped.
    pub dropped: f64,
    /// How often messages may have been missed.
    pub gaps: f64,
    /// Messages that wait in the outbox.
    pub queued: f64,
    /// Their bytes.
    pub queued_bytes: f64,
    /// Channels that are open.
    pub channels: f64,
    /// How often a connection came up.
    pub connects: f64,
    /// The last round trip to the server and back, if one was measured.
    pub round_trip: Option<Millis>,
    /// The protocol spoken on the open connection, one of the names in
    /// [`PROTOCOLS`](crate::protocol::PROTOCOLS). `None` without a connection, and as long as `auto`
    /// waits for the server's first frame.
    pub protocol: Option<&'static str>,
    /// The server of the open connection has said that it is our relay.
    pub relay: bool,
}

impl Stats {
    /// Frames received, of whatever kind.
    pub fn received(&self) -> f64 {
        self.delivered + self.own + self.foreign + self.bad + self.control
    }

    /// Counts a frame once it is known what it was.
    pub(super) fn count(&mut self, kind: FrameKind) {
        let counter = match kind {
            FrameKind::Sent => &mut self.sent,
            FrameKind::Delivered => &mut self.delivered,
            FrameKind::Own => &mut self.own,
            FrameKind::Foreign => &mut self.foreign,
            FrameKind::Bad => &mut self.bad,
            FrameKind::Control => &mut self.control,
        };
        *counter += 1.0;
    }
}
