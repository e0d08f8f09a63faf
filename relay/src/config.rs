//! The settings of a relay, and their defaults.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::auth;
use crate::base_path::BasePath;
use crate::files::Mount;
use crate::host::HostPattern;
use crate::hub::budget::CONNECTION;
use crate::hub::{self, history, jetstream, queue, sessions};
use crate::limits::{Limits, Rate, Rates};
use crate::origin::Origin;
use crate::protocols::signalr;
use crate::proxies::Proxy;
use crate::tls;

/// Where the relay listens.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8888);
/// The longest frame, in bytes. The messages of a call set-up have a few kilobytes.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Frames that may wait for one connection. A client's outbox that is sent at once must fit:
/// signal-wasm keeps up to 1000 messages.
pub const QUEUE_FRAMES: usize = 1024;
/// Bytes that may wait for one connection.
pub const QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// WebSockets and other sessions at one time.
pub const CONNECTIONS: usize = 10_000;
/// How many of them clients of one address may have: an office may be behind one address.
pub const CONNECTIONS_PER_ADDRESS: usize = 1000;
/// How much may be sent each second. A page that sets up calls with fifty others at once sends some
/// thousand messages.
pub const RATES: Rates = Rates {
    connection: Rate {
        messages: 500,
        bytes: 1024 * 1024,
    },
    address: Rate {
        messages: 5000,
        bytes: 10 * 1024 * 1024,
    },
    patience: Duration::from_secs(60),
};
/// HTTP connections at one time that are neither.
pub const HTTP_CONNECTIONS: usize = 1024;
/// How long a connection may be silent before it is pinged. Less than the minute after which common
/// proxies drop an idle connection.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);
/// How long the answer to a ping may take.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client may read nothing of what waits for it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a message may take from its first byte to its last.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a session is kept after its connection is lost.
pub const SESSION_AGE: Duration = Duration::from_secs(600);
/// How many such sessions are kept.
pub const SESSIONS: usize = 10_000;
/// How many channels a session may have open.
pub const CHANNELS: usize = 1024;
/// How many messages of a channel are kept for replay.
pub const HISTORY_MESSAGES: usize = 1000;
/// How many bytes of a channel's messages are kept.
pub const HISTORY_BYTES: usize = 1024 * 1024;
/// How long messages are kept.
pub const HISTORY_AGE: Duration = Duration::from_secs(120);
/// How many bytes of all channels' messages are kept.
pub const HISTORY_TOTAL: usize = 64 * 1024 * 1024;
/// Bytes of the process.
pub const MEMORY: usize = 512 * 1024 * 1024;
/// One part in so many of the memory isn't for what is held for clients.
const HEADROOM: usize = 4;

/// Bytes of all files that are compressed in memory. Two forms of a site of some ten megabytes.
pub const COMPRESSED_FILES: usize = 16 * 1024 * 1024;

/// The settings of one relay.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address and port to listen on. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The path under which a proxy makes the relay reachable.
    pub base_path: BasePath,
    /// The folders to serve.
    pub mounts: Vec<Mount>,
    /// The bytes that all files may take that are compressed in memory. With 0, none is.
    pub compressed_files: usize,
    /// Origins that are allowed besides those that always are (see [`crate::origin`]).
    pub origins: Vec<Origin>,
    /// Names by which the relay may be called (see [`crate::origin`]).
    pub hosts: Vec<HostPattern>,
    /// The longest frame that is accepted, in bytes.
    pub max_frame: usize,
    /// What may wait for one connection.
    pub queue: queue::Limits,
    /// How many WebSockets and other sessions there may be at one time.
    pub connections: usize,
    /// How many WebSockets and other sessions clients of one address may have.
    pub connections_per_address: usize,
    /// How much may be sent.
    pub rates: Rates,
    /// Whether the limits for addresses and the rates hold for loopback addresses too. Those are
    /// tests, pages under development, or a proxy.
    pub limit_loopback: bool,
    /// How many HTTP connections there may be at one time that are neither a WebSocket nor another
    /// session. Beyond that, a new one takes the place of another.
    pub http_connections: usize,
    /// Proxies that are trusted to say whose requests they pass on.
    pub trusted_proxies: Vec<Proxy>,
    /// How long the hello on a plain WebSocket waits for the client's first frame. Zero: it is sent
    /// at once.
    pub hello_delay: Duration,
    /// How long a connection may be silent before it is pinged. The relay also sends something at
    /// least this often, where the client's protocol allows for it.
    pub ping_interval: Duration,
    /// How long a pinged connection may stay silent before it is closed.
    pub ping_timeout: Duration,
    /// How long a connection may take to close: for what still waits, the close frame, and the
    /// answer to it.
    pub close_timeout: Duration,
    /// How long a message may take from its first byte to its last.
    pub message_timeout: Duration,
    /// How long a client may read nothing of what waits for it, before its connection is dropped.
    pub write_timeout: Duration,
    /// Over this time a relay that is stopping sends its clients away.
    pub drain: Duration,
    /// The certificate for TLS. Without it, the relay speaks HTTP without TLS.
    pub tls: Option<tls::Files>,
    /// Where metrics are served, if they are. Port 0 takes any free port.
    pub metrics: Option<SocketAddr>,
    /// The store that the relay shares with others; `None`: it keeps everything itself.
    pub store: Option<jetstream::settings::Settings>,
    /// What is kept for clients that lost their connection.
    pub sessions: sessions::Limits,
    /// What is kept of what was published.
    pub history: history::Limits,
    /// Bytes that the process may take. Three quarters are for what is held for clients: history,
    /// replays, queues, sessions with their channels, and the buffers of connections; beyond that,
    /// whoever uses most gives back. The rest is for the program, for what is being freed, and for
    /// what the allocator keeps.
    pub memory: usize,
    /// How long SignalR's clients and the relay wait for each other.
    pub signalr: signalr::Timing,
    /// How the relay decides who may do what; `None`: everybody may do everything.
    pub auth: Option<auth::Settings>,
    /// Relays for everybody on an address that other machines can reach.
    pub open: bool,
}

