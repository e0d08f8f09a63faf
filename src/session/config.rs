//! How a session behaves.

use super::outbox::Bounds;
use super::reconnect::ReconnectPolicy;
use crate::protocol::Millis;

/// From opening a channel to readiness, as the shim has it.
const SHIM_DELAY: Millis = 1_000.0;

/// What readiness waits for; the option `openWhen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenWhen {
    /// The timer alone, as with the shim.
    #[default]
    Timer,
    /// The timer and the connection.
    Connected,
}

/// Whether the page gives credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CredentialsSource {
    /// It doesn't.
    #[default]
    None,
    /// The same each time.
    Fixed,
    /// A function of the page's gives them, perhaps new ones each time.
    Renewable,
}

/// How a session behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// A transport of the page's carries frames. It takes its own time to open.
    pub own_transport: bool,
    /// The page is asked for the server's address before each attempt.
    pub asks_url: bool,
    /// Whether the page is asked for credentials before each attempt.
    pub credentials: CredentialsSource,
    /// From opening a channel to readiness; `None`: a second if it waits for the timer alone, else no time.
    pub open_delay: Option<Millis>,
    /// What readiness waits for.
    pub open_when: OpenWhen,
    /// The longest message, in UTF-16 code units of its JSON text, sent or received.
    pub max_message: usize,
    /// Bounds of the outbox.
    pub outbox: Bounds,
    /// When to connect again.
    pub reconnect: ReconnectPolicy,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            own_transport: false,
            asks_url: false,
            credentials: CredentialsSource::None,
            open_delay: None,
            open_when: OpenWhen::Timer,
            max_message: 1_000_000,
            outbox: Bounds::default(),
            reconnect: ReconnectPolicy::default(),
        }
    }
}

impl Config {
    /// From opening a channel to readiness.
    pub fn delay(&self) -> Millis {
        let default = match self.open_when {
            OpenWhen::Timer => SHIM_DELAY,
            OpenWhen::Connected => 0.0,
        };
        self.open_delay.unwrap_or(default)
    }
}
