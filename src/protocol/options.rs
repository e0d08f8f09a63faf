//! The options that configure a protocol.

/// The options of all protocols. Each protocol has its own defaults for `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Frames travel through the page's own transport.
    pub own_transport: bool,
    /// A random secret of this page.
    pub secret: String,
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
