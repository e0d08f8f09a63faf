//! Relays that share a store: NATS JetStream.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "cluster/events.rs"]
mod events;
#[path = "cluster/failing.rs"]
mod failing;
#[path = "cluster/presence.rs"]
mod presence;
#[path = "cluster/sharing.rs"]
mod sharing;
mod support;
#[path = "cluster/twice.rs"]
mod twice;
