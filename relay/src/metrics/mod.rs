//! What the relay counts of all its clients, in front of every protocol.
//!
//! | module | |
//! | --- | --- |
//! | `tracked` | one client: counted while it is connected, and the log line at its end |
//! | `refused` | which refusals are counted, and under which reason |
//! | `counted` | a stream that counts its bytes |
//! | `exposition` | the text that Prometheus reads |
//! | `listener` | the listener for it |
//!
//! Labels have only values that are in the program's text: nobody can add one from outside.

mod counted;
mod exposition;
mod listener;
mod refused;
mod tracked;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

pub(crate) use self::counted::Counted;
pub(crate) use self::exposition::text;
pub(crate) use self::listener::{listen, ready};
pub(crate) use self::refused::Refused;
pub(crate) use self::tracked::{Protocol, Tracked};

type Label = (&'static str, &'static str);

/// The counters of one relay.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    sessions: Family<[Label; 1], Gauge>,
    opened: Family<[Label; 1], Counter>,
    ended: Family<[Label; 2], Counter>,
    refusals: Family<[Label; 1], Counter>,
    traffic: Traffic,
    /// Numbers clients, for the log.
    clients: AtomicU64,
}

/// Connections of any kind, and their bytes.
#[derive(Debug, Default)]
struct Traffic {
    connections: AtomicI64,
    accepted: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// Panics of the whole program: each ends one connection or one request.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts a panic, for `signal_relay_panics_total`. A program's panic hook may call it.
pub fn count_panic() {
    PANICS.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Counts a request that was refused for this reason.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&[("reason", reason)]).inc();
    }
}
