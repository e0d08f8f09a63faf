//! One client: counted while it is connected, and the log line at its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::counters::Metrics;
use crate::address::ClientAddress;

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Plain,
    ServerSentEvents,
    SocketIo,
    SignalR,
    ClassicSignalR,
}

impl Protocol {
    /// Its name in metrics and in the log.
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::ServerSentEvents => "sse",
            Self::SocketIo => "socket.io",
            Self::SignalR => "signalr",
            Self::ClassicSignalR => "signalr-classic",
        }
    }
}

/// One client, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Tracked {
    metrics: Arc<Metrics>,
    number: u64,
    protocol: &'static str,
    space: Box<str>,
    address: ClientAddress,
    since: Instant,
    reason: Option<&'static str>,
}

impl Tracked {
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        protocol: Protocol,
        space: &str,
        address: ClientAddress,
    ) -> Self {
        let number = metrics.clients.fetch_add(1, Ordering::Relaxed) + 1;
        let protocol = protocol.name();
        let label = [("protocol", protocol)];
        metrics.sessions.get_or_create(&label).inc();
        metrics.opened.get_or_create(&label).inc();
        let tracked = Self {
            metrics,
            number,
            protocol,
            space: space.into(),
            address,
            since: Instant::now(),
            reason: None,
        };
        tracing::debug!(
            connection = number,
            address = %tracked.address,
            space,
            protocol,
            "connected"
        );
        tracked
    }

    /// Notes the space that it is in, for the log. A client that is in several has the last one.
    pub(crate) fn enter(&mut self, space: &str) {
        self.space = space.into();
    }

    /// Notes why it ends. The first reason counts.
    pub(crate) fn end(&mut self, reason: &'static str) {
        self.reason.get_or_insert(reason);
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let reason = self.reason.unwrap_or(if std::thread::panicking() {
            "panic"
        } else {
            "gone"
        });
        let (metrics, protocol) = (&self.metrics, self.protocol);
        metrics
            .sessions
            .get_or_create(&[("protocol", protocol)])
            .dec();
        let labels = [("protocol", protocol), ("reason", reason)];
        metrics.ended.get_or_create(&labels).inc();
        tracing::info!(
            connection = self.number,
            address = %self.address,
            space = &*self.space,
            protocol,
            reason,
            seconds = self.since.elapsed().as_secs(),
            "disconnected"
        );
    }
}
