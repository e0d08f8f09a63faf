//! What is simulated.

/// An outage, and who is concerned.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How many pages are connected before it.
    pub pages: u32,
    /// How many relays there are. All are gone during the outage, and back at the end of it.
    pub relays: u32,
    /// How long it takes, in milliseconds.
    pub outage: u64,
    /// Processor time of a relay for each connection that it accepts, in microseconds, up to the
    /// session that is resumed.
    pub connection_cost: f64,
    /// Processors of each relay's machine.
    pub processors: f64,
    /// How many connections each relay may have; `None`: room for all pages on any half of the
    /// relays.
    pub connections: Option<usize>,
    /// HTTP connections of each relay that aren't WebSockets yet.
    pub http_connections: usize,
    /// How many pages share an address.
    pub pages_per_address: u32,
    /// Connections begin with a TLS handshake, so that the relay has each for a round trip before
    /// its request is there.
    pub tls: bool,
    /// During the outage nothing answers. Otherwise connections are refused at once.
    pub silent: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            pages: 1_000_000,
            relays: 3,
            outage: 60_000,
            connection_cost: 250.0,
            processors: 1.0,
            connections: None,
            http_connections: signal_relay::config::HTTP_CONNECTIONS,
            pages_per_address: 10,
            tls: false,
            silent: false,
        }
    }
}

impl Scenario {
    /// The settings of each relay.
    pub(crate) fn config(&self) -> signal_relay::Config {
        let all = self.pages as usize;
        let share = (2 * all).div_ceil(self.relays.max(1) as usize).min(all);
        signal_relay::Config {
            connections: self.connections.unwrap_or(share.max(1)),
            http_connections: self.http_connections,
            ..signal_relay::Config::default()
        }
    }

    /// How many connections a second all relays together can take.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.relays) * self.processors * 1e6 / self.connection_cost
    }
}