impl Config {
    /// The bounds of the hub.
    #[must_use]
    pub fn hub_limits(&self) -> hub::Limits {
        hub::Limits {
            queue: self.queue,
            sessions: self.sessions,
            history: self.history,
            memory: self.memory - self.memory / HEADROOM,
        }
    }

    /// What the relay and its store agree on.
    #[must_use]
    pub fn store_terms(&self) -> jetstream::Terms {
        jetstream::Terms {
            history: self.history,
            session_age: self.sessions.age,
            unnoticed: self.ping_interval + self.ping_timeout,
        }
    }

    /// This configuration, with frames that are no longer than the store takes.
    #[must_use]
    pub fn within(self, longest: Option<usize>) -> Self {
        match longest.filter(|longest| *longest < self.max_frame) {
            None => self,
            Some(max_frame) => {
                tracing::info!("NATS takes frames of at most {max_frame} bytes");
                Self { max_frame, ..self }
            }
        }
    }

    /// This configuration with what can change while a relay runs taken from another: the origins
    /// and hosts, all limits, and the times of the hello, of pings and of draining. Connections that
    /// are open keep the limits that they were opened with, except for what their address shares
    /// with others.
    #[must_use]
    pub fn reloaded(&self, new: &Self) -> Self {
        let mut reloaded = Self {
            origins: new.origins.clone(),
            hosts: new.hosts.clone(),
            max_frame: new.max_frame,
            queue: new.queue,
            connections: new.connections,
            connections_per_address: new.connections_per_address,
            rates: new.rates,
            limit_loopback: new.limit_loopback,
            http_connections: new.http_connections,
            hello_delay: new.hello_delay,
            ping_interval: new.ping_interval,
            ping_timeout: new.ping_timeout,
            message_timeout: new.message_timeout,
            write_timeout: new.write_timeout,
            drain: new.drain,
            sessions: new.sessions,
            history: new.history,
            memory: new.memory,
            ..self.clone()
        };
        // NATS keeps sessions by these, and other relays conclude from them what a page may have missed.
        if self.store.is_some() {
            reloaded.ping_interval = self.ping_interval;
            reloaded.ping_timeout = self.ping_timeout;
            reloaded.sessions.age = self.sessions.age;
            reloaded.history.age = self.history.age;
            reloaded.history.total = self.history.total;
        }
        reloaded
    }

    /// The least memory with which these settings work: each connection is open, the history is
    /// full, and one connection takes the longest message and has a full queue.
    #[must_use]
    pub fn least_memory(&self) -> usize {
        let held = [
            self.connections.saturating_mul(CONNECTION),
            self.history.total,
            self.queue.bytes,
            self.max_frame.saturating_mul(3),
        ]
        .into_iter()
        .fold(0, usize::saturating_add);
        held.saturating_add(held.div_ceil(HEADROOM - 1))
    }

    /// The limits of each connection.
    #[must_use]
    pub fn connection_limits(&self) -> Limits {
        Limits {
            max_frame: self.max_frame,
            queue: self.queue,
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            rates: self.rates,
            limit_loopback: self.limit_loopback,
            hello_delay: self.hello_delay,
            ping_interval: self.ping_interval,
            ping_timeout: self.ping_timeout,
            message_timeout: self.message_timeout,
            close_timeout: self.close_timeout,
            write_timeout: self.write_timeout,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            base_path: BasePath::default(),
            mounts: Vec::new(),
            compressed_files: COMPRESSED_FILES,
            origins: Vec::new(),
            hosts: Vec::new(),
            max_frame: MAX_FRAME,
            queue: queue::Limits {
                frames: QUEUE_FRAMES,
                bytes: QUEUE_BYTES,
            },
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            rates: RATES,
            limit_loopback: false,
            http_connections: HTTP_CONNECTIONS,
            trusted_proxies: Vec::new(),
            hello_delay: Duration::ZERO,
            ping_interval: PING_INTERVAL,
            ping_timeout: PING_TIMEOUT,
            close_timeout: Duration::from_secs(3),
            message_timeout: MESSAGE_TIMEOUT,
            write_timeout: WRITE_TIMEOUT,
            drain: Duration::ZERO,
            tls: None,
            metrics: None,
            store: None,
            sessions: sessions::Limits {
                age: SESSION_AGE,
                kept: SESSIONS,
                channels: CHANNELS,
                late_history: false,
            },
            history: history::Limits {
                messages: HISTORY_MESSAGES,
                bytes: HISTORY_BYTES,
                age: HISTORY_AGE,
                total: HISTORY_TOTAL,
            },
            memory: MEMORY,
            signalr: signalr::Timing::default(),
            auth: None,
            open: false,
        }
    }
}
