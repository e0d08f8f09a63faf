//! The options that configure a protocol.

use super::Millis;

/// How long each step of connecting may take by default.
const CONNECT_TIMEOUT: Millis = 10_000.0;

/// The options of all protocols. Each protocol has its own defaults for `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProtocolOptions {
    /// The server: absolute, `ws:` or `wss:`. Empty with the page's own transport, or with a
    /// function `url`.
    pub url: String,
    /// Members for the query of each address, encoded: `a=b&c=d`.
    pub query: String,
    /// Socket.IO: the path of its endpoint.
    pub path: Option<String>,
    /// Socket.IO: the namespace.
    pub namespace: Option<String>,
    /// Socket.IO: the event that carries envelopes.
    pub event: Option<String>,
    /// SignalR: the client's method that the hub calls.
    pub target: Option<String>,
    /// SignalR: the hub's method.
    pub method: Option<String>,
    /// Classic SignalR: the hub.
    pub hub: Option<String>,
    /// SignalR: open the WebSocket without negotiation.
    pub skip_negotiation: bool,
    /// How long each step of connecting may take.
    pub connect_timeout: Option<Millis>,
    /// SignalR: how long the server may be silent.
    pub server_timeout: Option<Millis>,
    /// SignalR: the time between two pings.
    pub keep_alive: Option<Millis>,
    /// Plain servers: a frame that is sent regularly, to which the server must answer.
    pub heartbeat: Option<Heartbeat>,
    /// Frames travel through the page's own transport.
    pub own_transport: bool,
    /// A random secret of this page.
    pub secret: String,
}

impl ProtocolOptions {
    /// How long each step of connecting may take.
    pub fn connect_timeout(&self) -> Millis {
        self.connect_timeout.unwrap_or(CONNECT_TIMEOUT)
    }
}

/// The option `heartbeat`.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// The time between two of them.
    pub interval: Millis,
    /// How long the server may be silent after one.
    pub timeout: Millis,
    /// The frame; `None`: [`HEARTBEAT`](super::HEARTBEAT).
    pub message: Option<String>,
}

/// An option with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOption {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// A description of valid values.
    pub wanted: &'static str,
}

/// Credentials for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A bearer token; the option `accessToken`.
    Token(String),
    /// The option `auth`, an object.
    Auth {
        /// The object as JSON text.
        json: String,
        /// Its members as a query, `a=b&c=d`.
        query: String,
    },
}

impl Credentials {
    /// The bearer token, if it is one.
    pub fn token(&self) -> Option<&str> {
        match self {
            Credentials::Token(token) => Some(token),
            Credentials::Auth { .. } => None,
        }
    }
}
