//! The counters.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

type Label = (&'static str, &'static str);

/// The counters of one relay.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) sessions: Family<[Label; 1], Gauge>,
    pub(crate) opened: Family<[Label; 1], Counter>,
    pub(crate) ended: Family<[Label; 2], Counter>,
    pub(crate) refusals: Family<[Label; 1], Counter>,
    pub(crate) traffic: Traffic,
    /// Numbers clients, for the log.
    pub(crate) clients: AtomicU64,
}

/// Connections of any kind, and their bytes.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) connections: AtomicI64,
    pub(crate) accepted: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

/// Panics of the whole program: each ends one connection or one request.
pub(crate) static PANICS: AtomicU64 = AtomicU64::new(0);

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
