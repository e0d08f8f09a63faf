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
#[path = "cluster/lost.rs"]
mod lost;
// Pages of RTCMultiConnection, with what other tests need of them.
#[path = "rooms/page.rs"]
#[allow(dead_code)]
mod page;
#[path = "cluster/presence.rs"]
mod presence;
#[path = "rooms/private.rs"]
#[allow(dead_code)]
mod private;
#[path = "cluster/rooms.rs"]
mod rooms;
#[path = "cluster/rooms_lost.rs"]
mod rooms_lost;
#[path = "cluster/senders.rs"]
mod senders;
#[path = "cluster/sharing.rs"]
mod sharing;
mod support;
#[path = "cluster/twice.rs"]
mod twice;
