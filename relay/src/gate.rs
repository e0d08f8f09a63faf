//! Whom a relay lets in, without sockets: for the simulation of an outage (`benches/outage`), which
//! plays a relay's clients in virtual time.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::StatusCode;

use crate::address::ClientAddress;
use crate::config::Config;
use crate::limits::{HttpConnection, HttpConnections, Place, Places};

/// What decides in a relay with these settings. It asks the same questions as the relay, in the same
/// order, of the same code.
#[derive(Debug)]
pub struct Gate {
    places: Places,
    http: HttpConnections,
}

/// A connection that was accepted, and hasn't become a WebSocket yet.
#[derive(Debug)]
pub struct Arrival {
    http: HttpConnection,
    address: ClientAddress,
}

/// A client that was let in, until this is dropped.
#[derive(Debug)]
pub struct Admitted {
    _place: Place,
}

impl Gate {
    /// Nobody is there.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            places: Places::new(config.connection_limits()),
            http: HttpConnections::new(config.http_connections),
        }
    }

    /// A client without a proxy connects. `None`: the connection is dropped at once.
    #[must_use]
    pub fn connect(&self, ip: IpAddr) -> Option<Arrival> {
        let address = ClientAddress::new(ip);
        self.places.share(address).connect().then(|| Arrival {
            http: self.http.add(Some(address)),
            address,
        })
    }

    /// The request for a WebSocket is there: how long until it is answered.
    #[must_use]
    pub fn request(&self, arrival: &Arrival) -> Duration {
        arrival.http.note_request();
        self.places.share(arrival.address).count_request()
    }

    /// Answers the request. An error is the status of a refusal.
    ///
    /// # Errors
    /// There is no place.
    pub fn enter(&self, arrival: &Arrival) -> Result<Admitted, StatusCode> {
        let place = self.places.take(arrival.address);
        arrival.http.release();
        place
            .map(|place| Admitted { _place: place })
            .map_err(|refused| refused.status())
    }

    /// Forgets addresses that have nothing. The relay does so every second.
    pub fn evict_unused(&self) {
        self.places.evict_unused();
    }
}

impl Arrival {
    /// Whether the connection was dropped to make room for another.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.http.is_aborted()
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.http.release();
    }
}
