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

/// Whether a browser offers these as the subprotocols of a WebSocket: all different, and each a
/// token (RFC 6455, section 4.1).
pub fn are_subprotocols(names: &[String]) -> bool {
    let is_token_character =
        |byte: u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte);
    names.iter().enumerate().all(|(place, name)| {
        let is_token = !name.is_empty() && name.bytes().all(is_token_character);
        is_token && !names.iter().take(place).any(|earlier| earlier == name)
    })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn subprotocols_are_different_tokens() {
        let are = |names: &[&str]| {
            are_subprotocols(&names.iter().map(|name| (*name).into()).collect::<Vec<_>>())
        };
        assert!(are(&[]));
        assert!(are(&["chat"]));
        assert!(are(&["v1.chat+json", "!#$%&'*+-.^_`|~", "chat", "Chat"]));
        for bad in [
            "", " ", "a b", "a,b", "a/b", "é", "a\0", "a\u{7f}", "\"a\"", "a@b", "a\\b",
        ] {
            assert!(!are(&[bad]), "{bad:?}");
            assert!(!are(&["chat", bad]), "{bad:?}");
        }
        assert!(!are(&["chat", "other", "chat"]));
    }
}
