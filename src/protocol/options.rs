//! What the page says about the server, for whichever protocol.

/// The options that protocols take. Each protocol has defaults of its own for those that are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProtocolOptions {
    /// The server: absolute, `ws:` or `wss:`. Empty where a transport of the page's carries frames, or the page is asked for the address
    /// before each attempt.
    pub url: String,
    /// Members for the query of each address, encoded: `a=b&c=d`.
    pub query: String,
    /// Where on the server the protocol is.
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
}

/// An option that can't be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOption {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// What it must be.
    pub wanted: &'static str,
}

/// What the page tells the server of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A bearer token; the option `accessToken`.
    Token(String),
    /// The option `auth`, an object.
    Auth {
        /// It as JSON text.
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
