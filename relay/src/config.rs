//! What can be set about a relay, and the values it has when nobody does.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::files::Mount;
use crate::history;
use crate::origin::Origin;
use crate::queue::Bounds;
use crate::session;
use crate::signalr;

/// Where the relay listens.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8888);
/// The longest frame. The messages of a call set-up have a few kilobytes.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Frames that may wait for one member. A client's outbox that is sent at once (signal-wasm keeps up to 1000 messages) has to fit.
pub const QUEUE_FRAMES: usize = 1024;
/// Bytes that may wait for one member.
pub const QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// WebSockets and other sessions at one time.
pub const CONNECTIONS: usize = 10_000;
/// How long a connection may be silent before it is pinged. Below the minute after which common proxies drop an idle connection.
pub const PING: Duration = Duration::from_secs(25);
/// How long the answer may take.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long a session is kept whose connection is gone.
pub const SESSION_AGE: Duration = Duration::from_secs(600);
/// How many such sessions are kept.
pub const SESSIONS: usize = 10_000;
/// How many channels a session may have open.
pub const CHANNELS: usize = 1024;
/// How many messages of a channel are kept for those who come back.
pub const HISTORY_MESSAGES: usize = 1000;
/// How many bytes of them.
pub const HISTORY_BYTES: usize = 1024 * 1024;
/// For how long.
pub const HISTORY_AGE: Duration = Duration::from_secs(120);
/// How many bytes of all channels together.
pub const HISTORY_TOTAL: usize = 64 * 1024 * 1024;

/// The settings of one relay.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address and port to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The folders to serve.
    pub mounts: Vec<Mount>,
    /// Origins that are allowed besides those that always are (see [`crate::origin`]).
    pub origins: Vec<Origin>,
    /// The longest frame that is taken, in bytes.
    pub max_frame: usize,
    /// What may wait for one member.
    pub queue: Bounds,
    /// How many WebSockets and other sessions there may be at one time.
    pub connections: usize,
    /// A connection that was silent for so long is pinged. A client hears something of the relay at least as often, if its protocol has
    /// something that can be said for that.
    pub ping: Duration,
    /// How long a pinged connection may stay silent before it is dropped.
    pub patience: Duration,
    /// How long a connection may take to close: for what still waits for it, the close frame, and the other side's answer.
    pub farewell: Duration,
    /// What is kept for clients that lost their connection.
    pub sessions: session::Bounds,
    /// What is kept of what was published.
    pub history: history::Bounds,
    /// How long SignalR's clients and the relay wait for each other.
    pub signalr: signalr::Times,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            mounts: Vec::new(),
            origins: Vec::new(),
            max_frame: MAX_FRAME,
            queue: Bounds {
                frames: QUEUE_FRAMES,
                bytes: QUEUE_BYTES,
            },
            connections: CONNECTIONS,
            ping: PING,
            patience: PATIENCE,
            farewell: Duration::from_secs(3),
            sessions: session::Bounds {
                age: SESSION_AGE,
                kept: SESSIONS,
                channels: CHANNELS,
            },
            history: history::Bounds {
                messages: HISTORY_MESSAGES,
                bytes: HISTORY_BYTES,
                age: HISTORY_AGE,
                total: HISTORY_TOTAL,
            },
            signalr: signalr::Times::default(),
        }
    }
}
