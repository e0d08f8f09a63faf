//! The text that Prometheus reads.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

use crate::hub::meter::{BOUNDS, Counts};
use crate::metrics::PANICS;
use crate::relay::Relay;

/// What the relay counts, as text.
pub(crate) fn text(relay: &Relay) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode(&mut text, &registry(relay))?;
    Ok(text)
}

fn registry(relay: &Relay) -> Registry {
    let mut registry = Registry::with_prefix("signal_relay");
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The program", version);
    connections(&mut registry, relay);
    messages(&mut registry, relay);
    kept(&mut registry, relay);
    process(&mut registry);
    registry
}

fn connections(registry: &mut Registry, relay: &Relay) {
    let metrics = &relay.metrics;
    let traffic = &metrics.traffic;
    let draining = u64::from(relay.lifecycle.is_draining());
    gauge(
        registry,
        "draining",
        "1 while the relay is stopping",
        draining,
    );
    gauge(
        registry,
        "connections",
        "Open connections: WebSockets, and requests of all kinds",
        traffic.connections.load(Ordering::Relaxed).unsigned_abs(),
    );
    count(
        registry,
        "connections_accepted",
        "Connections accepted",
        &traffic.accepted,
    );
    count(
        registry,
        "received_bytes",
        "Bytes received",
        &traffic.received,
    );
    count(registry, "sent_bytes", "Bytes sent", &traffic.sent);
    registry.register(
        "sessions",
        "Clients that are connected",
        metrics.sessions.clone(),
    );
    registry.register(
        "sessions_opened",
        "Clients that have connected",
        metrics.opened.clone(),
    );
    registry.register(
        "sessions_ended",
        "Clients whose connection has ended, by reason",
        metrics.ended.clone(),
    );
    gauge(
        registry,
        "places_taken",
        "Places that WebSockets and other sessions take, of those that --connections allows",
        relay.places.taken() as u64,
    );
    gauge(
        registry,
        "places",
        "How many places there are (--connections)",
        relay.limits().connections as u64,
    );
    registry.register(
        "refusals",
        "Requests that were refused, by reason",
        metrics.refusals.clone(),
    );
}

fn messages(registry: &mut Registry, relay: &Relay) {
    let counts = relay.hub.meter().counts();
    let (published, deliveries) = (counts.published, counts.deliveries);
    total(
        registry,
        "messages",
        "Messages that clients sent",
        published.0,
    );
    total(
        registry,
        "message_bytes",
        "Bytes of the messages that clients sent",
        published.1,
    );
    total(
        registry,
        "deliveries",
        "Messages handed to a connection, once for each that receives one",
        deliveries.0,
    );
    total(
        registry,
        "delivery_bytes",
        "Bytes of the messages handed to a connection",
        deliveries.1,
    );
    total(
        registry,
        "slow_consumers",
        "Clients that read too slowly, so that their queue overflowed",
        counts.overflowed,
    );
    registry.register(
        "delivery_seconds",
        "From when a message was taken until it was handed to a connection, of one in eight messages",
        Latency(counts),
    );
    let queues = relay.hub.queue_depths();
    gauge(
        registry,
        "queued_messages",
        "Messages that wait for a connection to take them",
        queues.frames,
    );
    gauge(registry, "queued_bytes", "Their bytes", queues.bytes);
    gauge(
        registry,
        "longest_queue_bytes",
        "Bytes that wait for the slowest connection",
        queues.longest,
    );
}

fn kept(registry: &mut Registry, relay: &Relay) {
    let stats = relay.hub.stats();
    gauge(
        registry,
        "spaces",
        "Spaces that have a member",
        stats.spaces as u64,
    );
    gauge(
        registry,
        "members",
        "Members of all spaces",
        stats.members as u64,
    );
    let (users, rooms) = relay.rooms.counts();
    gauge(
        registry,
        "room_users",
        "Pages of RTCMultiConnection 3 that have an id",
        users as u64,
    );
    gauge(
        registry,
        "rooms",
        "Rooms of RTCMultiConnection 3",
        rooms as u64,
    );
    gauge(
        registry,
        "present_pages",
        "Pages of signal-wasm/room on channels of which the relay tells them who is there",
        relay.presence.count() as u64,
    );
    gauge(
        registry,
        "channels",
        "Channels that a client has open, each counted once for each space",
        stats.channels as u64,
    );
    gauge(
        registry,
        "resumable_sessions",
        "Sessions of clients that are connected and can resume",
        stats.sessions.attached as u64,
    );
    gauge(
        registry,
        "kept_sessions",
        "Sessions kept for clients that may come back",
        stats.sessions.kept as u64,
    );
    gauge(
        registry,
        "history_messages",
        "Messages kept for replay",
        stats.history.messages as u64,
    );
    gauge(
        registry,
        "history_bytes",
        "Their bytes",
        stats.history.bytes as u64,
    );
    gauge(
        registry,
        "history_limit_bytes",
        "How many bytes are kept at most (--history-total)",
        stats.history_limit as u64,
    );
    gauge(
        registry,
        "held_bytes",
        "Memory that is held for clients: connections, sessions, messages and unfinished messages",
        stats.memory.total() as u64,
    );
    gauge(
        registry,
        "held_limit_bytes",
        "How much memory may be held for clients: three quarters of --memory",
        stats.memory_limit as u64,
    );
}

fn process(registry: &mut Registry) {
    count(
        registry,
        "panics",
        "Connections and requests that a fault of the relay has ended",
        &PANICS,
    );
    if let Some(bytes) = resident_bytes() {
        gauge(
            registry,
            "resident_memory_bytes",
            "Memory that the whole process uses",
            bytes,
        );
    }
}

/// The memory of this process, where the system says it in `/proc`.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    registry.register(name, help, ConstGauge::new(value));
}

fn count(registry: &mut Registry, name: &str, help: &str, count: &AtomicU64) {
    total(registry, name, help, count.load(Ordering::Relaxed));
}

fn total(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstCounter::new(value));
}

/// How long deliveries took.
#[derive(Debug)]
struct Latency(Counts);

impl TypedMetric for Latency {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Latency {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let Self(counts) = self;
        let bounds = BOUNDS.iter().copied().chain([f64::MAX]);
        let buckets: Vec<_> = bounds.zip(counts.latency.iter().copied()).collect();
        let all = counts.latency.iter().sum();
        let sum = counts.latency_sum.as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, all, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
