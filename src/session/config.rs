//! How a session behaves.

use super::outbox::Bounds;
use super::reconnect::ReconnectPolicy;
use crate::protocol::Millis;

/// Milliseconds from opening a channel to readiness in the shim.
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

/// Where credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CredentialsSource {
    /// There are none.
    #[default]
    None,
    /// The same each time.
    Fixed,
    /// A function of the page returns them, and may return new ones each time.
    Renewable,
}

/// How a session behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Frames travel through the page's own transport, which has no time limit for opening.
    pub own_transport: bool,
    /// The page's own transport takes several frames at once, and keeps their order.
    pub pipelines: bool,
    /// Before each attempt the page's function `url` is called.
    pub asks_url: bool,
    /// Where the credentials of each attempt come from.
    pub credentials: CredentialsSource,
    /// The channel that receives messages without a channel.
    pub default_channel: Option<String>,
    /// The time from opening a channel to readiness. `None`: 1 s with [`OpenWhen::Timer`], 0 with
    /// [`OpenWhen::Connected`].
    pub open_delay: Option<Millis>,
    /// What readiness waits for.
    pub open_when: OpenWhen,
    /// The longest frame with a message that is sent, in bytes of UTF-8. A received frame may be
    /// somewhat longer, because a server may write it in another way.
    pub max_message: usize,
    /// Bounds of the outbox.
    pub outbox: Bounds,
    /// How to reconnect.
    pub reconnect: ReconnectPolicy,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            own_transport: false,
            pipelines: false,
            asks_url: false,
            credentials: CredentialsSource::None,
            default_channel: None,
            open_delay: None,
            open_when: OpenWhen::Timer,
            max_message: 1_000_000,
            outbox: Bounds::default(),
            reconnect: ReconnectPolicy::default(),
        }
    }
}

impl Config {
    /// The time from opening a channel to readiness.
    pub fn delay(&self) -> Millis {
        let default = match self.open_when {
            OpenWhen::Timer => SHIM_DELAY,
            OpenWhen::Connected => 0.0,
        };
        self.open_delay.unwrap_or(default)
    }
}
